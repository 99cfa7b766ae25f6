//! Exceptions, sleep, SysTick and debug, on a processor with nothing but memory and one interrupt line. What instructions
//! compute is compared with QEMU in `tests/thumb.rs`.

use super::{Bus, Cpu, Exit};
use crate::time::{NEVER, Ticks};
use std::ops::Range;

/// Code and vectors at 0, RAM at 0x2000_0000, an interrupt line 3 that is asserted from a moment on.
struct Bench {
    code: Vec<u8>,
    ram: Vec<u8>,
    interrupt_at: Ticks,
    now: Ticks,
}

const RAM: u32 = 0x2000_0000;
const START: usize = 0x80;
const HANDLER: usize = 0x100;

impl Bench {
    /// Code at [`START`], a handler for every exception at [`HANDLER`].
    fn new(code: &[u16], handler: &[u16]) -> (Self, Cpu) {
        let mut memory = vec![0; 0x1000];
        let vectors = std::iter::once(RAM + 0x1000)
            .chain([START as u32 | 1])
            .chain(std::iter::repeat_n(HANDLER as u32 | 1, 30));
        for (at, word) in (0..).step_by(4).zip(vectors) {
            memory[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        for (start, words) in [(START, code), (HANDLER, handler)] {
            for (at, word) in (start..).step_by(2).zip(words) {
                memory[at..at + 2].copy_from_slice(&word.to_le_bytes());
            }
        }
        let mut bench = Self { code: memory, ram: vec![0; 0x2000], interrupt_at: NEVER, now: 0 };
        let mut cpu = Cpu::new();
        cpu.reset(&mut bench);
        (bench, cpu)
    }
}

impl Bus for Bench {
    fn load(&mut self, address: u32, size: u32) -> Option<u32> {
        let (memory, at) = if address < RAM { (&self.code, address) } else { (&self.ram, address - RAM) };
        let bytes = memory.get(at as usize..(at + size) as usize)?;
        Some(bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte)))
    }
    fn store(&mut self, address: u32, size: u32, value: u32) -> Option<()> {
        let at = address.checked_sub(RAM)? as usize;
        self.ram.get_mut(at..at + size as usize)?.copy_from_slice(&value.to_le_bytes()[..size as usize]);
        Some(())
    }
    fn fetch(&mut self, address: u32) -> Option<u16> {
        self.load(address, 2).map(|half| half as u16)
    }
    fn is_constant(&self, _: u32) -> bool {
        false
    }
    fn take_code_changed(&mut self) -> Option<Range<u32>> {
        None
    }
    fn is_device(&self, _: u32) -> bool {
        false
    }
    fn at(&mut self, _: u32, _: Ticks) {}
    fn service(&mut self, now: Ticks) -> Ticks {
        self.now = now;
        if now < self.interrupt_at { self.interrupt_at } else { NEVER }
    }
    fn interrupt_lines(&self) -> u128 {
        u128::from(self.now >= self.interrupt_at) << 3
    }
    fn ticks_per_cycle(&self) -> u64 {
        1
    }
    fn stop(&self) -> bool {
        false
    }
}

const WFI: u16 = 0xbf30;
const HERE: u16 = 0xe7fe;
const RETURN: u16 = 0x4770;
const ISER: u32 = 0xe000_e100;
const DHCSR: u32 = 0xe000_edf0;
const DEBUG_ON: u32 = 0xa05f_0001;
const HALT: u32 = 0xa05f_0003;
const STEP: u32 = 0xa05f_0005;

#[test]
fn an_interrupt_ends_sleep_and_its_handler_returns() {
    // The handler counts in r7; the line is then taken away.
    let (mut bench, mut cpu) = Bench::new(&[WFI, HERE], &[0x3701, RETURN]);
    bench.interrupt_at = 5000;
    cpu.debug_store(&mut bench, ISER, 4, 1 << 3).unwrap();
    assert_eq!(cpu.run(&mut bench, 4000), Exit::Limit);
    assert_eq!((cpu.debug_register(7), cpu.instructions()), (0, 1));
    // The handler has been entered; a line that stayed asserted would interrupt again behind it.
    cpu.run(&mut bench, 5010);
    bench.interrupt_at = NEVER;
    cpu.run(&mut bench, 6000);
    assert_eq!(cpu.debug_register(7), 1);
    assert_eq!(cpu.debug_register(15), START as u32 + 2);
    assert_eq!(cpu.debug_register(13), RAM + 0x1000);
}

