//! Sorting: a stable merge sort without recursion.
//!
//! The list is empty while it is sorted; its items are in a cell that only the sort knows, so a comparison or key
//! function that changes the list cannot disturb it. When a comparison raises, the list gets its items back in some
//! order.

use larch_heap::{Header, Kind, Ref, Value};

use crate::native::{BinaryOp, Res};
use crate::types::ids;
use crate::vm::Vm;

/// Runs this short are sorted by insertion.
const RUN: u32 = 8;

impl Vm {
    /// Sorts a list in place. The list and the key function must be alive by themselves.
    ///
    /// # Errors
    /// What comparing or the key function raises; ValueError if they changed the list; MemoryError.
    pub fn sort_list(&mut self, list: Ref, key: Value, reverse: bool) -> Res<()> {
        let len = self.list_len(list);
        let Some(storage) = self.list_storage(list).filter(|_| len > 1 || !key.is_none()) else {
            return Ok(());
        };
        let scope = self.root(storage.into())?;
        let header = Header::new(Kind::Slots, if key.is_none() { len / 2 + 1 } else { len + 2 });
        if header.count() > Header::MAX_COUNT / 4 {
            return Err(self.raise_memory());
        }
        let spare = self.alloc(header)?;
        self.root(spare.into())?;
        self.heap.set_list_len(list, 0);
        self.heap.set_value(list, 0, Value::UNBOUND);
        let result = match key {
            Value::NONE => self.sort_items(storage, spare, len, reverse),
            _ => self.sort_by_key(storage, spare, len, key, reverse),
        };
        let changed = self.list_len(list) != 0;
        self.heap.set_value(list, 0, storage.into());
        self.heap.set_list_len(list, len);
        self.heap.free(spare);
        self.release(scope);
        result?;
        if changed {
            return Err(self.raise(ids::ValueError, "list modified during sort"));
        }
        Ok(())
    }

    fn sort_items(&mut self, items: Ref, spare: Ref, len: u32, reverse: bool) -> Res<()> {
        let values = self.heap.values(items, 0, len);
        if values.iter().all(|value| value.is_small()) {
            let (items, spare) = self.heap.values_pair_mut(items, len, spare, len / 2 + 1);
            sort_slice(items, spare, |a, b| order(*a) < order(*b));
            if reverse {
                items.reverse();
            }
            return Ok(());
        }
        self.merge_sort(
            &Job { items, spare, stride: 1, reverse, strings: self.all_strings(items, len, 1) },
            len,
        )
    }

    /// Calls the key function once for each item, and sorts pairs of key and item.
    fn sort_by_key(&mut self, storage: Ref, spare: Ref, len: u32, key: Value, reverse: bool) -> Res<()> {
        let pairs = self.alloc(Header::new(Kind::Slots, 2 * len))?;
        self.root(pairs.into())?;
        for i in 0..len {
            let item = self.heap.slot(storage, i);
            let made = self.call(key, &[item])?;
            self.heap.set_slot(pairs, 2 * i, made);
            self.heap.set_slot(pairs, 2 * i + 1, item);
        }
        let result = self.sort_pairs(pairs, spare, len, reverse);
        for i in 0..len {
            let item = self.heap.slot(pairs, 2 * i + 1);
            self.heap.set_slot(storage, i, item);
        }
        self.heap.free(pairs);
        result
    }

    fn sort_pairs(&mut self, pairs: Ref, spare: Ref, len: u32, reverse: bool) -> Res<()> {
        let values = self.heap.values(pairs, 0, 2 * len);
        if values.iter().step_by(2).all(|value| value.is_small()) {
            let (pairs, spare) = self.heap.values_pair_mut(pairs, 2 * len, spare, len + 2);
            let (pairs, _) = pairs.as_chunks_mut::<2>();
            let (spare, _) = spare.as_chunks_mut::<2>();
            // Reversed before and after, equal keys keep their order.
            if reverse {
                pairs.reverse();
            }
            sort_slice(pairs, spare, |a, b| order(a[0]) < order(b[0]));
            if reverse {
                pairs.reverse();
            }
            return Ok(());
        }
        let strings = self.all_strings(pairs, len, 2);
        self.merge_sort(&Job { items: pairs, spare, stride: 2, reverse, strings }, len)
    }

