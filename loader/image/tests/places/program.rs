//! Compiled by the test beside it, with DWARF; line numbers matter.
#![no_std]
#![no_main]

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[inline(always)]
fn poke(at: *mut u32) {
    unsafe { *at = 1 } // line 12
}

#[inline(never)]
fn victim(at: *mut u32) {
    poke(at); // line 17
    unsafe { *at.add(1) = 2 } // line 18
}

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    victim(core::hint::black_box(0x3FC8_0000 as *mut u32)); // line 23
    loop {}
}
