a + b - c * d / e // f % g @ h
a | b ^ c & d << e >> f
-a ** -b ** c
not a and b or not c and (d or e)
a < b <= c != d in e not in f is g is not h
a if b else c if d else e
lambda a, b=1, *c, d, e=2, **f: (yield a)
a.b(c, *d, e=f, **g)[h][i:j, ::k, l].m()
(a, b, (c,), (), d)
[a, [b], []]
{a, b}
{a: b, c: d}
{}
[a for b, c in d if e for f in g if h if i]
{a for b in c}
{a: b for c in d}
(a for b in c)
f(a for b in c)
(a := b)
f"{a}{b!r:{c}}{f'{d}'}"
await a.b(c)
