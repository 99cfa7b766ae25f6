# re: a pattern that never ends stops; before, it takes much memory.
import gc
if gc.mem_free() < 120_000:
    print("SKIP")
    raise SystemExit
import re
try:
    re.match("(a*)*", "aaa")
except RuntimeError as e:
    print(e)
