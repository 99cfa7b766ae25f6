# math and cmath; results are rounded so that single precision agrees.
import math, cmath
def show(make):
    try:
        print(make())
    except Exception as error:
        print(type(error).__name__, error)

print("%.5g %.5g %.5g %s %s" % (math.pi, math.e, math.tau, math.inf, math.nan))
names = ("sqrt", "exp", "expm1", "log", "log2", "log10", "cosh", "sinh", "tanh", "acosh", "asinh", "atanh", "cos", "sin", "tan", "acos", "asin", "atan", "fabs", "radians", "degrees", "erf", "erfc", "gamma", "lgamma")
values = (0, 0.5, 1, -1, 2.5, -0.25, 3, 5, math.inf, -math.inf, math.nan)
for name in names:
    for value in values:
        try:
            print("%s(%g)=%.4g" % (name, value, getattr(math, name)(value)), end=" ")
        except Exception as error:
            print("%s(%g) %s %s" % (name, value, type(error).__name__, error), end=" ")
    print()
for name in ("pow", "atan2", "copysign", "fmod"):
    for a in values:
        for b in (0, 2, -1.5, math.inf, math.nan):
            try:
                print("%s(%g, %g)=%.4g" % (name, a, b, getattr(math, name)(a, b)), end=" ")
            except Exception as error:
                print("%s(%g, %g) %s" % (name, a, b, error), end=" ")
    print()
for value in (0.0, 1.5, -1.5, 2.0, -0.25, 1048576.0):
    print(math.ceil(value), math.floor(value), math.trunc(value), math.modf(value), math.frexp(value), math.ldexp(value, 3), math.isfinite(value), math.isinf(value), math.isnan(value))
for value in (math.inf, math.nan):
    show(lambda: math.ceil(value))
    show(lambda: math.modf(value))
    show(lambda: math.frexp(value))
print(math.isfinite(math.inf), math.isinf(-math.inf), math.isnan(math.nan), math.log(8, 2) == math.log(8) / math.log(2))
for make in (lambda: math.log(0), lambda: math.log(-1), lambda: math.log(2, 1), lambda: math.log(2, 0), lambda: math.sqrt("a"), lambda: math.sqrt(), lambda: math.ldexp(1.0, 1.5)):
    show(make)
print(math.isclose(1.0, 1.0), math.isclose(1.0, 1.1), math.isclose(1.0, 1.1, rel_tol=0.5), math.isclose(0, 0.25, abs_tol=0.5), math.isclose(math.inf, math.inf), math.isclose(math.inf, 1))
show(lambda: math.isclose(1, 1, rel_tol=-1))
for n in (0, 1, 5, 12, 13, 20, 50):
    print(math.factorial(n), end=" ")
show(lambda: math.factorial(-1))
def c(z):
    return "%.4g%+.4gj" % (z.real, z.imag)
for z in (1 + 1j, -2.5j, 3, -1 + 0.5j):
    print([c(getattr(cmath, name)(z)) for name in ("exp", "log", "log10", "sqrt", "cos", "sin")], "%.4g" % cmath.phase(z), ["%.4g" % part for part in cmath.polar(z)])
print(c(cmath.rect(2, 1)), "%.4g %.4g" % (cmath.pi, cmath.e))
show(lambda: cmath.exp("a"))
