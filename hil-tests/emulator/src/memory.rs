//! The memories of a chip in one arena, behind page tables that a processor can use without asking the bus.
//!
//! Invariants: a page table entry is what must be added (modulo 2^32) to an address in its page to get the arena offset, which
//! is beyond the arena's end if nothing is mapped there; a page that holds decoded
//! code is not in the write table, so every store to it takes the slow path, which marks stale code.
//! Addresses that are not mapped, unaligned accesses and device registers are never answered here.

use std::ops::Range;

/// log2 of the page size; the smallest memory of the chips has 8 KB.
const PAGE_BITS: u32 = 13;
/// Bytes in a page.
pub const PAGE: usize = 1 << PAGE_BITS;
/// Pages of the address space.
const PAGES: usize = 1 << (32 - PAGE_BITS);
/// The page tables for reading ([`READ`]) and writing ([`WRITE`]), side by side; of fixed size, so that no look-up needs a check.
type Tables = [[u32; 2]; PAGES];
const READ: usize = 0;
const WRITE: usize = 1;
/// Larger than any arena.
const BEYOND: u32 = 1 << 31;

/// The arena, its page tables and the map of decoded code.
#[derive(Clone)]
pub struct Memory {
    bytes: Vec<u8>,
    tables: Box<Tables>,
    /// Ranges of the arena that the processor may write.
    writable: Vec<Range<usize>>,
    /// One bit per aligned word of the arena that some decoded block was made from.
    code: Vec<u64>,
    /// Arena pages that hold decoded code; writable ones are out of the write table.
    code_pages: Vec<bool>,
    /// Stretches of 64 KB of addresses that code was decoded from.
    code_stretches: Vec<bool>,
    /// Where each writable arena page is mapped.
    aliases: Vec<Vec<usize>>,
    stale: bool,
    watch: Option<Watch>,
}

/// What stores change while somebody watches: no page is in the write table then.
#[derive(Clone, Debug, Default)]
struct Watch {
    /// Arena words that changed, in order, with what they were before.
    changes: Vec<(usize, u32)>,
    stores: u32,
}

/// Stores that are watched at most: a loop that polls has few, and each takes the slow path.
const WATCHED_STORES: u32 = 256;

impl Memory {
    /// An arena of `size` zero bytes with nothing mapped.
    ///
    /// # Panics
    /// If `size` is 2 GiB or more.
    #[must_use]
    pub fn new(size: usize) -> Self {
        assert!(size < 1 << 31, "the memory arena is limited to 2 GiB");
        Self {
            bytes: vec![0; size],
            tables: tables(),
            writable: Vec::new(),
            code: vec![0; size.div_ceil(256)],
            code_pages: vec![false; size.div_ceil(PAGE)],
            code_stretches: vec![false; 1 << 16],
            aliases: vec![Vec::new(); size.div_ceil(PAGE)],
            stale: false,
            watch: None,
        }
    }

    /// Maps the arena's range at `address`. `writable` says whether stores reach it.
    ///
    /// # Panics
    /// If address or range are not made of whole pages inside the window and the arena.
    pub fn map(&mut self, address: u32, range: Range<usize>, writable: bool) {
        assert!(
            range.start.is_multiple_of(PAGE)
                && range.end.is_multiple_of(PAGE)
                && range.end <= self.bytes.len()
        );
        if writable && !self.writable.contains(&range) {
            self.writable.push(range.clone());
        }
        for (i, offset) in range.step_by(PAGE).enumerate() {
            let page = Self::page(address) + i;
            self.tables[page][READ] = (offset as u32).wrapping_sub((page * PAGE) as u32);
            if writable {
                self.tables[page][WRITE] = self.tables[page][READ];
                self.aliases[offset / PAGE].push(page);
            }
        }
    }

    /// Removes `count` pages at `address`.
    pub fn unmap(&mut self, address: u32, count: usize) {
        let first = Self::page(address);
        for page in first..first + count {
            self.tables[page] = [invalid(page); 2];
        }
    }

    fn page(address: u32) -> usize {
        (address >> PAGE_BITS) as usize
    }

    fn is_writable(&self, at: usize) -> bool {
        self.writable.iter().any(|range| range.contains(&at))
    }

    /// Arena offset of a readable address.
    #[must_use]
    pub fn offset(&self, address: u32) -> Option<usize> {
        let base = self.tables[Self::page(address)][READ];
        Some(base.wrapping_add(address) as usize).filter(|&at| at < self.bytes.len())
    }

