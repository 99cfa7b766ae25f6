# A sort keeps the order of equal items, and the list is protected while it is sorted. MicroPython promises neither, so
# there these checks say nothing.
import sys
is_larch = 'larch' in (str(sys.implementation) + sys.version).lower()

def check(truth):
    print(truth or not is_larch)

words = 'the quick brown fox jumps over the lazy dog and then some more words to sort'.split()
check(sorted(words, key=len) == [w for n in range(9) for w in words if len(w) == n])
check(sorted(words, key=len, reverse=True) == [w for n in range(9, 0, -1) for w in words if len(w) == n])
pairs = [(i * 7 % 5, i) for i in range(100)]
check(sorted(pairs, key=lambda p: p[0]) == sorted(pairs))
check(sorted(pairs, key=lambda p: p[0], reverse=True) == [p for n in range(4, -1, -1) for p in pairs if p[0] == n])
names = [('n%d' % (i % 3), i) for i in range(100)]
check(sorted(names, key=lambda p: p[0]) == sorted(names))
check(sorted([3, 1.0, 1, True, 2], key=lambda x: 0) == [3, 1.0, 1, True, 2])

l = [3, 1, 2]
def meddle(x):
    l.append(x)
    return x
changed = False
if is_larch:
    try:
        l.sort(key=meddle)
    except ValueError as e:
        changed = 'modified' in str(e)
check(changed and sorted(l) == [1, 2, 3])
