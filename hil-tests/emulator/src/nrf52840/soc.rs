//! The chip without its processor: memory map, peripherals, and the bus between them. Source: PS chapters 4.2 (memory map), 4.4 (FICR),
//! 4.8 (debug).

use super::gpio::{self, Gpio};
use super::nvmc::{self, FLASH_SIZE, Nvmc};
use super::random::{self, Random};
use super::uart::{self, Uart};
use super::{TICKS_PER_SECOND, power};
use crate::adapter::Adapter;
use crate::mcu::{self, FlashFaults, ResetCause, Unknown};
use crate::registers::{Access, Registers};
use crate::thumb::Bus;
use crate::time::{NEVER, Ticks};
use std::ops::Range;

const REGISTERS: &str = include_str!("registers.txt");
const PINS: &str = include_str!("pins.txt");
const DEVICES: Range<u32> = 0x4000_0000..0x4008_0000;
const GPIO: Range<u32> = gpio::BASE..gpio::BASE + gpio::SIZE;
const FLASH: Range<u32> = 0..FLASH_SIZE as u32;
const RAM_SIZE: usize = 256 * 1024;
const RAM: u32 = 0x2000_0000;
/// The same memory where code is fetched fast.
const CODE_RAM: u32 = 0x0080_0000;
const FICR: Range<u32> = 0x1000_0000..0x1000_1000;
const UICR: Range<u32> = 0x1000_1000..0x1000_2000;

/// What the factory wrote, in words; all others are ones: size of a page, pages, the unique number, part, variant (AAF0: revision 3),
/// package, KB of RAM and of flash.
const FACTORY: &[(u32, u32)] = &[
    (0x010, 4096),
    (0x014, 256),
    (0x060, 0x5a17_c0de),
    (0x064, 0x0b5e_55ed),
    (0x100, 0x0005_2840),
    (0x104, 0x4141_4630),
    (0x108, 0x0000_2004),
    (0x10c, 256),
    (0x110, 1024),
];

const ROM_TABLE: u32 = 0xe00f_f000;
/// Offsets from the table to the components, with their "present" bit: SCS, DWT, FPB, ITM; then the end, and the table's own
/// identification (Nordic, device 0x008).
const ROM_TABLE_WORDS: &[(u32, u32)] = &[
    (0x000, 0xfff0_f003),
    (0x004, 0xfff0_2003),
    (0x008, 0xfff0_3003),
    (0x00c, 0xfff0_1003),
    (0x010, 0),
    (0xfcc, 1),
    (0xfd0, 0x02),
    (0xfd4, 0),
    (0xfd8, 0),
    (0xfdc, 0),
    (0xfe0, 0x08),
    (0xfe4, 0x40),
    (0xfe8, 0x0c),
    (0xfec, 0),
    (0xff0, 0x0d),
    (0xff4, 0x10),
    (0xff8, 0x05),
    (0xffc, 0xb1),
];

/// CTRL-AP: the access port that works when the other does not.
mod ctrl_ap {
    pub const PORT: u8 = 1;
    pub const RESET: u8 = 0x00;
    pub const ERASEALL: u8 = 0x04;
    pub const ERASEALLSTATUS: u8 = 0x08;
    pub const APPROTECTSTATUS: u8 = 0x0c;
    pub const IDR: u8 = 0xfc;
    pub const IDENTITY: u32 = 0x1288_0000;
}

/// Memories and peripherals.
#[derive(Clone)]
pub struct Soc {
    ram: Vec<u8>,
    nvmc: Nvmc,
    registers: Registers,
    ports: Registers,
    uart: Uart,
    gpio: Gpio,
    random: Random,
    /// Everything was erased since the last reset of the whole chip: the access port is open until the next.
    was_erased: bool,
    /// Bit 0 of CTRL-AP's RESET.
    reset_asked: bool,
    adapter: Adapter,
    unknown: Unknown,
    place: u32,
    now: Ticks,
}

