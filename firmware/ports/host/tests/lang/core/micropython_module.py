# Heap lock, scheduled calls, RingIO.
import micropython

items = []
more = list(range(50))
micropython.heap_lock()
micropython.heap_lock()
failed = 0
try:
    items.extend(more)
except MemoryError:
    failed += 1
micropython.heap_unlock()
try:
    [1, 2, 3]
except MemoryError:
    failed += 1
micropython.heap_unlock()
print(failed, [1, 2, 3])

done = []


def later(value):
    done.append(value)


micropython.schedule(later, 1)
micropython.schedule(later, 2)
while len(done) < 2:
    pass
print(done)

ring = micropython.RingIO(8)
print(ring.write(b"abcdefghij"), ring.any(), ring.read(3), ring.write(b"123"), ring.read())
for size in (0, 70000):
    try:
        micropython.RingIO(size)
    except ValueError:
        print("ValueError")
