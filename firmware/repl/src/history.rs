//! Lines entered before, newest first, in memory of fixed size.
//!
//! Layout: entries back to back from the start of the store, newest first, each followed by a zero byte. The oldest ones
//! fall off the end. A line that is longer than the whole store is not kept.

/// How many lines are remembered, as on MicroPython's boards.
const ENTRIES_MAX: usize = 8;

/// Lines entered before.
#[derive(Debug)]
pub struct History<'a> {
    store: &'a mut [u8],
    used: usize,
    entries: usize,
    entries_max: usize,
}

impl<'a> History<'a> {
    /// An empty history of at most eight lines that fit in `store`, one byte extra for each.
    pub fn new(store: &'a mut [u8]) -> Self {
        Self::with_entries(store, ENTRIES_MAX)
    }

    /// An empty history of at most `entries_max` lines.
    pub fn with_entries(store: &'a mut [u8], entries_max: usize) -> Self {
        Self { store, used: 0, entries: 0, entries_max }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.used = 0;
        self.entries = 0;
    }

    /// The line entered `index` lines ago; 0 is the last one.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        if index >= self.entries {
            return None;
        }
        self.store[..self.used].split(|&byte| byte == 0).nth(index)
    }

    /// Remembers a line, unless it is empty, equal to the last one, or too long.
    pub fn push(&mut self, line: &[u8]) {
        let size = line.len() + 1;
        if line.is_empty() || size > self.store.len() || line.contains(&0) || self.get(0) == Some(line) {
            return;
        }
        while self.entries >= self.entries_max || self.used + size > self.store.len() {
            self.drop_oldest();
        }
        self.store.copy_within(..self.used, size);
        self.store[..line.len()].copy_from_slice(line);
        self.store[line.len()] = 0;
        self.used += size;
        self.entries += 1;
    }

    fn drop_oldest(&mut self) {
        let before_last_zero = &self.store[..self.used - 1];
        self.used = before_last_zero.iter().rposition(|&byte| byte == 0).map_or(0, |zero| zero + 1);
        self.entries -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_first_without_repeats() {
        let mut store = [0; 64];
        let mut history = History::new(&mut store);
        for line in [&b"a"[..], b"b", b"b", b"", b"a"] {
            history.push(line);
        }
        assert_eq!(
            [history.get(0), history.get(1), history.get(2)],
            [Some(&b"a"[..]), Some(b"b"), Some(b"a")]
        );
        assert_eq!(history.get(3), None);
    }

    #[test]
    fn the_oldest_lines_fall_off() {
        let mut store = [0; 8];
        let mut history = History::new(&mut store);
        history.push(b"one");
        history.push(b"two");
        history.push(b"x");
        assert_eq!(history.get(0), Some(&b"x"[..]));
        assert_eq!(history.get(1), Some(&b"two"[..]));
        assert_eq!(history.get(2), None);
        history.push(b"too long to keep");
        assert_eq!(history.get(0), Some(&b"x"[..]));
    }

    #[test]
    fn no_more_than_eight() {
        let mut store = [0; 64];
        let mut history = History::new(&mut store);
        for digit in b'0'..=b'9' {
            history.push(&[digit]);
        }
        assert_eq!(history.get(7), Some(&b"2"[..]));
        assert_eq!(history.get(8), None);
    }
}
