//! Who gets which RAM.
//!
//! The Python heap has the size that MicroPython's qemu port has, so that collections come as often.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use larch_board::allocator::Allocator;
use larch_heap::Region;

const PYTHON_HEAP_SIZE: usize = 140 * 1024;
/// What Rust allocates: the compiler's working memory, and the line being entered.
const RUST_HEAP_SIZE: usize = 192 * 1024;
/// What interrupt handlers and the file system may need below the deepest built-in function.
const STACK_RESERVE: usize = 4 * 1024;

#[repr(align(16))]
struct Memory<const SIZE: usize>(UnsafeCell<MaybeUninit<[u8; SIZE]>>);

// SAFETY: there is one thread, and each of these has one user.
unsafe impl<const SIZE: usize> Sync for Memory<SIZE> {}

static PYTHON_HEAP: Memory<PYTHON_HEAP_SIZE> = Memory(UnsafeCell::new(MaybeUninit::uninit()));
static RUST_HEAP: Memory<RUST_HEAP_SIZE> = Memory(UnsafeCell::new(MaybeUninit::uninit()));

/// The Python heap.
pub fn heap() -> Region {
    let start = NonNull::new(PYTHON_HEAP.0.get()).expect("a static has an address");
    Region { start: start.cast(), len: PYTHON_HEAP_SIZE }
}

#[global_allocator]
static ALLOCATOR: Allocator = Allocator::new();

/// Sets up what Rust allocates from. Called once.
pub fn set_up_allocator() {
    // SAFETY: the memory belongs to the allocator alone, for ever.
    unsafe { ALLOCATOR.set_up(RUST_HEAP.0.get().cast(), RUST_HEAP_SIZE) };
}

unsafe extern "C" {
    static _guard: u8;
    static _stack_end: u8;
    static _stack_start: u8;
    static _start: u8;
    static _text_end: u8;
}

/// Words on the native stack, from here upwards, that may be return addresses.
pub fn return_addresses() -> impl Iterator<Item = u32> {
    let here = 0_u32;
    let code = (&raw const _start).addr() as u32..(&raw const _text_end).addr() as u32;
    let (first, end) = ((&raw const here).addr(), (&raw const _stack_start).addr());
    // SAFETY: aligned words of the stack in use, and any word is a number.
    let words = (first..end).step_by(4).map(|at| unsafe { (at as *const u32).read_volatile() });
    words.filter(move |word| code.contains(word))
}

/// Makes an access to the page below the stack an exception, also in machine mode.
pub fn guard_stack() {
    // A naturally aligned power of two: the address, and as many ones as halve the size to 8 bytes.
    let region = (&raw const _guard).addr() >> 2 | (4096 / 8 - 1);
    /// Locked, naturally aligned power of two, no access.
    const LOCKED: usize = 0x98;
    // SAFETY: nobody uses the page.
    unsafe { core::arch::asm!("csrw pmpaddr0, {0}", "csrw pmpcfg0, {1}", in(reg) region, in(reg) LOCKED) };
}

/// How many bytes of the native stack the interpreter may still use.
pub fn stack_room() -> usize {
    let here = 0_u8;
    (&raw const here).addr().saturating_sub((&raw const _stack_end).addr() + STACK_RESERVE)
}
