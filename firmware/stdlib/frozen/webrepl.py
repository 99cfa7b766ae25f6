# webrepl: the prompt over a WebSocket, for a browser or webrepl_cli.py.
#
# Whoever connects is looked at in a callback of the listening socket; one client at a time is the terminal's duplicate.
import _webrepl
import network
import os
import socket
import websocket
from binascii import b2a_base64
from hashlib import sha1

listen_s = None
client_s = None

static_host = "https://micropython.org/webrepl/"

# Socket option: whom to call when something arrives.
_CALLBACK = 20
# Seconds that a client may take to say what it wants.
_PATIENCE = 10
# RFC 6455, 1.3.
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


# Answers a request for a WebSocket. False if it is for something else, which is not answered.
def server_handshake(cl):
    cl.readline()
    key = None
    wants = 0
    while True:
        line = cl.readline()
        if not line:
            return False
        if line == b"\r\n":
            break
        name, _, value = line.partition(b":")
        name, value = name.lower(), value.strip()
        if name == b"sec-websocket-key":
            key = value
        elif name == b"connection" and b"upgrade" in value.lower():
            wants |= 1
        elif name == b"upgrade" and value.lower() == b"websocket":
            wants |= 2
    if not key or wants != 3:
        return False
    answer = b2a_base64(sha1(key + _GUID).digest()).strip()
    cl.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    cl.write(b"Sec-WebSocket-Accept: " + answer + b"\r\n\r\n")
    return True


# A page that loads the client, for a browser that comes by itself.
def send_html(cl):
    cl.write(b'HTTP/1.0 200 OK\r\n\r\n<base href="')
    cl.write(static_host)
    cl.write(b'"></base>\r\n<script src="webrepl_content.js"></script>\r\n')
    cl.close()


def setup_conn(port, accept_handler):
    global listen_s
    listen_s = socket.socket()
    listen_s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listen_s.bind(socket.getaddrinfo("0.0.0.0", port)[0][-1])
    listen_s.listen(1)
    if accept_handler:
        listen_s.setsockopt(socket.SOL_SOCKET, _CALLBACK, accept_handler)
    for role in network.WLAN.IF_AP, network.WLAN.IF_STA:
        wlan = network.WLAN(role)
        if wlan.active():
            print("WebREPL server started on http://%s:%d/" % (wlan.ifconfig()[0], port))
    return listen_s


def accept_conn(listen_sock):
    global client_s
    cl, remote_addr = listen_sock.accept()
    cl.settimeout(_PATIENCE)
    try:
        is_websocket = server_handshake(cl)
        if not is_websocket:
            send_html(cl)
    except OSError:
        # It said nothing, or went away.
        is_websocket = False
        cl.close()
    if not is_websocket:
        return False
    before = os.dupterm(None)
    os.dupterm(before)
    if before:
        print("\nConcurrent WebREPL connection from", remote_addr, "rejected")
        cl.close()
        return False
    print("\nWebREPL connection from:", remote_addr)
    client_s = cl
    stream = _webrepl._webrepl(websocket.websocket(cl, True))
    cl.setblocking(False)
    cl.setsockopt(socket.SOL_SOCKET, _CALLBACK, os.dupterm_notify)
    os.dupterm(stream)
    return True


def stop():
    global listen_s, client_s
    os.dupterm(None)
    if client_s:
        client_s.close()
    if listen_s:
        listen_s.close()
    listen_s = client_s = None


def start(port=8266, password=None, accept_handler=accept_conn):
    global static_host
    stop()
    secret = password
    if secret is None:
        try:
            import webrepl_cfg

            secret = webrepl_cfg.PASS
            static_host = getattr(webrepl_cfg, "BASE", static_host)
        except (ImportError, AttributeError):
            print("WebREPL is not configured, run 'import webrepl_setup'")
    _webrepl.password(secret)
    s = setup_conn(port, accept_handler)
    if accept_handler is None:
        print("Starting webrepl in foreground mode")
        while not accept_conn(s):
            pass
    elif password is None:
        print("Started webrepl in normal mode")
    else:
        print("Started webrepl in manual override mode")


def start_foreground(port=8266, password=None):
    start(port, password, None)
