//! The end of a program that went wrong: say what happened, and end QEMU.

use core::fmt::{self, Write};
use core::panic::PanicInfo;

use crate::board;
use crate::console;

struct LastWords;

impl Write for LastWords {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        console::write(text.as_bytes());
        Ok(())
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // There is nobody left to tell about a failure.
    let _ = write!(LastWords, "\r\nLarch {}: {info}\r\n", env!("CARGO_PKG_VERSION"));
    board::exit(board::Exit::Failure)
}
