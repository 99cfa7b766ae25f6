//! The collector: marks what the stack and the roots reach; what is not marked is free.
//!
//! The bitmap is both the mark bits and the map of holes. While marking, the set bits are exactly the whole cells that
//! were reached (and the reserved ranges), so a run of set bits can be parsed cell by cell; that is how a full mark
//! stack is recovered from.

use crate::arena::{GRANULE, Heap};
use crate::cell::{Header, Kind, Layout};
use crate::value::{Ref, Value};

/// Cells that can wait on the mark stack. More is handled by parsing the heap again.
pub(crate) const MARK_STACK: usize = 64;

impl Heap {
    /// Frees everything that neither the stack nor a root reaches.
    pub fn collect(&mut self) {
        self.clear_bitmap();
        for index in 1..self.top() {
            self.mark_from(self.stack(index));
        }
        for index in 0..self.roots.len() {
            self.mark_from(self.roots[index]);
        }
        self.mark_kept_weak();
        while core::mem::take(&mut self.mark_stack_overflowed) {
            self.mark_again();
        }
        self.settle_weak();
        self.restart_cursor();
        self.collections += 1;
        if cfg!(feature = "gc-stress") {
            self.poison();
        }
    }

    /// Shows every cell that is alive. To be called right after a collection, before anything is allocated: for those who
    /// keep something outside the heap on behalf of cells (open files), and want to know which of these still exist.
    pub fn visit_cells(&self, mut visit: impl FnMut(&Heap, Ref)) {
        let mut granule = 0;
        while let Some(at) = self.next_cell(&mut granule) {
            visit(self, at);
        }
    }

    /// The first marked cell at or after `granule`, which moves behind it.
    fn next_cell(&self, granule: &mut u32) -> Option<Ref> {
        while let Some(start) = self.find_bit(*granule, u32::MAX) {
            let offset = self.start + start * GRANULE;
            if let Some((_, end)) = self.reserved.iter().find(|(from, to)| (*from..*to).contains(&offset)) {
                *granule = self.granule(*end);
                continue;
            }
            let at = Ref(offset);
            *granule = start + granules(self.header(at));
            return Some(at);
        }
        None
    }

    /// Marks everything reachable from `value`, or notes that the mark stack was too small.
    pub(crate) fn mark_from(&mut self, value: Value) {
        if let Some(values) = self.mark(value) {
            self.trace(values);
        }
    }

    /// Marks one value's cell. Returns where the cell's values are if it was not marked yet and has any.
    #[inline(always)]
    fn mark(&mut self, value: Value) -> Option<(u32, u32)> {
        let at = value.as_cell()?;
        let granule = self.granule(at.0);
        let marked = self.map(granule / 32);
        if marked >> (granule % 32) & 1 != 0 {
            return None;
        }
        let header = self.header(at);
        debug_assert!(header.kind() != Kind::Free, "a stale reference {at:?}");
        // Apart, both ways are shorter.
        if header.kind().layout() == Layout::Bytes {
            self.set_marks(granule, marked, granules(header));
            return None;
        }
        self.set_marks(granule, marked, granules(header));
        Some(self.values_of(at, header))
    }

    /// Sets the bits of `count` granules; those of the first one's word are `marked` now.
    #[inline(always)]
    fn set_marks(&mut self, granule: u32, marked: u32, count: u32) {
        let (index, bit) = (granule / 32, granule % 32);
        if bit + count < 32 {
            self.set_map(index, marked | ((1 << count) - 1) << bit);
        } else {
            self.mark_long(granule, count);
        }
    }

    /// Marks a cell whose bits are in more than one word.
    #[inline(never)]
    fn mark_long(&mut self, granule: u32, count: u32) {
        self.set_bits(granule, granule + count);
    }

    /// Where the first value of a cell that has values is, and how many there are.
    #[inline(always)]
    fn values_of(&self, at: Ref, header: Header) -> (u32, u32) {
        let count = header.count();
        match header.kind().layout() {
            Layout::Values => (at.0 + 4, count),
            Layout::Mixed => (at.0 + 8, self.word(at, 0) & 0xffff),
            Layout::Counted => (at.0 + 4, 1),
            Layout::RawThenValues | Layout::Bytes => (at.0 + 8, count - 1),
        }
    }

