//! Statements.

use super::expression::starts_expression;
use super::{Parsed, Parser, cost};
use crate::ast::{Kind, Ref};
use crate::error::Failure;
use crate::token::Token;
use larch_bytecode::code::Singleton;
use larch_bytecode::qstr::Qstr;

impl Parser<'_, '_> {
    /// A compound statement, or a line of simple ones.
    pub(super) fn statement(&mut self) -> Parsed {
        self.enter(cost::STATEMENT)?;
        let statement = match self.token() {
            Token::KwIf => self.if_statement(),
            Token::KwWhile => self.while_statement(),
            Token::KwFor => self.for_statement(0),
            Token::KwTry => self.try_statement(),
            Token::KwWith => self.with_statement(0),
            Token::KwDef => self.definition(0),
            Token::KwClass => self.class(),
            Token::At => self.decorated(),
            Token::KwAsync => self.async_statement(),
            _ => self.simple_statements(),
        }?;
        self.exit(cost::STATEMENT);
        Ok(statement)
    }

    fn async_statement(&mut self) -> Parsed {
        self.lexer.advance()?;
        match self.token() {
            Token::KwDef => self.definition(1),
            Token::KwFor => self.for_statement(1),
            Token::KwWith => self.with_statement(1),
            _ => self.unexpected(),
        }
    }

    /// `: block` or `: simple statements`.
    fn suite(&mut self) -> Parsed {
        self.expect(Token::Colon)?;
        if !self.accept(Token::Newline)? {
            return self.simple_statements();
        }
        let line = self.token_line();
        self.expect(Token::Indent)?;
        let start = self.scratch.len();
        while self.token() != Token::Dedent {
            let statement = self.statement()?;
            self.scratch.push(statement.0)?;
        }
        self.lexer.advance()?;
        if self.scratch.len() == start + 1 {
            return Ok(self.scratch.pop().map_or(Ref::NOTHING, Ref));
        }
        self.list(Kind::Block, line, start)
    }

    // ---- simple statements ----

    fn simple_statements(&mut self) -> Parsed {
        let line = self.token_line();
        let first = self.small_statement()?;
        if self.accept(Token::Newline)? {
            return Ok(first);
        }
        let start = self.scratch.len();
        self.scratch.push(first.0)?;
        while self.accept(Token::Semicolon)? && self.token() != Token::Newline {
            let next = self.small_statement()?;
            self.scratch.push(next.0)?;
        }
        self.expect(Token::Newline)?;
        self.list(Kind::Block, line, start)
    }

    fn small_statement(&mut self) -> Parsed {
        let line = self.token_line();
        match self.token() {
            Token::KwDel => self.del_statement(),
            Token::KwPass => self.bare(Kind::Pass),
            Token::KwBreak => self.bare(Kind::Break),
            Token::KwContinue => self.bare(Kind::Continue),
            Token::KwReturn => {
                self.lexer.advance()?;
                let value = self.optional(Self::test_list)?;
                self.ast.add(Kind::Return, 0, line, &[value.0])
            }
            Token::KwRaise => self.raise_statement(),
            Token::KwGlobal => self.names(Kind::Global),
            Token::KwNonlocal => self.names(Kind::Nonlocal),
            Token::KwAssert => self.assert_statement(),
            Token::KwImport => self.import_statement(),
            Token::KwFrom => self.import_from(),
            Token::KwYield => {
                let value = self.yield_expression()?;
                self.ast.add(Kind::Expr, 0, line, &[value.0])
            }
            _ => self.expression_statement(),
        }
    }

    fn bare(&mut self, kind: Kind) -> Parsed {
        let line = self.token_line();
        self.lexer.advance()?;
        self.ast.add(kind, 0, line, &[])
    }

    /// What `parse` reads, if an expression begins here.
    fn optional(&mut self, parse: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if starts_expression(self.token()) { parse(self) } else { Ok(Ref::NOTHING) }
    }

