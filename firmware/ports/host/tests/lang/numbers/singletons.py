# bool, None, Ellipsis, NotImplemented.
def show(make):
    try:
        print(repr(make()))
    except Exception as error:
        print(type(error).__name__, error)

print(True, False, None, Ellipsis, NotImplemented, repr(True), str(None), ... is Ellipsis)
print(bool(), bool(0), bool(0.0), bool(""), bool("a"), bool([]), bool([0]), bool(None), bool(0j), bool(1 << 70), bool(...), bool({}), bool(b""), bool(()), bool(range(0)))
print(True + True, True - 2, True * 3, True / 2, True // 2, True % 2, True ** 2, True << 3, True >> 1, True & False, True | False, True ^ True, -True, +True, ~True, abs(False))
print(True & 3, 3 | True, True == 1, True == 1.0, False == 0j, True < 2, True > 0.5, True != 1, True is True, divmod(True, True), hash(True), hash(False))
print(isinstance(True, int), isinstance(True, bool), type(True), int(True), float(True), "ab"[True], [1, 2][False], {1: "one"}[True], "%d" % True)
for make in (
    lambda: None + 1, lambda: 1 + None, lambda: None < None, lambda: None == None, lambda: None != 1, lambda: -None, lambda: len(None),
    lambda: len(True), lambda: None(), lambda: None[0], lambda: None.x, lambda: True.x, lambda: True[0], lambda: bool(1, 2),
    lambda: bool(x=1), lambda: type(None)(), lambda: hash(None) == hash(None),
):
    show(make)
