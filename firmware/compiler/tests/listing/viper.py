# A viper function: typed arithmetic, memory, casts.
@micropython.viper
def mixed(data: ptr8, n: int, x) -> uint:
    total = uint(0)
    for i in range(n):
        total += uint(data[i]) << 1
    words = ptr32(x)
    words[1] = n
    words[0] += 1
    if n < 3:
        return total
    return uint(int(words) & ~n)
