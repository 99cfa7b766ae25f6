//! What can go wrong, each with what to do next and an outcome code for scripts.

use crate::diagnosis::Diagnosis;
use larch_image::ImageError;
use larch_protocol::{ChipError, Opcode};
use std::io;
use thiserror::Error;

/// Why the loader did not do what it was asked to.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The port does not exist.
    #[error("{port} does not exist; connect the board, or choose another port (`larch-loader list-ports`)")]
    PortMissing {
        /// As given.
        port: String,
    },
    /// Another program has the port.
    #[error(
        "{port} is in use by another program (a serial monitor, an IDE, another flasher); close it and try again"
    )]
    PortBusy {
        /// As given.
        port: String,
    },
    /// The port may not be opened.
    #[error("{port} may not be opened; on Linux: `sudo usermod -aG dialout $USER`, then log in again")]
    PortDenied {
        /// As given.
        port: String,
    },
    /// Opening failed otherwise.
    #[error(
        "{port} cannot be opened: {source}; check the name and, for a network port, that its server is running"
    )]
    PortOpen {
        /// As given.
        port: String,
        /// What the system said.
        source: io::Error,
    },
    /// The port failed while in use.
    #[error("the port failed: {0}; check the cable, then run the command again")]
    PortLost(#[from] io::Error),
    /// Nothing answered; the diagnosis says why and what to do.
    #[error("{0}")]
    NoAnswer(Diagnosis),
    /// The chip answered SYNC, but is none that is known.
    #[error(
        "unknown chip (word 0x{magic:08x} at 0x40001000); name it with --chip if it is a newer revision of a known one"
    )]
    UnknownChip {
        /// What was read.
        magic: u32,
    },
    /// Not the chip that was asked for.
    #[error("this is an {found}, not an {wanted}; connect the other board, or use --chip {}", .found.to_lowercase().replace('-', ""))]
    WrongChip {
        /// What answered.
        found: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// A file is not what it should be.
    #[error("{name}: {source}")]
    Image {
        /// The file.
        name: String,
        /// What is wrong with it.
        source: ImageError,
    },
    /// An image for another chip.
    #[error("{name} is for {image}, this is an {chip}; build it for {chip} (--force writes it anyway)")]
    ImageForOtherChip {
        /// The file.
        name: String,
        /// Chip in its header.
        image: String,
        /// Chip at the port.
        chip: &'static str,
    },
    /// An image for other revisions.
    #[error(
        "{name} is for chip revisions {least} to {greatest}, this chip is {revision}; build it for this revision (--force writes it anyway)"
    )]
    ImageForOtherRevision {
        /// The file.
        name: String,
        /// Least revision, as `v0.3`.
        least: String,
        /// Greatest revision.
        greatest: String,
        /// The chip's.
        revision: String,
    },
    /// An image where nobody looks for it.
    #[error("{name} is {what}, which belongs at {place}, not at 0x{offset:x} (--force writes it anyway)")]
    ImageMisplaced {
        /// The file.
        name: String,
        /// What it is: `a bootloader`.
        what: &'static str,
        /// Where it belongs on this chip.
        place: String,
        /// Where it was to be written.
        offset: u32,
    },
    /// Not enough flash.
    #[error(
        "{name} ends at 0x{end:x}, the flash has {flash} bytes; build a smaller image or use a module with more flash"
    )]
    DoesNotFit {
        /// The file.
        name: String,
        /// Flash offset behind its last byte.
        end: u64,
        /// Bytes of flash.
        flash: u64,
    },
    /// A part of flash that is not there.
    #[error("{name} ends at 0x{end:x}, the flash has {flash} bytes (0x{flash:x}); ask for less, or for ALL")]
    BehindFlash {
        /// The part: `the region`.
        name: &'static str,
        /// Flash offset behind its last byte.
        end: u64,
        /// Bytes of flash.
        flash: u64,
    },
    /// Two files want the same place.
    #[error(transparent)]
    Overlap(ImageError),
    /// An argument that the chip cannot follow.
    #[error("{0}")]
    Argument(String),
    /// The chip's security settings stand against it.
    #[error("{0}")]
    Security(String),
    /// The chip or its loader cannot do this.
    #[error("{what} is not possible {why}")]
    Unsupported {
        /// What was asked.
        what: String,
        /// Why not, and what to do.
        why: String,
    },
    /// The chip refused a command.
    #[error(
        "the chip refused {what}: {error}; reset the board and try again, at a lower --baud if it happens again"
    )]
    Refused {
        /// Which command.
        what: String,
        /// Its error.
        error: ChipError,
    },
    /// The chip stopped answering.
    #[error(
        "the chip stopped answering during {what}; check cable and power, then run the command again (--baud 115200 is the safest)"
    )]
    Silent {
        /// Which command.
        what: String,
    },
    /// The flash's contents are not what was sent.
    #[error(
        "{name}: the chip's MD5 of 0x{offset:x} is {found}, not {expected}: what is in flash is not what was sent; write again, at a lower --baud"
    )]
    DigestMismatch {
        /// The file.
        name: String,
        /// Flash offset.
        offset: u32,
        /// Of the data sent.
        expected: String,
        /// Of the flash.
        found: String,
    },
    /// Verification found differences.
    #[error("{name}: flash differs from the file{}", .first.map(|at| format!(" from 0x{at:x} on")).unwrap_or_default())]
    VerifyFailed {
        /// The file.
        name: String,
        /// First flash offset that differs, if it was looked for.
        first: Option<u32>,
    },
    /// The flash chip does not answer.
    #[error(
        "no flash chip answers (id 0x{0:06x}); check the module, its flash voltage, and that GPIO6 to GPIO11 (ESP32) are free"
    )]
    NoFlash(u32),
    /// A flash operation took too long.
    #[error(
        "the flash was still busy after {seconds} s of {what}; power the board off and on, then try again"
    )]
    FlashBusy {
        /// Which operation.
        what: &'static str,
        /// How long it was given.
        seconds: u64,
    },
    /// A file cannot be read or written.
    #[error("{name}: {source}")]
    File {
        /// The file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// The exit code of the command, also `code` in JSON events. Documented in the README's table of outcomes.
    pub fn code(&self) -> u8 {
        match self {
            Self::Argument(_) => 2,
            Self::File { .. } => 3,
            Self::PortMissing { .. } => 10,
            Self::PortBusy { .. } => 11,
            Self::PortDenied { .. } => 12,
            Self::PortOpen { .. } => 13,
            Self::PortLost(_) => 14,
            Self::NoAnswer(diagnosis) => diagnosis.code(),
            Self::UnknownChip { .. } => 30,
            Self::WrongChip { .. } => 31,
            Self::Image { .. } => 32,
            Self::ImageForOtherChip { .. } => 33,
            Self::ImageForOtherRevision { .. } => 34,
            Self::DoesNotFit { .. } | Self::BehindFlash { .. } => 35,
            Self::Overlap(_) => 36,
            Self::Security(_) => 37,
            Self::Unsupported { .. } => 38,
            Self::ImageMisplaced { .. } => 39,
            Self::Refused { .. } => 40,
            Self::Silent { .. } => 41,
            Self::DigestMismatch { .. } => 42,
            Self::VerifyFailed { .. } => 43,
            Self::NoFlash(_) => 44,
            Self::FlashBusy { .. } => 45,
        }
    }

    pub(crate) fn refused(opcode: Opcode, error: ChipError) -> Self {
        Self::Refused { what: format!("{opcode:?}"), error }
    }

    pub(crate) fn silent(opcode: Opcode) -> Self {
        Self::Silent { what: format!("{opcode:?}") }
    }

    /// Whether nothing was done because a check stood against it: the chip still answers, its flash is as it was.
    pub fn is_refusal(&self) -> bool {
        matches!(self.code(), 2 | 3 | 32..=39 | 43)
    }

    /// Whether the chip may have been reset, or have lost its power.
    pub(crate) fn is_lost_chip(&self) -> bool {
        matches!(self, Self::Silent { .. })
    }

    /// Whether a command or a stream of blocks that ended so may succeed when begun again.
    pub(crate) fn is_worth_another_try(&self) -> bool {
        matches!(self, Self::Silent { .. } | Self::Refused { .. })
    }
}
