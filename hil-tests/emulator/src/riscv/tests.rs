//! Programs of a few instructions on a processor with nothing but memory and one device word.
//!
//! Expected values come from the RISC-V manual, worked out by hand.

use super::{Cpu, Exit};
use crate::bus::{Bus, State};
use crate::memory::{Memory, PAGE};
use crate::registers::Registers;
use crate::time::{Clock, NEVER, Ticks};
use rstest::rstest;

const CODE: u32 = 0x4038_0000;
const DATA: u32 = 0x3FC8_0000;
const DEVICE: u32 = 0x6000_0000;

/// Memory at two addresses, as SRAM has them; one device word that shows the time; one interrupt line.
struct Bench {
    memory: Memory,
    clock: Clock,
    registers: Registers,
    device: u32,
    accesses: Vec<(Ticks, u32)>,
    interrupt_at: Ticks,
    volatile: bool,
    /// Loads from the device count as polling it.
    pollable: bool,
    polled: bool,
}

impl Bench {
    fn new(code: &[u32]) -> (Self, Cpu) {
        let mut memory = Memory::new(4 * PAGE);
        memory.map(CODE, 0..2 * PAGE, true);
        memory.map(DATA, 0..2 * PAGE, true);
        memory.map(DATA + 0x10_0000, 2 * PAGE..4 * PAGE, true);
        let bytes: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
        memory.write_bytes(0, &bytes);
        let bench = Self {
            memory,
            clock: Clock::new(1),
            registers: Registers::new(DEVICE, 4, &[], &[(DEVICE, &[0])], &[]),
            device: 0,
            accesses: Vec::new(),
            interrupt_at: NEVER,
            volatile: false,
            pollable: false,
            polled: false,
        };
        (bench, Cpu::new(CODE))
    }
}

impl Bus for Bench {
    fn memory(&mut self) -> &mut Memory {
        &mut self.memory
    }
    fn storage(&mut self) -> (&mut Memory, &mut Registers) {
        (&mut self.memory, &mut self.registers)
    }
    fn clock(&mut self) -> &mut Clock {
        &mut self.clock
    }
    fn is_device(&self, address: u32) -> bool {
        address & !3 == DEVICE
    }
    fn load(&mut self, _: u32, _: u32) -> Option<u32> {
        self.accesses.push((self.clock.now(), self.device));
        if self.pollable {
            self.polled = true;
            self.clock.attention = 0;
        }
        Some(self.device)
    }
    fn store(&mut self, _: u32, _: u32, value: u32) -> Option<()> {
        self.accesses.push((self.clock.now(), value));
        self.device = value;
        Some(())
    }
    fn service(&mut self) -> Ticks {
        if self.clock.now() < self.interrupt_at { self.interrupt_at } else { NEVER }
    }
    fn interrupt(&self) -> Option<u8> {
        (self.clock.now() >= self.interrupt_at).then_some(7)
    }
    fn acknowledge(&mut self, _: u8) {
        self.interrupt_at = NEVER;
    }
    fn stop(&self) -> bool {
        false
    }
    fn take_volatile(&mut self) -> bool {
        self.volatile
    }
    fn take_stable_until(&mut self) -> Ticks {
        NEVER
    }
    fn polled(&mut self) -> Option<u64> {
        std::mem::take(&mut self.polled).then_some(0)
    }
    fn state(&self) -> State {
        Vec::new()
    }
    fn skipped(&mut self, _: Ticks) {}
    fn at(&mut self, _: u32) {}
}

/// Runs `code` with x10 and x11 set, until it spins; gives the processor.
fn run(code: &[u32], a: u32, b: u32) -> (Bench, Cpu) {
    let mut code = code.to_vec();
    code.push(0x0000_006F);
    let (mut bench, mut cpu) = Bench::new(&code);
    cpu.set_register(10, a);
    cpu.set_register(11, b);
    cpu.run(&mut bench, 10_000);
    (bench, cpu)
}

const fn r(funct7: u32, funct3: u32) -> u32 {
    funct7 << 25 | 11 << 20 | 10 << 15 | funct3 << 12 | 12 << 7 | 0x33
}

const fn i(imm: u32, funct3: u32, opcode: u32) -> u32 {
    (imm & 0xFFF) << 20 | 10 << 15 | funct3 << 12 | 12 << 7 | opcode
}

const MIN: u32 = 0x8000_0000;
const ONES: u32 = 0xFFFF_FFFF;

