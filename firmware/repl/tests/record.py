#!/usr/bin/env python3
"""Types the cases of `recorded.txt` at a real MicroPython and writes down what it answers.

    python3 record.py path/to/micropython

Programs in the cases print nothing, so that a test can replay them without an interpreter. The banner becomes `<banner>`.
No case types a newline (`\\n`): MicroPython's unix port turns it into a carriage return before its readline sees it.
"""
import concurrent.futures, os, pty, re, select, signal, sys

CASES = r"""
# lines
x=1\r
\xc3\xa9x=1\r
# cursor
abc\x1b[D\x1b[DX\x1b[CY\x1b[HZ\x1b[F=1\r
abcdefgh=1\x01\x05\x02\x02\x06\x02\x02\x02Q\r
ab cd ef\x1b[1~x\x1b[4~y\x1b[7~z\x1b[8~w\x1bOHq\x1bOFr\x03
ab cd ef\x1b[1;5D\x1b[1;5D*\x1b[1;5C+\x1bb-\x1bf/\x1bx\x1bO?\x1b[Z\x1b[9~\x1b[5~\x03
\x1b[D\x1b[C\x1b[A\x1b[B\x08\x7f\x1b[3~\x01
# deletion
abcd\x08\x7f\x02\x02\x04\x1b[3~e=1\r
abc def ghi\x17\x17\x01\x0b\x03
abc def ghi\x02\x02\x15\x0bz\x03
abc def ghi\x1b\x7f\x1b[H\x1bd\x1bd\x05\x1b[D\x0b\x03
      abc\x01\x06\x06\x06\x06\x06\x08\x08\x08\x03
    x\x08\x08\x08\x03
# history
a=1\rb=2\r\x1b[A\x1b[A\x1b[A\x1b[B\x1b[B\x1b[B\x10\x0e\x10\r
a=1\ra=1\r\x10\x10\x03
long_name=1\rb=2\r\x10\x10\x02\x02\x10\x10\x0e\x03
# statements
if 1:\rpass\r\r
def f():\rif 1:\rpass\rreturn\r\r\r
def f():\rpass\r\r\r\r
if 1:\r\tpass\r\rx=1\r
if 1:\r pass\r\rx=1\r
if 1:\r\x08 pass\r\rx=1\r
x=[1,\r2,\r3]\r
x='''a\r b\r'''\r
x=1+\\\r2\r
@f\x03
if 1:\rpass\x03x=1\r
if 1:\rpass\r\x04
class A:\rx=1\rdef f(self):\rpass\r\x08\x08\ry=1\r
x=(\r\x011,\r\x022,\r\x05)\r
while 0:\r    \x08\x08\x08\x08\x08 pass\r\x04
if 1:\r\x10\x10\x03
# control characters
\x03\x03abc\x03
\x02
abc\x02\x02\x04\x03
# paste
\x05x=1\ry=2\r\x04
\x05def f():\r  pass\r\x03x=1\r
\x05\x04
\x05a\x08\x1b[A\t\x01\x02\x05\x03
# raw
\x01\x02
\x01x=1\x04y=2\x04\x02
\x01x=1\x03\x04
\x01x=1\x03y=1\x04\x02\x01\x02
\x01\x01x=1\x01y=2\x04\x02
\x01x=1\x02z=1\r
# raw paste
\x01\x05A\x01x=1\x04\x05A\x01y=2\x04\x02x=3\r
\x01\x05A\x01\x04\x02
\x01\x05A\x01#2345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890\x04\x02
\x01\x05B\x01x=1\x04\x02
\x01\x05AA\x01x=1\x04\x02
\x01z\x05A\x01x=1\x04\x02
# soft reset
\x04
# completion
apple=1\rap\t=2\r
apple=1\rapricot=2\ra\t\tp\tr\t=3\r
kiwi_aaaaaaaaaaaaaaaaa=1\rkiwi_b=2\rkiwi_c=3\rkiwi_dddddddddd=4\rkiwi_e=5\rkiwi_f=6\rkiwi_\t\x03
kiwi_a=1\rkiwi_b=2\rx=(kiwi) + 1\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\t_\t\x03
imp\t\x03
ximp\t\x03
x\t\x03 \tx\x03
if 1:\rzebra=1\r\r\rzeb\t\x03
apple=1\rif 1:\rap\t=2\r\r
apple=1\rapricot=2\rif 1:\rap\t=2\r\r
nope.x\t.\t..\t\x03
"""


def escape(data):
    plain = {9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 39: "\\'", 92: "\\\\"}
    return "".join(plain.get(b) or (chr(b) if 32 <= b < 127 else f"\\x{b:02x}") for b in data)


def answer(program, data):
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(program, [program])
    out = b""

    def read(quiet_s):
        nonlocal out
        while select.select([fd], [], [], quiet_s)[0]:
            try:
                chunk = os.read(fd, 65536)
            except OSError:
                return
            if not chunk:
                return
            out += chunk

    read(0.7)
    for byte in data:
        os.write(fd, bytes([byte]))
        read(0.02)
    read(0.3)
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    os.waitpid(pid, 0)
    os.close(fd)
    out = out.replace(b"\r\r\n", b"\r\n")
    return re.sub(rb'MicroPython .*?\r\nType "help\(\)" for more information.\r\n', b"<banner>\r\n", out)


def main():
    program = os.path.abspath(sys.argv[1])
    lines = CASES.strip().splitlines()
    inputs = [l.encode().decode("unicode_escape").encode("latin-1") for l in lines]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        outputs = list(pool.map(lambda p: None if p[0].startswith("#") else answer(program, p[1]), zip(lines, inputs)))
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "recorded.txt"), "w") as file:
        file.write("Written by record.py: what is typed at MicroPython, and what it sends.\n")
        for line, data, out in zip(lines, inputs, outputs):
            file.write(f"\n{line}\n" if out is None else f"in:  {escape(data)}\nout: {escape(out)}\n")


main()
