//! A serial log as a person reads it: every byte is visible, steps are where they began.

use crate::event::{Attempt, Mark};

/// Bytes of a log on the page; what is between its head and its tail is in the file.
const HEAD: usize = 24 * 1024;
const TAIL: usize = 8 * 1024;

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A step begins here.
    Step(Mark),
    /// Plain text.
    Text(String),
    /// A byte or sequence that a terminal would not show, in words.
    Control(String),
    /// So many bytes are not on the page.
    Left(u64),
}

/// The pieces of an attempt's log.
pub(super) fn pieces(serial: &[u8], attempt: &Attempt) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let total = serial.len();
    let tail = if total > HEAD + TAIL { total - TAIL } else { total.min(HEAD) };
    let mut from = 0;
    for mark in &attempt.marks {
        let offset = usize::try_from(mark.offset).unwrap_or(total).min(total);
        if offset > from {
            show(&mut pieces, serial, from, offset, tail);
            from = offset;
        }
        pieces.push(Piece::Step(mark.clone()));
    }
    show(&mut pieces, serial, from, total, tail);
    if attempt.serial_dropped > 0 {
        pieces.push(Piece::Left(attempt.serial_dropped));
    }
    pieces
}

/// Shows a stretch, without what lies between head and tail of the whole.
fn show(pieces: &mut Vec<Piece>, serial: &[u8], from: usize, to: usize, tail: usize) {
    let head = HEAD.min(serial.len());
    render(pieces, &serial[from.min(head)..to.min(head)]);
    let (gap_from, gap_to) = (from.max(head), to.min(tail));
    if gap_to > gap_from {
        pieces.push(Piece::Left((gap_to - gap_from) as u64));
    }
    render(pieces, &serial[from.max(tail).min(to)..to.max(from.max(tail).min(to))]);
}

fn render(pieces: &mut Vec<Piece>, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        let mut text = String::new();
        for letter in chunk.valid().chars() {
            match word(letter) {
                None => text.push(letter),
                Some(word) => {
                    flush(pieces, &mut text);
                    let line_end = letter == '\n';
                    control(pieces, &word);
                    if line_end {
                        text.push('\n');
                    }
                }
            }
        }
        flush(pieces, &mut text);
        for byte in chunk.invalid() {
            control(pieces, &format!("\\x{byte:02x}"));
        }
    }
}

fn flush(pieces: &mut Vec<Piece>, text: &mut String) {
    if text.is_empty() {
        return;
    }
    let text = std::mem::take(text);
    match pieces.last_mut() {
        Some(Piece::Text(before)) => before.push_str(&text),
        _ => pieces.push(Piece::Text(text)),
    }
}

fn control(pieces: &mut Vec<Piece>, word: &str) {
    match pieces.last_mut() {
        Some(Piece::Control(before)) => before.push_str(word),
        _ => pieces.push(Piece::Control(word.to_owned())),
    }
}

/// How a character is shown that would not be seen, or would change how others are seen.
fn word(letter: char) -> Option<String> {
    match letter {
        '\r' => Some("␍".into()),
        '\n' => Some("␊".into()),
        '\t' => None,
        '\u{1b}' => Some("␛".into()),
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(letter)).map(String::from),
        '\u{7f}' => Some("␡".into()),
        '\u{80}'..='\u{9f}' => Some(format!("\\x{:02x}", u32::from(letter))),
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
            Some(format!("\\u{{{:x}}}", u32::from(letter)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(bytes: &[u8]) -> String {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) | Piece::Control(text) => text.clone(),
            Piece::Step(mark) => format!("[{}]", mark.step),
            Piece::Left(count) => format!("<{count}>"),
        };
        pieces(bytes, &attempt(&[])).iter().map(text).collect()
    }

    fn attempt(offsets: &[u64]) -> Attempt {
        let mark = |offset: &u64| Mark { line: 1, step: "s".into(), offset: *offset, board_ms: 0 };
        Attempt { marks: offsets.iter().map(mark).collect(), ..Attempt::default() }
    }

    #[test]
    fn every_byte_is_visible() {
        assert_eq!(shown(b"a\r\nb\x1b[31m\x00\x7f\xff\xc3\xa9"), "a␍␊\nb␛[31m␀␡\\xffé");
        assert_eq!(shown("\u{202e}evil\u{200b}".as_bytes()), "\\u{202e}evil\\u{200b}");
    }

    #[test]
    fn steps_stand_where_they_began() {
        let pieces = pieces(b"boot>>> 1\n>>> ", &attempt(&[0, 8, 100]));
        let steps: Vec<usize> = pieces
            .iter()
            .enumerate()
            .filter(|(_, piece)| matches!(piece, Piece::Step(_)))
            .map(|(at, _)| at)
            .collect();
        assert_eq!(steps, [0, 2, pieces.len() - 1]);
        assert_eq!(pieces[1], Piece::Text("boot>>> ".into()));
    }

    #[test]
    fn the_middle_of_a_flood_is_left_out_and_counted() {
        let mut log = vec![b'a'; HEAD];
        log.extend([b'b'; 5000]);
        log.extend([b'c'; TAIL]);
        let text = shown(&log);
        assert_eq!(text.len(), HEAD + "<5000>".len() + TAIL);
        assert!(text.contains("a<5000>c"));
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_and_none_controls(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            offsets in proptest::collection::vec(0u64..400, 0..5),
        ) {
            let mut offsets = offsets;
            offsets.sort_unstable();
            let pieces = pieces(&bytes, &attempt(&offsets));
            let steps = pieces.iter().filter(|piece| matches!(piece, Piece::Step(_))).count();
            prop_assert_eq!(steps, offsets.len());
            for piece in pieces {
                if let Piece::Text(text) | Piece::Control(text) = piece {
                    let harmless = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\t');
                    prop_assert!(text.chars().all(harmless));
                }
            }
        }
    }
}
