//! Editing of one line: cursor keys, deletion, history, indentation, completion.
//!
//! The line may be the last of several: everything before `start` belongs to lines already entered and is never touched.
//!
//! Source: `readline_process_char` in MicroPython's `shared/readline/readline.c`. Two differences, where MicroPython's edits
//! what it should not: moving back by a word stops at the start of the line, and a space right after automatic indentation
//! has ended removes nothing from the line above.

use crate::complete::{Completion, complete};
use crate::{CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E, History, Host, LineBuffer, Prompt, indent};

const TAB: u8 = 9;
const CTRL_F: u8 = 6;
const CTRL_K: u8 = 11;
const CTRL_N: u8 = 14;
const CTRL_P: u8 = 16;
const CTRL_U: u8 = 21;
const CTRL_W: u8 = 23;
const BACKSPACE: u8 = 8;
const ESCAPE: u8 = 27;
const DELETE: u8 = 127;
const INDENT: &[u8] = b"    ";

/// Why editing stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Enter: the line is complete; it has been remembered and `\r\n` has been sent.
    Line,
    /// One of Ctrl-A to Ctrl-E on an empty line, or Ctrl-C anywhere.
    Control(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sequence {
    None,
    Escape,
    Bracket,
    BracketDigit(u8),
    O,
}

/// What a key means once escape sequences are decoded.
#[derive(Clone, Copy)]
enum Key {
    Left,
    Right,
    Home,
    End,
    Up,
    Down,
    WordLeft,
    WordRight,
    DeleteLeft,
    DeleteRight,
    KillWordLeft,
    KillWordRight,
    KillToEnd,
    KillToStart,
    Complete,
    Insert(u8),
    Nothing,
}

/// What has to be drawn after an edit.
#[derive(Default)]
struct Redraw {
    back: usize,
    from_cursor: bool,
    forward: usize,
}

/// The editor's state.
#[derive(Debug)]
pub struct Readline {
    prompt: Prompt,
    start: usize,
    cursor: usize,
    sequence: Sequence,
    history_at: Option<usize>,
    /// The newline byte accepted last, so that the other one of a `\r\n` pair is ignored.
    last_newline: u8,
    auto_indent: bool,
    just_indented: bool,
}

impl Default for Readline {
    fn default() -> Self {
        Self {
            prompt: Prompt::Primary,
            start: 0,
            cursor: 0,
            sequence: Sequence::None,
            history_at: None,
            last_newline: 0,
            auto_indent: true,
            just_indented: false,
        }
    }
}

impl Readline {
    /// Starts a line after what `text` already holds: sends the prompt, and the indentation if there is any.
    pub fn begin(&mut self, prompt: Prompt, text: &mut impl LineBuffer, host: &mut impl Host) {
        self.prompt = prompt;
        self.start = text.len();
        self.cursor = self.start;
        self.sequence = Sequence::None;
        self.history_at = None;
        self.just_indented = false;
        host.write_prompt(prompt);
        if text.is_empty() {
            self.auto_indent = true;
        }
        if self.auto_indent {
            for _ in 0..indent::levels(text.as_bytes()) {
                if text.insert(self.cursor, INDENT).is_ok() {
                    self.cursor += INDENT.len();
                    host.write(INDENT);
                    self.just_indented = true;
                }
            }
        }
    }

    /// Handles one byte from the terminal.
    pub fn push(
        &mut self,
        byte: u8,
        text: &mut impl LineBuffer,
        history: &mut History<'_>,
        host: &mut impl Host,
    ) -> Option<End> {
        if self.sequence == Sequence::None {
            if (CTRL_A..=CTRL_E).contains(&byte) && (text.len() == self.start || byte == CTRL_C) {
                return Some(End::Control(byte));
            }
            if self.is_newline(byte) {
                host.write(b"\r\n");
                history.push(&text.as_bytes()[self.start..]);
                return Some(End::Line);
            }
        }
        let key = self.decode(byte);
        let length_before = text.len();
        let redraw = self.apply(key, text, history, host);
        self.draw(&redraw, length_before, text, host);
        self.just_indented = false;
        None
    }

    /// Whether the byte ends the line. Bytes below 32 other than newlines, Tab, Backspace and Escape leave the memory of
    /// the last newline alone.
    fn is_newline(&mut self, byte: u8) -> bool {
        match byte {
            b'\r' | b'\n' if self.last_newline == 0 || self.last_newline == byte => {
                self.last_newline = byte;
                true
            }
            CTRL_A..=CTRL_F | CTRL_K | CTRL_N | CTRL_P | CTRL_U | CTRL_W => false,
            _ => {
                self.last_newline = 0;
                false
            }
        }
    }

    fn decode(&mut self, byte: u8) -> Key {
        match core::mem::replace(&mut self.sequence, Sequence::None) {
            Sequence::None => self.decode_plain(byte),
            Sequence::Escape => match byte {
                b'[' => self.enter(Sequence::Bracket),
                b'O' => self.enter(Sequence::O),
                b'b' => Key::WordLeft,
                b'f' => Key::WordRight,
                b'd' => Key::KillWordRight,
                DELETE => Key::KillWordLeft,
                _ => Key::Nothing,
            },
            Sequence::Bracket => match byte {
                b'0'..=b'9' => self.enter(Sequence::BracketDigit(byte)),
                b'A' => Key::Up,
                b'B' => Key::Down,
                b'C' => Key::Right,
                b'D' => Key::Left,
                b'H' => Key::Home,
                b'F' => Key::End,
                _ => Key::Nothing,
            },
            Sequence::BracketDigit(digit) => match (digit, byte) {
                (b'1' | b'7', b'~') => Key::Home,
                (b'4' | b'8', b'~') => Key::End,
                (b'3', b'~') => Key::DeleteRight,
                (b'1', b';') => self.enter(Sequence::Bracket),
                (b'5', b'C') => Key::WordRight,
                (b'5', b'D') => Key::WordLeft,
                _ => Key::Nothing,
            },
            Sequence::O => match byte {
                b'H' => Key::Home,
                b'F' => Key::End,
                _ => Key::Nothing,
            },
        }
    }

    fn enter(&mut self, sequence: Sequence) -> Key {
        self.sequence = sequence;
        Key::Nothing
    }

    fn decode_plain(&mut self, byte: u8) -> Key {
        match byte {
            CTRL_A => Key::Home,
            CTRL_B => Key::Left,
            CTRL_D => Key::DeleteRight,
            CTRL_E => Key::End,
            CTRL_F => Key::Right,
            CTRL_K => Key::KillToEnd,
            CTRL_N => Key::Down,
            CTRL_P => Key::Up,
            CTRL_U => Key::KillToStart,
            CTRL_W => Key::KillWordLeft,
            ESCAPE => self.enter(Sequence::Escape),
            BACKSPACE | DELETE => Key::DeleteLeft,
            TAB => Key::Complete,
            b' '..=b'~' => Key::Insert(byte),
            _ => Key::Nothing,
        }
    }

    fn apply(
        &mut self,
        key: Key,
        text: &mut impl LineBuffer,
        history: &History<'_>,
        host: &mut impl Host,
    ) -> Redraw {
        let (start, cursor, end) = (self.start, self.cursor, text.len());
        let back = |back| Redraw { back, ..Redraw::default() };
        let forward = |forward| Redraw { forward, ..Redraw::default() };
        let cut = |back| Redraw { back, from_cursor: true, forward: 0 };
        match key {
            Key::Nothing => Redraw::default(),
            Key::Left => back(usize::from(cursor > start)),
            Key::Right => forward(usize::from(cursor < end)),
            Key::Home => back(cursor - start),
            Key::End => forward(end - cursor),
            Key::WordLeft => back(word_left(&text.as_bytes()[start..cursor])),
            Key::WordRight => forward(word_right(&text.as_bytes()[cursor..])),
            Key::Up => self.recall(self.history_at.map_or(0, |at| at + 1), text, history),
            Key::Down => match self.history_at {
                None => Redraw::default(),
                Some(0) => self.replace_line(None, b"", text),
                Some(at) => self.recall(at - 1, text, history),
            },
            Key::DeleteLeft if cursor > start => {
                let count = self.backspace_width(text.as_bytes());
                text.remove(cursor - count..cursor);
                cut(count)
            }
            Key::DeleteLeft => Redraw::default(),
            Key::DeleteRight if cursor < end => {
                text.remove(cursor..cursor + 1);
                cut(0)
            }
            Key::DeleteRight => Redraw::default(),
            Key::KillWordLeft => {
                let count = word_left(&text.as_bytes()[start..cursor]);
                text.remove(cursor - count..cursor);
                cut(count)
            }
            Key::KillWordRight => {
                let count = word_right(&text.as_bytes()[cursor..]);
                text.remove(cursor..cursor + count);
                cut(0)
            }
            Key::KillToEnd => {
                text.remove(cursor..end);
                cut(0)
            }
            Key::KillToStart => {
                text.remove(start..cursor);
                cut(cursor - start)
            }
            Key::Complete if self.just_indented => {
                self.auto_indent = false;
                Redraw::default()
            }
            Key::Insert(b' ') if self.just_indented => {
                self.auto_indent = false;
                text.remove(end - 3..end);
                back(3)
            }
            Key::Complete => self.complete(text, host),
            Key::Insert(byte) => self.insert(&[byte], text),
        }
    }

    /// Four spaces go at once if there is nothing but spaces before the cursor.
    fn backspace_width(&self, text: &[u8]) -> usize {
        let before = &text[self.start..self.cursor];
        if before.len() >= 4 && before.iter().all(|&byte| byte == b' ') { 4 } else { 1 }
    }

    fn insert(&mut self, bytes: &[u8], text: &mut impl LineBuffer) -> Redraw {
        match text.insert(self.cursor, bytes) {
            Ok(()) => Redraw { back: 0, from_cursor: true, forward: bytes.len() },
            Err(_) => Redraw::default(),
        }
    }

    fn complete(&mut self, text: &mut impl LineBuffer, host: &mut impl Host) -> Redraw {
        let before = &text.as_bytes()[..self.cursor];
        if before.last().is_some_and(|byte| byte.is_ascii_whitespace()) {
            return self.insert(INDENT, text);
        }
        let line = &before[self.start..];
        match complete(line, host) {
            Completion::None => Redraw::default(),
            Completion::Text(name) => self.insert(name.as_bytes(), text),
            Completion::Listed => {
                host.write_prompt(self.prompt);
                host.write(line);
                Redraw { back: 0, from_cursor: true, forward: 0 }
            }
        }
    }

    fn recall(&mut self, index: usize, text: &mut impl LineBuffer, history: &History<'_>) -> Redraw {
        match history.get(index) {
            Some(line) => self.replace_line(Some(index), line, text),
            None => Redraw::default(),
        }
    }

    fn replace_line(&mut self, at: Option<usize>, line: &[u8], text: &mut impl LineBuffer) -> Redraw {
        self.history_at = at;
        text.remove(self.start..text.len());
        let forward = if text.insert(self.start, line).is_ok() { line.len() } else { 0 };
        Redraw { back: self.cursor - self.start, from_cursor: true, forward }
    }

    fn draw(&mut self, redraw: &Redraw, length_before: usize, text: &impl LineBuffer, host: &mut impl Host) {
        if redraw.back > 0 {
            cursor_back(redraw.back, host);
            self.cursor -= redraw.back;
        }
        let rest = &text.as_bytes()[self.cursor..];
        if redraw.from_cursor {
            if text.len() < length_before {
                host.write(b"\x1b[K");
            }
            host.write(rest);
            cursor_back(rest.len() - redraw.forward, host);
        } else if redraw.forward > 0 {
            host.write(&rest[..redraw.forward]);
        }
        self.cursor += redraw.forward;
    }
}

/// How many bytes to the start of the word before the end of `before`.
fn word_left(before: &[u8]) -> usize {
    count_word(before.iter().rev())
}

/// How many bytes to the end of the next word in `after`.
fn word_right(after: &[u8]) -> usize {
    count_word(after.iter())
}

fn count_word<'a>(mut bytes: impl Iterator<Item = &'a u8>) -> usize {
    let mut in_word = false;
    let mut count = 0;
    for byte in &mut bytes {
        if byte.is_ascii_alphanumeric() {
            in_word = true;
        } else if in_word {
            break;
        }
        count += 1;
    }
    count
}

fn cursor_back(count: usize, host: &mut impl Host) {
    if count <= 4 {
        host.write(&b"\x08\x08\x08\x08"[..count]);
        return;
    }
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = count;
    while rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    host.write(b"\x1b[");
    host.write(&digits[at..]);
    host.write(b"D");
}
