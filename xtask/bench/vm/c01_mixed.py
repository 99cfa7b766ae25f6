# A heap of 128 KB (32-bit) that is 70 % live: what a program keeps, of all kinds, among what it has dropped.
import gc
import time


class Node:
    def __init__(self, name, next):
        self.name = name
        self.next = next


def fill():
    kept = []
    node = None
    for i in range(390):
        name = "name %d" % i
        node = Node(name, node)
        garbage = [i] * 10
        kept.append((i, name, node))
        if i % 3 == 0:
            kept.append([i, str(i), (i, garbage if i % 9 == 0 else None)])
        if i % 10 == 0:
            kept.append({"a": i, "b": name, "c": [i], "d": (i,)})
        if i % 12 == 0:
            kept.append(bytearray(1000))
    return kept


def main():
    kept = fill()
    gc.collect()
    live = gc.mem_alloc()
    for i in range(800):
        [i, (i,)]
    start = time.ticks_us()
    gc.collect()
    print(time.ticks_diff(time.ticks_us(), start), "kilo-instructions", live, "live")


main()
