# Finally with every way out.
def log(*a):
    print(*a)

def f1(n):
    for i in range(3):
        try:
            if n == 0: return "r"
            if n == 1: break
            if n == 2: continue
            if n == 3: 1/0
            log("body", i)
        except ZeroDivisionError:
            log("zde")
            if i == 1: return "x"
        else:
            log("else")
        finally:
            log("fin", i)
    else:
        log("loop else")
    return "end"
for n in range(5): log(n, f1(n))

def f2():
    for i in range(2):
        try:
            try:
                return i
            finally:
                log("inner")
                if i == 0: continue
        finally:
            log("outer")
log(f2())

def f3():
    try:
        return 1
    finally:
        return 2
log(f3())

def f4():
    while True:
        try:
            1/0
        finally:
            break
    return "swallowed"
log(f4())

def f5():
    x = 1
    try:
        return x
    finally:
        x = 2
log(f5())

def f6():
    try:
        raise ValueError("a")
    except ValueError as e:
        try:
            raise TypeError("b")
        except TypeError as e2:
            log(repr(str(e)), repr(str(e2)))
        try:
            log(e2)
        except NameError as n:
            log("NameError")
        return str(e)
    finally:
        try:
            e
        except NameError:
            log("e gone")
log(f6())

def f7():
    try:
        try:
            1/0
        except ZeroDivisionError as e:
            raise
    except ZeroDivisionError:
        log("reraised")
        try:
            e
        except NameError:
            log("unbound")
f7()
