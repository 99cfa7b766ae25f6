//! The built-in types: one file for each, or for each family. [`ids`] numbers them, [`TYPES`] defines them.

pub mod ids;

pub(crate) mod binary;
pub mod bytearray;
pub mod bytes;
pub mod class;
pub mod complex;
pub mod deque;
pub mod descriptors;
pub mod dict;
pub mod exception;
pub mod float;
mod float_digits;
pub(crate) mod float_parse;
mod float_text;
pub mod function;
pub mod generator;
pub mod int;
mod int_arith;
mod int_power;
mod int_text;
pub mod iterators;
pub mod list;
pub mod memoryview;
pub mod module;
pub mod namedtuple;
pub mod number_format;
pub mod object;
pub mod range;
pub mod set;
pub mod singletons;
pub mod str;
mod str_format;
mod str_methods;
mod str_percent;
mod str_split;
pub mod text_object;
pub mod tuple;

use crate::native::TypeDef;

/// The definitions of the core's types, by number.
pub static TYPES: &[&TypeDef] = &[
    &object::OBJECT,
    &class::TYPE,
    &singletons::NONE_TYPE,
    &singletons::BOOL,
    &singletons::ELLIPSIS,
    &singletons::NOT_IMPLEMENTED,
    &int::INT,
    &float::FLOAT,
    &complex::COMPLEX,
    &str::STR,
    &bytes::BYTES,
    &bytearray::BYTEARRAY,
    &memoryview::MEMORYVIEW,
    &bytearray::ARRAY,
    &list::LIST,
    &tuple::TUPLE,
    &dict::DICT,
    &dict::DICT_VIEW,
    &dict::ORDERED_DICT,
    &set::SET,
    &set::FROZENSET,
    &range::RANGE,
    &range::SLICE,
    &iterators::ITERATOR,
    &iterators::ENUMERATE,
    &iterators::FILTER,
    &iterators::MAP,
    &iterators::REVERSED,
    &iterators::ZIP,
    &deque::DEQUE,
    &function::FUNCTION,
    &function::BUILTIN_FUNCTION,
    &function::BOUND_METHOD,
    &generator::GENERATOR,
    &function::CODE,
    &function::CELL,
    &descriptors::PROPERTY,
    &descriptors::STATICMETHOD,
    &descriptors::CLASSMETHOD,
    &descriptors::SUPER,
    &module::MODULE,
    &exception::BASEEXCEPTION,
    &exception::EXCEPTION,
    &exception::SYSTEMEXIT,
    &exception::KEYBOARDINTERRUPT,
    &exception::GENERATOREXIT,
    &exception::STOPITERATION,
    &exception::STOPASYNCITERATION,
    &exception::ARITHMETICERROR,
    &exception::OVERFLOWERROR,
    &exception::ZERODIVISIONERROR,
    &exception::ASSERTIONERROR,
    &exception::ATTRIBUTEERROR,
    &exception::EOFERROR,
    &exception::IMPORTERROR,
    &exception::LOOKUPERROR,
    &exception::INDEXERROR,
    &exception::KEYERROR,
    &exception::MEMORYERROR,
    &exception::NAMEERROR,
    &exception::OSERROR,
    &exception::RUNTIMEERROR,
    &exception::NOTIMPLEMENTEDERROR,
    &exception::SYNTAXERROR,
    &exception::INDENTATIONERROR,
    &exception::TYPEERROR,
    &exception::VALUEERROR,
    &exception::UNICODEERROR,
    &exception::VIPERTYPEERROR,
    &str::TEXT_ITERATOR,
    &crate::modules::io::STRING_IO,
    &crate::modules::io::BYTES_IO,
    &crate::modules::io::IO_BASE,
    &crate::modules::re::PATTERN,
    &crate::modules::re::MATCH,
    &crate::modules::hashlib::SHA256,
    &crate::modules::hashlib::SHA1,
    &crate::modules::hashlib::MD5,
    &namedtuple::NAMEDTUPLE,
    &namedtuple::ATTRTUPLE,
    &crate::modules::buffered::BUFFERED_WRITER,
    &crate::modules::weakref::REF,
    &crate::modules::weakref::FINALIZE,
    &crate::modules::ringio::RING_IO,
    &crate::modules::uctypes::STRUCT,
];
