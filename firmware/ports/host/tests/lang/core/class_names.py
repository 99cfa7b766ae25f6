# __set_name__, __dict__ and __bases__ of built-in types, object.__new__, super's arguments, __dir__.
class Member:
    def __set_name__(self, owner, name):
        print("named", owner.__name__, name)
        self.name = name

    def __get__(self, instance, owner):
        return self.name


class Holder:
    first = Member()
    second = Member()


print(Holder().first, Holder().second)
Dynamic = type("Dynamic", (), {"third": Member()})
print(Dynamic().third)
print("append" in list.__dict__, object.__bases__ == ())
for wrong in (1, int):
    try:
        object.__new__(wrong)
    except TypeError:
        print("TypeError")
for args in ((str, 0), (str, int), (0, int)):
    try:
        super(*args)
    except TypeError:
        print("TypeError")


class Listing:
    def __dir__(self):
        return ["x", "y"]


print(dir(Listing()))


class Unequal:
    def __eq__(self, other):
        print("eq", other)
        return False


print(Unequal() != 1, 1 != Unequal())

# What is no string where a name is wanted.
for attempt in (lambda: getattr(1, 2), lambda: setattr(1, None, 3), lambda: hasattr(1, []), lambda: __import__(1.5), lambda: type(1, (), {})):
    try:
        attempt()
    except TypeError as error:
        print(error)
