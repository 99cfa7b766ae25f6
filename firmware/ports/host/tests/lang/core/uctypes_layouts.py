# uctypes: structures over a buffer, in the three layouts.
import uctypes as u

HEADER = {
    "kind": u.UINT8 | 0,
    "length": u.UINT16 | 2,
    "offset": u.INT32 | 4,
    "flags": u.BFUINT8 | 1 | 0 << u.BF_POS | 3 << u.BF_LEN,
    "level": u.BFUINT8 | 1 | 3 << u.BF_POS | 5 << u.BF_LEN,
    "big": u.UINT64 | 8,
    "real": u.FLOAT32 | 16,
    "name": (u.ARRAY | 20, u.UINT8 | 4),
    "points": (u.ARRAY | 24, 2, {"x": u.INT16 | 0, "y": u.INT16 | 2}),
    "inner": (0, {"first": u.UINT8 | 0, "second": u.UINT8 | 1}),
}

print(u.sizeof(HEADER, u.LITTLE_ENDIAN), u.sizeof(HEADER))
data = bytearray(range(32))
for layout in (u.NATIVE, u.LITTLE_ENDIAN, u.BIG_ENDIAN):
    s = u.struct(u.addressof(data), HEADER, layout)
    print(s.kind, s.length, s.offset, s.flags, s.level, s.big)
    print(s.points[0].x, s.points[1].y, s.inner.second, s.name[2], len(s.name), bytes(s.name))
    print(u.sizeof(s.points), u.sizeof(s.name), u.sizeof(s.inner))

s = u.struct(u.addressof(data), HEADER, u.BIG_ENDIAN)
s.length = 0x1234
s.offset = -2
s.flags = 5
s.level = 0x1F
s.big = 1 << 40
s.real = 1.5
s.points[1].x = -1
s.name[1] = 65
s.inner.first = 9
print(data)
print(s.real, s.flags, s.level, s.points[1].x)
print(u.bytes_at(u.addressof(data) + 2, 2), bytes(s)[:4], u.addressof(s) == u.addressof(data))

view = u.bytearray_at(u.addressof(data), 4)
view[0] = 77
print(view, data[0], u.sizeof({}))
print(u.addressof(memoryview(data)[3:]) - u.addressof(data))

for wrong in (
    lambda: s.missing,
    lambda: s.points[2],
    lambda: s[0],
    lambda: u.struct(u.addressof(data), (u.ARRAY | 0, 2))[5],
    lambda: u.struct("text", {}),
    lambda: u.sizeof(7),
    lambda: u.sizeof(("a",)),
    lambda: setattr(s, "name", b"abcd"),
    lambda: int(s),
):
    try:
        print(wrong())
    except Exception as error:
        print(type(error).__name__)