    /// The arena itself, for loaders, DMA and flash.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes arena bytes from outside the processor (loader, DMA, flash) and drops code decoded from them.
    ///
    /// # Panics
    /// If the range is outside the arena.
    pub fn write_bytes(&mut self, at: usize, data: &[u8]) {
        self.bytes[at..at + data.len()].copy_from_slice(data);
        self.touched(at..at + data.len());
    }

    /// Applies `change` to an arena range and drops code decoded from it.
    ///
    /// # Panics
    /// If the range is outside the arena.
    pub fn change(&mut self, range: Range<usize>, change: impl FnOnce(&mut [u8])) {
        change(&mut self.bytes[range.clone()]);
        self.touched(range);
    }

    fn touched(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        self.unwatch();
        let (first, last) = (range.start / 4, (range.end - 1) / 4);
        // Whole 64-word groups are tested at once; a group that is only partly inside costs a needless flush at worst.
        self.stale |= self.code[first / 64..=last / 64].iter().any(|&bits| bits != 0);
    }

    /// The arena behind its page tables, for naturally aligned accesses.
    #[inline(always)]
    pub fn view(&mut self) -> View<'_> {
        View { bytes: &mut self.bytes, tables: &self.tables }
    }

    /// Loads a naturally aligned word from mapped memory.
    #[must_use]
    pub fn load32(&self, address: u32) -> Option<u32> {
        let at = self.offset(address).filter(|at| at % 4 == 0)?;
        Some(u32::from_le_bytes(*self.bytes.get(at..)?.first_chunk()?))
    }

    /// Loads a naturally aligned half-word from mapped memory.
    #[must_use]
    pub fn load16(&self, address: u32) -> Option<u16> {
        let at = self.offset(address).filter(|at| at % 2 == 0)?;
        Some(u16::from_le_bytes(*self.bytes.get(at..)?.first_chunk()?))
    }

    /// Loads a byte from mapped memory.
    #[must_use]
    pub fn load8(&self, address: u32) -> Option<u8> {
        self.bytes.get(self.offset(address)?).copied()
    }

    /// Watches stores from now on, until there were many, or something else wrote to memory.
    pub fn watch(&mut self) {
        if self.watch.is_none() {
            for at in self.writable.iter().flat_map(|range| range.start / PAGE..range.end / PAGE) {
                for &page in &self.aliases[at] {
                    self.tables[page][WRITE] = invalid(page);
                }
            }
        }
        let mut watch = self.watch.take().unwrap_or_default();
        watch.changes.clear();
        watch.stores = 0;
        self.watch = Some(watch);
    }

    /// Whether memory is now as it was when [`Memory::watch`] was called, as far as that is known.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        let Some(Watch { changes, .. }) = &self.watch else { return false };
        let word = |number: usize| &self.bytes[4 * number..4 * number + 4];
        // The first change of a word tells what it was.
        (0..).zip(changes).all(|(i, &(number, before))| {
            changes[..i].iter().any(|&(other, _)| other == number) || *word(number) == before.to_le_bytes()
        })
    }

    /// Watches no longer.
    pub fn unwatch(&mut self) {
        if self.watch.take().is_some() {
            let pages = self.writable.iter().flat_map(|range| range.start / PAGE..range.end / PAGE);
            for at in pages.filter(|&at| !self.code_pages[at]) {
                for &page in &self.aliases[at] {
                    self.tables[page][WRITE] = self.tables[page][READ];
                }
            }
        }
    }

    /// A store is about to change the byte at `at`.
    fn note_change(&mut self, at: usize) {
        if let Some(watch) = &mut self.watch
            && let Some(bytes) = self.bytes[at & !3..].first_chunk()
        {
            watch.changes.push((at / 4, u32::from_le_bytes(*bytes)));
        }
    }

    /// Stores any bytes at any alignment to writable memory, code pages included. `None` if any byte is not writable.
    pub fn store_slow(&mut self, address: u32, data: &[u8]) -> Option<()> {
        if let Some(watch) = &mut self.watch {
            watch.stores += 1;
            if watch.stores > WATCHED_STORES {
                self.unwatch();
            }
        }
        for (i, &byte) in data.iter().enumerate() {
            let at = self.offset(address.wrapping_add(u32::try_from(i).ok()?))?;
            if !self.is_writable(at) {
                return None;
            }
            if self.bytes[at] != byte {
                self.note_change(at);
                self.bytes[at] = byte;
                self.stale |= self.code[at / 256] >> (at / 4 % 64) & 1 != 0;
            }
        }
        Some(())
    }

    /// Loads `N` bytes at any alignment from mapped memory.
    #[must_use]
    pub fn load_slow<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        let mut out = [0; N];
        for (i, byte) in out.iter_mut().enumerate() {
            *byte = *self.bytes.get(self.offset(address.wrapping_add(u32::try_from(i).ok()?))?)?;
        }
        Some(out)
    }

    /// Notes that `size` bytes at `address` were decoded, so that a later change of them is seen.
    pub fn mark_code(&mut self, address: u32, size: u32) {
        // Bytes of a page are next to each other in the arena; a block may end in the next page.
        let in_page = (PAGE as u32 - address % PAGE as u32).min(size);
        if in_page < size {
            self.mark_code(address + in_page, size - in_page);
        }
        self.code_stretches[address as usize >> 16] = true;
        let Some(at) = self.offset(address) else { return };
        for word in at / 4..=(at + in_page.max(1) as usize - 1) / 4 {
            self.code[word / 64] |= 1 << (word % 64);
        }
        if !std::mem::replace(&mut self.code_pages[at / PAGE], true) {
            for &page in &self.aliases[at / PAGE] {
                self.tables[page][WRITE] = invalid(page);
            }
        }
    }

    /// Whether memory that code was decoded from has changed since [`Memory::forget_code`].
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// Forgets what was decoded, after the block cache was emptied.
    pub fn forget_code(&mut self) {
        self.unwatch();
        self.stale = false;
        self.code.fill(0);
        self.code_stretches.fill(false);
        for (code_page, aliases) in self.code_pages.iter_mut().zip(&self.aliases) {
            if std::mem::take(code_page) {
                for &page in aliases {
                    self.tables[page][WRITE] = self.tables[page][READ];
                }
            }
        }
    }

    /// The 64 KB at `address` now mean other memory: asks for the block cache to be emptied if code came from there.
    pub fn remapped(&mut self, address: u32) {
        self.stale |= self.code_stretches[address as usize >> 16];
    }
}

