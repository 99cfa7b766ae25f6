# Code that cannot be reached, and variables that may be unbound.
def log(*a):
    print(*a)


def always(a, b):
    if a == 5:
        log("five")
    elif (a or 1) or 10 < b:
        log("always")
    else:
        log("never")


always(0, 1)


def deleted(b):
    try:
        log(b)
        b = 1
    finally:
        del b
    try:
        return b
    except NameError:
        return "unbound"


log(deleted(2))


def in_loop():
    x = 1
    for i in range(2):
        try:
            log(x)
        except NameError:
            log("gone")
        if i == 0:
            del x


in_loop()


def in_handler():
    for e in (1, 2):
        try:
            raise ValueError(e)
        except ValueError as e:
            pass
        try:
            log(e)
        except NameError:
            log("no e")


in_handler()


def parameter(p):
    del p
    try:
        p
    except NameError:
        log("no p")
    p = 3
    return p


log(parameter(1))


def dead():
    return 1
    yield 2


log(list(dead()))


def endless():
    while True:
        if 1:
            return "out"
        else:
            log("never")


log(endless())


def maybe(c):
    if c:
        x = 1
    else:
        try:
            return x
        except NameError:
            log("no x")
        x = 2
    return x


log(maybe(0), maybe(1))
