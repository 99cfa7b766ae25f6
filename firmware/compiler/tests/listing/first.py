def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)

class A(object):
    x = 1
    def __init__(self, a, b=2, *args, c=3, **kw):
        super().__init__()
        self.a = a
        self.b += b
    def m(self):
        try:
            return self.a.foo(1, k=2)
        finally:
            print("x")

for i in range(10):
    print(i, [x * 2 for x in range(i) if x > 1])
