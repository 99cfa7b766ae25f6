//! The numbers of the built-in types, in the order of [`super::TYPES`].

use crate::native::TypeId;

macro_rules! number {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        #[allow(clippy::allow_attributes, non_camel_case_types, dead_code, reason = "named as in Python")]
        #[repr(u16)]
        enum Numbering { $($name),* }
        $(
            $(#[$doc])*
            #[allow(clippy::allow_attributes, non_upper_case_globals, reason = "named as in Python")]
            pub const $name: TypeId = TypeId(Numbering::$name as u16);
        )*
    };
}

number! {
    /// `object`
    object,
    /// `type`
    type_,
    /// `NoneType`
    NoneType,
    /// `bool`
    bool,
    /// `ellipsis`
    ellipsis,
    /// `not_implemented`
    not_implemented,
    /// `int`
    int,
    /// `float`
    float,
    /// `complex`
    complex,
    /// `str`
    str,
    /// `bytes`
    bytes,
    /// `bytearray`
    bytearray,
    /// `memoryview`
    memoryview,
    /// `array`
    array,
    /// `list`
    list,
    /// `tuple`
    tuple,
    /// `dict`
    dict,
    /// `dict_view`
    dict_view,
    /// `OrderedDict`
    OrderedDict,
    /// `set`
    set,
    /// `frozenset`
    frozenset,
    /// `range`
    range,
    /// `slice`
    slice,
    /// `iterator`
    iterator,
    /// `enumerate`
    enumerate,
    /// `filter`
    filter,
    /// `map`
    map,
    /// `reversed`
    reversed,
    /// `zip`
    zip,
    /// `deque`
    deque,
    /// `function`
    function,
    /// `builtin_function`
    builtin_function,
    /// `bound_method`
    bound_method,
    /// `generator`
    generator,
    /// `code`
    code,
    /// `cell`
    cell,
    /// `property`
    property,
    /// `staticmethod`
    staticmethod,
    /// `classmethod`
    classmethod,
    /// `super`
    super_,
    /// `module`
    module,
    /// `BaseException`
    BaseException,
    /// `Exception`
    Exception,
    /// `SystemExit`
    SystemExit,
    /// `KeyboardInterrupt`
    KeyboardInterrupt,
    /// `GeneratorExit`
    GeneratorExit,
    /// `StopIteration`
    StopIteration,
    /// `StopAsyncIteration`
    StopAsyncIteration,
    /// `ArithmeticError`
    ArithmeticError,
    /// `OverflowError`
    OverflowError,
    /// `ZeroDivisionError`
    ZeroDivisionError,
    /// `AssertionError`
    AssertionError,
    /// `AttributeError`
    AttributeError,
    /// `EOFError`
    EOFError,
    /// `ImportError`
    ImportError,
    /// `LookupError`
    LookupError,
    /// `IndexError`
    IndexError,
    /// `KeyError`
    KeyError,
    /// `MemoryError`
    MemoryError,
    /// `NameError`
    NameError,
    /// `OSError`
    OSError,
    /// `RuntimeError`
    RuntimeError,
    /// `NotImplementedError`
    NotImplementedError,
    /// `SyntaxError`
    SyntaxError,
    /// `IndentationError`
    IndentationError,
    /// `TypeError`
    TypeError,
    /// `ValueError`
    ValueError,
    /// `UnicodeError`
    UnicodeError,
    /// `ViperTypeError`
    ViperTypeError,
    /// `iterator`
    text_iterator,
    /// `StringIO`
    StringIO,
    /// `BytesIO`
    BytesIO,
    /// `IOBase`
    IOBase,
    /// `re`
    re,
    /// `match`
    match_,
    /// `sha256`
    sha256,
    /// `sha1`
    sha1,
    /// `md5`
    md5,
    /// base of the classes that `namedtuple` makes
    namedtuple,
    /// record of a built-in module
    attrtuple,
    /// `io.BufferedWriter`
    BufferedWriter,
    /// `weakref.ref`
    weak_ref,
    /// `weakref.finalize`
    finalize,
    /// `micropython.RingIO`
    RingIO,
    /// `uctypes.struct`
    uctypes_struct,
}
