//! One line for an error of probe-rs: what it is in the words of the person at the desk, and what to do.

use std::error::Error;
use std::io;

use probe_rs::architecture::arm::{ArmError, DapError};
use probe_rs::config::RegistryError;
use probe_rs::flashing::FlashError;
use probe_rs::probe::{DebugProbeError, ProbeCreationError};

/// What to say of a chip whose reset line is low.
pub(crate) const HELD_IN_RESET: &str = "the chip is held in reset: let go of the reset button, and see that nothing else pulls NRST \
    low (another probe, a serial adapter's RTS, a short circuit)";
const WIRING: &str = "check that the board has power and that SWDIO, SWCLK and GND are connected; a program that turns the debug \
    port off needs `connect-under-reset: true`, and NRST wired";
const BUSY: &str = "the chip does not stop when the probe asks it to; run the same command again, with `connect-under-reset: true` \
    if it stays so";
const LOCKED: &str = "the debug port is locked (APPROTECT); `chip-erase: true` of the board's `probe:` in boards.yaml unlocks it, and \
    erases all of the flash";
const AGAIN: &str = "run the same command again";

/// What is wrong.
#[derive(Debug)]
pub(crate) struct Problem {
    /// One line: what it is, and what to do.
    pub(crate) message: String,
    /// It may be of the moment: noise on the wires, or what a run left behind that was cut off.
    pub(crate) may_pass: bool,
    /// The chip did not halt in time.
    pub(crate) is_timeout: bool,
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self { message, may_pass: false, is_timeout: false }
    }
}

/// Says what an error of the library means.
pub(crate) fn explain(error: &(dyn Error + 'static)) -> Problem {
    let chain: Vec<&(dyn Error + 'static)> = causes(error).collect();
    let message = chain.iter().find_map(|error| advice(*error)).unwrap_or_else(|| {
        let mut texts: Vec<String> = chain.iter().map(|error| one_line(&error.to_string())).collect();
        texts.dedup();
        texts.join(": ")
    });
    let is_timeout = chain.iter().any(|error| is_timeout(*error));
    let answers = !chain.iter().any(|error| is_silence(*error));
    Problem { message, may_pass: answers && chain.iter().any(|error| error.is::<DapError>()), is_timeout }
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(ArmError::Timeout))
        || matches!(error.downcast_ref(), Some(probe_rs::Error::Timeout))
}

fn is_silence(error: &(dyn Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(ArmError::NoTargetResponse { .. }))
        || matches!(error.downcast_ref(), Some(DapError::NoAcknowledge))
}

/// The error and what caused it, the outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (**error).source())
}

/// Whether the operating system does not let us.
pub(crate) fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let mut systems = causes(error).filter_map(|error| error.downcast_ref::<io::Error>());
    systems.any(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned()
}

/// What is known about this error; the outer ones of a chain are asked first.
fn advice(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<FlashError>() {
        return flash(error);
    }
    if let Some(error) = error.downcast_ref::<DebugProbeError>() {
        return probe(error);
    }
    if is_silence(error) {
        return Some(format!("the chip does not answer; {WIRING}"));
    }
    if is_timeout(error) {
        return Some(BUSY.into());
    }
    if let Some(RegistryError::ChipNotFound(name)) = error.downcast_ref::<RegistryError>() {
        return Some(format!(
            "probe-rs knows no chip {name}: https://probe.rs/targets lists the names for `probe: {{ chip: ... }}`"
        ));
    }
    if let Some(ArmError::MissingPermissions(_)) = error.downcast_ref() {
        return Some(LOCKED.into());
    }
    if let Some(error) = error.downcast_ref::<DapError>() {
        return Some(wire(error));
    }
    error.downcast_ref::<io::Error>().map(connection)
}

fn probe(error: &DebugProbeError) -> Option<String> {
    match error {
        DebugProbeError::ProbeCouldNotBeCreated(ProbeCreationError::NotFound) => {
            Some("the probe is gone; plug it in again".into())
        }
        DebugProbeError::ProbeCouldNotBeCreated(ProbeCreationError::CouldNotOpen) => Some(
            "the probe cannot be opened: another program uses it (a debugger, an IDE); close that".into(),
        ),
        DebugProbeError::TargetNotFound => Some(format!("the chip does not answer; {WIRING}")),
        _ => None,
    }
}

fn flash(error: &FlashError) -> Option<String> {
    match error {
        FlashError::EraseFailed { sector_address, source } => refused(source.as_ref()).then(|| {
            format!(
                "the chip refuses to erase the sector at {sector_address:#010x}: it is write-protected (option bytes), or worn out"
            )
        }),
        FlashError::PageWrite { page_address, source } => refused(source.as_ref()).then(|| {
            format!(
                "the chip refuses to program the page at {page_address:#010x}: it is write-protected (option bytes), or worn out"
            )
        }),
        FlashError::ChipEraseFailed { source } => refused(source.as_ref())
            .then(|| "the chip refuses to be erased: a sector is write-protected (option bytes)".into()),
        FlashError::Verify => {
            Some(format!(
                "the flash does not hold what was written; {AGAIN}, with a lower `speed-khz` if it stays so; if that does not \
                 help, the flash is worn out"
            ))
        }
        FlashError::NoSuitableNvm { range, .. } => Some(format!(
            "the program is linked for {:#010x}, where this chip has no flash; is it the firmware for this chip?",
            range.start
        )),
        _ => None,
    }
}

/// Whether the flash algorithm ran and said no, rather than that the way to it broke.
fn refused(error: &(dyn Error + 'static)) -> bool {
    causes(error)
        .any(|error| matches!(error.downcast_ref::<FlashError>(), Some(FlashError::RoutineCallFailed { .. })))
}

fn wire(error: &DapError) -> String {
    match error {
        DapError::WaitResponse => {
            format!("the chip stays busy; {AGAIN}, with `connect-under-reset: true` if it stays so")
        }
        DapError::FaultResponse => format!(
            "the chip refuses the access (FAULT); {AGAIN}; if it stays so, it may be another chip than boards.yaml says"
        ),
        _ => {
            format!("the debug wires carry damaged bits; {AGAIN}, with a lower `speed-khz` or shorter wires")
        }
    }
}

fn connection(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("nothing listens where the probe should be ({error}); is its server running?")
        }
        io::ErrorKind::NotFound => format!("{error}"),
        _ => format!("the probe is gone ({error}); plug it in again, then {AGAIN}"),
    }
}
