//! What the program tells on standard output. `hil-tests/src/probe.rs` reads it.

use std::io::Write;

use serde::Serialize;

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event<'a> {
    /// A probe that is plugged in; what to do, if the system does not let us use it.
    Probe { name: &'a str, selector: &'a str, advice: Option<String> },
    /// The probe is open.
    Opened { probe: String },
    /// The chip answered.
    Attached { chip: String },
    /// An operation begins: `erase`, `program`, `verify`, `fill`.
    Started { operation: &'a str, total_bytes: Option<u64> },
    /// So many bytes more are done.
    Progress { operation: &'a str, bytes: u64 },
    /// An operation is over.
    Finished { operation: &'a str },
    /// The program on the chip has written this to RTT.
    Heard { bytes: &'a [u8] },
    /// The chip was reset, and its program is there.
    Restarted,
    /// It did not work, but may the second time.
    Retry { why: String },
    /// Everything was written and verified, and the program runs.
    Done { bytes: u64 },
    /// It did not work: one line, with what to do.
    Failed { message: String },
}

/// Tells it.
pub(crate) fn tell(event: &Event<'_>) {
    if let Ok(line) = serde_json::to_string(event) {
        let mut out = std::io::stdout().lock();
        // If nobody listens any more there is nobody to tell.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}
