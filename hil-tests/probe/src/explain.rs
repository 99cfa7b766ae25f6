//! One line for an error of probe-rs: what it is in the words of the person at the desk, and what to do.

use std::error::Error;
use std::io;

use probe_rs::architecture::arm::{ArmError, DapError};
use probe_rs::flashing::FlashError;
use probe_rs::probe::{DebugProbeError, ProbeCreationError};

/// What to say if no probe is plugged in.
pub(crate) const NO_PROBE: &str = "there is no debug probe; plug one in, and on Linux allow access to it: put \
    https://probe.rs/files/69-probe-rs.rules into /etc/udev/rules.d, then `sudo udevadm control --reload && sudo udevadm trigger`";
const WIRING: &str = "check that the board has power and that SWDIO, SWCLK and GND are connected; a program that turns the debug \
    port off needs `connect-under-reset: true`, and NRST wired";
const AGAIN: &str = "run the same command again";

/// The line.
pub(crate) fn explain(error: &(dyn Error + 'static)) -> String {
    let chain: Vec<&(dyn Error + 'static)> =
        std::iter::successors(Some(error), |error| error.source()).collect();
    match chain.iter().find_map(|error| advice(*error)) {
        Some(advice) => advice,
        None => {
            let mut texts: Vec<String> = chain.iter().map(|error| one_line(&error.to_string())).collect();
            texts.dedup();
            texts.join(": ")
        }
    }
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
    if let Some(error) = error.downcast_ref::<ArmError>()
        && matches!(error, ArmError::NoTargetResponse { .. })
    {
        return Some(format!("the chip does not answer; {WIRING}"));
    }
    if let Some(error) = error.downcast_ref::<DapError>() {
        return Some(wire(error));
    }
    error.downcast_ref::<io::Error>().map(connection)
}

fn probe(error: &DebugProbeError) -> Option<String> {
    match error {
        DebugProbeError::ProbeCouldNotBeCreated(ProbeCreationError::NotFound) => {
            Some(format!("there is no such probe: `cargo xtask boards scan` lists those that there are. Or {NO_PROBE}"))
        }
        DebugProbeError::ProbeCouldNotBeCreated(ProbeCreationError::CouldNotOpen) => {
            Some("the probe cannot be opened: another program uses it, or you may not (on Linux, the udev rules of probe.rs)".into())
        }
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
            Some(format!("the flash does not hold what was written; {AGAIN}, with a lower `speed` if it stays so"))
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
    std::iter::successors(Some(error), |error| error.source())
        .any(|error| matches!(error.downcast_ref::<FlashError>(), Some(FlashError::RoutineCallFailed { .. })))
}

fn wire(error: &DapError) -> String {
    match error {
        DapError::NoAcknowledge => format!("the chip does not answer; {WIRING}"),
        DapError::WaitResponse => {
            format!("the chip stays busy; {AGAIN}, with `connect-under-reset: true` if it stays so")
        }
        DapError::FaultResponse => format!("the chip refuses the access (FAULT); {AGAIN}"),
        _ => format!("the debug wires carry damaged bits; {AGAIN}, with a lower `speed` or shorter wires"),
    }
}

fn connection(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("nothing listens where the probe should be ({error}); is its server running?")
        }
        io::ErrorKind::NotFound => format!("{error}"),
        io::ErrorKind::PermissionDenied => {
            "you may not use the probe; on Linux put the udev rules of probe.rs into /etc/udev/rules.d".into()
        }
        _ => format!("the probe is gone ({error}); plug it in again, then {AGAIN}"),
    }
}
