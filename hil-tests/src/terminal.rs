//! What a person sees at the terminal: the bytes of a board, rendered to lines of text.
//!
//! Knows the control sequences of MicroPython's line editing (cursor left and right, erase to the end of the line) and
//! their close relatives. Other control characters show as `^D`, so that the framing of the raw REPL is visible in a
//! transcript; other escape sequences show nothing and change nothing.
//! Invariants: any bytes are accepted; the number of lines and their length are bounded, so a hostile board costs
//! bounded memory; no control character is left in the rendered text.

/// Lines kept; older ones are dropped from the top.
const MAX_LINES: usize = 4000;
/// Columns kept; what is written further right is dropped.
const MAX_COLUMNS: usize = 2000;

/// A terminal of unlimited width that never scrolls anything away (within its limits).
#[derive(Default)]
pub struct Terminal {
    parser: vte::Parser,
    screen: Screen,
}

impl Terminal {
    /// An empty screen.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows bytes as they came from the board; invalid UTF-8 shows as U+FFFD.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.screen, bytes);
    }

    /// The line of the cursor, up to the cursor.
    #[must_use]
    pub fn before_cursor(&self) -> String {
        let line = &self.screen.lines[self.screen.row];
        line.iter().take(self.screen.column).collect()
    }

    /// The whole line of the cursor, as it stands.
    #[must_use]
    pub fn line(&self) -> String {
        self.screen.lines[self.screen.row].iter().collect()
    }

    /// Everything shown, without blanks at the ends of lines.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines: Vec<String> = self
            .screen
            .lines
            .iter()
            .map(|line| line.iter().collect::<String>().trim_end().to_owned())
            .collect();
        while lines.len() > 1 && lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines.join("\n")
    }

    /// A mark to come [back](Self::rewind) to.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.screen.clone())
    }

    /// Forgets what was shown since the mark.
    pub fn rewind(&mut self, mark: &Mark) {
        self.screen = mark.0.clone();
    }
}

/// A remembered screen.
pub struct Mark(Screen);

#[derive(Clone)]
struct Screen {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

impl Default for Screen {
    fn default() -> Self {
        Self { lines: vec![Vec::new()], row: 0, column: 0 }
    }
}

impl Screen {
    fn put(&mut self, shown: char) {
        if self.column >= MAX_COLUMNS {
            return;
        }
        let line = &mut self.lines[self.row];
        if line.len() < self.column {
            line.resize(self.column, ' ');
        }
        if self.column < line.len() {
            line[self.column] = shown;
        } else {
            line.push(shown);
        }
        self.column += 1;
    }

    fn line_feed(&mut self) {
        self.row += 1;
        if self.row == self.lines.len() {
            self.lines.push(Vec::new());
        }
        if self.lines.len() > MAX_LINES {
            self.lines.remove(0);
            self.row -= 1;
        }
    }

    fn erase_line(&mut self, how: u16) {
        let column = self.column;
        let line = &mut self.lines[self.row];
        match how {
            0 => line.truncate(column),
            1 => line.iter_mut().take(column + 1).for_each(|shown| *shown = ' '),
            _ => line.clear(),
        }
    }
}

impl vte::Perform for Screen {
    fn print(&mut self, shown: char) {
        self.put(if shown.is_control() { char::REPLACEMENT_CHARACTER } else { shown });
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\r' => self.column = 0,
            b'\n' => self.line_feed(),
            0x08 => self.column = self.column.saturating_sub(1),
            b'\t' => {
                for _ in 0..8 - self.column % 8 {
                    self.put(' ');
                }
            }
            0x07 => {}
            0x00..=0x1f => {
                self.put('^');
                self.put(char::from(byte + 0x40));
            }
            _ => self.put(char::REPLACEMENT_CHARACTER),
        }
    }

    fn csi_dispatch(&mut self, parameters: &vte::Params, between: &[u8], ignored: bool, action: char) {
        if ignored || !between.is_empty() {
            return;
        }
        let first = parameters.iter().next().and_then(|values| values.first()).copied().unwrap_or(0);
        let steps = usize::from(first.max(1));
        match action {
            'C' => self.column = (self.column + steps).min(MAX_COLUMNS),
            'D' => self.column = self.column.saturating_sub(steps),
            'G' => self.column = (steps - 1).min(MAX_COLUMNS),
            'K' => self.erase_line(first),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_COLUMNS, MAX_LINES, Terminal};
    use proptest::prelude::*;
    use rstest::rstest;

    fn shown(bytes: &[u8]) -> String {
        let mut terminal = Terminal::new();
        terminal.feed(bytes);
        terminal.text()
    }

    #[rstest]
    #[case(b">>> 1+1\r\r\n2\r\n>>> ", ">>> 1+1\n2\n>>>")]
    #[case(b"...         \x08\x08\x08\x08\x1b[Kx", "...     x")]
    #[case(b"abc\x1b[2Dx", "axc")]
    #[case(b">OK1\r\n\x04\x04>", ">OK1\n^D^D>")]
    #[case(b"a\x1b]0;title\x07b\x1b[31mred\x1b[0m", "abred")]
    #[case(b"h\xc3\xa9 \xff!", "h\u{e9} \u{fffd}!")]
    #[case(b"one\rtwo", "two")]
    #[case(b"\x1b[2J\x1b[Hcleared", "cleared")]
    fn control_sequences_are_rendered_away(#[case] bytes: &[u8], #[case] expected: &str) {
        assert_eq!(shown(bytes), expected);
    }

    #[test]
    fn a_flood_costs_bounded_memory() {
        let mut terminal = Terminal::new();
        for _ in 0..200 {
            terminal.feed(&[b'x'; 100_000]);
            terminal.feed(&[b'\n'; 1000]);
        }
        let text = terminal.text();
        assert!(text.len() <= MAX_LINES * (MAX_COLUMNS + 1));
    }

    proptest! {
        #[test]
        fn any_bytes_leave_no_control_character(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let text = shown(&bytes);
            prop_assert!(text.chars().all(|shown| shown == '\n' || !shown.is_control()));
        }
    }
}
