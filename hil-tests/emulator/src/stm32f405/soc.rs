//! The chip without its processor: memory map, peripherals, and the bus between them. Source: RM0090 chapter 2.

use super::flash::{self, FLASH_SIZE, Flash};
use super::gpio::{self, Gpio};
use super::random::{self, Random};
use super::usart::{self, Usart};
use super::{TICKS_PER_SECOND, clock};
use crate::adapter::Adapter;
use crate::mcu::{self, FlashFaults, ResetCause, Unknown};
use crate::registers::{Access, Registers};
use crate::thumb::Bus;
use crate::time::{NEVER, Ticks};
use std::ops::Range;

const REGISTERS: &str = include_str!("registers.txt");
const DEVICES: Range<u32> = 0x4000_0000..0x4008_0000;
/// Devices at AHB2, and what the chip has on the processor's private bus.
const OUTSIDE: [Range<u32>; 2] = [0x5000_0000..0x6000_0000, 0xe004_0000..0xe010_0000];

const FLASH: u32 = 0x0800_0000;
const CCM: u32 = 0x1000_0000;
const SRAM: u32 = 0x2000_0000;
const CCM_SIZE: usize = 64 * 1024;
const SRAM_SIZE: usize = 128 * 1024;

/// Read-only data of the factory, in words: the unique number, and the size of the flash in KB (upper half). Source: RM0090
/// chapter 39.
const FACTORY: &[(u32, u32)] = &[
    (0x1fff_7a10, 0x0033_0027),
    (0x1fff_7a14, 0x3436_5115),
    (0x1fff_7a18, 0x3533_3835),
    (0x1fff_7a20, 0x0400_ffff),
];
/// DBGMCU_IDCODE: revision 1 of the STM32F405.
const IDCODE: u32 = 0x1007_6413;
const DBGMCU: u32 = 0xe004_2000;
const ROM_TABLE: u32 = 0xe00f_f000;
/// Offsets from the table to the components, with their "present" bit: SCS, DWT, FPB, ITM; then the end, and the table's own
/// identification (ST, device 0x413).
const ROM_TABLE_WORDS: &[(u32, u32)] = &[
    (0x000, 0xfff0_f003),
    (0x004, 0xfff0_2003),
    (0x008, 0xfff0_3003),
    (0x00c, 0xfff0_1003),
    (0x010, 0),
    (0xfcc, 1),
    (0xfd0, 0),
    (0xfd4, 0),
    (0xfd8, 0),
    (0xfdc, 0),
    (0xfe0, 0x13),
    (0xfe4, 0x04),
    (0xfe8, 0x0a),
    (0xfec, 0),
    (0xff0, 0x0d),
    (0xff4, 0x10),
    (0xff8, 0x05),
    (0xffc, 0xb1),
];

/// Memories and peripherals.
#[derive(Clone)]
pub struct Soc {
    ccm: Vec<u8>,
    sram: Vec<u8>,
    pub(super) flash: Flash,
    pub(super) registers: Registers,
    usart: Usart,
    gpio: Gpio,
    random: Random,
    debug_control: [u32; 3],
    /// At USART1.
    adapter: Adapter,
    unknown: Unknown,
    place: u32,
    now: Ticks,
}

