# Ints as text: printing and parsing in every base.
def show(make):
    try:
        print(repr(make()))
    except Exception as error:
        print(type(error).__name__, error)

def digits(n, base):
    text = ""
    while n:
        text = "0123456789abcdefghijklmnopqrstuvwxyz"[n % base] + text
        n //= base
    return text or "0"

for n in (0, 1, 9, 10, 255, 999999999, 1000000000, (1 << 30) - 1, 1 << 30, 1 << 31, 1 << 32, 10 ** 18, 10 ** 27 - 1, 3 ** 200):
    print(n, -n, hex(n), oct(n), bin(n), hex(-n))
    for base in range(2, 37):
        text = digits(n, base)
        if int(text, base) != n or int("-" + text.upper() + " ", base) != -n:
            print("base", base, text)
print(10 ** 300)
print(-7 ** 150)

for text in ("12", " 12 ", "+12", "-12", "1_000", "0x1f", "0o17", "0b11", "012", "00", "\t7\n"):
    show(lambda: int(text))
    show(lambda: int(text, 0))
    show(lambda: int(text, 16))
for text in ("", " ", "-", "+-1", "1 2", "1x", "x", "0x", "9" * 40 + "a", "1.5"):
    show(lambda: int(text))
    show(lambda: int(text, 16))
show(lambda: int("z", 36))
show(lambda: int("1", 1))
show(lambda: int("1", 37))
show(lambda: int("1", -1))
show(lambda: int(b"42"))
show(lambda: int(bytearray(b"42")))
show(lambda: int(b"101", 2))
show(lambda: int(5, 10))
show(lambda: int([]))
show(lambda: int(None))
show(lambda: int())
show(lambda: int("5", "a"))
show(lambda: int(True))
show(lambda: hex("a"))
show(lambda: oct(1.5))
show(lambda: bin(None))
print(0xFF_ff, 0b1_0, 0o7_7, 1_000_000, 123456789012345678901234567890, -0x123456789abcdef0123)
