# Calls.
def log(*a):
    print(*a)

def kw(*a, **k): return a, sorted(k.items())
log(kw(*[1, 2], *(3,), 4, x=1, **{"y": 2}, **{"z": 3}))
try: kw(**{"a": 1}, **{"a": 2})
except TypeError as e: log("dup")
try: kw(a=1, **{"a": 2})
except TypeError as e: log("dup2")
def df(a, b=[], *, c=1, d): return a, b, c, d
log(df(1, d=4), df(1, 2, c=3, d=4))
try: df(1)
except TypeError as e: log("TypeError")
log((lambda *a, k=2, **kk: (a, k, kk))(1, 2, k=3, z=4))
log("a-b-c".split("-", 1)[1].replace("b", "x").upper())
