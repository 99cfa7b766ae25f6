//! Who gets which RAM, as the board's memory map says.

use core::ptr::NonNull;

use larch_board::allocator::Allocator;
use larch_heap::Region;

/// What the file system may need below the deepest built-in function.
const STACK_RESERVE: usize = 4 * 1024;

unsafe extern "C" {
    static mut _python_heap_start: u8;
    static _python_heap_end: u8;
    static mut _rust_heap_start: u8;
    static _rust_heap_end: u8;
    static _stack_end: u8;
}

/// The Python heap.
pub fn heap() -> Region {
    let start = (&raw const _python_heap_start).addr().next_multiple_of(8);
    let first =
        NonNull::new((&raw mut _python_heap_start).with_addr(start)).expect("RAM does not start at zero");
    Region { start: first, len: ((&raw const _python_heap_end).addr() - start) & !7 }
}

#[global_allocator]
static ALLOCATOR: Allocator = Allocator::new();

/// Sets up what Rust allocates from: the compiler's working memory, and the line being entered. Called once.
pub fn set_up_allocator() {
    let start = &raw mut _rust_heap_start;
    let length = (&raw const _rust_heap_end).addr() - start.addr();
    // SAFETY: the memory belongs to the allocator alone, for ever.
    unsafe { ALLOCATOR.set_up(start, length) };
}

/// How many bytes of the native stack the interpreter may still use.
pub fn stack_room() -> usize {
    let here = 0_u8;
    (&raw const here).addr().saturating_sub((&raw const _stack_end).addr() + STACK_RESERVE)
}
