//! The interpreter on QEMU's riscv32 `virt` machine: a board that every Linux distribution brings along, and the one that
//! MicroPython's own qemu port runs on, so both can be measured with the same ruler.
//!
//! ```text
//! qemu-system-riscv32 -machine virt -cpu rv32 -display none -monitor none -serial stdio -bios larch-virt-rv32
//! ```
//! `-bios` takes the ELF file; `-kernel` is not loaded by QEMU 7 when the second flash bank is there. The prompt is on the
//! first serial port, which may as well be `-serial pty` or a socket; with `-nographic` QEMU keeps Ctrl-A for itself, and
//! the raw REPL cannot be entered. More, each on its own:
//! - `-icount shift=0,sleep=off`: one nanosecond is one instruction, so runs are repeatable and `time.ticks_us()` counts
//!   kilo-instructions.
//! - `-drive if=pflash,unit=1,format=raw,file=FILE`: files are kept in FILE, which must have 32 MiB (`truncate -s 32M`).
//!   Without it they are gone when QEMU ends.
//! - `machine.reset()` restarts the machine, `machine.bootloader()` ends QEMU with exit code 0, a panic with 1.
//!
//! Where to look: `start` (first instructions, interrupts), `board` (the machine behind the interpreter's traits),
//! `console` (NS16550), `clock`, `flash` (the second flash bank), `memory`. What follows the start is in `larch-board`.
//!
//! Source: QEMU's `hw/riscv/virt.c` for addresses and interrupt numbers.
#![no_std]
#![no_main]

mod board;
mod clock;
mod console;
mod flash;
mod memory;
mod mmio;
mod panic;
mod start;

use static_cell::StaticCell;

use crate::board::Virt;

/// What follows the first instructions.
fn main() -> ! {
    static BOARD: StaticCell<Virt> = StaticCell::new();
    memory::guard_stack();
    memory::set_up_allocator();
    larch_board::run(BOARD.init(Virt::new()))
}
