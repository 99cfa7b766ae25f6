//! The raw paste protocol, as mpremote and Thonny speak it.
//!
//! `05 'A' 01` asks; `'R' 01` and a 16-bit little-endian window answer; each `01` from the board adds a window; `04`
//! from the board stops the transfer; `04` from us ends it. The hand-shake is the tool's business and is not shown.
//! Source: MicroPython `docs/reference/repl.rst`, "raw-paste mode".

use std::time::Duration;

use super::{Failure, Prompt, QUIET, Session};

/// How long the board may take to answer or to make room.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
const REFILL: u8 = 0x01;
const END: u8 = 0x04;

impl Session<'_> {
    pub(super) fn raw_paste(&mut self, source: &str) -> Result<(), Failure> {
        self.last = "raw paste".into();
        if self.prompt != Prompt::Raw {
            return Err(Failure::RawPaste("the board is not in the raw REPL; press Ctrl-A before".into()));
        }
        self.send(b"\x05A\x01")?;
        match self.take(2)?.as_slice() {
            b"R\x01" => {}
            b"R\x00" => {
                return Err(Failure::RawPaste("the firmware knows it but does not support it".into()));
            }
            other => return Err(Failure::RawPaste(format!("unexpected answer {other:02x?}"))),
        }
        let window = self.take(2)?;
        let window = usize::from(u16::from_le_bytes([window[0], window[1]]));
        if window == 0 {
            return Err(Failure::RawPaste("the board offers a window of no bytes".into()));
        }
        self.paste_bytes(source.as_bytes(), window)?;
        self.wait_answer(self.step_bytes, self.limit)
    }

    /// Sends within the window, then the end, and takes the board's flow-control bytes off the stream.
    fn paste_bytes(&mut self, mut rest: &[u8], window: usize) -> Result<(), Failure> {
        let mut room = window;
        while !rest.is_empty() {
            if room == 0 {
                match self.take(1)?[0] {
                    REFILL => room += window,
                    END => return self.send(&[END]),
                    other => {
                        return Err(Failure::RawPaste(format!("unexpected byte {other:02x} while sending")));
                    }
                }
            }
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.send(now)?;
            room -= now.len();
            rest = later;
        }
        self.send(&[END])?;
        loop {
            match self.take(1)?[0] {
                REFILL => {}
                END => return Ok(()),
                other => return Err(Failure::RawPaste(format!("unexpected byte {other:02x} at the end"))),
            }
        }
    }

    /// Exactly so many bytes, none of them shown.
    fn take(&mut self, count: usize) -> Result<Vec<u8>, Failure> {
        let mut taken = Vec::with_capacity(count);
        let deadline = self.now() + ANSWER_LIMIT;
        while taken.len() < count {
            let mut byte = [0];
            if self.read_raw(&mut byte, QUIET)? == 1 {
                taken.push(byte[0]);
            } else if self.now() >= deadline {
                return Err(Failure::RawPaste(format!("no answer within {ANSWER_LIMIT:?}")));
            }
        }
        Ok(taken)
    }
}
