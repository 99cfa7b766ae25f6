# A heap that is 70 % live: pairs in one long chain, which is as deep as structures get.
import gc
import time


def main():
    chain = None
    for i in range(5500):
        chain = (i, chain)
    gc.collect()
    live = gc.mem_alloc()
    start = time.ticks_us()
    gc.collect()
    print(time.ticks_diff(time.ticks_us(), start), "kilo-instructions", live, "live")


main()
