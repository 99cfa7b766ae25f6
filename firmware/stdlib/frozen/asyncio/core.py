# The loop, its tasks and the queue they wait in.
#
# A task is in exactly one queue while it does not run: the loop's, ordered by due time, or the queue of what it waits for.
# `Task.data` says which: None for the loop's, an object with `remove` for another one, an exception (or its class) to be
# raised in the task when its turn comes. After the end `data` is how it ended.

from time import ticks_ms as ticks, ticks_diff, ticks_add, sleep_ms as sleep_ms_blocking
import sys, select


class CancelledError(BaseException):
    pass


class TimeoutError(Exception):
    pass


# What the exception handler gets.
_context = {"message": "Task exception wasn't retrieved", "exception": None, "future": None}


class TaskQueue:
    # Tasks by due time, chained, so that waiting takes no memory; equal times keep the order in which they came.

    def __init__(self):
        self.next = None

    def peek(self):
        return self.next

    def push(self, task, due=None):
        task.data = None
        if due is None:
            due = ticks()
        task.ph_key = due
        before = self
        while True:
            after = before.next
            if after is None or ticks_diff(due, after.ph_key) < 0:
                break
            before = after
        task.next = after
        before.next = task

    def pop(self):
        task = self.next
        self.next = task.next
        task.next = None
        return task

    def remove(self, task):
        before = self
        while before.next is not task:
            before = before.next
        before.next = task.next
        task.next = None


class Task:
    def __init__(self, coro, globals=None):
        self.coro = coro
        self.data = None
        # True: it runs and nobody waits for it. A TaskQueue: of those who wait. None: ended, nobody asked yet.
        # False: ended, and somebody knows.
        self.state = True
        self.ph_key = 0
        self.next = None

    def done(self):
        return not self.state

    def __iter__(self):
        state = self.state
        if state is True:
            self.state = TaskQueue()
        elif not state:
            self.state = False
        elif type(state) is not TaskQueue:
            raise RuntimeError("can't wait")
        return self

    def __next__(self):
        if self.state:
            # The running task waits here for the end of this one.
            self.state.push(cur_task)
            cur_task.data = self
        elif self.data is None:
            raise StopIteration
        else:
            raise self.data

    def remove(self, task):
        self.state.remove(task)

    def cancel(self):
        if not self.state:
            return False
        if self is cur_task:
            raise RuntimeError("can't cancel self")
        task = self
        while isinstance(task.data, Task):
            task = task.data
        if hasattr(task.data, "remove"):
            task.data.remove(task)
            _task_queue.push(task)
        elif ticks_diff(task.ph_key, ticks()) > 0:
            _task_queue.remove(task)
            _task_queue.push(task)
        task.data = CancelledError
        return True


class IOQueue:
    # Streams that tasks wait for: by id the stream, its reading and its writing task.

    def __init__(self):
        self.poller = select.poll()
        self.map = {}

    def _wait(self, stream, index):
        entry = self.map.get(id(stream))
        if entry is None:
            entry = [stream, None, None]
            self.map[id(stream)] = entry
        else:
            assert entry[index] is None
        entry[index] = cur_task
        self._watch(entry)
        cur_task.data = self

    def _watch(self, entry):
        flags = (select.POLLIN if entry[1] else 0) | (select.POLLOUT if entry[2] else 0)
        if flags:
            self.poller.register(entry[0], flags)
        else:
            self.poller.unregister(entry[0])
            del self.map[id(entry[0])]

    def queue_read(self, stream):
        self._wait(stream, 1)

    def queue_write(self, stream):
        self._wait(stream, 2)

    def remove(self, task):
        for entry in list(self.map.values()):
            if task is entry[1] or task is entry[2]:
                if task is entry[1]:
                    entry[1] = None
                if task is entry[2]:
                    entry[2] = None
                self._watch(entry)

    def wait_io_event(self, delay):
        for stream, events in self.poller.ipoll(delay):
            entry = self.map[id(stream)]
            # An error or a hang-up wakes both.
            if events & ~select.POLLOUT and entry[1] is not None:
                _task_queue.push(entry[1])
                entry[1] = None
            if events & ~select.POLLIN and entry[2] is not None:
                _task_queue.push(entry[2])
                entry[2] = None
            self._watch(entry)


