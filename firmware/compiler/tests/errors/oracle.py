# Run by MicroPython: says for each source of cases.txt what compiling it gives, in the form of that file.
import io
import sys


def verdict(source):
    try:
        compile(source, "test.py", "exec")
        return "ok"
    except Exception as error:
        text = io.StringIO()
        sys.print_exception(error, text)
        lines = text.getvalue().split("\n")
        where = [line for line in lines if "test.py" in line]
        what = [line for line in lines if line][-1]
        where = where[0].split(", ", 1)[1] if where else "line 0"
        return where + ": " + what


for line in open(sys.argv[1]):
    line = line[:-1]
    if line.startswith("source "):
        print(line)
        print(verdict(eval(line[7:])))
