# range, slices as objects, iterators and the builtins that take them.
def fails(action):
    try:
        print('no error:', action())
    except Exception as e:
        print(type(e).__name__, e)

for r in (range(5), range(2, 8, 3), range(5, 0, -2), range(3, 3), range(-3), range(10)[2:8:2], range(10)[::-1], range(0, 10, 3)[1:]):
    print(r, len(r), list(r), bool(r), r.start, r.stop, r.step)
print(range(10)[3], range(10)[-1], range(0, 10, 3)[2], 4 in range(0, 10, 2), 5 in range(0, 10, 2), 3 in range(5, 0, -2), 'a' in range(3), 2.0 in range(3))
fails(lambda: range(3)[3])
fails(lambda: range(1, 2, 0))
fails(lambda: range('a'))
fails(lambda: range())

class Slicer:
    def __getitem__(self, index): return index
s = Slicer()
print(s[1:2], s[:], s[::2], s[1:2, 3], s[1:2].start, s[:5].stop, s[::7].step, s[-3:].indices(10), s[::-1].indices(4), s[2:100:3].indices(9))

print(list(enumerate('ab')), list(enumerate('ab', 5)), list(enumerate('ab', start=1)), list(zip()), list(zip('abc', [1, 2])), list(zip([1], 'x', (2,))))
print(list(map(lambda x: x * x, [1, 2])), list(map(lambda a, b: a + b, [1, 2], [3, 4, 5])), list(filter(None, [0, 1, '', 'a'])), list(filter(lambda x: x > 1, range(4))))
print(list(reversed([1, 2, 3])), list(reversed('abc')), list(reversed((1,))), list(reversed(range(3))), list(reversed(b'ab')))
print(all([]), all([1, 0]), all('ab'), any([]), any([0, 1]), any(x > 2 for x in range(5)))
print(sum([1, 2, 3]), sum([1, 2], 10), sum([[1], [2]], []), sum([1.5, 2]), sum(x for x in range(1000)), sum([1 << 29] * 4))
print(max(3, 1, 2), min([3, 1, 2]), max('b', 'a'), max([1, 5, 3], key=lambda x: -x), min([], default='d'), max([(1, 'b'), (1, 'a')], key=lambda p: p[0]), max({1: 0, 5: 0}))
print(sorted([3, 1, 2]), sorted('bca'), sorted([3, 1, 2], reverse=True), sorted(['bb', 'a', 'ccc'], key=len), sorted({3: 0, 1: 0}), sorted((x for x in (2, 1))))
i = iter([1, 2]); print(next(i), next(i), next(i, 'end'), iter(i) is i)
print(next(iter({1: 2})), next(iter('x')), next(iter({5})), list(iter(range(2))))
fails(lambda: next(iter([])))
fails(lambda: next(5))
fails(lambda: iter(5))
fails(lambda: max([]))
fails(lambda: max())
fails(lambda: max(5))
fails(lambda: min('a', 1))
fails(lambda: sum(['a']))
fails(lambda: sum(5))
fails(lambda: sorted(5))
fails(lambda: sorted([1], None))
fails(lambda: sorted([1, 2], key=5))
fails(lambda: enumerate())
fails(lambda: enumerate(5))
fails(lambda: zip(5))
fails(lambda: map(1))
fails(lambda: filter(None))
fails(lambda: reversed(5))
fails(lambda: len(5))
fails(lambda: all(5))

class Count:
    def __init__(self, n): self.n = n
    def __iter__(self): return self
    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n
print(list(Count(3)), max(Count(4)), sum(Count(5)), sorted(Count(3)), list(zip(Count(2), Count(3))), 2 in Count(5), 9 in Count(5), tuple(map(str, Count(3))))
class Items:
    def __len__(self): return 3
    def __getitem__(self, i):
        if i >= 3:
            raise IndexError
        return i * 10
print(list(Items()), 20 in Items(), list(reversed(Items())), [x for x in Items()], max(Items()))
class Fails:
    def __iter__(self): return self
    def __next__(self): raise ValueError('stop')
fails(lambda: list(Fails()))
fails(lambda: [x for x in Fails()])
class Sized:
    def __len__(self): return 7
    def __reversed__(self): return iter('rev')
print(len(Sized()), bool(Sized()), list(reversed(Sized())))

# Containers that change while they are iterated over.
l = [1, 2, 3, 4]
for x in l:
    if x == 2:
        l.pop()
    print(x, end=' ')
print(l)
i = iter(l); next(i); l.clear(); print(list(i))
z = zip(l, l); l.append(1); print(list(z))
