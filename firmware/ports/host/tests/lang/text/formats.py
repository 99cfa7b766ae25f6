# str.format and f-strings.
def show(make):
    try:
        print(make())
    except Exception as e:
        print(type(e).__name__, e)

print("{} {}".format(1, "a"), "{1} {0}".format(1, 2), "{0}{0}".format("x"), "{a} {b}".format(a=1, b="y"), "{{}} {{{}}}".format(5), "{!r} {!s}".format("q", "q"))
print("{:5}|{:<5}|{:>5}|{:^5}|{:*^7}|".format("ab", "ab", "ab", "ab", "ab"))
print("{:5}|{:<5}|{:>5}|{:^5}|{:05}|{:=+6}|{:+}|{: }|{:-}".format(42, 42, 42, 42, -42, 42, 42, 42, 42))
print("{:x} {:X} {:o} {:b} {:#x} {:#o} {:#b} {:c} {:d} {:n}".format(255, 255, 8, 5, 255, 8, 5, 65, 7, 8))
print("{:,} {:_} {:,} {:12,}|{:012,}".format(1234567, 1234567, -123, 1234567, 1234567))
print("{:.3}|{:6.2}|{:>6.2}|{:.0}|{:s}".format("abcdef", "abcdef", "abcdef", "abc", "z"))
print("{:e} {:.2f} {:8.3f}| {:g} {:.1%} {:+.1f} {:08.2f} {:<8.1f}| {:^8.1f}|".format(1.5, 3.14159, 2.5, 0.5, 0.25, 1.0, -1.5, 1.5, 2.5))
print("{:f} {:.0f} {:g} {:e}".format(2, 3, 100, 12))
print("{} {:5} {:d} {!r:>6}".format(True, True, False, True))
print("{:{}}|{:{w}.{p}}|{:>{}}|{:{}{}}".format("a", 4, "abcdef", "b", 3, "c", "^", 5, w=5, p=2) if False else "")
print("{:{}}|{:>{}}|{:{}{}}|".format("a", 4, "b", 3, "c", "^", 5), "{0:{w}.{p}}|".format("abcdef", w=5, p=2))
print("{} {} {}".format(None, [1, "a"], {"k": (1,)}), "{!r}".format([]), "{!s:>5}|{!r:<5}|".format(None, "a"))
class A:
    def __str__(self):
        return "str"
    def __repr__(self):
        return "repr"
print("{} {!r} {!s:>6} {!r:6}|".format(A(), A(), A(), A()))
for pattern in ("{", "}", "{0", "{!", "{!x}", "{!rx}", "{:5", "{0.a}", "{a[0]}", "{} {0}", "{0} {}", "{1}", "{z}", "{:q}", "{:<5>}", "{:+s}", "{:=5s}"):
    show(lambda: pattern.format("v", a=[1]) if pattern != "{1}" else pattern.format("v"))
for spec in ("s", "c", "d", "x", "f", "+c", "=5", "e"):
    show(lambda: ("{:" + spec + "}").format("text"))
for spec in ("s", "z", "5.2", "x"):
    show(lambda: ("{:" + spec + "}").format(7))
show(lambda: "{:5}".format(None))
show(lambda: "{:5}".format([1]))
x, name = 5, "n"
print(f"{x} {x!r} {x:>4} {name:<3}| {x + 1:03d} {{}} {name!r:>5} {'in' + 'ner'}", f"{x}" "lit" f"{x:x}")
