//! Recorded serial sessions: what passed between the harness or the loader and a board, and what was made of it.
//!
//! A session is a text file. Its lines are those of [`larch_loader::transport::trace`]; comments before and behind them
//! say what is needed to run it again without the board: `# kind: repl` or `flash`, what `boards.yaml` says of the board,
//! the scenario as it was typed, the pieces of the image (files beside the session), and what came of it then.
//!
//! Invariants: reading a session never fails otherwise than with a message; secrets are overwritten before a session is
//! written, in the bytes of both directions; the file appears whole.

mod console;
mod replay;
mod session_file;

use std::io;
use std::path::{Path, PathBuf};

use larch_boards::{Board, Reset};
use larch_loader::transport::trace::{self, Entry};

pub use self::console::Tape;
pub use self::replay::{Replay, replay};
pub use self::session_file::SessionFile;

use crate::event::{Attempt, Verdict};
use crate::files::write_whole;
use crate::firmware::FlashImage;
use crate::report::file_name;
use crate::secrets::Secrets;

/// Ends the name of every session.
pub const EXTENSION: &str = "session";

/// Writes down a session at the REPL; returns the file.
///
/// # Errors
/// If it cannot be written.
pub fn keep_repl(
    directory: &Path,
    board: &Board,
    typed: &str,
    attempt: &Attempt,
    tape: &Tape,
    secrets: &Secrets,
) -> io::Result<PathBuf> {
    let mut file = head(board, "repl");
    file.line("scenario", &attempt.scenario);
    for (name, length) in secrets.lengths() {
        file.line("secret", &format!("{name} {length}"));
    }
    for line in typed.lines() {
        file.line("typed", line);
    }
    file.body(&blotted(&tape.text(), secrets));
    file.line("outcome", outcome(&attempt.verdict));
    for line in attempt.transcript.lines() {
        file.line("seen", line);
    }
    let name = format!(
        "{}-{}-{}.{}.{EXTENSION}",
        file_name(&board.name),
        file_name(&attempt.scenario),
        attempt.round,
        attempt.attempt
    );
    let path = directory.join(name);
    write_whole(&path, file.text().as_bytes())?;
    Ok(path)
}

/// Writes down a session of the loader, and the pieces of the image beside it; returns the file.
///
/// # Errors
/// If it cannot be written.
pub fn keep_flash(
    directory: &Path,
    board: &Board,
    port: &str,
    image: &FlashImage,
    outcome: &Result<(), String>,
    tape: &Tape,
) -> io::Result<PathBuf> {
    let mut file = head(board, "flash");
    file.line("port", port);
    for blob in &image.blobs {
        let name = format!("{}-0x{:x}.bin", image.digest, blob.offset);
        write_whole(&directory.join(&name), &blob.data)?;
        file.line("piece", &format!("0x{:x} {name} {}", blob.offset, blob.name));
    }
    file.body(&tape.text());
    file.line("outcome", outcome.as_ref().err().map_or("passed", String::as_str));
    let path = directory.join(format!("{}-flash.{EXTENSION}", file_name(&board.name)));
    write_whole(&path, file.text().as_bytes())?;
    Ok(path)
}

/// The word for what came of an attempt.
fn outcome(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Passed | Verdict::Differs { .. } => "ended",
        // How it compares with a snapshot is no matter of the session.
        Verdict::Failed { cause, .. } if matches!(cause.as_str(), "differs" | "snapshot" | "unlisted") => {
            "ended"
        }
        Verdict::Failed { cause, .. } => cause,
    }
}

/// By which wires a board is reset, if it hangs on a port; others have a button or are started again.
#[must_use]
pub fn wires(board: &Board) -> Option<Reset> {
    (!board.port.is_started() && !board.port.is_rtt()).then_some(board.reset)
}

/// What must be known of a board to talk to it again.
fn head(board: &Board, kind: &str) -> session_file::Writer {
    let mut file = session_file::Writer::new();
    file.line("kind", kind);
    file.line("board", &board.name);
    file.line("chip", board.chip.word());
    file.line("reset-wires", wires(board).map_or("none", Reset::word));
    file.line("reset", board.reset.word());
    file.line("boot-strap", board.boot_strap.word());
    file.line("flash-baud", &board.flash_baud.to_string());
    file
}

/// The lines of a tape with secrets overwritten, wherever they are cut into pieces.
fn blotted(tape: &str, secrets: &Secrets) -> String {
    let Ok(mut entries) = trace::parse(tape) else { return String::new() };
    for sent in [true, false] {
        let mut pieces: Vec<&mut Vec<u8>> = entries
            .iter_mut()
            .filter_map(|(_, entry)| match entry {
                Entry::Sent(bytes) if sent => Some(bytes),
                Entry::Received(bytes) if !sent => Some(bytes),
                _ => None,
            })
            .collect();
        let mut all: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
        secrets.blot_out(&mut all);
        let mut rest = all.as_slice();
        for piece in &mut pieces {
            let (mine, others) = rest.split_at(piece.len());
            piece.copy_from_slice(mine);
            rest = others;
        }
    }
    let mut text = Vec::new();
    for (moment, entry) in entries {
        // Writing to memory does not fail.
        let _ = trace::write(&mut text, moment, &entry);
    }
    String::from_utf8_lossy(&text).into_owned()
}
