# Classes.
def log(*a):
    print(*a)

class Meta(type): pass
class Base:
    def __init__(self, *a): self.a = a
    def hello(self): return "base"
    @classmethod
    def cm(cls): return cls.__name__
    @staticmethod
    def sm(x): return x * 2
    @property
    def p(self): return self.a
class Derived(Base):
    def __init__(self, *a, **k):
        super().__init__(*a)
        self.k = k
    def hello(self):
        f = lambda: super(Derived, self).hello()
        return "derived " + super().hello() + f()
d = Derived(1, 2, z=3); log(d.a, d.k, d.hello(), d.cm(), Base.sm(4), d.p, Derived.__name__, d.__class__ is Derived)
class Sup3(Base):
    def hello(self):
        def inner(): return __class__.__name__
        return [super().hello() for _ in range(2)] if False else inner()
log(Sup3().hello())
def deco(n):
    def d(f):
        def w(*a): return n, f(*a)
        return w
    return d
@deco(1)
@deco(2)
def decorated(x): return x
log(decorated(3))
