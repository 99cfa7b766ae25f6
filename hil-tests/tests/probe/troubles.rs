//! What goes wrong at a desk: each time one clear line, and where the cause is gone a second run does it.

use std::collections::BTreeSet;
use std::time::Duration;

use hil_tests::probe::PATIENCE;
use larch_boards::Probe as Wanted;
use larch_emulator::mcu::AnyBoard as _;
use larch_emulator::probe::SwdFaults;

use super::desk::{Desk, FLASH, elf, program, program_without_debug_pins, wanted};

/// Bytes of the program that is flashed; several pages, one sector.
const SIZE: usize = 6000;

/// A transfer that is in every run, however often the library asks whether the chip is done: at half of its ways.
const SOON: u64 = 1500;

/// The message of a flashing that fails, which is one line.
fn fails(desk: &mut Desk, wanted: &Wanted) -> String {
    let file = desk.file("program.elf", &elf(FLASH, &program("well\n", SIZE)));
    let message = desk.flash_as(wanted, &file).expect_err("it does not work");
    assert!(!message.contains('\n'), "{message}");
    message
}

/// The same command again, without the fault.
fn recovers(desk: &mut Desk) {
    let file = desk.file("program.elf", &elf(FLASH, &program("well\n", SIZE)));
    assert_eq!(desk.flash(&file), Ok(SIZE as u64));
    assert_eq!(desk.listen(Duration::from_millis(100)), "well\n");
}

fn says(message: &str, parts: &[&str]) {
    assert!(parts.iter().all(|part| message.contains(part)), "{message}");
}

/// Nothing listens where the probe should be.
pub fn no_probe() {
    let desk = Desk::new();
    let file = desk.file("program.elf", &elf(FLASH, &program("", SIZE)));
    let message = desk.flash_through("20b7:9db1:tcp:127.0.0.1:1", &file).expect_err("port 1 is nobody's");
    says(&message, &["nothing listens where the probe should be", "is its server running?"]);
}

/// Words that name no probe.
pub fn a_selector_that_is_none() {
    let desk = Desk::new();
    let file = desk.file("program.elf", &elf(FLASH, &program("", SIZE)));
    let message = desk.flash_through("st-link", &file).expect_err("it is no selector");
    says(&message, &["'st-link' names no probe", "write VID:PID"]);
}

/// The board is off.
pub fn no_power() {
    let mut desk = Desk::new();
    desk.board.power_off();
    says(&fails(&mut desk, &wanted()), &["the chip does not answer", "has power", "SWDIO"]);
    desk.board.power_on();
    recovers(&mut desk);
}

/// The name is another chip's.
pub fn the_wrong_chip() {
    let mut desk = Desk::new();
    let other = Wanted { chip: "STM32F446RETx".into(), ..wanted() };
    let message = fails(&mut desk, &other);
    says(&message, &["this is no STM32F446RETx", "0x413, which is STM32F405", "`probe: { chip: ... }`"]);
    assert!(desk.board.chip().flash_contents().iter().all(|&byte| byte == 0xff), "nothing was written");
    let unknown = Wanted { chip: "STM32F4O5".into(), ..wanted() };
    says(&fails(&mut desk, &unknown), &["probe-rs knows no chip STM32F4O5"]);
    recovers(&mut desk);
}

/// A program for another place.
pub fn the_wrong_firmware() {
    let mut desk = Desk::new();
    let file = desk.file("other.elf", &elf(0x4200_0000, &program("", SIZE)));
    let message = desk.flash(&file).expect_err("there is no flash there");
    says(&message, &["linked for 0x42000000", "is it the firmware for this chip?"]);
    let file = desk.file("none.elf", b"no program");
    says(&desk.flash(&file).expect_err("it is no ELF file"), &["none.elf"]);
}

/// Read protection; looking only says the same.
pub fn a_locked_flash() {
    let mut desk = Desk::new();
    assert_eq!(desk.check(), Ok("STM32F405RGTx".into()));
    desk.board.chip_mut().protect_reading();
    says(&fails(&mut desk, &wanted()), &["the flash is locked", "RDP 0x55", "unlocking erases all", "-rdu"]);
    says(&desk.check().expect_err("it is locked"), &["the flash is locked"]);
}

/// A button that is stuck.
pub fn a_chip_held_in_reset() {
    let mut desk = Desk::new();
    desk.board.hold_reset(true);
    says(&fails(&mut desk, &wanted()), &["the chip is held in reset", "let go of the reset button"]);
    desk.board.hold_reset(false);
    recovers(&mut desk);
}

/// A program that takes the debug port's pins: only under reset the chip can be reached.
pub fn a_program_that_takes_the_debug_pins() {
    let mut desk = Desk::new();
    let file = desk.file("taken.elf", &elf(FLASH, &program_without_debug_pins("taken\n", SIZE)));
    assert_eq!(desk.flash(&file), Ok(SIZE as u64));
    assert_eq!(desk.listen(Duration::from_millis(100)), "taken\n");
    says(&fails(&mut desk, &wanted()), &["the chip does not answer", "`connect-under-reset: true`", "NRST"]);
    let file = desk.file("program.elf", &elf(FLASH, &program("well\n", SIZE)));
    let under_reset = Wanted { connect_under_reset: true, ..wanted() };
    assert_eq!(desk.flash_as(&under_reset, &file), Ok(SIZE as u64));
    assert_eq!(desk.listen(Duration::from_millis(100)), "well\n");
}

