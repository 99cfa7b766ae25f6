# io.StringIO and io.BytesIO.
import io
def show(make):
    try:
        print(repr(make()))
    except Exception as e:
        print(type(e).__name__, e)

s = io.StringIO()
print(s.write("hello\n"), s.write("wörld"), s.tell(), s.getvalue() == "hello\nwörld")
print(s.seek(0), s.read(3), s.read(), s.read(), s.read(5))
s.seek(0)
print(repr(s.readline()), len(s.readline()), repr(s.readline()))
s = io.StringIO("one\ntwo\n\nlast")
print([line for line in s], s.read())
s.seek(4)
print(s.readline(2), s.readline(), s.seek(0, 2), s.seek(-4, 2), s.read(), s.seek(2, 0), s.seek(1, 1), s.seek(-1, 1), s.tell())
show(lambda: s.seek(-1))
print(s.seek(-100, 1))
s.write("ONE+")
print(s.getvalue())
s.seek(20)
s.write("x")
print(repr(s.getvalue()), s.flush())
with io.StringIO("ctx") as c:
    print(c.read())
show(lambda: c.read())
show(lambda: c.write("a"))
show(lambda: c.getvalue())
b = io.BytesIO(b"abcdef")
buf = bytearray(4)
print(b.read(2), b.readinto(buf), buf, b.readinto(buf), b.read(), b.getvalue())
b.seek(3)
print(b.write(b"XY"), b.write(bytearray(b"!?")), b.getvalue(), b.tell())
print(b.write(b"0123456789", 3), b.write(b"0123456789", 4, 2), b.getvalue())
b = io.BytesIO(bytearray(b"line1\nline2"))
print(b.readline(), list(b), io.BytesIO(10).getvalue(), io.StringIO(5).getvalue() + "|")
show(lambda: io.StringIO().write(5))
show(lambda: io.StringIO(1.5))
source = "unchanged"
s = io.StringIO(source)
s.write("XX")
print(source, s.getvalue())
s = io.StringIO()
for i in range(300):
    s.write(str(i))
print(len(s.getvalue()), s.getvalue()[-6:])
