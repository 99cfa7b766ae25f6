//! Connect, write, verify, start.

use std::time::Duration;

use probe_rs::flashing::{
    DownloadOptions, ElfLoader, ElfOptions, FlashProgress, ProgressEvent, ProgressOperation, build_loader,
};
use probe_rs::probe::list::Lister;
use probe_rs::probe::{DebugProbeSelector, Probe};
use probe_rs::{Permissions, Session};

use crate::event::{Event, tell};
use crate::explain::{self, explain};
use crate::{FlashArguments, chip, list};

/// How long the chip may take to start.
const RESET_LIMIT: Duration = Duration::from_millis(500);

/// Does it.
///
/// # Errors
/// One line that says what is wrong and what to do.
pub(crate) fn run(arguments: &FlashArguments) -> Result<(), String> {
    let mut probe = open(arguments.probe.as_deref())?;
    tell(&Event::Opened { probe: probe.get_name() });
    if let Some(speed) = arguments.speed {
        probe.set_speed(speed).map_err(|error| explain(&error))?;
    }
    let permissions =
        if arguments.chip_erase { Permissions::new().allow_erase_all() } else { Permissions::new() };
    let attached = if arguments.connect_under_reset {
        probe.attach_under_reset(&arguments.chip, permissions)
    } else {
        probe.attach(&arguments.chip, permissions)
    };
    let mut session = attached.map_err(|error| explain(&error))?;
    chip::check(&mut session, &arguments.chip)?;
    tell(&Event::Attached { chip: session.target().name.clone() });
    let bytes = write(&mut session, arguments)?;
    let mut core = session.core(0).map_err(|error| explain(&error))?;
    core.reset_and_halt(RESET_LIMIT).and_then(|_| core.run()).map_err(|error| explain(&error))?;
    tell(&Event::Done { bytes });
    Ok(())
}

fn open(selector: Option<&str>) -> Result<Probe, String> {
    let lister = Lister::new();
    if let Some(text) = selector {
        let selector: DebugProbeSelector = text.parse().map_err(|error| {
            format!("'{text}' names no probe ({error}); write VID:PID or VID:PID:SERIAL, in hexadecimal")
        })?;
        return lister.open(selector).map_err(|error| explain(&error));
    }
    match lister.list_all().as_slice() {
        [] => Err(explain::NO_PROBE.into()),
        [only] => only.open().map_err(|error| explain(&error)),
        several => {
            let known: Vec<String> = several.iter().map(list::selector).collect();
            Err(format!(
                "there are {} probes: {}; say which with `probe: selector` of the board in boards.yaml",
                known.len(),
                known.join(", ")
            ))
        }
    }
}

fn word(operation: ProgressOperation) -> &'static str {
    match operation {
        ProgressOperation::Fill => "fill",
        ProgressOperation::Erase => "erase",
        ProgressOperation::Program => "program",
        ProgressOperation::Verify => "verify",
    }
}

/// Erases, programs and verifies; gives the number of bytes.
fn write(session: &mut Session, arguments: &FlashArguments) -> Result<u64, String> {
    let file = &arguments.file;
    let loader = build_loader(session, file, ElfLoader(ElfOptions::default()), None)
        .map_err(|error| format!("{}: {}", file.display(), explain(&error)))?;
    let bytes = loader.data().map(|(_, data)| data.len() as u64).sum();
    let mut options = DownloadOptions::default();
    options.verify = true;
    options.do_chip_erase = arguments.chip_erase;
    options.progress = FlashProgress::new(|event| match event {
        ProgressEvent::AddProgressBar { operation, total } => {
            tell(&Event::Started { operation: word(operation), total_bytes: total });
        }
        ProgressEvent::Progress { operation, size, .. } => {
            tell(&Event::Progress { operation: word(operation), bytes: size });
        }
        ProgressEvent::Finished(operation) => tell(&Event::Finished { operation: word(operation) }),
        _ => {}
    });
    loader.commit(session, options).map_err(|error| explain(&error))?;
    Ok(bytes)
}
