# Closures.
def log(*a):
    print(*a)

def c1():
    fs = []
    for i in range(3):
        def g(j=i): return i, j
        fs.append(g)
    return [f() for f in fs]
log(c1())
def c2():
    return [lambda: i for i in range(3)]
log([f() for f in c2()])
def c3():
    x = 0
    def inc():
        nonlocal x
        x += 1
        return x
    def get(): return x
    inc(); inc()
    return get(), x
log(c3())
def c4(a, *b, c=3, **d):
    def h(): return a, b, c, d
    return h
log(c4(1)(), c4(1, 2, 3, c=4, e=5)())
def c5():
    def a():
        def b():
            def c(): return z
            return c
        return b
    z = 10
    r = a()()()
    z = 11
    return r, a()()()
log(c5())
def c6():
    try:
        def f(): return q
        f()
    except NameError as e:
        log("free unbound", e)
    q = 1
    del q
    try:
        f()
    except NameError as e: log("del free")
    try: q
    except NameError: log("local unbound")
c6()
x = "global"
def c7():
    x = "local"
    class K:
        y = x
        def m(self): return x
        z = [x for _ in range(1)]
    return K.y, K().m(), K.z
log(c7())
class K2:
    x = "class"
    y = x
    def m(self): return x
    z = [x for x in (1, 2)]
    w = (lambda: x)()
log(K2.y, K2().m(), K2.z, K2.w)
