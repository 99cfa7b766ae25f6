# Complex numbers with parts that single precision has too.
def show(make):
    try:
        print(repr(make()))
    except Exception as error:
        print(type(error).__name__, error)

values = (0j, 1j, -2.5j, 1 + 2j, -3 - 0.5j, 4, 0.5, True, 1 << 10)
for a in values:
    for b in values:
        if isinstance(a, complex) or isinstance(b, complex):
            print(a, b, a + b, a - b, a * b, a == b, a != b)
    print(bool(a), a.real if isinstance(a, complex) else a, -a, +a)
print((1 + 2j) / 2, (1 + 2j) / 2j, (3 + 4j) / (1 + 0j), abs(3 + 4j), (4 + 2j).imag, (4 + 2j).real, 1J, 1.5e2j)
for text in ("1", "1j", "j", "-j", "1+2j", " 1-2.5j ", "inf", "nanj", "1e2+3J"):
    show(lambda: complex(text))
for text in ("", "1+", "1+2", "1 + 2j", "j1", "a", "1jj"):
    show(lambda: complex(text))
for make in (
    lambda: complex(), lambda: complex(1), lambda: complex(1, 2), lambda: complex(1j, 2j), lambda: complex(1.5, True),
    lambda: complex([]), lambda: complex(1, "a"), lambda: complex(1, 2, 3), lambda: 1j / 0, lambda: 0j ** -1, lambda: 0j ** 0,
    lambda: 1j // 1, lambda: 1j % 1, lambda: 1j < 2j, lambda: ~1j, lambda: int(1j), lambda: float(1j), lambda: 1j + "a",
    lambda: 1j == None, lambda: (1j).foo, lambda: hash(1j) == hash(1j), lambda: 1j & 1,
):
    show(make)
class Like:
    def __complex__(self):
        return 1 + 2j
print(complex(Like()), 1j + Like())
