//! What happens while the loader works, for progress bars, JSON and tests.

use crate::chip::ChipInfo;
use crate::diagnosis::Diagnosis;

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A further try to reach the chip begins; the first is 1.
    Connecting {
        /// Which try.
        attempt: u32,
    },
    /// The chip does not answer; this is what it seems to be doing. The loader keeps trying.
    Waiting(&'a Diagnosis),
    /// The chip answered.
    Connected,
    /// What chip it is.
    Chip(&'a ChipInfo),
    /// Something worth knowing.
    Note(&'a str),
    /// The speed changed.
    Baud(u32),
    /// A stub runs on the chip now.
    Stub {
        /// Which one.
        name: &'a str,
    },
    /// Erasing begins.
    Erasing {
        /// Flash offset.
        offset: u32,
        /// Bytes.
        size: u64,
    },
    /// Erasing has ended.
    Erased,
    /// A file is about to be written.
    Writing {
        /// The file.
        name: &'a str,
        /// Flash offset.
        offset: u32,
        /// Its bytes that flash does not hold yet.
        size: u64,
        /// All its bytes.
        of: u64,
        /// Bytes that go over the line, if compressed.
        compressed: Option<u64>,
    },
    /// A file is skipped: flash has it already.
    Unchanged {
        /// The file.
        name: &'a str,
        /// Flash offset.
        offset: u32,
    },
    /// So much of the file is done.
    Progress {
        /// Bytes of the file that the chip has taken, or given.
        done: u64,
        /// Of how many.
        total: u64,
    },
    /// Something failed and is tried again.
    Retry {
        /// What, and why.
        what: &'a str,
    },
    /// A file has been sent; `seconds` on the transport's clock.
    Written {
        /// Its bytes.
        size: u64,
        /// Bytes that went over the line, if compressed.
        compressed: Option<u64>,
        /// Flash offset.
        offset: u32,
        /// How long it took.
        seconds: f64,
    },
    /// The chip's digest of what was written matched.
    Verified {
        /// The file.
        name: &'a str,
    },
    /// Reading begins.
    Reading {
        /// Flash offset.
        offset: u32,
        /// Bytes.
        size: u64,
    },
    /// The chip is being reset.
    Resetting {
        /// How, for people: `via RTS pin`.
        how: &'a str,
    },
}

/// Takes events.
pub trait Observer {
    /// Called for each event, in order.
    fn event(&mut self, event: &Event<'_>);
}

/// Takes no notice.
impl Observer for () {
    fn event(&mut self, _event: &Event<'_>) {}
}

impl<F: FnMut(&Event<'_>)> Observer for F {
    fn event(&mut self, event: &Event<'_>) {
        self(event);
    }
}