/// A blank chip, under reset.
pub fn a_blank_chip_under_reset() {
    let mut desk = Desk::new();
    let file = desk.file("program.elf", &elf(FLASH, &program("well\n", SIZE)));
    let under_reset = Wanted { connect_under_reset: true, ..wanted() };
    assert_eq!(desk.flash_as(&under_reset, &file), Ok(SIZE as u64));
    assert_eq!(desk.listen(Duration::from_millis(100)), "well\n");
}

/// A sector that the option bytes protect.
pub fn a_write_protected_sector() {
    let mut desk = Desk::new();
    desk.board.chip_mut().flash_faults().protected.insert(0);
    says(&fails(&mut desk, &wanted()), &["refuses to erase the sector at 0x08000000", "write-protected"]);
    desk.board.chip_mut().flash_faults().protected.clear();
    recovers(&mut desk);
}

/// A sector that no longer programs. ST's flash algorithm does not look at OPERR; reading back tells.
pub fn a_worn_sector() {
    let mut desk = Desk::new();
    desk.board.chip_mut().flash_faults().fail_after = Some(700);
    says(&fails(&mut desk, &wanted()), &["the flash does not hold what was written", "worn out"]);
    desk.board.chip_mut().flash_faults().fail_after = None;
    recovers(&mut desk);
}

/// The whole chip is erased when that is asked for, and only then.
pub fn what_is_erased() {
    let mut desk = Desk::new();
    const FILES: usize = 512 * 1024;
    desk.board.chip_mut().load_flash(FILES, b"files");
    recovers(&mut desk);
    assert_eq!(&desk.board.chip().flash_contents()[FILES..FILES + 5], b"files");
    let file = desk.file("program.elf", &elf(FLASH, &program("well\n", SIZE)));
    let all = Wanted { chip_erase: true, speed_khz: Some(4000), ..wanted() };
    assert_eq!(desk.flash_as(&all, &file), Ok(SIZE as u64));
    assert_eq!(&desk.board.chip().flash_contents()[FILES..FILES + 5], [0xff; 5]);
}

/// Damaged bits and acknowledgements that are no OK, at any moment: it works nevertheless.
pub fn noise_on_the_wires() {
    let mut desk = Desk::new();
    for part in 0..5 {
        let at = SOON * (2 * part + 1) / 5;
        let faults = match part % 3 {
            0 => &mut desk.faults.parity,
            1 => &mut desk.faults.wait,
            _ => &mut desk.faults.fault,
        };
        faults.extend(at..at + 4);
        recovers(&mut desk);
        desk.faults = SwdFaults::default();
    }
}

/// A wire that is loose from some moment on: damaged bits.
pub fn damage_without_end() {
    noise_without_end(|faults| &mut faults.parity);
}

/// The chip says WAIT from some moment on.
pub fn wait_without_end() {
    noise_without_end(|faults| &mut faults.wait);
}

/// The chip says FAULT from some moment on.
pub fn fault_without_end() {
    noise_without_end(|faults| &mut faults.fault);
}

fn noise_without_end(kind: fn(&mut SwdFaults) -> &mut BTreeSet<u64>) {
    let mut desk = Desk::new();
    kind(&mut desk.faults).extend(SOON..1_000_000);
    let message = fails(&mut desk, &wanted());
    // The second try does not even find the chip.
    assert!(
        message.contains("the chip does not answer; check") || message.contains("run the same command again"),
        "{message}"
    );
    desk.faults = SwdFaults::default();
    recovers(&mut desk);
}

/// The cable is pulled out: half-way.
pub fn a_probe_that_vanishes() {
    let mut desk = Desk::new();
    desk.faults.vanish_at = Some(SOON);
    // It may be erasing, for which four times as long is allowed.
    desk.patience = Duration::from_secs(2);
    is_missed(&mut desk);
    recovers(&mut desk);
}

/// The cable is pulled out while the flash is written.
pub fn a_probe_that_vanishes_while_it_writes() {
    let mut desk = Desk::new();
    desk.faults.vanish_when = Some(|target| target.load(FLASH, 4).is_some_and(|word| word != u32::MAX));
    is_missed(&mut desk);
    let bytes = desk.board.chip().flash_contents();
    assert!(bytes[..4] != [0xff; 4] && bytes[SIZE - 4..SIZE] == [0xff; 4], "a part is written");
    recovers(&mut desk);
}

fn is_missed(desk: &mut Desk) {
    says(&fails(desk, &wanted()), &["the probe", "plug it in again", "run the same command again"]);
    (desk.faults, desk.patience) = (SwdFaults::default(), PATIENCE);
}

/// A board whose terminal should be RTT, with a program that has none.
pub fn a_program_without_rtt() {
    let mut desk = Desk::new();
    let file = desk.file("program.elf", &elf(FLASH, &program("well\n", SIZE)));
    assert_eq!(desk.flash(&file), Ok(SIZE as u64));
    let message = desk.terminal(&file).expect_err("there is no control block");
    says(&message, &["program.elf: the program has no RTT", "use its serial port"]);
}
