# Methods of str: searching, stripping, replacing, case, classes of characters.
def show(make):
    try:
        print(repr(make()))
    except Exception as e:
        print(type(e).__name__, e)

text = "the cat sat on the mat"
for needle in ("the", "at", "", "zebra", "t"):
    print(needle, text.find(needle), text.rfind(needle), text.count(needle), needle in text)
print(text.find("at", 6), text.find("at", 6, 9), text.find("at", -3), text.rfind("at", 0, 10), text.find("t", 50))
show(lambda: text.index("on"))
show(lambda: text.index("off"))
show(lambda: text.rindex("off"))
show(lambda: text.find(1))
show(lambda: text.find(b"the"))
show(lambda: 1 in text)

print("  padded\t\n".strip() + "|", "  padded ".lstrip() + "|", "  padded ".rstrip() + "|", "   ".strip() + "|")
print("xxyzyxx".strip("xy"), "xxyzyxx".lstrip("x"), "xxyzyxx".rstrip("x"), "abc".strip(""))
show(lambda: "abc".strip(b"a"))

print("aaaa".replace("a", "bb"), "aaaa".replace("aa", "b", 1), "abc".replace("", "-"), "abc".replace("x", "y"))
print("abc".replace("b", ""), "abc".replace("abc", ""), "abab".replace("ab", "x", 0), "aXbX".replace("X", "--", -1))
show(lambda: "abc".replace("a", 1))

print("abc".startswith("ab"), "abc".startswith(""), "abc".startswith("abcd"), "abc".startswith("b", 1), "abc".endswith("bc"))
print("abc".endswith(""), "abc".endswith("abcd"), "".startswith("a"))
show(lambda: "abc".startswith(1))

print("Hello World 1".upper(), "Hello World 1".lower(), "a".center(4) + "|", "abc".center(2), "abc".center(8) + "|")
for s in ("", "abc", "ABC", "aBc", "123", "12a", " \t\n", "a b", "A1", "é"):
    print(repr(s), s.isalpha(), s.isdigit(), s.isspace(), s.isupper(), s.islower())

print("a-b".partition("-"), "ab".partition("-"), "a-b-c".rpartition("-"), "ab".rpartition("-"))
show(lambda: "ab".partition(""))
print("a" * 3, 3 * "ab", "ab" * 0, "ab" * -1, "ab" * True)
show(lambda: "a" * 1.5)
show(lambda: "a" + 1)
show(lambda: "a" < 1)
print("a" < "b", "a" < "ab", "b" > "abc", "a" <= "a", "a" >= "b", "a" == "a", "a" != "b", "a" == 1, "" < "a")
print(hash("some text") == hash("some " + "text"), {"some text": 1}["some" + " " + "text"])
s = "x"
s += "y"
s *= 2
print(s, str(), str(5), str("s"), str(None), str([1, "a"]))
show(lambda: str(b"abc", "utf-8"))
show(lambda: str(bytearray(b"abc"), "utf-8"))
show(lambda: str("abc", "utf-8"))
show(lambda: str(1, 2, 3, 4))