    /// Marks what the `left` values from `next` on reach, depth first. An entry of the mark stack is where the next value to
    /// look at is, and how many are left of its cell.
    #[inline(never)]
    fn trace(&mut self, (mut next, mut left): (u32, u32)) {
        let mut depth = 0;
        loop {
            if left == 0 {
                if depth == 0 {
                    return;
                }
                depth -= 1;
                (next, left) = self.mark_stack[depth];
                continue;
            }
            let value = Value::from_bits(self.read(next));
            next += 4;
            left -= 1;
            let Some(inner) = self.mark(value) else { continue };
            if left != 0 {
                let Some(entry) = self.mark_stack.get_mut(depth) else {
                    self.mark_stack_overflowed = true;
                    continue;
                };
                *entry = (next, left);
                depth += 1;
            }
            (next, left) = inner;
        }
    }

    /// Traces every marked cell once more, after the mark stack overflowed.
    fn mark_again(&mut self) {
        let mut granule = 0;
        while let Some(at) = self.next_cell(&mut granule) {
            let header = self.header(at);
            if header.kind().layout() != Layout::Bytes {
                self.trace(self.values_of(at, header));
            }
        }
    }

    /// Overwrites free memory, so that a use of something freed is noticed.
    fn poison(&mut self) {
        for granule in 0..self.granules() {
            if !self.bit(granule) {
                let offset = self.start + granule * GRANULE;
                self.write(offset, Header::new(Kind::Free, 0xa5a5).bits());
                self.write(offset + 4, 0xa5a5_a5a5);
            }
        }
    }
}

