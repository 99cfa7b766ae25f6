# A module from a .mpy file, made of firmware/compiler/tests/mpy/sample.py by `mpy-cross -s sample.py sample.py`, in a file system in memory.
import binascii
import io
import sys
import vfs

CONTENT = binascii.a2b_base64(
    b"TQYAH2EIEnNhbXBsZS5weQAPBnN5cwAUbmFtZWR0dXBsZQAWY29sbGVjdGlvbnMAClBvaW50AAJhAIFTCEJhc2UADkRlcml2ZWQA"
    b"DkNvbnRleHQAFGFyaXRobWV0aWMAgU0QY2xvc3VyZXMACmxvb3BzAHkIZWxzZQAcY29tcHJlaGVuc2lvbnMADmhhbmRsZWQADmZp"
    b"bmFsbHkACm91dGVyAAhiYXJlABxmaW5hbGx5X3JldHVybgAKaW5uZXIAFndpdGhfYmxvY2tzAA5zd2FsbG93ABJzd2FsbG93ZWQA"
    b"CHNlZW4ADmNvdW50ZXIAgiWBHRRkZWxlZ2F0aW5nABJ1bnBhY2tpbmcADGFiY2RlZgAOc3RhcnJlZAAKY2FsbHMAAngAAnkACnt9"
    b"LXt9AIEpDmNoYWluZWQAEGRlbGV0aW5nAAJiAFsKd2FpdHMAEGF3YWl0aW5nABJhc3NlcnRpbmcAPwhmaW5lAAp3aGVyZQAIbGlu"
    b"ZQAGYWRkABA8bGFtYmRhPgAjCG5hbWUACmhlbGxvAAxoZWxsbyAACHNpemUACG1ha2UAAiEAFDxsaXN0Y29tcD4AFDxkaWN0Y29t"
    b"cD4AEjxzZXRjb21wPgASPGdlbmV4cHI+AAZsb2cAGQplbnRlcgAbLxR0dXBsZV90eXBlAApUQUJMRQCCIS01CmxldmVsABBwcm9w"
    b"ZXJ0eQCBCwJuAIF5gjMMYWN0aW9uAG9TggVxgVmCRWULBGJ5AIITgVcGY2xzAII1gi8Ia2luZAAKdHJhY2UACgIFAXgABQF5AAoG"
    b"BwEzCAM0LjUGBWJ5dGVzAAEDBAcUMTIzNDU2Nzg5MDEyMzQ1Njc4OTAFGWxvbmcgc3RyaW5nIGNvbnN0YW50IGhlcmUACgMHATEH"
    b"ATIHATMKAgoCBwE2BwE3BwE4CgIHATEHATIFDG11c3QgYmUgdHJ1ZQCNHBhgASAmTCpxjQiEC4kSa0CEEWQgiQ6EE4QRhA2EDIQK"
    b"ZECECWQgZGBkIIQLZCBkIGRAgFEbAhYCgBADKgEbBBwDFkVZEUUQBSMANAIWBSwDgRAGYiMBgmIjAiMDYhZGgioBLACHEAdiMwAW"
    b"CzIBFg1UMgIQCDQCFghUMgMQCREINAMWCTIEFg4yBRYRVDIGEAo0AhYKMgcWEjIIFhYyCRYYMgoWGjILFhwyDBYfMg0WIDIOFiIy"
    b"DxYjMhAWKDIRFikyEhYsMhMWLTIUFi4yFRYxUWMWg1DiicDAQBQLBioHgAkoJSYksLGD9PKy88WzX0sHxrW25cVCN7WB48W1Eke0"
    b"FAw2ADQBtdG107XSKgVjgXQpDw0dgBFDaUACsCcCgSoBU7IhAAHBsbIgAQEqAmMCgRiaAQ4zWFmAFCAmJQCx5ScAJQBjSAkINFiA"
    b"GCUAY4J8CBAIiBxDZGRoIBFEFkgQCBZJgRZKMgAWNTIBFjcRSzICNAEWORFMMgM0ARY6UWMEaBoKNVo2gB+xsBg2UWNoEQg3WoAi"
    b"EDiwEzbyY3ARCDlagCYSW7ATNjQBY4EQuYDAQAg6XIAqsLFTsoE1ggFjgTQIBwmILgARRBZIEAkWSbAgAAEWN7BjAYEgIgo3WFqA"
    b"LxJdJQCxFTc2ABA78mOFODkgDk2AMyMmJSIlIlAsICQlJCsAwbCAQllXwrKC2URCQk6yhtlEQkJasRQPsjYBWYHlWFrXQyJZWbEU"
    b"DxAQNgFZQkJZWbCB5sCwg9dEQkJCQjOxsCoCY4MUOQgRTYBEMgASTrA0ATQBMgESTrA0ATQBMgISTrA0ATQBEk8yAxJOsDQBXjQB"
    b"NAEqBGMEgVBBCDxYgEQrALBfSw3BsYL4RDixsfQvFEIxY4FAQQg9WIBELACwX0sLwRJesTQBsS8ZQjNjgShBCD5YgEQtALBfSwjB"
    b"sYL2LxZCNmOBKLFACD9YgERTsFNTSwbBsWdZQjhRY4F8AA4KiEhkIGQgEUQWSBAKFkkyABY1MgEWQTICFkNRYwOBGCMONVpAGYBJ"
    b"JLGwGECysBgZUWOBGBkKQVqATSqwE0AUDxBCNgFZsGOCALAEEENaX1ZggFExsBNAFA+xREWxE0RCQVE2AVmwExljh1jJgAIeElCA"
    b"ViMiJCwsK0lJUksrKwDBSERJN0gLsRQPsDQANgFZSiFXElESUioC30RWwkkMsRQPElOyNAE2AVlkUcIoAl1KCV2xFA8QEDYBWVGx"
    b"FA8QEzYBWV1KHVcSUd9ES1mxFA8QFDYBWUoMWbEUDxAVNgFZSgFdsWOFUOkCHhZNgGkjJiIiJSMlJUhKMisAwbCAQnVXwkkmSRqy"
    b"gdlEQ0BmArKD2URFsbIqAmOxFA+yNgFZUbEUDxAXNgFZXVGxFA8QFDYBWV2B5Vha10MGWVmxUSoCY4UY2QIaGBmAeiMlKSUjJScp"
    b"MysAwYBCdVfCEgqxsDQCRyfDsoHZRENAYQGygtlER7GzExkqAmMSCrFSNAJHB1kSUbI0AWVcXVFcXYHlV4PXQwZZsWOEQLACFBqA"
    b"hyMpJyIpUCsrAMASCrBSNAJHBlmBgPZZUVxdSBISCrBQNAJHBlmBgPZZUVxdShJXElTfREtZsBQPEBs2AVlKAV2wY4JItUASHE2A"
    b"kyQiIiRKEB1nwUkQQkqwgebAsLEqAmfBsEMzURAeZ1ldUWOBEJBACB+AnSkSHII0AV5RaMCwY4RwuBAQIICiJyspJSMjBDADwMHC"
    b"Ek6FNAExggHDxMUjBTACMALGx8ixsFrAwRAhybCxsrO0tba3uLmBgy4CVRJVuTQBUVGCLgNVuX9VKgxjgSiogMBABiKAq7ASR7EU"
    b"DDYANAEqAmODUFAKI4CvJSeBgisCwCwBgxAkYsESIoCwiRAlhFOxgjWEAxIisIE1ARAmFCewgTcBEiJTsYA1ggAqBGOCaDEIKCSA"
    b"tYCwV1vXRgSK10JCWlmwIwbdsCMG3dOwUd6wUd7TsEYBhUUBhioGY4QAwAISKYC5KyYiIiJNLAKBEAZighAqYsCwEAZTW1aBwSgB"
    b"SASxWUoXVxIr30RQwkkGsBArKgJjUcIoAl1KAV1RY0iJQAgsVoDEsGN4iEAGLYDIEiyFNAFeUWhjgSARCi4kgMwqsENHEi8jBzQB"
    b"ZRAwY2AIBjGA0RJXEDI0AWU="
)


