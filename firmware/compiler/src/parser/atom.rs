//! Atoms and what follows them: calls, subscripts, attributes.

use super::expression::starts_expression;
use super::{Known, Parsed, Parser};
use crate::ast::{Kind, Made, Ref};
use crate::error::{Failure, Fault};
use crate::token::Token;
use larch_bytecode::code::Singleton;

impl Parser<'_, '_> {
    /// `[await] atom trailer*`
    pub(super) fn postfix(&mut self) -> Parsed {
        let line = self.token_line();
        let awaits = self.accept(Token::KwAwait)?;
        let atom_line = self.token_line();
        let atom = self.atom()?;
        let value = self.trailers(atom, atom_line)?;
        if awaits { self.ast.add(Kind::Await, 0, line, &[value.0]) } else { Ok(value) }
    }

    fn trailers(&mut self, atom: Ref, line: u32) -> Parsed {
        let start = self.scratch.len();
        self.scratch.push(atom.0)?;
        loop {
            let trailer_line = self.token_line();
            let trailer = match self.token() {
                Token::ParenOpen => self.call()?,
                Token::BracketOpen => {
                    self.lexer.advance()?;
                    let index = self.subscripts()?;
                    self.expect(Token::BracketClose)?;
                    self.ast.add(Kind::Index, 0, trailer_line, &[index.0])?
                }
                Token::Period => {
                    self.lexer.advance()?;
                    let name = self.name()?;
                    self.ast.add(Kind::Attr, 0, trailer_line, &[name.0.into()])?
                }
                _ => break,
            };
            self.scratch.push(trailer.0)?;
        }
        if self.scratch.len() == start + 1 {
            self.scratch.truncate(start);
            return Ok(atom);
        }
        self.list(Kind::Postfix, line, start)
    }

    /// `(arguments)`
    pub(super) fn call(&mut self) -> Parsed {
        let line = self.token_line();
        self.expect(Token::ParenOpen)?;
        let start = self.scratch.len();
        while self.token() != Token::ParenClose {
            let argument = self.argument()?;
            self.scratch.push(argument.0)?;
            if !self.accept(Token::Comma)? {
                break;
            }
        }
        self.expect(Token::ParenClose)?;
        self.list(Kind::Call, line, start)
    }

    fn argument(&mut self) -> Parsed {
        let line = self.token_line();
        let star = match self.token() {
            Token::Star => Kind::Star,
            Token::DoubleStar => Kind::DoubleStar,
            _ => Kind::Keyword,
        };
        if star != Kind::Keyword {
            self.lexer.advance()?;
            let value = self.test()?;
            return self.ast.add(star, 0, line, &[value.0]);
        }
        let value = self.test()?;
        match self.token() {
            Token::KwFor => self.comprehension(Made::Generator, value, Ref::NOTHING, line),
            Token::Assign | Token::Walrus => {
                let kind = if self.token() == Token::Assign { Kind::Keyword } else { Kind::Named };
                self.lexer.advance()?;
                let right = self.test()?;
                self.ast.add(kind, 0, line, &[value.0, right.0])
            }
            _ => Ok(value),
        }
    }

    /// One subscript, or a tuple of several.
    fn subscripts(&mut self) -> Parsed {
        let line = self.token_line();
        let first = self.subscript()?;
        if self.token() != Token::Comma {
            return Ok(first);
        }
        let start = self.scratch.len();
        self.scratch.push(first.0)?;
        while self.accept(Token::Comma)? && self.token() != Token::BracketClose {
            let next = self.subscript()?;
            self.scratch.push(next.0)?;
        }
        self.fold_tuple(line, start)
    }

    fn subscript(&mut self) -> Parsed {
        let line = self.token_line();
        let mut parts = [Ref::NOTHING.0; 3];
        if self.token() != Token::Colon {
            let value = self.test()?;
            if self.token() != Token::Colon {
                return Ok(value);
            }
            parts[0] = value.0;
        }
        for part in &mut parts[1..] {
            if !self.accept(Token::Colon)? {
                break;
            }
            if starts_expression(self.token()) {
                *part = self.test()?.0;
            }
        }
        self.ast.add(Kind::Slice, 0, line, &parts)
    }

