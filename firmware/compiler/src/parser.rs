//! Tokens to the syntax tree, one top-level statement at a time.
//!
//! Recursive descent for statements, precedence climbing for expressions: one native frame per operator level would
//! cost a board its stack. [`Parser::enter`] counts the depth here and in the emitter, in units of native stack. Constants are folded while the tree is built, and names
//! declared with `const` are replaced, as MicroPython does, so that neither exists for the later stages.
//!
//! Source: MicroPython's `py/grammar.h` and `py/parse.c` for what is accepted and where errors point.

mod atom;
mod expression;
mod fold;
mod statement;
mod strings;
#[cfg(test)]
mod tests;

use crate::Options;
use crate::ast::{Ast, Kind, Ref};
use crate::buffer::Buffer;
use crate::erase::{Const, Maker};
use crate::error::{CompileError, Failure, Fault};
use crate::lexer::Lexer;
use crate::token::Token;
use larch_bytecode::qstr::Qstr;

/// What nesting costs, in units of some 64 bytes of native stack: measured on RV32 from the frames of the functions that
/// call each other (`-Z emit-stack-sizes`).
pub(crate) mod cost {
    /// An expression in an expression.
    pub(crate) const EXPRESSION: u16 = 4;
    /// A comprehension, besides.
    pub(crate) const COMPREHENSION: u16 = 6;
    /// A statement in a statement.
    pub(crate) const STATEMENT: u16 = 5;
    /// The body of a function or class, besides.
    pub(crate) const BODY: u16 = 5;
}

/// What a name declared with `const` stands for.
#[derive(Clone, Copy)]
enum Known {
    /// A leaf.
    Leaf(Ref),
    /// An int too long for a leaf.
    Int(i64),
    /// An entry of the table of constants.
    Object(u32),
}

/// The parser's state.
pub(crate) struct Parser<'s, 'b> {
    pub(crate) lexer: Lexer<'s>,
    pub(crate) ast: Ast,
    pub(crate) backend: &'b mut dyn Maker,
    /// Constants that are no leaves, referred to by [`Kind::Object`].
    pub(crate) objects: Buffer<Const>,
    /// Lists under construction.
    scratch: Buffer<u32>,
    known: Buffer<(Qstr, Known)>,
    /// How many of `objects` outlive the statement: those that `const` names stand for.
    kept_objects: usize,
    depth: u16,
    /// Constant tuples become constants: not where their items are assigned one by one.
    folds_tuples: bool,
    pub(crate) options: Options,
}

type Parsed = Result<Ref, Failure>;

impl<'s, 'b> Parser<'s, 'b> {
    pub(crate) fn new(
        source: &'s str,
        options: Options,
        backend: &'b mut dyn Maker,
    ) -> Result<Self, Failure> {
        Ok(Parser {
            lexer: Lexer::new(source)?,
            ast: Ast::new(),
            backend,
            objects: Buffer::new(),
            scratch: Buffer::new(),
            known: Buffer::new(),
            kept_objects: 0,
            depth: 0,
            folds_tuples: true,
            options,
        })
    }

    /// The next top-level statement of a file; none at its end.
    pub(crate) fn next_statement(&mut self) -> Result<Option<Ref>, Failure> {
        self.restart();
        while self.lexer.now.token == Token::Newline {
            self.lexer.advance()?;
        }
        self.ast.restart(self.token_line());
        match self.lexer.now.token {
            Token::End => Ok(None),
            _ => self.statement().map(Some),
        }
    }

    /// The one statement of an interactive input; none if there is only an empty line.
    pub(crate) fn single_statement(&mut self) -> Result<Option<Ref>, Failure> {
        self.ast.restart(self.token_line());
        let statement = if self.accept(Token::Newline)? { None } else { Some(self.statement()?) };
        self.expect(Token::End)?;
        Ok(statement)
    }

    /// The expression that is all of the text.
    pub(crate) fn only_expression(&mut self) -> Parsed {
        self.ast.restart(self.token_line());
        let value = self.test_list()?;
        self.accept(Token::Newline)?;
        self.expect(Token::End)?;
        Ok(value)
    }

    /// Forgets the statement before.
    fn restart(&mut self) {
        self.scratch.clear();
        self.objects.truncate(self.kept_objects);
        self.depth = 0;
        self.folds_tuples = true;
    }

    // ---- helpers ----

    pub(crate) fn token_line(&self) -> u32 {
        self.lexer.now.token_line
    }

    fn token(&self) -> Token {
        self.lexer.now.token
    }

    /// The error of the token in force.
    fn unexpected<T>(&self) -> Result<T, Failure> {
        let fault = match self.token() {
            Token::Indent => Fault::Indent,
            Token::DedentMismatch => Fault::Dedent,
            Token::MalformedFString => Fault::FString,
            _ => Fault::Syntax,
        };
        Err(Failure::at(self.token_line(), fault))
    }

    /// The error that a failure is.
    pub(crate) fn error(&self, failure: Failure, line: u32, block: Option<Qstr>) -> CompileError {
        failure.into_error(line, block, (self.lexer.now.start, self.lexer.now.stop))
    }

    /// Consumes the token if it is in force.
    fn accept(&mut self, token: Token) -> Result<bool, Failure> {
        let is_it = self.token() == token;
        if is_it {
            self.lexer.advance()?;
        }
        Ok(is_it)
    }

    fn expect(&mut self, token: Token) -> Result<(), Failure> {
        if self.accept(token)? { Ok(()) } else { self.unexpected() }
    }

    /// A name, which is consumed.
    fn name(&mut self) -> Result<Qstr, Failure> {
        if self.token() != Token::Name {
            return self.unexpected();
        }
        let name = self.backend.qstr(self.lexer.name())?;
        self.lexer.advance()?;
        Ok(name)
    }

    /// Counts nesting that takes `cost` units of native stack, until [`Parser::exit`].
    pub(crate) fn enter(&mut self, cost: u16) -> Result<(), Failure> {
        self.depth += cost;
        if self.depth > self.options.depth { Err(Failure::RECURSION) } else { Ok(()) }
    }

    pub(crate) fn exit(&mut self, cost: u16) {
        self.depth -= cost;
    }

    /// A list node of what stands in `scratch` from `start` on.
    fn list(&mut self, kind: Kind, line: u32, start: usize) -> Parsed {
        self.ast.add_list(kind, 0, line, &mut self.scratch, start)
    }
}
