//! Any input, to a whole board in memory: what is typed goes in, what is printed comes out; and to the network's stack alone.
//!
//! An entry point for each kind of input takes bytes of any content. It panics if the firmware does, and if the board does
//! not answer at a fresh prompt afterwards. `tests/seeds.rs` runs all of them on a fixed sample; `libfuzzer` searches.
//!
//! Invariant: one board lives at a time; its memory is used again for the next.
#![forbid(unsafe_code)]

mod board;
mod mutate;
mod net;

use std::fmt::Write as _;

pub use board::talk;
pub use mutate::Mutator;
pub use net::{dhcp, dns, frames};

/// Brings the board to a fresh prompt from wherever it is.
const RECOVER: &[u8] = b"\x03\x03\x02\x03\x04";
/// What a living board answers with [`ANSWER`]. The question is echoed, and must not be taken for the answer.
const QUESTION: &[u8] = b"print('al' 'ive', 6 * 7)\r";
const ANSWER: &str = "alive 42\r\n";

/// A kind of input: its name and its entry point.
pub type Target = (&'static str, fn(&[u8]));

/// The kinds of input.
pub const TARGETS: [Target; 10] = [
    ("source", source),
    ("repl", repl),
    ("raw_paste", raw_paste),
    ("pattern", pattern),
    ("json", json),
    ("struct_format", struct_format),
    ("mpy", mpy),
    ("frames", frames),
    ("dhcp", dhcp),
    ("dns", dns),
];

/// What is typed, with what follows to see that the board lives. A board that was asked for more time than there is was
/// switched off, and says nothing.
fn check(typed: &[u8]) {
    // A program that reads the console takes what follows it, and rightly.
    if [&b"input"[..], b"stdin", b"buffer"].iter().any(|word| typed.windows(word.len()).any(|at| at == *word))
    {
        return;
    }
    let Some(said) = talk(&[typed, RECOVER, QUESTION].concat()) else { return };
    assert!(said.ends_with(&format!("{ANSWER}>>> ")), "the board does not answer:\n{}", tail(&said));
}

fn tail(said: &str) -> String {
    let from = said.char_indices().rev().nth(2000).map_or(0, |(at, _)| at);
    said[from..].to_owned()
}

/// A program, as a tool sends it.
pub fn source(data: &[u8]) {
    let program: Vec<u8> = data.iter().copied().filter(|byte| *byte > 4).collect();
    check(&[b"\x01", &program[..], b"\x04"].concat());
}

/// What is typed at the prompt, control keys included.
pub fn repl(data: &[u8]) {
    check(data);
}

/// What a tool sends after it asked for raw paste mode.
pub fn raw_paste(data: &[u8]) {
    check(&[b"\x01\x05A\x01", data].concat());
}

/// A regular expression and a text, separated by a zero byte.
pub fn pattern(data: &[u8]) {
    let (pattern, text) = halves(data);
    run(&format!(
        "import re\np = re.compile({pattern})\nt = {text}\nfor f in (p.match, p.search, p.split):\n print(f(t))\n\
         print(p.sub('<\\\\g<0>>', t))\nm = p.search(t)\nif m: print(m.group(0), m.groups(), m.span())\n"
    ));
}

/// A JSON text: what can be read is written and read again.
pub fn json(data: &[u8]) {
    let text = literal(data);
    run(&format!(
        "import json\nv = json.loads({text})\nw = json.dumps(v)\nassert json.dumps(json.loads(w)) == w, w\n"
    ));
}

/// A format and bytes, separated by a zero byte: what can be unpacked is packed again.
pub fn struct_format(data: &[u8]) {
    let (format, bytes) = halves(data);
    run(&format!(
        "import struct\nf = {format}\nb = {bytes}\nn = struct.calcsize(f)\nprint(n)\n\
         v = struct.unpack(f, (b * (n // max(1, len(b)) + 1))[:n] if b else bytes(n))\nprint(len(v), struct.pack(f, *v) is None)\n\
         print(struct.unpack_from(f, b, len(b) - n))\n"
    ));
}

/// A `.mpy` file: it is imported, and what it defines is called. `input` is away, or it could take what is typed next.
pub fn mpy(data: &[u8]) {
    let digits: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
    run(&format!("import binascii\nDATA = binascii.unhexlify('{digits}')\n{IMPORT}"));
}

/// Imports `DATA` as a module from a file system in memory, and calls what is in it.
const IMPORT: &str = "\
import builtins, io, sys, vfs
builtins.input = None
class File(io.IOBase):
    def __init__(self):
        self.at = 0
    def readinto(self, place):
        part = DATA[self.at : self.at + len(place)]
        place[: len(part)] = part
        self.at += len(part)
        return len(part)
    def ioctl(self, request, argument):
        return 0
class Files:
    def mount(self, *arguments):
        pass
    def stat(self, path):
        if path == '/fuzzed.mpy':
            return (0x8000,) + (0,) * 9
        raise OSError(2)
    def open(self, path, mode):
        return File()
vfs.mount(Files(), '/memory')
sys.path.insert(0, '/memory')
import fuzzed
for name in dir(fuzzed):
    for count in range(3):
        try:
            made = getattr(fuzzed, name)(*range(1, 1 + count))
            print(name, made)
            print(next(made), next(made))
        except Exception as error:
            print(name, repr(error))
";

fn run(program: &str) {
    source(program.as_bytes());
}

fn halves(data: &[u8]) -> (String, String) {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    (literal(&data[..at]), literal(data.get(at + 1..).unwrap_or_default()))
}

/// The bytes as a Python literal: text if they are UTF-8 and their first byte is even, so that both kinds come up.
fn literal(data: &[u8]) -> String {
    let mut text = String::from("b'");
    if let Ok(string) = std::str::from_utf8(data)
        && data.first().is_none_or(|first| first % 2 == 0)
    {
        text = String::from("'");
        for char in string.chars() {
            // A `String` takes all that is written.
            let _ = match char {
                ' '..='~' if char != '\'' && char != '\\' => write!(text, "{char}"),
                _ => write!(text, "\\U{:08x}", u32::from(char)),
            };
        }
    } else {
        for byte in data {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text + "'"
}
