# Chains of generators that wait for each other in `yield from`.


def leaf(name, count):
    try:
        for i in range(count):
            got = yield (name, i)
            if got is not None:
                print(name, "got", got)
        return name + " done"
    except KeyError as error:
        print(name, "caught", repr(error))
        yield "after"
        return name + " caught"
    finally:
        print(name, "finally")


def chain(depth, inner):
    if depth:
        result = yield from chain(depth - 1, inner)
        return (depth, result)
    return (yield from inner)


def drain(generator):
    while True:
        try:
            print(next(generator))
        except StopIteration as end:
            print("end", end.value)
            break


# Values, what is sent, and what is returned go through all levels.
drain(chain(3, leaf("a", 3)))
g = chain(4, leaf("b", 3))
print(next(g), g.send("hello"), g.send("again"))
drain(g)

# One delegate after the other in the same frame, in a loop.
def several(n):
    total = 0
    for i in range(n):
        total += len((yield from chain(2, leaf("s%d" % i, 2)))) + i
    return total


drain(several(3))

# Exceptions: caught inside, caught on the way, not caught.
g = chain(3, leaf("c", 3))
print(next(g), next(g))
print(g.throw(KeyError("k")))
drain(g)


def guard(inner):
    try:
        yield from inner
    except ValueError as error:
        print("guard", repr(error))
        yield from leaf("instead", 1)
        return "guarded"


def failing():
    yield 1
    yield 2
    raise ValueError("inside")


drain(chain(2, guard(chain(2, failing()))))
g = chain(2, failing())
try:
    for value in g:
        print(value)
except ValueError as error:
    print("outside", repr(error))
drain(g)

# Closing runs every finally.
g = chain(3, leaf("d", 3))
next(g), next(g)
g.close()
drain(g)


# A generator cannot be resumed while a chain that it is part of runs.
def meddler():
    yield 0
    for other in (outer, middle):
        for attempt in (next, lambda x: x.send(None), lambda x: x.throw(TypeError), lambda x: x.close()):
            try:
                attempt(other)
            except ValueError as error:
                print(repr(error))
    yield 1


inner = meddler()
middle = chain(1, inner)
outer = chain(1, middle)
drain(outer)

# Two that share a delegate, which somebody else may also use up.
shared = leaf("e", 5)
one, two = chain(1, shared), chain(2, shared)
print(next(one), next(two), next(one), next(shared), next(two))
drain(one)
drain(two)
shared = leaf("f", 3)
one = chain(2, shared)
print(next(one))
drain(shared)
drain(one)

# What is delegated to need not be a generator.
drain(chain(3, iter([1, 2])))
print(list(chain(5, range(3))), sum(chain(5, range(5))), tuple(chain(2, leaf("g", 2))))


# A tree walked by one generator for each node.
def walk(tree):
    if tree is not None:
        yield from walk(tree[0])
        yield tree[1]
        yield from walk(tree[2])


def grow(low, high):
    if low >= high:
        return None
    middle = (low + high) // 2
    return (grow(low, middle), middle, grow(middle + 1, high))


print(list(walk(grow(0, 20))))
for number in walk(grow(0, 40)):
    if number == 21:
        break
print(number)
