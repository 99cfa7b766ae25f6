//! The end of a program that went wrong: say where, and end QEMU.
//!
//! The text of a panic is not used: so neither the texts nor the places in the source are part of the program, nor the code
//! that formats them, which is 8 KB. The return addresses on the stack lead there, newest first, with a few stale ones among
//! them: `addr2line -fipe larch-virt-rv32 ADDRESS...`.

use core::panic::PanicInfo;

use crate::{board, console, memory};

/// Addresses that are shown.
const MAX_SHOWN: usize = 16;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    stop("panic", memory::return_addresses().take(MAX_SHOWN))
}

/// Says what went wrong and some numbers about it, and ends QEMU.
pub fn stop(what: &str, numbers: impl Iterator<Item = u32>) -> ! {
    for part in ["\r\nLarch ", env!("CARGO_PKG_VERSION"), ": ", what, ":"] {
        console::write(part.as_bytes());
    }
    for number in numbers {
        console::write(b" 0x");
        for digit in (0..8).rev() {
            console::write(&[b"0123456789abcdef"[(number >> (4 * digit) & 0xf) as usize]]);
        }
    }
    console::write(b"\r\n");
    board::exit(board::Exit::Failure)
}
