//! The line table of a `.mpy` function.

/// Lines of offsets, which must be asked for in ascending order.
pub(super) struct Lines<'m> {
    rest: &'m [u8],
    line: u32,
    /// Offset from which the next entry holds.
    until: u32,
    next_line: u32,
}

impl<'m> Lines<'m> {
    pub(super) fn new(table: &'m [u8]) -> Self {
        let mut lines = Lines { rest: table, line: 1, until: 0, next_line: 1 };
        lines.advance();
        lines
    }

    /// Reads an entry: how many bytes of code the line so far has, and how many lines it goes on.
    fn advance(&mut self) {
        self.line = self.next_line;
        let (bytes, lines) = match self.rest {
            [] => (u32::MAX, 0),
            [low, high, rest @ ..] if low & 0x80 != 0 => {
                self.rest = rest;
                (u32::from(low & 0xf), u32::from(low & 0x70) << 4 | u32::from(*high))
            }
            [byte, rest @ ..] => {
                self.rest = rest;
                (u32::from(byte & 0x1f), u32::from(byte >> 5))
            }
        };
        self.until = self.until.saturating_add(bytes);
        self.next_line = self.line.saturating_add(lines);
    }

    pub(super) fn line(&mut self, offset: u16) -> u32 {
        while u32::from(offset) >= self.until {
            self.advance();
        }
        self.line
    }
}
