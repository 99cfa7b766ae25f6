# Sockets of the system: streams, lines, parts of buffers, time limits, polling, packets, and streams of asyncio.
import socket, select, time, asyncio, errno


def address(port):
    return socket.getaddrinfo("127.0.0.1", port)[0][-1]


def listener():
    # Any port that nobody else has.
    port = 20000 + time.ticks_us() % 20000
    while True:
        s = socket.socket()
        try:
            s.bind(address(port))
            s.listen(5)
            return s, port
        except OSError:
            s.close()
            port += 1


server, port = listener()
client = socket.socket()
client.connect(address(port))
peer, _ = server.accept()

print(client.write(b"one\ntwo"), peer.readline(), peer.recv(10))
print(client.write(b"abcdef", 3), client.write(b"abcdef", 4, 2), peer.read(5))
print(client.write(b"abc", 9), client.write(b"abcdef", 4, 9), peer.read(5))
print(peer.send(b"x" * 100), len(client.read(100)))
buffer = bytearray(4)
peer.write(b"12345678")
print(client.readinto(buffer), buffer, client.readinto(buffer, 2), buffer, client.recv(9))

client.settimeout(0.05)
try:
    client.recv(1)
except OSError as error:
    print("too late")
client.setblocking(False)
print(client.read(1), client.readline(), client.readinto(buffer))

poll = select.poll()
poll.register(client, select.POLLIN)
print(poll.poll(10))
peer.write(b"!")
print([(s is client, event) for s, event in poll.poll(1000)], client.read(1))

peer.close()
client.setblocking(True)
print(client.read(), client.recv(1))
client.close()

server.close()
late = socket.socket()
try:
    late.connect(address(port))
except OSError as error:
    print(error.errno == errno.ECONNREFUSED)
late.close()

# Packets.
a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
a.bind(address(port))
b.sendto(b"first", address(port))
b.sendto(b"second", address(port))
print(a.recvfrom(10)[0], a.recv(3))
a.close()
b.close()


async def serve(reader, writer):
    line = await reader.readline()
    writer.write(b"echo " + line)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def ask(port, number):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"%d\n" % number)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def main():
    first, port = listener()
    first.close()
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    print(await asyncio.gather(*[ask(port, number) for number in range(4)]))
    server.close()
    await server.wait_closed()


asyncio.run(main())
