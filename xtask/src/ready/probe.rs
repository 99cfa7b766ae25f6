//! Boards that a debug probe flashes, by the `probe-rs` program.

use std::fs;

use anyhow::{Context, Result, bail};
use hil_tests::event::{Event, Flashed, Observer};
use hil_tests::firmware::Firmware;
use hil_tests::lab::Lab;
use larch_boards::Board;
use sha2::{Digest, Sha256};
use xshell::{Shell, cmd};

use super::millis;
use crate::progress::{self, Watch};

/// Writes the image file of the board, or our firmware for its chip, and verifies it.
pub(super) fn flash(lab: &Lab, board: &Board, observer: &Observer<'_>) -> Result<()> {
    let Some(probe) = &board.probe else { bail!("board {}: `probe:` is missing", board.name) };
    let shell = Shell::new()?;
    if cmd!(shell, "probe-rs --version").quiet().ignore_stdout().ignore_stderr().run().is_err() {
        bail!("board {}: there is no program 'probe-rs'; cargo install --locked probe-rs-tools", board.name);
    }
    let file = match &board.image {
        Some(image) => lab.root.join(&image.file),
        None => Firmware::of(board.chip, &lab.target).map_err(|message| anyhow::anyhow!(message))?.elf,
    };
    let data = fs::read(&file).with_context(|| file.display().to_string())?;
    let digest: String = Sha256::digest(&data).iter().take(10).map(|byte| format!("{byte:02x}")).collect();
    let watch = Watch::start();
    let chip = &probe.chip;
    let selector: Vec<&str> = probe.selector.iter().flat_map(|name| ["--probe", name.as_str()]).collect();
    cmd!(shell, "probe-rs download --non-interactive --verify --chip {chip} {selector...} {file}")
        .quiet()
        .run()
        .with_context(|| {
            format!("board {}: probe-rs could not flash it; `probe-rs list` shows the probes", board.name)
        })?;
    progress::step(
        "flash",
        &format!("{:<20} {}, by probe-rs", board.name, file.display()),
        Some(watch.time()),
    );
    let ms = millis(watch.time());
    let firmware_bytes = data.len() as u64;
    let (board, build) = (board.name.clone(), String::new());
    observer(&Event::Flashed(Flashed {
        board,
        digest,
        build,
        firmware_bytes,
        written: true,
        ms,
        board_ms: ms,
    }));
    Ok(())
}
