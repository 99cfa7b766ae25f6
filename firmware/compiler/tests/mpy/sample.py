# A module that is loaded as bytecode.
import sys
from collections import namedtuple as tuple_type

Point = tuple_type("Point", ("x", "y"))
TABLE = {"a": 1, 2: (3, 4.5, b"bytes", None, True, ...), "long string constant here": 12345678901234567890}


def arithmetic(a, b=2, *rest, key=7, **more):
    total = a + b * 3 - key
    for item in rest:
        total += item
    total <<= 1
    return total, sorted(more.items()), -total, not total, ~total


def closures(start):
    count = start

    def add(by=1):
        nonlocal count
        count += by
        return count

    return add, lambda: count


class Base:
    level = 1

    def __init__(self, name):
        self.name = name

    def hello(self):
        return "hello " + self.name

    @property
    def size(self):
        return len(self.name)

    @classmethod
    def make(cls, *args, **kwargs):
        return cls(*args, **kwargs)


class Derived(Base):
    def hello(self):
        return super().hello() + "!"


def loops(n):
    found = []
    for i in range(n):
        if i == 2:
            continue
        if i == 6:
            break
        found.append(i)
    else:
        found.append("else")
    while True:
        n -= 1
        if n < 3:
            break
    return found, n


def comprehensions(n):
    return [x * x for x in range(n) if x % 2], {x: str(x) for x in range(n)}, {x // 2 for x in range(n)}, sum(x for x in range(n))


class Context:
    def __init__(self, log, swallow):
        self.log = log
        self.swallow = swallow

    def __enter__(self):
        self.log.append("enter")
        return self

    def __exit__(self, kind, value, trace):
        self.log.append(kind.__name__ if kind else None)
        return self.swallow


def handled(action):
    log = []
    try:
        try:
            log.append(action())
        except (ValueError, KeyError) as error:
            log.append(repr(error))
            raise
        else:
            log.append("else")
        finally:
            log.append("finally")
    except ValueError:
        log.append("outer")
    except:
        log.append("bare")
    return log


def finally_return(n):
    log = []
    for i in range(n):
        try:
            try:
                if i == 1:
                    continue
                if i == 3:
                    return log, i
                log.append(i)
            finally:
                log.append("inner")
        finally:
            log.append("outer")
    return log, None


def with_blocks(swallow):
    log = []
    for i in range(3):
        with Context(log, swallow) as context:
            if i == 1:
                continue
            if i == 2:
                return log, context.swallow
            with Context(log, True):
                raise ValueError(i)
    return log


def swallowed():
    log = []
    with Context(log, True):
        1 // 0
    try:
        with Context(log, False):
            1 // 0
    except ZeroDivisionError:
        log.append("seen")
    return log


def counter(n):
    received = yield "start"
    try:
        while n:
            n -= 1
            received = yield n, received
    finally:
        yield "end"


def delegating():
    result = yield from counter(2)
    return result


def unpacking():
    a, b, c = 1, 2, 3
    d, *e, f = range(5)
    (g, h), i = (6, 7), 8
    a, b = b, a
    text = "abcdef"
    return a, b, c, d, e, f, g, h, i, text[1:3], list(text)[::2], text[-1]


def starred(*args, **kwargs):
    return args, sorted(kwargs.items())


def calls():
    values = [1, 2]
    names = {"x": 3}
    return starred(0, *values, 9, y=4, **names), starred(*values), "{}-{}".format(*values), starred(**names)


def chained(x):
    return 0 < x < 10, x in (1, 2), x not in (1, 2), x is None, x is not None, (x and 5) or 6


def deleting():
    items = {"a": 1, "b": 2}
    del items["a"]
    value = 1
    del value
    try:
        value
    except NameError as error:
        return items, "NameError"


async def waits(value):
    return value


async def awaiting():
    return await waits(5)


def asserting(x):
    assert x, "must be true"
    return "fine"


def where():
    raise RuntimeError("line")
