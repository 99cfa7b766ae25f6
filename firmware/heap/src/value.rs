//! The 32-bit tagged word that every Python value is, on every target.
//!
//! | low bits | meaning |
//! |---|---|
//! | `…1` | small int, 31 bits |
//! | `010` | interned string, number in bits 3.. |
//! | `110` | immediate: what it is in bits 3..8, which one in bits 8.. |
//! | `000` | arena cell (0 itself: unbound, "no value") |

use larch_bytecode::qstr::Qstr;

/// A Python value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Value(u32);

const _: () = assert!(size_of::<Value>() == 4);

/// The place of a cell in the arena: its address on 32-bit targets, an offset elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Ref(pub(crate) u32);

/// What an immediate value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Immediate {
    /// `None`, `True` and their like.
    Special = 0,
    /// A built-in type; the payload is its number.
    Type = 1,
    /// An entry of a built-in table: 12 bits of table number, 12 bits of position.
    Rom = 2,
    /// A built-in module; the payload is its number.
    Module = 3,
}

const QSTR_TAG: u32 = 0b010;
const IMMEDIATE_TAG: u32 = 0b110;
const PAYLOAD_SHIFT: u32 = 8;

impl Value {
    /// No value: an unbound local, the end of an iteration, "not supported" from an operator.
    pub const UNBOUND: Value = Value(0);
    /// `None`
    pub const NONE: Value = Value::immediate(Immediate::Special, 0);
    /// `False`
    pub const FALSE: Value = Value::immediate(Immediate::Special, 1);
    /// `True`
    pub const TRUE: Value = Value::immediate(Immediate::Special, 2);
    /// `...`
    pub const ELLIPSIS: Value = Value::immediate(Immediate::Special, 3);
    /// `NotImplemented`
    pub const NOT_IMPLEMENTED: Value = Value::immediate(Immediate::Special, 4);
    /// A place that held a key of a table and was emptied.
    pub const TOMBSTONE: Value = Value::immediate(Immediate::Special, 5);
    /// Smallest small int.
    pub const SMALL_MIN: i32 = -(1 << 30);
    /// Largest small int.
    pub const SMALL_MAX: i32 = (1 << 30) - 1;

    /// An immediate from its parts; `payload` has 24 bits.
    pub const fn immediate(what: Immediate, payload: u32) -> Value {
        Value(payload << PAYLOAD_SHIFT | (what as u32) << 3 | IMMEDIATE_TAG)
    }

    /// `True` or `False`.
    #[inline(always)]
    pub const fn bool(value: bool) -> Value {
        // FALSE and TRUE are neighbours.
        Value(Value::FALSE.0 + ((value as u32) << PAYLOAD_SHIFT))
    }

    /// A small int that is known to fit.
    #[inline(always)]
    pub const fn small(value: i32) -> Value {
        Value((value as u32) << 1 | 1)
    }

    /// A small int, if it fits 31 bits.
    #[inline(always)]
    pub const fn try_small(value: i32) -> Option<Value> {
        let shifted = value << 1;
        if shifted >> 1 == value { Some(Value(shifted as u32 | 1)) } else { None }
    }

    /// An interned string.
    #[inline(always)]
    pub const fn qstr(name: Qstr) -> Value {
        Value((name.0 as u32) << 3 | QSTR_TAG)
    }

    /// A cell.
    #[inline(always)]
    pub const fn cell(at: Ref) -> Value {
        Value(at.0)
    }

    /// The word as it is stored.
    #[inline(always)]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The value of a stored word. Only words that came from [`Value::bits`] are meaningful.
    #[inline(always)]
    pub(crate) const fn from_bits(bits: u32) -> Value {
        Value(bits)
    }

    /// Whether this is a small int.
    #[inline(always)]
    pub const fn is_small(self) -> bool {
        self.0 & 1 != 0
    }

    /// The small int, if it is one.
    #[inline(always)]
    pub const fn as_small(self) -> Option<i32> {
        if self.is_small() { Some(self.0 as i32 >> 1) } else { None }
    }

    /// The small int, of a value that is known to be one.
    #[inline(always)]
    pub const fn small_unchecked(self) -> i32 {
        self.0 as i32 >> 1
    }

    /// Whether both are small ints.
    #[inline(always)]
    pub const fn both_small(self, other: Value) -> bool {
        self.0 & other.0 & 1 != 0
    }

