# Unpacking.
def log(*a):
    print(*a)

a, (b, *c), d = 1, (2, 3, 4), 5
log(a, b, c, d)
*a, b = "xyz"; log(a, b)
a, *b = [1]; log(a, b)
[a, b] = b, a = 7, 8; log(a, b)
a = b = []; a.append(1); log(b)
a, b, c = b, a, a; log(a, b, c)
def u(p):
    i = 0
    i, p[i] = 1, 2
    q = [0, 0]
    q[0], i, q[i] = 5, 0, 6
    a, b = 1, 2
    a, b = b, a + b
    a, b = b, a
    return i, p, q, a, b
log(u([0, 0, 0]))
def u2():
    for i, (j, k) in enumerate([(1, 2), (3, 4)]): log(i, j, k)
    for x[0] in range(2): pass
x = [9]; u2(); log(x)
try:
    a, b = 1, 2, 3
except ValueError as e: log(e)
try:
    a, b, *c = 1,
except ValueError as e: log(e)
