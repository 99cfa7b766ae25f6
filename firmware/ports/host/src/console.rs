//! Standard input and output as a board's terminal.
//!
//! While the prompt runs on a terminal, the terminal is in raw mode, so that the prompt edits lines itself; a guard puts
//! it back.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// The terminal.
pub struct Terminal {
    /// Bytes typed, from the thread that reads standard input; made when first needed.
    input: Option<Receiver<u8>>,
    /// A byte taken from `input` that nobody has read yet.
    ahead: Option<u8>,
    /// Standard input has ended.
    ended: bool,
    out: std::io::Stdout,
}

impl Terminal {
    /// The process's standard streams.
    pub fn new() -> Terminal {
        Terminal { input: None, ahead: None, ended: false, out: std::io::stdout() }
    }

    /// Writes and flushes: what a program prints is seen at once. A reader that is gone is no reason to fail.
    pub fn write(&mut self, bytes: &[u8]) {
        let _ = self.out.write_all(bytes);
        let _ = self.out.flush();
    }

    /// Waits for a byte, at most `timeout`; true if there is one.
    pub fn wait(&mut self, timeout: Duration) -> bool {
        if self.ahead.is_some() || self.ended {
            return self.ahead.is_some();
        }
        match self.input().recv_timeout(timeout) {
            Ok(byte) => self.ahead = Some(byte),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => self.ended = true,
        }
        self.ahead.is_some()
    }

    /// The next byte, if one was typed.
    pub fn read(&mut self) -> Option<u8> {
        if let Some(byte) = self.ahead.take() {
            return Some(byte);
        }
        match self.input().try_recv() {
            Ok(byte) => Some(byte),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                self.ended = true;
                None
            }
        }
    }

    /// Whether standard input has ended.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    fn input(&mut self) -> &Receiver<u8> {
        self.input.get_or_insert_with(|| {
            let (sender, receiver) = channel();
            std::thread::spawn(move || {
                let mut byte = [0];
                while let Ok(1) = std::io::stdin().read(&mut byte) {
                    if byte[0] == larch_repl::CTRL_C && INTERRUPTS.load(Ordering::Relaxed) {
                        larch_vm::vm::interrupt();
                        continue;
                    }
                    if sender.send(byte[0]).is_err() {
                        break;
                    }
                }
            });
            receiver
        })
    }
}

/// Whether a Ctrl-C that is typed interrupts the program; else it is a byte as any other.
static INTERRUPTS: AtomicBool = AtomicBool::new(false);

/// Says whether a Ctrl-C that is typed interrupts the program.
pub fn interrupt_on_ctrl_c(enabled: bool) {
    INTERRUPTS.store(enabled, Ordering::Relaxed);
}

/// Whether the terminal is in raw mode, so that line feeds need carriage returns.
static IS_RAW: AtomicBool = AtomicBool::new(false);

/// Keeps the terminal in raw mode; dropping it puts the old mode back.
pub struct RawMode {
    before: Termios,
}

impl RawMode {
    /// Switches, if standard input is a terminal.
    pub fn enter() -> Option<RawMode> {
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Now, &raw).ok()?;
        IS_RAW.store(true, Ordering::Relaxed);
        Some(RawMode { before })
    }
}

/// Whether the terminal is in raw mode.
pub fn is_raw() -> bool {
    IS_RAW.load(Ordering::Relaxed)
}

impl Drop for RawMode {
    fn drop(&mut self) {
        IS_RAW.store(false, Ordering::Relaxed);
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}
