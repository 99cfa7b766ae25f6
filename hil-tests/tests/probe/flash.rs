//! Unmodified probe-rs and the emulated board: its flash algorithms execute on our processor, and what it has written boots.

use std::time::Duration;

use super::desk::{Desk, FLASH, elf, program};
use hil_tests::probe::Event;

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
