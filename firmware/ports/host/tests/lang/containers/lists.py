# Lists: methods, slices, operators, what they complain about.
def show(*values):
    print(*values)

def fails(action):
    try:
        print('no error:', action())
    except Exception as e:
        print(type(e).__name__, e)

l = [3, 1, 2]
l.append(4); show(l, len(l), bool(l), bool([]))
l.extend((5, 6)); l.extend(x * x for x in range(3)); show(l)
l.extend(l); show(l, l.count(1), l.index(4), l.index(4, 4))
l.insert(0, 'a'); l.insert(-1, 'b'); l.insert(100, 'c'); l.insert(-100, 'd'); show(l)
show(l.pop(), l.pop(0), l.pop(-2), l)
l.remove(6); l.reverse(); show(l)
c = l.copy(); c.clear(); show(c, l != c, l == l[:], l is l[:])

n = list(range(10))
for piece in (n[2:5], n[:3], n[7:], n[-3:], n[:-7], n[::3], n[::-1], n[8:2:-2], n[5:2], n[100:], n[-100:2], n[2:100:50]):
    show(piece)
n[2:4] = ['x', 'y', 'z']; show(n)
n[0:0] = [-1]; n[len(n):] = (7, 7); show(n)
n[1:6] = []; show(n)
n[:] = n[::-1]; show(n)
n[1:3] = n; show(n)
del n[0], n[-1], n[1:3]; show(n)
del n[5:1]; show(n)

show([1, 2] + [3], [0] * 3, 2 * ['a', 'b'], [1] * -1, [] * 5)
m = [1]; k = m; m += (2,); show(m, k is m)
m *= 2; show(m)
m *= 0; show(m)
show([1, 2] < [1, 3], [1] < [1, 0], [2] > [1, 9], [] <= [], [1, 2] >= [1, 3], [[1], 2] == [[1], 2], [1] != [1.0], [1] == (1,))
show(2 in [1, 2], 5 in [1, 2], 'a' not in ['a'], [1] in [[1]])
show(list('abc'), list({1: 2}), list((1,)), list())
show([[], [[]], [1, [2, ['x']]]], [None, True, 1.5, b'b', ()])

fails(lambda: [].pop())
fails(lambda: [1].pop(1))
fails(lambda: [1].pop('a'))
fails(lambda: [1][1])
fails(lambda: [1][-2])
fails(lambda: [1]['a'])
fails(lambda: [1].remove(2))
fails(lambda: [1].index(2))
fails(lambda: [1, 2, 3].index(3, 0, 2))
fails(lambda: [1] + (1,))
fails(lambda: [1] * 'a')
fails(lambda: [1] < (1,))
fails(lambda: list(1))
fails(lambda: list(1, 2))
fails(lambda: list(a=1))
fails(lambda: [1][::0])
fails(lambda: [1].append())
fails(lambda: [1].extend(3))
fails(lambda: hash([]))
fails(lambda: [].nothing)

# An item that changes the list while it is searched.
class Clears:
    def __eq__(self, other):
        box.clear()
        return False
box = [Clears(), 1, 2, 3]
show(3 in box, box)

# A loop that makes its list longer, and one that makes it shorter.
g = [1, 2, 3]
for x in g:
    if x < 10:
        g.append(x + 5)
show(g)
g = list(range(10))
for x in g:
    g.remove(x)
show(g)

# Large ones, grown and shrunk.
big = []
for i in range(5000):
    big.append(i)
    if i % 3 == 0:
        big.pop(0)
show(len(big), big[0], big[-1], sum(big))
while len(big) > 3:
    big.pop()
show(big)

class Named(list):
    def total(self):
        return sum(self)
a = Named([1, 2]); a.append(3)
show(a, a.total(), len(a), a[1:], a == [1, 2, 3], [1, 2, 3] == a, a + [4], sorted(a, reverse=True), 2 in a)
