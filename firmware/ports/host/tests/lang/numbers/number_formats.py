# Numbers in str.format and %.
def show(make):
    try:
        print(repr(make()))
    except Exception as error:
        print(type(error).__name__, error)

ints = (0, 7, -42, 255, 123456789, -1234567890123456789012)
for n in ints:
    for spec in ("", "d", "n", "5d", "<5d", "^5d", "=5d", ">+30d", "=+30d", "030d", "+030", " d", "x", "X", "#x", "#X", "o", "#o", "b", "#b", "#030x", "<#30x", "*^30d", "_d", ",d", "030,d", "031,d", "032,d", "_x", "_b", "^30,", "030_x"):
        print("{:{}}".format(n, spec), end="|")
    print("%d|%5d|%-5d|%05d|%+d|% d|%x|%#x|%X|%#X|%o|%#o|%.5d|%9.5d|%-9.5d|%09.5d|%+.3d|%-05d|%i|%u" % ((n,) * 20))
floats = (0.0, -0.0, 1.0, 0.5, -2.25, 1234.5, 1e6, 0.0009765625, -2e-5, 1e10, 1e20, float("inf"), float("-inf"), float("nan"))
for x in floats:
    for spec in ("", "e", "E", "f", "F", "g", "G", "n", ".0e", ".0f", ".1f", ".2f", ".3g", ".1", "10.2f", "<10.2f", "^10.2f", "=+10.2f", "010.2f", "+010.3g", " .1f", "*^12.1e", "%", ".0%", ".1%"):
        print("{:{}}".format(x, spec), end="|")
    print("%f|%.2f|%10.3f|%-10.3f|%010.3f|%+.1f|% .1f|%e|%.0e|%g|%.3g|%G" % ((x,) * 12))
for n in (0, 5, -1200, 4096):
    print("{:e} {:f} {:g} {:%} {:.1f}".format(n, n, n, n, n), "%f %g" % (n, n))
print("{:c}|{:5c}|{:<5c}|%c|%3c".format(65, 66, 67) % (68, 69))
print("{:d} {:5} {:x} {} %d %s %x".format(True, True, True, True) % (True, True, True))
for value, spec in ((5, "s"), (1.5, "d"), (1.5, "x"), (1.5, "s"), (1.5, "c"), ("a", "d"), ("a", "f"), (None, "d"), (1j, "f"), (5, ".2q"), (5, "5x5")):
    show(lambda: "{:{}}".format(value, spec))
for pattern, value in (("%d", "a"), ("%d", None), ("%x", 1.5), ("%f", "a"), ("%c", 1.5), ("%d", 1.75), ("%i", -1.75), ("%d", float("inf"))):
    show(lambda: pattern % value)
