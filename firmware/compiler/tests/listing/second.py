def outer(a):
    x = 1
    y = [lambda: i + x for i in range(a)]
    def inner():
        nonlocal x
        x += 1
        return a
    return inner

def g(n):
    for i, (a, *b) in enumerate(n):
        if i > 3 and a or not b:
            continue
        elif a is None:
            break
        else:
            yield i
    else:
        yield from b
    return n if n else 3

async def co(x):
    async with x as y, y.z:
        return await x
    async for a, b in x:
        if a: continue
        if b: break
        print(a)
    else:
        pass

def t(f):
    while True:
        try:
            x = f()
        except (ValueError, TypeError) as e:
            print(e, x)
            if e: return e
            continue
        except KeyError:
            raise
        else:
            break
        finally:
            del f
    with f as a, open("x") as b:
        for i in a:
            if i: break
            with b: return i
    return x

def un(a, b):
    a, b = b, a
    a, b = b, a + b
    a[b], a.c = 1, 2
    a = b = c = 1
    a += c
    a[b] += 1
    a[0] -= 5
    a.b.c *= d
    x = a and b or c
    y = a < b < c
    if a < b <= c != d: pass
    z = f"{a!r}{b:{c}}{x=}"
    del a[0], a.b, x
    global gl
    gl = x
    assert a, b
    f(*a, **b)
    f(1, *a, k=2, **b, z=3)
    s = {1, 2}; d = {3: 4}
