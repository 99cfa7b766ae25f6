# What is registered last is called at the end, also after SystemExit.
import sys


def first():
    print("never called")


def last():
    print("last words of", name)


print(sys.atexit(first) is None)
print(sys.atexit(last) is first)
name = "a program"
print("body done")
sys.exit(0)
