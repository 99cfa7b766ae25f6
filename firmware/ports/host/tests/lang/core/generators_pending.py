# pend_throw: raised when the generator goes on; None takes it back; the one before is returned.
def count():
    n = 0
    while True:
        try:
            yield n
        except KeyError as error:
            print("caught", error)
        n += 1


g = count()
print(next(g), g.pend_throw(KeyError("a")))
print(next(g))
print(repr(g.pend_throw(KeyError("b"))), repr(g.pend_throw(None)), next(g))
g = count()
g.pend_throw(OSError(5))
try:
    next(g)
except OSError as error:
    print("before the start", error.errno)
try:
    next(g)
except StopIteration:
    print("ended")


# Delegation: the inner generator gets it.
def outer():
    result = yield from inner()
    print("inner gave", result)
    yield "last"


def inner():
    try:
        yield 1
    except ValueError:
        return "value"


g = outer()
print(next(g))
g.pend_throw(ValueError)
print(next(g))

# In a for loop.
g = count()
seen = []
for n in g:
    seen.append(n)
    if n == 2:
        g.pend_throw(IndexError("out"))
        try:
            for n in g:
                seen.append(n)
        except IndexError as error:
            print(seen, error)
        break


# What is no exception is thrown as TypeError where nobody wants it.
class Taker:
    def __iter__(self):
        return self

    def __next__(self):
        return "next"

    def throw(self, what):
        return ("thrown", what)


def delegate(to):
    yield from to


g = delegate(Taker())
print(next(g), g.throw(7), g.throw(ValueError))
g = delegate([1, 2])
print(next(g))
try:
    g.throw(7)
except TypeError as error:
    print(error)