#[rstest]
#[case::add(r(0, 0), ONES, 2, 1)]
#[case::sub(r(0x20, 0), 1, 2, ONES)]
#[case::sll_uses_five_bits(r(0, 1), 1, 33, 2)]
#[case::slt(r(0, 2), ONES, 0, 1)]
#[case::sltu(r(0, 3), ONES, 0, 0)]
#[case::xor(r(0, 4), 0b1100, 0b1010, 0b0110)]
#[case::srl(r(0, 5), MIN, 31, 1)]
#[case::sra(r(0x20, 5), MIN, 31, ONES)]
#[case::or(r(0, 6), 0b1100, 0b1010, 0b1110)]
#[case::and(r(0, 7), 0b1100, 0b1010, 0b1000)]
#[case::mul(r(1, 0), ONES, 3, 0xFFFF_FFFD)]
#[case::mulh(r(1, 1), ONES, ONES, 0)]
#[case::mulh_min(r(1, 1), MIN, MIN, 0x4000_0000)]
#[case::mulhsu(r(1, 2), ONES, ONES, ONES)]
#[case::mulhu(r(1, 3), ONES, ONES, 0xFFFF_FFFE)]
#[case::div(r(1, 4), 0xFFFF_FFF9, 2, 0xFFFF_FFFD)]
#[case::div_by_zero(r(1, 4), 7, 0, ONES)]
#[case::div_overflow(r(1, 4), MIN, ONES, MIN)]
#[case::divu(r(1, 5), ONES, 2, 0x7FFF_FFFF)]
#[case::divu_by_zero(r(1, 5), 7, 0, ONES)]
#[case::rem(r(1, 6), 0xFFFF_FFF9, 2, ONES)]
#[case::rem_by_zero(r(1, 6), 7, 0, 7)]
#[case::rem_overflow(r(1, 6), MIN, ONES, 0)]
#[case::remu(r(1, 7), 7, 4, 3)]
#[case::remu_by_zero(r(1, 7), 7, 0, 7)]
#[case::addi(i(0xFFF, 0, 0x13), 1, 0, 0)]
#[case::slti(i(0xFFF, 2, 0x13), 0, 0, 0)]
#[case::sltiu_is_sign_extended(i(0xFFF, 3, 0x13), 5, 0, 1)]
#[case::xori(i(0xFFF, 4, 0x13), 0xF0, 0, 0xFFFF_FF0F)]
#[case::ori(i(0x0F, 6, 0x13), 0xF0, 0, 0xFF)]
#[case::andi(i(0xFF0, 7, 0x13), 0xFFFF, 0, 0xFFF0)]
#[case::slli(i(4, 1, 0x13), 1, 0, 16)]
#[case::srli(i(4, 5, 0x13), MIN, 0, 0x0800_0000)]
#[case::srai(i(0x404, 5, 0x13), MIN, 0, 0xF800_0000)]
#[case::lui(0x1234_5637, 0, 0, 0x1234_5000)]
#[case::auipc(0x0000_1617, 0, 0, CODE + 0x1000)]
#[case::c_mv(0x0001_862E, 0, 9, 9)] // c.mv a2, a1; c.nop
#[case::c_add(0x962A_862E, 2, 9, 11)] // c.mv a2, a1; c.add a2, a0
fn computes(#[case] word: u32, #[case] a: u32, #[case] b: u32, #[case] expected: u32) {
    let (_, cpu) = run(&[word], a, b);
    assert_eq!(cpu.register(12), expected, "{:#x}, not {expected:#x}", cpu.register(12));
}

#[test]
fn writes_to_x0_are_lost() {
    let (_, cpu) = run(&[0x0000_0033 | 10 << 15 | 11 << 20, 0x0000_0633], 5, 6);
    assert_eq!((cpu.register(0), cpu.register(12)), (0, 0));
}

/// lb, lh, lw, lbu, lhu of what sw put there, aligned and not.
#[rstest]
#[case::lb(0, 0, 0xFFFF_FF80)]
#[case::lb_high(0, 3, 0x12)]
#[case::lh(1, 0, 0xFFFF_8180)]
#[case::lh_odd(1, 1, 0x5681)]
#[case::lw(2, 0, 0x1256_8180)]
#[case::lw_unaligned(2, 2, 0x0000_1256)]
#[case::lbu(4, 0, 0x80)]
#[case::lhu(5, 0, 0x8180)]
fn loads(#[case] funct3: u32, #[case] offset: u32, #[case] expected: u32) {
    let address = DATA + 0x800;
    let (_, cpu) = run(&[0x00B5_2023, 0x0005_2223, i(offset, funct3, 0x03)], address, 0x1256_8180);
    assert_eq!(cpu.register(12), expected, "{:#x}", cpu.register(12));
}

