# mip: installs packages from an index (as https://micropython.org/pi/v2 serves them), from `package.json` files, and single files.
import os
import sys

import requests

_INDEX = "https://micropython.org/pi/v2"
_URLS = ("http://", "https://", "github:", "gitlab:", "codeberg:")


def _address(url, branch):
    for name, pattern in (
        ("github:", "https://raw.githubusercontent.com/{}/{}/{b}/{p}"),
        ("gitlab:", "https://gitlab.com/{}/{}/-/raw/{b}/{p}"),
        ("codeberg:", "https://codeberg.org/api/v1/repos/{}/{}/raw/{p}?ref={b}"),
    ):
        if url.startswith(name):
            parts = url[len(name) :].split("/", 2)
            if len(parts) < 3:
                raise ValueError("no file in " + url)
            return pattern.format(parts[0], parts[1], b=branch or "HEAD", p=parts[2])
    return url


def _pieces(stream):
    buffer = bytearray(256)
    view = memoryview(buffer)
    while True:
        count = stream.readinto(buffer)
        if not count:
            return
        yield view[:count]


def _has(path, digest):
    import hashlib

    try:
        found = hashlib.sha256()
        with open(path, "rb") as file:
            for piece in _pieces(file):
                found.update(piece)
    except OSError:
        return False
    return found.digest().hex().startswith(digest)


def _make_folder_of(path):
    at = path.find("/", 1)
    while at >= 0:
        try:
            os.stat(path[:at])
        except OSError:
            os.mkdir(path[:at])
        at = path.find("/", at + 1)


def _copy(url, path):
    with requests.get(url) as answer:
        if answer.status_code != 200:
            print("Error", answer.status_code, "requesting", url)
            return False
        print("Copying:", path)
        _make_folder_of(path)
        with open(path, "wb") as file:
            for piece in _pieces(answer.raw):
                file.write(piece)
    return True


def _install_list(url, index, target, version, mpy):
    with requests.get(_address(url, version)) as answer:
        if answer.status_code != 200:
            print("Package not found:", url)
            return False
        package = answer.json()
    for name, digest in package.get("hashes", ()):
        path = target + "/" + name
        if _has(path, digest):
            print("Exists:", path)
        elif not _copy("%s/file/%s/%s" % (index, digest[:2], digest), path):
            print("File not found:", name, digest)
            return False
    base = url.rpartition("/")[0]
    for name, source in package.get("urls", ()):
        if not source.startswith(_URLS):
            source = base + "/" + source
        if not _copy(_address(source, version), target + "/" + name):
            print("File not found:", name, source)
            return False
    return all(_install(name, index, target, wanted, mpy) for name, wanted in package.get("deps", ()))


def _install(package, index, target, version, mpy):
    if not package.startswith(_URLS):
        version = version or "latest"
        print("Installing %s (%s) from %s to %s" % (package, version, index, target))
        kind = sys.implementation._mpy & 0xFF if mpy and hasattr(sys.implementation, "_mpy") else "py"
        url = "%s/package/%s/%s/%s.json" % (index, kind, package, version)
        return _install_list(url, index, target, version, mpy)
    if package.endswith((".py", ".mpy")):
        print("Downloading %s to %s" % (package, target))
        return _copy(_address(package, version), target + "/" + package.rpartition("/")[2])
    if not package.endswith(".json"):
        package = package.rstrip("/") + "/package.json"
    print("Installing %s to %s" % (package, target))
    return _install_list(package, index, target, version, mpy)


def install(package, index=None, target=None, version=None, mpy=True):
    if not target:
        target = next((path for path in sys.path if path.endswith("/lib")), None)
        if not target:
            print("Unable to find lib dir in sys.path")
            return
    if _install(package, (index or _INDEX).rstrip("/"), target, version, mpy):
        print("Done")
    else:
        print("Package may be partially installed")
