//! Which build this is: the first bytes of the build id that the linker computes over the program.
//!
//! Source: System V ABI, "Note Section": lengths of name and digest, type 3, the name `GNU`, the digest.

use core::slice;

use static_cell::StaticCell;

/// Bytes before the digest.
const HEADER: usize = 16;
/// Bytes of the digest that are shown.
const SHOWN: usize = 6;
/// Longest name.
const ROOM: usize = 48;

unsafe extern "C" {
    static _build_id: u8;
    static _build_id_end: u8;
}

/// `STM32F405-1a2b3c4d5e6f`. Called once.
pub fn name(board: &'static str) -> &'static str {
    static TEXT: StaticCell<[u8; ROOM]> = StaticCell::new();
    let length = (&raw const _build_id_end).addr() - (&raw const _build_id).addr();
    // SAFETY: the linker put the note there, and nobody writes to it.
    let note = unsafe { slice::from_raw_parts(&raw const _build_id, length) };
    let digest = note.get(HEADER..HEADER + SHOWN).unwrap_or_default();
    let text = TEXT.init([0; ROOM]);
    let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = nibbles.map(|nibble| b"0123456789abcdef"[usize::from(nibble)]);
    let bytes = board.bytes().chain([b'-']).chain(digits);
    let length = text.iter_mut().zip(bytes).map(|(place, byte)| *place = byte).count();
    core::str::from_utf8(&text[..length]).unwrap_or(board)
}
