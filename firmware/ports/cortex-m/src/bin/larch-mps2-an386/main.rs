//! The interpreter on Arm's MPS2 board with image AN386 (Cortex-M4F), as QEMU has it.
//!
//! ```text
//! qemu-system-arm -machine mps2-an386 -display none -monitor none -serial stdio -kernel larch-mps2-an386
//! ```
//! - `-icount shift=0,sleep=off`: one nanosecond is one instruction, so runs are repeatable and `time.ticks_us()` counts
//!   kilo-instructions.
//! - `-object memory-backend-file,id=psram,size=16M,share=on,mem-path=FILE -machine mps2-an386,memory-backend=psram`: files,
//!   which are in the PSRAM, are kept in FILE. Without it they are gone when QEMU ends.
//! - `-nic user`: `network.LAN` is behind QEMU's own router.
//!
//! Source: Arm Application Note AN386; Cortex-M System Design Kit (DDI 0479), "APB UART".
#![no_std]
#![no_main]

extern crate alloc;

mod console;
mod disk;
mod hardware;
mod lan9118;

larch_cortex_m::program!(hardware::Mps2);