impl mcu::Soc for Soc {
    const TICKS_PER_SECOND: u64 = 336_000_000;
    const PINS: (u8, &'static str) = (16 * gpio::PORTS as u8, "PD15");

    fn new(strict: bool) -> Self {
        let gpio = (0..gpio::PORTS).map(|port| (gpio::BASE + port * gpio::PORT, gpio::MODELLED));
        let others =
            [(clock::BASE, clock::MODELLED), (flash::BASE, flash::MODELLED), (usart::BASE, usart::MODELLED)];
        let modelled: Vec<_> = gpio.chain(others).collect();
        let mut registers =
            Registers::new(DEVICES.start, DEVICES.end - DEVICES.start, &[REGISTERS], &modelled, &[]);
        let flash = Flash::new();
        flash.set_up(&mut registers);
        Self {
            ccm: vec![0; CCM_SIZE],
            sram: vec![0; SRAM_SIZE],
            flash,
            registers,
            usart: Usart::default(),
            gpio: Gpio::default(),
            random: Random::default(),
            debug_control: [0; 3],
            adapter: Adapter::with_clock(115_200, TICKS_PER_SECOND),
            unknown: Unknown::new(strict),
            place: 0,
            now: 0,
        }
    }

    fn power_on(&mut self) {
        self.flash.set_debugged(false);
    }

    fn forget(&mut self) {
        self.ccm.fill(0x5a);
        self.sram.fill(0xa5);
        self.debug_control = [0; 3];
    }

    fn reset(&mut self, cause: ResetCause) {
        let flags = self.registers.clone();
        self.registers.reset(DEVICES.start, DEVICES.end - DEVICES.start);
        for offset in (0..0x400).step_by(4) {
            self.registers.set(clock::BASE + offset, flags.get(clock::BASE + offset));
        }
        clock::reset(&mut self.registers, cause);
        self.flash.set_up(&mut self.registers);
        self.flash.reset();
        self.random.reset();
        self.usart.reset(self.now);
    }

    fn take_power_failure(&mut self) -> bool {
        self.flash.take_power_failure()
    }

    fn unknown(&mut self) -> &mut Unknown {
        &mut self.unknown
    }

    fn registers(&self) -> Vec<&Registers> {
        vec![&self.registers]
    }

    fn adapter(&mut self) -> &mut Adapter {
        &mut self.adapter
    }

    fn send(&mut self, byte: u8, now: Ticks, bit: u64) -> Ticks {
        self.usart.send(byte, now, bit)
    }

    fn drive(&mut self, pin: u8, level: Option<bool>) {
        self.gpio.drive(pin, level);
    }

    fn level(&self, pin: u8) -> bool {
        self.gpio.level(&self.registers, pin)
    }

    fn flash(&self) -> &[u8] {
        self.flash.contents()
    }

    fn load_flash(&mut self, offset: usize, contents: &[u8]) {
        self.flash.load(offset, contents);
    }

    fn take_flash_changed(&mut self) -> bool {
        std::mem::take(&mut self.flash.is_changed)
    }

    fn flash_faults(&mut self) -> &mut FlashFaults {
        &mut self.flash.faults
    }

    fn has_debug_pins(&self) -> bool {
        gpio::leaves_debug_pins(&self.registers)
    }

    fn is_open(&mut self) -> bool {
        self.flash.set_debugged(true);
        true
    }
}

impl Soc {
    /// The memory at an address, and the offset in it.
    fn memory(&self, address: u32) -> Option<(&[u8], usize)> {
        match address {
            0..CCM if self.flash.is_barred() => None,
            0..CCM => {
                // Flash is also at address 0, from where the chip starts.
                let offset = if address >= FLASH { address - FLASH } else { address };
                Some((self.flash.contents(), offset as usize))
            }
            CCM..0x1fff_0000 => Some((&self.ccm, (address - CCM) as usize)),
            SRAM..0x4000_0000 => Some((&self.sram, (address - SRAM) as usize)),
            _ => None,
        }
    }

    fn memory_mut(&mut self, address: u32) -> Option<(&mut [u8], usize)> {
        match address {
            CCM..0x1fff_0000 => Some((&mut self.ccm, (address - CCM) as usize)),
            SRAM..0x4000_0000 => Some((&mut self.sram, (address - SRAM) as usize)),
            _ => None,
        }
    }

    fn load_device(&mut self, word: u32) -> Option<u32> {
        if !clock::is_on(&self.registers, word) {
            tracing::warn!("read of {word:#010x} at pc {:#010x}: its clock is off", self.place);
            return Some(0);
        }
        let now = self.now;
        if let Some(value) = self.random.read(word) {
            return Some(value);
        }
        match self.registers.access(word) {
            Access::Unknown => {
                self.unknown.report(word, self.place, false);
                return Some(0);
            }
            Access::Plain | Access::Watched => return Some(self.registers.get(word)),
            Access::Hooked => {}
        }
        Some(match word & !0x3ff {
            clock::BASE => clock::read(&self.registers, word & 0x3ff),
            flash::BASE => self.flash.read(&self.registers, word & 0x3ff, now),
            usart::BASE => self.usart.read(word & 0x3ff, now),
            _ => self.gpio.read(&self.registers, word),
        })
    }

    fn store_device(&mut self, word: u32, value: u32) {
        if !clock::is_on(&self.registers, word) {
            tracing::warn!("write to {word:#010x} at pc {:#010x}: its clock is off", self.place);
            return;
        }
        let now = self.now;
        if self.random.write(word, value).is_some() {
            return;
        }
        match self.registers.access(word) {
            Access::Unknown => return self.unknown.report(word, self.place, true),
            Access::Plain | Access::Watched => return self.registers.set(word, value),
            Access::Hooked => {}
        }
        match word & !0x3ff {
            clock::BASE => clock::write(&mut self.registers, word & 0x3ff, value),
            flash::BASE => self.flash.write(&mut self.registers, word & 0x3ff, value, now),
            usart::BASE => self.usart.write(&self.registers, word & 0x3ff, value, now),
            _ => Gpio::write(&mut self.registers, word, value),
        }
    }

