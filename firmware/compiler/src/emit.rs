//! The tree to instructions over registers.
//!
//! A [`Unit`] is a code object in the making. Its registers are parameters, then locals, then a stack of temporaries.
//! An expression is computed *into* a register; where any register will do, that of a local is used as it is. Which
//! locals are surely bound is tracked along all paths, so that [`Op::CheckLocal`] is emitted only elsewhere.
//!
//! Inner functions are compiled where they are met: the lists of all units share buffers, and a unit owns the tails
//! from its bases on.
//!
//! Invariants: unreachable code is not emitted; the tail of temporaries above [`Unit::top`] holds nothing of use; the
//! register of a local is written by the last instruction of an expression only, so that an exception leaves it alone.

mod code;
mod comprehension;
mod condition;
mod context;
mod expression;
mod function;
mod label;
mod loops;
mod postfix;
mod protect;
mod statement;
mod target;
mod variable;
mod viper;

use crate::ast::Ref;
use crate::buffer::Buffer;
use crate::erase::{Const, Maker};
use crate::error::{CompileError, ErrorKind, Failure, Fault, Message};
use crate::parser::{Parser, cost};
use crate::scopes::{self, ScopeId, Scopes};
use crate::{Mode, Options};
use context::{Context, Hole};
use label::Bits;
use larch_bytecode::code::{CodeParts, Flags, Handler};
use larch_bytecode::op::{self, Op};
use larch_bytecode::qstr::Qstr;
use viper::Type;

/// The number of a register.
type Reg = u8;

type Emitted<T = ()> = Result<T, Failure>;

/// A code object in the making.
struct Unit {
    /// The function, class or module.
    scope: ScopeId,
    /// The innermost comprehension being emitted, or `scope`.
    current: ScopeId,
    // Where the unit's part of each list begins.
    words: usize,
    constants: usize,
    names: usize,
    handlers: usize,
    lines: usize,
    contexts: usize,
    /// First register that is no local.
    temporaries: u16,
    /// First free register.
    top: u16,
    /// Registers used.
    most: u16,
    /// Line of what is being emitted.
    line: u32,
    /// Line of the last entry of the line table, and the word it is for.
    written_line: u32,
    written_at: u32,
    first_line: Option<u32>,
    /// Whether control can arrive here.
    reachable: bool,
    /// Locals that are bound here.
    bound: Bits,
    /// Locals that may become unbound again.
    deletable: Bits,
    /// Registers of parameters: they begin bound.
    parameters: u16,
    /// Locals that are checked somewhere: they must start unbound.
    checked: [u32; 8],
    /// A `:=` may change a local in the middle of an expression.
    has_walrus: bool,
    /// [`Emitter::error_line`] of the unit around.
    outer_error_line: u32,
    /// A viper function, and the type of its result.
    is_viper: bool,
    returns: Type,
    /// Where the types of its locals begin.
    types: usize,
}

impl Unit {
    const fn new(scope: ScopeId, line: u32) -> Self {
        Unit {
            scope,
            current: scope,
            words: 0,
            constants: 0,
            names: 0,
            handlers: 0,
            lines: 0,
            contexts: 0,
            temporaries: 0,
            top: 0,
            most: 0,
            line,
            written_line: 0,
            written_at: 0,
            first_line: None,
            reachable: true,
            bound: Bits::NONE,
            deletable: Bits::NONE,
            parameters: 0,
            checked: [0; 8],
            has_walrus: false,
            outer_error_line: 0,
            is_viper: false,
            returns: Type::Object,
            types: 0,
        }
    }
}

/// What a code object is called and how it is called.
#[derive(Clone, Copy)]
struct Signature {
    name: Qstr,
    flags: u8,
    positional: u8,
    keyword_only: u8,
    free: u8,
}

