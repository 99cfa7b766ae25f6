//! `builtins`: the names every program has.

use larch_bytecode::qstr::Qstr;

use super::{iteration, objects};
use crate::native::{Entry, ModuleDef, Native, Rom};
use crate::types::ids;

/// The module.
pub static BUILTINS: ModuleDef = ModuleDef { name: Qstr::builtins, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::builtins)),
    // types
    (Qstr::object, Rom::Type(ids::object)),
    (Qstr::type_, Rom::Type(ids::type_)),
    (Qstr::bool, Rom::Type(ids::bool)),
    (Qstr::int, Rom::Type(ids::int)),
    (Qstr::float, Rom::Type(ids::float)),
    (Qstr::complex, Rom::Type(ids::complex)),
    (Qstr::str, Rom::Type(ids::str)),
    (Qstr::bytes, Rom::Type(ids::bytes)),
    (Qstr::bytearray, Rom::Type(ids::bytearray)),
    (Qstr::memoryview, Rom::Type(ids::memoryview)),
    (Qstr::list, Rom::Type(ids::list)),
    (Qstr::tuple, Rom::Type(ids::tuple)),
    (Qstr::dict, Rom::Type(ids::dict)),
    (Qstr::set, Rom::Type(ids::set)),
    (Qstr::frozenset, Rom::Type(ids::frozenset)),
    (Qstr::range, Rom::Type(ids::range)),
    (Qstr::slice, Rom::Type(ids::slice)),
    (Qstr::enumerate, Rom::Type(ids::enumerate)),
    (Qstr::filter, Rom::Type(ids::filter)),
    (Qstr::map, Rom::Type(ids::map)),
    (Qstr::reversed, Rom::Type(ids::reversed)),
    (Qstr::zip, Rom::Type(ids::zip)),
    (Qstr::property, Rom::Type(ids::property)),
    (Qstr::staticmethod, Rom::Type(ids::staticmethod)),
    (Qstr::classmethod, Rom::Type(ids::classmethod)),
    (Qstr::super_, Rom::Type(ids::super_)),
    // exceptions
    (Qstr::Ellipsis, Rom::Value(larch_heap::Value::ELLIPSIS)),
    (Qstr::NotImplemented, Rom::Value(larch_heap::Value::NOT_IMPLEMENTED)),
    (Qstr::BaseException, Rom::Type(ids::BaseException)),
    (Qstr::Exception, Rom::Type(ids::Exception)),
    (Qstr::SystemExit, Rom::Type(ids::SystemExit)),
    (Qstr::KeyboardInterrupt, Rom::Type(ids::KeyboardInterrupt)),
    (Qstr::GeneratorExit, Rom::Type(ids::GeneratorExit)),
    (Qstr::StopIteration, Rom::Type(ids::StopIteration)),
    (Qstr::StopAsyncIteration, Rom::Type(ids::StopAsyncIteration)),
    (Qstr::ArithmeticError, Rom::Type(ids::ArithmeticError)),
    (Qstr::OverflowError, Rom::Type(ids::OverflowError)),
    (Qstr::ZeroDivisionError, Rom::Type(ids::ZeroDivisionError)),
    (Qstr::AssertionError, Rom::Type(ids::AssertionError)),
    (Qstr::AttributeError, Rom::Type(ids::AttributeError)),
    (Qstr::EOFError, Rom::Type(ids::EOFError)),
    (Qstr::ImportError, Rom::Type(ids::ImportError)),
    (Qstr::LookupError, Rom::Type(ids::LookupError)),
    (Qstr::IndexError, Rom::Type(ids::IndexError)),
    (Qstr::KeyError, Rom::Type(ids::KeyError)),
    (Qstr::MemoryError, Rom::Type(ids::MemoryError)),
    (Qstr::NameError, Rom::Type(ids::NameError)),
    (Qstr::OSError, Rom::Type(ids::OSError)),
    (Qstr::RuntimeError, Rom::Type(ids::RuntimeError)),
    (Qstr::NotImplementedError, Rom::Type(ids::NotImplementedError)),
    (Qstr::SyntaxError, Rom::Type(ids::SyntaxError)),
    (Qstr::IndentationError, Rom::Type(ids::IndentationError)),
    (Qstr::TypeError, Rom::Type(ids::TypeError)),
    (Qstr::ValueError, Rom::Type(ids::ValueError)),
    (Qstr::UnicodeError, Rom::Type(ids::UnicodeError)),
    (Qstr::ViperTypeError, Rom::Type(ids::ViperTypeError)),
    // objects and attributes
    (Qstr::getattr, Rom::Fn(Native::Var(2, 3, objects::getattr))),
    (Qstr::hasattr, Rom::Fn(Native::F2(objects::hasattr))),
    (Qstr::setattr, Rom::Fn(Native::F3(objects::setattr))),
    (Qstr::delattr, Rom::Fn(Native::F2(objects::delattr))),
    (Qstr::isinstance, Rom::Fn(Native::F2(objects::isinstance))),
    (Qstr::issubclass, Rom::Fn(Native::F2(objects::issubclass))),
    (Qstr::callable, Rom::Fn(Native::F1(objects::callable))),
    (Qstr::dir, Rom::Fn(Native::Var(0, 1, objects::dir))),
    (Qstr::globals, Rom::Fn(Native::F0(objects::globals))),
    (Qstr::locals, Rom::Fn(Native::F0(objects::locals))),
    // numbers
    // text
    // containers and iteration
    (Qstr::all, Rom::Fn(Native::F1(iteration::all))),
    (Qstr::any, Rom::Fn(Native::F1(iteration::any))),
    (Qstr::iter, Rom::Fn(Native::F1(iteration::iter))),
    (Qstr::len, Rom::Fn(Native::F1(iteration::len))),
    (Qstr::max, Rom::Fn(Native::Kw(1, u8::MAX, iteration::max))),
    (Qstr::min, Rom::Fn(Native::Kw(1, u8::MAX, iteration::min))),
    (Qstr::next, Rom::Fn(Native::Var(1, 2, iteration::next))),
    (Qstr::sorted, Rom::Fn(Native::Kw(1, u8::MAX, iteration::sorted))),
    (Qstr::sum, Rom::Fn(Native::Var(1, 2, iteration::sum))),
    // running code
    (Qstr::compile, Rom::Fn(Native::Var(3, 6, objects::compile))),
    (Qstr::eval, Rom::Fn(Native::Var(1, 3, objects::eval))),
    (Qstr::exec, Rom::Fn(Native::Var(1, 3, objects::exec))),
    (Qstr::help, Rom::Fn(Native::Var(0, 1, objects::help))),
    (Qstr::__import__, Rom::Fn(Native::Var(1, 5, objects::import))),
    (Qstr::__repl_print__, Rom::Fn(Native::F1(objects::repl_print))),
];