impl mcu::Soc for Soc {
    const TICKS_PER_SECOND: u64 = 64_000_000;
    const PINS: (u8, &'static str) = (gpio::PINS, "P1.15");

    fn new(strict: bool) -> Self {
        let modelled = [
            (power::BASE, power::MODELLED),
            (uart::BASE, uart::MODELLED),
            (random::BASE, random::MODELLED),
            (nvmc::BASE, nvmc::MODELLED),
        ];
        let registers =
            Registers::new(DEVICES.start, DEVICES.end - DEVICES.start, &[REGISTERS], &modelled, &[]);
        let pins = gpio::modelled();
        let pins: Vec<_> = pins.iter().map(|(base, offsets)| (*base, offsets.as_slice())).collect();
        Self {
            ram: vec![0; RAM_SIZE],
            nvmc: Nvmc::new(),
            registers,
            ports: Registers::new(GPIO.start, gpio::SIZE, &[PINS], &pins, &[]),
            uart: Uart::default(),
            gpio: Gpio::default(),
            random: Random::default(),
            was_erased: false,
            reset_asked: false,
            adapter: Adapter::with_clock(115_200, TICKS_PER_SECOND),
            unknown: Unknown::new(strict),
            place: 0,
            now: 0,
        }
    }

    fn power_on(&mut self) {}

    fn forget(&mut self) {
        self.ram.fill(0xa5);
    }

    fn reset(&mut self, cause: ResetCause) {
        for start in (DEVICES.start..DEVICES.end).step_by(power::SIZE as usize).skip(1) {
            self.registers.reset(start, power::SIZE);
        }
        power::reset(&mut self.registers, cause);
        self.ports.reset(GPIO.start, gpio::SIZE);
        self.nvmc.reset();
        self.random.reset();
        self.uart.reset(self.now);
        self.was_erased &= cause == ResetCause::Software;
    }

    fn has_reset_pin(&self) -> bool {
        self.nvmc.has_reset_pin()
    }

    fn take_power_failure(&mut self) -> bool {
        self.nvmc.take_power_failure()
    }

    fn unknown(&mut self) -> &mut Unknown {
        &mut self.unknown
    }

    fn registers(&self) -> Vec<&Registers> {
        vec![&self.registers, &self.ports]
    }

    fn adapter(&mut self) -> &mut Adapter {
        &mut self.adapter
    }

    fn send(&mut self, byte: u8, now: Ticks, bit: u64) -> Ticks {
        self.uart.send(byte, now, bit)
    }

    fn drive(&mut self, pin: u8, level: Option<bool>) {
        self.gpio.drive(pin, level);
    }

    fn level(&self, pin: u8) -> bool {
        self.gpio.level(&self.ports, pin)
    }

    fn flash(&self) -> &[u8] {
        self.nvmc.contents()
    }

    fn load_flash(&mut self, offset: usize, contents: &[u8]) {
        self.nvmc.load(offset, contents);
    }

    fn take_flash_changed(&mut self) -> bool {
        std::mem::take(&mut self.nvmc.is_changed)
    }

    fn flash_faults(&mut self) -> &mut FlashFaults {
        &mut self.nvmc.faults
    }

    fn is_open(&mut self) -> bool {
        self.was_erased || self.nvmc.lets_debug() && power::lets_debug(&self.registers)
    }

    fn load_port(&mut self, port: u8, register: u8) -> u32 {
        match (port, register) {
            (ctrl_ap::PORT, ctrl_ap::RESET) => self.reset_asked.into(),
            (ctrl_ap::PORT, ctrl_ap::ERASEALLSTATUS) => self.nvmc.is_busy(self.now).into(),
            (ctrl_ap::PORT, ctrl_ap::APPROTECTSTATUS) => self.is_open().into(),
            (ctrl_ap::PORT, ctrl_ap::IDR) => ctrl_ap::IDENTITY,
            _ => 0,
        }
    }

    fn store_port(&mut self, port: u8, register: u8, value: u32, now: Ticks) -> bool {
        self.now = now;
        match (port, register) {
            (ctrl_ap::PORT, ctrl_ap::RESET) => {
                let was_asked = std::mem::replace(&mut self.reset_asked, value & 1 != 0);
                return was_asked && value & 1 == 0;
            }
            (ctrl_ap::PORT, ctrl_ap::ERASEALL) if value & 1 != 0 => {
                self.nvmc.erase_all(now);
                self.ram.fill(0);
                self.was_erased = true;
            }
            _ => {}
        }
        false
    }
}

impl Soc {
    /// The memory at an address that can be read, and the offset in it.
    fn memory(&self, address: u32) -> Option<(&[u8], usize)> {
        match address {
            _ if FLASH.contains(&address) => Some((&self.nvmc.contents()[..FLASH_SIZE], address as usize)),
            CODE_RAM..0x0100_0000 => Some((&self.ram, (address - CODE_RAM) as usize)),
            _ if UICR.contains(&address) => Some((self.nvmc.uicr(), (address - UICR.start) as usize)),
            RAM..0x4000_0000 => Some((&self.ram, (address - RAM) as usize)),
            _ => None,
        }
    }

