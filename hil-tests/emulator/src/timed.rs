//! What boards have in common: a serial port in simulated time, and flash contents that are kept as a file.

use crate::adapter::Adapter;
use crate::time::Ticks;
use std::io;
use std::path::Path;
use std::time::Duration;

/// A board with a serial adapter.
pub(crate) trait Timed {
    /// Ticks of its chip.
    fn ticks(duration: Duration) -> Ticks;
    /// Simulated time.
    fn now_ticks(&self) -> Ticks;
    /// Lets time pass; returns early if the adapter was asked to wake the caller and heard something.
    fn advance(&mut self, until: Ticks);
    /// The adapter.
    fn adapter(&mut self) -> &mut Adapter;
    /// The access at which strict mode stopped the chip.
    fn stopped(&self) -> Option<String>;
}

/// Lets simulated time pass.
pub(crate) fn sleep<B: Timed>(board: &mut B, time: Duration) {
    let until = board.now_ticks().saturating_add(B::ticks(time));
    board.advance(until);
}

/// Reads what arrived; waits at most `timeout` of simulated time for the first byte. 0 means nothing came.
///
/// # Errors
/// If the chip stopped in strict mode.
pub(crate) fn read<B: Timed>(board: &mut B, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
    if board.adapter().heard.is_empty() {
        board.adapter().wake = true;
        sleep(board, timeout);
        board.adapter().wake = false;
    }
    if let Some(access) = board.stopped() {
        return Err(io::Error::other(format!("the emulated chip stopped (strict mode): {access}")));
    }
    Ok(board.adapter().take(buffer))
}

/// Writes flash contents to `path`; the file is whole at every moment.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn save(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    std::fs::write(&temporary, contents)?;
    std::fs::rename(&temporary, path)
}
