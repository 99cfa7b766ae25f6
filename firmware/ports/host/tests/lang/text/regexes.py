# re: what patterns match, groups, split, sub.
import re
def show(make):
    try:
        print(repr(make()))
    except Exception as e:
        print(type(e).__name__, e)

cases = (
    ("a", "bab"), ("^a", "ba"), ("a$", "ba"), ("^$", ""), (".", "x"), ("a.c", "abc"), ("a*", "aaab"), ("a+", "baaa"), ("a?b", "aab"), ("a*?b", "aab"),
    ("a+?", "aaa"), ("a??", "a"), ("[abc]+", "xxbcax"), ("[^abc]+", "abxyc"), ("[a-f0-9]+", "zzc0ffee"), ("[-a]+", "b-a-"), ("[a-]+", "b-a-"), ("[]]", "]"),
    ("\\d+", "ab123c"), ("\\D+", "12ab3"), ("\\s", "a b"), ("\\S+", "  ab "), ("\\w+", "--a_1--"), ("\\W+", "ab--"), ("[\\d.]+", "x1.5y"), ("[\\]x]+", "a]x"),
    ("a|b", "cb"), ("ab|cd|ef", "xxef"), ("a|", "b"), ("(a|b)*c", "ababc"), ("(?:ab)+", "ababx"), ("(a)(b)?", "ac"), ("((a)b)", "ab"), ("x(.*)y", "axbycy"), ("x(.*?)y", "axbycy"),
    ("\\.", "a.b"), ("\\\\", "a\\b"), ("(a+)+b", "aaab"), ("()", "x"), ("a{2}", "aa"), ("^a|b$", "cb"), ("b*", "aaa"),
)
for pattern, text in cases:
    for f in (re.match, re.search):
        m = f(pattern, text)
        print(pattern, text, m and m.group(0), end="; ")
    r = re.compile(pattern)
    m = r.search(text)
    print(r.match(text) is None, m)
m = re.match("(\\w+)-(\\w+)(x)?", "ab-cd")
print(m.group(0), m.group(1), m.group(2), m.group(3))
show(lambda: m.group(4))
show(lambda: m.group(-1))
for bad in ("*", "(a", "a)", "[a", "a\\", "a**", "+a", "(?a)"):
    show(lambda: re.compile(bad))
r = re.compile("[,;] ?")
print(r.split("a, b;c,d"), r.split("abc"), r.split("a,b,c", 1), re.compile("x*").split("axb"), r.split(""))
show(lambda: re.compile("(,)").split("a,b"))
print(re.sub("a", "b", "banana"), re.sub("a", "b", "banana", 2), re.sub("(\\w)(\\d)", "\\2-\\1;", "a1b2"), re.sub("x", "y", "abc"), re.sub("(a)", "<\\g<1>\\\\>", "bab"))
print(re.sub("[0-9]+", lambda m: str(int(m.group(0)) * 2), "a1b22c"), re.compile("a+").sub("", "baac"), re.sub("a*", "-", "bab"))
show(lambda: re.sub("a", "\\2", "a"))
show(lambda: re.match(1, "a"))
show(lambda: re.match("a", 1))
print(re.match(b"a.", b"ab").group(0), re.search("b", b"ab").group(0), re.sub(b"a", b"x", b"aba"), re.compile(b"-").split(b"a-b"))
r = re.compile("b")
print(r.match("abc", 1) is not None, r.search("abcb", 2) is not None, r.search("abc", 2) is None, r.search("abc", 0, 1) is None, re.compile("^b").search("ab", 1) is None, re.compile("b$").search("abc", 0, 2) is not None)
print(re.match("[^\\s]+", "two words").group(0), re.search("(\\d\\d):(\\d\\d)", "at 12:34").group(2), len(re.match(".*", "x" * 500).group(0)))
