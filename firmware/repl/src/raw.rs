//! Flow control of the raw-paste mode.
//!
//! After `05 41 01` the board answers `R\x01`, the window size as two bytes, low one first, and `\x01`. The other side may
//! send one window for the size and one more for every `\x01`. Ctrl-D ends the source; the board acknowledges with `\x04`,
//! and sends `\x04` on its own to say that it takes no more.
//!
//! Source: MicroPython's reference manual, "Raw-paste mode", and `do_reader_stdin` in `shared/runtime/pyexec.c`.

use crate::Host;

/// Half of the terminal's input buffer of 256 bytes, so that one window can be on its way while the other is read.
const WINDOW: u16 = 128;

/// State of a raw paste.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Raw {
    remaining: Option<u16>,
}

impl Raw {
    /// Answers the request `command`; `true` if source follows.
    pub(crate) fn begin(&mut self, command: u8, host: &mut impl Host) -> bool {
        if command != b'A' {
            host.write(b"R\x00");
            return false;
        }
        let [low, high] = WINDOW.to_le_bytes();
        host.write(&[b'R', 1, low, high, 1]);
        self.remaining = Some(WINDOW);
        true
    }

    pub(crate) fn is_pasting(&self) -> bool {
        self.remaining.is_some()
    }

    /// Counts a byte of source, and opens the next window when this one is used up.
    pub(crate) fn count(&mut self, host: &mut impl Host) {
        self.remaining = self.remaining.map(|remaining| {
            if remaining > 1 {
                return remaining - 1;
            }
            host.write(b"\x01");
            WINDOW
        });
    }

    /// Says that no more source is taken.
    pub(crate) fn end(&mut self, host: &mut impl Host) {
        host.write(b"\x04");
    }
}
