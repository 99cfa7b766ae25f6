# Generators.
def log(*a):
    print(*a)

def g1():
    try:
        x = yield 1
        log("got", x)
        yield 2
    finally:
        log("closing")
it = g1(); log(next(it)); log(it.send("s")); it.close()
def g2():
    r = yield from g3()
    log("r", r)
    return "done"
def g3():
    a = yield 1
    b = yield a
    return b
it = g2(); next(it); log(it.send("A"))
try: it.send("B")
except StopIteration as e: log(e.value)
log(list(x * y for x in range(3) for y in range(x) if y), sum(i for i in range(10)))
def g4():
    for i in range(3):
        try: yield i
        except ValueError: yield "ve"
it = g4(); log(next(it), it.throw(ValueError), next(it))
log({k: v for k, v in [("a", 1)]}, {c for c in "aab"} == {"a", "b"}, [[j for j in range(i)] for i in range(3)])
log([(i, j) for i in range(3) if i for j in "ab" if j != "b"])
