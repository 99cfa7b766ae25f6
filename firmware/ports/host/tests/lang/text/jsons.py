# json: reading and writing.
import json, io
def show(make):
    try:
        print(repr(make()))
    except Exception as e:
        print(type(e).__name__, e)

for value in (None, True, False, 0, -5, 1 << 70, "a\"b\\c\n\r\t\x01é", b"bytes", [], [1, [2, []]], (), (1,), {}, {"k": [1, {"x": None}]}, {1: 2}, {None: 3}, {True: 4}, [1.5, -0.25]):
    print(json.dumps(value))
print(json.dumps([1, {"a": 2}], separators=(",", ":")), json.dumps({"a": 1}, separators=("; ", " = ")))
class A:
    def __repr__(self):
        return "A!"
print(json.dumps([A()]))
out = io.StringIO()
json.dump({"a": [1, "é"]}, out)
print(len(out.getvalue()), json.loads(out.getvalue()) == {"a": [1, "é"]})
for text in ("null", "true", "false", "0", "-12", "123456789012345678901", "1.5", "-2e3", "1E-2", '""', '"a\\n\\t\\"\\\\\\/\\b\\f\\r"', '"\\u0041\\u00e9"', "[]", "[1, 2, 3]", "[[[]]]", "{}", '{"a": 1, "b": [true, null]}', ' [ 1 , {"k":"v"} ] ', '[1 2 3]', '{"a" 1}', "[1,]", '{"a":1,}'):
    show(lambda: json.loads(text))
for text in ("", " ", "nul", "tru", "[", "]", "{", "[1", '{"a"', '"abc', '"abc\\', "1 2", "[1] x", "x", "{[1]:2}", "+1", "-", "1.2.3", "{1}", "[1}"):
    show(lambda: json.loads(text))
print(json.loads(b'[1, "x"]'), json.loads(bytearray(b'{"a": 2}')), json.load(io.StringIO('["s", 1]')), json.load(io.BytesIO(b"[2]")))
show(lambda: json.loads(5))
show(lambda: json.load(5))
show(lambda: json.dump(1, 5))
deep = "[" * 300 + "]" * 300
x = json.loads(deep)
n = 0
while x:
    x = x[0]
    n += 1
print(n, json.loads('{"' + "k" * 300 + '": 1}') == {"k" * 300: 1})
print(json.loads(json.dumps({"x": [1, 2.5, "s", None, True, {"y": []}]})) == {"x": [1, 2.5, "s", None, True, {"y": []}]})
