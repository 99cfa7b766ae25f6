//! Resets as data: which control lines move when.
//!
//! On development boards two transistors turn (DTR, RTS) into (boot strap, enable): only RTS asserted holds the chip in
//! reset, only DTR asserted pulls the boot strap low, both or neither leave the chip alone.
//! Source: esptool's "Boot Mode Selection" page and its `custom_reset_sequence` mini-language.

use crate::transport::{Lines, Transport};
use std::io;
use std::time::Duration;

/// One step of a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Drive DTR.
    Dtr(bool),
    /// Drive RTS.
    Rts(bool),
    /// Drive both at once.
    Both(Lines),
    /// Wait.
    Wait(Duration),
}

const fn ms(ms: u64) -> Step {
    Step::Wait(Duration::from_millis(ms))
}

const fn both(dtr: bool, rts: bool) -> Step {
    Step::Both(Lines { dtr, rts })
}

/// Into the loader, lines one after the other: hold reset, pull the strap, release reset, release the strap.
pub const CLASSIC: &[Step] = &[
    Step::Dtr(false),
    Step::Rts(true),
    ms(100),
    Step::Dtr(true),
    Step::Rts(false),
    ms(50),
    Step::Dtr(false),
];

/// [`CLASSIC`] for boards with a large capacitor on the enable pin.
pub const CLASSIC_SLOW: &[Step] = &[
    Step::Dtr(false),
    Step::Rts(true),
    ms(100),
    Step::Dtr(true),
    Step::Rts(false),
    ms(550),
    Step::Dtr(false),
];

/// Into the loader, both lines at once, which leaves no moment with the strap high and reset released.
pub const TIGHT: &[Step] = &[
    both(false, false),
    both(true, true),
    both(false, true),
    ms(100),
    both(true, false),
    ms(50),
    both(false, false),
];

/// [`TIGHT`] for boards with a large capacitor on the enable pin.
pub const TIGHT_SLOW: &[Step] = &[
    both(false, false),
    both(true, true),
    both(false, true),
    ms(100),
    both(true, false),
    ms(550),
    both(false, false),
];

/// Into the loader over the chip's own USB-Serial-JTAG port, which reads the lines in this order.
pub const USB_JTAG: &[Step] = &[
    both(false, false),
    ms(100),
    Step::Dtr(true),
    Step::Rts(false),
    ms(100),
    Step::Rts(true),
    Step::Dtr(false),
    Step::Rts(true),
    ms(100),
    both(false, false),
];

/// Out of the loader: a pulse on the enable pin with the strap released.
pub const HARD: &[Step] = &[Step::Dtr(false), Step::Rts(true), ms(100), Step::Rts(false)];

/// Holds the chip in reset.
pub const HOLD: &[Step] = &[Step::Dtr(false), Step::Rts(true)];

/// Runs the steps.
///
/// # Errors
/// If the port is gone.
pub fn run(transport: &mut dyn Transport, steps: &[Step]) -> io::Result<()> {
    let mut lines = Lines::default();
    for step in steps {
        match *step {
            Step::Dtr(dtr) => lines.dtr = dtr,
            Step::Rts(rts) => lines.rts = rts,
            Step::Both(both) => lines = both,
            Step::Wait(duration) => {
                transport.sleep(duration);
                continue;
            }
        }
        transport.set_lines(lines)?;
    }
    Ok(())
}

/// Reads esptool's mini-language: `D0|R1|W0.1|U1,0`: D is DTR, R is RTS, U is both (DTR, RTS), W waits seconds.
///
/// # Errors
/// The part that is wrong and what would be right.
pub fn parse(text: &str) -> Result<Vec<Step>, String> {
    text.split('|').map(|part| step(part.trim())).collect()
}

fn step(part: &str) -> Result<Step, String> {
    let wrong = || format!("'{part}' is no reset step (as D0, D1, R0, R1, U1,0 or W0.1)");
    let level = |text: &str| match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(wrong()),
    };
    let rest = part.get(1..).ok_or_else(wrong)?;
    match &part[..1] {
        "D" => level(rest).map(Step::Dtr),
        "R" => level(rest).map(Step::Rts),
        "U" => {
            let (dtr, rts) = rest.split_once(',').ok_or_else(wrong)?;
            Ok(Step::Both(Lines { dtr: level(dtr.trim())?, rts: level(rts.trim())? }))
        }
        "W" => {
            let seconds: f64 = rest.parse().map_err(|_| wrong())?;
            let sane = (0.0..=60.0).contains(&seconds);
            if sane { Ok(Step::Wait(Duration::from_secs_f64(seconds))) } else { Err(wrong()) }
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mini_language_writes_the_classic_sequence() {
        assert_eq!(parse("D0|R1|W0.1|D1|R0|W0.05|D0").unwrap(), CLASSIC);
        assert_eq!(parse("U0,1|W0.5").unwrap(), [both(false, true), ms(500)]);
    }

    #[test]
    fn a_wrong_step_is_named() {
        for wrong in ["", "D2", "X1", "W-1", "W9999", "U1", "Dé", "é"] {
            let error = parse(&format!("D0|{wrong}")).unwrap_err();
            assert!(error.contains(&format!("'{wrong}'")), "{error}");
        }
    }
}
