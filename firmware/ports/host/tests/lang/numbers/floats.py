# Floats that are the same in single and double precision: halves and whole numbers.
def show(make):
    try:
        print(repr(make()))
    except Exception as error:
        print(type(error).__name__, error)

inf, nan = float("inf"), float("nan")
values = (0.0, -0.0, 1.0, -1.5, 0.25, 1024.0, -256.5, 3, -2, True)
for a in values:
    print(a, -a, +a, abs(a), bool(a), int(a), [a + b for b in values], [a - b for b in values], [a * b for b in values])
    for b in values:
        if isinstance(a, float) or isinstance(b, float):
            show(lambda: (a // b, a % b, divmod(a, b)))
            print(a < b, a <= b, a > b, a >= b, a == b, a != b, end=" ")
print()
print(1.0 / 4, 3 / 2, 7 / -2, 2.0 ** 10, 2 ** -2, 4 ** 0.5, (-2.0) ** 3, 0.0 ** 0, 1.5e3, 1e0, .5, 5., 1_0.2_5)
for make in (
    lambda: 1.0 / 0, lambda: 1 / 0.0, lambda: 1.0 // 0, lambda: 1.0 % 0, lambda: divmod(1.0, 0), lambda: 0.0 ** -1,
    lambda: 1.0 & 1, lambda: ~1.0, lambda: 1.0 << 1, lambda: 1.0 < "a", lambda: 1.0 < None, lambda: 1.0 + "a",
    lambda: "a" * 1.0, lambda: [1, 2][1.0], lambda: len(1.0), lambda: 1.0 == "a", lambda: 1.0 != None,
):
    show(make)
print(inf, -inf, nan, inf + 1, -inf * 2, inf - inf, inf == inf, inf > 10 ** 30, nan == nan, nan != nan, nan < 1, [nan] == [nan])
for text in ("1", " 1.5 ", "-2.5", "+.5", "5.", "1e3", "1E-2", "1_0.5", "inf", "-Infinity", "NaN", "1e400", "-1e400", "1e-400", "0" * 50 + "1"):
    show(lambda: float(text))
for text in ("", "a", "1.5.2", "1e", "1e+", "--1", "1 2", "0x10", "infin", "1j"):
    show(lambda: float(text))
show(lambda: float(b"2.5"))
show(lambda: float([]))
show(lambda: float())
show(lambda: float(1, 2))
show(lambda: int(inf))
show(lambda: int(nan))
print(int(-1.75), int(1.0 * (1 << 40)), int(-3.0 * (1 << 70)), 1.0 * (1 << 70) == 1 << 70, (1 << 70) < 1.0, float(1 << 64) / (1 << 60))
print(hash(1.0) == hash(1), hash(-0.0) == hash(0), {1.0: "a"}[1], {2: "b"}[2.0], {1 << 40: "c"}[float(1 << 40)], hash(0.5) == hash(0.5))
print(round(0.5), round(1.5), round(-2.5), round(2.75), round(2.25, 1), round(7, -1), round(15, -1), round(25, -1), round(-15, -1), round(12345, -2), round(5, 2), round(True))
show(lambda: round(inf))
show(lambda: round("a"))
class Sized(float):
    pass
s = Sized(1.5)
print(s + 1, s == 1.5, isinstance(s, float), s * 2)
class Like:
    def __float__(self):
        return 2.5
print(float(Like()), 1.0 + Like())
x = 1.5
x += 1
x *= 2
x -= 0.5
x /= 3
x **= 2
x //= 1
print(x)
