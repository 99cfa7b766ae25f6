# Names set in builtins hide the built-in ones, also for class and import statements.
import builtins

builtins.answer = 42
print(answer)
builtins.len = lambda x: "long"
print(len([]))
del builtins.len
print(len([]))

make = __build_class__


def noisy(body, name, *bases, **keywords):
    print("class", name, [b.__name__ for b in bases])
    return make(body, name, *bases, **keywords)


builtins.__build_class__ = noisy


class A:
    pass


class B(A):
    x = 1


builtins.__build_class__ = make
print(B.x, B.__bases__ == (A,))

load = __import__


def noisy_import(name, globals, locals, fromlist, level):
    print("import", name, fromlist, level)
    return load(name, globals, locals, fromlist, level)


builtins.__import__ = noisy_import
import sys
from sys import path, modules

builtins.__import__ = load
print(sys.path is path)