    fn all_strings(&self, items: Ref, len: u32, stride: u32) -> bool {
        (0..len).all(|i| self.is_str(self.heap.slot(items, i * stride)))
    }

    /// Sorts runs by insertion, then merges neighbours until one is left.
    fn merge_sort(&mut self, job: &Job, len: u32) -> Res<()> {
        for start in (0..len).step_by(RUN as usize) {
            self.insertion_sort(job, start, (start + RUN).min(len))?;
        }
        let mut width = RUN;
        while width < len {
            let mut start = 0;
            while start + width < len {
                self.merge(job, start, start + width, (start + 2 * width).min(len))?;
                start += 2 * width;
            }
            width *= 2;
        }
        Ok(())
    }

    /// Whether item `right` must stand before an item that stands left of it.
    fn before(&mut self, job: &Job, right: Value, left: Value) -> Res<bool> {
        let (a, b) = if job.reverse { (left, right) } else { (right, left) };
        if a.both_small(b) {
            return Ok(order(a) < order(b));
        }
        if job.strings {
            return Ok(self.text_less(a, b));
        }
        let answer = self.binary(BinaryOp::Lt, a, b)?;
        self.truth(answer)
    }

    fn text_less(&self, a: Value, b: Value) -> bool {
        match (self.str_span(a), self.str_span(b)) {
            // UTF-8 sorts as its code points do.
            (Some(a), Some(b)) => self.bytes_at(a) < self.bytes_at(b),
            _ => false,
        }
    }

    fn insertion_sort(&mut self, job: &Job, start: u32, end: u32) -> Res<()> {
        for i in start + 1..end {
            let mut at = i;
            while at > start {
                let (right, left) = (job.get(self, at), job.get(self, at - 1));
                if !self.before(job, right, left)? {
                    break;
                }
                self.swap_items(job, at, at - 1);
                at -= 1;
            }
        }
        Ok(())
    }

    fn swap_items(&mut self, job: &Job, i: u32, j: u32) {
        for part in 0..job.stride {
            let (i, j) = (i * job.stride + part, j * job.stride + part);
            let (a, b) = (self.heap.slot(job.items, i), self.heap.slot(job.items, j));
            self.heap.set_slot(job.items, i, b);
            self.heap.set_slot(job.items, j, a);
        }
    }

    /// Merges `start..middle` and `middle..end`. The left part is at most half of all items, rounded up to a power of
    /// two of runs; when it is longer than the right one, the right one is moved out of the way instead.
    fn merge(&mut self, job: &Job, start: u32, middle: u32, end: u32) -> Res<()> {
        let (first_right, last_left) = (job.get(self, middle), job.get(self, middle - 1));
        if !self.before(job, first_right, last_left)? {
            return Ok(());
        }
        match middle - start <= end - middle {
            true => self.merge_forward(job, start, middle, end),
            false => self.merge_backward(job, start, middle, end),
        }
    }

    fn merge_forward(&mut self, job: &Job, start: u32, middle: u32, end: u32) -> Res<()> {
        let count = middle - start;
        job.copy(self, job.spare, 0, job.items, start, count);
        let (mut left, mut right, mut to) = (0, middle, start);
        let mut result = Ok(());
        while left < count && right < end {
            let (a, b) = (self.heap.slot(job.spare, left * job.stride), job.get(self, right));
            match self.before(job, b, a) {
                Ok(true) => {
                    job.copy(self, job.items, to, job.items, right, 1);
                    right += 1;
                }
                Ok(false) => {
                    job.copy(self, job.items, to, job.spare, left, 1);
                    left += 1;
                }
                Err(raised) => {
                    result = Err(raised);
                    break;
                }
            }
            to += 1;
        }
        job.copy(self, job.items, to, job.spare, left, count - left);
        result
    }

    fn merge_backward(&mut self, job: &Job, start: u32, middle: u32, end: u32) -> Res<()> {
        let count = end - middle;
        job.copy(self, job.spare, 0, job.items, middle, count);
        let (mut left, mut right, mut to) = (middle, count, end);
        let mut result = Ok(());
        while left > start && right > 0 {
            let (a, b) = (job.get(self, left - 1), self.heap.slot(job.spare, (right - 1) * job.stride));
            match self.before(job, b, a) {
                Ok(true) => {
                    job.copy(self, job.items, to - 1, job.items, left - 1, 1);
                    left -= 1;
                }
                Ok(false) => {
                    job.copy(self, job.items, to - 1, job.spare, right - 1, 1);
                    right -= 1;
                }
                Err(raised) => {
                    result = Err(raised);
                    break;
                }
            }
            to -= 1;
        }
        job.copy(self, job.items, to - right, job.spare, 0, right);
        result
    }
}

