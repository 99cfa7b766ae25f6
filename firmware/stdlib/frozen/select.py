# select: waits for streams. A stream says by `ioctl(3, events)` which of the events there are.

from time import ticks_ms, ticks_diff, sleep_ms

POLLIN = 1
POLLOUT = 4
POLLERR = 8
POLLHUP = 16

# What a stream says that is closed; told without having been asked for.
_NOT_OPEN = 32

_POLL = 3
_ONESHOT = 1


class _Poll:
    def __init__(self):
        # By id: stream, events asked for, events that came.
        self.streams = {}
        self.ready = []

    def register(self, stream, events=POLLIN | POLLOUT):
        if not hasattr(stream, "ioctl"):
            raise OSError("stream operation not supported")
        entry = self.streams.get(id(stream))
        if entry is None:
            self.streams[id(stream)] = [stream, events]
        else:
            entry[1] = events

    def unregister(self, stream):
        self.streams.pop(id(stream), None)

    def modify(self, stream, events):
        entry = self.streams.get(id(stream))
        if entry is None:
            raise OSError(2)
        entry[1] = events

    def _wait(self, timeout, flags):
        start = ticks_ms()
        ready = []
        while True:
            for entry in self.streams.values():
                events = entry[0].ioctl(_POLL, entry[1])
                if events < 0:
                    raise OSError(-events)
                events &= entry[1] | POLLERR | POLLHUP | _NOT_OPEN
                if events:
                    ready.append((entry[0], events))
                    if flags & _ONESHOT:
                        entry[1] = 0
            if ready or (0 <= timeout <= ticks_diff(ticks_ms(), start)):
                return ready
            if self.streams or timeout < 0:
                sleep_ms(1)
            else:
                sleep_ms(timeout)

    def poll(self, timeout=-1, flags=0):
        return self._wait(-1 if timeout is None else timeout, flags)

    def ipoll(self, timeout=-1, flags=0):
        return iter(self._wait(-1 if timeout is None else timeout, flags))


def poll():
    return _Poll()


def select(rlist, wlist, xlist, timeout=None):
    p = _Poll()
    for events, streams in (POLLIN, rlist), (POLLOUT, wlist), (0, xlist):
        for stream in streams:
            entry = p.streams.get(id(stream))
            p.register(stream, events | (entry[1] if entry else 0))
    ready = p.poll(-1 if timeout is None else int(timeout * 1000))
    return (
        [s for s in rlist for r, e in ready if r is s and e & ~POLLOUT],
        [s for s in wlist for r, e in ready if r is s and e & ~POLLIN],
        [s for s in xlist for r, e in ready if r is s and e & ~(POLLIN | POLLOUT)],
    )
