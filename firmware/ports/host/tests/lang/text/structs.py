# struct: packing and unpacking.
import struct
def show(make):
    try:
        print(repr(make()))
    except Exception as e:
        print(type(e).__name__, e)

for f in ("<b", "<B", "<h", "<H", "<i", "<I", "<l", "<L", "<q", "<Q", ">h", ">I", ">q", "!H"):
    top = 1 << (8 * struct.calcsize(f))
    for value in (0, 1, top // 2 - 1):
        packed = struct.pack(f, value)
        print(f, value, packed, struct.unpack(f, packed)[0] == value)
for f, value in (("<b", -1), (">h", -2), ("<i", -(1 << 31)), ("<q", -5), ("<Q", (1 << 64) - 1), ("<I", 0xfedcba98), (">Q", 1 << 63)):
    print(struct.pack(f, value), struct.unpack(f, struct.pack(f, value)))
print(struct.pack("<f", 1.5), struct.pack(">d", -2.25), struct.unpack("<fd", struct.pack("<fd", 0.5, 4.0)), struct.pack("<e", 1.5), struct.unpack(">e", b"\x3c\x00"))
print(struct.calcsize("bhi"), struct.calcsize("<bhi"), struct.calcsize("bq"), struct.calcsize("5sb"), struct.calcsize("3x2H"), struct.calcsize(""))
print(struct.pack("bhi", 1, 2, 3), struct.pack("<bhi", 1, 2, 3), struct.pack("3s5s", b"abcd", b"xy"), struct.pack("<b2xb", 1, 2), struct.pack("<3b", 1, 2, 3))
print(struct.unpack("<3h", b"\x01\x00\x02\x00\x03\x00"), struct.unpack("<2s1sx", b"abcd"), struct.unpack_from("<H", b"abcdef", 2), struct.unpack_from("<H", b"abcdef", -2), struct.unpack("<0sH", b"ab"))
buf = bytearray(8)
struct.pack_into("<HI", buf, 1, 0x1234, 0x56789abc)
print(buf)
struct.pack_into(">H", buf, -2, 0xabcd)
print(buf, struct.unpack("<b", bytearray(b"\xff")), struct.unpack("<b", memoryview(b"\x05")))
print(struct.pack("<b", 300), struct.pack("<H", -1), struct.pack("<2b", 1), struct.pack("<b", 1, 2))
show(lambda: struct.pack("z", 1))
show(lambda: struct.calcsize("z"))
show(lambda: struct.pack("<h", "a"))
show(lambda: struct.pack("<h", 1.5))
show(lambda: struct.pack("<f", "a"))
show(lambda: struct.unpack("<h", b"a"))
show(lambda: struct.unpack_from("<h", b"abc", 2))
show(lambda: struct.unpack_from("<h", b"abc", -5))
show(lambda: struct.pack_into("<I", bytearray(3), 0, 1))
show(lambda: struct.pack_into("<b", b"abc", 0, 1))
show(lambda: struct.unpack(1, b"a"))
show(lambda: struct.unpack("<h", 5))