/// The entry of a page with nothing in it.
fn invalid(page: usize) -> u32 {
    BEYOND.wrapping_sub((page * PAGE) as u32)
}

fn tables() -> Box<Tables> {
    let entries: Vec<[u32; 2]> = (0..PAGES).map(|page| [invalid(page); 2]).collect();
    entries.try_into().unwrap_or_else(|_| unreachable!("the length is PAGES"))
}

/// The arena behind its page tables.
///
/// Words and half-words are numbered: rotating an arena offset right by two (one) bits gives the number of an aligned word
/// (half-word), and something beyond the arena's end for what is not aligned or not mapped, so one comparison answers it all.
pub struct View<'a> {
    bytes: &'a mut [u8],
    tables: &'a Tables,
}

impl View<'_> {
    #[inline(always)]
    fn at<const TABLE: usize>(&self, address: u32) -> u32 {
        self.tables[(address >> PAGE_BITS) as usize][TABLE].wrapping_add(address)
    }

    /// Loads a naturally aligned word from mapped memory.
    #[inline(always)]
    #[must_use]
    pub fn load32(&self, address: u32) -> Option<u32> {
        let word = self.at::<READ>(address).rotate_right(2);
        self.bytes.as_chunks().0.get(word as usize).map(|&bytes| u32::from_le_bytes(bytes))
    }

    /// Loads a naturally aligned half-word from mapped memory.
    #[inline(always)]
    #[must_use]
    pub fn load16(&self, address: u32) -> Option<u16> {
        let half = self.at::<READ>(address).rotate_right(1);
        self.bytes.as_chunks().0.get(half as usize).map(|&bytes| u16::from_le_bytes(bytes))
    }

    /// Loads a byte from mapped memory.
    #[inline(always)]
    #[must_use]
    pub fn load8(&self, address: u32) -> Option<u8> {
        self.bytes.get(self.at::<READ>(address) as usize).copied()
    }

    /// Stores a naturally aligned word; `None` if the page is not plain writable memory.
    #[inline(always)]
    pub fn store32(&mut self, address: u32, value: u32) -> Option<()> {
        let word = self.at::<WRITE>(address).rotate_right(2);
        *self.bytes.as_chunks_mut().0.get_mut(word as usize)? = value.to_le_bytes();
        Some(())
    }

    /// Stores a naturally aligned half-word; `None` if the page is not plain writable memory.
    #[inline(always)]
    pub fn store16(&mut self, address: u32, value: u16) -> Option<()> {
        let half = self.at::<WRITE>(address).rotate_right(1);
        *self.bytes.as_chunks_mut().0.get_mut(half as usize)? = value.to_le_bytes();
        Some(())
    }

    /// Stores a byte; `None` if the page is not plain writable memory.
    #[inline(always)]
    pub fn store8(&mut self, address: u32, value: u8) -> Option<()> {
        *self.bytes.get_mut(self.at::<WRITE>(address) as usize)? = value;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_aliases() -> Memory {
        let mut memory = Memory::new(4 * PAGE);
        memory.map(0x3FC8_0000, 0..2 * PAGE, true);
        memory.map(0x4038_0000, 0..2 * PAGE, true);
        memory.map(0x4000_0000, 2 * PAGE..4 * PAGE, false);
        memory
    }

    #[test]
    fn aliases_show_the_same_bytes() {
        let mut memory = two_aliases();
        memory.view().store32(0x3FC8_0010, 0x1234_5678).unwrap();
        assert_eq!(memory.view().load32(0x4038_0010), Some(0x1234_5678));
        assert_eq!(memory.view().load16(0x4038_0012), Some(0x1234));
        assert_eq!(memory.view().load8(0x4038_0011), Some(0x56));
    }

    #[test]
    fn fast_path_refuses_rom_writes_unaligned_and_unmapped() {
        let mut memory = two_aliases();
        assert_eq!(memory.view().store32(0x4000_0000, 1), None);
        assert_eq!(memory.store_slow(0x4000_0000, &[1]), None);
        assert_eq!(memory.view().load32(0x3FC8_0001), None);
        assert_eq!(memory.view().load32(0x6000_0000), None);
        assert_eq!(memory.view().load8(0x3FC8_0000 + 2 * PAGE as u32), None);
    }

    #[test]
    fn changing_decoded_code_is_noticed_through_either_alias() {
        let mut memory = two_aliases();
        memory.mark_code(0x4038_0010, 4);
        assert_eq!(memory.view().store32(0x3FC8_0014, 7), None, "the page went to the slow path");
        memory.store_slow(0x3FC8_0014, &7u32.to_le_bytes()).unwrap();
        assert!(!memory.is_stale(), "the neighbouring word is not code");
        memory.store_slow(0x3FC8_0010, &0u32.to_le_bytes()).unwrap();
        assert!(!memory.is_stale(), "nothing changed");
        memory.store_slow(0x3FC8_0010, &9u32.to_le_bytes()).unwrap();
        assert!(memory.is_stale());
        memory.forget_code();
        assert!(memory.view().store32(0x3FC8_0010, 1).is_some());
    }

    #[test]
    fn watched_stores_are_seen_through_either_alias_and_may_be_taken_back() {
        let mut memory = two_aliases();
        memory.watch();
        assert_eq!(memory.view().store32(0x3FC8_2000, 1), None, "stores take the slow path");
        memory.store_slow(0x3FC8_2000, &[7]).unwrap();
        memory.store_slow(0x4038_2000, &[8]).unwrap();
        assert!(!memory.is_unchanged());
        memory.store_slow(0x3FC8_2000, &[0]).unwrap();
        assert!(memory.is_unchanged());
        memory.store_slow(0x3FC8_2003, &[1]).unwrap();
        memory.watch();
        assert!(memory.is_unchanged(), "watching begins anew");
    }

    #[test]
    fn what_others_write_ends_watching() {
        let mut memory = two_aliases();
        memory.mark_code(0x4038_0010, 4);
        memory.watch();
        memory.write_bytes(0x100, &[0]);
        assert!(!memory.is_unchanged());
        assert!(memory.view().store32(0x3FC8_2000, 1).is_some());
        assert_eq!(memory.view().store32(0x3FC8_0014, 7), None, "a page with code stays on the slow path");
    }

    #[test]
    fn watching_ends_after_many_stores() {
        let mut memory = two_aliases();
        memory.watch();
        for _ in 0..WATCHED_STORES + 1 {
            memory.store_slow(0x3FC8_0000, &[0]).unwrap();
        }
        assert!(!memory.is_unchanged());
        assert!(memory.view().store32(0x3FC8_0000, 1).is_some());
    }

    #[test]
    fn slow_accesses_cross_pages() {
        let mut memory = two_aliases();
        let edge = 0x3FC8_0000 + PAGE as u32 - 2;
        memory.store_slow(edge, &[1, 2, 3, 4]).unwrap();
        assert_eq!(memory.load_slow(edge), Some([1, 2, 3, 4]));
        assert_eq!(memory.load_slow::<4>(0x3FC8_0000 + 2 * PAGE as u32 - 2), None);
    }
}
