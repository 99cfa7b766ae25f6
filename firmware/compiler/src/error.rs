//! What can go wrong, in MicroPython's words.

use core::fmt;
use core::num::NonZeroU32;
use larch_bytecode::code::OutOfMemory;
use larch_bytecode::qstr::Qstr;

/// The Python exception that a compile error becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// `SyntaxError`
    Syntax,
    /// `IndentationError`
    Indentation,
    /// `ViperTypeError`
    ViperType,
    /// `NotImplementedError`
    NotImplemented,
    /// `RuntimeError`: nested too deeply, or too much for one code object
    Limit,
    /// `MemoryError`
    Memory,
}

/// The text of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// The whole text.
    Text(&'static str),
    /// `invalid syntax for integer with base …: '…'`; the literal stands at these bytes of the source.
    Integer {
        /// 0 for a literal with a leading zero, else the radix.
        radix: u8,
        /// First byte of the digits.
        start: u32,
        /// The byte after them.
        end: u32,
    },
    /// A text whose `%` stand for names.
    Names(&'static str, [Qstr; 3]),
}

/// Why a source text was not compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileError {
    /// The exception to raise.
    pub kind: ErrorKind,
    /// Line of the error, 1 based; 0 if the exception has no traceback.
    pub line: u32,
    /// The function, class or `<module>` of a traceback's third column; none for errors of the grammar.
    pub block: Option<Qstr>,
    /// What the exception says.
    pub message: Message,
}

impl CompileError {
    /// Writes the exception's text. `source` is the text that was compiled, `name` gives the text of a name.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_message<'a>(
        &self,
        source: &str,
        name: impl Fn(Qstr) -> &'a str,
        out: &mut dyn fmt::Write,
    ) -> fmt::Result {
        match self.message {
            Message::Text(text) => out.write_str(text),
            Message::Names(text, names) => {
                let mut names = names.into_iter();
                for (index, part) in text.split('%').enumerate() {
                    if index > 0 {
                        out.write_str(names.next().map_or("", &name))?;
                    }
                    out.write_str(part)?;
                }
                Ok(())
            }
            Message::Integer { radix, start, end } => {
                write!(out, "invalid syntax for integer with base {radix}: '")?;
                let literal = source.get(start as usize..end as usize).unwrap_or("");
                literal.split('_').try_for_each(|part| out.write_str(part))?;
                out.write_str("'")
            }
        }
    }
}

macro_rules! faults {
    ($( $name:ident $kind:ident $text:literal, )*) => {
        /// What is wrong, as a number: results with a [`Failure`] in them stay in registers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Fault { $($name),* }

        /// The exception and the text of each fault.
        const FAULTS: &[(ErrorKind, &str)] = &[$((ErrorKind::$kind, $text)),*];
    };
}