    fn expression_statement(&mut self) -> Parsed {
        let line = self.token_line();
        let is_private = self.token() == Token::Name && self.lexer.name().starts_with('_');
        let target = self.star_test_list()?;
        let token = self.token();
        if token == Token::Assign {
            return self.assignment(target, line, is_private);
        }
        if token == Token::Colon {
            return self.annotated(target, line, is_private);
        }
        if token as u8 >= Token::PlusAssign as u8 && token as u8 <= Token::ShrAssign as u8 {
            let operator = token as u8 - Token::PlusAssign as u8;
            self.lexer.advance()?;
            let value = self.right_side()?;
            return self.ast.add(Kind::AugAssign, operator, line, &[target.0, value.0]);
        }
        self.ast.add(Kind::Expr, 0, line, &[target.0])
    }

    fn right_side(&mut self) -> Parsed {
        if self.token() == Token::KwYield { self.yield_expression() } else { self.star_test_list() }
    }

    fn assignment(&mut self, target: Ref, line: u32, is_private: bool) -> Parsed {
        let start = self.scratch.len();
        self.scratch.push(target.0)?;
        self.folds_tuples = self.ast.kind_of(target) != Some(Kind::Tuple);
        while self.accept(Token::Assign)? {
            let value = self.right_side()?;
            self.scratch.push(value.0)?;
        }
        self.folds_tuples = true;
        if let ([_, value], Some(name)) = (&self.scratch[start..], target.as_name()) {
            let (value, is_const) = self.fold_const(name, Ref(*value))?;
            if is_const && is_private {
                self.scratch.truncate(start);
                return self.ast.add(Kind::Pass, 0, line, &[]);
            }
            self.scratch[start + 1] = value.0;
        }
        self.list(Kind::Assign, line, start)
    }

    /// `target: annotation [= value]`; annotations are parsed and forgotten.
    fn annotated(&mut self, target: Ref, line: u32, is_private: bool) -> Parsed {
        self.lexer.advance()?;
        let mark = self.ast.mark();
        self.test()?;
        self.ast.rewind(mark);
        if self.token() == Token::Assign {
            self.lexer.advance()?;
            let value = self.right_side()?;
            let (value, is_const) = match target.as_name() {
                Some(name) => self.fold_const(name, value)?,
                None => (value, false),
            };
            if is_const && is_private {
                return self.ast.add(Kind::Pass, 0, line, &[]);
            }
            let start = self.scratch.len();
            self.scratch.extend(&[target.0, value.0])?;
            return self.list(Kind::Assign, line, start);
        }
        self.ast.add(Kind::Declare, 0, line, &[target.0])
    }

    fn del_statement(&mut self) -> Parsed {
        let line = self.token_line();
        self.lexer.advance()?;
        let start = self.scratch.len();
        let targets = self.target_list()?;
        self.scratch.push(targets.0)?;
        self.list(Kind::Del, line, start)
    }

    fn raise_statement(&mut self) -> Parsed {
        let line = self.token_line();
        self.lexer.advance()?;
        let exception = self.optional(Self::test)?;
        let mut cause = Ref::NOTHING;
        if !exception.is_nothing() && self.accept(Token::KwFrom)? {
            cause = self.test()?;
        }
        self.ast.add(Kind::Raise, 0, line, &[exception.0, cause.0])
    }

    /// `global` or `nonlocal` and its names.
    fn names(&mut self, kind: Kind) -> Parsed {
        let line = self.token_line();
        let start = self.scratch.len();
        loop {
            self.lexer.advance()?;
            let name = self.name()?;
            self.scratch.push(name.0.into())?;
            if self.token() != Token::Comma {
                return self.list(kind, line, start);
            }
        }
    }

    fn assert_statement(&mut self) -> Parsed {
        let line = self.token_line();
        self.lexer.advance()?;
        let condition = self.test()?;
        let message = if self.accept(Token::Comma)? { self.test()? } else { Ref::NOTHING };
        self.ast.add(Kind::Assert, 0, line, &[condition.0, message.0])
    }

    // ---- imports ----

    fn import_statement(&mut self) -> Parsed {
        let line = self.token_line();
        self.lexer.advance()?;
        let block = self.scratch.len();
        loop {
            let import = self.import_name()?;
            self.scratch.push(import.0)?;
            if !self.accept(Token::Comma)? {
                break;
            }
        }
        if self.scratch.len() == block + 1 {
            return Ok(self.scratch.pop().map_or(Ref::NOTHING, Ref));
        }
        self.list(Kind::Block, line, block)
    }

