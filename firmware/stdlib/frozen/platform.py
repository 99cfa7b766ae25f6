# platform: what the interpreter runs on, as text.
import sys


def _names():
    version = "%d.%d.%d" % sys.implementation.version[:3]
    return version, sys.platform, sys.implementation._machine


def platform(aliased=0, terse=0):
    version, system, machine = _names()
    return "MicroPython-%s-%s-%s" % (version, system, machine.replace(" ", "_"))


def python_compiler():
    return "Larch"


def libc_ver(executable=None, lib="", version="", chunksize=0):
    return ("", "")


def processor():
    return ""
