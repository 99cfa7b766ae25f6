# requests: asks web servers. HTTP/1.0, so an answer ends with its connection and is never in chunks; TLS by `ssl`.
import socket


class Response:
    def __init__(self, raw, status_code, reason, headers):
        self.raw = raw
        self.status_code = status_code
        self.reason = reason
        self.headers = headers
        self.encoding = "utf-8"
        self._content = None

    def close(self):
        if self.raw:
            self.raw.close()
            self.raw = None

    @property
    def content(self):
        if self._content is None:
            try:
                self._content = self.raw.read()
            finally:
                self.close()
        return self._content

    @property
    def text(self):
        return str(self.content, self.encoding)

    def json(self):
        import json

        return json.loads(self.content)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def _split(url):
    scheme, sep, rest = url.partition("://")
    if not sep or scheme not in ("http", "https"):
        raise ValueError("not an http address: " + url)
    authority, _, path = rest.partition("/")
    host, _, port = authority.partition(":")
    secure = scheme == "https"
    return secure, authority, host, int(port or (443 if secure else 80)), "/" + path


def _connect(secure, host, port, timeout):
    family, kind, proto, _, address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    s = socket.socket(family, kind, proto)
    try:
        if timeout is not None:
            s.settimeout(timeout)
        s.connect(address)
        if secure:
            import ssl

            s = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(s, server_hostname=host)
    except:
        s.close()
        raise
    return s


def _send(s, method, path, authority, data, headers):
    lines = ["%s %s HTTP/1.0" % (method, path)]
    if not any(name.lower() == "host" for name in headers):
        lines.append("Host: " + authority)
    for name, value in headers.items():
        lines.append("%s: %s" % (name, value))
    pieces = None
    if data is not None:
        if hasattr(data, "read") or hasattr(data, "__next__"):
            pieces = data
        else:
            if isinstance(data, str):
                data = data.encode()
            lines.append("Content-Length: %d" % len(data))
    lines.append("Connection: close\r\n\r\n")
    s.write("\r\n".join(lines).encode())
    if hasattr(pieces, "read"):
        while True:
            piece = data.read(512)
            if not piece:
                break
            s.write(piece)
    elif pieces is not None:
        for piece in pieces:
            s.write(piece)
    elif data:
        s.write(data)


def _receive(s):
    status = s.readline().split(None, 2)
    if len(status) < 2 or not status[0].startswith(b"HTTP/"):
        raise ValueError("HTTP error: BadStatusLine:\n%s" % status)
    reason = status[2].rstrip() if len(status) > 2 else b""
    headers = {}
    while True:
        line = s.readline()
        if not line or line == b"\r\n":
            return int(status[1]), reason, headers
        name, _, value = str(line, "utf-8").partition(":")
        headers[name] = value.strip()


def request(
    method, url, data=None, json=None, headers=None, stream=None, auth=None, timeout=None, parse_headers=True
):
    headers = dict(headers or {})
    if auth is not None:
        from binascii import b2a_base64

        token = b2a_base64(("%s:%s" % auth).encode())[:-1]
        headers["Authorization"] = "Basic " + str(token, "utf-8")
    if json is not None:
        from json import dumps

        data = dumps(json)
        headers["Content-Type"] = "application/json"
    for _ in range(6):
        secure, authority, host, port, path = _split(url)
        s = _connect(secure, host, port, timeout)
        try:
            _send(s, method, path, authority, data, headers)
            status, reason, answered = _receive(s)
        except:
            s.close()
            raise
        location = [answered[name] for name in answered if name.lower() == "location"]
        if status not in (301, 302, 303, 307, 308) or not location:
            return Response(s, status, reason, answered)
        s.close()
        url = location[0] if "://" in location[0] else url[: url.index(authority)] + authority + location[0]
        if status == 303:
            method, data = "GET", None
    raise ValueError("too many redirects")


def head(url, **kw):
    return request("HEAD", url, **kw)


def get(url, **kw):
    return request("GET", url, **kw)


def post(url, **kw):
    return request("POST", url, **kw)


def put(url, **kw):
    return request("PUT", url, **kw)


def patch(url, **kw):
    return request("PATCH", url, **kw)


def delete(url, **kw):
    return request("DELETE", url, **kw)
