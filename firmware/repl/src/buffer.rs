//! Memory for the text being entered.
//!
//! Invariant: an edit that does not fit changes nothing.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::ops::Range;

/// There is no room for more text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Bytes that can be edited in the middle.
pub trait LineBuffer {
    /// All bytes entered so far.
    fn as_bytes(&self) -> &[u8];

    /// Inserts `bytes` before position `at`, which is at most the length.
    ///
    /// # Errors
    /// [`Full`] if they do not fit; then nothing has changed.
    fn insert(&mut self, at: usize, bytes: &[u8]) -> Result<(), Full>;

    /// Removes a range that lies within the text.
    fn remove(&mut self, range: Range<usize>);

    /// Removes everything, and gives memory back where that is possible.
    fn clear(&mut self);

    /// How many bytes have been entered.
    fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether nothing has been entered.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Text in memory of fixed size.
#[derive(Debug)]
pub struct SliceBuffer<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl<'a> SliceBuffer<'a> {
    /// An empty text that may grow to the size of `bytes`.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, len: 0 }
    }
}

impl LineBuffer for SliceBuffer<'_> {
    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn insert(&mut self, at: usize, bytes: &[u8]) -> Result<(), Full> {
        if bytes.len() > self.bytes.len() - self.len {
            return Err(Full);
        }
        self.bytes.copy_within(at..self.len, at + bytes.len());
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
        Ok(())
    }

    fn remove(&mut self, range: Range<usize>) {
        self.bytes.copy_within(range.end..self.len, range.start);
        self.len -= range.len();
    }

    fn clear(&mut self) {
        self.len = 0;
    }
}

/// Text on the global allocator, up to a limit.
#[cfg(feature = "alloc")]
#[derive(Debug)]
pub struct VecBuffer {
    bytes: Vec<u8>,
    limit: usize,
}

#[cfg(feature = "alloc")]
impl VecBuffer {
    /// An empty text that may grow to `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit }
    }
}

#[cfg(feature = "alloc")]
impl LineBuffer for VecBuffer {
    fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn insert(&mut self, at: usize, bytes: &[u8]) -> Result<(), Full> {
        if bytes.len() > self.limit - self.bytes.len() || self.bytes.try_reserve(bytes.len()).is_err() {
            return Err(Full);
        }
        self.bytes.splice(at..at, bytes.iter().copied());
        Ok(())
    }

    fn remove(&mut self, range: Range<usize>) {
        self.bytes.drain(range);
    }

    fn clear(&mut self) {
        self.bytes = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_in_the_middle_and_refuses_what_does_not_fit() {
        let mut memory = [0; 5];
        let mut line = SliceBuffer::new(&mut memory);
        line.insert(0, b"ad").unwrap();
        line.insert(1, b"bc").unwrap();
        assert_eq!(line.insert(4, b"ef"), Err(Full));
        assert_eq!(line.as_bytes(), b"abcd");
        line.remove(1..3);
        assert_eq!(line.as_bytes(), b"ad");
        line.clear();
        assert!(line.is_empty());
    }
}