faults! {
    Memory Memory "",
    Recursion Limit "maximum recursion depth exceeded",
    OutsideLoop Syntax "'break'/'continue' outside loop",
    ReturnOutside Syntax "'return' outside function",
    ImportStar Syntax "import * not at module level",
    Decorator Syntax "invalid micropython decorator",
    AsyncOutside Syntax "async for/with outside async function",
    DefaultOrder Syntax "non-default argument follows default argument",
    Syntax Syntax "invalid syntax",
    Locals Syntax "too many locals",
    Arguments Syntax "too many arguments",
    Star Syntax "*x must be assignment target",
    Assign Syntax "can't assign to expression",
    SetItem Syntax "expecting just a value for set",
    DictItem Syntax "expecting key:value for dict",
    YieldOutside Syntax "'yield' outside function",
    AwaitOutside Syntax "'await' outside function",
    AfterKeyword Syntax "positional arg after keyword arg",
    Super Syntax "super() can't find self",
    KeywordName Syntax "LHS of keyword arg must be an id",
    StarAfterDouble Syntax "* arg after **",
    StarAfterKeyword Syntax "* arg after kwarg",
    AfterDoubleStar Syntax "positional arg after **",
    Targets Syntax "too many targets",
    Stars Syntax "multiple *x in assignment",
    Delete Syntax "can't delete expression",
    Code Limit "bytecode overflow",
    Registers Syntax "too many registers",
    Constants Syntax "too many constants",
    Names Syntax "too many names",
    DefaultExcept Syntax "default 'except' must be last",
    NotConstant Syntax "not a constant",
    NonlocalOuter Syntax "can't declare nonlocal in outer code",
    ArgumentReused Syntax "argument name reused",
    NoBinding Syntax "no binding for nonlocal found",
    Captured Syntax "too many captured variables",
    RedefinedGlobal Syntax "identifier redefined as global",
    RedefinedNonlocal Syntax "identifier redefined as nonlocal",
    StarArgs Syntax "too many args",
    Indent Indentation "unexpected indent",
    Dedent Indentation "unindent doesn't match any outer indent level",
    FString Syntax "malformed f-string",
    Number Syntax "invalid syntax for number",
    NamedEscape NotImplemented "unicode name escapes",
    Annotation Syntax "annotation must be an identifier",
    UnknownType ViperType "unknown type '%'",
    TypeUnknown ViperType "local '%' used before type known",
    LocalType ViperType "local '%' has type '%' but source is '%'",
    ToBool ViperType "can't implicitly convert '%' to 'bool'",
    Returned ViperType "return expected '%' but got '%'",
    Operand ViperType "can't do unary op of '%'",
    NotInt ViperType "'not' not implemented",
    Operands ViperType "can't do binary op between '%' and '%'",
    Operation ViperType "binary op % not implemented",
    IntAndUint ViperType "comparison of int and uint",
    UintDivision ViperType "div/mod not implemented for uint",
    Load ViperType "can't load from '%'",
    LoadIndex ViperType "can't load with '%' index",
    Store ViperType "can't store to '%'",
    StoreIndex ViperType "can't store with '%' index",
    StoreValue ViperType "can't store '%'",
    RaiseObject ViperType "must raise an object",
    NativeRaise NotImplemented "native raise",
    NativeYield NotImplemented "native yield",
    ToObject NotImplemented "conversion to object",
    Casting NotImplemented "casting",
    // An integer literal: the rest of the text follows from the token.
    Integer0 Syntax "",
    Integer2 Syntax "",
    Integer8 Syntax "",
    Integer10 Syntax "",
    Integer16 Syntax "",
}

/// A failure inside the compiler, before the block it happened in is known: a fault and a line, 0 if it is that of the
/// statement around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure(NonZeroU32);

const _: () = assert!(size_of::<Result<(), Failure>>() == 4);

impl Failure {
    pub(crate) const MEMORY: Failure = Failure::at(0, Fault::Memory);
    pub(crate) const RECURSION: Failure = Failure::at(0, Fault::Recursion);

    /// A failure at `line`, of which 24 bits are kept.
    pub(crate) const fn at(line: u32, fault: Fault) -> Failure {
        match NonZeroU32::new(line << 8 | (fault as u32 + 1)) {
            Some(word) => Failure(word),
            None => Failure(NonZeroU32::MIN),
        }
    }

    /// The error. `line` is that of the statement; `token` is where the token in force stands.
    pub(crate) fn into_error(self, line: u32, block: Option<Qstr>, token: (u32, u32)) -> CompileError {
        let (fault, own_line) = ((self.0.get() & 0xff) - 1, self.0.get() >> 8);
        let (kind, text) = FAULTS[fault as usize];
        let integer = |radix, prefix| Message::Integer { radix, start: token.0 + prefix, end: token.1 };
        let message = match fault {
            n if n == Fault::Integer0 as u32 => integer(0, 0),
            n if n == Fault::Integer2 as u32 => integer(2, 2),
            n if n == Fault::Integer8 as u32 => integer(8, 2),
            n if n == Fault::Integer10 as u32 => integer(10, 0),
            n if n == Fault::Integer16 as u32 => integer(16, 2),
            _ => Message::Text(text),
        };
        let has_line = own_line != 0 || kind == ErrorKind::NotImplemented;
        CompileError { kind, line: if has_line { own_line } else { line }, block, message }
    }
}

impl From<OutOfMemory> for Failure {
    fn from(_: OutOfMemory) -> Self {
        Failure::MEMORY
    }
}