    /// `a.b.c [as d]`
    fn import_name(&mut self) -> Parsed {
        let line = self.token_line();
        let start = self.scratch.len();
        self.scratch.extend(&[0, u32::MAX])?;
        let whole = self.dotted_name(true)?;
        self.scratch[start] = whole.0.into();
        if self.accept(Token::KwAs)? {
            let name = self.name()?;
            self.scratch[start + 1] = name.0.into();
        }
        self.list(Kind::Import, line, start)
    }

    /// A dotted name as one; its parts go to `scratch` if `wanted`.
    fn dotted_name(&mut self, wanted: bool) -> Result<Qstr, Failure> {
        let mut text = crate::buffer::Buffer::new();
        loop {
            let part_text = self.lexer.name();
            let part = self.name()?;
            text.extend(part_text.as_bytes())?;
            if wanted {
                self.scratch.push(part.0.into())?;
            }
            if self.token() != Token::Period {
                let Ok(text) = core::str::from_utf8(&text) else { return self.unexpected() };
                return Ok(self.backend.qstr(text)?);
            }
            self.lexer.advance()?;
            text.push(b'.')?;
        }
    }

    fn import_from(&mut self) -> Parsed {
        let line = self.token_line();
        self.lexer.advance()?;
        let mut level = 0u32;
        loop {
            level += match self.token() {
                Token::Period => 1,
                Token::Ellipsis => 3,
                _ => break,
            };
            self.lexer.advance()?;
        }
        let module = match self.token() {
            Token::KwImport if level > 0 => Qstr::EMPTY,
            _ => self.dotted_name(false)?,
        };
        self.expect(Token::KwImport)?;
        let start = self.scratch.len();
        self.scratch.extend(&[module.0.into(), level])?;
        if !self.accept(Token::Star)? {
            let closed = self.accept(Token::ParenOpen)?;
            self.imported_names(closed)?;
        }
        self.list(Kind::ImportFrom, line, start)
    }

    /// `a [as b], …`, with a closing parenthesis if `closed`.
    fn imported_names(&mut self, closed: bool) -> Result<(), Failure> {
        loop {
            let name = self.name()?;
            let bound = if self.accept(Token::KwAs)? { self.name()? } else { name };
            self.scratch.extend(&[name.0.into(), bound.0.into()])?;
            if !self.accept(Token::Comma)? || self.token() != Token::Name {
                break;
            }
        }
        if closed { self.expect(Token::ParenClose) } else { Ok(()) }
    }

    // ---- compound statements ----

    fn if_statement(&mut self) -> Parsed {
        let line = self.token_line();
        let start = self.scratch.len();
        while matches!(self.token(), Token::KwIf | Token::KwElif) {
            if self.scratch.len() > start && self.token() == Token::KwIf {
                break;
            }
            self.lexer.advance()?;
            let condition = self.named_test()?;
            let block = self.suite()?;
            self.scratch.extend(&[condition.0, block.0])?;
        }
        let other = self.else_block()?;
        self.scratch.push(other.0)?;
        self.list(Kind::If, line, start)
    }

    fn else_block(&mut self) -> Parsed {
        if self.accept(Token::KwElse)? { self.suite() } else { Ok(Ref::NOTHING) }
    }

    fn while_statement(&mut self) -> Parsed {
        let line = self.token_line();
        self.lexer.advance()?;
        let condition = self.named_test()?;
        let block = self.suite()?;
        let other = self.else_block()?;
        self.ast.add(Kind::While, 0, line, &[condition.0, block.0, other.0])
    }

    fn for_statement(&mut self, is_async: u8) -> Parsed {
        let line = self.token_line();
        self.lexer.advance()?;
        let target = self.target_list()?;
        self.expect(Token::KwIn)?;
        let source = self.test_list()?;
        let block = self.suite()?;
        let other = self.else_block()?;
        self.ast.add(Kind::For, is_async, line, &[target.0, source.0, block.0, other.0])
    }

    fn try_statement(&mut self) -> Parsed {
        let line = self.token_line();
        self.lexer.advance()?;
        let start = self.scratch.len();
        let nothing = Ref::NOTHING.0;
        self.scratch.extend(&[nothing, nothing, nothing])?;
        self.scratch[start] = self.suite()?.0;
        while self.token() == Token::KwExcept {
            let clause = self.except_clause()?;
            self.scratch.push(clause.0)?;
        }
        let has_handlers = self.scratch.len() > start + 3;
        if has_handlers {
            self.scratch[start + 1] = self.else_block()?.0;
        }
        if self.accept(Token::KwFinally)? {
            self.scratch[start + 2] = self.suite()?.0;
        } else if !has_handlers {
            return self.unexpected();
        }
        self.list(Kind::Try, line, start)
    }

