//! The wire on record: everything that passes through a transport, as lines of text.
//!
//! A line is `SECONDS WHAT`, the moment on the transport's own clock and what happened then:
//!
//! ```text
//! # board: esp32c3-emu                  a comment; `word: value` says something about the session
//! 0.000000 baud 115200                  a new speed of both directions
//! 0.000000 lines 1 0                    DTR, RTS; 1 is asserted
//! 0.100000 > c00008240000               sent, as hexadecimal digits
//! 0.112345 < "MicroPython v1\r\n"       received, as text: \r \n \t \\ \" and \xNN for every other byte
//! 0.112345 discard                      what had arrived and was not read was thrown away
//! 0.200000 reset                        the board was reset by something other than its control lines
//! 0.300000 mark "1 + 1"                 a remark of the program that holds the port: its next step
//! 0.400000 closed "no such device"      the port failed
//! ```
//!
//! Bytes are written as text when most are printable; [`parse`] takes both. Files are ASCII.
//! `larch-loader replay FILE` decodes a record, [`super::Replayed`] plays it to a program.

use super::{Lines, Transport};
use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::time::Duration;

/// Something that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Bytes to the chip.
    Sent(Vec<u8>),
    /// Bytes from the chip.
    Received(Vec<u8>),
    /// A new speed.
    Baud(u32),
    /// The control lines.
    Lines(Lines),
    /// Input was thrown away.
    Discarded,
    /// The board was reset by something other than its control lines: a button, a restart.
    Reset,
    /// A remark of the program.
    Mark(String),
    /// The port failed.
    Closed(String),
}

impl fmt::Display for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent(bytes) => write!(out, "> {}", Bytes(bytes)),
            Self::Received(bytes) => write!(out, "< {}", Bytes(bytes)),
            Self::Baud(baud) => write!(out, "baud {baud}"),
            Self::Lines(lines) => write!(out, "lines {} {}", u8::from(lines.dtr), u8::from(lines.rts)),
            Self::Discarded => out.write_str("discard"),
            Self::Reset => out.write_str("reset"),
            Self::Mark(text) => write!(out, "mark {}", Quoted(text.as_bytes())),
            Self::Closed(text) => write!(out, "closed {}", Quoted(text.as_bytes())),
        }
    }
}

/// A transport that writes down what passes.
pub struct Traced<T, W> {
    inner: T,
    log: W,
}

impl<T: Transport, W: Write> Traced<T, W> {
    /// Records `inner` into `log`.
    pub fn new(inner: T, log: W) -> Self {
        Self { inner, log }
    }

    fn note(&mut self, entry: &Entry) -> io::Result<()> {
        write(&mut self.log, self.inner.now(), entry)
    }

    /// A failure of the port is part of the record.
    fn noted<R>(&mut self, outcome: io::Result<R>) -> io::Result<R> {
        if let Err(error) = &outcome {
            self.note(&Entry::Closed(error.to_string()))?;
        }
        outcome
    }
}

/// Writes one line of a record.
///
/// # Errors
/// If it cannot be written.
pub fn write(log: &mut impl Write, now: Duration, entry: &Entry) -> io::Result<()> {
    writeln!(log, "{:.6} {entry}", now.as_secs_f64())
}

/// Hexadecimal, or text if most of it can be read.
struct Bytes<'b>(&'b [u8]);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let readable = |byte: &&u8| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t');
        if 4 * self.0.iter().filter(readable).count() >= 3 * self.0.len() {
            return Quoted(self.0).fmt(out);
        }
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

struct Quoted<'b>(&'b [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_char('"')?;
        for byte in self.0 {
            match byte {
                b'\r' => out.write_str("\\r")?,
                b'\n' => out.write_str("\\n")?,
                b'\t' => out.write_str("\\t")?,
                b'"' | b'\\' => write!(out, "\\{}", char::from(*byte))?,
                b' '..=b'~' => out.write_char(char::from(*byte))?,
                other => write!(out, "\\x{other:02x}")?,
            }
        }
        out.write_char('"')
    }
}

