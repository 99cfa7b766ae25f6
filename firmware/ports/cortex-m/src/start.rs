//! The way from `cortex-m-rt` to the board, and what all boards' exception handlers do.
//!
//! The program runs on the process stack. Handlers have the main stack, so that an overflow of the program's can still be
//! reported.

use core::arch::asm;
use core::fmt::{self, Write};

use cortex_m::peripheral::SCB;
use cortex_m_rt::ExceptionFrame;

use crate::{Hardware, Line, mmio};

unsafe extern "C" {
    static _program_stack_start: u8;
    static _stack_end: u8;
}

/// CONTROL: thread mode uses the process stack; and, where floats have registers, they are in use.
const SELECT: u32 = if cfg!(target_abi = "eabihf") { 0b110 } else { 0b010 };

/// Fault status and address; an Armv6-M has none, and reads zeros.
const CFSR: usize = 0xe000_ed28;
const BFAR: usize = 0xe000_ed38;

/// Goes on with `main` on the program's own stack.
pub fn on_program_stack(main: extern "C" fn() -> !) -> ! {
    let stack = &raw const _program_stack_start;
    // SAFETY: the stack is unused memory of the program; nothing of this function's frame is used any more.
    unsafe {
        asm!(
            "msr psp, {stack}",
            "msr control, {select}",
            "isb",
            "bx {main}",
            stack = in(reg) stack,
            select = in(reg) SELECT,
            main = in(reg) main,
            options(noreturn)
        )
    }
}

struct LastWords<L>(core::marker::PhantomData<L>);

impl<L: Line> Write for LastWords<L> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        L::write(text.as_bytes());
        Ok(())
    }
}

/// The end of a program that went wrong: say what happened, then start again.
pub fn last_words<H: Hardware>(words: fmt::Arguments<'_>) -> ! {
    cortex_m::interrupt::disable();
    let mut line = LastWords::<H::Line>(core::marker::PhantomData);
    // There is nobody left to tell about a failure.
    let _ = write!(line, "\r\nLarch {}: {words}\r\nRebooting.\r\n", env!("CARGO_PKG_VERSION"));
    H::Line::before_reset();
    SCB::sys_reset()
}

/// What a hard fault says: where, and the fault status registers.
pub fn fault<H: Hardware>(frame: &ExceptionFrame) -> ! {
    // What an overflow could not push is not there to be read.
    if core::ptr::from_ref(frame).addr() < (&raw const _stack_end).addr() {
        last_words::<H>(format_args!("the stack has overflowed"));
    }
    let [status, address] = [CFSR, BFAR].map(mmio::read);
    last_words::<H>(format_args!("fault {status:#x} at {:#x}, address {address:#x}", frame.pc()))
}

/// Declares the program of a board: its entry, its exception handlers, its panic.
#[macro_export]
macro_rules! program {
    ($hardware:ty) => {
        #[cortex_m_rt::entry]
        fn entry() -> ! {
            extern "C" fn main() -> ! {
                static BOARD: static_cell::StaticCell<$crate::CortexM<$hardware>> =
                    static_cell::StaticCell::new();
                $crate::run(&BOARD)
            }
            $crate::start::on_program_stack(main)
        }

        #[cortex_m_rt::exception]
        fn SysTick() {
            $crate::clock::on_turn();
            <<$hardware as $crate::Hardware>::Line as $crate::Line>::on_turn();
            <$hardware as $crate::Hardware>::on_turn();
        }

        // SAFETY: shares only atomics with the program.
        #[cortex_m_rt::exception]
        unsafe fn DefaultHandler(number: i16) {
            <<$hardware as $crate::Hardware>::Line as $crate::Line>::on_interrupt(number);
        }

        // SAFETY: the program does not go on.
        #[cortex_m_rt::exception]
        unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
            $crate::start::fault::<$hardware>(frame)
        }

        #[panic_handler]
        fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
            $crate::start::last_words::<$hardware>(format_args!("{info}"))
        }
    };
}
