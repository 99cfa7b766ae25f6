//! The flash's rules, and the clock, through the registers as a program sees them (here: a debugger).

use super::{Stm32f405, sector_of};

const KEYR: u32 = 0x4002_3c04;
const SR: u32 = 0x4002_3c0c;
const CR: u32 = 0x4002_3c10;
const FLASH: u32 = 0x0800_0000;

fn chip() -> Stm32f405 {
    let mut chip = Stm32f405::new(false);
    chip.power_on();
    // Halted: only what is done here happens.
    chip.debug_store(0xe000_edf0, 4, 0xa05f_0003).unwrap();
    chip
}

fn unlock(chip: &mut Stm32f405) {
    for key in [0x4567_0123, 0xcdef_89ab] {
        chip.debug_store(KEYR, 4, key).unwrap();
    }
}

fn finish(chip: &mut Stm32f405) -> u32 {
    chip.run(chip.now() + super::TICKS_PER_SECOND * 10);
    let status = chip.debug_load(SR, 4).unwrap();
    assert_eq!(status >> 16 & 1, 0, "BSY");
    status
}

#[test]
fn sectors_are_where_the_manual_says() {
    let kb = |kb: usize| sector_of(kb * 1024);
    assert_eq!([kb(0), kb(16), kb(63), kb(64), kb(128), kb(1023)], [0, 1, 3, 4, 5, 11].map(Some));
    assert_eq!(kb(1024), None);
}

#[test]
fn programming_clears_bits_and_erasing_sets_them() {
    let mut chip = chip();
    unlock(&mut chip);
    chip.debug_store(CR, 4, 1 | 2 << 8).unwrap();
    for word in [0xffff_00ff, 0x00ff_ffff] {
        chip.debug_store(FLASH + 8, 4, word).unwrap();
        assert_eq!(finish(&mut chip), 0);
    }
    assert_eq!(chip.debug_load(FLASH + 8, 4), Some(0x00ff_00ff));
    chip.debug_store(CR, 4, 2 | 1 << 16).unwrap();
    assert_eq!(chip.debug_load(SR, 4), Some(1 << 16));
    assert_eq!(finish(&mut chip), 0);
    assert_eq!(chip.debug_load(FLASH + 8, 4), Some(u32::MAX));
}

#[test]
fn what_is_not_allowed_is_reported_and_not_done() {
    let mut chip = chip();
    chip.debug_store(FLASH, 4, 0).unwrap();
    assert_eq!(finish(&mut chip), 1 << 7, "locked: PGSERR");
    chip.debug_store(SR, 4, 0xf3).unwrap();
    unlock(&mut chip);
    chip.debug_store(CR, 4, 1).unwrap();
    chip.debug_store(FLASH, 4, 0).unwrap();
    assert_eq!(finish(&mut chip), 1 << 6, "bytes are due: PGPERR");
    chip.debug_store(SR, 4, 0xf3).unwrap();
    chip.flash_faults().protected.insert(0);
    chip.debug_store(CR, 4, 1 | 2 << 8).unwrap();
    chip.debug_store(FLASH, 4, 0).unwrap();
    assert_eq!(finish(&mut chip), 1 << 4, "WRPERR");
    assert_eq!(chip.debug_load(FLASH, 4), Some(u32::MAX));
}

#[test]
fn a_wrong_key_locks_until_the_next_reset() {
    let mut chip = chip();
    chip.debug_store(KEYR, 4, 0).unwrap();
    unlock(&mut chip);
    assert_eq!(chip.debug_load(CR, 4).unwrap() >> 31, 1);
    chip.set_reset(true);
    chip.set_reset(false);
    unlock(&mut chip);
    assert_eq!(chip.debug_load(CR, 4).unwrap() >> 31, 0);
}

#[test]
fn an_unknown_register_is_reported() {
    let mut chip = chip();
    chip.debug_load(0x4001_2000, 4);
    assert_eq!(chip.unknown_accesses().map(|access| access.address).collect::<Vec<_>>(), [0x4001_2000]);
}
