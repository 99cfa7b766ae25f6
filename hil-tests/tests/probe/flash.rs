//! Unmodified probe-rs and the emulated board: its flash algorithms execute on our processor, and what it has written boots.

use std::time::Duration;

use super::desk::{Desk, FLASH, NrfDesk, elf, nrf_program, nrf_wanted, program};
use hil_tests::probe::Event;
use larch_boards::Probe as Wanted;

pub fn what_probe_rs_has_written_boots() {
    let mut desk = Desk::new();
    let bytes = program("here\n", 40_000);
    let file = desk.file("here.elf", &elf(FLASH, &bytes));
    assert_eq!(desk.flash(&file), Ok(40_000));
    assert!(desk.board.chip().flash_contents().starts_with(&bytes));
    assert_eq!(desk.listen(Duration::from_millis(100)), "here\n");
    let operations: Vec<&str> = desk
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Finished { operation } => Some(operation.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(operations, ["erase", "program", "verify"]);
}

/// The nRF52840 is locked when it comes from the factory (revision 3); erasing all of it unlocks it, and what was written boots.
pub fn an_nrf52840_boots_what_was_written() {
    let mut desk = NrfDesk::new();
    let bytes = nrf_program("here\n");
    let file = desk.file("here.elf", &elf(0, &bytes));
    let message =
        desk.flash_as(&Wanted { chip_erase: false, ..nrf_wanted() }, &file).expect_err("it is locked");
    assert!(message.contains("APPROTECT") && message.contains("`chip-erase: true`"), "{message}");
    assert!(desk.board.chip().flash_contents().iter().all(|&byte| byte == 0xff), "nothing was written");
    assert_eq!(desk.flash_as(&nrf_wanted(), &file), Ok(bytes.len() as u64));
    assert!(desk.board.chip().flash_contents().starts_with(&bytes));
    assert_eq!(desk.listen(Duration::from_millis(100)), "here\n");
    let other = Wanted { chip: "nRF52833_xxAA".into(), ..nrf_wanted() };
    let message = desk.flash_as(&other, &file).expect_err("another chip");
    assert!(message.contains("this is no nRF52833_xxAA: INFO.PART is 0x52840"), "{message}");
}
