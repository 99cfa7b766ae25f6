//! A vector that reports exhaustion of memory instead of aborting. Every allocation of the compiler goes through it.

use crate::error::Failure;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

/// A growable array whose growth can fail.
#[derive(Debug)]
pub(crate) struct Buffer<T>(Vec<T>);

impl<T> Buffer<T> {
    pub(crate) const fn new() -> Self {
        Buffer(Vec::new())
    }

    /// Grows by half, so that the peak stays near what is used; a doubling vector would cost a board its last block.
    fn reserve(&mut self, more: usize) -> Result<(), Failure> {
        if self.0.capacity() - self.0.len() < more {
            let growth = (self.0.len() / 2).max(more).max(16);
            self.0.try_reserve_exact(growth).map_err(|_| Failure::MEMORY)?;
        }
        Ok(())
    }

    pub(crate) fn push(&mut self, item: T) -> Result<(), Failure> {
        self.reserve(1)?;
        self.0.push(item);
        Ok(())
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl<T: Copy> Buffer<T> {
    pub(crate) fn extend(&mut self, items: &[T]) -> Result<(), Failure> {
        self.reserve(items.len())?;
        self.0.extend_from_slice(items);
        Ok(())
    }

    /// Appends a copy of the buffer's own items from `start` on, which are then removed: moves a scratch tail.
    pub(crate) fn take_tail(&mut self, start: usize, target: &mut Buffer<T>) -> Result<(), Failure> {
        target.extend(&self.0[start..])?;
        self.0.truncate(start);
        Ok(())
    }

    /// Makes room for `count` copies of `item` at `index`.
    pub(crate) fn insert(&mut self, index: usize, items: &[T]) -> Result<(), Failure> {
        let len = self.0.len();
        self.extend(items)?;
        self.0.copy_within(index..len, index + items.len());
        self.0[index..index + items.len()].copy_from_slice(items);
        Ok(())
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}
