//! Blocks keep what was written to them, whatever happens between: many writes, a loss of power at any operation.

use larch_hal::{BlockDevice, BlockError};
use larch_pages::{PAGE, Pages, Sectors};
use proptest::prelude::*;

const SECTOR: usize = 128 * 1024;
const COUNT: usize = 4;

/// Flash in memory that loses power after a number of operations.
#[derive(Clone)]
struct Flash {
    bytes: Vec<u8>,
    left: Option<u32>,
    erasures: u32,
}

impl Flash {
    fn new() -> Self {
        Self { bytes: vec![0xff; SECTOR * COUNT], left: None, erasures: 0 }
    }

    /// How much of an operation of `length` bytes still happens.
    fn power(&mut self, length: usize) -> usize {
        match &mut self.left {
            None => length,
            Some(0) => 0,
            Some(left) => {
                *left -= 1;
                if *left == 0 { length / 2 } else { length }
            }
        }
    }

    fn ended(&self) -> Result<(), BlockError> {
        if self.left == Some(0) { Err(BlockError::Hardware) } else { Ok(()) }
    }
}

impl Sectors for Flash {
    fn size(&self) -> u32 {
        SECTOR as u32
    }

    fn count(&self) -> u32 {
        COUNT as u32
    }

    fn read(&mut self, sector: u8, offset: u32, bytes: &mut [u8]) -> Result<(), BlockError> {
        let start = usize::from(sector) * SECTOR + offset as usize;
        bytes.copy_from_slice(&self.bytes[start..start + bytes.len()]);
        Ok(())
    }

    fn program(&mut self, sector: u8, offset: u32, bytes: &[u8]) -> Result<(), BlockError> {
        let start = usize::from(sector) * SECTOR + offset as usize;
        // A word is programmed as one.
        let length = self.power(bytes.len()) & !3;
        for (old, new) in self.bytes[start..].iter_mut().zip(&bytes[..length]) {
            *old &= new;
        }
        self.ended()
    }

    fn erase(&mut self, sector: u8) -> Result<(), BlockError> {
        let start = usize::from(sector) * SECTOR;
        let length = self.power(SECTOR);
        self.bytes[start..start + length].fill(0xff);
        self.erasures += 1;
        self.ended()
    }
}

fn rewrite(pages: &mut Pages<Flash>, block: u32, value: u8) -> Result<(), BlockError> {
    pages.erase(block)?;
    for offset in (0..PAGE).step_by(1024) {
        pages.write(block, offset, &[value; 1024])?;
    }
    Ok(())
}

fn content(pages: &mut Pages<Flash>, block: u32) -> Vec<u8> {
    let mut bytes = vec![0; PAGE as usize];
    pages.read(block, 0, &mut bytes).unwrap();
    bytes
}

#[test]
fn a_full_device_can_be_rewritten_again_and_again() {
    let mut pages = Pages::mount(Flash::new()).unwrap();
    let count = pages.block_count();
    assert_eq!(count, 80);
    for round in 1..=20 {
        for block in 0..count {
            rewrite(&mut pages, block, round).unwrap();
        }
    }
    let flash = pages.flash().clone();
    // When all blocks are in use 13 pages are dead: an erasure makes room for 13, and for 1600 pages it takes 123 at best.
    assert!(flash.erasures <= 140, "{} erasures for {} pages", flash.erasures, 20 * count);
    let mut pages = Pages::mount(flash).unwrap();
    for block in 0..count {
        assert!(content(&mut pages, block).iter().all(|&byte| byte == 20), "block {block}");
    }
}

#[test]
fn an_erased_block_reads_as_erased_also_after_a_restart() {
    let mut pages = Pages::mount(Flash::new()).unwrap();
    rewrite(&mut pages, 3, 7).unwrap();
    pages.erase(3).unwrap();
    assert!(content(&mut pages, 3).iter().all(|&byte| byte == 0xff));
    let flash = pages.flash().clone();
    assert!(content(&mut Pages::mount(flash).unwrap(), 3).iter().all(|&byte| byte == 0xff));
}

#[test]
fn what_is_outside_is_refused() {
    let mut pages = Pages::mount(Flash::new()).unwrap();
    let count = pages.block_count();
    assert_eq!(pages.write(count, 0, &[0; 4]), Err(BlockError::OutOfRange));
    assert_eq!(pages.read(0, PAGE - 2, &mut [0; 4]), Err(BlockError::OutOfRange));
    assert_eq!(pages.erase(count), Err(BlockError::OutOfRange));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Power goes after any operation, also in the middle of a copy. Blocks that were not being written are as they were.
    #[test]
    fn a_loss_of_power_harms_only_the_block_that_is_written(
        writes in prop::collection::vec((0_u32..80, 1_u8..255), 200..400),
        cuts in prop::collection::vec(1_u32..900, 1..6),
    ) {
        let mut flash = Flash::new();
        let mut expected = [0xff_u8; 80];
        let mut writes = writes.into_iter();
        for cut in cuts {
            let mut pages = Pages::mount(Flash { left: None, ..flash.clone() }).unwrap();
            pages.flash().left = Some(cut);
            let torn = writes.by_ref().find_map(|(block, value)| {
                let done = rewrite(&mut pages, block, value).is_ok();
                if done {
                    expected[block as usize] = value;
                }
                (!done).then_some(block)
            });
            flash = pages.flash().clone();
            flash.left = None;
            let mut pages = Pages::mount(flash.clone()).unwrap();
            for (block, &value) in (0..).zip(&expected) {
                if Some(block) != torn {
                    prop_assert!(content(&mut pages, block).iter().all(|&byte| byte == value), "block {}", block);
                }
            }
            if let Some(block) = torn {
                rewrite(&mut pages, block, 1).unwrap();
                expected[block as usize] = 1;
            }
            flash = pages.flash().clone();
        }
    }

    /// Whatever the flash holds, mounting ends.
    #[test]
    fn any_contents_can_be_mounted(words in prop::collection::vec(any::<u32>(), 64), magic in any::<[bool; COUNT]>()) {
        let mut flash = Flash::new();
        for (sector, magic) in magic.into_iter().enumerate() {
            for (index, word) in words.iter().enumerate() {
                let at = sector * SECTOR + index * 4;
                flash.bytes[at..at + 4].copy_from_slice(&word.rotate_left(sector as u32).to_le_bytes());
            }
            if magic {
                flash.bytes[sector * SECTOR..][..4].copy_from_slice(b"LPG1");
            }
        }
        let _ = Pages::mount(flash).map(|mut pages| rewrite(&mut pages, 0, 1));
    }
}
