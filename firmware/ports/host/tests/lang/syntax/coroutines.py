# async and await without a scheduler.
class Step:
    def __init__(self, value):
        self.value = value

    def __iter__(self):
        print("step", self.value)
        got = yield self.value
        print("resumed", got)
        return self.value * 10

    __await__ = __iter__


def run(coroutine):
    send = None
    try:
        while True:
            send = coroutine.send(send)
            print("yielded", send)
    except StopIteration as e:
        print("result", e.value)


async def add(a, b):
    return await Step(a) + await Step(b)


async def outer():
    x = await add(1, 2)
    y = [await Step(3), (await Step(4), 5)]
    return x, y


run(outer())


class Manager:
    def __init__(self, name, swallow=False):
        self.name = name
        self.swallow = swallow

    async def __aenter__(self):
        print("aenter", self.name, await Step(5))
        return self.name

    async def __aexit__(self, kind, value, traceback):
        print("aexit", self.name, kind.__name__ if kind else None, await Step(6))
        return self.swallow


async def managed(how):
    for i in range(2):
        async with Manager("a") as a, Manager("b", True) as b:
            print(a, b, i)
            if how == 0:
                return "returned"
            if how == 1:
                continue
            if how == 2:
                break
            if how == 3:
                raise ValueError("swallowed")
    return "end"


for how in range(5):
    run(managed(how))


class Counter:
    def __init__(self, n):
        self.n = n

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.n == 0:
            raise StopAsyncIteration
        self.n -= 1
        return await Step(self.n), self.n


async def loops(stop):
    async for tens, ones in Counter(3):
        if ones == 1:
            continue
        print("item", tens, ones)
        if ones == stop:
            break
    else:
        print("exhausted")
    async for x in Counter(1):
        async for y in Counter(1):
            print(x, y)
    return "done"


run(loops(-1))
run(loops(2))


async def failing():
    try:
        async with Manager("c"):
            await Step(7)
            raise KeyError("k")
    except KeyError as e:
        print("caught", e)
    finally:
        print("finally", await Step(8))


run(failing())


async def thrown():
    try:
        await Step(9)
    except ValueError as e:
        print("thrown", e)
        return await Step(10)


c = thrown()
print(c.send(None))
print(c.throw(ValueError("v")))
c.close()
f = lambda: (yield 1)
print(list(f()))
