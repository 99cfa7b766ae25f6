//! Images, each made once per process however many boards want it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, anyhow};
use hil_tests::firmware::FlashImage;
use hil_tests::lab::Lab;
use larch_boards::{Board, FlashMethod};

use crate::verbs::{build, image};

/// What came of making an image, by what it is of.
type Made = BTreeMap<String, Result<FlashImage, String>>;

static MADE: Mutex<Made> = Mutex::new(BTreeMap::new());

/// The image that a board is flashed with: a file, or our firmware, built if need be.
pub(super) fn of_board(lab: &Lab, board: &Board) -> Result<FlashImage> {
    let make = || match &board.image {
        Some(file) if board.flash == FlashMethod::ProbeRs => FlashImage::of_elf(&lab.root.join(&file.file))
            .map_err(|message| anyhow!("board {}: {message}", board.name)),
        Some(file) => FlashImage::of_file(&lab.root.join(&file.file), file.offset, board.chip)
            .map_err(|message| anyhow!("board {}: {message}", board.name)),
        None => image::image(lab, board),
    };
    let name = match &board.image {
        Some(file) => format!("file {} {:?}", file.file, file.offset),
        None => format!("chip {}", board.chip),
    };
    once(name, make)
}

/// A machine that takes the program itself: built, there is nothing to flash.
pub(super) fn of_machine(lab: &Lab, board: &Board) -> Result<()> {
    let takes_flash = board.port.words().iter().any(|word| word.contains("{flash}"));
    if takes_flash {
        return of_board(lab, board).map(|_| ());
    }
    let make = || build::build(lab, board).map(|_| FlashImage::new(Vec::new()));
    once(format!("program {}", board.chip), make).map(|_| ())
}

fn once(name: String, make: impl FnOnce() -> Result<FlashImage>) -> Result<FlashImage> {
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let image = made.entry(name).or_insert_with(|| make().map_err(|error| format!("{error:#}")));
    image.clone().map_err(|message| anyhow!(message))
}
