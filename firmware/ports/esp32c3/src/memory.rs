//! Who gets which part of the RAM.
//!
//! From below: code and data that the linker placed, the Python heap, the native stack, and the RAM that the bootloader
//! used, where what Rust allocates goes (the compiler's working memory, and the line being entered). When Wi-Fi starts for the
//! first time the heap gives up its end for the driver, and so it does for the first TLS session; it never gets that RAM back.

use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use esp_alloc::{HEAP, HeapRegion, MemoryCapability};
use esp_hal::debugger::set_stack_watchpoint;
use larch_heap::Region;

/// The native stack. Python calls do not use it; the compiler and nested built-in functions do.
const STACK_SIZE: usize = 26 * 1024;
/// What the file system, the flash functions, the network and interrupt handlers may need below the deepest built-in function.
const STACK_RESERVE: usize = 6 * 1024;
/// What the bootloader leaves behind: 0x3fcce400 to 0x3fcde710, without what keeps track of it.
const RECLAIMED_SIZE: usize = 64 * 1024;

unsafe extern "C" {
    static mut _stack_end: u8;
    static mut _stack_start: u8;
}

fn stack_limit() -> usize {
    (&raw const _stack_start).addr() - STACK_SIZE
}

/// Bytes at the heap's end that are Rust's now.
static GIVEN_UP: AtomicUsize = AtomicUsize::new(0);

/// The heap gave up its end, for good: Rust allocates from it from now on.
pub fn give_to_rust(memory: &'static mut [MaybeUninit<u8>]) {
    GIVEN_UP.store(GIVEN_UP.load(Ordering::Relaxed) + memory.len(), Ordering::Relaxed);
    // SAFETY: the memory is ours for good.
    unsafe {
        HEAP.add_region(HeapRegion::new(
            memory.as_mut_ptr().cast(),
            memory.len(),
            MemoryCapability::Internal.into(),
        ));
    }
}

/// The Python heap: from the linker's last byte to the native stack, without what it gave up.
pub fn heap() -> Region {
    let start = (&raw mut _stack_end).addr().next_multiple_of(8);
    let first = NonNull::new((&raw mut _stack_end).with_addr(start)).expect("RAM does not start at zero");
    Region { start: first, len: (stack_limit() - start - GIVEN_UP.load(Ordering::Relaxed)) & !7 }
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
