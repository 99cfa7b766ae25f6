# int.to_bytes and int.from_bytes.
def show(make):
    try:
        print(repr(make()))
    except Exception as error:
        print(type(error).__name__, error)

for n in (0, 1, 127, 128, 255, 256, 65535, (1 << 31) - 1, 1 << 31, 0x0102030405060708090a):
    for length in (1, 2, 4, 5, 10, 12):
        for order in ("big", "little"):
            show(lambda: n.to_bytes(length, order))
for n in (0, 127, 128, -1, -128, -129, -32768, -(1 << 63), -(1 << 63) - 1, 1 << 63):
    for length in (1, 2, 8, 9):
        show(lambda: n.to_bytes(length, "little", signed=True))
show(lambda: (-1).to_bytes(2, "big"))
show(lambda: (-(1 << 70)).to_bytes(20, "big"))
show(lambda: (5).to_bytes())
show(lambda: (5).to_bytes(length=2, byteorder="little"))
show(lambda: (5).to_bytes(-1, "big"))
show(lambda: (0).to_bytes(0, "big"))
show(lambda: (5).to_bytes(0, "big"))
for data in (b"", b"\x01", b"\xff", b"\x01\x02\x03\x04", b"\xff" * 4, b"\x80" + b"\0" * 20):
    print(int.from_bytes(data, "big"), int.from_bytes(data, "little"), int.from_bytes(bytearray(data), "big"))
show(lambda: int.from_bytes([1, 2], "big"))
show(lambda: int.from_bytes(5, "big"))
