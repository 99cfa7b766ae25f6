# const of floats and of ints beyond a machine word.
from micropython import const

HALF = const(0.5)
NEGATIVE = const(-1.25)
SUM = const(HALF + NEGATIVE * 2)
QUOTIENT = const(7 / 2)
POWER = const(2**-1)
HUGE = const(1 << 100)
MORE = const(HUGE + 0xFFFFFFFFFFFFFFFFFF)
LESS = const(-HUGE)
FLIPPED = const(~HUGE)
MASK = const(0xFFFFFFFF)


def show():
    return HALF, SUM, QUOTIENT, POWER


print(HALF, NEGATIVE, SUM, QUOTIENT, POWER, show())
print(hex(HUGE), hex(MORE), LESS, FLIPPED % 1000, MASK)
for text in ("X = const(y + 1)", "X = const('a' + 'b')", "X = const(1 / 0)", "X = const(f(1))"):
    try:
        exec(text)
        print("fine")
    except Exception as error:
        print(type(error).__name__, error)
