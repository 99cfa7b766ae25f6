# text % values.
def show(make):
    try:
        print(make())
    except Exception as e:
        print(type(e).__name__, e)

print("%s %d %r %%" % ("a", 5, "q"), "%s" % 1, "%s" % (1,), "%s" % [1], "%s" % ((1, 2),), "%s" % None, "%d%%" % 5, "plain" % ())
print("%5d|%-5d|%05d|%+d|% d|%x|%X|%o|%#x|%#o|%c|%c|%i|%u" % (42, 42, 42, 42, 42, 255, 255, 8, 255, 8, 65, "B", 3, 4))
print("%5s|%-5s|%.2s|%5.1s|%r|%8r|%-8r|" % ("ab", "ab", "abc", "xyz", "q", "q", "q"))
print("%f|%.2f|%8.3f|%-8.1f|%08.2f|%+.1f|%e|%.3e|%g|%g|%G" % (1.5, 3.14159, 2.5, 2.5, -1.5, 1.0, 12345.678, 0.00123, 0.5, 1e20, 1e-10))
print("%.3d|%8.3d|%-8.3d|%+.3d" % (5, 5, 5, 5), "%*d|%-*d|%.*f" % (5, 42, 5, 42, 2, 3.14159))
print("%d %d %d" % (1.9, -1.9, True), "%x" % -255, "%d" % (1 << 70), "%x" % (1 << 70), "%20d|" % (1 << 40))
print("%(a)s %(b)d %(a)r" % {"a": "x", "b": 2}, "%(k)5.1f|" % {"k": 2.25}, "%s" % {"k": 1}, "%(a)s" % {"a": 1, "unused": 2})
for pattern, values in (
    ("%d", "a"), ("%x", 1.5), ("%c", "ab"), ("%c", 1.5), ("%f", "a"), ("%d", ()), ("%d %d", (1,)), ("%d", (1, 2)),
    ("%", 1), ("%y", 1), ("%5", 1), ("%(a)s", 1), ("%(a)s", {}), ("%(a", {"a": 1}), ("%*d", (1,)), ("%*d", ("a", 1)), ("", 1),
):
    show(lambda: pattern % values)
class A:
    def __str__(self):
        return "str"
    def __repr__(self):
        return "repr"
print("%s %r %6s|" % (A(), A(), A()), b"%s|%d|%5s|" % (b"raw", 5, b"ab"), b"%s" % "text")
