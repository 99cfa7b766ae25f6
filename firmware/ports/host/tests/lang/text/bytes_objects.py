# bytes and bytearray.
def show(make):
    try:
        print(repr(make()))
    except Exception as e:
        print(type(e).__name__, e)

print(bytes(), bytes(3), bytes([1, 2, 255]), bytes(b"ab"), bytes("ab", "ascii"), bytes(bytearray(b"x")), bytes(i for i in range(3)))
show(lambda: bytes(-1))
show(lambda: bytes("ab"))
show(lambda: bytes([256]))
show(lambda: bytes([-1]))
show(lambda: bytes(["a"]))
show(lambda: bytes(1, 2))
show(lambda: bytes(None))
b = b"hello\x00\xff\"'"
print(b, len(b), b[0], b[-1], b[1:4], b[:0], b[99:], list(b[:3]), bool(b""), bool(b))
show(lambda: b[99])
show(lambda: b["a"])
show(lambda: b[::2])
def assign():
    b[0] = 1
show(assign)
print(b"a" + b"b", b"a" * 3, 2 * b"ab", b"ab" == b"ab", b"a" < b"b", b"a" in b"ba", 97 in b"ba", 98 in b"", b"" in b"")
print(b"ab" + bytearray(b"cd"), b"ab" == bytearray(b"ab"), hash(b"x") == hash(b"x"), {b"k": 1}[b"k"])
print(b"abcabc".find(b"c"), b"abcabc".rfind(99), b"abc".index(b"b"), b"abcabc".count(b"bc"), b"abc".find(b"z"), b"abc".replace(b"b", b"XX"))
print(b" a ".strip(), b"AbC".lower(), b"AbC".upper(), b"a,b".partition(b","), b"abc".startswith(b"ab"), b"ab".center(6), b"12".isdigit())
show(lambda: b"abc".find("a"))
show(lambda: b"abc".find(300))
print(b"\x01\xab".hex(), b"\x01\xab".hex(":"), bytes.fromhex("01 ab FF"), bytearray.fromhex("0a0b"), bytearray(b"\x10").hex(), b"".hex(), memoryview(b"ab").hex())
show(lambda: bytes.fromhex("0"))
show(lambda: bytes.fromhex("zz"))
print(b"%s-%d" % (b"x", 5), b"{}".format(1))

a = bytearray(b"abc")
print(a, len(a), a[0], a[1:], repr(a), str(a))
a[0] = 65
a.append(100)
a.extend(b"ef")
a.extend([103, 104])
a += b"!"
print(a)
a[1:3] = b"XYZ"
print(a)
a[1:4] = b""
print(a)
a[:] = bytearray(b"new")
print(a)
a[3:3] = a
print(a)
a[0:6] = bytearray(range(97, 100))
print(a)
def set_item(i, v):
    def f():
        a[i] = v
        return a
    return f
show(set_item(0, 300))
show(set_item(0, "x"))
show(set_item(50, 1))
def set_slice(value):
    def f():
        a[0:1] = value
    return f
show(set_slice("x"))
show(set_slice([1]))
def delete():
    del a[0]
show(delete)
print(bytearray(5), bytearray([1, 2]), bytearray("ab", "utf-8"), bytearray(b"a") + b"b", bytearray(b"ab") == b"ab", bytearray(b"a") < b"b", b"a" in bytearray(b"xa"))
show(lambda: bytearray("ab"))
show(lambda: bytearray(b"a") + 1)
show(lambda: bytearray(b"a") == 1)
show(lambda: bytearray(b"a") * 2)
show(lambda: hash(bytearray(b"a")))
show(lambda: 97 in bytearray(b"a"))
print(bytearray(b"a b").split(), bytearray(b"abc").find(b"c"), bytearray(b"ABC").lower(), bytearray(b"a").decode(), list(bytearray(b"ab")))
big = bytearray()
for i in range(1000):
    big.append(i & 0xff)
print(len(big), big[999], sum(big))
class Data(bytearray):
    pass
d = Data(b"xy")
d.append(122)
print(len(d), d[2], bytes(d), d == b"xyz")
