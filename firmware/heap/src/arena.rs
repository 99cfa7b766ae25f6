//! The arena: one span of memory, one bit for every 8 bytes of it, and a cursor that fills holes.
//!
//! A set bit means "not to be given out": a cell, the hole that is being filled, or memory that is not ours (the gaps
//! between regions, the bitmap itself). Allocation bumps a pointer through the current hole; when the hole is full, the
//! next one is found by scanning the bitmap from there on, so between two collections the bitmap is walked once.
//! Larger requests look for their own place and leave the current hole alone. There is no sweep: a collection rebuilds
//! the bitmap by marking, and holes are what stays clear.

use core::mem::MaybeUninit;
use core::ptr::NonNull;

use crate::cell::{Header, Kind};
use crate::stack::{Frame, Window};
use crate::value::{Ref, Value};

/// Bytes of the unit in which memory is given out.
pub(crate) const GRANULE: u32 = 8;
/// Words behind a [`Ref`] that may be read or written without a check.
pub const MAX_FIXED_WORDS: u32 = 256;
/// Slots that must remain above a frame's first register.
const WINDOW: u32 = 256;
/// Requests above this look for a place of their own.
const LARGE: u32 = 128;
/// Ranges of the span that are not ours.
const MAX_RESERVED: usize = 8;

/// A piece of memory for the arena. On 32-bit targets its addresses are used as they are.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    /// First byte, 8-byte aligned.
    pub start: NonNull<u8>,
    /// Length in bytes.
    pub len: usize,
}

/// Values that live outside the register stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Root {
    /// The exception being raised.
    Raised,
    /// The table of interned names made at run time.
    Interned,
    /// `sys.modules`
    Modules,
    /// The globals of `__main__`.
    Main,
    /// `sys.path`
    Path,
    /// `sys.argv`
    Argv,
    /// Constants of the compilation in progress.
    Compiling,
    /// Scheduled calls.
    Scheduled,
    /// The globals of the running function.
    Globals,
    /// `MemoryError` made ahead of need.
    MemoryError,
    /// State of the port.
    Port,
    /// Mounted file systems.
    Mounts,
    /// `builtins` names set at run time.
    Builtins,
    /// `sys.ps1`, `sys.ps2`, `sys.exitfunc` and the like.
    Sys,
    /// What the last generator returned.
    Returned,
    /// The working directory.
    Directory,
    /// The stream beside the console.
    Duplicate,
    /// Sockets that somebody waits for, with whom to call.
    Watched,
    /// The object of `espnow`.
    EspNow,
    /// How many there are.
    Count,
}

/// What the heap can say about itself, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Given out.
    pub used: u32,
    /// Not given out.
    pub free: u32,
    /// Largest hole.
    pub largest_free: u32,
    /// Collections so far.
    pub collections: u32,
}

/// The memory of one interpreter. What every instruction uses comes first, where a short offset reaches it.
#[repr(C)]
pub struct Heap {
    #[cfg(not(target_pointer_width = "32"))]
    base: NonNull<u8>,
    stack: NonNull<Value>,
    stack_len: u32,
    top: u32,
    /// The hole being filled.
    cursor: u32,
    hole_end: u32,
    /// First granule's offset, and the end of the span: offsets of bytes.
    pub(crate) start: u32,
    pub(crate) end: u32,
    bitmap: NonNull<u32>,
    bitmap_words: u32,
    /// Granule from which the next hole is sought.
    scan: u32,
    /// Granule from which the next large place is sought.
    large_scan: u32,
    pub(crate) collections: u32,
    enabled: bool,
    /// The newest weak cell.
    pub(crate) weak: Value,
    /// A target of a weak cell died and its callback was not made yet.
    pub(crate) weak_died: bool,
    /// Bytes after whose allocation a collection is asked for, and how many are left until then.
    threshold: Option<u32>,
    until_collection: u32,
    /// Nothing is given out. While it is set the current hole is empty, so that the fast path needs no check.
    locked: bool,
    /// Fails the allocation after this many, for tests (zero: never). The current hole is empty meanwhile.
    fail_after: u32,
    failing: bool,
    pub(crate) roots: [Value; Root::Count as usize],
    reserved_len: usize,
    pub(crate) reserved: [(u32, u32); MAX_RESERVED],
    pub(crate) mark_stack: [(u32, u32); crate::collect::MARK_STACK],
    /// Something that was marked is still to be traced, but the mark stack was full.
    pub(crate) mark_stack_overflowed: bool,
}

/// Stops at a place outside the arena or the stack. The way out is apart from its many callers, which pay one branch.
#[inline(always)]
fn check(is_inside: bool) {
    if !is_inside {
        stop_outside();
    }
}

#[cold]
#[inline(never)]
fn stop_outside() -> ! {
    panic!("outside the Python heap or stack");
}

/// Copies a few values, four at a time.
///
/// # Safety
/// Both places must hold so many, and not overlap.
#[inline(always)]
#[expect(unsafe_code, reason = "a copy between arena and stack")]
unsafe fn copy_values(mut from: *const Value, mut to: *mut Value, count: u32) {
    // SAFETY: the caller vouches for `count` values at both places.
    unsafe {
        let end = from.add(count as usize);
        let fours = from.add((count & !3) as usize);
        while from < fours {
            let four = [*from, *from.add(1), *from.add(2), *from.add(3)];
            *to.cast() = four;
            (from, to) = (from.add(4), to.add(4));
        }
        while from < end {
            *to = *from;
            (from, to) = (from.add(1), to.add(1));
        }
    }
}

