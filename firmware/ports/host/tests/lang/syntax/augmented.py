# Augmented.
def log(*a):
    print(*a)

class Aug:
    def __init__(self): self.v = 1; self.l = [1]
    def __iadd__(self, o): self.v += o; return self
a = Aug(); b = a; a += 5; a.l += [2]; a.l[0] += 10; a.v -= 1; a.v *= 3; a.v //= 2; a.v %= 100; a.v **= 2; a.v <<= 1; a.v >>= 2; a.v &= 0xff; a.v |= 0x100; a.v ^= 3
log(b.v, b.l, a is b)
l = m = [1]; l += [2]; log(m)
s = "a"; s += "b"; s *= 3; log(s)
def aug_local(x):
    x += 1; x -= 300; x *= 2; x += 0.5; x -= -3; x += -4
    return x
log(aug_local(5))