impl<T: Transport, W: Write> Transport for Traced<T, W> {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        let outcome = self.inner.read(buf, timeout);
        let count = self.noted(outcome)?;
        if count > 0 {
            self.note(&Entry::Received(buf[..count].to_vec()))?;
        }
        Ok(count)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !bytes.is_empty() {
            self.note(&Entry::Sent(bytes.to_vec()))?;
        }
        let outcome = self.inner.write_all(bytes);
        self.noted(outcome)
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.note(&Entry::Baud(baud))?;
        let outcome = self.inner.set_baud(baud);
        self.noted(outcome)
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.note(&Entry::Lines(lines))?;
        let outcome = self.inner.set_lines(lines);
        self.noted(outcome)
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.note(&Entry::Discarded)?;
        let outcome = self.inner.discard_input();
        self.noted(outcome)
    }

    fn sleep(&mut self, duration: Duration) {
        self.inner.sleep(duration);
    }

    fn now(&self) -> Duration {
        self.inner.now()
    }
}

/// Reads a record: moments and what happened then.
///
/// # Errors
/// The number of the first line that is none.
pub fn parse(text: &str) -> Result<Vec<(Duration, Entry)>, String> {
    let is_entry = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    let lines = text.lines().enumerate().filter(|(_, line)| is_entry(line));
    lines
        .map(|(index, line)| {
            parse_line(line).ok_or_else(|| format!("line {} is no line of a trace", index + 1))
        })
        .collect()
}

fn parse_line(line: &str) -> Option<(Duration, Entry)> {
    let (seconds, what) = line.trim_end().split_once(' ')?;
    let seconds = seconds.parse().ok().filter(|seconds| (0.0..1e9).contains(seconds))?;
    let moment = Duration::try_from_secs_f64(seconds).ok()?;
    let (word, rest) = what.split_once(' ').unwrap_or((what, ""));
    let entry = match (word, rest) {
        (">", rest) => Entry::Sent(bytes(rest)?),
        ("<", rest) => Entry::Received(bytes(rest)?),
        ("baud", rest) => Entry::Baud(rest.parse().ok()?),
        ("lines", rest) => {
            let (dtr, rts) = rest.split_once(' ')?;
            Entry::Lines(Lines { dtr: level(dtr)?, rts: level(rts)? })
        }
        ("discard", "") => Entry::Discarded,
        ("reset", "") => Entry::Reset,
        ("mark", rest) => Entry::Mark(text(rest)?),
        ("closed", rest) => Entry::Closed(text(rest)?),
        _ => return None,
    };
    Some((moment, entry))
}

