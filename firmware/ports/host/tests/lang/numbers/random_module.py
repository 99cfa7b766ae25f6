# The generator's sequence is part of what programs see.
import random
def show(make):
    try:
        print(make())
    except Exception as error:
        print(type(error).__name__, error)

for seed in (0, 1, 42, 0xffffffff, -1):
    random.seed(seed)
    print([random.getrandbits(n) for n in (0, 1, 8, 16, 31, 32, 32, 32)])
    print([random.randrange(10) for _ in range(10)], [random.randrange(5, 8) for _ in range(10)], [random.randrange(10, 0, -3) for _ in range(10)])
    print([random.randint(-3, 3) for _ in range(10)], [random.choice("abc") for _ in range(10)], random.choice([7]), random.choice((1, 2)))
    print(all(0 <= random.random() < 1 for _ in range(50)), all(2 <= random.uniform(2, 3) <= 3 for _ in range(50)))
random.seed()
for make in (
    lambda: random.getrandbits(33), lambda: random.getrandbits(-1), lambda: random.randrange(0), lambda: random.randrange(5, 5),
    lambda: random.randrange(1, 5, 0), lambda: random.randrange(1, 5, -1), lambda: random.randint(2, 1), lambda: random.choice([]),
    lambda: random.choice(5), lambda: random.seed("a"), lambda: random.randint(1.5, 2), lambda: random.uniform("a", 1),
):
    show(make)
