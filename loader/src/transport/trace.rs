//! The wire on record: everything that passes through a transport, as lines of text.
//!
//! A line is: seconds since the start, then what happened: `> hex` sent, `< hex` received, `baud N`, `lines DTR RTS`.
//! `larch-loader replay FILE` decodes it; [`parse`] gives it back.

use super::{Lines, Transport};
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

    fn note(&mut self, what: std::fmt::Arguments<'_>) -> io::Result<()> {
        writeln!(self.log, "{:.6} {what}", self.inner.now().as_secs_f64())
    }
}

struct Hex<'b>(&'b [u8]);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<T: Transport, W: Write> Transport for Traced<T, W> {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        let count = self.inner.read(buf, timeout)?;
        if count > 0 {
            self.note(format_args!("< {}", Hex(&buf[..count])))?;
        }
        Ok(count)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.note(format_args!("> {}", Hex(bytes)))?;
        self.inner.write_all(bytes)
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.note(format_args!("baud {baud}"))?;
        self.inner.set_baud(baud)
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.note(format_args!("lines {} {}", u8::from(lines.dtr), u8::from(lines.rts)))?;
        self.inner.set_lines(lines)
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.inner.discard_input()
    }

    fn sleep(&mut self, duration: Duration) {
        self.inner.sleep(duration);
    }

    fn now(&self) -> Duration {
        self.inner.now()
    }
}

/// Reads a record: moments in seconds and what happened then.
///
/// # Errors
/// The number of the first line that is none.
pub fn parse(text: &str) -> Result<Vec<(f64, Entry)>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            parse_line(line).ok_or_else(|| format!("line {} is no line of a trace", index + 1))
        })
        .collect()
}

fn parse_line(line: &str) -> Option<(f64, Entry)> {
    let mut words = line.split_whitespace();
    let seconds = words.next()?.parse().ok()?;
    let entry = match (words.next()?, words.next()?) {
        (">", hex) => Entry::Sent(bytes(hex)?),
        ("<", hex) => Entry::Received(bytes(hex)?),
        ("baud", baud) => Entry::Baud(baud.parse().ok()?),
        ("lines", dtr) => Entry::Lines(Lines { dtr: dtr == "1", rts: words.next()? == "1" }),
        _ => return None,
    };
    Some((seconds, entry))
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let pairs =
        digits.chunks_exact(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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

        fn set_baud(&mut self, _baud: u32) -> io::Result<()> {
            Ok(())
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
        let mut log = Vec::new();
        let mut traced = Traced::new(Echo::default(), &mut log);
        traced.set_baud(115_200).unwrap();
        traced.set_lines(Lines { dtr: true, rts: false }).unwrap();
        traced.write_all(&[0xC0, 1]).unwrap();
        traced.read(&mut [0; 8], Duration::ZERO).unwrap();
        let text = String::from_utf8(log).unwrap();
        assert_eq!(text, "1.500000 baud 115200\n1.500000 lines 1 0\n1.500000 > c001\n1.500000 < c001\n");
        let entries: Vec<Entry> = parse(&text).unwrap().into_iter().map(|(_, entry)| entry).collect();
        let expected = [
            Entry::Baud(115_200),
            Entry::Lines(Lines { dtr: true, rts: false }),
            Entry::Sent(vec![0xC0, 1]),
            Entry::Received(vec![0xC0, 1]),
        ];
        assert_eq!(entries, expected);
    }

    #[test]
    fn other_text_is_no_trace() {
        for wrong in ["hello", "1.0 > c", "1.0 > zz", "x > 00", "1.0 lines 1", "1.0 > é0"] {
            assert_eq!(
                parse(&format!("\n{wrong}")),
                Err("line 2 is no line of a trace".to_owned()),
                "{wrong}"
            );
        }
    }
}