fn level(word: &str) -> Option<bool> {
    match word {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

fn text(quoted: &str) -> Option<String> {
    Some(String::from_utf8_lossy(&unquote(quoted)?).into_owned())
}

fn bytes(word: &str) -> Option<Vec<u8>> {
    if word.starts_with('"') {
        return unquote(word);
    }
    let digits = word.as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks_exact(2).map(|pair| hex(pair[0], pair[1])).collect()
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn unquote(word: &str) -> Option<Vec<u8>> {
    let mut rest = word.strip_prefix('"')?.strip_suffix('"')?.bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next()? {
                b'r' => b'\r',
                b'n' => b'\n',
                b't' => b'\t',
                b'x' => hex(rest.next()?, rest.next()?)?,
                same @ (b'"' | b'\\') => same,
                _ => return None,
            },
            b' '..=b'~' if byte != b'"' => byte,
            _ => return None,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Echoes what it is sent.
    #[derive(Default)]
    struct Echo(Vec<u8>);

    impl Transport for Echo {
        fn read(&mut self, buf: &mut [u8], _timeout: Duration) -> io::Result<usize> {
            let count = buf.len().min(self.0.len());
            buf[..count].copy_from_slice(&self.0[..count]);
            self.0.drain(..count);
            Ok(count)
        }

        fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.0.extend(bytes);
            Ok(())
        }

        fn set_baud(&mut self, baud: u32) -> io::Result<()> {
            if baud == 0 { Err(io::Error::other("no such \"speed\"")) } else { Ok(()) }
        }

        fn set_lines(&mut self, _lines: Lines) -> io::Result<()> {
            Ok(())
        }

        fn discard_input(&mut self) -> io::Result<()> {
            self.0.clear();
            Ok(())
        }

        fn sleep(&mut self, _duration: Duration) {}

        fn now(&self) -> Duration {
            Duration::from_millis(1500)
        }
    }

    #[test]
    fn what_passes_is_written_down_and_read_again() {
        let mut log = b"# board: none\n".to_vec();
        let mut traced = Traced::new(Echo::default(), &mut log);
        traced.set_baud(115_200).unwrap();
        traced.set_lines(Lines { dtr: true, rts: false }).unwrap();
        traced.write_all(&[0xC0, 1]).unwrap();
        traced.read(&mut [0; 8], Duration::ZERO).unwrap();
        traced.write_all(b"\"a\\\xff\r").unwrap();
        traced.discard_input().unwrap();
        traced.set_baud(0).unwrap_err();
        let text = String::from_utf8(log).unwrap();
        let lines = [
            "# board: none",
            "1.500000 baud 115200",
            "1.500000 lines 1 0",
            "1.500000 > c001",
            "1.500000 < c001",
            r#"1.500000 > "\"a\\\xff\r""#,
            "1.500000 discard",
            "1.500000 baud 0",
            r#"1.500000 closed "no such \"speed\"""#,
        ];
        assert_eq!(text, lines.join("\n") + "\n");
        let entries: Vec<Entry> = parse(&text).unwrap().into_iter().map(|(_, entry)| entry).collect();
        let expected = [
            Entry::Baud(115_200),
            Entry::Lines(Lines { dtr: true, rts: false }),
            Entry::Sent(vec![0xC0, 1]),
            Entry::Received(vec![0xC0, 1]),
            Entry::Sent(b"\"a\\\xff\r".to_vec()),
            Entry::Discarded,
            Entry::Baud(0),
            Entry::Closed("no such \"speed\"".into()),
        ];
        assert_eq!(entries, expected);
    }

    #[test]
    fn other_text_is_no_trace() {
        let wrong = [
            "hello",
            "1.0 > c",
            "1.0 > zz",
            "x > 00",
            "1.0 lines 1",
            "1.0 > é0",
            "1.0 > ",
            "1.0 > \"",
            "1.0 lines 1 2",
            "1.0 > \"\\q\"",
            "1.0 > \"\\x4\"",
            "1.0 > \"a\"b\"",
            "-1.0 reset",
            "NaN reset",
            "1.0 reset now",
            "1.0 mark x",
        ];
        for wrong in wrong {
            assert_eq!(
                parse(&format!("\n{wrong}")),
                Err("line 2 is no line of a trace".to_owned()),
                "{wrong}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..200), remark in ".{0,40}") {
            for entry in [Entry::Sent(bytes.clone()), Entry::Received(bytes), Entry::Mark(remark)] {
                let mut line = Vec::new();
                write(&mut line, Duration::from_micros(1_500_001), &entry).unwrap();
                prop_assert!(line.is_ascii());
                let text = String::from_utf8(line).unwrap();
                prop_assert_eq!(parse(&text).unwrap(), vec![(Duration::from_micros(1_500_001), entry)]);
            }
        }

        #[test]
        fn any_text_is_harmless(text in "([0-9.]{1,4} ?[><a-z]{0,8} ?[\"\\\\0-9a-fx]{0,20}\n?){0,6}|.{0,200}") {
            let _ = parse(&text);
        }
    }
}
