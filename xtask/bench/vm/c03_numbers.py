# A heap that is 70 % live: floats in lists.
import gc
import time


def main():
    kept = [[i * 0.5 + j for j in range(30)] for i in range(115)]
    gc.collect()
    live = gc.mem_alloc()
    start = time.ticks_us()
    gc.collect()
    print(time.ticks_diff(time.ticks_us(), start), "kilo-instructions", live, "live")
    return kept


main()
