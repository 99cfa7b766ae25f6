# asyncio: tasks that take turns. Programs import names from here; parts that few need are loaded on first use.

from .core import *

__version__ = (3, 0, 0)

_parts = (
    ("event", ("Event", "ThreadSafeFlag")),
    ("funcs", ("gather", "wait_for", "wait_for_ms")),
    ("lock", ("Lock",)),
    (
        "stream",
        ("Stream", "StreamReader", "StreamWriter", "open_connection", "start_server"),
    ),
)


def __getattr__(name):
    for part, names in _parts:
        if name in names:
            found = getattr(__import__(part, None, None, (name,), 1), name)
            globals()[name] = found
            return found
    raise AttributeError(name)
