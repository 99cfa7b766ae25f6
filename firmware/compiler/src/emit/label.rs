//! Jump targets that are not known yet, and which locals are bound when they are reached.

/// A set of the registers below 128. Locals beyond are never known to be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bits([u32; 4]);

impl Bits {
    pub(super) const NONE: Bits = Bits([0; 4]);
    pub(super) const ALL: Bits = Bits([u32::MAX; 4]);

    /// Whether the register can be in the set.
    pub(super) const fn tracks(register: u8) -> bool {
        register < 128
    }

    pub(super) fn has(&self, register: u8) -> bool {
        register < 128 && self.0[usize::from(register / 32)] & 1 << (register % 32) != 0
    }

    pub(super) fn insert(&mut self, register: u8) {
        if register < 128 {
            self.0[usize::from(register / 32)] |= 1 << (register % 32);
        }
    }

    pub(super) fn remove(&mut self, register: u8) {
        if register < 128 {
            self.0[usize::from(register / 32)] &= !(1 << (register % 32));
        }
    }

    pub(super) fn intersect(&mut self, other: Bits) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, its)| *mine &= its);
    }

    pub(super) fn subtract(&mut self, other: Bits) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, its)| *mine &= !its);
    }

    pub(super) fn unite(&mut self, other: Bits) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, its)| *mine |= its);
    }
}

/// A place further on that jumps go to. The jumps form a chain through their own operands until it is bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label {
    /// One more than the word of the last jump, relative to the unit; 0 if there is none.
    pub(super) chain: u32,
    /// Locals bound at all the jumps.
    pub(super) bound: Bits,
}

impl Label {
    pub(super) const NEW: Label = Label { chain: 0, bound: Bits::ALL };
}
