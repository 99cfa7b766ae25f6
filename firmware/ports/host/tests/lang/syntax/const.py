# Const.
def log(*a):
    print(*a)

from micropython import const
A = const(5); _B = const(A * 2 + 1)
def useconst(): return A + _B
log(useconst(), A)

# Long chains.
log(1 + 2 - 3 * 4 // 5 % 6 ** 2 << 1 | 2 & 3 ^ 4, -2 ** 2, ~5, -(-3), +4, not not 1, 7 // -2, -7 % 3, 2 ** -1)
log(sum([i for i in range(100)]), max(1, *[2, 3]))
assert True, "no"
try: assert 0, "yes"
except AssertionError as e: log("assert", e)
try: assert not 1
except AssertionError as e: log("assert", e.args)