    fn load_device(&mut self, word: u32) -> u32 {
        let is_port = GPIO.contains(&word);
        let access = if is_port { self.ports.access(word) } else { self.registers.access(word) };
        match access {
            Access::Unknown => {
                self.unknown.report(word, self.place, false);
                return 0;
            }
            Access::Plain | Access::Watched if is_port => return self.ports.get(word),
            Access::Plain | Access::Watched => return self.registers.get(word),
            Access::Hooked if is_port => return self.gpio.read(&self.ports, word),
            Access::Hooked => {}
        }
        match word & !0xfff {
            uart::BASE => self.uart.read(&mut self.registers, word & 0xfff),
            random::BASE => self.random.read(word & 0xfff),
            nvmc::BASE => self.nvmc.read(word & 0xfff, self.now),
            _ => self.registers.get(word),
        }
    }

    fn store_device(&mut self, word: u32, value: u32) {
        let is_port = GPIO.contains(&word);
        let access = if is_port { self.ports.access(word) } else { self.registers.access(word) };
        match access {
            Access::Unknown => return self.unknown.report(word, self.place, true),
            Access::Plain | Access::Watched if is_port => return self.ports.set(word, value),
            Access::Plain | Access::Watched => return self.registers.set(word, value),
            Access::Hooked if is_port => return Gpio::write(&mut self.ports, word, value),
            Access::Hooked => {}
        }
        match word & !0xfff {
            uart::BASE => self.uart.write(&mut self.registers, word & 0xfff, value, self.now),
            random::BASE => self.random.write(word & 0xfff, value),
            nvmc::BASE => self.nvmc.write(word & 0xfff, value, self.now),
            _ => power::write(&mut self.registers, word & 0xfff, value),
        }
    }

    /// Read-only words: what the factory wrote, and what says which debug components there are.
    fn constant(&self, word: u32) -> Option<u32> {
        let (table, start, other) = match word {
            _ if FICR.contains(&word) => (FACTORY, FICR.start, u32::MAX),
            ROM_TABLE..0xe010_0000 => (ROM_TABLE_WORDS, ROM_TABLE, 0),
            _ => return None,
        };
        Some(table.iter().find(|(at, _)| *at == word - start).map_or(other, |(_, value)| *value))
    }
}

impl Bus for Soc {
    fn load(&mut self, address: u32, size: u32) -> Option<u32> {
        if let Some((memory, at)) = self.memory(address) {
            let bytes = memory.get(at..at + size as usize)?;
            return Some(bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte)));
        }
        let word = address & !3;
        let value = match self.constant(word) {
            Some(value) => value,
            None if self.is_device(word) => self.load_device(word),
            None => return None,
        };
        let shifted = value >> (8 * (address & 3));
        Some(if size == 4 { shifted } else { shifted & ((1 << (8 * size)) - 1) })
    }

    fn store(&mut self, address: u32, size: u32, value: u32) -> Option<()> {
        let at = match address {
            _ if FLASH.contains(&address) => {
                return self.nvmc.program(address as usize, size, value, self.now);
            }
            _ if UICR.contains(&address) => {
                let offset = FLASH_SIZE + (address - UICR.start) as usize;
                return self.nvmc.program(offset, size, value, self.now);
            }
            CODE_RAM..0x0100_0000 => address - CODE_RAM,
            RAM..0x4000_0000 => address - RAM,
            _ if self.is_device(address) => {
                // Registers are words; parts of them cannot be written.
                self.store_device(address & !3, value);
                return (size == 4).then_some(());
            }
            _ => return None,
        };
        let bytes = self.ram.get_mut(at as usize..(at + size) as usize)?;
        for (byte, new) in bytes.iter_mut().zip(value.to_le_bytes()) {
            *byte = new;
        }
        Some(())
    }

    fn fetch(&mut self, address: u32) -> Option<u16> {
        let (memory, at) = self.memory(address)?;
        Some(u16::from_le_bytes(*memory.get(at..)?.first_chunk()?))
    }

    fn is_constant(&self, address: u32) -> bool {
        FLASH.contains(&address)
    }

    fn take_code_changed(&mut self) -> Option<Range<u32>> {
        self.nvmc.take_changed()
    }

    fn is_device(&self, address: u32) -> bool {
        DEVICES.contains(&address) || GPIO.contains(&address)
    }

    fn at(&mut self, place: u32, now: Ticks) {
        (self.place, self.now) = (place, now);
    }

    fn service(&mut self, now: Ticks) -> Ticks {
        self.now = now;
        let uart = self.uart.service(&mut self.registers, now);
        let heard = self.adapter.listen(&mut self.uart.tx, now);
        uart.min(heard).min(self.nvmc.next_event(now).unwrap_or(NEVER))
    }

    fn interrupt_lines(&self) -> u128 {
        u128::from(self.uart.interrupts(&self.registers)) << uart::LINE
    }

    fn ticks_per_cycle(&self) -> u64 {
        1
    }

    fn stop(&self) -> bool {
        self.unknown.stops() || self.nvmc.power_fails() || self.adapter.wakes()
    }
}
