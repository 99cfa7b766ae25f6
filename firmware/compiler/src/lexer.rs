//! Source text to tokens.
//!
//! The token in force stands in the public fields; [`Lexer::advance`] replaces it. Names are ranges of the source;
//! numbers and strings are decoded into `text`, adjacent string literals joined. An f-string becomes a format string
//! in `text` and the source ranges of its expressions in `fields`, which the parser reads with [`Lexer::enter`].
//!
//! Invariant: `text` of a [`Token::Str`] is UTF-8, because the source is and escapes append whole characters.
//!
//! Source: Python reference, "Lexical analysis"; the limits (what an f-string field may contain, tabs to multiples of
//! eight columns, where a line number points) are MicroPython's `py/lexer.c`.

use crate::buffer::Buffer;
use crate::error::{Failure, Fault};
use crate::token::Token;

mod string;
#[cfg(test)]
mod tests;

/// Where reading stands: what an f-string field saves and restores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    at: u32,
    end: u32,
    /// The text does not end with a newline: one is read after it.
    adds_newline: bool,
    line: u32,
    column: u32,
    nesting: u32,
    dents: i32,
    /// The token does not begin in the first column.
    is_indented: bool,
    pub(crate) token: Token,
    /// Line on which the token begins.
    pub(crate) token_line: u32,
    /// The token's first byte and the byte after it.
    pub(crate) start: u32,
    pub(crate) stop: u32,
}

/// The token stream.
pub(crate) struct Lexer<'s> {
    source: &'s str,
    pub(crate) now: Position,
    indents: Buffer<u32>,
    /// The decoded text of a number or string.
    pub(crate) text: Buffer<u8>,
    /// Source ranges of the expressions of f-strings, those of enclosing ones first.
    pub(crate) fields: Buffer<(u32, u32)>,
    /// The string token in force has an f-string among its parts.
    pub(crate) is_format: bool,
    /// Where the fields of the string token in force begin.
    pub(crate) first_field: usize,
}

const END: u8 = 0;

impl<'s> Lexer<'s> {
    /// Starts reading. `source` is below 4 GiB.
    pub(crate) fn new(source: &'s str) -> Result<Self, Failure> {
        let mut indents = Buffer::new();
        indents.push(0)?;
        let now = Position {
            at: 0,
            end: source.len() as u32,
            adds_newline: !source.is_empty() && !source.ends_with(['\n', '\r']),
            line: 1,
            column: 1,
            nesting: 0,
            dents: 0,
            is_indented: false,
            token: Token::Newline,
            token_line: 1,
            start: 0,
            stop: 0,
        };
        let (text, fields) = (Buffer::new(), Buffer::new());
        let mut lexer = Lexer { source, now, indents, text, fields, is_format: false, first_field: 0 };
        lexer.advance()?;
        if lexer.now.is_indented && lexer.now.token != Token::Newline {
            lexer.now.token = Token::Indent;
        }
        Ok(lexer)
    }

