# Tuples, unpacking, named tuples.
def fails(action):
    try:
        print('no error:', action())
    except Exception as e:
        print(type(e).__name__, e)

t = (1, 2, 3)
print(t, (), (1,), t[0], t[-1], t[1:], t[:2], t[5:], len(t), bool(()), bool(t))
print(t + (4,), t * 2, 2 * t, t * -1, (1, 2) < (1, 3), () < (1,), t == (1, 2, 3), t != [1, 2, 3], 2 in t)
print(tuple('ab'), tuple([1]), tuple(), tuple(range(3)), tuple(t) is t, t.count(2), t.index(3))
print({(1, 2): 'a'}[(1, 2)], hash((1, 'a')) == hash((1, 'a')), ((1, (2,)), []))
u = t; u += (9,); print(t, u)
fails(lambda: t[3])
fails(lambda: t['a'])
fails(lambda: t.index(7))
fails(lambda: t + [1])
fails(lambda: tuple(1))
fails(lambda: tuple(1, 2))
fails(lambda: hash((1, [])))
def assign(): t[0] = 1
fails(assign)
def delete(): del t[0]
fails(delete)

a, b = 1, 2
a, b = b, a
(c, d), [e, f] = (1, 2), 'xy'
print(a, b, c, d, e, f)
first, *rest = range(5); print(first, rest)
*rest, last = 'abc'; print(rest, last)
x, *y, z = (1, 2); print(x, y, z)
x, *y, z = [1, 2, 3, 4]; print(x, y, z)
[x, (y, z)] = {1: 0}, {2: 0, 3: 0}; print(x, y == 2 or y == 3)
def two(seq): a, b = seq
def more(seq): a, *b, c = seq
for bad in ([], [1], [1, 2, 3], iter([1]), iter([1, 2, 3]), 'abc', 5, {1: 1}):
    fails(lambda: two(bad))
fails(lambda: more([1]))
fails(lambda: more(iter([])))

from collections import namedtuple
P = namedtuple('P', 'x y')
p = P(1, 2)
print(p, p.x, p.y, p[0], p[-1], len(p), p == (1, 2), (1, 2) == p, p + (3,), p * 2, p[:1], list(p), tuple(p))
print(P(y=5, x=4), P(1, y=2), P, type(p) is P, isinstance(p, tuple), {p: 1}[(1, 2)], 2 in p, P.__name__)
x, y = p; print(x, y, '%d-%d' % p, max(p), sorted([P(2, 1), P(1, 9)]))
print(namedtuple('Q', ['a', 'b'])(1, 2), namedtuple('E', '')(), str(p), [p])
fails(lambda: P(1))
fails(lambda: P(1, 2, 3))
fails(lambda: P(1, z=2))
fails(lambda: P(1, x=2))
fails(lambda: p.z)
fails(lambda: namedtuple('M', 5))
def set_field(): p.x = 3
fails(set_field)
class V(namedtuple('V', 'a b')):
    def total(self):
        return self.a + self.b
v = V(3, 4)
v.extra = 'e'
print(v, v.total(), v.a, v[1], v == (3, 4), v.extra, len(v))
