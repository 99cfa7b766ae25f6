//! `cargo xtask image`: what is written to a board's flash, as files.

use anyhow::{Result, anyhow};
use clap::Args;
use hil_tests::firmware::FlashImage;
use hil_tests::lab::Lab;
use larch_boards::Board;

use crate::progress::{self, Watch, kilobytes};
use crate::verbs::build;
use crate::workspace;

/// Make the flash image of a board: bootloader, partition table and application, and all of them in one file.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask image                        build if need be; prints where the files are
  esptool write-flash 0x0 target/hil/image/esp32c3/flash.bin")]
pub(crate) struct Arguments {
    /// Board of boards.yaml [default: its default]
    #[arg(long, short)]
    board: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    let board = workspace::board(&lab, arguments.board.as_deref())?;
    image(&lab, &board).map(|_| ())
}

/// Builds the firmware and makes its image.
pub(crate) fn image(lab: &Lab, board: &Board) -> Result<FlashImage> {
    let firmware = build::build(lab, board)?;
    let watch = Watch::start();
    let image = firmware.image().map_err(|message| anyhow!(message))?;
    let directory = lab.keep_image(board.chip, &image).map_err(|message| anyhow!(message))?;
    let size = kilobytes(image.application_bytes() as u64);
    let text = format!("{:<20} application {size}, in {}", board.chip.to_string(), directory.display());
    progress::step("image", &text, Some(watch.time()));
    Ok(image)
}
