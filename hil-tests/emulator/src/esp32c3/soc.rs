//! The chip without its processor: memories, peripherals, clocks, and the bus between them.

use super::analog::{self, Analog};
use super::cache::{self, Mmu};
use super::gpio::{self, Gpio};
use super::interrupt::{self, Interrupts, source};
use super::io::{Io, XTAL};
use super::radio::{self, Radio};
use super::reset::{Extent, Request};
use super::rtc::{self, Rtc, Sleep};
use super::sha::{self, Sha};
use super::spi::{self, Spi1};
use super::systimer::{self, Systimer};
use super::timg::{self, TimerGroup};
use super::uart::{self, Uart};
use super::usb::{self, Usb};
use super::{dma, efuse, map, system};
use crate::adapter::Adapter;
use crate::bus::{Bus, State};
use crate::flash::Flash;
use crate::memory::Memory;
pub use crate::registers::UnknownAccess;
use crate::registers::{Access, Registers};
use crate::time::{Clock, NEVER, Ticks};
use std::collections::BTreeMap;
use std::ops::Range;

/// Base addresses of the two UARTs.
const UARTS: [u32; 2] = [0x6000_0000, 0x6001_0000];

/// What was learnt about the registers that were read.
#[derive(Clone, Debug)]
pub struct Reads {
    /// One of them changes by itself.
    volatile: bool,
    /// None of them changes before, except by an event.
    stable_until: Ticks,
}

impl Default for Reads {
    fn default() -> Self {
        Self { volatile: false, stable_until: NEVER }
    }
}

/// Everything but the processor.
#[derive(Clone)]
pub struct Soc {
    pub memory: Memory,
    pub clock: Clock,
    pub registers: Registers,
    pub uarts: [Uart; 2],
    pub usb: Usb,
    pub gpio: Gpio,
    pub flash: Flash,
    pub rtc: Rtc,
    systimer: Systimer,
    groups: [TimerGroup; 2],
    interrupts: Interrupts,
    spi: Spi1,
    sha: Sha,
    mmu: Mmu,
    analog: Analog,
    pub radio: Radio,
    random: u64,
    reads: Reads,
    /// Device accesses that did something; polling the flash's status does not count.
    effects: u64,
    /// Where the processor is.
    place: u32,
    /// A reset that was asked for and not yet done.
    pub request: Option<Request>,
    /// Accesses to unknown registers, first one of each address.
    pub unknown: BTreeMap<u32, UnknownAccess>,
    /// A program changed the flash from code in it, and was told so.
    warned: bool,
    pub strict: bool,
    /// The access at which strict mode stopped the chip.
    pub culprit: Option<UnknownAccess>,
    pub stopped: bool,
    /// The serial adapter at UART0.
    pub adapter: Adapter,
}

/// The modelled registers of every peripheral.
pub fn modelled() -> Vec<(u32, &'static [u32])> {
    vec![
        (UARTS[0], uart::MODELLED),
        (UARTS[1], uart::MODELLED),
        (spi::BASE, spi::MODELLED),
        (gpio::BASE, gpio::MODELLED),
        (rtc::BASE, rtc::MODELLED),
        (efuse::BASE, efuse::MODELLED),
        (analog::BASE, analog::MODELLED),
        (analog::FRONT_END, analog::FRONT_END_MODELLED),
        (radio::BASE, radio::MODELLED),
        (radio::tsf::BASE, radio::tsf::MODELLED),
        (timg::BASES[0], timg::MODELLED),
        (timg::BASES[1], timg::MODELLED),
        (systimer::BASE, systimer::MODELLED),
        (system::RNG, &[0]),
        (sha::BASE, sha::MODELLED),
        (usb::BASE, usb::MODELLED),
        (system::BASE, system::MODELLED),
        (interrupt::BASE, interrupt::MODELLED),
        (cache::BASE, cache::MODELLED),
        (cache::MMU, MMU_OFFSETS),
    ]
}

