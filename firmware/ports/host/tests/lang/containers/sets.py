# Sets and frozen sets.
def fails(action):
    try:
        print('no error:', action())
    except Exception as e:
        print(type(e).__name__, e)

def show(*sets):
    print(*[(type(s).__name__, sorted(s)) if isinstance(s, (set, frozenset)) else s for s in sets])

a, b = {1, 2, 3}, {3, 4}
f = frozenset([3, 4])
show(a | b, a & b, a - b, a ^ b, a | f, f | a, set(f & a), f - a, f ^ a)
show(a.union([9]), a.intersection((1, 9)), a.difference([1], [2]), a.symmetric_difference('1'[:0]), a.copy(), f.copy())
print(a < b, {1} < a, {1} <= {1}, a > {1}, a >= a, a == {3, 2, 1}, a != b, f == b, a == [1], a.issubset(range(5)), a.issuperset([1]), a.isdisjoint([7]))
c = a.copy(); c |= {7}; show(c); c &= {7, 1}; show(c); c ^= {1, 5}; show(c); c -= {5}; show(c)
g = f; g |= {8}; show(f, g, g is f)
c.add(7); c.add(8); c.discard(100); c.discard(7); c.remove(8); show(c)
c.update([1, 2], 'ab'[:0], {3}); c.difference_update([1], {2}); c.intersection_update([3, 4]); c.symmetric_difference_update([5]); show(c)
c.clear(); print(c, len(c), bool(c), set(), frozenset(), {1}, frozenset([1]), 1 in a, 9 in a)
print(len({1, 1.0, True}), len(set('hello')), {(1, 2)}, set({1: 2}), sorted({x % 3 for x in range(10)}))
print({frozenset([1, 2]): 'x'}[frozenset([2, 1])], hash(frozenset('ab')) == hash(frozenset('ba')), frozenset(['a']) in {frozenset(['a'])})
fails(lambda: set().pop())
fails(lambda: {1}.remove(2))
fails(lambda: {[]})
fails(lambda: hash(set()))
fails(lambda: {1} | [1])
fails(lambda: {1} < [1])
fails(lambda: set(1))
fails(lambda: set(1, 2))
fails(lambda: f.add(1))
s = set(range(100))
total = 0
while s:
    total += s.pop()
print(total)
big = set()
for i in range(3000):
    big.add(i * i % 1009)
print(len(big), sum(big))
for i in range(0, 1009, 2):
    big.discard(i)
print(len(big), sum(big), 1 in big)