class SingletonGenerator:
    # What `sleep_ms` gives: one object for all, because a task awaits it at once.

    def __init__(self):
        self.state = None
        self.exc = StopIteration()

    def __iter__(self):
        return self

    def __next__(self):
        due = self.state
        if due is not None:
            self.state = None
            _task_queue.push(cur_task, due)
            return None
        self.exc.__traceback__ = None
        raise self.exc


_sleeper = SingletonGenerator()


def sleep_ms(t):
    assert _sleeper.state is None
    _sleeper.state = ticks_add(ticks(), max(0, t))
    return _sleeper


def sleep(t):
    return sleep_ms(int(t * 1000))


def _coroutine(what):
    if not hasattr(what, "send"):
        raise TypeError("coroutine expected")
    return what


def _as_task(awaitable):
    return awaitable if isinstance(awaitable, Task) else create_task(awaitable)


def create_task(coro):
    task = Task(_coroutine(coro), globals())
    _task_queue.push(task)
    return task


def _next_task(main_task):
    # Waits for streams until a task is due. None: nothing will ever happen.
    while True:
        task = _task_queue.peek()
        delay = -1
        if task:
            delay = max(0, ticks_diff(task.ph_key, ticks()))
        elif not _io_queue.map:
            if main_task is None or not main_task.state:
                return None
            # A scheduled call may wake the main task.
            delay = 1
        if _io_queue.map:
            _io_queue.wait_io_event(delay)
        elif delay:
            sleep_ms_blocking(delay)
        task = _task_queue.peek()
        if task and ticks_diff(task.ph_key, ticks()) <= 0:
            return _task_queue.pop()


def _ended(task, end):
    # Wakes who waits for the task.
    state = task.state
    if state is True:
        task.state = None
        if not isinstance(end, StopIteration) and not isinstance(end, CancelledError):
            # It is reported when it is sure that nobody will wait for it: the next time it comes up.
            _task_queue.push(task)
    elif callable(state):
        task.state = False
        state(task, end)
    elif state:
        task.state = False
        while state.peek():
            _task_queue.push(state.pop())
    task.data = end


def run_until_complete(main_task=None):
    global cur_task
    while True:
        task = _next_task(main_task)
        if task is None:
            cur_task = None
            return
        cur_task = task
        try:
            failure = task.data
            if not task.state:
                # An ended task whose exception nobody took.
                task.data = failure
                if failure is not None and task.state is None:
                    _context["exception"] = failure
                    _context["future"] = task
                    Loop.call_exception_handler(_context)
                continue
            task.data = None
            if failure:
                task.coro.throw(failure)
            else:
                task.coro.send(None)
        except Loop._ends as end:
            assert task.data is None
            if task is main_task and task.state is True:
                # Whoever runs the loop gets the end.
                task.state = False
                task.data = end
            else:
                _ended(task, end)
            if task is main_task:
                cur_task = None
                if isinstance(end, StopIteration):
                    return end.value
                raise end


def run(coro):
    return run_until_complete(create_task(coro))


class Loop:
    _exc_handler = None
    _ends = (CancelledError, Exception)
    _stopper = None

    def create_task(coro):
        return create_task(coro)

    def run_forever():
        Loop._stopper = Task(Loop._stop(), globals())
        run_until_complete(Loop._stopper)

    async def _stop():
        Loop._stopper = None

    def run_until_complete(awaitable):
        return run_until_complete(_as_task(awaitable))

    def stop():
        if Loop._stopper is not None:
            _task_queue.push(Loop._stopper)
            # Stopping once is enough.
            Loop._stopper = None

    def close():
        pass

    def set_exception_handler(handler):
        Loop._exc_handler = handler

    def get_exception_handler():
        return Loop._exc_handler

    def default_exception_handler(loop, context):
        print(context["message"], file=sys.stderr)
        print("future:", context["future"], "coro=", context["future"].coro, file=sys.stderr)
        sys.print_exception(context["exception"], sys.stderr)

    def call_exception_handler(context):
        (Loop._exc_handler or Loop.default_exception_handler)(Loop, context)


def get_event_loop(runq_len=0, waitq_len=0):
    return Loop


def current_task():
    if cur_task is None:
        raise RuntimeError("no running event loop")
    return cur_task


def new_event_loop():
    global _task_queue, _io_queue, cur_task
    _task_queue = TaskQueue()
    _io_queue = IOQueue()
    cur_task = None
    return Loop


new_event_loop()
