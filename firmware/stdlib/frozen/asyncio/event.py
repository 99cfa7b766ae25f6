# Event and ThreadSafeFlag: tasks wait until something is set.

from . import core
import io


class Event:
    def __init__(self):
        self.state = False
        self.waiting = core.TaskQueue()

    def is_set(self):
        return self.state

    def set(self):
        # Everybody who waits goes on, in the order in which they came.
        while self.waiting.peek():
            core._task_queue.push(self.waiting.pop())
        self.state = True

    def clear(self):
        self.state = False

    # A generator, so that a set event costs no turn.
    def wait(self):
        if not self.state:
            self.waiting.push(core.cur_task)
            core.cur_task.data = self.waiting
            yield
        return True


class ThreadSafeFlag(io.IOBase):
    # Set from interrupts and other threads; the loop sees it as a stream that becomes readable. For one task.

    def __init__(self):
        self.state = 0

    def ioctl(self, request, flags):
        return self.state * flags if request == 3 else -1

    def set(self):
        self.state = 1

    def clear(self):
        self.state = 0

    async def wait(self):
        if not self.state:
            yield core._io_queue.queue_read(self)
        self.state = 0
