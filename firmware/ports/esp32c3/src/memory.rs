//! Who gets which part of the RAM.
//!
//! From below: code and data that the linker placed, the Python heap, the native stack, and the RAM that the bootloader
//! used, where what Rust allocates goes (the compiler's working memory, and the line being entered).

use core::ptr::NonNull;

use esp_hal::debugger::set_stack_watchpoint;
use larch_heap::Region;

/// The native stack. Python calls do not use it; the compiler and nested built-in functions do.
const STACK_SIZE: usize = 24 * 1024;
/// What the file system, the flash functions and interrupt handlers may need below the deepest built-in function.
const STACK_RESERVE: usize = 4 * 1024;
/// What the bootloader leaves behind: 0x3fcce400 to 0x3fcde710, without what keeps track of it.
const RECLAIMED_SIZE: usize = 64 * 1024;

unsafe extern "C" {
    static mut _stack_end: u8;
    static mut _stack_start: u8;
}

fn stack_limit() -> usize {
    (&raw const _stack_start).addr() - STACK_SIZE
}

/// The Python heap: from the linker's last byte to the native stack.
pub fn heap() -> Region {
    let start = (&raw mut _stack_end).addr().next_multiple_of(8);
    let first = NonNull::new((&raw mut _stack_end).with_addr(start)).expect("RAM does not start at zero");
    Region { start: first, len: (stack_limit() - start) & !7 }
}

/// Sets up what Rust allocates from. Called once.
pub fn set_up_allocator() {
    esp_alloc::heap_allocator!(#[esp_hal::ram(reclaimed)] size: RECLAIMED_SIZE);
}

/// Makes a write at the stack's end an exception.
pub fn guard_stack() {
    // SAFETY: the address is a whole word inside RAM that nothing uses.
    unsafe { set_stack_watchpoint(stack_limit()) };
}

/// How many bytes of the native stack the interpreter may still use.
pub fn stack_room() -> usize {
    let here = 0_u8;
    (&raw const here).addr().saturating_sub(stack_limit() + STACK_RESERVE)
}