    /// What the chip adds to the processor's private bus.
    fn load_private(&mut self, word: u32) -> Option<u32> {
        match word {
            DBGMCU => Some(IDCODE),
            0xe004_2004..=0xe004_200c => Some(self.debug_control[(word - DBGMCU) as usize / 4 - 1]),
            ROM_TABLE.. => {
                let offset = word - ROM_TABLE;
                ROM_TABLE_WORDS.iter().find(|(at, _)| *at == offset).map(|(_, value)| *value)
            }
            _ => None,
        }
    }
}

fn is_outside(address: u32) -> bool {
    OUTSIDE.iter().any(|range| range.contains(&address)) || (0xe000_0000..0xe004_0000).contains(&address)
}

impl Bus for Soc {
    fn load(&mut self, address: u32, size: u32) -> Option<u32> {
        if let Some((memory, at)) = self.memory(address) {
            let bytes = memory.get(at..at + size as usize)?;
            return Some(bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte)));
        }
        let word = address & !3;
        let value = match word {
            0x1fff_0000..0x2000_0000 => FACTORY.iter().find(|(at, _)| *at == word)?.1,
            _ if DEVICES.contains(&word) || word & !0x3ff == random::BASE => self.load_device(word)?,
            _ if is_outside(word) => match self.load_private(word) {
                Some(value) => value,
                None => {
                    self.unknown.report(word, self.place, false);
                    0
                }
            },
            _ => return None,
        };
        let shifted = value >> (8 * (address & 3));
        Some(if size == 4 { shifted } else { shifted & ((1 << (8 * size)) - 1) })
    }

    fn store(&mut self, address: u32, size: u32, value: u32) -> Option<()> {
        if let Some((memory, at)) = self.memory_mut(address) {
            let bytes = memory.get_mut(at..at + size as usize)?;
            for (byte, new) in bytes.iter_mut().zip(value.to_le_bytes()) {
                *byte = new;
            }
            return Some(());
        }
        match address {
            FLASH..CCM if ((address - FLASH) as usize) < FLASH_SIZE => {
                let offset = (address - FLASH) as usize;
                self.flash.program(&mut self.registers, offset, size, value, self.now);
            }
            0x1fff_0000..0x2000_0000 => return None,
            _ if DEVICES.contains(&address) || address & !0x3ff == random::BASE => {
                // A part of a word goes where it belongs; the rest stays as it reads.
                let word = address & !3;
                let shift = 8 * (address & 3);
                let mask = if size == 4 { u32::MAX } else { ((1 << (8 * size)) - 1) << shift };
                let rest = if size == 4 { 0 } else { self.registers.get(word) & !mask };
                self.store_device(word, value << shift & mask | rest);
            }
            0xe004_2004..=0xe004_200c => {
                self.debug_control[(address - DBGMCU) as usize / 4 - 1] = value;
            }
            _ if is_outside(address) => self.unknown.report(address & !3, self.place, true),
            _ => return None,
        }
        Some(())
    }

    fn fetch(&mut self, address: u32) -> Option<u16> {
        let (memory, at) = self.memory(address)?;
        Some(u16::from_le_bytes(*memory.get(at..)?.first_chunk()?))
    }

    fn is_constant(&self, address: u32) -> bool {
        (FLASH..CCM).contains(&address)
    }

    fn take_code_changed(&mut self) -> Option<Range<u32>> {
        self.flash.take_changed().map(|range| FLASH + range.start..FLASH + range.end)
    }

    fn is_device(&self, address: u32) -> bool {
        DEVICES.contains(&address) || OUTSIDE.iter().any(|range| range.contains(&address))
    }

    fn at(&mut self, place: u32, now: Ticks) {
        (self.place, self.now) = (place, now);
    }

    fn service(&mut self, now: Ticks) -> Ticks {
        self.now = now;
        let usart = self.usart.service(&self.registers, now);
        let heard = self.adapter.listen(&mut self.usart.tx, now);
        usart.min(heard).min(self.flash.next_event(now).unwrap_or(NEVER))
    }

    fn interrupt_lines(&self) -> u128 {
        u128::from(self.usart.interrupts(&self.registers, self.now)) << usart::LINE
    }

    fn ticks_per_cycle(&self) -> u64 {
        clock::ticks_per_cycle(&self.registers)
    }

    fn stop(&self) -> bool {
        self.unknown.stops() || self.flash.power_fails() || self.adapter.wakes()
    }
}
