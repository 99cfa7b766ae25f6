//! State of the main program that functions without arguments reach.
//!
//! Invariant: interrupt handlers never touch a [`MainCell`]; what they share with the main program is atomic. There is
//! one core and one thread, so a borrow flag is all that is needed.

use core::cell::RefCell;

/// A place for one value.
pub struct MainCell<T>(RefCell<Option<T>>);

// SAFETY: only the main program uses it (see the module's invariant), so nothing happens at the same time.
unsafe impl<T> Sync for MainCell<T> {}

impl<T> MainCell<T> {
    /// An empty place.
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }

    /// Fills the place.
    pub fn set(&self, value: T) {
        *self.0.borrow_mut() = Some(value);
    }

    /// Lends the value for the length of one call.
    ///
    /// # Panics
    /// If the place is empty, or the value is lent already.
    pub fn with<R>(&self, function: impl FnOnce(&mut T) -> R) -> R {
        function(self.0.borrow_mut().as_mut().expect("the board is set up first"))
    }
}