/// Offsets of the MMU table's entries.
const MMU_OFFSETS: &[u32] = &{
    let mut offsets = [0; cache::ENTRIES];
    let mut i = 0;
    while i < cache::ENTRIES {
        offsets[i] = 4 * i as u32;
        i += 1;
    }
    offsets
};

/// The register catalogue with everything at its reset value.
pub fn registers() -> Registers {
    let mut registers = Registers::new(
        map::DEVICES,
        map::DEVICES_SIZE,
        &[include_str!("registers.txt"), include_str!("undocumented.txt")],
        &modelled(),
        &[(sha::BASE, sha::PLAIN), (spi::BASE, spi::PLAIN)],
    );
    // Who waits for the flash stores to its controller in every turn.
    registers.watch(spi::BASE, 0x1000);
    registers
}

impl Soc {
    /// Commands to the flash so far that did not only read its status.
    pub fn flash_commands(&self) -> u64 {
        self.spi.commands()
    }

    /// A chip with ROM and flash in place, before its first reset.
    pub fn new(rom: &[u8], flash_size: usize, unique_id: [u8; 8], seed: u64, strict: bool) -> Self {
        let mut memory = map::install(flash_size);
        memory.write_bytes(map::ROM_RANGE.start, rom);
        let flash_range = map::FLASH_START..map::FLASH_START + flash_size;
        memory.change(flash_range.clone(), |bytes| bytes.fill(0xFF));
        Self {
            memory,
            clock: Clock::new(XTAL),
            registers: registers(),
            uarts: UARTS.map(Uart::new),
            usb: Usb::default(),
            gpio: Gpio::default(),
            flash: Flash::new(flash_range, unique_id),
            rtc: Rtc::new(0, true),
            systimer: Systimer::new(0),
            groups: timg::BASES.map(|base| TimerGroup::new(base, 0, true)),
            interrupts: Interrupts::default(),
            spi: Spi1::default(),
            sha: Sha::default(),
            mmu: Mmu::default(),
            analog: Analog::default(),
            radio: Radio::default(),
            random: seed | 1,
            reads: Reads::default(),
            effects: 0,
            place: map::ROM,
            request: None,
            unknown: BTreeMap::new(),
            warned: false,
            strict,
            culprit: None,
            stopped: false,
            adapter: Adapter::new(115_200),
        }
    }

    /// Splits the chip into one part and what the others may use meanwhile.
    #[inline(always)]
    pub fn io<'a>(registers: &'a mut Registers, clock: &Clock, reads: &'a mut Reads) -> Io<'a> {
        let apb = system::apb_period(clock.per_cycle());
        Io {
            registers,
            now: clock.now(),
            apb,
            volatile: &mut reads.volatile,
            stable_until: &mut reads.stable_until,
        }
    }

    /// Fills memories as power leaves them when it comes back: with no value that a program may rely on.
    pub fn scramble(&mut self, ranges: &[Range<usize>]) {
        let mut state = self.random;
        for range in ranges.iter().cloned() {
            self.memory.change(range, |bytes| {
                for chunk in bytes.chunks_exact_mut(8) {
                    state = next_random(state);
                    chunk.copy_from_slice(&state.to_le_bytes());
                }
            });
        }
        self.random = state;
    }

    /// Performs a reset of everything but the processor.
    pub fn reset(&mut self, request: Request) {
        let extent = request.extent();
        if extent == Extent::Chip {
            self.gpio.latch_straps();
        }
        let flash_boot = self.gpio.boots_from_flash();
        let mut io = Self::io(&mut self.registers, &self.clock, &mut self.reads);
        self.rtc.reset(&mut io, request, flash_boot);
        if extent == Extent::Cpu {
            return;
        }
        for uart in &mut self.uarts {
            uart.reset(&mut io);
        }
        self.usb.reset(&mut io);
        self.gpio.reset(&mut io);
        io.registers.reset(map::DEVICES + 0x2000, 0x2000);
        io.registers.reset(0x6000_E000, 0x1000);
        io.registers.reset(0x6001_3000, 0x600D_1000 - 0x6001_3000);
        self.systimer = Systimer::new(io.now);
        self.groups = timg::BASES.map(|base| TimerGroup::new(base, io.now, flash_boot));
        self.interrupts = Interrupts::default();
        self.spi = Spi1::default();
        self.sha = Sha::default();
        self.radio.reset();
        for entry in 0..cache::ENTRIES as u32 {
            self.mmu.write(&mut self.memory, &self.flash.range(), 4 * entry, 1 << 8);
        }
        system::reset(&mut self.registers);
        self.clock.set_per_cycle(system::cpu_period(&self.registers));
    }

