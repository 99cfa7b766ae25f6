# Strings.
def log(*a):
    print(*a)

w = 8; v = 3.14159; name = "n"
log(f"{v:{w}.3f}|{name!r:>5}|{{}}|{w=}|{'q' + "r"}|{[1, 2][0]}|{ {1: 2}[1] }" "tail" f"{w}")
log("a" "b" 'c', b"x" b"\x00", r"\n", "\x41\u0042\103")
