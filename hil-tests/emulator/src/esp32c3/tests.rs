//! Each peripheral through its registers, as a program drives it, with time under the test's control.

use super::map;
use super::reset::Request;
use super::soc::Soc;
use super::{analog, cache, efuse, gpio, interrupt, rtc, sha, spi, system, systimer, timg, usb};
use crate::bus::Bus;
use crate::registers::Class;
use crate::time::{TICKS_PER_SECOND, TICKS_PER_US};
use rstest::rstest;

const UART0: u32 = 0x6000_0000;
const MS: u64 = 1000 * TICKS_PER_US;

struct Bench(Soc);

impl Bench {
    fn new() -> Self {
        let mut soc = Soc::new(&[0; 0x6_0000], 1 << 20, [7; 8], 1, false);
        soc.reset(Request::PowerOn);
        soc.clock.apply();
        efuse::burn(&mut soc.registers, [1, 2, 3, 4, 5, 6], 0, 4);
        Self(soc)
    }

    fn get(&mut self, address: u32) -> u32 {
        self.0.load(address, 4).unwrap()
    }

    fn set(&mut self, address: u32, value: u32) {
        self.0.store(address, 4, value).unwrap();
    }

    /// Lets time pass as the processor does: to each event and on to the end.
    fn pass(&mut self, ticks: u64) {
        let end = self.0.clock.base + ticks;
        loop {
            let next = self.0.service();
            self.0.clock.apply();
            if next > end {
                break;
            }
            self.0.clock.base = next;
        }
        self.0.clock.base = end;
        self.0.service();
    }

    /// Routes `source` to line 1 and enables it.
    fn route(&mut self, source: u32) {
        self.set(interrupt::BASE + 4 * source, 1);
        self.set(interrupt::BASE + 0x104, 2);
        self.set(interrupt::BASE + 0x118, 1);
        self.0.service();
    }

    fn interrupted(&mut self) -> bool {
        self.0.service();
        self.0.interrupt() == Some(1)
    }
}

#[test]
fn systimer_counts_at_16_mhz_and_fires_once_or_again() {
    let mut bench = Bench::new();
    bench.route(37);
    let count = |bench: &mut Bench| {
        bench.set(systimer::BASE + 0x04, 1 << 30);
        bench.get(systimer::BASE + 0x44)
    };
    let start = count(&mut bench);
    bench.pass(MS);
    assert_eq!(count(&mut bench) - start, 16_000);
    // Comparator 0 of unit 0: once, 1000 counts from now.
    let target = count(&mut bench) + 1000;
    bench.set(systimer::BASE + 0x20, target);
    bench.set(systimer::BASE + 0x50, 1);
    bench.set(systimer::BASE + 0x64, 1);
    bench.set(systimer::BASE, 0x4600_0000 | 1 << 24);
    bench.pass(999 * 30);
    assert!(!bench.interrupted());
    bench.pass(60);
    assert!(bench.interrupted());
    bench.set(systimer::BASE + 0x6C, 1);
    bench.pass(MS);
    assert!(!bench.interrupted(), "once");
    // Every 160 counts.
    bench.set(systimer::BASE + 0x34, 1 << 30 | 160);
    bench.set(systimer::BASE + 0x50, 1);
    for _ in 0..3 {
        bench.pass(160 * 30);
        assert!(bench.interrupted());
        bench.set(systimer::BASE + 0x6C, 1);
        assert!(!bench.interrupted());
    }
}

#[test]
fn timer_group_alarms_and_reloads() {
    let mut bench = Bench::new();
    bench.route(32);
    let base = timg::BASES[0];
    bench.set(base + 0x10, 1000);
    bench.set(base + 0x70, 1);
    // Crystal clock divided by 40: a microsecond; counting up, alarm, reload.
    bench.set(base + 0x20, 0);
    bench.set(base, 1 << 31 | 1 << 30 | 1 << 29 | 40 << 13 | 1 << 10 | 1 << 9);
    bench.pass(999 * TICKS_PER_US);
    assert!(!bench.interrupted());
    bench.pass(2 * TICKS_PER_US);
    assert!(bench.interrupted());
    assert_eq!(bench.get(base) & 1 << 10, 0, "the alarm disables itself");
    bench.set(base + 0x0C, 1);
    assert!(bench.get(base + 0x04) < 5, "the counter was reloaded");
}

