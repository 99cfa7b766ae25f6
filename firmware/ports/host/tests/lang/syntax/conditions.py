# Comparisons and booleans.
def log(*a):
    print(*a)

def cmp(a, b, c): return a < b < c, a < b > c, not a < b, a == b != c, a in [b] in [[c]], 1 < 2 < 3 < 4 > 3
log(cmp(1, 2, 3), cmp(3, 2, 1))
def boo(a, b, c): return a and b or c, a or b and c, not (a or b), (a and b) is c, a if b else c
for v in (0, 1): log(boo(v, 2, 0), boo(0, v, 3), boo([], {}, v))
def cond(a, b):
    if not (a and not b) or a > b: return 1
    elif a is not None and b is None: return 2
    return 3
log(cond(1, 0), cond(0, 1), cond(1, 1))
n = 0
while n < 5 and not n == 3: n += 1
log(n)
