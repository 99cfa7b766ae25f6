//! The built-in exceptions. An exception is a cell of type, arguments (a tuple) and traceback.

use larch_bytecode::qstr::Qstr;

use super::ids;
use crate::native::{TypeDef, TypeId};

macro_rules! exceptions {
    ($($(#[$doc:meta])* $constant:ident $name:ident $base:expr;)*) => {$(
        $(#[$doc])*
        pub static $constant: TypeDef = TypeDef { base: $base, ..exception(Qstr::$name) };
    )*};
}

const fn exception(name: Qstr) -> TypeDef {
    TypeDef::new(name)
}

const fn under(base: TypeId) -> Option<TypeId> {
    Some(base)
}

exceptions! {
    /// `BaseException`
    BASEEXCEPTION BaseException None;
    /// `Exception`
    EXCEPTION Exception under(ids::BaseException);
    /// `SystemExit`
    SYSTEMEXIT SystemExit under(ids::BaseException);
    /// `KeyboardInterrupt`
    KEYBOARDINTERRUPT KeyboardInterrupt under(ids::BaseException);
    /// `GeneratorExit`
    GENERATOREXIT GeneratorExit under(ids::BaseException);
    /// `StopIteration`
    STOPITERATION StopIteration under(ids::Exception);
    /// `StopAsyncIteration`
    STOPASYNCITERATION StopAsyncIteration under(ids::Exception);
    /// `ArithmeticError`
    ARITHMETICERROR ArithmeticError under(ids::Exception);
    /// `OverflowError`
    OVERFLOWERROR OverflowError under(ids::ArithmeticError);
    /// `ZeroDivisionError`
    ZERODIVISIONERROR ZeroDivisionError under(ids::ArithmeticError);
    /// `AssertionError`
    ASSERTIONERROR AssertionError under(ids::Exception);
    /// `AttributeError`
    ATTRIBUTEERROR AttributeError under(ids::Exception);
    /// `EOFError`
    EOFERROR EOFError under(ids::Exception);
    /// `ImportError`
    IMPORTERROR ImportError under(ids::Exception);
    /// `LookupError`
    LOOKUPERROR LookupError under(ids::Exception);
    /// `IndexError`
    INDEXERROR IndexError under(ids::LookupError);
    /// `KeyError`
    KEYERROR KeyError under(ids::LookupError);
    /// `MemoryError`
    MEMORYERROR MemoryError under(ids::Exception);
    /// `NameError`
    NAMEERROR NameError under(ids::Exception);
    /// `OSError`
    OSERROR OSError under(ids::Exception);
    /// `RuntimeError`
    RUNTIMEERROR RuntimeError under(ids::Exception);
    /// `NotImplementedError`
    NOTIMPLEMENTEDERROR NotImplementedError under(ids::RuntimeError);
    /// `SyntaxError`
    SYNTAXERROR SyntaxError under(ids::Exception);
    /// `IndentationError`
    INDENTATIONERROR IndentationError under(ids::SyntaxError);
    /// `TypeError`
    TYPEERROR TypeError under(ids::Exception);
    /// `ValueError`
    VALUEERROR ValueError under(ids::Exception);
    /// `UnicodeError`
    UNICODEERROR UnicodeError under(ids::ValueError);
    /// `ViperTypeError`
    VIPERTYPEERROR ViperTypeError under(ids::TypeError);
}
