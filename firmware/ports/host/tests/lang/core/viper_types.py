# Viper functions: typed parameters, casts, pointers. Numbers are chosen so that ints of 32 and 64 bits agree.
import micropython


@micropython.viper
def mix(a: int, b: uint) -> int:
    return (a << 4) + int(b) - 3


@micropython.viper
def low_byte(x) -> int:
    return int(x) & 0xFF


@micropython.viper
def checksum(data: ptr8, n: int) -> int:
    total = 0
    i = 0
    while i < n:
        total = (total * 31 + data[i]) & 0xFFFF
        i += 1
    return total


@micropython.viper
def invert_colours(pixels: ptr16, n: int):
    for i in range(n):
        pixels[i] = 0xFFFF ^ pixels[i]


@micropython.viper
def blend(pixels: ptr8, index: int, value: int):
    pixels[index] += value
    pixels[index + 1] |= 0x80


@micropython.viper
def words(memory: ptr32, n: int) -> object:
    found = []
    for i in range(n):
        found.append(memory[i])
    return found


@micropython.viper
def signs(x: int) -> int:
    return -x - 3


@micropython.viper
def halves(x: int) -> int:
    return (x // 2) * 1000 + x % 2


@micropython.viper
def nothing() -> int:
    pass


@micropython.viper
def is_between(low: int, x: int, high: int) -> bool:
    return low <= x < high


@micropython.viper
def swap(a: int, b: int):
    a, b = b, a
    return (a, b)


@micropython.viper
def first_or_zero(x) -> int:
    try:
        return int(x[0])
    except TypeError:
        return 0


print(mix(3, 9), low_byte(-1), low_byte(0x1234))
print(checksum(b"viper", 5), checksum(bytearray(b"viper"), 5))
frame = bytearray(b"\x00\x00\xff\xff\x34\x12")
invert_colours(frame, 3)
print(frame)
blend(frame, 1, 5)
print(frame)
print(words(b"\x01\x00\x00\x00\x02\x01\x00\x00", 2))
print(signs(7), [halves(x) for x in (-3, -2, 3, 4)])
print(nothing(), is_between(1, 2, 3), is_between(1, 3, 3))
print(swap(1, 2), first_or_zero([9]), first_or_zero(1))
print(checksum(memoryview(b"xviperx")[1:-1], 5))


def refused(text):
    try:
        exec("@micropython.viper\n" + text)
    except Exception as error:
        print(type(error).__name__, error)


refused("def f(x: number): pass")
refused("def f(x): return x + 1")
refused("def f() -> int: return 'a'")
refused("def f(p: ptr8): p['a'] = 1")
refused("def f(p: ptr8) -> int: return p['a']")
refused("def f(x: uint): x // 2")
refused("def f(x: uint): y = x // x")
refused("def f(x: int):\n x = 'a'")
refused("def f(x: int, p: ptr8): x + p")
refused("def f(p: ptr): len(p)")
refused("def f(x: int, y: uint) -> bool: return x == y")
refused("def f():\n print(y)\n y = 1")
refused("def f(x: int): raise x")
refused("def f(p: ptr8):\n while p: pass")
for wrong in ("a", 1.5, None, []):
    try:
        print(low_byte(wrong))
    except TypeError as error:
        print("TypeError", error)