/// sb, sh, sw into a word of ones; the other alias of the memory sees it.
#[rstest]
#[case::sb(0, 1, 0xFFFF_78FF)]
#[case::sh(1, 2, 0x5678_FFFF)]
#[case::sh_odd(1, 1, 0xFF56_78FF)]
#[case::sw(2, 0, 0x1234_5678)]
fn stores(#[case] funct3: u32, #[case] offset: u32, #[case] expected: u32) {
    let address = DATA + 0x800;
    let ones = [0xFFF0_0693, 0x00D5_2023]; // addi x13, x0, -1; sw x13, 0(x10)
    let store = 11 << 20 | 10 << 15 | funct3 << 12 | offset << 7 | 0x23;
    let (mut bench, _) = run(&[ones[0], ones[1], store], address, 0x1234_5678);
    assert_eq!(bench.memory().load32(CODE + 0x800), Some(expected));
}

/// A branch over an instruction that sets x12.
#[rstest]
#[case::beq(0, 5, 5, true)]
#[case::beq_not(0, 5, 6, false)]
#[case::bne(1, 5, 6, true)]
#[case::blt(4, ONES, 0, true)]
#[case::blt_not(4, 0, 0, false)]
#[case::bge(5, 0, 0, true)]
#[case::bge_not(5, MIN, 0, false)]
#[case::bltu(6, 0, ONES, true)]
#[case::bgeu(7, ONES, 0, true)]
#[case::bgeu_not(7, 0, 1, false)]
fn branches(#[case] funct3: u32, #[case] a: u32, #[case] b: u32, #[case] taken: bool) {
    let branch = 11 << 20 | 10 << 15 | funct3 << 12 | 8 << 7 | 0x63;
    let (_, cpu) = run(&[branch, 0x0010_0613], a, b);
    assert_eq!(cpu.register(12), u32::from(!taken));
}

#[test]
fn calls_and_returns() {
    // jal x1, +12; addi x12, x12, 1; jal x0, +12; addi x12, x12, 16; jalr x0, 0(x1)
    let (_, cpu) = run(&[0x00C0_00EF, 0x0016_0613, 0x00C0_006F, 0x0106_0613, 0x0000_8067], 0, 0);
    assert_eq!((cpu.register(12), cpu.register(1)), (17, CODE + 4));
}

/// A trap goes to mtvec with its cause, its address and its value.
#[rstest]
#[case::ecall(0x0000_0073, 11, 0)]
#[case::ebreak(0x0010_0073, 3, CODE + 12)]
#[case::illegal(0xFFFF_FFFF, 2, 0xFFFF_FFFF)]
#[case::unknown_csr(0x1230_2673, 2, 0x1230_2673)]
#[case::load_fault(0x0005_2603, 5, 0x1000_0000)]
#[case::store_fault(0x0005_2023, 7, 0x1000_0000)]
fn traps(#[case] word: u32, #[case] cause: u32, #[case] value: u32) {
    // csrw mtvec, x11; two that must have happened; the culprit; one that must not happen.
    let code = [0x3055_9073, 0x0010_0693, 0x0010_0713, word, 0x0010_0793];
    let (mut bench, mut cpu) = Bench::new(&code);
    bench.memory.write_bytes(0x100, &0x0000_006Fu32.to_le_bytes());
    cpu.set_register(10, 0x1000_0000);
    cpu.set_register(11, CODE + 0x100);
    cpu.run(&mut bench, 1000);
    let csr = |number| cpu.csrs().read(number, 0).unwrap();
    assert_eq!((csr(0x342), csr(0x341), csr(0x343)), (cause, CODE + 12, value));
    assert_eq!((cpu.register(13), cpu.register(14), cpu.register(15)), (1, 1, 0));
    assert_eq!(cpu.pc(), CODE + 0x100);
}

#[test]
fn csr_instructions_read_and_change() {
    // csrrw x12, mscratch, x10; csrrs x13, mscratch, x11; csrrci x14, mscratch, 1; csrr x15, mscratch
    let code = [0x3405_1673, 0x3405_A6F3, 0x3400_F773, 0x3400_27F3];
    let (_, cpu) = run(&code, 0b0011, 0b0100);
    assert_eq!([12, 13, 14, 15].map(|n| cpu.register(n)), [0, 0b0011, 0b0111, 0b0110]);
}

#[test]
fn an_interrupt_ends_waiting_and_mret_goes_on() {
    // csrw mtvec, x11; csrsi mstatus, 8; wfi; addi x12, x12, 1
    let (mut bench, mut cpu) = Bench::new(&[0x3055_9073, 0x3004_6073, 0x1050_0073, 0x0016_0613, 0x0000_006F]);
    // At vector 7: addi x13, x13, 1; mret
    bench.memory.write_bytes(0x100 + 28, &0x0016_8693u32.to_le_bytes());
    bench.memory.write_bytes(0x100 + 32, &0x3020_0073u32.to_le_bytes());
    cpu.set_register(11, CODE + 0x100);
    bench.interrupt_at = 5000;
    cpu.run(&mut bench, 4000);
    assert!(cpu.is_waiting());
    assert_eq!((bench.clock.base, cpu.register(12)), (4000, 0));
    cpu.run(&mut bench, 6000);
    assert_eq!((cpu.register(12), cpu.register(13), cpu.csrs().read(0x342, 0)), (1, 1, Some(0x8000_0007)));
}

