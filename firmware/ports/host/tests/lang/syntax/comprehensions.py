# Comprehensions and the scopes around them.
x = "module"


def inside(n):
    x = "local"
    squares = [i * i for i in range(n)]
    pairs = [(i, j) for i in range(n) if i % 2 for j in "ab" if j or i]
    nested = [[(i, j, x) for j in range(i)] for i in range(n)]
    functions = [lambda k=i: (k, i, x) for i in range(n)]
    return squares, pairs, nested, [f() for f in functions], x


print(inside(3))


class Body:
    x = "class"
    first = [c for c in x]
    later = [x for c in range(1)]
    generated = list(x for c in range(1))
    made = {c: len(c) for c in ("a", "bb")}

    def method(self):
        return [self.__class__.__name__ + x for i in range(2)], {i: self for i in ()}


print(Body.first, Body.later, Body.generated, Body.made, Body().method())

i = "untouched"
[i for i in range(3)]
{i for i in range(3)}
print(i)


def shadowing(i):
    l = [i for i in range(i)]
    return l, i


print(shadowing(3))


def generators(n):
    g = (i + n for i in range(n) if i)
    n = 100
    return list(g), sum(i for i in (j * 2 for j in range(4)))


print(generators(3))


def lazily():
    def source():
        print("source")
        return range(2)

    g = (print("item", i) for i in source())
    print("made")
    for _ in g:
        pass


lazily()
print([a + b for a, b in zip((1, 2), (3, 4))], [c for a, *b in [(1, 2, 3)] for c in b])
print([y for x in [[1, 2], [3]] for y in x], sorted({k: v for d in [{1: 2}, {3: 4}] for k, v in d.items()}))
print([1 if x else 2 for x in (0, 1)], [x if x else y for x, y in [(0, 5)]], [not x for x in ()])


def capture():
    cells = [(lambda: (a, b)) for a in range(2) for b in range(2)]
    return [f() for f in cells], [g() for g in [lambda: h for h in range(2)]]


print(capture())


def early(items):
    for x in [y for y in items if y]:
        if [z for z in range(x) if z > 1]:
            return x, [w for w in range(x)]
    return None


print(early([0, 1, 5]), early([]))
try:
    [q for q in 5]
except TypeError:
    print("TypeError")
try:
    (q for q in 5)
except TypeError:
    print("TypeError")
print(all(v for v in [1, 2]), any(v for v in [0]), max((v for v in [1, 3, 2]), key=lambda v: -v))
d = {}
print([d.setdefault(k, len(d)) for k in "aba"], d == {"a": 0, "b": 1})
