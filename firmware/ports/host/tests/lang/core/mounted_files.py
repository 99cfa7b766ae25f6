# vfs.mount: file systems written in Python.
import io
import os
import sys
import vfs


class Text(io.IOBase):
    def __init__(self, text):
        self.text = text
        self.at = 0

    def readinto(self, buffer):
        count = min(len(buffer), len(self.text) - self.at)
        buffer[:count] = self.text[self.at : self.at + count]
        self.at += count
        return count

    def ioctl(self, request, argument):
        return 0 if request == 4 else -1


class Memory:
    def __init__(self, files):
        self.files = files
        self.here = "/"

    def mount(self, readonly, mkfs):
        print("mounted", readonly, mkfs)

    def umount(self):
        print("unmounted")

    def chdir(self, path):
        self.here = path

    def getcwd(self):
        return self.here

    def ilistdir(self, path):
        for name in sorted(self.files):
            yield (name[1:], 0x8000, 0, len(self.files[name]))

    def stat(self, path):
        if path not in self.files:
            raise OSError(2)
        return (0x8000, 0, 0, 0, 0, 0, len(self.files[path]), 0, 0, 0)

    def open(self, path, mode):
        print("open", path, mode)
        return Text(self.files[path])

    def remove(self, path):
        del self.files[path]

    def rename(self, old, new):
        self.files[new] = self.files.pop(old)


memory = Memory({"/greeting.py": b"word = 'hello'\n" * 40, "/broken.py": b"1 +\n", "/data": b"abc"})
vfs.mount(memory, "/memory")
print(("/memory" in [point for _, point in vfs.mount()]), "memory" in os.listdir("/"))
print(os.listdir("/memory"))
print(list(os.ilistdir("/memory"))[1])
print(os.stat("/memory/data")[6])
file = open("/memory/data", "rb")
buffer = bytearray(8)
print(file.readinto(buffer), buffer)
os.rename("/memory/data", "/memory/moved")
print(os.listdir("/memory"))
os.remove("/memory/moved")
print(os.listdir("/memory"))
sys.path.append("/memory")
import greeting

print(greeting.word, greeting.__file__)
for name in ("broken", "absent"):
    try:
        __import__(name)
    except (SyntaxError, ImportError) as error:
        print(type(error).__name__)
before = os.getcwd()
os.chdir("/memory")
print(os.getcwd(), "greeting.py" in os.listdir())
os.chdir(before)
print(os.getcwd() == before)
for wrong in (
    lambda: vfs.mount(memory, "/memory"),
    lambda: vfs.umount("/nowhere"),
    lambda: os.mkdir("/memory"),
    lambda: os.stat("/memory/absent"),
    lambda: os.rename("/memory/greeting.py", "/elsewhere"),
    lambda: vfs.mount(3, "/three"),
):
    try:
        wrong()
        print("no error")
    except (OSError, TypeError, AttributeError) as error:
        print(type(error).__name__)
vfs.umount(memory)
print("/memory" in [point for _, point in vfs.mount()])
try:
    os.listdir("/memory")
except OSError:
    print("gone")
