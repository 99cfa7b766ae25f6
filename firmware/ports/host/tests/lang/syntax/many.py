# More of everything than fits a byte.
import gc
if gc.mem_free() < 120_000:
    print("SKIP")
    raise SystemExit
source = "def f():\n"
for i in range(180):
    source += "    v%d = %d\n" % (i, i)
source += "    return v0 + v100 + v127 + v128 + v129 + v179\n"
exec(source)
print(f())

source = "class A: pass\na = A()\ndef g():\n"
for i in range(300):
    source += "    a.n%d = %d\n" % (i, i)
source += "    a.n299 += a.n256 + a.n255\n    del a.n270\n    return a.n299, hasattr(a, 'n270'), a.n0\n"
exec(source)
print(g())

print(len(eval("[" + "1, " * 500 + "]")), len(eval("(" + "a, " * 500 + ")")), eval("[" + "a, " * 300 + "]")[299] is a)
print(len(eval("{" + ", ".join("%d: %d" % (i, i) for i in range(300)) + "}")))
print(len(eval("{" + ", ".join("%d" % i for i in range(300)) + "}")))


def h(*args, **kwargs):
    return len(args), len(kwargs)


print(eval("h(" + "1, " * 200 + ")"))
print(eval("h(1, 2, " + ", ".join("k%d=%d" % (i, i) for i in range(120)) + ")"))

source = "def k(x):\n    if x == 0: return 0\n"
for i in range(1, 200):
    source += "    elif x == %d: return %d\n" % (i, i * 1000)
exec(source)
print(k(0), k(199), k(150), k(200))
print(eval("+".join(["1"] * 1000)), eval("a is " * 300 + "a"), eval("0 or " * 300 + "7"))