#[rstest]
#[case(1, None)]
#[case(2, Some(Request::Timg0Cpu))]
#[case(3, Some(Request::Timg0System))]
fn the_main_watchdog_acts(#[case] action: u32, #[case] expected: Option<Request>) {
    let mut bench = Bench::new();
    let base = timg::BASES[0];
    bench.set(base + 0x64, 0x50D8_3AA1);
    bench.set(base + 0x4C, 40 << 16);
    bench.set(base + 0x50, 1000);
    bench.set(base + 0x48, 1 << 31 | action << 29 | 1 << 21);
    bench.set(base + 0x60, 1);
    bench.pass(900 * TICKS_PER_US);
    bench.set(base + 0x60, 1);
    bench.pass(900 * TICKS_PER_US);
    assert_eq!(bench.0.request, None, "it was fed");
    bench.pass(200 * TICKS_PER_US);
    assert_eq!(bench.0.request, expected);
    assert_eq!(bench.get(base + 0x74) & 2 != 0, expected.is_none());
}

#[test]
fn a_locked_watchdog_ignores_writes() {
    let mut bench = Bench::new();
    let base = timg::BASES[0];
    bench.set(base + 0x64, 0);
    bench.set(base + 0x48, 0);
    assert_eq!(bench.get(base + 0x48), 0x4_C000);
}

#[test]
fn slow_clock_calibration_takes_its_time() {
    let mut bench = Bench::new();
    let base = timg::BASES[0];
    bench.set(base + 0x68, 1 << 31 | 100 << 16);
    assert_eq!(bench.get(base + 0x68) & 1 << 15, 0);
    bench.pass(TICKS_PER_SECOND * 101 / 136_000);
    assert_ne!(bench.get(base + 0x68) & 1 << 15, 0);
    // 100 cycles of 136 kHz are 29 412 of 40 MHz.
    assert!((29_400..29_420).contains(&(bench.get(base + 0x6C) >> 7)));
}

/// CLKDIV for 1 Mbit/s from the 40 MHz crystal.
fn fast_uart() -> Bench {
    let mut bench = Bench::new();
    bench.set(UART0 + 0x78, 0x0370_0000);
    bench.set(UART0 + 0x14, 40);
    bench
}

#[test]
fn uart_sends_at_its_rate_and_tells_when_it_is_done() {
    let mut bench = fast_uart();
    bench.0.adapter.set_baud(1_000_000);
    for &byte in b"abc" {
        bench.set(UART0, u32::from(byte));
    }
    assert_eq!(bench.get(UART0 + 0x1C) >> 16 & 0x3FF, 2, "one is on the line");
    bench.pass(29 * TICKS_PER_US);
    assert_eq!(bench.get(UART0 + 0x04) & 1 << 14, 0);
    bench.pass(2 * TICKS_PER_US);
    assert_ne!(bench.get(UART0 + 0x04) & 1 << 14, 0);
    assert_eq!(bench.0.adapter.heard, b"abc");
}

#[test]
fn uart_drops_what_its_fifo_cannot_hold() {
    let mut bench = fast_uart();
    bench.0.adapter.set_baud(1_000_000);
    for i in 0..200 {
        bench.set(UART0, i);
    }
    bench.pass(10 * MS);
    assert_eq!(bench.0.adapter.heard.len(), 129);
}

