//! String and bytes literals: prefixes, escapes, joining, and what an f-string is turned into.

use super::{END, Lexer};
use crate::buffer::Buffer;
use crate::error::{Failure, Fault};
use crate::token::Token;

/// The letters before the quote.
#[derive(Clone, Copy)]
pub(super) struct Prefix {
    len: u32,
    is_raw: bool,
    is_bytes: bool,
    is_format: bool,
}

impl Lexer<'_> {
    /// The prefix, if a string or bytes literal starts here.
    pub(super) fn string_prefix(&self) -> Option<Prefix> {
        let (first, second, third) = (self.peek(0), self.peek(1), self.peek(2));
        let quote = |byte| matches!(byte, b'\'' | b'"');
        let len = if quote(first) {
            0
        } else if quote(second) && matches!(first, b'r' | b'u' | b'b' | b'f') {
            1
        } else if quote(third) && matches!(&[first, second], b"rf" | b"fr" | b"rb" | b"br") {
            2
        } else {
            return None;
        };
        let has = |letter| (len > 0 && first == letter) || (len > 1 && second == letter);
        Some(Prefix { len, is_raw: has(b'r'), is_bytes: has(b'b'), is_format: has(b'f') })
    }

    /// Adjacent literals of one kind.
    pub(super) fn strings(&mut self) -> Result<Token, Failure> {
        self.text.clear();
        self.is_format = false;
        self.first_field = self.fields.len();
        let mut kind = None;
        while let Some(prefix) = self.string_prefix() {
            if kind.is_some_and(|is_bytes| is_bytes != prefix.is_bytes) {
                break;
            }
            kind = Some(prefix.is_bytes);
            (0..prefix.len).for_each(|_| self.next());
            self.is_format |= prefix.is_format;
            if let Some(error) = self.literal(prefix)? {
                return Ok(error);
            }
            self.skip_space(true);
        }
        Ok(if kind == Some(true) { Token::Bytes } else { Token::Str })
    }

    /// One literal, from its quote on. Returns the token that reports an error, if there is one.
    fn literal(&mut self, prefix: Prefix) -> Result<Option<Token>, Failure> {
        let quote = self.peek(0);
        self.next();
        let quotes = if self.peek(0) == quote && self.peek(1) == quote { 3 } else { 1 };
        if quotes == 3 {
            self.next();
            self.next();
        }
        let (mut closing, mut error) = (0, None);
        while closing < quotes {
            match self.peek(0) {
                END => break,
                b'\n' if quotes == 1 => break,
                byte if byte == quote => {
                    closing += 1;
                    self.text.push(byte)?;
                    self.next();
                    continue;
                }
                b'{' if prefix.is_format => error = self.brace()?.or(error),
                b'\\' => error = self.escape(prefix)?.or(error),
                _ => self.copy_char()?,
            }
            closing = 0;
        }
        if closing < quotes {
            error = Some(Token::Invalid);
        }
        self.text.truncate(self.text.len() - closing);
        Ok(error)
    }

    /// Copies one byte of the literal; NUL is itself here.
    fn copy_char(&mut self) -> Result<(), Failure> {
        let byte = self.peek(0);
        let is_nul = self.source.as_bytes().get(self.now.at as usize) == Some(&0);
        self.text.push(if is_nul { 0 } else { byte })?;
        self.next();
        Ok(())
    }

    /// A `{` in an f-string: `{{` is left to `format`; else the expression's range is noted.
    fn brace(&mut self) -> Result<Option<Token>, Failure> {
        self.next();
        if self.peek(0) == b'{' {
            self.text.extend(b"{{")?;
            self.next();
            return Ok(None);
        }
        let start = self.now.at;
        let mut depth = 0u32;
        loop {
            match (self.peek(0), self.peek(1), self.peek(2)) {
                (END, ..) => break,
                (b':' | b'}', ..) | (b'!', b'r' | b's', b':' | b'}') if depth == 0 => break,
                (b'[' | b'{', ..) => depth = depth.wrapping_add(1),
                (b']' | b'}', ..) => depth = depth.wrapping_sub(1),
                _ => {}
            }
            self.next();
        }
        let mut stop = self.now.at;
        let expression = self.source.as_bytes().get(start as usize..stop as usize).unwrap_or(&[]);
        if expression.last() == Some(&b'=') {
            self.text.extend(expression)?;
            stop -= 1;
        }
        self.text.push(b'{')?;
        self.fields.push((start, stop))?;
        Ok((start == stop).then_some(Token::MalformedFString))
    }

    /// A backslash and what follows.
    fn escape(&mut self, prefix: Prefix) -> Result<Option<Token>, Failure> {
        self.next();
        let byte = self.peek(0);
        if prefix.is_raw {
            self.text.push(b'\\')?;
            if byte != END {
                self.copy_char()?;
            }
            return Ok(None);
        }
        let simple = match byte {
            END => return Ok(None),
            b'\n' => {
                self.next();
                return Ok(None);
            }
            b'\\' | b'\'' | b'"' => byte,
            b'a' => 0x07,
            b'b' => 0x08,
            b't' => 0x09,
            b'n' => 0x0a,
            b'v' => 0x0b,
            b'f' => 0x0c,
            b'r' => 0x0d,
            b'u' | b'U' if prefix.is_bytes => {
                self.text.push(b'\\')?;
                byte
            }
            b'x' => return self.hex_escape(2, prefix),
            b'u' => return self.hex_escape(4, prefix),
            b'U' => return self.hex_escape(8, prefix),
            b'N' => {
                return Err(Failure::at(0, Fault::NamedEscape));
            }
            b'0'..=b'7' => return self.octal_escape(prefix),
            _ => {
                self.text.push(b'\\')?;
                return Ok(None);
            }
        };
        self.text.push(simple)?;
        self.next();
        Ok(None)
    }

    fn hex_escape(&mut self, digits: u32, prefix: Prefix) -> Result<Option<Token>, Failure> {
        self.next();
        let mut code = 0u32;
        for _ in 0..digits {
            let Some(digit) = char::from(self.peek(0)).to_digit(16) else {
                return Ok(Some(Token::Invalid));
            };
            code = code << 4 | digit;
            self.next();
        }
        push_code(&mut self.text, code, prefix)
    }

    fn octal_escape(&mut self, prefix: Prefix) -> Result<Option<Token>, Failure> {
        let mut code = 0u32;
        for _ in 0..3 {
            let Some(digit) = char::from(self.peek(0)).to_digit(8) else { break };
            code = code * 8 + digit;
            self.next();
        }
        push_code(&mut self.text, code, prefix)
    }
}

/// Appends a byte of a bytes literal or a character of a string. A lone surrogate, which UTF-8 cannot express, becomes
/// U+FFFD.
fn push_code(text: &mut Buffer<u8>, code: u32, prefix: Prefix) -> Result<Option<Token>, Failure> {
    if prefix.is_bytes {
        let Ok(byte) = u8::try_from(code) else { return Ok(Some(Token::Invalid)) };
        text.push(byte)?;
    } else if code < 0x11_0000 {
        let char = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        text.extend(char.encode_utf8(&mut [0; 4]).as_bytes())?;
    } else {
        return Ok(Some(Token::Invalid));
    }
    Ok(None)
}
