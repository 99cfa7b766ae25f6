# _webrepl: what is said over a WebSocket between WebREPL and its clients: a password, then the terminal in text frames, and files
# in binary ones.
#
# A request is 82 bytes: "WA", what to do, 0, an offset (unused), a size, the length of the name, the name. Answers are "WB" and a
# number, 0 for good. A file that is put follows the request; a file that is got comes in pieces, each with its length before it,
# and each only after the client has sent a byte; the last piece is empty.
import sys
from errno import EINVAL
from io import IOBase

_PUT = 1
_GET = 2
_VERSION = 3

_REQUEST = 82
_TYPE = 2
_SIZE = 12
_NAME = 18
# Most of a file at a time.
_PIECE = 512
_SENT = 256

_TEXT = 1
_BINARY = 2
_GET_KIND = 8
_SET_KIND = 9

_secret = ""


def password(text):
    global _secret
    if not isinstance(text, str):
        raise TypeError("can't convert " + type(text).__name__ + " to str implicitly")
    if len(text) > 9:
        raise ValueError
    _secret = text


class _webrepl(IOBase):
    def __init__(self, sock, blocking=False):
        if not hasattr(sock, "ioctl"):
            raise OSError("stream operation not supported")
        self._sock = sock
        # What was typed of the password; None once it was right.
        self._typed = b""
        self._request = bytearray(_REQUEST)
        self._have = 0
        self._file = None
        self._left = 0
        sock.write("Password: ")

    # One byte for the terminal. Everything else that arrives is done on the way.
    def readinto(self, buf):
        sock = self._sock
        while True:
            got = sock.readinto(buf, 1)
            if not got:
                return got
            byte = buf[0]
            if self._typed is not None:
                if byte not in b"\r\n":
                    if len(self._typed) < 10:
                        self._typed += bytes((byte,))
                elif self._typed == _secret.encode():
                    self._typed = None
                    sock.write("\r\nWebREPL connected\r\n>>> ")
                else:
                    sock.write("\r\nAccess denied\r\n")
                    return 0
            elif sock.ioctl(_GET_KIND) == _TEXT:
                return 1
            elif self._have < _REQUEST:
                self._hear_request(byte)
            elif self._request[_TYPE] == _PUT:
                self._put(byte)
            else:
                self._get()

    def read(self, size=1):
        byte = bytearray(1)
        got = self.readinto(byte)
        return got if got is None else bytes(byte[:got])

    def _hear_request(self, byte):
        self._request[self._have] = byte
        self._have += 1
        if self._have < _REQUEST:
            self._have += self._sock.readinto(memoryview(self._request)[self._have :]) or 0
        if self._have == _REQUEST:
            self._begin(self._request[_TYPE])

    def _begin(self, what):
        if what == _VERSION:
            self._say(bytes(sys.implementation.version[:3]))
        elif what == _PUT or what == _GET:
            name = bytes(self._request[_NAME:]).split(b"\0")[0].decode()
            self._file = open(name, "wb" if what == _PUT else "rb")
            self._left = int.from_bytes(self._request[_SIZE : _SIZE + 4], "little")
            self._answer(0)
            if what == _GET or self._left:
                return
            self._end()
        else:
            self._answer(1)
        self._have = 0

    def _put(self, byte):
        piece = bytearray(min(self._left, _PIECE))
        piece[0] = byte
        got = 1
        if len(piece) > 1:
            got += self._sock.readinto(memoryview(piece)[1:]) or 0
        self._file.write(memoryview(piece)[:got])
        self._left -= got
        if not self._left:
            self._end()

    def _get(self):
        piece = bytearray(2 + _SENT)
        got = self._file.readinto(memoryview(piece)[2:])
        piece[0] = got & 255
        piece[1] = got >> 8
        self._say(memoryview(piece)[: 2 + got])
        if not got:
            self._end()

    # The file is done.
    def _end(self):
        self._file.close()
        self._file = None
        self._have = 0
        self._answer(0)

    def _answer(self, code):
        self._say(b"WB" + bytes((code, 0)))

    def _say(self, data):
        before = self._sock.ioctl(_SET_KIND, _BINARY)
        self._sock.write(data)
        self._sock.ioctl(_SET_KIND, before)

    # Nobody sees the terminal before the password was right.
    def write(self, data):
        return len(data) if self._typed is not None else self._sock.write(data)

    def ioctl(self, request, argument=0):
        raise OSError(EINVAL)

    def close(self):
        if self._file:
            self._file.close()
            self._file = None
        self._sock.close()
