# Del and globals.
def log(*a):
    print(*a)

def dg():
    global newg
    newg = 1
    del newg
    x = 1
    del x
    try: x
    except NameError as e: log(type(e))
    d = {1: 2, 3: 4}
    del d[1]
    class O: pass
    o = O(); o.a = 1; o.b = 2
    del o.a, o.b
    return d, hasattr(o, "a")
log(dg())
for i in range(3):
    if i == 1:
        del i
        continue
    log(i)
