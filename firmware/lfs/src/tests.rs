//! Disks that no file system wrote: logs with valid checksums and senseless contents.

extern crate std;

use std::vec;
use std::vec::Vec;

use larch_hal::{BlockDevice, BlockError};
use proptest::prelude::*;

use crate::bus::{Bus, Line};
use crate::disk::{Tag, kind};
use crate::file::FileSlot;
use crate::fs::{Data, Fs, State};
use crate::{Memory, OpenMode, SeekFrom, Volume};

const BLOCK_SIZE: usize = 512;
const BLOCKS: u32 = 12;

struct Flash(Vec<u8>);

impl Flash {
    fn at(&self, block: u32, offset: u32, len: usize) -> Result<usize, BlockError> {
        let start = block as usize * BLOCK_SIZE + offset as usize;
        if offset as usize + len > BLOCK_SIZE || start + len > self.0.len() {
            Err(BlockError::OutOfRange)
        } else {
            Ok(start)
        }
    }
}

impl BlockDevice for Flash {
    fn block_size(&self) -> u32 {
        BLOCK_SIZE as u32
    }

    fn block_count(&self) -> u32 {
        BLOCKS
    }

    fn read(&mut self, block: u32, offset: u32, bytes: &mut [u8]) -> Result<(), BlockError> {
        let start = self.at(block, offset, bytes.len())?;
        bytes.copy_from_slice(&self.0[start..start + bytes.len()]);
        Ok(())
    }

    fn write(&mut self, block: u32, offset: u32, bytes: &[u8]) -> Result<(), BlockError> {
        let start = self.at(block, offset, bytes.len())?;
        self.0[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn erase(&mut self, block: u32) -> Result<(), BlockError> {
        let start = self.at(block, 0, BLOCK_SIZE)?;
        self.0[start..start + BLOCK_SIZE].fill(0xff);
        Ok(())
    }
}

/// A tag with data, as likely to make sense as not.
fn tag() -> impl Strategy<Value = (u16, u16, Vec<u8>)> {
    let kinds = vec![
        kind::FILE,
        kind::DIRECTORY,
        kind::SUPERBLOCK,
        kind::DIR_STRUCT,
        kind::INLINE_STRUCT,
        kind::CTZ_STRUCT,
        kind::ATTRIBUTE + 1,
        kind::CREATE,
        kind::CREATE,
        kind::DELETE,
        kind::TAIL,
        kind::TAIL + 1,
        kind::GLOBAL,
        kind::FORWARD_CHECKSUM,
        0x055,
        0x2ab,
        0x4f0,
        0x777,
    ];
    let kind = prop_oneof![8 => prop::sample::select(kinds), 1 => 0_u16..0x7ff];
    let id = prop_oneof![8 => 0_u16..6, 1 => Just(0x3ff_u16), 1 => 0_u16..0x400];
    let word = prop_oneof![6 => 0_u32..BLOCKS + 2, 2 => any::<u32>(), 1 => 0_u32..5000];
    let data = prop_oneof![
        3 => prop::collection::vec(word, 1..4).prop_map(|words| words.iter().flat_map(|word| word.to_le_bytes()).collect()),
        3 => prop::sample::select(vec![&b"a"[..], b"b", b"boot.py", b"littlefs", b""]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..60),
    ];
    (kind, id, data)
}

/// Every call there is, with whatever result.
fn exercise(flash: &mut Flash) {
    let mut memory = Memory::<2>::new();
    let Ok(mut volume) = Volume::mount(&mut memory, flash) else { return };
    let update = OpenMode { read: true, write: true, create: true, ..OpenMode::default() };
    for path in [&b"/"[..], b"a", b"a/b", b"boot.py", b"new"] {
        let _ = volume.stat(flash, path);
        let mut after: Option<Vec<u8>> = None;
        for index in 0..20 {
            let _ = volume.entry_at(flash, path, index);
            match volume.next_entry(flash, path, after.as_deref()) {
                Ok(Some(entry)) => after = Some(entry.name().to_vec()),
                _ => break,
            }
        }
        if let Ok(file) = volume.open(flash, path, update, 1) {
            let _ = volume.read(flash, file, &mut [0; 700]);
            let _ = volume.seek(flash, file, 3, SeekFrom::Start);
            let _ = volume.write(flash, file, &[7; 600], 2);
            let _ = volume.close(flash, file);
        }
    }
    let _ = volume.make_dir(flash, b"a/made");
    let _ = volume.rename(flash, b"a", b"b");
    let _ = volume.rename(flash, b"boot.py", b"b/moved");
    let _ = volume.remove(flash, b"b");
    let _ = volume.usage(flash);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn senseless_logs_are_survived(
        pairs in prop::collection::vec((0_u32..6, prop::collection::vec(tag(), 0..14)), 1..5),
        superblock in prop::bool::weighted(0.8),
    ) {
        let mut flash = Flash(vec![0xff; BLOCK_SIZE * BLOCKS as usize]);
        if superblock {
            Volume::format(&mut Memory::<0>::new(), &mut flash).unwrap();
        }
        for (revision, (pair, tags)) in pairs.iter().enumerate() {
            let (mut line, mut state) = (Line::new(), State::new());
            let mut files: [FileSlot; 0] = [];
            let bus = Bus { device: &mut flash, line: &mut line, block_size: BLOCK_SIZE as u32, block_count: BLOCKS };
            let mut fs = Fs { bus, state: &mut state, files: &mut files };
            let tags: Vec<_> = tags
                .iter()
                .map(|(kind, id, data)| (Tag::new(*kind, *id, data.len()), Data::Bytes(&data[..])))
                .collect();
            let at = [2 * pair, 2 * pair + 1];
            match fs.fetch(at) {
                // Further tags behind what is there already: the superblock, for instance.
                Ok(mut log) if fs.has_room(&log, tags.iter().map(|(tag, _)| tag.size()).sum()) => {
                    let _ = fs.append(&mut log, &tags);
                }
                _ => {
                    let _ = fs.write_pair(at, revision as u32 + 7, &tags);
                }
            }
        }
        exercise(&mut flash);
    }

    #[test]
    fn noise_is_survived(noise in prop::collection::vec((0_usize..BLOCK_SIZE * 4, any::<u8>()), 0..40)) {
        let mut flash = Flash(vec![0xff; BLOCK_SIZE * BLOCKS as usize]);
        Volume::format(&mut Memory::<0>::new(), &mut flash).unwrap();
        for (at, byte) in noise {
            flash.0[at] = byte;
        }
        exercise(&mut flash);
    }
}
