1 + 2 * 3 - 4 // 5 % 6
1 << 40 | 0xff ^ 7 & 3
-(2 ** 62) - 1
2 ** 100
9223372036854775807 + 1
-0xffffffffffffffffffff
-1.5
~0
7 // -2, 7 % -2, -7 // 2, -7 % 2, 1 // 0
1 << -1
1 + 2 + x
x + 1 + 2
1 and x and 2
0 or x or 3 or y
not 1
not x
True and ...
(1, 2.5, "a", b"b", None, (3, ()))
(1, x)
a, b = 1, 2
"a" "b"
X = const(3)
_Y = const(X + 1)
X + _Y
Z: int = const("a longer string than ten")
Z
__debug__