/// What is being sorted: items of `stride` words, the first of which is compared.
struct Job {
    items: Ref,
    spare: Ref,
    stride: u32,
    reverse: bool,
    strings: bool,
}

impl Job {
    fn get(&self, vm: &Vm, index: u32) -> Value {
        vm.heap.slot(self.items, index * self.stride)
    }

    fn copy(&self, vm: &mut Vm, to: Ref, to_index: u32, from: Ref, from_index: u32, count: u32) {
        let size = 4 * self.stride;
        vm.heap.copy(to, to_index * size, from, from_index * size, count * size);
    }
}

/// Small ints compare as their words do.
#[inline(always)]
fn order(value: Value) -> i32 {
    value.bits() as i32
}

/// The same sort on plain memory, for comparisons that run no code: `before(right, left)` says whether they must change
/// places. `spare` has room for half of the items.
fn sort_slice<T: Copy>(items: &mut [T], spare: &mut [T], before: impl Fn(&T, &T) -> bool) {
    let run = RUN as usize;
    for chunk in items.chunks_mut(run) {
        for i in 1..chunk.len() {
            let moving = chunk[i];
            let mut at = i;
            while at > 0 && before(&moving, &chunk[at - 1]) {
                chunk[at] = chunk[at - 1];
                at -= 1;
            }
            chunk[at] = moving;
        }
    }
    let mut width = run;
    while width < items.len() {
        for pair in items.chunks_mut(2 * width) {
            if pair.len() > width && before(&pair[width], &pair[width - 1]) {
                merge_slice(pair, width, spare, &before);
            }
        }
        width *= 2;
    }
}

fn merge_slice<T: Copy>(pair: &mut [T], middle: usize, spare: &mut [T], before: &impl Fn(&T, &T) -> bool) {
    let len = pair.len();
    if middle <= len - middle {
        let left = &mut spare[..middle];
        left.copy_from_slice(&pair[..middle]);
        let (mut right, mut to) = (middle, 0);
        for item in left.iter() {
            while right < len && before(&pair[right], item) {
                pair[to] = pair[right];
                (to, right) = (to + 1, right + 1);
            }
            pair[to] = *item;
            to += 1;
        }
    } else {
        let right = &mut spare[..len - middle];
        right.copy_from_slice(&pair[middle..]);
        let (mut left, mut to) = (middle, len);
        for item in right.iter().rev() {
            while left > 0 && before(item, &pair[left - 1]) {
                (to, left) = (to - 1, left - 1);
                pair[to] = pair[left];
            }
            to -= 1;
            pair[to] = *item;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    fn numbers(len: usize, below: u32) -> Vec<u32> {
        let mut seed = len as u32;
        (0..len)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 8) % below
            })
            .collect()
    }

    #[test]
    fn plain_memory_is_sorted_and_equal_items_keep_their_order() {
        for len in (0..70).chain([100, 127, 128, 129, 1000]) {
            for below in [1, 2, 10, 100_000] {
                let numbers = numbers(len, below);
                let mut pairs: Vec<(u32, usize)> = numbers.iter().copied().zip(0..).collect();
                let mut spare = vec![(0, 0); len / 2 + 1];
                sort_slice(&mut pairs, &mut spare, |a, b| a.0 < b.0);
                let mut expected: Vec<(u32, usize)> = numbers.iter().copied().zip(0..).collect();
                expected.sort_by_key(|pair| pair.0);
                assert_eq!(pairs, expected, "{len} numbers below {below}");
            }
        }
    }

    #[test]
    fn sorted_and_reversed_input_is_sorted() {
        for len in [2, 9, 64, 65, 500] {
            let mut up: Vec<u32> = (0..len).collect();
            let mut down: Vec<u32> = (0..len).rev().collect();
            let mut spare = vec![0; len as usize / 2 + 1];
            sort_slice(&mut up, &mut spare, |a, b| a < b);
            sort_slice(&mut down, &mut spare, |a, b| a < b);
            assert!(up.is_sorted() && down.is_sorted());
        }
    }
}
