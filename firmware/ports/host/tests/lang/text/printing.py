# print and repr.
import io
print()
print(1, "a", None, [1, "b"], sep="-", end="!\n")
print("a", "b", sep="", end="")
print("")
print(*range(3), sep=", ")
out = io.StringIO()
print("to", "stream", 5, file=out)
print("more", file=out, end=";")
print(repr(out.getvalue()))
def show(make):
    try:
        print(repr(make()))
    except Exception as e:
        print(type(e).__name__, e)
show(lambda: print(1, sep=5))
show(lambda: print(1, file=5))
show(lambda: print(1, unknown=5))
print(repr(1), repr("a\nb"), repr(b"\x00a'"), repr([1, "x", b"y"]), repr(()), repr({}), repr(None), repr(print)[:9])
class Stream(io.IOBase):
    def write(self, data):
        print("write", type(data), bytes(data))
        return len(data)
print("x", 1, file=Stream())
class Plain:
    def write(self, data):
        pass
show(lambda: print("x", file=Plain()))
