//! From a probe on the desk to a chip that can be worked with.

use probe_rs::probe::{DebugProbeSelector, Probe};
use probe_rs::{Permissions, Session};

use crate::choose::{choose, not_allowed};
use crate::event::{Event, tell};
use crate::explain::{self, Problem, explain};
use crate::{Connection, chip, list};

/// Looks whether a chip could be flashed.
///
/// # Errors
/// Why not.
pub(crate) fn check(connection: &Connection) -> Result<(), Problem> {
    connect(connection, Permissions::new())?;
    tell(&Event::Done { bytes: 0 });
    Ok(())
}

/// Attaches to the chip, and makes sure that it is the right one and can be flashed.
///
/// # Errors
/// What is wrong.
pub(crate) fn connect(connection: &Connection, permissions: Permissions) -> Result<Session, Problem> {
    let (wanted, chip) = (connection.probe.as_deref(), connection.chip.as_str());
    if connection.connect_under_reset {
        chip::enable_debug_under_reset(open(wanted)?);
    }
    let mut probe = open(wanted)?;
    tell(&Event::Opened { probe: probe.get_name() });
    if let Some(speed) = connection.speed {
        probe.set_speed(speed).map_err(|error| explain(&error))?;
    }
    let attached = if connection.connect_under_reset {
        probe.attach_under_reset(chip, permissions)
    } else {
        probe.attach(chip, permissions)
    };
    let mut session = attached.map_err(|error| explain_attach(explain(&error), wanted))?;
    chip::check(&mut session, chip)?;
    tell(&Event::Attached { chip: session.target().name.clone() });
    Ok(session)
}

/// A chip that does not halt may be held in reset.
fn explain_attach(problem: Problem, probe: Option<&str>) -> Problem {
    match problem.is_timeout && open(probe).is_ok_and(chip::is_held_in_reset) {
        true => String::from(explain::HELD_IN_RESET).into(),
        false => problem,
    }
}

fn open(wanted: Option<&str>) -> Result<Probe, Problem> {
    let selector: Option<DebugProbeSelector> = wanted.map(str::parse).transpose().map_err(|_| {
        let wanted = wanted.unwrap_or_default();
        format!("'{wanted}' names no probe: write VID:PID or VID:PID:SERIAL, in hexadecimal")
    })?;
    let (probes, found) = list::find(selector.as_ref());
    let chosen = choose(&found, wanted)?;
    probes[chosen].open().map_err(|error| match explain::is_refused(&error) {
        true => not_allowed(&found[chosen]).into(),
        false => explain(&error),
    })
}
