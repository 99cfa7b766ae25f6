//! From flash through ROM and second-stage bootloader into a hand-assembled program, and what silicon does when the flash
//! holds something wrong.

mod common;

use common::asm::{SPIN, WFI, poke, print};
use common::{SECOND, config, expect, flash_image, frame, sync};
use larch_emulator::esp32c3::ResetCause;
use larch_emulator::{Board, Wiring};
use rstest::rstest;
use std::time::Duration;

fn board_with(flash: &[u8]) -> Board {
    let mut board = Board::new(&config(300), Wiring::AutoReset);
    board.chip_mut().load_flash(0, flash);
    board
}

fn program(parts: &[Vec<u32>]) -> Vec<u8> {
    flash_image(&parts.concat())
}

#[rstest]
fn every_rom_boots_a_program_from_flash(#[values(0, 101, 300)] revision: u32) {
    let mut board = Board::new(&config(revision), Wiring::None);
    board.chip_mut().load_flash(0, &program(&[print("program runs\n"), vec![SPIN]]));
    board.power_on();
    let text = expect(&mut board, b"program runs\n", SECOND);
    assert!(String::from_utf8_lossy(&text).contains("Loaded app from partition at offset 0x10000"));
}

#[test]
fn one_wrong_byte_fails_the_hash_and_loops() {
    let mut flash = program(&[print("never\n"), vec![SPIN]]);
    // In the unused part of the application descriptor: the checksum of the code is not what catches it.
    flash[0x10080] ^= 0x10;
    let mut board = board_with(&flash);
    board.power_on();
    let text = expect(&mut board, b"rst:0x3 (RTC_SW_SYS_RST)", SECOND);
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(text.contains("invalid") || text.contains("failed"), "{text}");
    assert!(!text.contains("never"), "{text}");
    expect(&mut board, b"rst:0x3 (RTC_SW_SYS_RST)", SECOND);
}

#[test]
fn an_image_at_the_wrong_offset_is_an_invalid_header() {
    let image = program(&[vec![SPIN]]);
    let mut flash = vec![0xFF; image.len()];
    flash[0x1000..].copy_from_slice(&image[..image.len() - 0x1000]);
    let mut board = board_with(&flash);
    board.power_on();
    expect(&mut board, b"invalid header: 0xffffffff\r\n", SECOND);
}

#[test]
fn a_truncated_bootloader_does_not_run() {
    let mut flash = program(&[vec![SPIN]]);
    flash[0x2000..0x8000].fill(0xFF);
    let mut board = board_with(&flash);
    board.power_on();
    let text = expect(&mut board, b"TG0WDT_SYS_RST", 3 * SECOND);
    assert!(!String::from_utf8_lossy(&text).contains("2nd stage bootloader"));
}

/// RTC_CNTL_OPTIONS0 with its reset value and the bit for a reset of the system or the processor.
#[rstest]
#[case(0x9C00_A000, "rst:0x3 (RTC_SW_SYS_RST)")]
#[case(0x1C00_A020, "rst:0xc (RTC_SW_CPU_RST)")]
fn software_resets_tell_their_cause(#[case] options: u32, #[case] expected: &str) {
    let mut board = board_with(&program(&[poke(0x6000_8000, options), vec![SPIN]]));
    board.power_on();
    expect(&mut board, expected.as_bytes(), SECOND);
}

#[test]
fn the_rtc_watchdog_that_the_bootloader_armed_resets_a_hung_program() {
    let mut board = board_with(&program(&[print("hung\n"), vec![SPIN]]));
    board.power_on();
    expect(&mut board, b"hung\n", SECOND);
    expect(&mut board, b"rst:0x", 20 * SECOND);
    assert!(matches!(
        board.chip().resets().last(),
        Some((_, ResetCause::RtcWatchdogRtc | ResetCause::RtcWatchdogSystem))
    ));
}

#[test]
fn deep_sleep_ends_by_the_rtc_timer() {
    // 1 s = 136 000 cycles of the slow clock from power-on; timer wake-up; digital power down; sleep.
    let sleep = [
        poke(0x6000_8004, 136_000),
        poke(0x6000_8008, 1 << 16),
        poke(0x6000_803C, 1 << (15 + 3)),
        poke(0x6000_8088, 0x8055_5010),
        poke(0x6000_8018, 1 << 31),
        vec![WFI, SPIN],
    ];
    let mut board = board_with(&program(&sleep));
    board.power_on();
    expect(&mut board, b"rst:0x5 (DSLEEP)", 2 * SECOND);
    let woke = board.now();
    assert!((Duration::from_millis(990)..Duration::from_millis(1100)).contains(&woke), "woke at {woke:?}");
}