    /// The name token's text.
    pub(crate) fn name(&self) -> &'s str {
        self.source.get(self.now.start as usize..self.now.stop as usize).unwrap_or("")
    }

    /// A range of the source.
    pub(crate) fn text_between(&self, start: u32, stop: u32) -> &'s str {
        self.source.get(start as usize..stop as usize).unwrap_or("")
    }

    /// Reads the f-string field at `range` next, as if it stood in parentheses. Returns what [`Lexer::leave`] needs.
    pub(crate) fn enter(&mut self, range: (u32, u32)) -> Result<Position, Failure> {
        let saved = self.now;
        (self.now.at, self.now.end) = range;
        (self.now.adds_newline, self.now.nesting) = (false, 1);
        self.now.line = saved.token_line;
        self.advance()?;
        Ok(saved)
    }

    /// Goes back to where [`Lexer::enter`] was called; the string token is in force again, its text is not.
    pub(crate) fn leave(&mut self, saved: Position) {
        self.now = saved;
    }

    /// The byte `ahead` of the next one; [`END`] after the text. Carriage returns read as newlines.
    fn peek(&self, ahead: u32) -> u8 {
        let index = self.now.at.saturating_add(ahead);
        if index >= self.now.end {
            return if index == self.now.end && self.now.adds_newline { b'\n' } else { END };
        }
        match self.source.as_bytes()[index as usize] {
            b'\r' => b'\n',
            0 => 1,
            byte => byte,
        }
    }

    /// Consumes a byte (or CR LF).
    fn next(&mut self) {
        match self.peek(0) {
            END => return,
            b'\n' => {
                self.now.line += 1;
                self.now.column = 1;
                let pair = self.source.as_bytes().get(self.now.at as usize..self.now.at as usize + 2);
                if pair == Some(b"\r\n") && self.now.at + 1 < self.now.end {
                    self.now.at += 1;
                }
            }
            b'\t' => self.now.column = (self.now.column - 1 + 8) / 8 * 8 + 1,
            _ => self.now.column += 1,
        }
        self.now.at += 1;
    }

    /// Whether an f-string's expression is being read: it has no comments.
    fn is_in_field(&self) -> bool {
        (self.now.end as usize) < self.source.len()
    }

    /// Skips white space and comments. With `stop` and outside brackets, stops before a newline and returns true.
    fn skip_space(&mut self, stop: bool) -> bool {
        loop {
            match (self.peek(0), self.peek(1)) {
                (b'\n', _) if stop && self.now.nesting == 0 => return true,
                (b'\n' | b' ' | b'\t' | 0x0b | 0x0c, _) => self.next(),
                (b'#', _) if !self.is_in_field() => {
                    while !matches!(self.peek(0), b'\n' | END) {
                        self.next();
                    }
                }
                (b'\\', b'\n') => {
                    self.next();
                    self.next();
                }
                _ => return false,
            }
        }
    }

    /// Reads the next token.
    pub(crate) fn advance(&mut self) -> Result<(), Failure> {
        let had_newline = self.skip_space(true);
        self.now.token_line = self.now.line;
        self.now.is_indented = self.now.column != 1;
        self.now.start = self.now.at;
        self.now.token = if self.now.dents < 0 {
            self.now.dents += 1;
            Token::Dedent
        } else if self.now.dents > 0 {
            self.now.dents -= 1;
            Token::Indent
        } else if had_newline {
            self.newline()?
        } else {
            self.plain()?
        };
        self.now.stop = self.now.at;
        Ok(())
    }

    /// A newline: reads on to the next line with something on it and compares its indentation.
    fn newline(&mut self) -> Result<Token, Failure> {
        self.skip_space(false);
        let spaces = self.now.column - 1;
        let top = |lexer: &Self| lexer.indents.last().copied().unwrap_or(0);
        if spaces > top(self) {
            self.indents.push(spaces)?;
            self.now.dents = 1;
        }
        while spaces < top(self) {
            self.indents.pop();
            self.now.dents -= 1;
        }
        Ok(if spaces == top(self) { Token::Newline } else { Token::DedentMismatch })
    }

    fn plain(&mut self) -> Result<Token, Failure> {
        let byte = self.peek(0);
        if byte == END {
            return Ok(Token::End);
        }
        if self.string_prefix().is_some() {
            return self.strings();
        }
        match byte {
            b'_' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => {
                while matches!(self.peek(0), b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | 0x80..) {
                    self.next();
                }
                let text = &self.source.as_bytes()[self.now.start as usize..self.now.at as usize];
                Ok(Token::keyword(text).unwrap_or(Token::Name))
            }
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_ascii_digit() => self.number(),
            _ => Ok(self.punctuation(byte)),
        }
    }

    fn number(&mut self) -> Result<Token, Failure> {
        self.text.clear();
        let mut kind = if self.peek(0) == b'.' { Token::Float } else { Token::Integer };
        let is_based = self.peek(0) == b'0' && matches!(self.peek(1) | 0x20, b'b' | b'o' | b'x');
        while let byte @ (b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_') = self.peek(0) {
            self.next();
            match byte {
                b'_' => continue,
                b'e' | b'E' if !is_based => {
                    kind = Token::Float;
                    self.text.push(b'e')?;
                    if let sign @ (b'+' | b'-') = self.peek(0) {
                        self.text.push(sign)?;
                        self.next();
                    }
                    continue;
                }
                b'.' | b'j' | b'J' => kind = Token::Float,
                _ => {}
            }
            self.text.push(byte)?;
        }
        if kind == Token::Float { self.check_float() } else { Ok(kind) }
    }

    /// Whether the text of a float is one: digits, a point, an exponent, a `j`.
    fn check_float(&mut self) -> Result<Token, Failure> {
        let mut kind = Token::Float;
        if let Some(b'j' | b'J') = self.text.last() {
            self.text.pop();
            kind = Token::Imaginary;
        }
        let (mut digits, mut points, mut exponent) = (0, 0, None);
        for (index, byte) in self.text.iter().enumerate() {
            match byte {
                b'0'..=b'9' => digits += 1,
                b'.' if exponent.is_none() => points += 1,
                b'e' if exponent.is_none() && digits > 0 => {
                    exponent = Some(index);
                    digits = 0;
                }
                b'+' | b'-' if exponent.is_some_and(|at| at + 1 == index) => {}
                _ => points = 9,
            }
        }
        if digits == 0 || points > 1 {
            return Err(Failure::at(self.now.token_line, Fault::Number));
        }
        Ok(kind)
    }

    fn punctuation(&mut self, byte: u8) -> Token {
        use Token::*;
        let (second, third) = (self.peek(1), self.peek(2));
        let (token, len) = match (byte, second, third) {
            (b'.', b'.', b'.') => (Ellipsis, 3),
            (b'<', b'<', b'=') => (ShlAssign, 3),
            (b'>', b'>', b'=') => (ShrAssign, 3),
            (b'*', b'*', b'=') => (DoubleStarAssign, 3),
            (b'/', b'/', b'=') => (DoubleSlashAssign, 3),
            (b'<', b'<', _) => (Shl, 2),
            (b'>', b'>', _) => (Shr, 2),
            (b'*', b'*', _) => (DoubleStar, 2),
            (b'/', b'/', _) => (DoubleSlash, 2),
            (b'-', b'>', _) => (Arrow, 2),
            (b'!', b'=', _) => (NotEqual, 2),
            (b'=', b'=', _) => (Equal, 2),
            (b'<', b'=', _) => (LessEqual, 2),
            (b'>', b'=', _) => (GreaterEqual, 2),
            (b':', b'=', _) => (Walrus, 2),
            (b'+', b'=', _) => (PlusAssign, 2),
            (b'-', b'=', _) => (MinusAssign, 2),
            (b'*', b'=', _) => (StarAssign, 2),
            (b'@', b'=', _) => (AtAssign, 2),
            (b'/', b'=', _) => (SlashAssign, 2),
            (b'%', b'=', _) => (PercentAssign, 2),
            (b'&', b'=', _) => (AndAssign, 2),
            (b'|', b'=', _) => (OrAssign, 2),
            (b'^', b'=', _) => (XorAssign, 2),
            _ => (single(byte), 1),
        };
        (0..len).for_each(|_| self.next());
        match token {
            ParenOpen | BracketOpen | BraceOpen => self.now.nesting += 1,
            ParenClose | BracketClose | BraceClose => self.now.nesting = self.now.nesting.saturating_sub(1),
            _ => {}
        }
        token
    }
}

fn single(byte: u8) -> Token {
    match byte {
        b'(' => Token::ParenOpen,
        b')' => Token::ParenClose,
        b'[' => Token::BracketOpen,
        b']' => Token::BracketClose,
        b'{' => Token::BraceOpen,
        b'}' => Token::BraceClose,
        b',' => Token::Comma,
        b';' => Token::Semicolon,
        b':' => Token::Colon,
        b'.' => Token::Period,
        b'=' => Token::Assign,
        b'~' => Token::Tilde,
        b'+' => Token::Plus,
        b'-' => Token::Minus,
        b'*' => Token::Star,
        b'@' => Token::At,
        b'/' => Token::Slash,
        b'%' => Token::Percent,
        b'&' => Token::And,
        b'|' => Token::Or,
        b'^' => Token::Xor,
        b'<' => Token::Less,
        b'>' => Token::Greater,
        _ => Token::Invalid,
    }
}
