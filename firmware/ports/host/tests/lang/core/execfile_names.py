# execfile runs a file with the caller's names.
import os

NAME = "execfile_inner.py"


def write(text):
    with open(NAME, "w") as file:
        file.write(text)


write("y = x + 1\nprint(__name__, y)\ndef f():\n    return y\n")
x = 1
print(execfile(NAME))
print(f(), y)


def inside():
    x = 5
    execfile(NAME)
    return x


x = 20
print(inside(), y)
for path in (b"execfile_inner.py", 1, "execfile_none.py"):
    try:
        execfile(path)
    except (TypeError, OSError) as error:
        print(type(error), error)
for text in ("a = 7\n\n1 / 0\n", "a = 8\n\n1 +\n", "raise KeyError(a)\n", ""):
    write(text)
    try:
        print(execfile(NAME))
    except Exception as error:
        print(type(error), error)
    print(a)
try:
    execfile()
except TypeError as error:
    print(type(error))
os.remove(NAME)
