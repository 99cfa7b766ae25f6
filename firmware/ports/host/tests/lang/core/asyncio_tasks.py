# Tasks, events, locks, gathering, time limits.
try:
    import asyncio
except ImportError:
    print("SKIP")
    raise SystemExit


async def work(name, count, pause):
    for i in range(count):
        print(name, i)
        await asyncio.sleep_ms(pause)
    return name


async def fail():
    raise ValueError("failed")


async def main():
    a = asyncio.create_task(work("a", 3, 20))
    b = asyncio.create_task(work("b", 2, 35))
    print(await a, await b, a.done())
    print(await asyncio.gather(work("c", 1, 5), work("d", 2, 8)))
    print([repr(r) for r in await asyncio.gather(work("e", 1, 1), fail(), return_exceptions=True)])
    try:
        await asyncio.wait_for(work("slow", 9, 50), 0.02)
    except asyncio.TimeoutError:
        print("timeout")
    print(await asyncio.wait_for(work("fast", 1, 1), 1))
    task = asyncio.create_task(work("cancelled", 9, 50))
    await asyncio.sleep_ms(5)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("was cancelled")
    event = asyncio.Event()

    async def waiter():
        await event.wait()
        print("event")

    tasks = [asyncio.create_task(waiter()) for _ in range(2)]
    await asyncio.sleep_ms(1)
    event.set()
    await asyncio.gather(*tasks)
    lock = asyncio.Lock()

    async def holder(name):
        async with lock:
            print("locked by", name)
            await asyncio.sleep_ms(2)

    await asyncio.gather(holder(1), holder(2))


asyncio.run(main())
