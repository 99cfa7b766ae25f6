# Lock: one task at a time, in the order in which they ask.

from . import core


class Lock:
    def __init__(self):
        # 0: free. 1: held. A task: promised to that one, which did not run yet.
        self.state = 0
        self.waiting = core.TaskQueue()

    def locked(self):
        return self.state == 1

    def release(self):
        if self.state != 1:
            raise RuntimeError("Lock not acquired")
        if self.waiting.peek():
            self.state = self.waiting.pop()
            core._task_queue.push(self.state)
        else:
            self.state = 0

    def acquire(self):
        if self.state != 0:
            self.waiting.push(core.cur_task)
            core.cur_task.data = self.waiting
            try:
                yield
            except core.CancelledError as error:
                if self.state == core.cur_task:
                    # The promise came with the cancellation: pass it on.
                    self.state = 1
                    self.release()
                raise error
        self.state = 1
        return True

    async def __aenter__(self):
        return await self.acquire()

    async def __aexit__(self, exc_type, exc, tb):
        return self.release()
