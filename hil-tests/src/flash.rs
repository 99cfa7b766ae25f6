//! Flashing a board, whatever kind it is, through the loader over its serial port.

use larch_boards::{Board, BootStrap, Reset};
use larch_loader::flash::WriteOptions;
use larch_loader::transport::Transport;
use larch_loader::{After, Before, Error, Loader, Observer, Options};

use crate::firmware::{FlashImage, larch_chip};

/// Writes the image, has the chip confirm it, and starts it.
///
/// # Errors
/// What the loader says; flash is untouched unless writing had begun.
pub fn flash<'a>(
    board: &Board,
    port: &str,
    transport: Box<dyn Transport + 'a>,
    image: &FlashImage,
    observer: Box<dyn Observer + 'a>,
) -> Result<(), Error> {
    let chip = larch_chip(board.chip).map_err(Error::Argument)?;
    let options = Options { chip: Some(chip), before: before(board, port), ..Options::default() };
    let mut loader = Loader::connect(transport, observer, &options)?;
    if board.flash_baud != options.baud {
        loader.change_baud(board.flash_baud)?;
    }
    if !loader.secure_download() {
        loader.run_own_stub()?;
    }
    loader.write_flash(&image.blobs, &WriteOptions::default())?;
    loader.finish(&after(board))
}

/// How the board gets into its loader.
#[must_use]
pub fn before(board: &Board, port: &str) -> Before {
    match (board.reset, board.boot_strap) {
        (Reset::DtrRts, BootStrap::Auto) => Before::default_reset(port),
        (Reset::UsbJtag, BootStrap::Auto) => Before::usb_reset(),
        _ => Before::NoReset,
    }
}

/// How the session ends.
#[must_use]
pub fn after(board: &Board) -> After {
    match board.reset {
        Reset::Manual => After::NoReset,
        _ => After::hard_reset(),
    }
}