#[test]
fn lines_and_buttons_reset_the_chip() {
    let mut board = board_with(&program(&[print("up\n"), vec![SPIN]]));
    board.power_on();
    expect(&mut board, b"up\n", SECOND);
    board.press_reset();
    expect(&mut board, b"up\n", SECOND);
    board.set_lines(false, true);
    board.sleep(Duration::from_millis(100));
    board.take_output();
    board.sleep(SECOND);
    assert_eq!(board.take_output(), b"", "held in reset");
    board.set_lines(false, false);
    expect(&mut board, b"up\n", SECOND);
    board.set_lines(true, true);
    board.sleep(SECOND);
    assert_eq!(board.take_output(), b"", "both lines together do nothing");
}

#[test]
fn memory_at_power_on_holds_no_zeros_to_rely_on() {
    let mut board = board_with(&program(&[vec![SPIN]]));
    board.power_on();
    let words: Vec<u32> = (0..16).map(|i| board.chip().peek(0x3FCC_0000 - 64 + 4 * i).unwrap()).collect();
    assert!(words.iter().any(|&word| word != 0), "{words:x?}");
}

/// In download mode: SYNC, attach the flash, erase one sector at 0x10000 (FLASH_BEGIN).
fn erase_a_sector(board: &mut Board) -> bool {
    board.set_jumper(true);
    board.power_on();
    expect(board, b"download\r\n", SECOND);
    board.write_all(&sync()).unwrap();
    board.sleep(Duration::from_millis(200));
    board.take_output();
    board.write_all(&frame(0x0D, &[0; 8])).unwrap();
    expect(board, &[0xC0, 1, 0x0D], SECOND);
    board.take_output();
    let begin: Vec<u8> =
        [0x400u32, 1, 0x400, 0x1_0000, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
    board.write_all(&frame(0x02, &begin)).unwrap();
    board.sleep(SECOND);
    board.take_output().windows(3).any(|window| window == [0xC0, 1, 0x02])
}

#[test]
fn a_power_cut_in_an_erase_leaves_the_sector_half_erased_and_the_board_off() {
    let mut board = board_with(&program(&[vec![SPIN]]));
    let before = board.chip().flash_contents()[0x1_0000..0x1_1000].to_vec();
    assert!(erase_a_sector(&mut board.clone()), "without the fault it works");
    board.chip_mut().flash_faults().power_cut_at_operation = Some(1);
    assert!(!erase_a_sector(&mut board));
    assert!(!board.is_powered());
    let after = &board.chip().flash_contents()[0x1_0000..0x1_1000];
    assert!(after[..0x100].iter().all(|&byte| byte == 0xFF), "the beginning was erased");
    assert!(after != before && after[0xF00..] == before[0xF00..], "the end was not");
    board.set_jumper(false);
    board.power_on();
    expect(&mut board, b"No bootable app partitions", SECOND);
}

#[test]
fn a_bad_sector_is_found_by_reading_it_back() {
    let mut board = board_with(&program(&[vec![SPIN]]));
    board.chip_mut().flash_faults().bad_sectors.insert(0x10);
    assert!(erase_a_sector(&mut board), "the chip does not notice");
    assert_ne!(board.chip().flash_contents()[0x1_0000], 0xFF);
    assert_eq!(board.chip().flash_contents()[0x1_0001], 0xFF);
}

#[test]
fn serial_faults_hit_the_bytes_they_name() {
    let mut board = board_with(&program(&[print("abc\n"), vec![SPIN]]));
    board.power_on();
    let text = expect(&mut board, b"abc\n", SECOND);
    let at = text.windows(3).position(|window| window == b"abc").unwrap() as u64;
    let mut board = board_with(&program(&[print("abc\n"), vec![SPIN]]));
    board.faults_from_chip().drop.insert(at + 1);
    board.faults_from_chip().corrupt.insert(at + 2, 0x20);
    board.power_on();
    expect(&mut board, b"aC\n", SECOND);
}
