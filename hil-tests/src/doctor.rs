//! `boards doctor`: what is the matter with a board, in plain words, each finding with an outcome code.
//!
//! The checks go from the outside in and stop where the next one would make no sense: port, who else has it, opening it,
//! reset lines, what the chip prints, prompt, firmware, power. Codes below 60 are the loader's for the same findings.

mod check;

use std::fmt;
use std::time::Duration;

use larch_boards::{Board, FlashMethod, Port, Reset};
use larch_loader::ports;
use larch_loader::transport::Transport;

pub use self::check::examine;
use crate::lab::Lab;
use crate::lock;
use crate::probe;
use crate::session::Session;
use crate::target::serial;

/// The ROM waits for the loader; the loader's code for the same.
pub const DOWNLOAD_MODE: u8 = 28;
/// Another larch process uses the board.
pub const IN_USE: u8 = 60;
/// It runs other firmware than ours as it is built now.
pub const OTHER_FIRMWARE: u8 = 61;
/// The control lines do not reset it.
pub const NO_RESET: u8 = 62;
/// Its power cannot be switched.
pub const NO_POWER_SWITCH: u8 = 63;
/// A program runs, but there is no prompt.
pub const NO_PROMPT: u8 = 64;
/// The program that the board is, or needs, is not installed.
pub const NO_PROGRAM: u8 = 65;
/// It sends without end.
pub const FLOOD: u8 = 66;
/// An environment variable with a secret is not set.
pub const NO_SECRET: u8 = 67;

/// The debug probe does not reach a chip that can be flashed.
pub const NO_PROBE: u8 = 68;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at: `port`, `reset lines`, ...
    pub check: &'static str,
    /// 0 if it is as it should be.
    pub code: u8,
    /// What was found, in plain words.
    pub text: String,
    /// What to do about it; empty if nothing.
    pub advice: String,
}

impl Finding {
    fn good(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, code: 0, text: text.into(), advice: String::new() }
    }

    fn bad(check: &'static str, code: u8, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, code, text: text.into(), advice: advice.into() }
    }

    /// True if it is as it should be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.code == 0
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.is_good() { "ok  ".to_owned() } else { format!("[{:02}]", self.code) };
        write!(out, "{mark} {:<12} {}", self.check, self.text)?;
        if self.advice.is_empty() { Ok(()) } else { write!(out, "; {}", self.advice) }
    }
}

/// What a board should say if it runs our firmware as it is built now; empty if that is not known.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// End of `sys.implementation._build`.
    pub build: String,
}

/// Looks at one board.
#[must_use]
pub fn diagnose(lab: &Lab, board: &Board, expected: &Expected) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(why) = crate::secrets::Secrets::of(board).err() {
        findings.push(Finding::bad("secrets", NO_SECRET, why, "set it, or scenarios with Wi-Fi cannot run"));
    }
    if board.port.is_started() {
        findings.extend(started(lab, board));
    } else if board.port.is_rtt() {
        let probe = probe(lab, board);
        let reaches = probe.as_ref().is_some_and(Finding::is_good);
        findings.extend(probe);
        if reaches {
            findings.extend(started(lab, board));
        }
    } else {
        findings.extend(probe(lab, board));
        attached(board, expected, &mut findings);
    }
    findings
}

/// A board that is a program, or runs inside this one, or whose terminal is its probe.
fn started(lab: &Lab, board: &Board) -> Vec<Finding> {
    if let Some(reason) = lab.unavailable(board) {
        return vec![Finding::bad("program", NO_PROGRAM, reason, "")];
    }
    if board.flash != FlashMethod::None && lab.not_flashed(board).is_some() {
        let advice = format!("cargo xtask flash --board {}", board.name);
        return vec![Finding::bad(
            "flash",
            OTHER_FIRMWARE,
            "not flashed with the firmware as it is now",
            advice,
        )];
    }
    let mut console = match lab.open(board, "doctor") {
        Ok(console) => console,
        Err(error) => return vec![Finding::bad("program", 13, error.to_string(), "")],
    };
    let mut session = Session::new(console.as_mut());
    let from = session.time();
    match session.boot() {
        Ok(()) => {
            let time = session.time().saturating_sub(from);
            vec![Finding::good("prompt", format!("comes {} ms after the start", time.as_millis()))]
        }
        Err(failure) => vec![Finding::bad("prompt", NO_PROMPT, failure.to_string(), "")],
    }
}

fn attached(board: &Board, expected: &Expected, findings: &mut Vec<Finding>) {
    let Some(name) = port(board, findings) else { return };
    if let Some(holder) = lock::holder(&lock::directory(), &board.identity()) {
        let text = format!("in use by {}", holder.describe());
        return findings.push(Finding::bad("lock", IN_USE, text, "wait for it, or end that process"));
    }
    let mut transport = match ports::open(&name, 115_200) {
        Ok(transport) => transport,
        Err(error) => return findings.push(Finding::bad("opening", error.code(), error.to_string(), "")),
    };
    findings.push(Finding::good("opening", "may be opened, and nothing else has it"));
    findings.extend(examine(board, transport.as_mut(), expected));
    drop(transport);
    findings.extend(power(board));
}

/// Connects through the debug probe of a board that has one, and leaves the chip as it is.
fn probe(lab: &Lab, board: &Board) -> Option<Finding> {
    let wanted = board.probe.as_ref()?;
    let program = probe::program(&lab.target);
    if !program.exists() {
        let advice = format!("cargo xtask flash --board {} builds it", board.name);
        return Some(Finding::bad("probe", NO_PROGRAM, "larch-probe is not built", advice));
    }
    let (selector, patience) = (wanted.selector.as_deref(), probe::PATIENCE);
    Some(match (probe::Connection { program: &program, wanted, selector, patience }).check() {
        Ok(chip) => Finding::good("probe", format!("reaches an {chip} that can be flashed")),
        Err(message) => Finding::bad("probe", NO_PROBE, message, ""),
    })
}

/// Finds the port, if it is there.
fn port(board: &Board, findings: &mut Vec<Finding>) -> Option<String> {
    let missing = match serial::port_name(&board.port) {
        Ok(name) => match serial::missing(&board.port) {
            None => {
                findings.push(Finding::good("port", format!("{name} is there")));
                return Some(name);
            }
            Some(missing) => missing,
        },
        Err(error) => error.to_string(),
    };
    let advice = match board.port {
        Port::Tty(_) => "`cargo xtask boards scan` shows what is plugged in",
        _ => "",
    };
    findings.push(Finding::bad("port", 10, missing, advice));
    None
}

/// Switches the power off and on: off, nothing may come; on, something must.
fn power(board: &Board) -> Option<Finding> {
    let power = board.power.as_ref().filter(|power| power.is_automatic())?;
    let switched = crate::target::power::switch(power, false)
        .and_then(|()| {
            std::thread::sleep(crate::target::power::OFF_TIME);
            crate::target::power::switch(power, true)
        })
        .and_then(|()| serial::Serial::open_within(board, Duration::from_secs(15)));
    let mut serial = match switched {
        Ok(serial) => serial,
        Err(error) => {
            let advice = "check `power:` in boards.yaml; uhubctl needs a hub that can switch, and permission";
            return Some(Finding::bad("power", NO_POWER_SWITCH, error.to_string(), advice));
        }
    };
    Some(check::power_on_is_seen(&mut serial, board.reset == Reset::Manual))
}

/// A transport as the checks see it.
type Line<'a> = dyn Transport + 'a;
