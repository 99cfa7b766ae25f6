//! The terminal: where the prompt is, and what `sys.stdin` and `sys.stdout` are.

use core::sync::atomic::AtomicBool;

/// The terminal.
pub trait Console {
    /// The next byte, if one has arrived.
    fn read(&mut self) -> Option<u8>;

    /// Whether [`Console::read`] would return a byte.
    fn readable(&self) -> bool;

    /// Sends all bytes. Waits while the line is busy, but never for the other side to listen.
    fn write(&mut self, bytes: &[u8]);

    /// Sends text: a line feed becomes carriage return and line feed, as a terminal in raw mode wants it.
    fn write_text(&mut self, bytes: &[u8]) {
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if index > 0 {
                self.write(b"\r\n");
            }
            if !line.is_empty() {
                self.write(line);
            }
        }
    }
    /// Waits until everything written has left the chip.
    fn flush(&mut self);

    /// The byte that raises KeyboardInterrupt instead of being read (Ctrl-C is 3), or none.
    fn set_interrupt_byte(&mut self, byte: Option<u8>);

    /// Set when the interrupt byte arrives, also while a program runs. The interpreter polls and clears it.
    fn interrupt_flag(&self) -> &'static AtomicBool;
}