/// The emitter: the lists of the units under way.
struct Emitter<'s, 'b> {
    parser: Parser<'s, 'b>,
    scopes: Scopes,
    file: Qstr,
    mode: Mode,
    words: Buffer<u32>,
    constants: Buffer<Const>,
    /// What each constant was made from, to find it again.
    keys: Buffer<u64>,
    names: Buffer<Qstr>,
    handlers: Buffer<Handler>,
    lines: Buffer<u8>,
    contexts: Buffer<Context>,
    holes: Buffer<Hole>,
    /// The types of the locals of viper functions, by register.
    types: Buffer<Type>,
    unit: Unit,
    /// The type of what was computed last, in a viper function.
    kind: Type,
    /// What a ViperTypeError tells.
    fault_names: [Qstr; 3],
    /// The line of an error in a part of the tree that has none, as MicroPython reports it: that of the innermost
    /// statement that is one of several in its block, or of the function or class.
    error_line: u32,
}

/// Compiles a module, an interactive statement or an expression.
pub(crate) fn module(
    source: &str,
    file: Qstr,
    mode: Mode,
    options: Options,
    backend: &mut dyn Maker,
) -> Result<Const, CompileError> {
    let parser =
        Parser::new(source, options, backend).map_err(|failure| failure.into_error(1, None, (0, 0)))?;
    let mut emitter = Emitter {
        parser,
        scopes: Scopes::new(),
        file,
        mode,
        words: Buffer::new(),
        constants: Buffer::new(),
        keys: Buffer::new(),
        names: Buffer::new(),
        handlers: Buffer::new(),
        lines: Buffer::new(),
        contexts: Buffer::new(),
        holes: Buffer::new(),
        types: Buffer::new(),
        kind: Type::Object,
        fault_names: [Qstr::EMPTY; 3],
        unit: Unit::new(0, 1),
        error_line: 1,
    };
    (emitter.unit.temporaries, emitter.unit.top, emitter.unit.most) = (1, 1, 1);
    match mode {
        Mode::File => emitter.file(),
        Mode::Single => emitter.single(),
        Mode::Eval => emitter.eval(),
    }
}

impl Emitter<'_, '_> {
    /// Statement after statement. The first error of meaning waits for the end of the text: one of grammar wins.
    fn file(mut self) -> Result<Const, CompileError> {
        let mut error = None;
        loop {
            match self.parser.next_statement() {
                Ok(Some(statement)) if error.is_none() => error = self.top_level(statement).err(),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(failure) => return Err(self.parser.error(failure, self.parser.token_line(), None)),
            }
        }
        match error {
            Some(error) => Err(error),
            None => self.end_module(),
        }
    }

    fn single(mut self) -> Result<Const, CompileError> {
        match self.parser.single_statement() {
            Ok(Some(statement)) => self.top_level(statement)?,
            Ok(None) => {}
            Err(failure) => return Err(self.parser.error(failure, self.parser.token_line(), None)),
        }
        self.end_module()
    }

    fn eval(mut self) -> Result<Const, CompileError> {
        let value = match self.parser.only_expression() {
            Ok(value) => value,
            Err(failure) => return Err(self.parser.error(failure, self.parser.token_line(), None)),
        };
        self.analyse(value)?;
        let result = self.operand(value).and_then(|register| self.abc(Op::Return, register, 0, 0));
        self.unit.reachable = false;
        self.blame(result)?;
        self.end_module()
    }

    fn top_level(&mut self, statement: Ref) -> Result<(), CompileError> {
        self.analyse(statement)?;
        let result = self.statement(statement);
        self.blame(result)
    }

    fn analyse(&mut self, tree: Ref) -> Result<(), CompileError> {
        self.error_line = self.parser.ast.line_of(tree).unwrap_or(1);
        let result = scopes::analyse(&mut self.parser.ast, &mut self.scopes, tree);
        result.map_err(|(failure, block)| self.parser.error(failure, self.error_line, Some(block)))?;
        self.unit.has_walrus = self.scopes.scope(0).has_walrus;
        Ok(())
    }

