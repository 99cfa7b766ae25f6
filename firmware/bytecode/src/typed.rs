//! The operations of viper functions, whose values have types that the compiler knows: ints of 32 bits with and without
//! sign, and pointers. [`crate::op::Op::Typed`] names one in its second word.
//!
//! In a register, an int is a Python int in its type's range. A pointer is an object with a buffer, or an address.

macro_rules! operations {
    ($( $(#[$doc:meta])* $name:ident ),* $(,)?) => {
        /// An operation: `R[a] = f(R[b], R[c])`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Typed { $( $(#[$doc])* $name ),* }

        impl Typed {
            const ALL: &[Typed] = &[$(Typed::$name),*];
        }
    };
}

operations! {
    /// The truth of an object.
    Bool,
    /// The low 32 bits of an int.
    Word,
    /// A pointer from an object with a buffer, or an int.
    Pointer,
    /// A pointer's address.
    Address,
    /// `-b`
    Neg,
    /// `~b`
    Invert,
    /// `b | c`
    Or,
    /// `b ^ c`
    Xor,
    /// `b & c`
    And,
    /// `b + c`
    Add,
    /// `b - c`
    Sub,
    /// `b * c`
    Mul,
    /// `b << c`
    Shl,
    /// `b >> c`
    Shr,
    /// `b // c`
    FloorDiv,
    /// `b % c`
    Mod,
    /// The byte at position `c` of pointer `b`.
    Load8,
    /// The 16-bit word there.
    Load16,
    /// The 32-bit word there.
    Load32,
    /// Sets the byte at position `b` of pointer `a` to `c`.
    Store8,
    /// Sets the 16-bit word there.
    Store16,
    /// Sets the 32-bit word there.
    Store32,
}

/// Added to an operation's number: operands and result have no sign.
pub const UNSIGNED: u16 = 0x80;

impl Typed {
    /// The number in the second word of the instruction.
    pub const fn number(self, unsigned: bool) -> u16 {
        self as u16 | if unsigned { UNSIGNED } else { 0 }
    }

    /// The operation of a number.
    pub fn from_number(number: u16) -> Option<Typed> {
        Typed::ALL.get(usize::from(number & !UNSIGNED)).copied()
    }
}
