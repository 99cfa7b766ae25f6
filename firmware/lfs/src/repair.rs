//! What a loss of power may have left undone, as the global state says.
//!
//! Source: `lfs_fs_demove`, `lfs_fs_deorphan` in littlefs `lfs.c`.

use crate::Errno;
use crate::disk::{Pair, ROOT, Tag, VERSION, is_same, kind, pair, words};
use crate::fs::{Data, Fs};

/// Room for the superblock.
const ROOM_FOR_SUPERBLOCK: u32 = 4 + SUPERBLOCK_SIZE as u32;
/// Version, block size, block count, and the largest name, file and attribute.
pub(crate) const SUPERBLOCK_SIZE: usize = 24;

impl Fs<'_> {
    /// Finishes what was begun before the last loss of power. Called before anything is changed.
    pub(crate) fn repair(&mut self) -> Result<(), Errno> {
        self.state.next_global = self.state.global;
        self.state.inherited = crate::disk::Global::NONE;
        if let Some((pair, id)) = self.state.global.moved() {
            let log = self.fetch(pair)?;
            if !log.erased {
                self.compact_whole(pair)?;
            }
            self.finish_move(pair, id)?;
        }
        if self.state.global.has_orphans() {
            self.drop_orphans()?;
        }
        if self.state.outdated {
            self.update_superblock()?;
        }
        Ok(())
    }

    /// Makes room in a pair without moving entries to another one.
    fn compact_whole(&mut self, at: Pair) -> Result<(), Errno> {
        let log = self.fetch(at)?;
        self.rewrite_whole(&log)
    }

    /// Takes pairs out of the list of pairs that no directory names.
    fn drop_orphans(&mut self) -> Result<(), Errno> {
        let mut at = ROOT;
        let mut steps = 0;
        loop {
            let log = self.fetch(at)?;
            let Some(tail) = log.tail else { break };
            steps += 1;
            if steps > self.bus.block_count {
                return Err(Errno::ECORRUPT);
            }
            if log.split {
                at = tail;
                continue;
            }
            match self.parent_link(tail)? {
                None => self.drop_chain(tail)?,
                Some(link)
                    if link[0] != tail[0] && link[0] != tail[1]
                        || link[1] != tail[0] && link[1] != tail[1] =>
                {
                    // The directory has moved, and the list still names its old place.
                    let Some(mut before) = self.predecessor(tail)? else { return Err(Errno::ECORRUPT) };
                    self.set_tail(&mut before, Some(link), false)?;
                }
                Some(_) => at = tail,
            }
        }
        self.state.next_global = self.state.next_global.with_orphans(false);
        let (mut log, ()) = self.find_with_room(0, |fs| Ok((fs.fetch(ROOT)?, ())))?;
        self.append(&mut log, &[])
    }

    /// The pair that the directory entry for `at` names.
    fn parent_link(&mut self, at: Pair) -> Result<Option<Pair>, Errno> {
        let mut next = Some(ROOT);
        let mut steps = 0;
        while let Some(here) = next {
            let log = self.fetch(here)?;
            for id in 0..log.count {
                if let Some(found) = self.get_kind(&log, kind::DIR_STRUCT, id)? {
                    let link = pair(&self.data::<8>(found)?);
                    if is_same(link, at) {
                        return Ok(Some(link));
                    }
                }
            }
            next = log.tail;
            steps += 1;
            if steps > self.bus.block_count {
                return Err(Errno::ECORRUPT);
            }
        }
        // The root is nobody's entry.
        Ok(is_same(self.state.root, at).then_some(at))
    }

    /// Says that the disk now holds what older versions do not know.
    fn update_superblock(&mut self) -> Result<(), Errno> {
        let root = self.state.root;
        let (mut log, found) = self.find_with_room(ROOM_FOR_SUPERBLOCK, |fs| {
            let log = fs.fetch(root)?;
            let found = fs.get_kind(&log, kind::INLINE_STRUCT, 0)?.ok_or(Errno::ECORRUPT)?;
            Ok((log, found))
        })?;
        let mut superblock = self.data::<SUPERBLOCK_SIZE>(found)?;
        superblock[..4].copy_from_slice(&words::<1, 4>([VERSION]));
        let tag = Tag::new(kind::INLINE_STRUCT, 0, SUPERBLOCK_SIZE);
        self.append(&mut log, &[(tag, Data::Bytes(&superblock))])?;
        self.state.outdated = false;
        Ok(())
    }
}