#[test]
fn primask_holds_an_interrupt_back_but_not_the_end_of_sleep() {
    let (mut bench, mut cpu) = Bench::new(&[0xb672, WFI, 0x2601, 0xb662, HERE], &[0x0037, RETURN]);
    bench.interrupt_at = 100;
    cpu.debug_store(&mut bench, ISER, 4, 1 << 3).unwrap();
    cpu.run(&mut bench, 200);
    assert_eq!(cpu.debug_register(6), 1, "the instruction behind WFI was executed first");
    assert_eq!(cpu.debug_register(7), 1, "then the handler copied it");
}

#[test]
fn systick_interrupts_once_a_period() {
    let (mut bench, mut cpu) = Bench::new(&[WFI, 0xe7fd], &[0x3701, RETURN]);
    for (register, value) in [(0xe000_e014, 999), (0xe000_e018, 0), (0xe000_e010, 7)] {
        cpu.debug_store(&mut bench, register, 4, value).unwrap();
    }
    cpu.run(&mut bench, 10_100);
    assert_eq!(cpu.debug_register(7), 10);
}

#[test]
fn a_fault_in_a_program_is_a_hard_fault_and_one_in_its_handler_a_lockup() {
    let (mut bench, mut cpu) = Bench::new(&[0xde00], &[0x3701, 0xde00]);
    cpu.run(&mut bench, 1000);
    assert_eq!(cpu.debug_register(7), 1);
    assert_eq!(cpu.debug_load(&mut bench, DHCSR, 4).unwrap() >> 19 & 1, 1, "S_LOCKUP");
    assert_eq!(cpu.debug_load(&mut bench, 0xe000_ed2c, 4), Some(1 << 30), "HFSR.FORCED");
    assert_eq!(cpu.debug_load(&mut bench, 0xe000_ed28, 4), Some(1 << 16), "CFSR.UNDEFINSTR");
}

#[test]
fn a_debugger_halts_steps_and_runs_to_a_breakpoint() {
    let (mut bench, mut cpu) = Bench::new(&[0x3001, 0x3001, 0x3001, HERE], &[]);
    cpu.debug_store(&mut bench, DHCSR, 4, HALT).unwrap();
    assert_eq!(cpu.run(&mut bench, 10), Exit::Halted);
    cpu.debug_store(&mut bench, DHCSR, 4, STEP).unwrap();
    assert_eq!(cpu.run(&mut bench, 100), Exit::Halted);
    assert_eq!((cpu.debug_register(0), cpu.debug_register(15)), (1, START as u32 + 2));
    // A breakpoint at the third instruction, the lower half of its word.
    cpu.debug_store(&mut bench, 0xe000_2000, 4, 3).unwrap();
    cpu.debug_store(&mut bench, 0xe000_2008, 4, (START as u32 + 4) | 1 << 30 | 1).unwrap();
    cpu.debug_store(&mut bench, DHCSR, 4, DEBUG_ON).unwrap();
    assert_eq!(cpu.run(&mut bench, 200), Exit::Halted);
    assert_eq!((cpu.debug_register(0), cpu.debug_register(15)), (2, START as u32 + 4));
    assert_eq!(cpu.debug_load(&mut bench, 0xe000_ed30, 4).unwrap() & 2, 2, "DFSR.BKPT");
}

#[test]
fn a_reset_is_caught() {
    let (mut bench, mut cpu) = Bench::new(&[0x3001, HERE], &[]);
    cpu.debug_store(&mut bench, DHCSR, 4, DEBUG_ON).unwrap();
    cpu.debug_store(&mut bench, 0xe000_edfc, 4, 1).unwrap();
    cpu.debug_store(&mut bench, 0xe000_ed0c, 4, 0x05fa_0004).unwrap();
    assert_eq!(cpu.run(&mut bench, 100), Exit::ResetRequest);
    cpu.reset(&mut bench);
    assert_eq!(cpu.run(&mut bench, 200), Exit::Halted);
    assert_eq!((cpu.debug_register(0), cpu.debug_register(15)), (0, START as u32));
    let status = cpu.debug_load(&mut bench, DHCSR, 4).unwrap();
    assert_eq!(status >> 25 & 1, 1, "S_RESET_ST");
}
