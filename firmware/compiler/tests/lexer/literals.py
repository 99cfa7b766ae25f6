0 12 1_000 0xFf_f 0b1_0 0O17 00
1.5 .5 5. 1e5 1E-5 1_0.0_1e+1_0 2j 1.5J
'a' "b" '''c
d''' r'\n' b'\x41\n' rb'\x' u'é'
'\'\"\\\a\b\f\n\r\t\v\x41\101\0\u00e9\U0001F600\q\
end'
'one' "two" r'\three'
b'one' b"two"
f'{a}' f"{b!r:>{w}} {{c}} {d=}" 'e{}'
f'{x["a"]}{y[1:2]}{z != 1}'
'unfinished
