# Ints around the limits of small ints, machine words and limbs: every operator on every pair.
edges = []
for bit in (0, 5, 29, 30, 31, 32, 33, 61, 63, 64, 65, 96, 128, 200):
    for near in (-1, 0, 1):
        edges.append((1 << bit) + near)
        edges.append(-(1 << bit) + near)
edges.append(0xffffffff00000000)
edges.append(-0xfffffffffffffffffffffffffffffffe)

def checksum(values):
    total = 0
    for value in values:
        total = (total * 31 + value) % 1000003
    return total

operators = (
    ("+", lambda a, b: a + b),
    ("-", lambda a, b: a - b),
    ("*", lambda a, b: a * b),
    ("&", lambda a, b: a & b),
    ("|", lambda a, b: a | b),
    ("^", lambda a, b: a ^ b),
    ("//", lambda a, b: a // b if b else 7),
    ("%", lambda a, b: a % b if b else 7),
    ("<", lambda a, b: a < b),
    ("<=", lambda a, b: a <= b),
    ("==", lambda a, b: a == b),
    ("!=", lambda a, b: a != b),
)
for name, function in operators:
    for a in edges[::5]:
        print(name, checksum(function(a, b) for b in edges), end=" ")
    print()

for a in edges:
    print(a, -a, ~a, abs(a), +a, bool(a))
    for b in edges:
        quotient, rest = divmod(a, b) if b else (0, a)
        if quotient * b + rest != a or rest and (rest < 0) != (b < 0) or b and abs(rest) >= abs(b):
            print("divmod", a, b, quotient, rest)
        if (a & b) + (a | b) != a + b or (a ^ b) != (a | b) - (a & b):
            print("bits", a, b)
        if (a - b) + b != a or (a < b) != (a - b < 0):
            print("difference", a, b)

# shifts
for a in (1, -1, 3, -3, (1 << 30) - 1, -(1 << 30), (1 << 64) + 1, -(1 << 64) - 1):
    print([a << n for n in (0, 1, 29, 30, 31, 32, 64)], [a >> n for n in (0, 1, 29, 30, 31, 32, 64, 65, 1000)])
for n in range(130):
    if (1 << n) >> n != 1 or (-1 << n) >> n != -1 or (1 << n) - 1 != sum(1 << i for i in range(n)):
        print("shift", n)

# powers
print([(-3) ** n for n in range(50)][-5:], 2 ** 200, 10 ** 40, (-1) ** 1000000007, 0 ** 0, 0 ** 5, 1 ** (1 << 70))
print(pow(3, 1000, 1 << 70), pow(-7, 12345678901234567890, 1000003), pow(5, 3, -7), pow(10, 9, 1), pow(2, 10, None))

# in place
x = 1 << 29
x += x
x *= x
x -= 1
x //= 3
x <<= 5
x |= 1
x &= (1 << 60) - 1
x ^= 12345
x >>= 3
x %= 1000000007
x **= 3
print(x)

def show(make):
    try:
        print(make())
    except Exception as error:
        print(type(error).__name__, error)

for big in (5, 5 << 70):
    show(lambda: big // 0)
    show(lambda: big % 0)
    show(lambda: big / 0)
    show(lambda: divmod(big, 0))
    show(lambda: big << -1)
    show(lambda: big >> -1)
    show(lambda: big << (1 << 70))
    show(lambda: big + None)
    show(lambda: None + big)
    show(lambda: big < "a")
    show(lambda: big & 1.0)
    show(lambda: big @ 1)
    show(lambda: big[0])
    show(lambda: big())
    show(lambda: len(big))
    show(lambda: big.x)
show(lambda: pow(1, 2, 0))
show(lambda: pow(1, 2, "a"))
show(lambda: pow("a", 2))
show(lambda: (1 << 70) * "a")
show(lambda: [1, 2, 3][1 << 70])

# other types
print(3 * "ab", 2 * [1], 2 * (1,), 2 * b"x", True + True, 5 * True, (1 << 70) * True, 7 - False, 1 << True, -True, ~False)
print(hash(1 << 70) == hash(1 << 70), {1 << 70: "big"}[(1 << 71) >> 1], {5: 1}[5.0], hash(7), hash(-7), hash(True))
class Whole(int):
    def double(self):
        return self * 2
w = Whole(21)
print(w.double(), w + 1, w == 21, [0] * Whole(3), "abc"[Whole(1)], int(w), hex(w), isinstance(w, int))
class Like:
    def __int__(self):
        return 3
print(int(Like()), [10, 11, 12, 13][Like()], list(range(Like())))
