# Allocates in as many ways as there are; memory_errors.rs lets each of them fail.
import collections, io, json, re, struct


class Base:
    kind = "base"

    def __init__(self, a, b=2, *rest, key=None, **more):
        self.a, self.b, self.rest, self.key, self.more = a, b, rest, key, more
        self.c = self.d = self.e = self.f = 1

    def method(self):
        return self.a


class Child(Base):
    @property
    def double(self):
        return self.a * 2

    def method(self):
        return super().method() + 1


class Listed(list):
    pass


def numbers(n):
    for i in range(n):
        try:
            yield i
        finally:
            pass


def outer(x):
    def inner(y):
        nonlocal x
        x += y
        return x

    return inner


def work():
    child = Child(1, 2, 3, 4, key=5, other=6)
    got = [child.method(), child.double, child.rest, child.more]
    got.append({i: str(i) for i in range(20)})
    got.extend([{i, -i} for i in range(3)])
    got.append(frozenset((1, 2)))
    got += sorted((3, 1, 2), key=lambda v: -v)
    got.append("%s %r %5.2f" % ("a", "b", 1.5) + "{:>8}|{}".format("x", (1,)) + f"{child.a!r:>4}")
    got.append("a,b,c".split(",") + ["-".join("xyz")] + [b"ab" * 3, bytearray(b"cd") + b"e", memoryview(b"abc")[1:]])
    got.append((2**100 * 3**50 // 7, -(2**70) % 13, hex(1 << 90), int("1" * 30), 1.5 + 2j))
    got.append([list(numbers(4)), list(map(str, range(3))), list(zip("ab", "cd")), list(enumerate("xy")), list(reversed([1, 2]))])
    add = outer(1)
    got.append((add(2), add(3)))
    got.append(json.loads(json.dumps({"a": [1, 2.5, None, "x\\u00e9"]})))
    got.append(re.match("(a+)(b*)", "aabb").group(2))
    got.append(struct.unpack("<HI", struct.pack("<HI", 1, 2)))
    point = collections.namedtuple("Point", "x y")(1, 2)
    got.append((point, collections.OrderedDict([(1, 2)]), collections.deque((1, 2), 4)))
    text = io.StringIO()
    print(got, file=text)
    text.write("more" * 20)
    got.append(text.getvalue())
    listed = Listed((1, 2))
    listed.append(3)
    got.append(listed[1:])
    exec("made = [i for i in range(4)]\ndef f(a, *b): return a, b", {})
    try:
        raise ValueError("text", child)
    except ValueError as error:
        got.append(error.args)
    return len(got)


for _ in range(2):
    work()
print("all done")
