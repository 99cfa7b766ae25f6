# gather and wait_for.

from . import core


async def _limited(waiter, awaitable):
    # Runs next to the one that waits, and tells it the end by cancelling it with the end as data.
    result = None
    try:
        result = await awaitable
        done = True
    except BaseException as error:
        done = error
    if waiter.data is None:
        # The waiter itself was not cancelled meanwhile.
        if waiter.cancel():
            waiter.data = _Finished(done, result)


class _Finished(core.CancelledError):
    pass


async def wait_for(awaitable, timeout, sleep=core.sleep):
    awaitable = core._as_task(awaitable)
    if timeout is None:
        return await awaitable
    runner = core.create_task(_limited(core.cur_task, awaitable))
    try:
        await sleep(timeout)
    except core.CancelledError as error:
        if isinstance(error, _Finished):
            done, result = error.args
            if done is True:
                return result
            raise done
        # Cancelled from outside: what is waited for ends too.
        runner.cancel()
        raise error
    # Time is up.
    runner.cancel()
    await runner
    raise core.TimeoutError


def wait_for_ms(awaitable, timeout):
    return wait_for(awaitable, timeout, core.sleep_ms)


class _Gathering:
    # What the gathering task waits in; cancelling it takes it out.
    waits = False

    def remove(self, task):
        self.waits = False


async def gather(*aws, return_exceptions=False):
    tasks = [core._as_task(a) for a in aws]
    gatherer = core.cur_task
    gathering = _Gathering()
    left = 0
    # The first exception, if that ends the gathering.
    failed = None

    def ended(task, end):
        nonlocal left, failed
        left -= 1
        if not isinstance(end, StopIteration) and not return_exceptions and failed is None:
            failed = end
        if gathering.waits and (left == 0 or failed is not None):
            gathering.waits = False
            core._task_queue.push(gatherer)

    for task in tasks:
        if task.state is True:
            task.state = ended
            left += 1
        elif task.state:
            raise RuntimeError("can't gather")
        elif not isinstance(task.data, StopIteration) and not return_exceptions and failed is None:
            failed = task.data

    cancelled = None
    if left and failed is None:
        gathering.waits = True
        gatherer.data = gathering
        try:
            yield
        except core.CancelledError as error:
            cancelled = error
        gathering.waits = False

    # Tasks that still run belong to nobody again.
    for task in tasks:
        if task.state is ended:
            task.state = True
            if cancelled is not None:
                task.cancel()
    if cancelled is not None:
        raise cancelled
    if failed is not None:
        raise failed
    return [t.data.value if isinstance(t.data, StopIteration) else t.data for t in tasks]
