//! The mask ROMs of every published revision, executed from the reset vector.

mod common;

use common::{SECOND, config, expect, frame, sync};
use larch_emulator::{Board, Wiring};
use rstest::rstest;
use std::time::Duration;

#[rstest]
#[case(0, "ESP-ROM:esp32c3-20200918")]
#[case(101, "ESP-ROM:esp32c3-eco7-20230720")]
#[case(300, "ESP-ROM:esp32c3-api1-20210207")]
fn blank_flash_is_an_invalid_header(#[case] revision: u32, #[case] banner: &str) {
    let mut board = Board::new(&config(revision), Wiring::None);
    board.power_on();
    let text = expect(&mut board, b"invalid header: 0xffffffff\r\n", SECOND);
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with(banner), "{text}");
    assert!(text.contains("rst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)"), "{text}");
}

#[test]
fn the_watchdog_resets_a_chip_that_finds_nothing_to_boot() {
    let mut board = Board::new(&config(300), Wiring::None);
    board.power_on();
    let text = expect(&mut board, b"rst:0x7 (TG0WDT_SYS_RST)", 2 * SECOND);
    assert!(String::from_utf8_lossy(&text).contains("invalid header: 0xffffffff"));
}

#[rstest]
fn download_mode_answers_sync_at_any_rate(
    #[values(0, 101, 300)] revision: u32,
    #[values(19_200, 115_200, 230_400)] baud: u32,
) {
    let mut board = Board::new(&config(revision), Wiring::AutoReset);
    board.power_on();
    board.set_lines(false, true);
    board.sleep(Duration::from_millis(100));
    board.set_lines(true, false);
    board.sleep(Duration::from_millis(50));
    board.set_lines(false, false);
    let text = expect(&mut board, b"download\r\n", SECOND);
    assert!(
        String::from_utf8_lossy(&text).contains("boot:0x4 (DOWNLOAD(USB/UART0"),
        "{}",
        String::from_utf8_lossy(&text)
    );
    board.set_baud(baud);
    let mut answer: Vec<u8> = Vec::new();
    for _ in 0..5 {
        board.write_all(&sync()).unwrap();
        let mut buffer = [0; 512];
        while let count @ 1.. = board.read(&mut buffer, Duration::from_millis(100)).unwrap() {
            answer.extend(&buffer[..count]);
        }
        if !answer.is_empty() {
            break;
        }
    }
    let reply = [0xC0, 1, 8, 4, 0, 7, 7, 0x12, 0x20, 0, 0, 0, 0, 0xC0];
    let replies = answer.windows(reply.len()).filter(|window| *window == reply).count();
    assert_eq!(replies, 8, "{answer:02x?}");
}

#[test]
fn download_mode_reads_memory() {
    let mut board = Board::new(&config(300), Wiring::None);
    board.set_jumper(true);
    board.power_on();
    expect(&mut board, b"download\r\n", SECOND);
    board.write_all(&sync()).unwrap();
    board.sleep(Duration::from_millis(200));
    board.take_output();
    board.write_all(&frame(0x0A, &0x4000_1000u32.to_le_bytes())).unwrap();
    let answer = expect(&mut board, &[0, 0, 0, 0, 0xC0], SECOND);
    assert_eq!(answer[5..9], 0x1B31_506Fu32.to_le_bytes());
}

#[test]
fn two_equal_runs_are_equal_to_the_cycle_and_a_replay_is_too() {
    let run = |board: &mut Board| {
        board.sleep(Duration::from_millis(300));
        (board.chip().cpu().instructions(), board.now_ticks(), board.chip().cpu().pc())
    };
    let mut first = Board::new(&config(300), Wiring::AutoReset);
    first.record();
    first.set_jumper(true);
    first.power_on();
    // Odd steps: where a run is interrupted must not matter.
    for step in [3u64, 7, 11, 40] {
        first.sleep(Duration::from_millis(step));
    }
    first.write_all(&sync()).unwrap();
    let recording = first.recording().unwrap().clone();
    let end = run(&mut first);
    let mut second = Board::new(&config(300), Wiring::AutoReset);
    second.replay(&recording, first.now_ticks());
    let again = (second.chip().cpu().instructions(), second.now_ticks(), second.chip().cpu().pc());
    assert_eq!(end, again);
    assert_eq!(first.take_output(), second.take_output());
}

/// The vendor's Wi-Fi library calls the mask ROM through its table of jumps, which grew with the ROM of chip revision v0.3
/// (`wdev_is_data_in_rxlist` and the entries behind it in the vendor's `esp32c3.rom.eco3.ld`). The first ROM has nothing
/// there, so a program with Wi-Fi cannot run on the first silicon: that it crashes here is no fault of the model.
#[rstest]
#[case(0, false)]
#[case(101, true)]
#[case(300, true)]
fn the_first_rom_lacks_what_wifi_calls(#[case] revision: u32, #[case] has: bool) {
    const OLD: u32 = 0x4000_1B28;
    const WDEV_IS_DATA_IN_RXLIST: u32 = 0x4000_1B2C;
    let board = Board::new(&config(revision), Wiring::None);
    let is_jump = |address| board.chip().peek(address).unwrap() & 0x7F == 0x6F;
    assert!(is_jump(OLD));
    assert_eq!(is_jump(WDEV_IS_DATA_IN_RXLIST), has);
}
