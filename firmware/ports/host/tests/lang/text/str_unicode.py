# Characters outside ASCII: counting, indexing, slicing and iterating by character.
def show(make):
    try:
        print(repr(make()))
    except Exception as e:
        print(type(e).__name__, e)

s = "aé€😀z"
print(len(s), len(s.encode()), [ord(c) for c in s])
for i in range(-5, 5):
    print(i, ord(s[i]))
show(lambda: s[5])
show(lambda: s[-6])
show(lambda: s[1.0])
show(lambda: ""[0])
for a in (None, 0, 1, 3, -2, 9, -9):
    print([s[a:b] == "".join(list(s)[a:b]) for b in (None, 0, 2, 4, -1, 99, -99)])
show(lambda: "abc"[::2])
show(lambda: "abc"[::-1])
print("abc"[::1], "abc"[1:2:None], "abc"[2:1] + "|", "abcdef"[-3:-1])
print(repr(s), repr("\x00\x1f\x7f\x80\xff"), repr("\u1234\U0001f600"), repr("it's"), repr('"'), repr("'\""), repr("\\\n\r\t"))
print(s.find("€"), s.rfind("z"), s.index("😀"), s.find("z", 3), s.find("é", 2), s.count("€"), s.count(""), "€" in s)
print([ord(c) for c in s.replace("é", "ee")], s.split("€")[0] == "aé", s.partition("€")[2] == "😀z", s.upper() == "Aé€😀Z")
print(chr(65), ord(chr(0x20ac)), ord(chr(0x10ffff)), len(chr(0x1f600)), chr(0x41) is "A")
show(lambda: chr(0x110000))
show(lambda: chr(-1))
show(lambda: ord("ab"))
show(lambda: ord(""))
show(lambda: ord(b"a"))
show(lambda: ord(1))
print("é" == "\xe9", "é" < "ê", "z" < "é", "é" + "x" == "\xe9x", {"é": 1}["\xe9"])
print(b"\xc3\xa9".decode() == "é", "é".encode(), "é".encode("utf-8"), bytes("é", "utf-8"), list("é".encode()))
show(lambda: b"\xff".decode())
show(lambda: b"\xc3".decode())
show(lambda: str(b"\x80abc", "utf-8"))
class Text(str):
    pass
t = Text("añb")
print(t == "añb", len(t), t[1] == "ñ", t + "c" == "añbc", {t: 1}["añb"], t.upper() == "AñB", isinstance(t, str))
