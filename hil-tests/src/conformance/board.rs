//! Tests on a board, over its raw REPL: a soft reset before each, then raw paste, which has flow control.
//! Source: MicroPython `docs/reference/repl.rst`.

use std::time::Duration;

use super::expect::unix_lines;
use super::suite::Test;
use super::{Answer, Target};
use crate::session::{BOOT_LIMIT, Console};

/// The suite's time limit.
const LIMIT: Duration = Duration::from_secs(30);
/// How long the board may take to answer a request of the protocol.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
const RAW_PROMPT: &[u8] = b"raw REPL; CTRL-B to exit\r\n>";
const REFILL: u8 = 0x01;
const END: u8 = 0x04;
/// More output than any test has.
const FLOOD_BYTES: usize = 1 << 20;

/// A board.
pub struct Board<'c> {
    console: &'c mut dyn Console,
    is_raw: bool,
    /// A terminal in between writes a carriage return before every line feed, also where the board has written one.
    has_terminal: bool,
}

impl<'c> Board<'c> {
    /// A board that is flashed; it is reset first.
    #[must_use]
    pub fn new(console: &'c mut dyn Console) -> Board<'c> {
        Board { console, is_raw: false, has_terminal: false }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.console.port().write_all(bytes).map_err(|error| format!("the board's port: {error}"))
    }

    /// Reads until what came ends with `end`; that is taken off. `None`: it did not come in time.
    fn read_until(&mut self, end: &[u8], limit: Duration) -> Result<Result<Vec<u8>, Vec<u8>>, String> {
        let deadline = self.console.port().now() + limit;
        let mut came = Vec::new();
        let mut byte = [0];
        while !came.ends_with(end) {
            let count = self
                .console
                .port()
                .read(&mut byte, Duration::from_millis(50))
                .map_err(|error| format!("the board's port: {error}"))?;
            came.extend_from_slice(&byte[..count]);
            if self.has_terminal && count > 0 && came.ends_with(b"\r\r\n") {
                came.remove(came.len() - 2);
            }
            if self.console.port().now() >= deadline || came.len() > FLOOD_BYTES {
                return Ok(Err(came));
            }
        }
        came.truncate(came.len() - end.len());
        Ok(Ok(came))
    }

    fn expect(&mut self, end: &[u8], limit: Duration, what: &str) -> Result<Vec<u8>, String> {
        self.read_until(end, limit)?
            .map_err(|came| format!("no {what} from the board; it said {:?}", String::from_utf8_lossy(&came)))
    }

    /// A fresh interpreter at the raw prompt.
    fn reset(&mut self) -> Result<(), String> {
        if self.is_raw {
            self.write(b"\x04")?;
            let came = self.read_until(RAW_PROMPT, BOOT_LIMIT)?;
            if came.is_ok() {
                return Ok(());
            }
        }
        self.console.hard_reset().map_err(|error| format!("hard reset: {error}"))?;
        self.expect(b">>> ", BOOT_LIMIT, "prompt")?;
        self.write(b"\x01")?;
        self.has_terminal = false;
        self.expect(b"raw REPL; CTRL-B to exit", ANSWER_LIMIT, "raw prompt")?;
        self.has_terminal = self.expect(b"\n>", ANSWER_LIMIT, "raw prompt")? == b"\r\r";
        self.is_raw = true;
        Ok(())
    }

    /// Sends a program by raw paste; it runs then.
    fn paste(&mut self, mut rest: &[u8]) -> Result<(), String> {
        self.write(b"\x05A\x01")?;
        self.expect(b"R\x01", ANSWER_LIMIT, "raw paste")?;
        let window = [self.byte()?, self.byte()?];
        let window = usize::from(u16::from_le_bytes(window)).max(1);
        let mut room = window;
        while !rest.is_empty() {
            if room == 0 {
                match self.byte()? {
                    REFILL => room += window,
                    // The board has enough: it refuses the program, and says why.
                    END => {
                        self.write(&[END])?;
                        return Ok(());
                    }
                    other => return Err(format!("unexpected byte {other:#04x} in raw paste")),
                }
            }
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.write(now)?;
            room -= now.len();
            rest = later;
        }
        self.write(&[END])?;
        while self.byte()? != END {}
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, String> {
        let deadline = self.console.port().now() + ANSWER_LIMIT;
        let mut byte = [0];
        loop {
            let count = self
                .console
                .port()
                .read(&mut byte, Duration::from_millis(50))
                .map_err(|error| format!("the board's port: {error}"))?;
            if count == 1 {
                return Ok(byte[0]);
            }
            if self.console.port().now() >= deadline {
                return Err("the board does not answer in raw paste".into());
            }
        }
    }
}

impl Target for Board<'_> {
    fn run(&mut self, test: &Test) -> Result<Answer, String> {
        self.reset()?;
        self.paste(&test.source()?)?;
        let output = match self.read_until(&[END], LIMIT)? {
            Ok(output) => output,
            Err(mut came) => {
                self.is_raw = false;
                came.extend_from_slice(b"TIMEOUT");
                return Ok(Answer { text: unix_lines(&came), crashed: true });
            }
        };
        let error = self.expect(&[END], ANSWER_LIMIT, "end of the answer")?;
        let crashed = !error.is_empty();
        let text = [output, error].concat();
        // After SystemExit the board resets itself; the next test's reset waits for that.
        Ok(Answer { text: unix_lines(&text), crashed })
    }
}