impl Heap {
    /// Takes over `regions` (in ascending order, inside 4 GiB of each other) as the arena and `stack` as the register
    /// stack.
    ///
    /// # Panics
    /// If there is no region, the first one cannot hold the bitmap, or the stack is too small for one frame.
    ///
    /// # Safety
    /// The memory must be valid for reads and writes, used by nobody else, and outlive the heap and every [`Window`].
    #[expect(unsafe_code, reason = "the caller vouches for the memory")]
    pub unsafe fn new(regions: &[Region], stack: &'static mut [Value]) -> Heap {
        assert!(
            stack.len() >= 2 * WINDOW as usize && stack.len() < 0x1_0000,
            "register stack of unsuitable size"
        );
        stack.fill(Value::UNBOUND);
        let first = regions.first().expect("at least one region");
        let last = regions.last().expect("at least one region");
        let start_address = first.start.as_ptr() as usize;
        let span = (last.start.as_ptr() as usize + last.len - start_address) as u32 & !(GRANULE - 1);
        // On 64-bit hosts offsets start above zero, which means "unbound".
        #[cfg(not(target_pointer_width = "32"))]
        let start = GRANULE;
        #[cfg(target_pointer_width = "32")]
        let start = start_address as u32;
        let bitmap_words = (span / GRANULE).div_ceil(32);
        let mut heap = Heap {
            // SAFETY: the result is only used with offsets of at least `start`, which lead back into the region.
            #[cfg(not(target_pointer_width = "32"))]
            base: unsafe { NonNull::new_unchecked(first.start.as_ptr().wrapping_sub(start as usize)) },
            start,
            end: start + span,
            bitmap: first.start.cast(),
            bitmap_words,
            reserved: [(0, 0); MAX_RESERVED],
            reserved_len: 0,
            cursor: 0,
            hole_end: 0,
            scan: 0,
            large_scan: 0,
            stack: NonNull::from(&mut *stack).cast(),
            stack_len: stack.len() as u32,
            top: 1,
            roots: [Value::UNBOUND; Root::Count as usize],
            mark_stack: [(0, 0); crate::collect::MARK_STACK],
            mark_stack_overflowed: false,
            collections: 0,
            enabled: true,
            weak: Value::UNBOUND,
            weak_died: false,
            threshold: None,
            until_collection: 0,
            locked: false,
            fail_after: 0,
            failing: false,
        };
        let bitmap_bytes = (bitmap_words * 4).next_multiple_of(GRANULE);
        assert!((bitmap_bytes as usize) < first.len, "the first region is too small for the bitmap");
        heap.reserve(start, start + bitmap_bytes);
        for pair in regions.windows(2) {
            let gap_start = pair[0].start.as_ptr() as usize + pair[0].len - start_address;
            let gap_end = pair[1].start.as_ptr() as usize - start_address;
            heap.reserve(start + gap_start as u32, start + gap_end as u32);
        }
        // The last words are a margin for unchecked reads behind a reference.
        let margin = heap.end - MAX_FIXED_WORDS * 4;
        heap.reserve(margin, heap.end);
        heap.clear_bitmap();
        heap.restart_cursor();
        heap
    }

    fn reserve(&mut self, from: u32, to: u32) {
        self.reserved[self.reserved_len] = (from & !(GRANULE - 1), to.next_multiple_of(GRANULE));
        self.reserved_len += 1;
    }

