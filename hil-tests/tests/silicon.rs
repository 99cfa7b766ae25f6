//! Nothing is faked: what goes wrong on silicon goes wrong here, in the words of the mask ROM and the bootloader; and
//! what must not touch the flash does not.

mod ready;

use std::sync::OnceLock;
use std::time::Duration;

use hil_tests::firmware::{Firmware, FlashImage};
use hil_tests::flash;
use hil_tests::lab::{Lab, target_directory};
use hil_tests::session::Console;
use hil_tests::target::emulated::Emulated;
use larch_boards::{Board, Chip};
use larch_loader::{Blob, Error};
use rstest::rstest;
use sha2::{Digest, Sha256};

/// The board and what is flashed to it.
fn lab() -> &'static (Lab, Board, FlashImage) {
    static LAB: OnceLock<(Lab, Board, FlashImage)> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::load(&target_directory()).unwrap();
        let board = lab.boards.find("esp32c3-emu").unwrap().clone();
        ready::image(&lab, &board).unwrap();
        let image = Firmware::of(board.chip, &lab.target).unwrap().image().unwrap();
        (lab, board, image)
    })
}

/// A board with these pieces in its flash, switched on; what it says within the time.
fn said_after_power_on(blobs: &[Blob], time: Duration) -> String {
    let (lab, board, _) = lab();
    let mut emulated = lab.blank_emulated(board.chip).unwrap();
    for blob in blobs {
        emulated.board().chip_mut().load_flash(blob.offset as usize, &blob.data);
    }
    emulated.hard_reset().unwrap();
    listen(&mut emulated, time)
}

fn listen(emulated: &mut Emulated, time: Duration) -> String {
    let end = emulated.board().now() + time;
    let mut said = Vec::new();
    while emulated.board().now() < end {
        let mut bytes = [0; 1024];
        let count = emulated.port().read(&mut bytes, Duration::from_millis(50)).unwrap();
        said.extend_from_slice(&bytes[..count]);
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn banners(said: &str) -> usize {
    said.matches("ESP-ROM:esp32c3").count()
}

#[test]
fn the_image_as_it_is_boots() {
    let said = said_after_power_on(&lab().2.blobs, Duration::from_secs(3));
    assert_eq!(banners(&said), 1, "{said}");
    assert!(said.contains("Loaded app from partition at offset 0x10000"), "{said}");
    assert!(said.ends_with(">>> "), "{said}");
}

/// The bootloader finds it by the image's digest and starts over, again and again.
#[rstest]
#[case::in_the_first_segment(0x100)]
#[case::in_the_middle(0x8000)]
fn one_flipped_byte_of_the_application_stops_the_boot(#[case] at: usize) {
    let mut blobs = lab().2.blobs.clone();
    let app = blobs.iter_mut().find(|blob| blob.name == "app").unwrap();
    app.data[at] ^= 0x10;
    let said = said_after_power_on(&blobs, Duration::from_secs(4));
    assert!(said.contains("image is corrupt") || said.contains("Checksum failed"), "{said}");
    assert!(said.contains("No bootable app partitions"), "{said}");
    assert!(banners(&said) > 1, "no reset loop: {said}");
    assert!(!said.contains(">>> "), "{said}");
}

#[test]
fn an_image_at_the_wrong_offset_is_an_invalid_header() {
    let mut blobs = lab().2.blobs.clone();
    blobs[0].offset = 0x1000;
    let said = said_after_power_on(&blobs, Duration::from_secs(2));
    assert!(said.contains("invalid header: 0xffffffff"), "{said}");
    assert!(!said.contains("boot:  "), "{said}");
}

/// A board waiting for a download, with something in its flash; flashing `image` as if it were a `chip`.
fn refused(chip: Chip, image: &FlashImage) -> Error {
    let (lab, board, _) = lab();
    let mut emulated = lab.blank_emulated(Chip::Esp32c3).unwrap();
    emulated.board().chip_mut().load_flash(0x1_0000, b"what was here before");
    emulated.power_on_for_download();
    let before = emulated.board().flash_digest();
    let board = Board { chip, ..board.clone() };
    let error = flash::flash(&board, "emulator", Box::new(emulated.line()), image, Box::new(())).unwrap_err();
    assert_eq!(emulated.board().flash_digest(), before, "flash was changed although: {error}");
    error
}

#[test]
fn the_wrong_chip_is_refused_before_anything_is_erased() {
    let error = refused(Chip::Esp32, &lab().2);
    assert!(matches!(error, Error::WrongChip { .. }), "{error}");
    assert!(error.to_string().contains("ESP32-C3"), "{error}");
}

#[test]
fn a_truncated_image_is_refused_before_anything_is_erased() {
    let mut image = lab().2.clone();
    let app = image.blobs.iter_mut().find(|blob| blob.name == "app").unwrap();
    app.data.truncate(app.data.len() / 2);
    let error = refused(Chip::Esp32c3, &image);
    assert!(matches!(error, Error::Image { .. }), "{error}");
}

#[test]
fn an_image_for_another_chip_is_refused_before_anything_is_erased() {
    let mut image = lab().2.clone();
    let app = image.blobs.iter_mut().find(|blob| blob.name == "app").unwrap();
    // Bytes 12 and 13 of an image header name the chip: 0 is the ESP32. The digest at the end covers them.
    app.data[12] = 0;
    let at = app.data.len() - 32;
    let digest = Sha256::digest(&app.data[..at]);
    app.data[at..].copy_from_slice(&digest);
    let error = refused(Chip::Esp32c3, &image);
    assert!(matches!(error, Error::ImageForOtherChip { .. }), "{error}");
}

#[test]
fn a_chip_that_does_not_answer_is_told_apart_from_one_that_runs_its_program() {
    let (lab, board, image) = lab();
    let mut emulated = lab.blank_emulated(board.chip).unwrap();
    let manual = Board { reset: larch_boards::Reset::Manual, ..board.clone() };
    let error =
        flash::flash(&manual, "emulator", Box::new(emulated.line()), image, Box::new(())).unwrap_err();
    assert_eq!(error.code(), 20, "{error}");
    assert!(error.to_string().contains("check power"), "{error}");
}
