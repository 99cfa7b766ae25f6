# Sorting is stable here (as in CPython), so only results on which stable and unstable sorts agree are compared with
# MicroPython; stability is checked by the program itself.
seed = 1
def random(n):
    global seed
    seed = (seed * 1103 + 12345) & 0xffff
    return seed % n

def check(items, **how):
    key = how.get('key') or (lambda x: x)
    done = sorted(items, **how)
    pairs = list(zip(done, done[1:]))
    in_order = all(not key(b) < key(a) for a, b in pairs) if not how.get('reverse') else all(not key(a) < key(b) for a, b in pairs)
    return in_order and len(done) == len(items) and sum(1 for x in items if x in done) == len(items)

for size in (0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 100):
    ints = [random(50) - 25 for _ in range(size)]
    floats = [x * 0.5 for x in ints]
    strings = ['s%d' % x for x in ints]
    tuples = [(x % 3, x) for x in ints]
    print(size, [check(items, **how) for items in (ints, floats, strings, tuples, ints[::-1]) for how in ({}, {'reverse': True}, {'key': lambda x: str(x)}, {'key': lambda x: x, 'reverse': True})].count(True))

numbered = [(i * 7 % 5, i) for i in range(60)]
l = list(numbered)
l.sort()
print(l[:3], l[-3:])
big = list(range(2000))
big.sort(key=lambda x: x * 7919 % 2003)
print([x * 7919 % 2003 for x in big] == sorted(x * 7919 % 2003 for x in range(2000)))
print(sorted([True, 2, 1.5, -1, 0]), sorted([1 << 40, 5, -1 << 40]), sorted(['b', 'aa', 'B', '', 'é', 'z']), sorted([b'b', b'a']), sorted([[2], [1, 5], []]))
calls = []
def key(x):
    calls.append(x)
    return -x
print(sorted([2, 3, 1], key=key), sorted([]), sorted([1], key=key), sorted([1, 2], key=None))

def fails(action):
    try:
        print('no error:', action())
    except Exception as e:
        print(type(e).__name__)
def boom(x):
    if x == 3:
        raise KeyError(x)
    return x
l = [5, 3, 1]
fails(lambda: l.sort(key=boom))
print(sorted(l))
fails(lambda: [1, 'a'].sort())
fails(lambda: [1, None, 2].sort())
fails(lambda: [1].sort(1))
fails(lambda: [1].sort(what=1))
class Item:
    def __init__(self, n): self.n = n
    def __lt__(self, other):
        if self.n == 13:
            raise ZeroDivisionError
        return self.n < other.n
items = [Item(i * 37 % 41) for i in range(41)]
try:
    items.sort()
except ZeroDivisionError:
    print(sum(i.n for i in items), len(items))
items = [Item(i * 37 % 11) for i in range(11)]
items.sort()
print([i.n for i in items])