#[test]
fn uart_receives_with_threshold_timeout_and_overflow() {
    let mut bench = fast_uart();
    bench.route(21);
    bench.set(UART0 + 0x24, 1 << 21 | 8);
    bench.set(UART0 + 0x60, 0xA_0012 | 20 << 16);
    bench.set(UART0 + 0x10, u32::MAX);
    let send = |bench: &mut Bench, count: usize| {
        for i in 0..count {
            let now = bench.0.clock.base;
            bench.0.uarts[0].rx.send(i as u8, now, 480 * crate::wire::FRACTION);
        }
        let mut reads = super::soc::Reads::default();
        let io = Soc::io(&mut bench.0.registers, &bench.0.clock, &mut reads);
        bench.0.uarts[0].schedule(&io);
    };
    bench.set(UART0 + 0x0C, 1 | 1 << 8);
    send(&mut bench, 7);
    bench.pass(75 * TICKS_PER_US);
    assert!(!bench.interrupted(), "below the threshold");
    bench.pass(40 * TICKS_PER_US);
    assert_eq!(bench.get(UART0 + 0x08), 1 << 8, "20 bit times of silence");
    assert_eq!((0..7).map(|_| bench.get(UART0)).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
    bench.set(UART0 + 0x10, 1 << 8);
    send(&mut bench, 8);
    bench.pass(80 * TICKS_PER_US);
    assert_eq!(bench.get(UART0 + 0x08), 1, "the threshold");
    send(&mut bench, 140);
    bench.pass(2 * MS);
    assert_eq!(bench.get(UART0 + 0x1C) & 0x3FF, 128);
    assert_ne!(bench.get(UART0 + 0x04) & 1 << 4, 0, "overflow");
}

#[test]
fn uart_measures_the_rate_of_what_it_hears() {
    let mut bench = fast_uart();
    bench.set(UART0 + 0x20, 0x1000_001C | 1 << 27);
    for _ in 0..13 {
        let now = bench.0.clock.base;
        bench.0.uarts[0].rx.send(0x55, now + 480, TICKS_PER_SECOND * crate::wire::FRACTION / 115_200);
    }
    bench.pass(2 * MS);
    assert_eq!(bench.get(UART0 + 0x30), 130, "edges");
    // 347.2 cycles of 40 MHz, less one.
    assert!((345..=347).contains(&bench.get(UART0 + 0x28)));
    assert!((345..=347).contains(&bench.get(UART0 + 0x2C)));
}

/// "abc", padded by hand to one block.
fn abc() -> [u32; 16] {
    let mut block = [0; 64];
    block[..4].copy_from_slice(b"abc\x80");
    block[63] = 24;
    std::array::from_fn(|i| u32::from_le_bytes(block[4 * i..4 * i + 4].try_into().unwrap()))
}

#[rstest]
#[case::sha1(0, [0x363e_99a9, 0x6a81_0647, 0x7125_3eba, 0x6cc2_5078])]
#[case::sha224(1, [0x227d_0923, 0x22d8_0534, 0x77a4_4286, 0xb355_a2bd])]
#[case::sha256(2, [0xbf16_78ba, 0xeacf_018f, 0xde40_4141, 0x2322_ae5d])]
fn sha_hashes_a_block(#[case] mode: u32, #[case] expected: [u32; 4]) {
    let mut bench = Bench::new();
    bench.set(sha::BASE, mode);
    for (i, word) in (0..).zip(abc()) {
        bench.set(sha::BASE + 0x80 + 4 * i, word);
    }
    bench.set(sha::BASE + 0x10, 1);
    assert_eq!(bench.get(sha::BASE + 0x18), 1, "busy");
    bench.pass(100 * TICKS_PER_US);
    assert_eq!(bench.get(sha::BASE + 0x18), 0);
    assert_eq!([0, 1, 2, 3].map(|i| bench.get(sha::BASE + 0x40 + 4 * i)), expected);
}

#[test]
fn sha_fetches_blocks_by_dma() {
    let mut bench = Bench::new();
    bench.route(49);
    let bytes: Vec<u8> = abc().iter().flat_map(|word| word.to_le_bytes()).collect();
    let (descriptor, buffer) = (map::SRAM_DBUS + 0x1000, map::SRAM_DBUS + 0x2000);
    bench.0.memory.store_slow(buffer, &bytes).unwrap();
    for (i, word) in [64 << 12 | 64 | 1 << 31, buffer, 0].into_iter().enumerate() {
        bench.0.memory.view().store32(descriptor + 4 * i as u32, word).unwrap();
    }
    bench.set(0x6003_F000 + 0x100, 7);
    bench.set(0x6003_F000 + 0xE0, descriptor & 0xF_FFFF);
    bench.set(sha::BASE, 2);
    bench.set(sha::BASE + 0x28, 1);
    bench.set(sha::BASE + 0x0C, 1);
    bench.set(sha::BASE + 0x1C, 1);
    assert_eq!(bench.get(sha::BASE + 0x40), 0xBF16_78BA);
    bench.pass(MS);
    assert!(bench.interrupted());
    bench.set(sha::BASE + 0x24, 1);
    assert!(!bench.interrupted());
}

#[test]
fn gpio_drives_reads_and_interrupts() {
    let mut bench = Bench::new();
    bench.route(16);
    bench.set(gpio::BASE + 0x24, 1 << 4);
    bench.set(gpio::BASE + 0x08, 1 << 4);
    assert_eq!(level(&mut bench, 4), Some(true));
    bench.set(gpio::BASE + 0x0C, 1 << 4);
    assert_eq!(level(&mut bench, 4), Some(false));
    bench.set(0x6000_9004 + 4 * 5, 0);
    assert_eq!(level(&mut bench, 5), None, "open");
    // Pin 5: input enabled, pull-up; rising edge, interrupt enabled.
    bench.set(0x6000_9004 + 4 * 5, 1 << 9 | 1 << 8);
    drive(&mut bench, 5, Some(false));
    bench.set(gpio::BASE + 0x74 + 4 * 5, 1 << 13 | 1 << 7);
    assert_eq!(bench.get(gpio::BASE + 0x3C) & 1 << 5, 0);
    assert!(!bench.interrupted());
    drive(&mut bench, 5, None);
    assert_ne!(bench.get(gpio::BASE + 0x3C) & 1 << 5, 0, "pulled up");
    assert!(bench.interrupted());
    bench.set(gpio::BASE + 0x4C, 1 << 5);
    assert!(!bench.interrupted());
}

fn drive(bench: &mut Bench, pin: u8, level: Option<bool>) {
    let mut reads = super::soc::Reads::default();
    let mut io = Soc::io(&mut bench.0.registers, &bench.0.clock, &mut reads);
    bench.0.gpio.drive(&mut io, pin, level);
}

fn level(bench: &mut Bench, pin: u8) -> Option<bool> {
    let mut reads = super::soc::Reads::default();
    let io = Soc::io(&mut bench.0.registers, &bench.0.clock, &mut reads);
    bench.0.gpio.level(&io, pin)
}

#[test]
fn straps_are_latched_at_chip_resets_only() {
    let mut bench = Bench::new();
    assert_eq!(bench.get(gpio::BASE + 0x38), 0b1100);
    drive(&mut bench, 9, Some(false));
    bench.0.reset(Request::SoftwareSystem);
    assert_eq!(bench.get(gpio::BASE + 0x38), 0b1100);
    bench.0.reset(Request::PowerOn);
    assert_eq!(bench.get(gpio::BASE + 0x38), 0b0100);
}

#[test]
fn rtc_counts_and_keeps_its_store_over_a_core_reset() {
    let mut bench = Bench::new();
    bench.set(rtc::BASE + 0x50, 0x1234);
    bench.pass(TICKS_PER_SECOND);
    bench.set(rtc::BASE + 0x0C, 1 << 31);
    let count = bench.get(rtc::BASE + 0x10);
    assert!((135_900..136_100).contains(&count), "{count}");
    bench.0.reset(Request::SoftwareSystem);
    assert_eq!(bench.get(rtc::BASE + 0x50), 0x1234);
    assert_eq!(bench.get(rtc::BASE + 0x38) & 0x3F, 3);
    bench.0.reset(Request::PowerOn);
    assert_eq!(bench.get(rtc::BASE + 0x50), 0);
}

#[test]
fn the_super_watchdog_bites_who_feeds_it_once_and_forgets() {
    let mut bench = Bench::new();
    bench.pass(3 * TICKS_PER_SECOND);
    bench.0.request = None;
    bench.set(rtc::BASE + 0xB0, 0x8F1D_312A);
    bench.set(rtc::BASE + 0xAC, 1 << 31);
    bench.set(rtc::BASE + 0xA8, 0x50D8_3AA1);
    bench.set(rtc::BASE + 0x90, 0);
    let base = timg::BASES[0];
    bench.set(base + 0x48, 0);
    bench.pass(2 * TICKS_PER_SECOND);
    assert_eq!(bench.0.request, None, "it feeds itself");
    bench.set(rtc::BASE + 0xAC, 1 << 29);
    bench.pass(2 * TICKS_PER_SECOND);
    assert_eq!(bench.0.request, Some(Request::SuperWatchdog));
}

/// A command that the program puts together: opcode, optional address, bytes to send and to receive.
fn flash_command(bench: &mut Bench, opcode: u32, address: Option<u32>, send: &[u32], receive: u32) -> u32 {
    let register = |offset| spi::BASE + offset;
    let flag = |on: bool, bit: u32| u32::from(on) << bit;
    bench.set(register(0x20), 7 << 28 | opcode);
    bench.set(register(0x1C), 23 << 26);
    bench.set(register(0x04), address.unwrap_or(0));
    for (i, word) in (0..).zip(send) {
        bench.set(register(0x58 + 4 * i), *word);
    }
    bench.set(register(0x24), (32 * send.len() as u32).saturating_sub(1));
    bench.set(register(0x28), (8 * receive).saturating_sub(1));
    let user = 1 << 31 | flag(address.is_some(), 30) | flag(receive > 0, 28) | flag(!send.is_empty(), 27);
    bench.set(register(0x18), user);
    bench.set(register(0x00), 1 << 18);
    assert_ne!(bench.get(register(0x00)), 0, "a command takes time");
    bench.pass(200 * TICKS_PER_US);
    assert_eq!(bench.get(register(0x00)), 0);
    bench.get(register(0x58))
}

#[test]
fn spi_commands_the_flash_and_the_mmu_shows_it() {
    let mut bench = Bench::new();
    assert_eq!(flash_command(&mut bench, 0x9F, None, &[], 3) & 0xFF_FFFF, 0x14_40EF);
    flash_command(&mut bench, 0x06, None, &[], 0);
    assert_eq!(flash_command(&mut bench, 0x05, None, &[], 1) & 0xFF, 2);
    flash_command(&mut bench, 0x02, Some(0x1_0010), &[0xCAFE_F00D], 0);
    bench.pass(MS);
    assert_eq!(flash_command(&mut bench, 0x03, Some(0x1_0010), &[], 4), 0xCAFE_F00D);
    assert_eq!(bench.0.memory.load32(map::DBUS_FLASH + 0x10), None);
    bench.set(cache::MMU, 1);
    assert_eq!(bench.0.memory.load32(map::DBUS_FLASH + 0x10), Some(0xCAFE_F00D));
    assert_eq!(bench.0.memory.load32(map::IBUS_FLASH + 0x10), Some(0xCAFE_F00D));
    bench.set(cache::MMU, 1 << 8);
    assert_eq!(bench.0.memory.load32(map::IBUS_FLASH + 0x10), None);
}

#[test]
fn usb_hands_over_packets_when_a_host_is_there() {
    let mut bench = Bench::new();
    bench.set(usb::BASE, u32::from(b'x'));
    bench.set(usb::BASE + 4, 1);
    bench.pass(5 * MS);
    assert_eq!(bench.get(usb::BASE + 4) & 2, 0, "nobody takes it");
    bench.0.usb.plugged = true;
    bench.set(usb::BASE + 4, 1);
    bench.pass(5 * MS);
    assert_ne!(bench.get(usb::BASE + 4) & 2, 0);
    assert_eq!(bench.0.usb.to_host, b"x");
}

#[test]
fn efuses_identify_the_chip_and_cannot_be_written() {
    let mut bench = Bench::new();
    assert_eq!(bench.get(efuse::BASE + 0x44), 0x0304_0506);
    assert_eq!(bench.get(efuse::BASE + 0x48), 0x0102);
    assert_eq!(bench.get(efuse::BASE + 0x50) >> 18 & 7, 4);
    bench.set(efuse::BASE + 0x44, 0);
    assert_eq!(bench.get(efuse::BASE + 0x44), 0x0304_0506);
}

#[test]
fn the_internal_i2c_bus_remembers_per_block_and_register() {
    let mut bench = Bench::new();
    bench.set(analog::BASE, 1 << 24 | 0x5A << 16 | 3 << 8 | 0x66);
    bench.set(analog::BASE, 1 << 24 | 0x11 << 16 | 4 << 8 | 0x66);
    bench.set(analog::BASE, 3 << 8 | 0x66);
    assert_eq!(bench.get(analog::BASE) >> 16 & 0xFF, 0x5A);
}

#[test]
fn clocks_follow_system_registers() {
    let mut bench = Bench::new();
    assert_eq!(bench.0.clock.per_cycle(), 24, "20 MHz after reset");
    bench.set(system::BASE + 0x08, 0xD);
    bench.set(system::BASE + 0x58, 1 << 10 | 40 << 12);
    bench.pass(1);
    assert_eq!(bench.0.clock.per_cycle(), 3, "160 MHz");
    let before = bench.0.clock.cycles();
    bench.pass(MS);
    assert_eq!(bench.0.clock.cycles() - before, 160_000);
}

#[test]
fn software_interrupts_reach_the_processor() {
    let mut bench = Bench::new();
    bench.route(50);
    bench.set(system::BASE + 0x28, 1);
    assert!(bench.interrupted());
    assert_ne!(bench.get(interrupt::BASE + 0xFC) & 1 << 18, 0);
    bench.set(system::BASE + 0x28, 0);
    assert!(!bench.interrupted());
}

#[test]
fn random_numbers_differ() {
    let mut bench = Bench::new();
    let numbers: std::collections::BTreeSet<u32> = (0..100).map(|_| bench.get(system::RNG)).collect();
    assert!(numbers.len() > 98);
}

#[test]
fn narrow_accesses_reach_their_part_of_a_word() {
    let mut bench = Bench::new();
    let store = rtc::BASE + 0x50;
    bench.set(store, 0x1122_3344);
    bench.0.store(store + 1, 1, 0xAA).unwrap();
    bench.0.store(store + 2, 2, 0xBBCC).unwrap();
    assert_eq!(bench.get(store), 0xBBCC_AA44);
    assert_eq!(bench.0.load(store + 2, 1), Some(0xCC));
}

#[test]
fn an_unknown_register_is_reported_once_with_its_place_and_stops_a_strict_chip() {
    let mut bench = Bench::new();
    bench.0.strict = true;
    bench.0.at(0x4200_1234);
    for _ in 0..2 {
        bench.get(0x6000_0F00);
    }
    assert!(bench.0.stopped);
    let reports: Vec<String> = bench.0.unknown.values().map(ToString::to_string).collect();
    assert_eq!(reports, ["read of unknown register 0x60000f00 at pc 0x42001234"]);
}

#[test]
fn the_catalogue_names_the_classes() {
    let catalogue = super::catalogue();
    let class =
        |name: &str| catalogue.iter().find(|register| register.name == name).map(|register| register.class);
    assert_eq!(class("UART0.CLKDIV"), Some(Class::Modelled));
    assert_eq!(class("LEDC.CONF"), Some(Class::Stored));
    assert_eq!(class("UART0.NOSUCH"), None);
    assert!(catalogue.iter().filter(|register| register.class == Class::Modelled).count() > 400);
    let unnamed: Vec<&str> = catalogue
        .iter()
        .map(|register| register.name.as_str())
        .filter(|name| name.starts_with("0x"))
        .collect();
    assert!(unnamed.is_empty(), "modelled but not in a table: {unnamed:?}");
}

#[test]
fn no_value_in_any_register_brings_the_chip_down() {
    let addresses: Vec<u32> = super::catalogue().iter().map(|register| register.address).collect();
    let mut state = 0x1234_5678_9ABC_DEF1u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bench = Bench::new();
    for round in 0..400_000 {
        let address = addresses[random() as usize % addresses.len()];
        let value = match random() % 4 {
            0 => u32::MAX,
            1 => 0,
            2 => 1 << (random() % 32),
            _ => random() as u32,
        };
        bench.get(address);
        bench.0.store(address, [1, 2, 4][random() as usize % 3], value).unwrap();
        bench.0.clock.base += random() % (10 * TICKS_PER_US);
        bench.0.service();
        bench.0.clock.apply();
        if let Some(request) = bench.0.request.take() {
            bench.0.reset(request);
        }
        if round % 1000 == 0 {
            bench.0.clock.base += 3 * TICKS_PER_SECOND;
        }
    }
}