    fn demand(&mut self, request: Option<Request>) {
        if let Some(request) = request {
            self.request.get_or_insert(request);
            self.clock.attention = 0;
        }
    }

    fn sources(&mut self) -> u64 {
        let io = Self::io(&mut self.registers, &self.clock, &mut self.reads);
        let mut sources = u64::from(self.systimer.interrupts(&io) & 7) << source::SYSTIMER;
        for (group, number) in self.groups.iter().zip([source::TG0_T0, source::TG1_T0]) {
            sources |= u64::from(group.interrupts(&io) & 3) << number;
        }
        for (active, number) in [
            (self.uarts[0].interrupt(&io), source::UART0),
            (self.uarts[1].interrupt(&io), source::UART1),
            (self.usb.interrupt(&io), source::USB),
            (self.gpio.interrupt(&io), source::GPIO),
            (self.rtc.interrupt(&io), source::RTC),
            (self.sha.interrupt(&io), source::SHA),
            (self.radio.interrupt(&io), source::WIFI_MAC),
            (self.radio.tsf.interrupt(&io), source::WIFI_PWR),
        ] {
            sources |= u64::from(active) << number;
        }
        sources | u64::from(system::software_interrupts(io.registers)) << source::FROM_CPU
    }

    #[cold]
    fn report_unknown(&mut self, address: u32, is_store: bool) {
        if self.unknown.contains_key(&address) {
            return;
        }
        let access = UnknownAccess { address, pc: self.place, is_store };
        tracing::warn!("{access}");
        self.unknown.insert(address, access.clone());
        if self.strict {
            self.stopped = true;
            self.culprit = Some(access);
            self.clock.attention = 0;
        }
    }

    #[inline(never)]
    fn read_register(&mut self, address: u32) -> u32 {
        let mut io = Self::io(&mut self.registers, &self.clock, &mut self.reads);
        let offset = address & 0xFFF;
        match address & !0xFFF {
            0x6000_0000 => {
                self.effects += u64::from(offset == 0);
                self.uarts[0].read(&mut io, offset)
            }
            0x6001_0000 => self.uarts[1].read(&mut io, offset),
            spi::BASE => self.spi.read(&mut io, offset),
            gpio::BASE => self.gpio.read(&mut io, offset),
            rtc::BASE if offset < 0x800 => self.rtc.read(&mut io, offset),
            analog::BASE => self.analog.read(&io, offset),
            analog::FRONT_END => analog::read_front_end(&io, offset),
            radio::BASE => self.radio.read(&io, offset),
            radio::tsf::BASE if offset == radio::tsf::RANDOM => self.random_word(),
            radio::tsf::BASE => self.radio.tsf.read(&mut io, offset),
            0x6001_F000 => self.groups[0].read(&mut io, offset),
            0x6002_0000 => self.groups[1].read(&mut io, offset),
            systimer::BASE => self.systimer.read(&mut io, offset),
            sha::BASE => self.sha.read(&mut io, offset),
            usb::BASE => {
                self.effects += 1;
                self.usb.read(&mut io, offset)
            }
            interrupt::BASE => self.interrupts.read(&io, offset),
            cache::BASE => cache::read(&io, offset),
            cache::MMU => self.mmu.read(offset),
            _ if address == system::RNG => self.random_word(),
            _ => self.registers.get(address),
        }
    }

    fn random_word(&mut self) -> u32 {
        self.reads.volatile = true;
        self.random = next_random(self.random ^ self.clock.now());
        (self.random >> 24) as u32
    }

