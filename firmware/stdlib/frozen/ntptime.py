# ntptime: sets the clock by a server of the network time protocol (RFC 4330, a client that asks once).
import socket

host = "pool.ntp.org"
timeout = 1

# Seconds from 1900 to 1970 and to 2024. What looks earlier than 2024 is after 2036, when the protocol's 32 bits begin anew.
_EPOCH = 2208988800
_NO_EARLIER = 3913056000


def time():
    question = bytearray(48)
    question[0] = 0x23  # version 4, from a client
    where = socket.getaddrinfo(host, 123)[0][-1]
    asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        asker.settimeout(timeout)
        asker.sendto(question, where)
        answer = asker.recv(48)
    finally:
        asker.close()
    seconds = int.from_bytes(answer[40:44], "big")
    if seconds < _NO_EARLIER:
        seconds += 1 << 32
    from time import gmtime

    # Counted from this board's own year 0.
    return seconds - _EPOCH - (946684800 if gmtime(0)[0] == 2000 else 0)


def settime():
    from machine import RTC
    from time import gmtime

    year, month, day, hour, minute, second, weekday = gmtime(time())[:7]
    RTC().datetime((year, month, day, weekday + 1, hour, minute, second, 0))
