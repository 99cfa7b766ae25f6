# Context managers, left in every way.
def log(*a):
    print(*a)

class CM:
    def __init__(self, name, swallow=False):
        self.name = name; self.swallow = swallow
    def __enter__(self):
        log("enter", self.name)
        return self
    def __exit__(self, t, v, tb):
        log("exit", self.name, t.__name__ if t else None, v, tb)
        return self.swallow

def w1(n):
    for i in range(3):
        with CM("a") as a, CM("b", True) as b:
            if n == 0: return a.name
            if n == 1: break
            if n == 2: continue
            if n == 3: raise ValueError(i)
            log(a.name, b.name)
    return "w"
for n in range(5): log(n, w1(n))

def w2():
    try:
        with CM("x"):
            with CM("y"):
                1/0
    except ZeroDivisionError:
        log("caught")
w2()

class Bad:
    def __enter__(self): return 1
    def __exit__(self, *a): raise KeyError("exit")
def w3():
    try:
        with Bad():
            return 5
    except KeyError as e:
        log("key", e)
    return 6
log(w3())
def w4():
    for i in range(2):
        try:
            with Bad(): continue
        except KeyError: log("k", i)
w4()
def w5():
    with CM("p") as (q): pass
    with CM("1"):
        try:
            return "in"
        finally:
            log("f")
log(w5())