#[test]
fn changed_code_is_executed_changed() {
    // Twice: addi x12, x12, 1; the first time around it is overwritten with addi x12, x12, 16.
    // sw x11, 8(x10); (jump over nothing) ; addi x12, x12, 1; bnez x13, out; addi x13, x13, 1; j back
    let code = [0x0000_0013, 0x0000_0013, 0x0016_0613, 0x0006_9863, 0x0016_8693, 0x00B5_2423, 0xFF1F_F06F];
    let (_, cpu) = run(&code, DATA, 0x0106_0613);
    assert_eq!(cpu.register(12), 17);
}

#[test]
fn a_branch_that_is_always_taken_gives_the_same_result_when_blocks_follow_it() {
    // loop: addi x12, x12, 1; beq x0, x0, +8; addi x13, x13, 1; addi x10, x10, -1; bnez x10, loop
    let code = [0x0016_0613, 0x0000_0463, 0x0016_8693, 0xFFF5_0513, 0xFE05_18E3];
    let (_, cpu) = run(&code, 1000, 0);
    assert_eq!((cpu.register(12), cpu.register(13), cpu.register(10)), (1000, 0, 0));
}

#[test]
fn a_device_sees_the_time_of_its_instruction() {
    // Three additions, then sw x11, 0(x10)
    let code = [0x0016_0613, 0x0016_0613, 0x0016_0613, 0x00B5_2023];
    let (bench, _) = run(&code, DEVICE, 7);
    assert_eq!(bench.accesses, [(3, 7)]);
}

#[test]
fn idle_loops_are_skipped_to_the_tick_that_stepping_gives() {
    // Polls the device; then a delay loop of 1000 cycles.
    let poll = [0x0005_2603, 0xFE06_0EE3]; // lw x12, 0(x10); beqz x12, .-4
    let (mut bench, mut cpu) = Bench::new(&poll);
    cpu.set_register(10, DEVICE);
    assert_eq!(cpu.run(&mut bench, 1_000_000), Exit::Limit);
    assert!(
        cpu.executed() < 100 && cpu.instructions() > 400_000,
        "{} of {}",
        cpu.executed(),
        cpu.instructions()
    );
    assert!(bench.clock.base < 1_000_010);

    let delay = [0x7E20_2773, 0x7E20_27F3, 0x40E7_87B3, 0xFEB7_ECE3, 0x0000_006F];
    let run = |steps: &[Ticks]| {
        let (mut bench, mut cpu) = Bench::new(&delay);
        cpu.set_register(11, 1000);
        for &until in steps {
            cpu.run(&mut bench, until);
        }
        (cpu.register(14), cpu.register(15), bench.clock.base, cpu.instructions())
    };
    assert_eq!(run(&[2000]), run(&[10, 17, 500, 501, 999, 2000]));
    assert!(run(&[2000]).1 >= 1000);
}

#[test]
fn a_polling_loop_that_looks_at_the_clock_is_not_skipped_past_its_time_out() {
    // loop: lw x12, 0(x10); bnez x12, out; csrr x13, mpccr; sltu x14, x13, x11; li x13, 0; bnez x14, loop; out: j out
    let code = [0x0005_2603, 0x0006_1C63, 0x7E20_26F3, 0x00B6_B733, 0x0000_0693, 0xFE07_16E3, 0x0000_006F];
    let end = |limit: u32| {
        let (mut bench, mut cpu) = Bench::new(&code);
        bench.pollable = true;
        cpu.set_register(10, DEVICE);
        cpu.set_register(11, limit);
        cpu.run(&mut bench, 100_000);
        (bench.accesses.last().unwrap().0, cpu.pc())
    };
    let (last_poll, pc) = end(5000);
    assert_eq!(pc, CODE + 24);
    assert!((4900..5100).contains(&last_poll), "the time-out at 5000 was noticed at {last_poll}");
}

#[test]
fn a_polling_loop_over_several_blocks_is_skipped() {
    // loop: lw x12, 0(x10); bnez x12, out; sltu x14, x13, x11; bnez x14, loop; out: j out
    let code = [0x0005_2603, 0x0006_1863, 0x00B6_B733, 0xFE07_1AE3, 0x0000_006F, 0x0000_006F];
    let (mut bench, mut cpu) = Bench::new(&code);
    bench.pollable = true;
    cpu.set_register(10, DEVICE);
    cpu.set_register(11, 5000);
    assert_eq!(cpu.run(&mut bench, 1_000_000), Exit::Limit);
    assert!(cpu.executed() < 2000, "{} of {}", cpu.executed(), cpu.instructions());
}
