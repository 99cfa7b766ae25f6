//! The opcode table. One entry declares name, operand format and meaning; the enum, the decoder and the names used by
//! the disassembler come from it.
//!
//! A frame is a window of at most [`MAX_REGISTERS`] registers `R[0]..`. Parameters are the first registers, then
//! locals, then temporaries. The slot below the window (`R[-1]`) holds the function being executed, so that a frame
//! needs no other root for its code.
//!
//! Formats (operand bytes from the second byte up):
//!
//! | format | operands |
//! |---|---|
//! | `Abc` | `a: u8, b: u8, c: u8` |
//! | `Abi` | `a: u8, b: u8, i: i8` |
//! | `Abx` | `a: u8, x: u16` |
//! | `Asx` | `a: u8, s: i16` |
//! | `J` | `j: i24`, in words, relative to the following instruction |
//!
//! `K[x]` is a constant of the code object, `N[x]` a name (qstr) of it. Operands called `n8` are name indices below
//! 256; a preceding [`Op::Ext`] supplies the higher bits (`index = ext << 8 | n8`).
//!
//! The `Test…` family is followed by a [`Op::Jump`] word: the jump is taken when the condition equals `a` (0 or 1),
//! skipped otherwise. The same holds for [`Op::ForIter`] and [`Op::RangeNext`], as described there.

/// Most registers a frame can have. Operands are bytes; the rest is reserved.
pub const MAX_REGISTERS: usize = 250;

/// How the three operand bytes of an instruction are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Three unsigned bytes.
    Abc,
    /// Two unsigned bytes and a signed one.
    Abi,
    /// An unsigned byte and an unsigned 16-bit number.
    Abx,
    /// An unsigned byte and a signed 16-bit number.
    Asx,
    /// A signed 24-bit number.
    J,
}