    fn except_clause(&mut self) -> Parsed {
        let line = self.token_line();
        self.lexer.advance()?;
        let (mut class, mut name) = (Ref::NOTHING, Ref::NOTHING);
        if self.token() != Token::Colon {
            class = self.test()?;
            if self.accept(Token::KwAs)? {
                name = Ref::name(self.name()?);
            }
        }
        let block = self.suite()?;
        self.ast.add(Kind::Except, 0, line, &[class.0, name.0, block.0])
    }

    fn with_statement(&mut self, is_async: u8) -> Parsed {
        let line = self.token_line();
        self.lexer.advance()?;
        let start = self.scratch.len();
        self.scratch.push(0)?;
        loop {
            let context = self.test()?;
            let mut target = Ref::NOTHING;
            if self.accept(Token::KwAs)? {
                target = self.expression(super::expression::level::BIT_OR)?;
            }
            self.scratch.extend(&[context.0, target.0])?;
            if !self.accept(Token::Comma)? {
                break;
            }
        }
        self.scratch[start] = self.suite()?.0;
        self.ast.add_list(Kind::With, is_async, line, &mut self.scratch, start)
    }

    fn definition(&mut self, is_async: u8) -> Parsed {
        let line = self.token_line();
        self.lexer.advance()?;
        let name = self.name()?;
        self.expect(Token::ParenOpen)?;
        let parameters = self.parameters(Token::ParenClose, true)?;
        self.expect(Token::ParenClose)?;
        let mut returns = Ref::NOTHING;
        if self.accept(Token::Arrow)? {
            let mark = self.ast.mark();
            let annotation = self.test()?;
            self.ast.rewind(mark);
            returns = annotation.as_name().map_or(Ref::single(Singleton::Ellipsis), Ref::name);
        }
        let block = self.suite()?;
        self.ast.add(Kind::Def, is_async, line, &[name.0.into(), parameters.0, block.0, 0, returns.0])
    }

    fn class(&mut self) -> Parsed {
        let line = self.token_line();
        self.lexer.advance()?;
        let name = self.name()?;
        let arguments = if self.token() == Token::ParenOpen { self.call()? } else { Ref::NOTHING };
        let block = self.suite()?;
        self.ast.add(Kind::Class, 0, line, &[name.0.into(), arguments.0, block.0, 0])
    }

    fn decorated(&mut self) -> Parsed {
        let line = self.token_line();
        let start = self.scratch.len();
        self.scratch.push(0)?;
        while self.accept(Token::At)? {
            let decorator = self.decorator()?;
            self.scratch.push(decorator.0)?;
            self.expect(Token::Newline)?;
        }
        let definition = match self.token() {
            Token::KwDef => self.definition(0)?,
            Token::KwClass => self.class()?,
            Token::KwAsync => {
                self.lexer.advance()?;
                if self.token() != Token::KwDef {
                    return self.unexpected();
                }
                self.definition(1)?
            }
            _ => return self.unexpected(),
        };
        self.scratch[start] = definition.0;
        self.list(Kind::Decorated, line, start)
    }

    /// `dotted.name [(arguments)]`
    fn decorator(&mut self) -> Parsed {
        let line = self.token_line();
        let start = self.scratch.len();
        let name = self.name()?;
        self.scratch.push(Ref::name(name).0)?;
        while self.token() == Token::Period {
            let line = self.token_line();
            self.lexer.advance()?;
            let name = self.name()?;
            let attribute = self.ast.add(Kind::Attr, 0, line, &[name.0.into()])?;
            self.scratch.push(attribute.0)?;
        }
        if self.token() == Token::ParenOpen {
            let call = self.call()?;
            self.scratch.push(call.0)?;
        }
        if self.scratch.len() == start + 1 {
            return Ok(self.scratch.pop().map_or(Ref::NOTHING, Ref));
        }
        self.list(Kind::Postfix, line, start)
    }
}
