# Dicts, ordered ones, views. Order is only looked at where MicroPython keeps it.
from collections import OrderedDict

def fails(action):
    try:
        print('no error:', action())
    except Exception as e:
        print(type(e).__name__, e)

def show(d):
    print(sorted(d.items(), key=lambda pair: str(pair)))

d = {'a': 1, 2: 'b'}
d[(1, 2)] = None; d[1.5] = 'f'; d[True] = 't'; show(d)
print(d[1], d['a'], 'a' in d, 3 in d, 1.0 in d, len(d), d.get('z'), d.get('z', 0), d.get('a', 0))
del d['a']; print('a' in d, len(d), d.pop(2), d.pop('no', 'default'), d.setdefault('n', []), d.setdefault('n', 1))
d['n'].append(5); print(d['n'])
print({1: 1} == {1: 1.0}, {1: 2} == {1: 3}, {1: 1} != {2: 1}, {} == [], bool({}), bool({1: 1}))
show(dict(a=1, b=2)); show(dict([(1, 2), [3, 4]])); show(dict({1: 2}, c=3)); show(dict(zip('ab', range(2))))
e = {1: 1}; e.update({2: 2}); e.update([(3, 3)]); e.update(k=4); e.update({2: 'two'}, z=0); show(e)
show({1: 1} | {2: 2}); e |= {9: 9}; show(e)
f = e.copy(); f.clear(); print(f, len(e)); show(dict.fromkeys('ab')); show(dict.fromkeys([1, 2], 0))
print({}.items(), {1: 2}.items(), {1: 2}.keys(), {1: 2}.values(), list({1: 2}), 1 in {1: 2}.keys(), 2 in {1: 2}.values(), (1, 2) in {1: 2}.items())
print({1: {2: [3]}}, {'k': None}, {(): ()})
k = {}
while True:
    try: k.popitem()
    except KeyError as error:
        print(error); break
fails(lambda: {}['x'])
fails(lambda: {1: 1}.pop(2))
fails(lambda: {[]: 1})
fails(lambda: {1: 1}[{}])
fails(lambda: dict(1))
fails(lambda: dict([1]))
fails(lambda: dict([(1, 2, 3)]))
fails(lambda: dict([(1,)]))
fails(lambda: {} < {})
fails(lambda: {} + {})
fails(lambda: {1: 1}.nothing)
def delete(): del {}[1]
fails(delete)

o = OrderedDict([('x', 1), ('a', 2)])
o['b'] = 3; o['x'] = 9; print(o, list(o), list(o.values()), o.popitem(), o)
print(OrderedDict([(1, 1), (2, 2)]) == OrderedDict([(2, 2), (1, 1)]), OrderedDict([(1, 1)]) != {1: 2}, OrderedDict(), type(o))
del o['x']; o['x'] = 0; print(o, len(o))
big = OrderedDict()
for i in range(1000):
    big[i * 7919 % 1000] = i
for i in range(0, 1000, 3):
    del big[i]
print(len(big), list(big)[:10], sum(big.values()), [big[i] for i in (1, 500, 998)])

# Many keys of one kind, found again; half of them deleted and put back.
for make in (lambda i: i * 7, lambda i: 'key%d' % i, lambda i: (i, -i), lambda i: i * 1.5, lambda i: i << 40):
    table = {}
    for i in range(700):
        table[make(i)] = i
    for i in range(0, 700, 2):
        del table[make(i)]
    for i in range(0, 700, 4):
        table[make(i)] = -i
    print(len(table), sum(table.values()), all(table[make(i)] == i for i in range(1, 700, 2)), make(2) in table, make(4) in table)

# Keys that are equal to others, and unfriendly ones.
class Key:
    def __init__(self, n): self.n = n
    def __hash__(self): return self.n % 3
    def __eq__(self, other): return isinstance(other, Key) and self.n == other.n
table = {Key(i % 10): i for i in range(100)}
print(len(table), table[Key(3)], Key(10) in table)
class Bad:
    def __hash__(self): return 1
    def __eq__(self, other): raise ValueError('bad')
table = {Bad(): 1}
fails(lambda: table.get(1))
class NoHash:
    def __hash__(self): raise ValueError('no')
fails(lambda: {NoHash(): 1})

class Sub(dict):
    def double(self): return {k: v * 2 for k, v in self.items()}
s = Sub(a=1); s['b'] = 2
show(s); show(s.double()); print(len(s), 'a' in s, s == {'a': 1, 'b': 2}, s.get('b'))
