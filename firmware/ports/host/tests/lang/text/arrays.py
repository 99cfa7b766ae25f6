# array.array and memoryview.
from array import array
def show(make):
    try:
        print(repr(make()))
    except Exception as e:
        print(type(e).__name__, e)

for code in "bBhHiIqQ":
    a = array(code, [1, 2, 100])
    a.append(3)
    a.extend(array(code, [4]))
    a.extend([5, 6])
    a[0] = 7
    print(a, len(a), a[-1], a[1:3], list(a), sum(a))
print(array("b", [-1, 127]), array("h", [-300, 300]), array("H", [65535]), array("i", [-1 << 31]), array("I", [(1 << 32) - 1]), array("q", [-1 << 63]), array("Q", [(1 << 64) - 1]))
print(array("B", b"abc"), array("H", b"\x01\x00\x02\x00"), array("f", [1.5, -2.0]), array("d", [0.25]), array("B"), array("i"))
show(lambda: array("z"))
show(lambda: array("B", ["a"]))
show(lambda: array("B", 5))
show(lambda: array(1))
show(lambda: array("B", [1])[1])
show(lambda: array("B", [1])["a"])
a = array("H", [1, 2, 3])
a += array("H", [9])
print(a, a + array("H", [8]), a == array("H", [1, 2, 3, 9]), a == array("H", [1]), a[1:2] == array("H", [2]))
a[1:3] = array("H", [20, 30, 40])
print(a, bool(a), bool(array("b")))
def assign():
    a[0:1] = b"x"
show(assign)

m = memoryview(b"hello")
print(len(m), m[0], m[-1], bytes(m), bytes(m[1:3]), list(m[2:]), m == b"hello", m[1:] == b"ello", m != b"x", b"hello" == m)
def write():
    m[0] = 1
show(write)
show(lambda: m[9])
show(lambda: m[::2])
show(lambda: memoryview(5))
b = bytearray(b"0123456789")
m = memoryview(b)
m[0] = 65
m[1:3] = b"BC"
part = m[4:8]
part[0] = 120
print(b, bytes(part), bytes(part[1:-1]), len(part), bytes(m[8:]))
def longer():
    m[0:2] = b"xyz"
show(longer)
m[2:6] = m[0:4]
print(b)
m = memoryview(array("H", [1, 2, 3]))
print(len(m), m[1], list(m[1:]))
m[1] = 500
print(list(m), bytes(m[1:2]))
m = memoryview(memoryview(b)[2:6])
print(bytes(m), bytes(m[1:3]))
print(bytearray(m), "".join([chr(c) for c in memoryview(b"xyz")]))
