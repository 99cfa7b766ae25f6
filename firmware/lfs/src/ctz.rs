//! Files of more than a few bytes: a list of blocks, linked backwards so that it can be extended.
//!
//! Block `n` begins with pointers to the blocks `n - 1`, `n - 2`, `n - 4` ... as far as the power of two divides `n`.
//!
//! Source: littlefs `SPEC.md`, `DESIGN.md` ("CTZ skip-lists").

use crate::Errno;
use crate::bus::{Bus, Program};
use crate::disk::{ROOT, kind, pair};
use crate::fs::Fs;
use crate::log::Log;

/// Which block holds a byte, and where in the block.
pub(crate) fn locate(block_size: u32, position: u32) -> (u32, u32) {
    let payload = block_size - 8;
    let guess = position / payload;
    if guess == 0 {
        return (0, position);
    }
    let index = (position - 4 * ((guess - 1).count_ones() + 2)) / payload;
    (index, position - payload * index - 4 * index.count_ones())
}

impl Bus<'_> {
    /// The block that holds the byte at `position` of a list that ends in `head` after `size` bytes, and where in it.
    pub(crate) fn find_block(&mut self, head: u32, size: u32, position: u32) -> Result<(u32, u32), Errno> {
        let (mut current, _) = locate(self.block_size, size - 1);
        let (target, offset) = locate(self.block_size, position);
        let mut block = head;
        while current > target {
            let skip = (current - target).ilog2().min(current.trailing_zeros());
            block = self.read_word(block, 4 * skip, None)?;
            current -= 1 << skip;
        }
        Ok((block, offset))
    }

    /// Starts a block that follows the first `size` bytes, which end in `head`; a partly used block is copied to it.
    /// Returns where its free part starts.
    pub(crate) fn extend(&mut self, new: u32, head: u32, size: u32, to: &mut Program) -> Result<u32, Errno> {
        self.erase(new)?;
        to.begin(new, 0);
        if size == 0 {
            return Ok(0);
        }
        let (index, last) = locate(self.block_size, size - 1);
        let used = last + 1;
        if used != self.block_size {
            let mut chunk = [0; 32];
            let mut offset = 0;
            while offset < used {
                let count = chunk.len().min((used - offset) as usize);
                self.read(head, offset, &mut chunk[..count])?;
                self.put(to, &chunk[..count])?;
                offset += count as u32;
            }
            return Ok(used);
        }
        let pointers = (index + 1).trailing_zeros() + 1;
        let mut pointer = head;
        for level in 0..pointers {
            self.put(to, &pointer.to_le_bytes())?;
            if level + 1 < pointers {
                pointer = self.read_word(pointer, 4 * level, None)?;
            }
        }
        Ok(4 * pointers)
    }

    /// Visits the blocks of a list, the last one first. Its beginning may still wait to be programmed.
    fn visit_blocks(
        &mut self,
        head: u32,
        size: u32,
        waiting: Option<&Program>,
        visit: &mut dyn FnMut(u32),
    ) -> Result<(), Errno> {
        if size == 0 {
            return Ok(());
        }
        let (mut index, _) = locate(self.block_size, size - 1);
        let mut block = head;
        loop {
            visit(block);
            if index == 0 {
                return Ok(());
            }
            let previous = self.read_word(block, 0, waiting)?;
            if index % 2 == 0 {
                // An even block also points to the one before the previous, which saves reading that.
                visit(previous);
                block = self.read_word(block, 4, waiting)?;
                index -= 2;
            } else {
                block = previous;
                index -= 1;
            }
        }
    }
}

impl Fs<'_> {
    /// Visits every block in use: of pairs, of files, of files being written.
    pub(crate) fn traverse(&mut self, visit: &mut dyn FnMut(u32)) -> Result<(), Errno> {
        let mut next = Some(ROOT);
        let mut steps = 0;
        while let Some(at) = next {
            at.iter().for_each(|&block| visit(block));
            let log = self.fetch(at)?;
            for id in 0..log.count {
                self.traverse_entry(&log, id, visit)?;
            }
            next = log.tail;
            steps += 1;
            if steps > self.bus.block_count {
                return Err(Errno::ECORRUPT);
            }
        }
        let Self { bus, files, .. } = self;
        for slot in files.iter().filter(|slot| slot.open) {
            if let Some((head, size)) = slot.list() {
                bus.visit_blocks(head, size, None, visit)?;
            }
            if let Some(writer) = slot.writer {
                bus.visit_blocks(writer.block, slot.position, Some(&slot.program), visit)?;
            }
        }
        Ok(())
    }

    fn traverse_entry(&mut self, log: &Log, id: u16, visit: &mut dyn FnMut(u32)) -> Result<(), Errno> {
        let Some(found) = self.get(log, kind::STRUCT, id)? else { return Ok(()) };
        let [first, second] = pair(&self.data::<8>(found)?);
        match found.tag.kind() {
            kind::CTZ_STRUCT => self.bus.visit_blocks(first, second, None, visit)?,
            // A directory whose pair is not in the list yet.
            kind::DIR_STRUCT => [first, second].into_iter().for_each(visit),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::locate;

    #[test]
    fn bytes_are_found_where_they_were_put() {
        for block_size in [128, 512, 4096] {
            let (mut index, mut offset) = (0, 0);
            for position in 0..200_000 {
                if offset == block_size {
                    index += 1;
                    offset = 4 * (u32::trailing_zeros(index) + 1);
                }
                assert_eq!(locate(block_size, position), (index, offset), "position {position}");
                offset += 1;
            }
        }
    }
}
