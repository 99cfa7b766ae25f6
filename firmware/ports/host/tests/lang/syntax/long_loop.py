# A loop that is longer than a short jump reaches.
import gc
if gc.mem_free() < 160_000:
    print("SKIP")
    raise SystemExit
source = "def m(x):\n    while x:\n" + "        y = x\n" * 3000 + "        x -= 1\n    return y\n"
exec(source)
print(m(3))
