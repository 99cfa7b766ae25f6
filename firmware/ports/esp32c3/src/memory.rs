//! Who gets which part of the RAM.
//!
//! From below: code and data that the linker placed, the first region of the Python heap, the native stack, and the RAM
//! that the bootloader used, which is the second region of the Python heap.

use core::mem::MaybeUninit;
use core::ptr::NonNull;

use esp_hal::debugger::set_stack_watchpoint;
use esp_hal::ram;

/// The native stack. Python calls do not use it, the compiler and nested built-in functions do.
pub const STACK_SIZE: usize = 20 * 1024;
/// Bytes above the stack's end where a write is an overflow.
const GUARD_SIZE: usize = 4;
/// What the bootloader leaves behind: 0x3fcce400 to 0x3fcde710.
const RECLAIMED_SIZE: usize = 66_320;

#[repr(align(8))]
struct Reclaimed(#[expect(dead_code, reason = "only its address is used")] [u8; RECLAIMED_SIZE]);

#[ram(reclaimed)]
static mut RECLAIMED: MaybeUninit<Reclaimed> = MaybeUninit::uninit();

unsafe extern "C" {
    static mut _stack_end: u8;
    static mut _stack_start: u8;
}

/// A piece of RAM: where it starts and how long it is.
pub type Piece = (NonNull<u8>, usize);

fn stack_limit() -> usize {
    (&raw const _stack_start).addr() - STACK_SIZE
}

/// The RAM for the Python heap, in ascending order.
///
/// # Safety
/// May be called once for each life of the heap: the memory is handed out again every time.
pub unsafe fn heap_pieces() -> [Piece; 2] {
    let start = (&raw mut _stack_end).addr().next_multiple_of(8);
    let below_stack = stack_limit() - start;
    let first = NonNull::new((&raw mut _stack_end).with_addr(start)).expect("RAM does not start at zero");
    let second = NonNull::new((&raw mut RECLAIMED).cast::<u8>()).expect("RAM does not start at zero");
    [(first, below_stack), (second, RECLAIMED_SIZE)]
}

/// Makes a write below the stack's end an exception.
pub fn guard_stack() {
    // SAFETY: the address is a whole word inside RAM that nothing uses.
    unsafe { set_stack_watchpoint(stack_limit()) };
}

/// How many bytes of the native stack are left.
pub fn stack_room() -> usize {
    let here = 0_u8;
    (&raw const here).addr().saturating_sub(stack_limit() + GUARD_SIZE)
}
