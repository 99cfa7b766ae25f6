# Walrus.
def log(*a):
    print(*a)

def wal(n):
    if (y := n + 1) > 3 and (z := y * 2) > 5:
        return y, z
    while (n := n - 1) > 0: pass
    l = [last := v for v in range(3)]
    return y, n, l, last
log(wal(1), wal(5))
log([t := 5, t**2], t)
def wal2():
    return (a := 1) + a, a
log(wal2())
def wal3(a):
    return a + (a := 5) + a
log(wal3(1))
print([y := 1, y + (y := 3), y])
