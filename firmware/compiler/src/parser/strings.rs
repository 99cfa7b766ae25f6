//! String literals, and f-strings as calls of `format`.

use super::{Parsed, Parser, cost};
use crate::ast::{Kind, Made, Ref};
use crate::error::{Failure, Fault};
use crate::token::Token;
use larch_bytecode::qstr::Qstr;

/// Strings up to this length become interned names, as in MicroPython: they are likely used as such elsewhere.
const INTERN_LIMIT: usize = 10;

impl Parser<'_, '_> {
    /// A string or bytes literal, which is consumed.
    pub(super) fn string(&mut self) -> Parsed {
        let line = self.token_line();
        if self.token() == Token::Bytes {
            let object = self.backend.bytes(&self.lexer.text)?;
            self.lexer.advance()?;
            return self.object(object, line);
        }
        let Ok(text) = core::str::from_utf8(&self.lexer.text) else { return self.unexpected() };
        let value = if text.len() <= INTERN_LIMIT {
            Ref::str(self.backend.qstr(text)?)
        } else {
            let object = self.backend.str(text)?;
            self.object(object, line)?
        };
        let value = if self.lexer.is_format { self.format_call(value, line)? } else { value };
        self.lexer.advance()?;
        Ok(value)
    }

    /// `text.format(fields…)`. The string token stays in force.
    fn format_call(&mut self, text: Ref, line: u32) -> Parsed {
        let fields = self.lexer.first_field;
        let attribute = self.ast.add(Kind::Attr, 0, line, &[Qstr::format.0.into()])?;
        let start = self.scratch.len();
        for index in fields..self.lexer.fields.len() {
            let field = self.lexer.fields[index];
            let value = self.field(field)?;
            self.scratch.push(value.0)?;
        }
        self.lexer.fields.truncate(fields);
        let call = self.list(Kind::Call, line, start)?;
        let start = self.scratch.len();
        self.scratch.extend(&[text.0, attribute.0, call.0])?;
        self.list(Kind::Postfix, line, start)
    }

    /// One expression of an f-string.
    fn field(&mut self, range: (u32, u32)) -> Result<Ref, Failure> {
        self.enter(cost::EXPRESSION)?;
        let fields = self.lexer.fields.len();
        let saved = self.lexer.enter(range)?;
        let line = self.token_line();
        let value = if self.token() == Token::KwYield {
            self.yield_expression()?
        } else {
            self.bracketed(Kind::Tuple, Made::Generator, Token::End, line)?
        };
        if self.token() != Token::End {
            return self.unexpected();
        }
        if self.ast.kind_of(value) == Some(Kind::Star) {
            return Err(Failure::at(line, Fault::Star));
        }
        self.lexer.leave(saved);
        self.lexer.fields.truncate(fields);
        self.exit(cost::EXPRESSION);
        Ok(value)
    }
}