    fn atom(&mut self) -> Parsed {
        let line = self.token_line();
        let value = match self.token() {
            Token::Name => return self.name_or_constant(),
            Token::Integer => self.integer()?,
            Token::Float | Token::Imaginary => self.float()?,
            Token::Str | Token::Bytes => return self.string(),
            Token::Ellipsis => Ref::single(Singleton::Ellipsis),
            Token::KwNone => Ref::single(Singleton::None),
            Token::KwTrue => Ref::single(Singleton::True),
            Token::KwFalse => Ref::single(Singleton::False),
            Token::KwDebug if self.options.level == 0 => Ref::single(Singleton::True),
            Token::KwDebug => Ref::single(Singleton::False),
            Token::ParenOpen => {
                self.lexer.advance()?;
                if self.token() == Token::KwYield {
                    let value = self.yield_expression()?;
                    self.expect(Token::ParenClose)?;
                    return Ok(value);
                }
                return self.bracketed(Kind::Tuple, Made::Generator, Token::ParenClose, line);
            }
            Token::BracketOpen => {
                self.lexer.advance()?;
                return self.bracketed(Kind::List, Made::List, Token::BracketClose, line);
            }
            Token::BraceOpen => return self.braces(),
            _ => return self.unexpected(),
        };
        self.lexer.advance()?;
        Ok(value)
    }

    fn name_or_constant(&mut self) -> Parsed {
        let line = self.token_line();
        let name = self.name()?;
        let known = self.known.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| *value);
        match known {
            None => Ok(Ref::name(name)),
            Some(Known::Leaf(leaf)) => Ok(leaf),
            Some(Known::Int(value)) => self.int(value, line),
            Some(Known::Object(index)) => self.ast.add(Kind::Object, 0, line, &[index]),
        }
    }

    /// A dict, a set, or a comprehension of one.
    fn braces(&mut self) -> Parsed {
        let line = self.token_line();
        self.lexer.advance()?;
        let start = self.scratch.len();
        if self.accept(Token::BraceClose)? {
            return self.list(Kind::Dict, line, start);
        }
        let (key, value) = self.brace_item()?;
        if self.token() == Token::KwFor {
            let made = if value.is_nothing() { Made::Set } else { Made::Dict };
            let result = self.comprehension(made, key, value, line)?;
            self.expect(Token::BraceClose)?;
            return Ok(result);
        }
        self.scratch.push(key.0)?;
        if !value.is_nothing() {
            self.scratch.push(value.0)?;
        }
        let mut mixed = None;
        while self.accept(Token::Comma)? && self.token() != Token::BraceClose {
            let (next, next_value) = self.brace_item()?;
            self.scratch.push(next.0)?;
            if next_value.is_nothing() != value.is_nothing() {
                mixed = Some(line);
            } else if !value.is_nothing() {
                self.scratch.push(next_value.0)?;
            }
        }
        self.expect(Token::BraceClose)?;
        let kind = if value.is_nothing() { Kind::Set } else { Kind::Dict };
        let node = self.list(kind, line, start)?;
        if let (Some(_), Some(node)) = (mixed, node.node()) {
            self.ast.set_detail(node, 1);
        }
        Ok(node)
    }

    fn brace_item(&mut self) -> Result<(Ref, Ref), Failure> {
        let key = self.test()?;
        let value = if self.accept(Token::Colon)? { self.test()? } else { Ref::NOTHING };
        Ok((key, value))
    }

    // ---- numbers ----

    fn integer(&mut self) -> Parsed {
        let line = self.token_line();
        let (radix, digits) = match self.lexer.text.get(..2).map(|text| [text[0], text[1] | 0x20]) {
            Some([b'0', b'x']) => (16, 2),
            Some([b'0', b'o']) => (8, 2),
            Some([b'0', b'b']) => (2, 2),
            _ => (10, 0),
        };
        let text = &self.lexer.text[digits..];
        let mut value = Some(0i64);
        let mut is_valid = !text.is_empty();
        for byte in text {
            match char::from(*byte).to_digit(radix) {
                Some(digit) => {
                    let next = value.and_then(|value| value.checked_mul(radix.into()));
                    value = next.and_then(|value| value.checked_add(digit.into()));
                }
                None => is_valid = false,
            }
        }
        let has_leading_zero = digits == 0 && text.len() > 1 && text[0] == b'0';
        if !is_valid || (has_leading_zero && text.iter().any(|byte| *byte != b'0')) {
            return Err(self.bad_integer(if has_leading_zero { 0 } else { radix }));
        }
        match value {
            Some(value) => self.int(value, line),
            None => {
                let digits = core::str::from_utf8(text).unwrap_or("0");
                let object = self.backend.int(digits, radix)?;
                self.number(object)
            }
        }
    }

    fn bad_integer(&self, radix: u32) -> Failure {
        let fault = match radix {
            0 => Fault::Integer0,
            2 => Fault::Integer2,
            8 => Fault::Integer8,
            16 => Fault::Integer16,
            _ => Fault::Integer10,
        };
        Failure::at(self.token_line(), fault)
    }

    fn float(&mut self) -> Parsed {
        let text = core::str::from_utf8(&self.lexer.text).unwrap_or("0");
        let object = match self.token() {
            Token::Float => self.backend.float(text)?,
            _ => {
                let object = self.backend.imaginary(text)?;
                return self.object(object, self.token_line());
            }
        };
        self.number(object)
    }
}
