# Taking text apart and putting it together.
def show(make):
    try:
        print(make())
    except Exception as e:
        print(type(e).__name__, e)

print("a b  c".split(), "  a b ".split(), "".split(), "   ".split(), "a\tb\nc".split())
print("a b c d".split(None, 2), " a  b c ".split(None, 1), "a b".split(None, -1), "a b ".split(None, 5), "a b".split(None, 0))
print("a,b,,c".split(","), ",".split(","), "".split(","), "abc".split("abc"), "abcabc".split("bc"), "a--b--c".split("--", 1))
print("a,b,c".split(",", 0), "a,b,c".split(",", 1), "a,b,c".split(",", -1), "a,b,c".split(",", 9))
print("a,b,c".rsplit(","), "a,b,c".rsplit(",", 1), "a,b,c".rsplit(",", 0), "aXXXa".rsplit("XX"), "aXXXa".rsplit("XX", 1), "abc".rsplit("x", 3))
print("a b".rsplit(), " a b c".rsplit(None, -1))
show(lambda: "a b c".rsplit(None, 1))
show(lambda: "abc".split(""))
show(lambda: "abc".rsplit("", 1))
show(lambda: "abc".split(1))
show(lambda: "abc".split(b"a"))
print("one\ntwo\r\nthree\rfour\n".splitlines(), "a\n\nb".splitlines(), "".splitlines(), "a\nb\n".splitlines(True), "\n".splitlines(keepends=True))
print(b"a b c".split(), b"a,b".split(b","), bytearray(b"a,b").split(b","), b"a\nb".splitlines())

print(",".join(["a", "b", "c"]), ",".join([]), ",".join(["only"]), "".join(("x", "y")), "--".join("abc"), "|".join(str(i) for i in range(5)))
print(b",".join([b"a", b"b"]), bytearray(b",").join([b"a", b"b"]), b"".join([bytearray(b"a"), b"b"]), ",".join({"k": 1}))
show(lambda: ",".join([1]))
show(lambda: ",".join(["a", b"b"]))
show(lambda: ",".join(5))
show(lambda: b",".join(["a"]))
show(lambda: ",".join(c for c in ("a", 1)))
parts = []
for i in range(200):
    parts.append(str(i) + ";")
joined = "".join(parts)
print(len(joined), joined[:20], joined[-12:])
