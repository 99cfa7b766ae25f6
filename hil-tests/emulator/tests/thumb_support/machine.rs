//! The Thumb processor with three memories.

use super::program::{DONE, PSRAM};
use larch_emulator::thumb::{Bus, Cpu};
use larch_emulator::time::{NEVER, Ticks};
use std::ops::Range;

const RAM: u32 = 0x2000_0000;
const RAM_SIZE: usize = 0x1_0000;

/// A board of memory alone.
pub struct Machine {
    cpu: Cpu,
    memory: Memory,
    /// What the program has left.
    pub psram: Vec<u8>,
}

struct Memory {
    code: Vec<u8>,
    ram: Vec<u8>,
    psram: Vec<u8>,
}

/// Whether the program has come to its end.
pub fn is_done(psram: &[u8]) -> bool {
    psram[..4] == DONE.to_le_bytes()
}

impl Machine {
    pub fn new(code: &[u8]) -> Self {
        let memory = Memory { code: code.to_vec(), ram: vec![0; RAM_SIZE], psram: vec![0; 16 << 20] };
        Self { cpu: Cpu::new(), memory, psram: Vec::new() }
    }

    /// Executes the program.
    pub fn run(&mut self) {
        self.cpu.reset(&mut self.memory);
        self.cpu.run(&mut self.memory, 1_000_000);
        self.psram = std::mem::take(&mut self.memory.psram);
        assert!(is_done(&self.psram), "our processor did not come to the end of the program");
    }
}

impl Memory {
    fn at(&mut self, address: u32) -> (&mut [u8], usize) {
        match address {
            0..RAM => (&mut self.code, address as usize),
            RAM..PSRAM => (&mut self.ram, (address - RAM) as usize),
            _ => (&mut self.psram, address.wrapping_sub(PSRAM) as usize),
        }
    }
}

impl Bus for Memory {
    fn load(&mut self, address: u32, size: u32) -> Option<u32> {
        let (memory, at) = self.at(address);
        let bytes = memory.get(at..at.checked_add(size as usize)?)?;
        Some(bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte)))
    }

    fn store(&mut self, address: u32, size: u32, value: u32) -> Option<()> {
        let (memory, at) = self.at(address);
        let bytes = memory.get_mut(at..at.checked_add(size as usize)?)?;
        bytes.copy_from_slice(&value.to_le_bytes()[..size as usize]);
        Some(())
    }

    fn fetch(&mut self, address: u32) -> Option<u16> {
        self.load(address, 2).map(|half| half as u16)
    }

    fn is_constant(&self, _address: u32) -> bool {
        false
    }

    fn take_code_changed(&mut self) -> Option<Range<u32>> {
        None
    }

    fn is_device(&self, _address: u32) -> bool {
        false
    }

    fn at(&mut self, _place: u32, _now: Ticks) {}

    fn service(&mut self, _now: Ticks) -> Ticks {
        NEVER
    }

    fn interrupt_lines(&self) -> u128 {
        0
    }

    fn ticks_per_cycle(&self) -> u64 {
        1
    }

    fn stop(&self) -> bool {
        false
    }
}
