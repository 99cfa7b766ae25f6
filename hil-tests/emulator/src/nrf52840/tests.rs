//! Flash, protection and pins through the registers as a program or a debugger sees them.

use super::{FLASH_SIZE, Nrf52840, TICKS_PER_SECOND};

const READY: u32 = 0x4001_e400;
const CONFIG: u32 = 0x4001_e504;
const ERASEPAGE: u32 = 0x4001_e508;
const APPROTECT_DISABLE: u32 = 0x4000_0558;
const UICR_APPROTECT: u32 = 0x1000_1208;
const CTRL_AP: u8 = 1;

/// A chip that somebody has unlocked.
fn chip() -> Nrf52840 {
    let mut chip = Nrf52840::new(false);
    chip.power_on();
    chip.store_port(CTRL_AP, 4, 1);
    // Halted: only what is done here happens.
    chip.debug_store(0xe000_edf0, 4, 0xa05f_0003).unwrap();
    finish(&mut chip);
    chip
}

fn finish(chip: &mut Nrf52840) {
    chip.run(chip.now() + TICKS_PER_SECOND);
    assert_eq!(chip.debug_load(READY, 4), Some(1));
}

#[test]
fn a_new_chip_is_locked_until_everything_is_erased() {
    let mut chip = Nrf52840::new(false);
    chip.load_flash(0, b"secret");
    chip.power_on();
    assert_eq!(chip.load_port(CTRL_AP, 0xc), 0);
    assert_eq!(chip.debug_load(0, 4), None);
    chip.store_port(CTRL_AP, 4, 1);
    assert_eq!(chip.load_port(CTRL_AP, 8), 1, "it erases");
    finish(&mut chip);
    assert_eq!(chip.load_port(CTRL_AP, 8), 0);
    assert_eq!(chip.debug_load(0, 4), Some(u32::MAX));
    chip.power_on();
    assert_eq!(chip.load_port(CTRL_AP, 0xc), 0, "locked again");
}

#[test]
fn a_program_opens_the_access_port() {
    let mut chip = chip();
    chip.debug_store(CONFIG, 4, 1).unwrap();
    chip.debug_store(UICR_APPROTECT, 4, 0x5a).unwrap();
    chip.debug_store(APPROTECT_DISABLE, 4, 0x5a).unwrap();
    for bit in [1, 0] {
        chip.store_port(CTRL_AP, 0, bit);
    }
    assert_eq!(chip.load_port(CTRL_AP, 0xc), 1, "a soft reset leaves it open");
    chip.power_on();
    assert_eq!(chip.load_port(CTRL_AP, 0xc), 0, "the program has to say so each time");
}

#[test]
fn programming_clears_bits_and_erasing_sets_them() {
    let mut chip = chip();
    assert_eq!(chip.debug_store(8, 4, 0), None, "writing is not enabled");
    chip.debug_store(CONFIG, 4, 1).unwrap();
    assert_eq!(chip.debug_store(8, 1, 0), None, "only words");
    for word in [0xffff_00ff, 0x00ff_ffff] {
        chip.debug_store(8, 4, word).unwrap();
        assert_eq!(chip.debug_load(READY, 4), Some(0));
        finish(&mut chip);
    }
    assert_eq!(chip.debug_load(8, 4), Some(0x00ff_00ff));
    chip.debug_store(ERASEPAGE, 4, 0).unwrap();
    assert_eq!(chip.debug_load(8, 4), Some(0x00ff_00ff), "erasing is not enabled");
    chip.debug_store(CONFIG, 4, 2).unwrap();
    chip.debug_store(ERASEPAGE, 4, 0).unwrap();
    finish(&mut chip);
    assert_eq!(chip.debug_load(8, 4), Some(u32::MAX));
}

#[test]
fn options_are_kept_with_the_flash() {
    let mut chip = chip();
    chip.debug_store(CONFIG, 4, 1).unwrap();
    chip.debug_store(UICR_APPROTECT, 4, 0x5a).unwrap();
    assert_eq!(chip.flash_contents()[FLASH_SIZE + 0x208], 0x5a);
}

#[test]
fn pins_drive_and_read() {
    let mut chip = chip();
    let (outset, outclr, input, configuration) = (0x5000_0508, 0x5000_050c, 0x5000_0510, 0x5000_070c);
    chip.debug_store(configuration, 4, 1).unwrap();
    chip.debug_store(outset, 4, 8).unwrap();
    assert!(chip.pin(3));
    assert_eq!(chip.debug_load(input, 4).unwrap() & 8, 8);
    // Drives low, and lets go for high.
    chip.debug_store(configuration, 4, 1 | 6 << 8).unwrap();
    chip.set_pin(3, Some(false));
    assert_eq!(chip.debug_load(input, 4).unwrap() & 8, 0);
    chip.set_pin(3, Some(true));
    assert_eq!(chip.debug_load(input, 4).unwrap() & 8, 8);
    chip.debug_store(outclr, 4, 8).unwrap();
    assert_eq!(chip.debug_load(input, 4).unwrap() & 8, 0);
    // Port 1 is another one.
    chip.debug_store(0x5000_0a0c, 4, 1).unwrap();
    chip.debug_store(0x5000_0808, 4, 8).unwrap();
    assert!(chip.pin(35) && !chip.pin(3));
}

#[test]
fn an_unknown_register_is_reported() {
    let mut chip = chip();
    chip.debug_load(0x4000_1000, 4);
    assert_eq!(chip.unknown_accesses().map(|access| access.address).collect::<Vec<_>>(), [0x4000_1000]);
}