macro_rules! opcodes {
    ($( $(#[$doc:meta])* $name:ident $format:ident ),* $(,)?) => {
        /// An operation of the virtual machine.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[allow(clippy::allow_attributes, missing_docs, reason = "groups share the text of their first member")]
        pub enum Op { $( $(#[$doc])* $name ),* }

        impl Op {
            /// Every opcode, in numeric order.
            pub const ALL: &[Op] = &[$(Op::$name),*];

            /// How this opcode's operands are read.
            pub const fn format(self) -> Format {
                match self { $(Op::$name => Format::$format),* }
            }

            /// The opcode's name in listings.
            pub const fn name(self) -> &'static str {
                match self { $(Op::$name => stringify!($name)),* }
            }

            /// Decodes the low byte of an instruction word. The compiler sees that this changes no bit; from a table it would
            /// read, once an instruction.
            #[inline(always)]
            pub const fn from_byte(byte: u8) -> Option<Op> {
                match byte {
                    $(byte::$name => Some(Op::$name),)*
                    _ => None,
                }
            }
        }

        /// The opcodes as bytes.
        #[allow(clippy::allow_attributes, non_upper_case_globals, missing_docs, reason = "named as the opcodes")]
        pub mod byte {
            $(pub const $name: u8 = super::Op::$name as u8;)*
        }
    };
}

opcodes! {
    // ---- moves and constants ----
    /// `R[a] = R[b]`
    Move Abc,
    /// `R[a] = small int s`
    LoadInt Asx,
    /// `R[a] = K[x]`
    LoadConst Abx,
    /// `R[a] = qstr x` (a string constant that is an interned name; `x` is the qstr's number)
    LoadQstr Abx,
    /// `R[a] = None`
    LoadNone Abc,
    /// `R[a] = True` if `b` else `False`
    LoadBool Abc,
    /// `R[a] =` unbound (a `del` of a local; the start of a local that needs [`Op::CheckLocal`])
    LoadUnbound Abc,
    /// Raises NameError "local variable referenced before assignment" if `R[a]` is unbound. The compiler emits it
    /// only where it cannot show that the local is bound.
    CheckLocal Abc,
    /// Supplies bits 8.. (`x`) of the name index of the next instruction.
    Ext Abx,

    // ---- names ----
    /// `R[a] = namespace R[0]`'s or the global or the builtin named by qstr `x`. Module and class bodies only, whose
    /// namespace dict is `R[0]`.
    LoadName Abx,
    /// `R[0][qstr x] = R[a]`
    StoreName Abx,
    /// `del R[0][qstr x]`, NameError if missing
    DelName Abx,
    /// `R[a] =` global or builtin named by qstr `x`
    LoadGlobal Abx,
    /// global qstr `x` `= R[a]`
    StoreGlobal Abx,
    /// `del` global qstr `x`
    DelGlobal Abx,
    /// Wraps `R[a]` (a parameter or unbound) in a new cell: `R[a] = Cell(R[a])`.
    MakeCell Abc,
    /// `R[a] = *R[b]` where `R[b]` is a cell of this frame; NameError if it is unbound
    LoadCell Abc,
    /// `*R[b] = R[a]` where `R[b]` is a cell of this frame
    StoreCell Abc,
    /// Makes the cell `R[b]` unbound; NameError if it is.
    DelCell Abc,
    /// `R[a] = *free[b]`, the function's captured cell number `b`; NameError if unbound
    LoadFree Abc,
    /// `*free[b] = R[a]`
    StoreFree Abc,
    /// Makes captured cell number `b` unbound; NameError if it is.
    DelFree Abc,
    /// `R[a] = free[b]` itself, to hand on to an inner closure
    FreeCell Abc,

    // ---- attributes and items ----
    /// `R[a] = R[b].N[n8=c]`
    GetAttr Abc,
    /// `R[a].N[n8=b] = R[c]`
    SetAttr Abc,
    /// `del R[a].N[n8=b]`
    DelAttr Abc,
    /// Prepares a method call: `R[a], R[a+1] = function, R[b]` if the attribute `N[n8=c]` is a function found on the
    /// class, else `R[a], R[a+1] = unbound, R[b].N[c]`. Followed by [`Op::CallMethod`] or [`Op::CallMethodKw`].
    GetMethod Abc,
    /// `R[a] = R[b][R[c]]`
    GetItem Abc,
    /// `R[a] = R[b][i]`
    GetItemI Abi,
    /// `R[a][R[b]] = R[c]`
    SetItem Abc,
    /// `del R[a][R[b]]`
    DelItem Abc,
    /// `R[a] = slice(R[b], R[b+1], R[b+2])`
    BuildSlice Abc,

    // ---- operators ----
    /// `R[a] = R[b] + R[c]`
    Add Abc, Sub Abc, Mul Abc, TrueDiv Abc, FloorDiv Abc, Mod Abc, Pow Abc, MatMul Abc,
    And Abc, Or Abc, Xor Abc, Shl Abc, Shr Abc,
    /// `R[a] = (R[b] += R[c])`: tries the in-place method first
    IAdd Abc, ISub Abc, IMul Abc, ITrueDiv Abc, IFloorDiv Abc, IMod Abc, IPow Abc, IMatMul Abc,
    IAnd Abc, IOr Abc, IXor Abc, IShl Abc, IShr Abc,
    /// `R[a] = R[b] + i` if `i` is not negative, else `R[a] = R[b] - (-i)`: what a type's own `__add__` or `__sub__`
    /// sees is the constant that the source has.
    AddI Abi,
    /// As `AddI`, for `+=` and `-=`: tries the in-place method first.
    IAddI Abi,
    /// `R[a] = R[b] * i`, `//`, `%`, `&`, `<<`, `>>` with a small constant (never the in-place forms)
    MulI Abi, FloorDivI Abi, ModI Abi, AndI Abi, ShlI Abi, ShrI Abi,
    /// `R[a] = (R[b] == R[c])` and so on
    Eq Abc, Ne Abc, Lt Abc, Le Abc, Gt Abc, Ge Abc,
    /// `R[a] = R[b] in R[c]`
    In Abc, NotIn Abc,
    /// `R[a] = R[b] is R[c]`
    Is Abc, IsNot Abc,
    /// `R[a] = -R[b]`, `+R[b]`, `~R[b]`, `not R[b]`
    Neg Abc, Pos Abc, Invert Abc, Not Abc,

    // ---- control ----
    /// Continues at the following instruction plus `j`. Backward jumps poll for interrupts and scheduled calls.
    Jump J,
    /// Takes the following jump if `bool(R[b]) == a`.
    Test Abc,
    /// Takes the following jump if `(R[b] op R[c]) == a`.
    TestEq Abc, TestNe Abc, TestLt Abc, TestLe Abc, TestGt Abc, TestGe Abc,
    /// Takes the following jump if `(R[b] is R[c]) == a`.
    TestIs Abc,
    /// Takes the following jump if `(R[b] in R[c]) == a`.
    TestIn Abc,
    /// Takes the following jump if `(R[b] is None) == a`.
    TestNone Abc,
    /// Takes the following jump if `(R[b] op i) == a`, `i` a signed byte in operand `c`.
    TestEqI Abi, TestNeI Abi, TestLtI Abi, TestLeI Abi, TestGtI Abi, TestGeI Abi,
    /// `R[a], R[a+1] = iterator of R[b]`; two registers, opaque to the compiler.
    GetIter Abc,
    /// `R[a] = next(R[b], R[b+1])` and skips the following jump; takes the jump when the iterator is exhausted.
    ForIter Abc,
    /// `ForIter` with the opposite sense, for the end of a loop: `R[a] = next(R[b], R[b+1])` and takes the following
    /// (backward) jump to the body; skips the jump when the iterator is exhausted. `for` statements compile to
    /// `GetIter; Jump to IterNext; body; IterNext; Jump body`, one dispatch per round as with [`Op::RangeNext`].
    IterNext Abc,
    /// Starts `for … in range(…)`: on entry `R[a], R[a+1], R[a+2]` are start, stop and step and `R[a+3]` is the value
    /// of the name `range`. If that is the builtin and all three are small ints, the loop runs without an iterator
    /// object; else `R[a], R[a+1] = iter(R[a+3](start, stop, step))` (`b` says how many arguments the source gave:
    /// 1 stop, 2 start and stop, 3 all). Followed by nothing; the compiler then jumps to the loop's `RangeNext`.
    RangePrep Abc,
    /// `R[b] =` the next value of the range loop at `R[a]` and takes the following (backward) jump to the body; skips
    /// the jump when exhausted. Note the sense is the opposite of `ForIter`: the test stands at the end of the loop.
    RangeNext Abc,

    // ---- calls ----
    /// `R[a] = R[a](R[a+1], … R[a+b])`
    Call Abc,
    /// As `Call` with `c` keyword arguments after the positional ones: pairs of name (a qstr value) and value.
    CallKw Abc,
    /// After [`Op::GetMethod`] at `a`: calls with `b` positional arguments at `R[a+2]…`, result in `R[a]`.
    CallMethod Abc,
    /// As `CallMethod`, with `c` keyword pairs after the positional arguments.
    CallMethodKw Abc,
    /// `R[a] = R[a](*R[a+1], **R[a+2])`; `R[a+1]` is a list or tuple, `R[a+2]` a dict or None
    CallEx Abc,
    /// Returns `R[a]`. In a generator: raises StopIteration(`R[a]`) in the consumer.
    Return Abc,
    /// Returns None.
    ReturnNone Abc,
    /// Yields `R[b]`; on resumption `R[a]` is the value sent.
    Yield Abc,
    /// `R[a] =` result of delegating to the iterator `R[b]` (made by [`Op::YieldIter`]); the value to send is kept in
    /// `R[a]`, which must be None on entry. Executed again at each resumption.
    YieldFrom Abc,
    /// `R[a] = iter(R[b])` for `yield from` (`c` = 0) or the awaitable of `await` (`c` = 1)
    YieldIter Abc,

    // ---- building ----
    /// `R[a] = (R[b], … )` of `c` items
    BuildTuple Abc,
    /// `R[a] = [R[b], … ]` of `c` items
    BuildList Abc,
    /// `R[a] = {R[b], … }` of `c` items
    BuildSet Abc,
    /// `R[a] = {}` with room for `x` pairs
    BuildDict Abx,
    /// `R[a].append(R[b])`, a list under construction
    ListAppend Abc,
    /// `R[a].extend(R[b])`, a list under construction
    ListExtend Abc,
    /// `R[a] = tuple(R[b])`, from a list under construction
    ListToTuple Abc,
    /// `R[a].add(R[b])`, a set under construction
    SetAdd Abc,
    /// `R[a].update(R[b])`, a set under construction
    SetUpdate Abc,
    /// `R[a][R[b]] = R[c]`, a dict under construction
    DictSet Abc,
    /// `R[a].update(R[b])`: `**mapping` in a display or a call. `c` = 1 for a call: duplicate keywords raise TypeError.
    DictUpdate Abc,
    /// `R[a], … R[a+c-1] = R[b]`
    Unpack Abc,
    /// `R[a] … *R[a+c] … = R[b]`: `c` names before the starred one; the next word is an `Ext` whose `x` is the count
    /// after it.
    UnpackEx Abc,

    // ---- definitions ----
    /// `R[a] = function(K[x])` without defaults and captured cells
    MakeFunction Abx,
    /// `R[a] = function(K[x])` with positional defaults `R[a]` (tuple or None), keyword-only defaults `R[a+1]` (dict
    /// or None) and the cells `R[a+2]…`, as many as the code captures
    MakeClosure Abx,
    /// `R[a] = class`: `R[a]` is the name (str), `R[a+1]` the body function, then `b` bases, then `c` keyword pairs.
    /// The body runs with a new namespace dict as `R[0]` and returns the `__class__` cell or None.
    MakeClass Abc,
    /// `R[a] = import N[x]` with `R[a]` the from-list (tuple or None) and `R[a+1]` the level (int)
    Import Abx,
    /// `R[a] = from R[b] import N[n8=c]`
    ImportFrom Abc,
    /// `from R[a] import *` into the namespace `R[0]`
    ImportStar Abc,

    // ---- exceptions ----
    /// Raises `R[a]` (class or instance).
    Raise Abc,
    /// Raises `R[a]`, with cause `R[b]` evaluated and ignored.
    RaiseFrom Abc,
    /// Raises `R[a]` again, keeping its traceback (the end of a handler that did not match, bare `raise`).
    Reraise Abc,
    /// Raises RuntimeError "no active exception to reraise": a bare `raise` outside any handler.
    ReraiseNone Abc,
    /// `R[a] = R[b]` (an exception) matches `R[c]` (class or tuple of classes)
    ExcMatch Abc,
    /// `R[a] = type(R[b])`
    TypeOf Abc,
    /// The operation of [`crate::typed::Typed`] that the next word, an `Ext`, has in its `x`: `R[a] = f(R[b], R[c])`.
    Typed Abc,
}

const _: () = assert!(Op::ALL.len() <= 200, "opcodes must fit a byte with room to grow");

/// Builds an `Abc` word.
pub const fn abc(op: Op, a: u8, b: u8, c: u8) -> u32 {
    op as u32 | (a as u32) << 8 | (b as u32) << 16 | (c as u32) << 24
}

/// Builds an `Abi` word.
pub const fn abi(op: Op, a: u8, b: u8, i: i8) -> u32 {
    abc(op, a, b, i as u8)
}

/// Builds an `Abx` word.
pub const fn abx(op: Op, a: u8, x: u16) -> u32 {
    op as u32 | (a as u32) << 8 | (x as u32) << 16
}

/// Builds an `Asx` word.
pub const fn asx(op: Op, a: u8, s: i16) -> u32 {
    abx(op, a, s as u16)
}

/// Builds a `J` word; `j` must fit 24 bits.
pub const fn jump(op: Op, j: i32) -> u32 {
    op as u32 | (j as u32) << 8
}

/// Operand `a`.
#[inline(always)]
pub const fn a(word: u32) -> u8 {
    (word >> 8) as u8
}

/// Operand `b`.
#[inline(always)]
pub const fn b(word: u32) -> u8 {
    (word >> 16) as u8
}

/// Operand `c`.
#[inline(always)]
pub const fn c(word: u32) -> u8 {
    (word >> 24) as u8
}

/// Operand `x`.
#[inline(always)]
pub const fn x(word: u32) -> u16 {
    (word >> 16) as u16
}

/// Operand `s`.
#[inline(always)]
pub const fn s(word: u32) -> i16 {
    (word >> 16) as i16
}

/// Operand `i`.
#[inline(always)]
pub const fn i(word: u32) -> i8 {
    (word >> 24) as i8
}

/// Operand `j`.
#[inline(always)]
pub const fn j(word: u32) -> i32 {
    word as i32 >> 8
}

/// The bytes that are no opcode, as a pattern.
#[macro_export]
macro_rules! no_opcode {
    () => {
        138 | 139
            | 140
            | 141
            | 142
            | 143
            | 144
            | 145
            | 146
            | 147
            | 148
            | 149
            | 150
            | 151
            | 152
            | 153
            | 154
            | 155
            | 156
            | 157
            | 158
            | 159
            | 160
            | 161
            | 162
            | 163
            | 164
            | 165
            | 166
            | 167
            | 168
            | 169
            | 170
            | 171
            | 172
            | 173
            | 174
            | 175
            | 176
            | 177
            | 178
            | 179
            | 180
            | 181
            | 182
            | 183
            | 184
            | 185
            | 186
            | 187
            | 188
            | 189
            | 190
            | 191
            | 192
            | 193
            | 194
            | 195
            | 196
            | 197
            | 198
            | 199
            | 200
            | 201
            | 202
            | 203
            | 204
            | 205
            | 206
            | 207
            | 208
            | 209
            | 210
            | 211
            | 212
            | 213
            | 214
            | 215
            | 216
            | 217
            | 218
            | 219
            | 220
            | 221
            | 222
            | 223
            | 224
            | 225
            | 226
            | 227
            | 228
            | 229
            | 230
            | 231
            | 232
            | 233
            | 234
            | 235
            | 236
            | 237
            | 238
            | 239
            | 240
            | 241
            | 242
            | 243
            | 244
            | 245
            | 246
            | 247
            | 248
            | 249
            | 250
            | 251
            | 252
            | 253
            | 254
            | 255
    };
}
pub use no_opcode;