    /// The interned string, if it is one.
    #[inline(always)]
    pub const fn as_qstr(self) -> Option<Qstr> {
        if self.0 & 7 == QSTR_TAG { Some(Qstr((self.0 >> 3) as u16)) } else { None }
    }

    /// Whether this is an interned string.
    #[inline(always)]
    pub const fn is_qstr(self) -> bool {
        self.0 & 7 == QSTR_TAG
    }

    /// The cell, if it is one.
    #[inline(always)]
    pub const fn as_cell(self) -> Option<Ref> {
        if self.is_cell() { Some(Ref(self.0)) } else { None }
    }

    /// The cell, of a value that must be one; `reason` says why. It is for the reader only: a message at every place
    /// would cost more than the rest of the access.
    ///
    /// # Panics
    /// If it is none.
    #[inline(always)]
    pub const fn expect_cell(self, reason: &'static str) -> Ref {
        let _ = reason;
        match self.as_cell() {
            Some(at) => at,
            None => stop_at_no_cell(),
        }
    }

    /// Whether this is a cell.
    #[inline(always)]
    pub const fn is_cell(self) -> bool {
        self.0 & 7 == 0 && self.0 != 0
    }

    /// Whether this is a cell or unbound: the test that needs one comparison.
    #[inline(always)]
    pub const fn is_cell_or_unbound(self) -> bool {
        self.0 & 7 == 0
    }

    /// The payload of an immediate of this sort.
    #[inline(always)]
    pub const fn as_immediate(self, what: Immediate) -> Option<u32> {
        if self.0 & 0xff == (what as u32) << 3 | IMMEDIATE_TAG { Some(self.0 >> PAYLOAD_SHIFT) } else { None }
    }

    /// `True` or `False` as a Rust bool.
    #[inline(always)]
    pub const fn as_bool(self) -> Option<bool> {
        match self {
            Value::TRUE => Some(true),
            Value::FALSE => Some(false),
            _ => None,
        }
    }

    /// Whether this is "no value".
    #[inline(always)]
    pub const fn is_unbound(self) -> bool {
        self.0 == 0
    }

    /// Whether this is `None`.
    #[inline(always)]
    pub const fn is_none(self) -> bool {
        self.0 == Value::NONE.0
    }
}

#[cold]
#[inline(never)]
const fn stop_at_no_cell() -> ! {
    panic!("a value that must be a cell is none");
}

impl Ref {
    /// The word as it is stored.
    #[inline(always)]
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl From<Ref> for Value {
    fn from(at: Ref) -> Value {
        Value::cell(at)
    }
}

impl core::fmt::Debug for Value {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match *self {
            Value::UNBOUND => f.write_str("unbound"),
            Value::NONE => f.write_str("None"),
            Value::TRUE => f.write_str("True"),
            Value::FALSE => f.write_str("False"),
            _ if self.is_small() => write!(f, "{}", self.small_unchecked()),
            _ => match self.as_qstr() {
                Some(name) => write!(f, "'{}'", name.static_text().unwrap_or("?")),
                None => write!(f, "{:#010x}", self.0),
            },
        }
    }
}

impl core::fmt::Debug for Ref {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "@{:#x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_do_not_overlap() {
        let values = [
            Value::UNBOUND,
            Value::NONE,
            Value::TRUE,
            Value::FALSE,
            Value::small(0),
            Value::small(-1),
            Value::qstr(Qstr(0)),
            Value::qstr(Qstr(9)),
            Value::cell(Ref(64)),
            Value::immediate(Immediate::Type, 0),
            Value::immediate(Immediate::Rom, 0),
        ];
        for (i, left) in values.iter().enumerate() {
            let tests = [left.is_small(), left.is_qstr(), left.is_cell(), left.is_unbound()];
            assert!(tests.iter().filter(|t| **t).count() <= 1, "{left:?}");
            for right in &values[i + 1..] {
                assert_ne!(left, right);
            }
        }
    }

    #[test]
    fn small_ints_keep_their_value_and_limits() {
        for value in [0, 1, -1, Value::SMALL_MIN, Value::SMALL_MAX] {
            assert_eq!(Value::try_small(value).and_then(Value::as_small), Some(value));
        }
        for value in [Value::SMALL_MIN - 1, Value::SMALL_MAX + 1, i32::MIN, i32::MAX] {
            assert_eq!(Value::try_small(value), None);
        }
    }
}