    /// A program that changes the flash while it runs from it goes on only as far as its cache line lasts, on silicon.
    fn check_flash_caller(&mut self) {
        if !self.warned && (map::IBUS_FLASH..map::IBUS_FLASH + 0x80_0000).contains(&self.place) {
            self.warned = true;
            tracing::warn!(
                "code in flash at pc {:#010x} erases or programs the flash: on silicon it would fetch rubbish until the flash \
                 is done; run it from RAM",
                self.place
            );
        }
    }

    #[inline(never)]
    fn write_register(&mut self, address: u32, value: u32) {
        let mut io = Self::io(&mut self.registers, &self.clock, &mut self.reads);
        let offset = address & 0xFFF;
        let mut changed = true;
        match address & !0xFFF {
            0x6000_0000 => changed = self.uarts[0].write(&mut io, offset, value),
            0x6001_0000 => changed = self.uarts[1].write(&mut io, offset, value),
            spi::BASE => {
                let operations = self.flash.operations();
                changed = self.spi.write(&mut io, &mut self.flash, &mut self.memory, offset, value);
                if self.flash.operations() != operations {
                    self.check_flash_caller();
                }
            }
            gpio::BASE => self.gpio.write(&mut io, offset, value),
            rtc::BASE if offset >= 0x800 => {
                efuse::write(io.registers, offset - 0x800, value);
                changed = false;
            }
            rtc::BASE => {
                let request = self.rtc.write(&mut io, offset, value);
                self.demand(request);
            }
            analog::BASE => {
                self.analog.write(&mut io, offset, value);
                changed = false;
            }
            radio::tsf::BASE => self.radio.tsf.write(&mut io, offset, value),
            radio::BASE => changed = self.radio.write(&mut io, &self.memory, offset, value),
            0x6001_F000 => changed = self.groups[0].write(&mut io, offset, value),
            0x6002_0000 => changed = self.groups[1].write(&mut io, offset, value),
            systimer::BASE => changed = self.systimer.write(&mut io, offset, value),
            sha::BASE => {
                if let Some((blocks, first)) = self.sha.write(&mut io, offset, value) {
                    let data = dma::read(io.registers, &self.memory, dma::SHA, blocks as usize * 64);
                    self.sha.hash_dma(&mut io, &data, first);
                } else {
                    changed = false;
                }
            }
            usb::BASE => self.usb.write(&mut io, offset, value),
            interrupt::BASE => self.interrupts.write(&mut io, offset, value),
            cache::MMU => {
                self.mmu.write(&mut self.memory, &self.flash.range(), offset, value);
                changed = self.memory.is_stale();
            }
            system::BASE => {
                self.registers.set(address, value);
                self.clock.set_per_cycle(system::cpu_period(&self.registers));
            }
            _ => {
                self.registers.set(address, value);
                changed = false;
            }
        }
        if changed {
            self.clock.attention = 0;
        }
    }
}

fn next_random(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^ state << 17
}

impl Bus for Soc {
    #[inline(always)]
    fn memory(&mut self) -> &mut Memory {
        &mut self.memory
    }

    #[inline(always)]
    fn storage(&mut self) -> (&mut Memory, &mut Registers) {
        (&mut self.memory, &mut self.registers)
    }

    #[inline(always)]
    fn clock(&mut self) -> &mut Clock {
        &mut self.clock
    }

    #[inline(always)]
    fn is_device(&self, address: u32) -> bool {
        address.wrapping_sub(map::DEVICES) < map::DEVICES_SIZE
    }

    #[inline]
    fn load(&mut self, address: u32, size: u32) -> Option<u32> {
        let word = address & !3;
        let value = match self.registers.access(word) {
            Access::Plain | Access::Watched => self.registers.get(word),
            Access::Hooked => self.read_register(word),
            Access::Unknown => {
                self.report_unknown(word, false);
                self.registers.get(word)
            }
        };
        let value = value >> (8 * (address & 3));
        Some(match size {
            1 => value & 0xFF,
            2 => value & 0xFFFF,
            _ => value,
        })
    }