    fn blame<T>(&self, result: Emitted<T>) -> Result<T, CompileError> {
        result.map_err(|failure| {
            let block = self.scopes.scope(self.unit.current).name;
            let mut error = self.parser.error(failure, self.error_line, Some(block));
            if let (ErrorKind::ViperType, Message::Text(text)) = (error.kind, error.message) {
                error.message = Message::Names(text, self.fault_names);
            }
            error
        })
    }

    fn end_module(mut self) -> Result<Const, CompileError> {
        let line = self.error_line;
        let result = self.end_body().and_then(|()| {
            let signature = Signature {
                name: Qstr::MODULE,
                flags: Flags::NAMESPACE,
                positional: 0,
                keyword_only: 0,
                free: 0,
            };
            self.finish(signature, &[])
        });
        result.map_err(|failure| failure.into_error(line, Some(Qstr::MODULE), (0, 0)))
    }

    /// `return None` at the end, if control arrives there.
    fn end_body(&mut self) -> Emitted {
        if self.ends_with_value() {
            self.kind = Type::None;
            let value = self.returned(0)?;
            self.abc(Op::Return, value, 0, 0)?;
        } else {
            self.abc(Op::ReturnNone, 0, 0, 0)?;
        }
        self.unit.reachable = false;
        Ok(())
    }

    /// Begins a unit for `scope`; the result goes back to [`Emitter::end_unit`].
    fn begin_unit(&mut self, scope: ScopeId, line: u32) -> Emitted<Unit> {
        self.parser.enter(cost::BODY)?;
        let outer_error_line = core::mem::replace(&mut self.error_line, line);
        let mut unit = Unit::new(scope, line);
        unit.words = self.words.len();
        unit.constants = self.constants.len();
        unit.names = self.names.len();
        unit.handlers = self.handlers.len();
        unit.lines = self.lines.len();
        unit.contexts = self.contexts.len();
        unit.types = self.types.len();
        unit.outer_error_line = outer_error_line;
        unit.has_walrus = self.scopes.scope(scope).has_walrus;
        Ok(core::mem::replace(&mut self.unit, unit))
    }

    /// Makes the code object of the unit and goes back to the one around it.
    fn end_unit(&mut self, outer: Unit, signature: Signature, parameters: &[Qstr]) -> Emitted<Const> {
        let code = self.finish(signature, parameters)?;
        self.parser.exit(cost::BODY);
        self.words.truncate(self.unit.words);
        self.constants.truncate(self.unit.constants);
        self.keys.truncate(self.unit.constants);
        self.names.truncate(self.unit.names);
        self.handlers.truncate(self.unit.handlers);
        self.lines.truncate(self.unit.lines);
        self.types.truncate(self.unit.types);
        self.error_line = self.unit.outer_error_line;
        self.unit = outer;
        Ok(code)
    }

    fn finish(&mut self, signature: Signature, parameters: &[Qstr]) -> Emitted<Const> {
        self.start_unbound()?;
        let registers = self.unit.most.max(1);
        if usize::from(registers) > op::MAX_REGISTERS {
            return Err(Failure::at(0, Fault::Locals));
        }
        let parts = CodeParts {
            name: signature.name,
            file: self.file,
            flags: Flags(signature.flags),
            registers: registers as u8,
            positional: signature.positional,
            keyword_only: signature.keyword_only,
            free: signature.free,
            parameters,
            names: &self.names[self.unit.names..],
            constants: &self.constants[self.unit.constants..],
            words: &self.words[self.unit.words..],
            handlers: &self.handlers[self.unit.handlers..],
            first_line: self.unit.first_line.unwrap_or(self.unit.line),
            lines: &self.lines[self.unit.lines..],
        };
        if parts.fits() { Ok(self.parser.backend.code(&parts)?) } else { Err(code::TOO_LONG) }
    }
}
