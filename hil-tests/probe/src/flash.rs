//! Write, verify, start.

use std::panic;
use std::time::Duration;

use probe_rs::flashing::{
    DownloadOptions, ElfLoader, ElfOptions, FlashProgress, ProgressEvent, ProgressOperation, build_loader,
};
use probe_rs::{Permissions, Session};

use crate::FlashArguments;
use crate::connect::connect;
use crate::event::{Event, tell};
use crate::explain::{Problem, explain};

/// How long the chip may take to start.
const RESET_LIMIT: Duration = Duration::from_millis(500);

/// How often it is tried again if what went wrong may be over. Twice, because a flash algorithm that was cut off leaves
/// "breakpoint" behind as the reason of a halt: the next attempt then looks at the instruction there, which a blank chip does not
/// have, fails, and has cleared the reason.
const RETRIES: u32 = 2;

/// Does it.
///
/// # Errors
/// What is wrong.
pub(crate) fn run(arguments: &FlashArguments) -> Result<(), Problem> {
    // The library has places where it gives up instead of returning an error; its words go to standard error.
    let attempt = || {
        panic::catch_unwind(|| once(arguments)).unwrap_or_else(|_| {
            let message = String::from("probe-rs gave up; run the same command again");
            Err(Problem { may_pass: true, ..Problem::from(message) })
        })
    };
    for _ in 0..RETRIES {
        match attempt() {
            Err(Problem { may_pass: true, message, .. }) => tell(&Event::Retry { why: message }),
            outcome => return outcome,
        }
    }
    attempt()
}

fn once(arguments: &FlashArguments) -> Result<(), Problem> {
    let permissions =
        if arguments.chip_erase { Permissions::new().allow_erase_all() } else { Permissions::new() };
    let mut session = connect(&arguments.connection, permissions)?;
    let bytes = write(&mut session, arguments)?;
    let mut core = session.core(0).map_err(|error| explain(&error))?;
    core.reset_and_halt(RESET_LIMIT).and_then(|_| core.run()).map_err(|error| explain(&error))?;
    tell(&Event::Done { bytes });
    Ok(())
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
fn write(session: &mut Session, arguments: &FlashArguments) -> Result<u64, Problem> {
    let file = &arguments.file;
    let loader = build_loader(session, file, ElfLoader(ElfOptions::default()), None)
        .map_err(|error| format!("{}: {}", file.display(), explain(&error).message))?;
    let bytes = loader.data().map(|(_, data)| data.len() as u64).sum();
    let mut options = DownloadOptions::default();
    options.verify = true;
    options.do_chip_erase = arguments.chip_erase;
    let mut totals = Vec::new();
    options.progress = FlashProgress::new(move |event| match event {
        // All are announced before the first one begins.
        ProgressEvent::AddProgressBar { operation, total } => totals.push((word(operation), total)),
        ProgressEvent::Started(operation) => {
            let operation = word(operation);
            let total_bytes = totals.iter().find(|(of, _)| *of == operation).and_then(|(_, total)| *total);
            tell(&Event::Started { operation, total_bytes });
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