    #[inline]
    fn store(&mut self, address: u32, size: u32, value: u32) -> Option<()> {
        let word = address & !3;
        let value = if size == 4 {
            value
        } else {
            // The bus repeats a narrow store into the word; what was there is kept around it.
            let (shift, mask) = (8 * (address & 3), if size == 1 { 0xFF } else { 0xFFFF });
            self.registers.get(word) & !(mask << shift) | (value & mask) << shift
        };
        if word & !0xFFF != spi::BASE {
            self.effects += 1;
        }
        match self.registers.access(word) {
            Access::Plain | Access::Watched => self.registers.set(word, value),
            Access::Hooked => self.write_register(word, value),
            Access::Unknown => {
                self.report_unknown(word, true);
                self.registers.set(word, value);
            }
        }
        Some(())
    }

    fn service(&mut self) -> Ticks {
        let now = self.clock.now();
        let mut io = Self::io(&mut self.registers, &self.clock, &mut self.reads);
        let mut request = None;
        for uart in &mut self.uarts {
            uart.advance(&mut io);
        }
        self.usb.advance(&mut io);
        self.radio.advance(&mut io, &mut self.memory);
        self.systimer.advance(&mut io);
        for group in &mut self.groups {
            request = request.or(group.advance(&mut io));
        }
        request = request.or(self.rtc.advance(&mut io));
        let mut next = self.systimer.next_event().min(self.usb.next_event()).min(self.rtc.next_event());
        next = next.min(self.flash.next_event(now)).min(self.radio.next_event(&io));
        for (uart, group) in self.uarts.iter().zip(&self.groups) {
            next = next.min(uart.next_event()).min(group.next_event());
        }
        self.demand(request);
        let sources = self.sources();
        let io = Self::io(&mut self.registers, &self.clock, &mut self.reads);
        self.interrupts.update(&io, sources);
        if self.flash.power_fails_at() <= now {
            self.stopped = true;
        }
        // Nothing is wired to UART1.
        self.uarts[1].tx.clear();
        let heard = self.adapter.listen(&mut self.uarts[0].tx, now);
        next.min(heard).max(now + 1)
    }

    fn interrupt(&self) -> Option<u8> {
        self.interrupts.best().filter(|_| self.rtc.sleeping().is_none())
    }

    fn acknowledge(&mut self, _line: u8) {}

    fn stop(&self) -> bool {
        self.stopped
            || self.request.is_some()
            || self.rtc.sleeping() == Some(Sleep::Deep)
            || self.adapter.wakes()
    }

    fn take_volatile(&mut self) -> bool {
        std::mem::take(&mut self.reads.volatile)
    }

    fn take_stable_until(&mut self) -> Ticks {
        std::mem::replace(&mut self.reads.stable_until, NEVER)
    }

    fn polled(&mut self) -> Option<u64> {
        self.spi.take_polled().then(|| self.effects + self.registers.plain_stores() + self.spi.commands())
    }

    fn state(&self) -> State {
        let mut memories = Vec::with_capacity(map::SRAM_RANGE.len() + map::RTC_RANGE.len());
        // Small pieces: the C library copies large ones by a string instruction, which callgrind counts once a byte.
        for piece in [map::SRAM_RANGE, map::RTC_RANGE]
            .iter()
            .flat_map(|range| self.memory.bytes()[range.clone()].chunks(1024))
        {
            memories.extend_from_slice(piece);
        }
        // Stores to other devices count as effects, which must not have happened.
        (memories, (0..0x100).map(|i| self.registers.get(spi::BASE + 4 * i)).collect())
    }

    fn is_state(&self, (memories, registers): &State) -> bool {
        let (sram, rtc) = memories.split_at(map::SRAM_RANGE.len());
        let bytes = self.memory.bytes();
        let same = |(i, value): (u32, &u32)| self.registers.get(spi::BASE + 4 * i) == *value;
        bytes[map::SRAM_RANGE] == *sram && bytes[map::RTC_RANGE] == *rtc && (0..).zip(registers).all(same)
    }

    fn skipped(&mut self, time: Ticks) {
        self.spi.move_on(time);
    }

    fn at(&mut self, pc: u32) {
        self.place = pc;
    }
}
