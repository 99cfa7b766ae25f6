# websocket: a stream over the frames of the WebSocket protocol (RFC 6455), with either end's frames.
#
# What is read are the contents of data frames, one after the other; pings and pongs are passed over, and a close frame is
# answered and is the end of the stream. Writing makes a frame, and no garbage: the terminal writes through it.
from errno import EAGAIN, EINVAL, EIO, ENOBUFS
from io import IOBase

_TEXT = 1
_CLOSE = 8
_CLOSED = b"\x88\x00"

# Requests of `ioctl`.
_CLOSE_STREAM = 4
_GET_KIND = 8
_SET_KIND = 9


class websocket(IOBase):
    def __init__(self, sock, blocking=False):
        if not hasattr(sock, "readinto"):
            raise OSError("stream operation not supported")
        self._sock = sock
        self._blocks = blocking is True
        self._sends = _TEXT
        self._kind = 0
        # The head of a frame: first its two bytes, then length and mask as those say. Behind it, what is left of the content.
        self._head = bytearray(6)
        self._have = 0
        self._need = 2
        self._is_extended = False
        self._control = 0
        self._left = -1
        self._mask = bytearray(4)
        self._is_masked = False
        self._at = 0
        self._short = bytearray(2)
        self._long = bytearray(4)

    # Reads the head. What the stream said if it is not complete, else True.
    def _read_head(self):
        head = self._head
        while self._left < 0:
            if self._have < self._need:
                got = self._sock.readinto(memoryview(head)[self._have : self._need])
                if not got:
                    return got
                self._have += got
            elif not self._is_extended:
                kind = head[0] & 15
                self._control = kind if kind >= _CLOSE else 0
                if 0 < kind < _CLOSE:
                    self._kind = kind
                length = head[1] & 127
                if length == 127:
                    # Longer than anything here: where the next frame starts is not to be found again.
                    self._sock.close()
                    raise OSError(EIO)
                self._length = length
                self._is_masked = head[1] >= 128
                self._need = (2 if length == 126 else 0) + (4 if self._is_masked else 0)
                self._have = 0
                self._is_extended = True
            else:
                if self._length == 126:
                    self._length = head[0] << 8 | head[1]
                if self._is_masked:
                    self._mask[:] = head[self._need - 4 : self._need]
                self._left = self._length
                self._at = 0
        return True

    def _end_frame(self):
        self._left = -1
        self._have = 0
        self._need = 2
        self._is_extended = False

    def readinto(self, buf, size=-1):
        room = memoryview(buf)
        if 0 <= size < len(room):
            room = room[:size]
        while True:
            got = self._read_head()
            if got is not True:
                return got
            if self._control:
                if self._left:
                    got = self._sock.readinto(bytearray(min(self._left, 64)))
                    if not got:
                        return got
                    self._left -= got
                if self._left == 0:
                    self._end_frame()
                    if self._control == _CLOSE:
                        self._send(_CLOSED, b"")
                        return 0
                continue
            if self._left == 0:
                self._end_frame()
                continue
            if not len(room):
                return 0
            part = room if len(room) <= self._left else room[: self._left]
            got = self._sock.readinto(part)
            if not got:
                return got
            if self._is_masked:
                mask, at = self._mask, self._at
                for index in range(got):
                    part[index] ^= mask[at & 3]
                    at += 1
                self._at = at & 3
            self._left -= got
            if self._left == 0:
                self._end_frame()
            return got

    def read(self, size=-1):
        whole = b""
        while size < 0 or len(whole) < size:
            piece = bytearray(256 if size < 0 else min(256, size - len(whole)))
            got = self.readinto(piece)
            if got is None and not whole:
                return None
            if not got:
                break
            whole += memoryview(piece)[:got]
        return whole

    def readline(self, size=-1):
        line = b""
        byte = bytearray(1)
        while size < 0 or len(line) < size:
            got = self.readinto(byte)
            if got is None and not line:
                return None
            if not got:
                break
            line += byte
            if byte == b"\n":
                break
        return line

    def write(self, data):
        if isinstance(data, str):
            data = data.encode()
        size = len(data)
        if size > 0xFFFF:
            raise OSError(ENOBUFS)
        if size < 126:
            head = self._short
            head[1] = size
        else:
            head = self._long
            head[1] = 126
            head[2] = size >> 8
            head[3] = size & 255
        head[0] = 0x80 | self._sends
        self._send(head, data)
        return size

    def _send(self, head, data):
        sock = self._sock
        if self._blocks:
            sock.setblocking(True)
        try:
            for part in (head, data):
                sent = sock.write(part)
                while sent is not None and sent < len(part):
                    part = memoryview(part)[sent:]
                    sent = sock.write(part)
                if sent is None:
                    raise OSError(EAGAIN)
        finally:
            if self._blocks:
                sock.setblocking(False)

    def ioctl(self, request, argument=0):
        if request == _GET_KIND:
            return self._kind
        if request == _SET_KIND:
            before, self._sends = self._sends, argument & 15
            return before
        if request == _CLOSE_STREAM:
            self.close()
            return 0
        raise OSError(EINVAL)

    def close(self):
        self._sock.close()