class File(io.IOBase):
    def __init__(self, content):
        self.content = content
        self.at = 0

    def readinto(self, buffer):
        count = min(len(buffer), len(self.content) - self.at)
        buffer[:count] = self.content[self.at : self.at + count]
        self.at += count
        return count

    def ioctl(self, request, argument):
        return 0 if request == 4 else -1


class Files:
    def __init__(self, files):
        self.files = files

    def mount(self, readonly, mkfs):
        pass

    def umount(self):
        pass

    def stat(self, path):
        if path not in self.files:
            raise OSError(2)
        return (0x8000, 0, 0, 0, 0, 0, len(self.files[path]), 0, 0, 0)

    def open(self, path, mode):
        return File(self.files[path])


files = {"/sample.mpy": CONTENT, "/empty.mpy": b"", "/old.mpy": b"M\x05\x00\x1f"}
vfs.mount(Files(files), "/memory")
sys.path.append("/memory")
import sample

print(sample.__name__, sample.__file__)
print(sample.Point(1, 2), sorted(sample.TABLE.items(), key=str))
print(sample.arithmetic(1), sample.arithmetic(1, 2, 3, 4, key=0, z=1, y=2))
add, read = sample.closures(10)
print(add(), add(5), read())
print(sample.Base.make("ann").hello(), sample.Derived("bob").hello(), sample.Derived(name="eve").size, sample.Derived.level)
print(sample.loops(5), sample.loops(9))
print(sample.comprehensions(5))


def fail(kind):
    raise kind("x")


for action in (lambda: "ok", lambda: fail(ValueError), lambda: fail(KeyError), lambda: fail(OSError)):
    print(sample.handled(action))
print(sample.finally_return(2), sample.finally_return(5))
print(sample.with_blocks(True), sample.with_blocks(False), sample.swallowed())
generator = sample.counter(2)
print(next(generator), generator.send("a"), generator.send("b"), next(generator))
print(list(sample.delegating()))
print(sample.unpacking())
print(sample.calls())
print(sample.chained(1), sample.chained(20))
print(sample.deleting())
coroutine = sample.awaiting()
try:
    coroutine.send(None)
except StopIteration as stop:
    print(stop.value)
print(sample.asserting(1))
try:
    sample.asserting(0)
except AssertionError as error:
    print(error)
try:
    sample.where()
except RuntimeError as error:
    sys.print_exception(error, output := io.StringIO())
    print(output.getvalue().split('\n')[-3:])
for name in ("empty", "old"):
    try:
        __import__(name)
    except ValueError as error:
        print(name, error)
vfs.umount("/memory")
