# binascii and hashlib.
import binascii, hashlib
def show(make):
    try:
        print(repr(make()))
    except Exception as e:
        print(type(e).__name__, e)

print(binascii.hexlify(b"\x00\xff10"), binascii.hexlify("ab"), binascii.hexlify(b"abc", ":"), binascii.hexlify(b""), binascii.unhexlify("00ff"), binascii.unhexlify(b"6162"))
show(lambda: binascii.unhexlify("0"))
show(lambda: binascii.unhexlify("0g"))
show(lambda: binascii.hexlify(5))
for n in range(8):
    data = bytes(range(250, 250 + n)) if n < 6 else bytes(range(n))
    text = binascii.b2a_base64(data)
    print(text, binascii.b2a_base64(data, newline=False), binascii.a2b_base64(text) == data)
print(binascii.a2b_base64("YWJj\nZGVm"), binascii.a2b_base64(b"YQ=="), binascii.a2b_base64("YWI="), binascii.a2b_base64(""))
show(lambda: binascii.a2b_base64("YQ"))
show(lambda: binascii.a2b_base64("Y"))
print(binascii.crc32(b""), binascii.crc32(b"hello"), binascii.crc32(b"lo", binascii.crc32(b"hel")), binascii.crc32("123456789"))
for kind in (hashlib.sha256, hashlib.sha1, hashlib.md5):
    for text in (b"", b"abc", b"x" * 55, b"x" * 56, b"x" * 63, b"x" * 64, b"x" * 65, b"y" * 200):
        h = kind()
        h.update(text)
        whole = kind(text).digest()
        print(binascii.hexlify(whole), h.digest() == whole)
    h = kind(b"a")
    h.update(b"b")
    h.update(bytearray(b"c" * 100))
    print(h.digest() == kind(b"ab" + b"c" * 100).digest())
    show(lambda: h.digest())
    show(lambda: h.update(b"x"))
    show(lambda: kind(5))
