//! Weak references: cells that know another cell without keeping it alive.
//!
//! A weak cell is of [`Kind::MixedObject`]: word 0 says how many values it has (they are kept alive as usual), behind them
//! are two raw words: the target and the next weak cell. The chain starts in the heap. A collection takes dead weak
//! cells out of the chain, and clears the target of those whose target died. A weak cell made with `keep` lives as long
//! as it has a target, even if nothing refers to it.

use crate::arena::Heap;
use crate::cell::Kind;
use crate::value::{Ref, Value};

/// In word 0: the cell is kept alive by its target.
const KEEP: u32 = 1 << 16;
/// In word 0: the target died and nobody was told yet.
const DIED: u32 = 1 << 17;
/// Raw words of a weak cell behind its values.
pub const WEAK_WORDS: u32 = 2;

impl Heap {
    /// Makes a mixed object with `values` values and [`WEAK_WORDS`] raw words a weak reference to `target`.
    pub fn link_weak(&mut self, at: Ref, values: u32, target: Value, keep: bool) {
        debug_assert!(self.kind(at) == Kind::MixedObject);
        self.set_word(at, 0, values | if keep { KEEP } else { 0 });
        self.set_word(at, 1 + values, target.bits());
        self.set_word(at, 2 + values, self.weak.bits());
        self.weak = at.into();
    }

    fn weak_place(&self, at: Ref) -> u32 {
        1 + (self.word(at, 0) & 0xffff)
    }

    /// What a weak cell refers to; unbound if that is gone.
    pub fn weak_target(&self, at: Ref) -> Value {
        self.value(at, self.weak_place(at))
    }

    /// Makes a weak cell refer to nothing.
    pub fn clear_weak(&mut self, at: Ref) {
        let place = self.weak_place(at);
        self.set_value(at, place, Value::UNBOUND);
        let word = self.word(at, 0);
        self.set_word(at, 0, word & !(KEEP | DIED));
    }

    fn weak_next(&self, at: Ref) -> Value {
        self.value(at, self.weak_place(at) + 1)
    }

    /// Marks weak cells that their targets keep alive.
    pub(crate) fn mark_kept_weak(&mut self) {
        let mut next = self.weak;
        while let Some(at) = next.as_cell() {
            if self.word(at, 0) & (KEEP | DIED) != 0 {
                self.mark_from(at.into());
            }
            next = self.weak_next(at);
        }
    }

    /// After marking: forgets dead weak cells and notes dead targets.
    pub(crate) fn settle_weak(&mut self) {
        let mut before: Option<Ref> = None;
        let mut next = self.weak;
        while let Some(at) = next.as_cell() {
            next = self.weak_next(at);
            if !self.is_marked(at) {
                match before {
                    Some(before) => {
                        let place = self.weak_place(before) + 1;
                        self.set_value(before, place, next);
                    }
                    None => self.weak = next,
                }
                continue;
            }
            let target = self.weak_target(at);
            if target.as_cell().is_some_and(|target| !self.is_marked(target)) {
                let (place, word) = (self.weak_place(at), self.word(at, 0));
                self.set_value(at, place, Value::UNBOUND);
                self.set_word(at, 0, word & !KEEP | DIED);
                self.weak_died = true;
            }
            before = Some(at);
        }
    }

    fn is_marked(&self, at: Ref) -> bool {
        self.bit(self.granule(at.0))
    }

    /// Whether a target died since the last call that found none by [`Heap::take_died`].
    #[inline(always)]
    pub fn has_died(&self) -> bool {
        self.weak_died
    }

    /// The next weak cell whose target died and for which `wanted` holds; each is given once.
    pub fn take_died(&mut self, wanted: impl Fn(&Heap, Ref) -> bool) -> Option<Ref> {
        let mut next = self.weak;
        let mut others = false;
        while let Some(at) = next.as_cell() {
            let word = self.word(at, 0);
            if word & DIED != 0 {
                if wanted(self, at) {
                    self.set_word(at, 0, word & !DIED);
                    return Some(at);
                }
                others = true;
            }
            next = self.weak_next(at);
        }
        self.weak_died = others;
        None
    }
}
