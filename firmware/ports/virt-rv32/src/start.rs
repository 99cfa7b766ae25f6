//! The first instructions, and the way into the interrupt handlers.
//!
//! Traps have a stack of their own, so that an overflow of the program's stack can still be reported.

use core::arch::global_asm;

use crate::{clock, console, panic};

const INTERRUPT: u32 = 1 << 31;
const MACHINE_TIMER: u32 = INTERRUPT | 7;
const MACHINE_EXTERNAL: u32 = INTERRUPT | 11;

/// Bits of `mie`.
pub const TIMER_ENABLE: u32 = 1 << 7;
const EXTERNAL_ENABLE: u32 = 1 << 11;

global_asm!(
    ".section .text.start, \"ax\"",
    ".globl _start",
    "_start:",
    ".option push",
    ".option norelax",
    "la gp, __global_pointer$",
    ".option pop",
    "la sp, _stack_start",
    "la t0, _trap_stack_start",
    "csrw mscratch, t0",
    "la t0, trap",
    "csrw mtvec, t0",
    "la t0, _bss_start",
    "la t1, _bss_end",
    "1: bgeu t0, t1, 2f",
    "sw zero, 0(t0)",
    "addi t0, t0, 4",
    "j 1b",
    "2: call {start}",
    ".balign 4",
    "trap:",
    "csrrw sp, mscratch, sp",
    "addi sp, sp, -64",
    "sw ra, 0(sp)",
    "sw t0, 4(sp)",
    "sw t1, 8(sp)",
    "sw t2, 12(sp)",
    "sw t3, 16(sp)",
    "sw t4, 20(sp)",
    "sw t5, 24(sp)",
    "sw t6, 28(sp)",
    "sw a0, 32(sp)",
    "sw a1, 36(sp)",
    "sw a2, 40(sp)",
    "sw a3, 44(sp)",
    "sw a4, 48(sp)",
    "sw a5, 52(sp)",
    "sw a6, 56(sp)",
    "sw a7, 60(sp)",
    "csrr a0, mcause",
    "csrr a1, mepc",
    "csrr a2, mtval",
    "call {on_trap}",
    "lw ra, 0(sp)",
    "lw t0, 4(sp)",
    "lw t1, 8(sp)",
    "lw t2, 12(sp)",
    "lw t3, 16(sp)",
    "lw t4, 20(sp)",
    "lw t5, 24(sp)",
    "lw t6, 28(sp)",
    "lw a0, 32(sp)",
    "lw a1, 36(sp)",
    "lw a2, 40(sp)",
    "lw a3, 44(sp)",
    "lw a4, 48(sp)",
    "lw a5, 52(sp)",
    "lw a6, 56(sp)",
    "lw a7, 60(sp)",
    "addi sp, sp, 64",
    "csrrw sp, mscratch, sp",
    "mret",
    start = sym start,
    on_trap = sym on_trap,
);

extern "C" fn start() -> ! {
    console::set_up();
    // SAFETY: the trap vector is set, and handlers share only atomics with the program.
    unsafe {
        core::arch::asm!("csrw mie, {0}", "csrsi mstatus, 8", in(reg) EXTERNAL_ENABLE);
    }
    crate::main()
}

extern "C" fn on_trap(cause: u32, place: u32, value: u32) {
    match cause {
        MACHINE_EXTERNAL => console::on_interrupt(),
        MACHINE_TIMER => clock::on_alarm(),
        // An exception: its cause, the instruction, and the address that it wanted.
        _ => panic::stop("exception", [cause, place, value].into_iter()),
    }
}
