if a: b
elif c:
    d
else: e; f
while a:
    break
else:
    continue
for a, *b in c, d: pass
async def f(a: int, b: str = 1, *c, d, **e) -> g:
    async for x in y:
        async with z as w, v:
            return await x
@a
@b.c(d)
class E(F, metaclass=G):
    x: int
    y: int = 1
try:
    a
except B as c:
    raise
except (D, E):
    raise f from g
except:
    pass
else:
    h
finally:
    i
with a as (b, c), d:
    del e, f.g, h[i], (j, k)
import a, b.c as d, e.f
from . import a
from ...b.c import d as e, f
from g import *
global a, b
nonlocal_ = assert_ = 1
assert a, b
a = b, c = d = yield
a += b
a.b **= c
a[b] >>= c
def f():
    nonlocal a
    global b
    yield
    yield a, b
    x = yield from c
    return
a b
