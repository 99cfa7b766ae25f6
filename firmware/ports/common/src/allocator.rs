//! What Rust allocates from on a machine with one thread: the compiler's working memory, and the line being entered.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::NonNull;

use linked_list_allocator::Heap;

/// The allocator; empty until [`Allocator::set_up`].
pub struct Allocator(UnsafeCell<Heap>);

// SAFETY: there is one thread, and interrupt handlers do not allocate.
unsafe impl Sync for Allocator {}

impl Allocator {
    /// Without memory.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it is a static")]
    pub const fn new() -> Self {
        Self(UnsafeCell::new(Heap::empty()))
    }

    /// Gives it its memory. Called once.
    ///
    /// # Safety
    /// The memory belongs to the allocator alone, for ever.
    pub unsafe fn set_up(&self, start: *mut u8, bytes: usize) {
        // SAFETY: as promised; nobody else uses the heap now.
        unsafe { (*self.0.get()).init(start, bytes) };
    }
}

// SAFETY: passes on what the list allocator promises.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: nobody else uses the heap now (one thread, no recursion).
        let heap = unsafe { &mut *self.0.get() };
        heap.allocate_first_fit(layout).map_or(core::ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: as above; the caller vouches for the pointer.
        unsafe {
            if let Some(start) = NonNull::new(start) {
                (*self.0.get()).deallocate(start, layout);
            }
        }
    }
}
