# Streams: anything with `read`, `readinto`, `readline` and `write` that can be polled.

from . import core


class Stream:
    def __init__(self, s, e={}):
        self.s = s
        self.e = e
        self.out_buf = b""

    def get_extra_info(self, name):
        return self.e[name]

    def close(self):
        pass

    async def wait_closed(self):
        self.s.close()

    # Generators: what waits is the loop's queue.
    def read(self, n=-1):
        collected = b""
        while True:
            yield core._io_queue.queue_read(self.s)
            got = self.s.read(n)
            if got is not None:
                if n >= 0:
                    return got
                if not len(got):
                    return collected
                collected += got

    def readinto(self, buf):
        yield core._io_queue.queue_read(self.s)
        return self.s.readinto(buf)

    def readexactly(self, n):
        collected = b""
        while n:
            yield core._io_queue.queue_read(self.s)
            got = self.s.read(n)
            if got is not None:
                if not len(got):
                    raise EOFError
                collected += got
                n -= len(got)
        return collected

    def readline(self):
        line = b""
        while True:
            yield core._io_queue.queue_read(self.s)
            got = self.s.readline()
            if got is not None:
                line += got
                if not len(got) or got.endswith(b"\n"):
                    return line

    def write(self, buf):
        if not self.out_buf:
            # Perhaps it goes out at once.
            sent = self.s.write(buf)
            if sent == len(buf):
                return
            if sent is not None:
                buf = buf[sent:]
        self.out_buf += buf

    def drain(self):
        if not self.out_buf:
            return (yield from core.sleep_ms(0))
        rest = memoryview(self.out_buf)
        while len(rest):
            yield core._io_queue.queue_write(self.s)
            sent = self.s.write(rest)
            if sent is not None:
                rest = rest[sent:]
        self.out_buf = b""

    async def __aenter__(self):
        return self

    async def __aexit__(self, exc_type, exc, tb):
        await self.close()


StreamReader = Stream
StreamWriter = Stream


def open_connection(host, port, ssl=None, server_hostname=None):
    from errno import EINPROGRESS
    import socket

    address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    s = socket.socket(address[0], address[1], address[2])
    s.setblocking(False)
    try:
        s.connect(address[-1])
    except OSError as error:
        if error.errno != EINPROGRESS:
            raise error
    yield core._io_queue.queue_write(s)
    if ssl:
        if ssl is True:
            import ssl as module

            ssl = module.SSLContext(module.PROTOCOL_TLS_CLIENT)
        s = ssl.wrap_socket(s, server_hostname=server_hostname or host, do_handshake_on_connect=False)
    stream = Stream(s)
    return stream, stream


class Server:
    def close(self):
        self.state = True
        self.task.cancel()

    async def wait_closed(self):
        await self.task

    async def _serve(self, s, cb, ssl):
        self.state = False
        while True:
            try:
                yield core._io_queue.queue_read(s)
            except core.CancelledError as error:
                s.close()
                if self.state:
                    return
                raise error
            try:
                client, address = s.accept()
            except OSError:
                continue
            client.setblocking(False)
            if ssl:
                try:
                    client = ssl.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
                except OSError:
                    client.close()
                    continue
            stream = Stream(client, {"peername": address})
            core.create_task(cb(stream, stream))


async def start_server(cb, host, port, backlog=5, ssl=None):
    import socket

    address = socket.getaddrinfo(host, port)[0]
    s = socket.socket()
    s.setblocking(False)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(address[-1])
    s.listen(backlog)
    server = Server()
    server.task = core.create_task(server._serve(s, cb, ssl))
    try:
        await core.sleep_ms(0)
    except core.CancelledError as error:
        server.task.cancel()
        raise error
    return server