    /// Collects, and gives up `bytes` at the arena's end if no cell lives there; `None` if one does.
    #[expect(unsafe_code, reason = "part of the arena gets another owner")]
    pub fn give_up(&mut self, bytes: u32) -> Option<&'static mut [MaybeUninit<u8>]> {
        self.collect();
        let bytes = bytes.next_multiple_of(GRANULE);
        let (margin, _) = self.reserved[self.reserved_len - 1];
        let from = margin.checked_sub(bytes).filter(|from| *from >= self.start)?;
        if self.find_bit(self.granule(from), u32::MAX) != Some(self.granule(margin)) {
            return None;
        }
        self.end -= bytes;
        self.reserved[self.reserved_len - 1] = (from, self.end);
        self.set_bits(self.granule(from), self.bitmap_words * 32);
        // SAFETY: the memory was the arena's alone, outlives it, and is not the arena's any more.
        Some(unsafe { core::slice::from_raw_parts_mut(self.address(self.end).cast(), bytes as usize) })
    }

    // ---- raw memory ----

    #[inline(always)]
    pub(crate) fn address(&self, offset: u32) -> *mut u8 {
        #[cfg(target_pointer_width = "32")]
        return offset as usize as *mut u8;
        #[cfg(not(target_pointer_width = "32"))]
        self.base.as_ptr().wrapping_add(offset as usize)
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "the arena is raw memory")]
    pub(crate) fn read(&self, offset: u32) -> u32 {
        debug_assert!(offset >= self.start && offset + 4 <= self.end, "read outside the arena");
        // SAFETY: callers pass an offset at most `MAX_FIXED_WORDS` behind a `Ref`, or one they compared with `end`.
        unsafe { *self.address(offset).cast::<u32>() }
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "the arena is raw memory")]
    pub(crate) fn write(&mut self, offset: u32, word: u32) {
        debug_assert!(offset >= self.start && offset + 4 <= self.end, "write outside the arena");
        // SAFETY: as in `read`.
        unsafe { *self.address(offset).cast::<u32>() = word }
    }

    // ---- cells ----

    /// A cell's header.
    #[inline(always)]
    pub fn header(&self, at: Ref) -> Header {
        Header::from_bits(self.read(at.0))
    }

    /// A cell's kind.
    #[inline(always)]
    pub fn kind(&self, at: Ref) -> Kind {
        self.header(at).kind()
    }

    /// The kind of a value that is a cell.
    #[inline(always)]
    pub fn kind_of(&self, value: Value) -> Option<Kind> {
        value.as_cell().map(|at| self.kind(at))
    }

    /// The cell, if `value` is one of this kind.
    #[inline(always)]
    pub fn as_kind(&self, value: Value, kind: Kind) -> Option<Ref> {
        match value.as_cell() {
            Some(at) if self.header(at).kind() == kind => Some(at),
            _ => None,
        }
    }

    /// Changes a cell's kind to one with the same layout.
    pub fn set_kind(&mut self, at: Ref, kind: Kind) {
        let header = self.header(at);
        debug_assert!(header.kind().layout() == kind.layout());
        self.write(at.0, Header::new(kind, header.count()).bits());
    }

    /// Sets how many items a list has.
    #[inline(always)]
    pub fn set_list_len(&mut self, list: Ref, len: u32) {
        debug_assert!(self.kind(list) == Kind::List && len <= Header::MAX_COUNT);
        self.write(list.0, Header::new(Kind::List, len).bits());
    }

    /// Raw word `index` behind the header; `index` is below [`MAX_FIXED_WORDS`].
    #[inline(always)]
    pub fn word(&self, at: Ref, index: u32) -> u32 {
        debug_assert!(index < MAX_FIXED_WORDS - 1 && 8 + 4 * index <= self.header(at).size_bytes());
        self.read(at.0 + 4 + 4 * index)
    }

    /// Sets raw word `index`.
    #[inline(always)]
    pub fn set_word(&mut self, at: Ref, index: u32, word: u32) {
        debug_assert!(index < MAX_FIXED_WORDS - 1 && 8 + 4 * index <= self.header(at).size_bytes());
        self.write(at.0 + 4 + 4 * index, word);
    }

    /// Value `index` behind the header; `index` is below [`MAX_FIXED_WORDS`].
    #[inline(always)]
    pub fn value(&self, at: Ref, index: u32) -> Value {
        Value::from_bits(self.word(at, index))
    }

    /// Sets value `index`.
    #[inline(always)]
    pub fn set_value(&mut self, at: Ref, index: u32, value: Value) {
        self.set_word(at, index, value.bits());
    }

    /// Value `index` of a cell of any length.
    ///
    /// # Panics
    /// If that is outside the arena (only possible with a stale reference or a wrong index).
    #[inline(always)]
    pub fn slot(&self, at: Ref, index: u32) -> Value {
        let offset = at.0 + 4 + 4 * index;
        check(offset < self.end);
        Value::from_bits(self.read(offset))
    }

    /// Sets value `index` of a cell of any length.
    ///
    /// # Panics
    /// As [`Heap::slot`].
    #[inline(always)]
    pub fn set_slot(&mut self, at: Ref, index: u32, value: Value) {
        let offset = at.0 + 4 + 4 * index;
        check(offset < self.end);
        self.write(offset, value.bits());
    }

    /// `len` values of a cell from position `first`.
    ///
    /// # Panics
    /// If they are not inside the arena.
    #[expect(unsafe_code, reason = "a slice of the arena")]
    pub fn values(&self, at: Ref, first: u32, len: u32) -> &[Value] {
        let offset = at.0 + 4 + 4 * first;
        check(u64::from(offset) + 4 * u64::from(len) <= u64::from(self.end));
        // SAFETY: inside the arena (just checked), aligned, and borrowed as `self` is. `Value` is any word.
        unsafe { core::slice::from_raw_parts(self.address(offset).cast(), len as usize) }
    }

    /// As [`Heap::values`], to change them.
    ///
    /// # Panics
    /// As [`Heap::values`].
    #[expect(unsafe_code, reason = "a slice of the arena")]
    pub fn values_mut(&mut self, at: Ref, first: u32, len: u32) -> &mut [Value] {
        let offset = at.0 + 4 + 4 * first;
        check(u64::from(offset) + 4 * u64::from(len) <= u64::from(self.end));
        // SAFETY: as in `values`, borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(self.address(offset).cast(), len as usize) }
    }

    /// The first values of two cells, to change both.
    ///
    /// # Panics
    /// If they overlap or are not inside the arena.
    #[expect(unsafe_code, reason = "two slices of the arena")]
    pub fn values_pair_mut(
        &mut self,
        left: Ref,
        left_len: u32,
        right: Ref,
        right_len: u32,
    ) -> (&mut [Value], &mut [Value]) {
        let (a, b) = (u64::from(left.0) + 4, u64::from(right.0) + 4);
        let (a_end, b_end) = (a + 4 * u64::from(left_len), b + 4 * u64::from(right_len));
        check(a_end <= u64::from(self.end) && b_end <= u64::from(self.end));
        check(a_end <= b || b_end <= a);
        // SAFETY: inside the arena and apart from each other (just checked), aligned, borrowed mutably as `self` is.
        unsafe {
            (
                core::slice::from_raw_parts_mut(self.address(left.0 + 4).cast(), left_len as usize),
                core::slice::from_raw_parts_mut(self.address(right.0 + 4).cast(), right_len as usize),
            )
        }
    }

    /// The 16-bit number at position `index` of a cell of bytes.
    ///
    /// # Panics
    /// If it is outside the arena.
    #[inline(always)]
    #[expect(unsafe_code, reason = "the arena is raw memory")]
    pub fn half(&self, at: Ref, index: u32) -> u16 {
        let offset = at.0 + 4 + 2 * index;
        check(offset < self.end);
        // SAFETY: inside the arena (just checked; its end is a multiple of 8) and aligned.
        unsafe { *self.address(offset).cast::<u16>() }
    }

    /// Sets a 16-bit number.
    ///
    /// # Panics
    /// As [`Heap::half`].
    #[inline(always)]
    #[expect(unsafe_code, reason = "the arena is raw memory")]
    pub fn set_half(&mut self, at: Ref, index: u32, number: u16) {
        let offset = at.0 + 4 + 2 * index;
        check(offset < self.end);
        // SAFETY: as in `half`.
        unsafe { *self.address(offset).cast::<u16>() = number }
    }

    /// The byte at position `index` of a cell of bytes.
    ///
    /// # Panics
    /// If it is outside the arena.
    #[inline(always)]
    #[expect(unsafe_code, reason = "the arena is raw memory")]
    pub fn byte(&self, at: Ref, index: u32) -> u8 {
        let offset = at.0 + 4 + index;
        check(offset < self.end);
        // SAFETY: inside the arena (just checked).
        unsafe { *self.address(offset) }
    }

    /// Sets a byte.
    ///
    /// # Panics
    /// As [`Heap::byte`].
    #[inline(always)]
    #[expect(unsafe_code, reason = "the arena is raw memory")]
    pub fn set_byte(&mut self, at: Ref, index: u32, byte: u8) {
        let offset = at.0 + 4 + index;
        check(offset < self.end);
        // SAFETY: as in `byte`.
        unsafe { *self.address(offset) = byte }
    }

    /// `len` bytes of a cell from byte `first` behind the header.
    ///
    /// # Panics
    /// If they are not inside the arena.
    #[expect(unsafe_code, reason = "a slice of the arena")]
    pub fn bytes(&self, at: Ref, first: u32, len: u32) -> &[u8] {
        let offset = at.0 + 4 + first;
        check(u64::from(offset) + u64::from(len) <= u64::from(self.end));
        // SAFETY: inside the arena (just checked) and borrowed as `self` is.
        unsafe { core::slice::from_raw_parts(self.address(offset), len as usize) }
    }

    /// As [`Heap::bytes`], to change them.
    ///
    /// # Panics
    /// As [`Heap::bytes`].
    #[expect(unsafe_code, reason = "a slice of the arena")]
    pub fn bytes_mut(&mut self, at: Ref, first: u32, len: u32) -> &mut [u8] {
        let offset = at.0 + 4 + first;
        check(u64::from(offset) + u64::from(len) <= u64::from(self.end));
        // SAFETY: as in `bytes`, borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(self.address(offset), len as usize) }
    }

    /// `len` raw words of a cell from word `first` behind the header.
    ///
    /// # Panics
    /// If they are not inside the arena.
    #[expect(unsafe_code, reason = "a slice of the arena")]
    pub fn words(&self, at: Ref, first: u32, len: u32) -> &[u32] {
        let offset = at.0 + 4 + 4 * first;
        check(u64::from(offset) + 4 * u64::from(len) <= u64::from(self.end));
        // SAFETY: inside the arena (just checked), aligned, and borrowed as `self` is.
        unsafe { core::slice::from_raw_parts(self.address(offset).cast(), len as usize) }
    }

    /// As [`Heap::words`], to change them.
    ///
    /// # Panics
    /// As [`Heap::words`].
    #[expect(unsafe_code, reason = "a slice of the arena")]
    pub fn words_mut(&mut self, at: Ref, first: u32, len: u32) -> &mut [u32] {
        let offset = at.0 + 4 + 4 * first;
        check(u64::from(offset) + 4 * u64::from(len) <= u64::from(self.end));
        // SAFETY: as in `words`, borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(self.address(offset).cast(), len as usize) }
    }

    /// Words of one cell to change and words of others to read meanwhile. Each place is a cell, its first word and a
    /// count.
    ///
    /// # Panics
    /// If one is not inside the arena, or if what is changed overlaps what is read.
    #[expect(unsafe_code, reason = "disjoint slices of the arena")]
    pub fn words_split<const N: usize>(
        &mut self,
        target: (Ref, u32, u32),
        sources: [(Ref, u32, u32); N],
    ) -> (&mut [u32], [&[u32]; N]) {
        let span = |(at, first, len): (Ref, u32, u32)| {
            let offset = at.0 + 4 + 4 * first;
            (u64::from(offset), u64::from(offset) + 4 * u64::from(len))
        };
        let (start, end) = span(target);
        check(end <= u64::from(self.end));
        for source in sources {
            let (from, to) = span(source);
            check(to <= u64::from(self.end) && (to <= start || end <= from));
        }
        let read = sources.map(|(at, first, len)| {
            // SAFETY: inside the arena and apart from the target (just checked), aligned, borrowed as `self` is.
            unsafe { core::slice::from_raw_parts(self.address(at.0 + 4 + 4 * first).cast(), len as usize) }
        });
        let address = self.address(target.0.0 + 4 + 4 * target.1);
        // SAFETY: as above; it is the only slice that is written.
        (unsafe { core::slice::from_raw_parts_mut(address.cast(), target.2 as usize) }, read)
    }

    /// Copies `len` bytes between cells (which may be the same), from byte `from_first` to byte `to_first`.
    ///
    /// # Panics
    /// If either range is not inside the arena.
    #[expect(unsafe_code, reason = "a copy inside the arena")]
    pub fn copy(&mut self, to: Ref, to_first: u32, from: Ref, from_first: u32, len: u32) {
        let (source, target) = (from.0 + 4 + from_first, to.0 + 4 + to_first);
        check(u64::from(source.max(target)) + u64::from(len) <= u64::from(self.end));
        // SAFETY: both ranges are inside the arena (just checked); `copy` allows overlap.
        unsafe { core::ptr::copy(self.address(source), self.address(target), len as usize) }
    }

    /// A place inside a cell as a reference of its own: word `index` behind the header. For instruction pointers.
    #[inline(always)]
    pub fn inner(&self, at: Ref, index: u32) -> Ref {
        Ref(at.0 + 4 + 4 * index)
    }

    /// The word at a place made by [`Heap::inner`], and the place after it.
    #[inline(always)]
    pub fn fetch(&self, at: Ref) -> (u32, Ref) {
        (self.read(at.0), Ref(at.0 + 4))
    }

    /// A place `words` away from one made by [`Heap::inner`].
    #[inline(always)]
    pub fn offset(&self, at: Ref, words: i32) -> Ref {
        Ref(at.0.wrapping_add((words as u32) << 2))
    }

    /// The address of byte `first` behind the header: that of the machine where references are addresses.
    pub fn address_of(&self, at: Ref, first: u32) -> u32 {
        at.0 + 4 + first
    }

    /// The cell of bytes that holds an address made by [`Heap::address_of`], and the byte's position behind the header.
    /// Walks the heap.
    pub fn find_bytes(&self, address: u32) -> Option<(Ref, u32)> {
        let mut granule = 0;
        while let Some(start) = self.find_bit(granule, u32::MAX) {
            let offset = self.start + start * GRANULE;
            if offset >= address {
                return None;
            }
            let hole = (self.cursor, self.hole_end);
            let skipped =
                self.reserved.iter().chain([&hole]).find(|(from, to)| (*from..*to).contains(&offset));
            if let Some((_, end)) = skipped {
                granule = self.granule(*end);
                continue;
            }
            let header = self.header(Ref(offset));
            let size = header.size_bytes();
            if address < offset + size {
                let is_bytes = header.kind() == Kind::Bytes && address >= offset + 4;
                return is_bytes.then(|| (Ref(offset), address - offset - 4));
            }
            granule = start + size.div_ceil(GRANULE);
        }
        None
    }

    /// How many words lie between the header's end of `cell` and the inner place `at`.
    pub fn position(&self, cell: Ref, at: Ref) -> u32 {
        (at.0 - cell.0 - 4) / 4
    }

    /// A place made by [`Heap::inner`] as a value that is no reference, to keep it in a cell.
    #[inline(always)]
    pub fn place_value(&self, at: Ref) -> Value {
        Value::small((at.0 >> 2) as i32)
    }

    /// The place that [`Heap::place_value`] kept.
    ///
    /// # Panics
    /// If it is outside the arena.
    #[inline(always)]
    pub fn kept_place(&self, value: Value) -> Ref {
        let offset = (value.small_unchecked() as u32) << 2;
        check(offset >= self.start && offset < self.end);
        Ref(offset)
    }

    // ---- allocation ----

    /// Makes a cell if that is possible without a collection; its contents are zero (all values unbound).
    #[inline(always)]
    pub fn alloc(&mut self, header: Header) -> Option<Ref> {
        let size = header.size_bytes().next_multiple_of(GRANULE);
        let at = self.cursor;
        // `size` is at most 2^26 and offsets are far from the end of the address space, so the sum cannot overflow.
        let next = at.wrapping_add(size);
        if next <= self.hole_end {
            self.cursor = next;
            self.format(at, header, size);
            return Some(Ref(at));
        }
        self.alloc_slow(header, size)
    }

    #[inline(always)]
    fn format(&mut self, at: u32, header: Header, size: u32) {
        self.write(at, header.bits());
        if size == GRANULE {
            self.write(at + 4, 0);
        } else {
            let mut offset = at + 4;
            while offset < at + size {
                self.write(offset, 0);
                offset += 4;
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&mut self, header: Header, size: u32) -> Option<Ref> {
        if self.fail_after > 0 {
            self.fail_after -= 1;
            if self.fail_after == 0 {
                self.failing = true;
            }
        }
        if self.failing || self.locked || self.collection_due(size) {
            return None;
        }
        let at = self.find(size)?;
        self.format(at, header, size);
        if self.fail_after > 0 {
            self.put_hole_back();
        }
        Some(Ref(at))
    }

    /// Whether the threshold is reached: says so once, then counts from the start.
    fn collection_due(&mut self, size: u32) -> bool {
        let Some(threshold) = self.threshold else { return false };
        if size > LARGE {
            self.until_collection = self.until_collection.saturating_sub(size);
        }
        let is_due = self.until_collection == 0;
        if is_due {
            self.until_collection = threshold.max(1);
        }
        is_due
    }

    fn find(&mut self, size: u32) -> Option<u32> {
        if size > LARGE { self.find_large(size) } else { self.find_small(size) }
    }

    /// Goes to the next hole that is large enough, and takes the request from it.
    fn find_small(&mut self, size: u32) -> Option<u32> {
        loop {
            if self.cursor + size <= self.hole_end {
                let at = self.cursor;
                self.cursor += size;
                return Some(at);
            }
            self.retire_hole();
            let (first, mut last) = self.next_hole(self.scan)?;
            if self.threshold.is_some() {
                let granules = (self.until_collection / GRANULE).max(size / GRANULE);
                last = last.min(first + granules);
                self.until_collection = self.until_collection.saturating_sub((last - first) * GRANULE);
            }
            self.scan = last;
            self.set_bits(first, last);
            self.cursor = self.start + first * GRANULE;
            self.hole_end = self.start + last * GRANULE;
        }
    }

    /// Gives the rest of the current hole back to the bitmap.
    fn retire_hole(&mut self) {
        if self.cursor < self.hole_end {
            let (first, last) = (self.granule(self.cursor), self.granule(self.hole_end));
            self.clear_bits(first, last);
        }
        self.hole_end = self.cursor;
    }

    /// As [`Heap::retire_hole`]; the rest will be the next hole.
    fn put_hole_back(&mut self) {
        if self.cursor < self.hole_end {
            self.scan = self.scan.min(self.granule(self.cursor));
        }
        self.retire_hole();
    }

    /// Finds a place for a large request from the last such place on, then from the start; else in the current hole.
    fn find_large(&mut self, size: u32) -> Option<u32> {
        let granules = size / GRANULE;
        for from in [self.large_scan, 0] {
            let mut scan = from;
            while let Some((first, last)) = self.next_hole(scan) {
                if last - first >= granules {
                    self.set_bits(first, first + granules);
                    self.large_scan = first + granules;
                    return Some(self.start + first * GRANULE);
                }
                scan = last;
            }
        }
        if self.cursor + size <= self.hole_end {
            let at = self.cursor;
            self.cursor += size;
            return Some(at);
        }
        None
    }

    /// Gives a cell back at once. Nothing may refer to it any more.
    pub fn free(&mut self, at: Ref) {
        let size = self.header(at).size_bytes().next_multiple_of(GRANULE);
        self.release(at.0, size);
    }

    fn release(&mut self, offset: u32, size: u32) {
        if size == 0 {
            return;
        }
        if offset + size == self.cursor && self.cursor < self.hole_end {
            self.cursor = offset;
            return;
        }
        let first = self.granule(offset);
        self.clear_bits(first, first + size / GRANULE);
        self.large_scan = self.large_scan.min(first);
    }

    /// Changes the count of a cell in place, if the memory behind it allows. New content is zero.
    pub fn resize(&mut self, at: Ref, count: u32) -> bool {
        let old = self.header(at);
        let new = Header::new(old.kind(), count);
        let old_size = old.size_bytes().next_multiple_of(GRANULE);
        let new_size = new.size_bytes().next_multiple_of(GRANULE);
        if new_size > old_size && (self.locked || self.failing || !self.grow(at.0, old_size, new_size)) {
            return false;
        }
        if new_size < old_size {
            self.release(at.0 + new_size, old_size - new_size);
        }
        let (from, to) = (at.0 + old.size_bytes(), at.0 + new.size_bytes());
        if to > from {
            self.zero(from, to);
        }
        self.write(at.0, new.bits());
        true
    }

    #[expect(unsafe_code, reason = "clearing part of the arena")]
    fn zero(&mut self, from: u32, to: u32) {
        check(from <= to && to <= self.end);
        // SAFETY: inside the arena.
        unsafe { core::ptr::write_bytes(self.address(from), 0, (to - from) as usize) }
    }

    /// Takes the granules behind a cell if each is clear or in the unused part of the current hole.
    fn grow(&mut self, at: u32, old_size: u32, new_size: u32) -> bool {
        let new_end = at + new_size;
        if new_end > self.end {
            return false;
        }
        let (first, last) = (self.granule(at + old_size), self.granule(new_end));
        let (hole_first, hole_last) = (self.granule(self.cursor), self.granule(self.hole_end));
        let is_free = |granule| (hole_first..hole_last).contains(&granule) || !self.bit(granule);
        if !(first..last).all(is_free) {
            return false;
        }
        self.set_bits(first, last);
        if (hole_first..hole_last).contains(&(last - 1)) {
            self.cursor = new_end;
        }
        true
    }

    // ---- bitmap ----

    #[inline(always)]
    pub(crate) fn granule(&self, offset: u32) -> u32 {
        (offset - self.start) / GRANULE
    }

    pub(crate) fn granules(&self) -> u32 {
        (self.end - self.start) / GRANULE
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "the bitmap lies in the arena")]
    pub(crate) fn map(&self, index: u32) -> u32 {
        debug_assert!(index < self.bitmap_words);
        // SAFETY: the bitmap has `bitmap_words` words; every granule of the span has its bit there.
        unsafe { *self.bitmap.as_ptr().add(index as usize) }
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "the bitmap lies in the arena")]
    pub(crate) fn set_map(&mut self, index: u32, word: u32) {
        debug_assert!(index < self.bitmap_words);
        // SAFETY: as in `map`.
        unsafe { *self.bitmap.as_ptr().add(index as usize) = word }
    }

    #[inline(always)]
    pub(crate) fn bit(&self, granule: u32) -> bool {
        self.map(granule / 32) >> (granule % 32) & 1 != 0
    }

    #[inline(always)]
    pub(crate) fn set_bits(&mut self, first: u32, last: u32) {
        self.change_bits(first, last, |word, mask| word | mask);
    }

    pub(crate) fn clear_bits(&mut self, first: u32, last: u32) {
        self.change_bits(first, last, |word, mask| word & !mask);
    }

    #[inline(always)]
    fn change_bits(&mut self, first: u32, last: u32, change: impl Fn(u32, u32) -> u32) {
        let (mut index, end) = (first / 32, last / 32);
        let mut mask = u32::MAX << (first % 32);
        while index < end {
            self.set_map(index, change(self.map(index), mask));
            mask = u32::MAX;
            index += 1;
        }
        if !last.is_multiple_of(32) {
            mask &= (1 << (last % 32)) - 1;
            self.set_map(index, change(self.map(index), mask));
        }
    }

    /// The first run of clear bits at or after granule `from`: `first..last`.
    fn next_hole(&self, from: u32) -> Option<(u32, u32)> {
        let first = self.find_bit(from, 0)?;
        let last = self.find_bit(first, u32::MAX).unwrap_or(self.granules());
        Some((first, last))
    }

    /// The first granule at or after `from` whose bit is clear (`flip` = 0) or set (`flip` all ones).
    pub(crate) fn find_bit(&self, from: u32, flip: u32) -> Option<u32> {
        if from >= self.granules() {
            return None;
        }
        let mut index = from / 32;
        let mut word = (!self.map(index) ^ flip) & (u32::MAX << (from % 32));
        while word == 0 {
            index += 1;
            if index >= self.bitmap_words {
                return None;
            }
            word = !self.map(index) ^ flip;
        }
        let granule = index * 32 + word.trailing_zeros();
        (granule < self.granules()).then_some(granule)
    }

    pub(crate) fn clear_bitmap(&mut self) {
        for index in 0..self.bitmap_words {
            self.set_map(index, 0);
        }
        // Bits beyond the last granule never look free.
        let (granules, bits) = (self.granules(), self.bitmap_words * 32);
        self.set_bits(granules, bits);
        for i in 0..self.reserved_len {
            let (from, to) = self.reserved[i];
            let (first, last) = (self.granule(from), self.granule(to));
            self.set_bits(first, last);
        }
    }

    pub(crate) fn restart_cursor(&mut self) {
        (self.cursor, self.hole_end, self.scan, self.large_scan) = (self.start, self.start, 0, 0);
    }

    // ---- register stack ----

    /// The window whose first register is stack slot `base`, or `None` when the stack has no room for a frame there.
    #[inline(always)]
    #[expect(unsafe_code, reason = "the stack is raw memory")]
    pub fn window(&self, base: u32) -> Option<Window> {
        if base + WINDOW > self.stack_len || base == 0 {
            return None;
        }
        // SAFETY: inside the stack (just checked).
        Some(Window { base: unsafe { self.stack.as_ptr().add(base as usize) } })
    }

    /// The window of a frame that exists, and so has room.
    ///
    /// # Panics
    /// If there is no room for a frame.
    #[inline(always)]
    #[expect(unsafe_code, reason = "the stack is raw memory")]
    pub fn known_window(&self, base: u32) -> Window {
        check(base + WINDOW <= self.stack_len && base != 0);
        // SAFETY: inside the stack (just checked).
        Window { base: unsafe { self.stack.as_ptr().add(base as usize) } }
    }

    /// First free slot.
    #[inline(always)]
    pub fn top(&self) -> u32 {
        self.top
    }

    /// Sets the first free slot: slots from the old top on are made unbound; slots above the new one are forgotten.
    ///
    /// # Panics
    /// If that is above the stack's end.
    #[inline(always)]
    #[expect(unsafe_code, reason = "the stack is raw memory")]
    pub fn set_top(&mut self, top: u32) {
        if top > self.top {
            check(top <= self.stack_len);
            let mut slot = self.top;
            while slot < top {
                // SAFETY: inside the stack (just checked).
                unsafe { *self.stack.as_ptr().add(slot as usize) = Value::UNBOUND };
                slot += 1;
            }
        }
        self.top = top;
    }

    /// Puts three values on the stack, and behind them `count` values of a cell from position `first` on.
    ///
    /// # Panics
    /// If the values are not inside the arena, or the stack is too small for them.
    #[inline(always)]
    #[expect(unsafe_code, reason = "a copy from the arena to the stack")]
    pub fn push_values(&mut self, before: [Value; 3], at: Ref, first: u32, count: u32) {
        let offset = at.0 + 4 + 4 * first;
        check(offset + 4 * count <= self.end && 3 + count <= self.stack_room());
        // SAFETY: inside the arena and inside the stack (just checked).
        unsafe {
            let target = self.stack.as_ptr().add(self.top as usize);
            *target.cast() = before;
            copy_values(self.address(offset).cast(), target.add(3), count);
        }
        self.top += 3 + count;
    }

    /// Copies values of the stack to a cell.
    ///
    /// # Panics
    /// If there are not so many on the stack, or the cell's place is not inside the arena.
    #[inline(always)]
    #[expect(unsafe_code, reason = "a copy from the stack to the arena")]
    pub fn set_values(&mut self, at: Ref, first: u32, from: u32, count: u32) {
        let offset = at.0 + 4 + 4 * first;
        check(offset + 4 * count <= self.end && from + count <= self.stack_len);
        // SAFETY: inside the stack and inside the arena (just checked).
        unsafe { copy_values(self.stack.as_ptr().add(from as usize), self.address(offset).cast(), count) }
    }

    /// Slots that remain.
    #[inline(always)]
    pub fn stack_room(&self) -> u32 {
        self.stack_len - self.top
    }

    /// Stack slot `index`.
    ///
    /// # Panics
    /// If it is outside the stack.
    #[inline(always)]
    #[expect(unsafe_code, reason = "the stack is raw memory")]
    pub fn stack(&self, index: u32) -> Value {
        check(index < self.stack_len);
        // SAFETY: inside the stack (just checked).
        unsafe { *self.stack.as_ptr().add(index as usize) }
    }

    /// Sets stack slot `index`.
    ///
    /// # Panics
    /// If it is outside the stack.
    #[inline(always)]
    #[expect(unsafe_code, reason = "the stack is raw memory")]
    pub fn set_stack(&mut self, index: u32, value: Value) {
        check(index < self.stack_len);
        // SAFETY: inside the stack (just checked).
        unsafe { *self.stack.as_ptr().add(index as usize) = value }
    }

    /// Puts a value on the stack and says where. `None` when the stack is full.
    #[inline(always)]
    pub fn push(&mut self, value: Value) -> Option<u32> {
        let index = self.top;
        if index >= self.stack_len {
            return None;
        }
        self.set_stack(index, value);
        self.top = index + 1;
        Some(index)
    }

    /// The index of a window's first register.
    #[expect(unsafe_code, reason = "the stack is raw memory")]
    pub fn base_of(&self, window: Window) -> u32 {
        // SAFETY: both pointers are into the stack.
        unsafe { window.base.offset_from(self.stack.as_ptr()) as u32 }
    }

    /// Empties the stack.
    pub fn reset_stack(&mut self) {
        self.top = 1;
    }

    // ---- roots and settings ----

    /// A value that is kept outside the stack.
    #[inline(always)]
    pub fn root(&self, root: Root) -> Value {
        self.roots[root as usize]
    }

    /// Sets a value that is kept outside the stack.
    #[inline(always)]
    pub fn set_root(&mut self, root: Root, value: Value) {
        self.roots[root as usize] = value;
    }

    /// Whether allocation may collect.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Allows or forbids allocation to collect.
    pub fn set_enabled(&mut self, enabled: bool) {
        self.enabled = enabled;
    }

    /// Makes the `count`-th allocation from now fail, and all after it until this is called again (0: none fails). For
    /// tests of memory errors.
    pub fn fail_after(&mut self, count: u32) {
        self.fail_after = count;
        self.failing = false;
        self.put_hole_back();
    }

    /// Bytes after whose allocation one fails, so that a collection is made; none if that is off.
    pub fn threshold(&self) -> Option<u32> {
        self.threshold
    }

    /// Sets [`Heap::threshold`].
    pub fn set_threshold(&mut self, bytes: Option<u32>) {
        self.threshold = bytes;
        self.until_collection = bytes.map_or(0, |bytes| bytes.max(1));
        self.put_hole_back();
    }

    /// Makes every allocation fail, or lets them succeed again.
    pub fn set_locked(&mut self, locked: bool) {
        self.locked = locked;
        self.put_hole_back();
    }

    /// Figures about the heap.
    pub fn statistics(&self) -> Statistics {
        let mut used = 0;
        let mut largest = self.hole_end - self.cursor;
        for index in 0..self.bitmap_words {
            used += self.map(index).count_ones();
        }
        let beyond = self.bitmap_words * 32 - self.granules();
        let reserved: u32 = self.reserved[..self.reserved_len].iter().map(|(from, to)| to - from).sum();
        let used = (used - beyond) * GRANULE - (self.hole_end - self.cursor) - reserved;
        let total = self.end - self.start - reserved;
        let mut scan = 0;
        while let Some((first, last)) = self.next_hole(scan) {
            largest = largest.max((last - first) * GRANULE);
            scan = last;
        }
        Statistics { used, free: total - used, largest_free: largest, collections: self.collections }
    }

    /// Whether `frame`'s record is consistent with this heap (debugging aid).
    pub fn check_frame(&self, frame: &Frame) -> bool {
        frame.pc.0 >= self.start && frame.pc.0 < self.end && u32::from(frame.base) < self.stack_len
    }
}
