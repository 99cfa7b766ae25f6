//! What a cell is made of: a header word and what its kind says follows.

/// The first word of a cell: its kind in the low byte, a count in the other three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Header(u32);

/// How the collector reads a cell, by its kind's two top bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The count is in bytes, and none of them is a value.
    Bytes,
    /// The count is in words, all of them values.
    Values,
    /// The count is in words; the first is raw, the others are values.
    RawThenValues,
    /// The count is in words; the first is raw and says in its low 16 bits how many of those behind it are values; the
    /// rest is raw.
    Mixed,
    /// One value. The count is not of the cell: it is how many items a list has.
    Counted,
}

macro_rules! kinds {
    ($( $layout:ident $base:literal { $( $(#[$doc:meta])* $name:ident = $number:literal ),* $(,)? } )*) => {
        impl Kind { $( $(
            $(#[$doc])*
            #[expect(non_upper_case_globals, reason = "read and matched like the variants of an enum")]
            pub const $name: Kind = Kind($base + $number);
        )* )* }
    };
}

/// What a cell holds: the low byte of its header. The numbers are grouped by [`Layout`].
///
/// Not an enum: any byte is a `Kind`, so reading one needs no check and no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Kind(u8);

kinds! {
    Bytes 0x00 {
        /// Not a cell.
        Free = 0,
        /// A float: 4 bytes (f32) or 8 (f64).
        Float = 1,
        /// A complex: two floats.
        Complex = 2,
        /// An int outside the small range: one word `sign << 31 | limbs`, then 32-bit limbs, low first.
        BigInt = 3,
        /// A string: one word `hash | flags << 16`, then UTF-8.
        Str = 4,
        /// Bytes: one word `hash`, then the bytes.
        Bytes = 5,
        /// Storage of a growing byte sequence.
        ByteBuffer = 6,
        /// Memory that is no Python value (a compiler's or driver's).
        Raw = 7,
    }
    Values 0x40 {
        /// A tuple: its items.
        Tuple = 0,
        /// Storage of a list, table or deque.
        Slots = 1,
        /// A captured variable.
        Cell = 2,
        /// A slice: start, stop, step.
        Slice = 3,
        /// A range: start, stop, step.
        Range = 4,
        /// A method bound to its object: function, self.
        BoundMethod = 5,
        /// property: getter, setter, deleter.
        Property = 6,
        /// staticmethod: function.
        StaticMethod = 7,
        /// classmethod: function.
        ClassMethod = 8,
        /// super: type, object.
        Super = 9,
        /// A function: code, globals, then defaults, keyword defaults and captured cells as far as present.
        Function = 10,
        /// An exception: type, args (tuple), traceback (list or None).
        Exception = 11,
        /// A built-in class's object of which only the type's own code knows the layout: type, then values.
        Object = 12,
        /// A module: globals dict.
        Module = 13,
        /// An iterator: type, then what it iterates over, position, and what its type needs.
        Iterator = 14,
        /// An instance of a class: shape, then attributes.
        Instance = 15,
        /// An instance that outgrew its cell: the last word is a `Slots` cell with the attributes that follow.
        GrownInstance = 16,
        /// What a dict's keys(), values() or items() returns: dict, which of the three.
        DictView = 17,
    }
    RawThenValues 0x80 {
        /// A dict: `live entries | flags << 27`, entries (`Slots`: fill count, then pairs), index (`ByteBuffer`).
        Dict = 1,
        /// A set: as a dict, entries without values.
        Set = 2,
        /// A frozen set: as set.
        FrozenSet = 3,
        /// A class.
        Class = 5,
        /// A shape: which attributes instances have, in which order.
        Shape = 6,
        /// A generator: state, then function and registers.
        Generator = 7,
        /// A bytearray: length, storage.
        ByteArray = 8,
        /// A memoryview: type code, then object, offset and length (small ints).
        MemoryView = 9,
        /// An array: length and type code, then storage.
        Array = 10,
        /// A built-in class's object with one raw word: word, type, then values.
        RawObject = 11,
    }
    Mixed 0xc0 {
        /// A code object.
        Code = 0,
        /// An object of a built-in class with several raw words: type, values, raw words.
        MixedObject = 1,
    }
    Counted 0xe0 {
        /// A list: storage, which is unbound if there was never an item; the header counts the items.
        List = 0,
    }
}

impl Kind {
    /// How the collector reads cells of this kind.
    #[inline(always)]
    pub const fn layout(self) -> Layout {
        match self.0 >> 6 {
            0 => Layout::Bytes,
            1 => Layout::Values,
            2 => Layout::RawThenValues,
            _ if self.0 & 0x20 == 0 => Layout::Mixed,
            _ => Layout::Counted,
        }
    }
}

impl Header {
    /// Largest count a header can hold.
    pub const MAX_COUNT: u32 = (1 << 24) - 1;

    /// A header; `count` is at most [`Header::MAX_COUNT`].
    #[inline(always)]
    pub const fn new(kind: Kind, count: u32) -> Header {
        Header(kind.0 as u32 | count << 8)
    }

    pub(crate) const fn from_bits(bits: u32) -> Header {
        Header(bits)
    }

    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// The kind.
    #[inline(always)]
    pub const fn kind(self) -> Kind {
        Kind(self.0 as u8)
    }

    /// The count: bytes or words behind the header, or items of a list.
    #[inline(always)]
    pub const fn count(self) -> u32 {
        self.0 >> 8
    }

    /// Bytes of the whole cell, header included, before rounding up to granules.
    #[inline(always)]
    pub const fn size_bytes(self) -> u32 {
        match self.kind().layout() {
            Layout::Bytes => 4 + self.count(),
            Layout::Counted => 8,
            Layout::Values | Layout::RawThenValues | Layout::Mixed => 4 + 4 * self.count(),
        }
    }
}