/// How many granules a cell takes.
#[inline(always)]
#[expect(
    clippy::manual_div_ceil,
    reason = "it provides for sizes that no cell has, with two instructions more"
)]
fn granules(header: Header) -> u32 {
    (header.size_bytes() + GRANULE - 1) / GRANULE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::{Region, Root};
    extern crate std;
    use core::ptr::NonNull;
    use std::boxed::Box;
    use std::vec;
    use std::vec::Vec;

    #[expect(unsafe_code, reason = "memory of its own for each test")]
    fn heap(bytes: usize) -> Heap {
        let memory = Box::leak(vec![0u64; bytes / 8].into_boxed_slice());
        let stack = Box::leak(vec![Value::UNBOUND; 1024].into_boxed_slice());
        let region = Region { start: NonNull::from(&mut *memory).cast(), len: bytes };
        // SAFETY: leaked memory that nobody else uses.
        unsafe { Heap::new(&[region], stack) }
    }

    fn alloc(heap: &mut Heap, header: Header) -> Option<Ref> {
        heap.alloc(header).or_else(|| {
            heap.collect();
            heap.alloc(header)
        })
    }

    fn tuple(heap: &mut Heap, items: &[Value]) -> Option<Value> {
        let at = alloc(heap, Header::new(Kind::Tuple, items.len() as u32))?;
        heap.values_mut(at, 0, items.len() as u32).copy_from_slice(items);
        Some(at.into())
    }

    #[test]
    fn what_is_alive_after_a_collection_can_be_visited() {
        let mut heap = heap(16384);
        let kept: Vec<Value> = (0..100)
            .map(|i| {
                tuple(&mut heap, &[Value::small(i)]).unwrap();
                let kept = tuple(&mut heap, &[Value::small(i), Value::small(i)]).unwrap();
                heap.push(kept).unwrap();
                kept
            })
            .collect();
        heap.collect();
        let mut seen: Vec<Value> = Vec::new();
        heap.visit_cells(|_, at| seen.push(at.into()));
        assert_eq!(seen, kept);
    }

    #[test]
    fn addresses_lead_back_to_cells_of_bytes() {
        let mut heap = heap(16384);
        let cells: Vec<Ref> = (0..50)
            .map(|i| {
                tuple(&mut heap, &[Value::small(i)]).unwrap();
                let at = alloc(&mut heap, Header::new(Kind::Bytes, 4 + i as u32)).unwrap();
                heap.push(at.into()).unwrap();
                at
            })
            .collect();
        for collected in [false, true] {
            if collected {
                heap.collect();
            }
            for (len, at) in cells.iter().enumerate() {
                for first in 0..4 + len as u32 {
                    assert_eq!(heap.find_bytes(heap.address_of(*at, first)), Some((*at, first)));
                }
                assert_eq!(heap.find_bytes(at.0), None, "a header");
                assert_eq!(heap.find_bytes(heap.address_of(*at, 4 + len as u32)), None, "behind the content");
            }
        }
        for address in [0, heap.end, u32::MAX] {
            assert_eq!(heap.find_bytes(address), None);
        }
    }

    #[test]
    fn what_the_stack_holds_survives_and_the_rest_is_reused() {
        let mut heap = heap(16384);
        let kept = tuple(&mut heap, &[Value::small(1), Value::small(2)]).unwrap();
        heap.push(kept).unwrap();
        for i in 0..if cfg!(miri) { 2500 } else { 10_000 } {
            tuple(&mut heap, &[Value::small(i), Value::small(i)]).unwrap();
        }
        assert!(heap.statistics().collections > 1);
        assert_eq!(heap.values(kept.as_cell().unwrap(), 0, 2), [Value::small(1), Value::small(2)]);
        heap.collect();
        assert_eq!(heap.statistics().used, 16);
    }

    #[test]
    fn a_long_chain_overflows_the_mark_stack_and_survives() {
        let links = if cfg!(miri) { 300 } else { 3000 };
        let mut heap = heap(1 << 17);
        let mut chain = Value::NONE;
        let slot = heap.push(chain).unwrap();
        for i in 0..links {
            // The link is not the last value, so every level needs an entry of the mark stack.
            chain = tuple(&mut heap, &[chain, Value::small(i), Value::small(0)]).unwrap();
            heap.set_stack(slot, chain);
        }
        heap.collect();
        let mut length = 0;
        while let Some(at) = chain.as_cell() {
            (chain, length) = (heap.value(at, 0), length + 1);
        }
        assert_eq!(length, links);
        assert_eq!(heap.statistics().used, links as u32 * 16);
    }

    #[test]
    fn cells_grow_in_place_and_shrink() {
        let mut heap = heap(16384);
        let at = heap.alloc(Header::new(Kind::Slots, 2)).unwrap();
        heap.set_root(Root::Port, at.into());
        assert!(heap.resize(at, 20), "the hole's cursor is right behind");
        assert!(heap.values(at, 0, 20).iter().all(|v| v.is_unbound()));
        let behind = heap.alloc(Header::new(Kind::Slots, 2)).unwrap();
        assert!(!heap.resize(at, 100), "a cell is in the way");
        assert!(heap.resize(at, 3));
        heap.free(behind);
        assert!(heap.resize(at, 30));
        assert_eq!(heap.statistics().used, 4 * 31 + 4);
    }

    #[test]
    fn exhaustion_is_an_answer_and_recoverable() {
        let mut heap = heap(16384);
        let mut count = 0;
        while let Some(at) = alloc(&mut heap, Header::new(Kind::ByteBuffer, 1000)) {
            heap.push(at.into()).unwrap();
            count += 1;
        }
        assert!(count > 10, "{count}");
        heap.reset_stack();
        assert!(alloc(&mut heap, Header::new(Kind::ByteBuffer, 1000)).is_some());
    }

    #[test]
    fn the_end_can_be_given_up_while_nothing_lives_there() {
        let mut heap = heap(1 << 16);
        let before = heap.statistics();
        let taken = heap.give_up(10_000).expect("the heap is empty");
        taken.fill(core::mem::MaybeUninit::new(0xff));
        assert_eq!(taken.len(), 10_000);
        assert_eq!(heap.statistics().free, before.free - 10_000);
        let mut cells = 0;
        while let Some(at) = alloc(&mut heap, Header::new(Kind::ByteBuffer, 1000)) {
            let bytes = heap.bytes_mut(at, 0, 1000);
            assert!(bytes.iter().all(|byte| *byte == 0), "given up memory was given out");
            heap.push(at.into()).unwrap();
            cells += 1;
        }
        assert!(cells > 45, "{cells}");
        assert!(heap.give_up(10_000).is_none(), "cells live there");
        heap.reset_stack();
        assert!(heap.give_up(10_000).is_some());
        assert!(heap.give_up(1 << 16).is_none(), "more than there is");
        heap.collect();
        assert_eq!(heap.statistics().free, before.free - 20_000);
    }

    #[test]
    fn random_work_keeps_contents_apart() {
        let mut heap = heap(1 << 15);
        let mut seed = 12345u32;
        let mut live: Vec<(u32, Value, u32)> = Vec::new();
        let first = heap.top();
        for _ in 0..64 {
            heap.push(Value::NONE);
        }
        // Miri takes a thousand times as long.
        let (rounds, look_every) = if cfg!(miri) { (600, 50) } else { (20_000u32, 1) };
        for round in 0..rounds {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let slot = first + (seed >> 10) % 64;
            live.retain(|(s, ..)| *s != slot);
            heap.set_stack(slot, Value::NONE);
            let words = (seed >> 20) % 60;
            let Some(at) = alloc(&mut heap, Header::new(Kind::Slots, words)) else { continue };
            heap.values_mut(at, 0, words).fill(Value::small(round as i32));
            heap.set_stack(slot, at.into());
            live.push((slot, at.into(), round));
            if round % look_every != 0 {
                continue;
            }
            for (_, value, stamp) in &live {
                let at = value.as_cell().unwrap();
                let count = heap.header(at).count();
                assert!(heap.values(at, 0, count).iter().all(|v| *v == Value::small(*stamp as i32)));
            }
        }
    }
}
