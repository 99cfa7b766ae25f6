//! The cache as software drives it: EXTMEM's operations, which end at once, and the MMU table. Source: TRM chapter 3.3.
//!
//! Coherence is perfect: a flash change is seen without an invalidation. Timing of hits and misses is not modelled.

use super::io::Io;
use super::map;
use crate::memory::{Memory, PAGE};
use std::ops::Range;

/// Base address of EXTMEM.
pub const BASE: u32 = 0x600C_4000;
const LOCK_CTRL: u32 = 0x1C;
const SYNC_CTRL: u32 = 0x28;
const PRELOAD_CTRL: u32 = 0x34;
const AUTOLOAD_CTRL: u32 = 0x40;
const CACHE_STATE: u32 = 0xB0;
const FREEZE: u32 = 0xCC;

/// Offsets of EXTMEM's registers that have behaviour.
pub const MODELLED: &[u32] = &[LOCK_CTRL, SYNC_CTRL, PRELOAD_CTRL, AUTOLOAD_CTRL, CACHE_STATE, FREEZE];

/// Base address of the MMU table.
pub const MMU: u32 = 0x600C_5000;
/// Entries of the MMU table.
pub const ENTRIES: usize = 128;
/// Entry bit: not mapped.
const INVALID: u32 = 1 << 8;
const MMU_PAGE: usize = 64 << 10;

/// The MMU table.
#[derive(Clone)]
pub struct Mmu {
    entries: [u32; ENTRIES],
}

impl Default for Mmu {
    fn default() -> Self {
        Self { entries: [INVALID; ENTRIES] }
    }
}

impl Mmu {
    /// Reads an entry.
    #[must_use]
    pub fn read(&self, offset: u32) -> u32 {
        self.entries.get(offset as usize / 4).copied().unwrap_or(0)
    }

    /// Writes an entry and maps its page on both buses.
    pub fn write(&mut self, memory: &mut Memory, flash: &Range<usize>, offset: u32, value: u32) {
        let index = offset as usize / 4;
        let Some(entry) = self.entries.get_mut(index) else { return };
        if *entry == value {
            return;
        }
        *entry = value;
        let start = flash.start + (value & 0xFF) as usize * MMU_PAGE;
        let mapped = value & INVALID == 0 && start + MMU_PAGE <= flash.end;
        for window in [map::IBUS_FLASH, map::DBUS_FLASH] {
            let address = window + (index * MMU_PAGE) as u32;
            if mapped {
                memory.map(address, start..start + MMU_PAGE, false);
            } else {
                memory.unmap(address, MMU_PAGE / PAGE);
            }
            memory.remapped(address);
        }
    }
}

/// Reads an EXTMEM register.
#[must_use]
pub fn read(io: &Io<'_>, offset: u32) -> u32 {
    let value = io.registers.get(BASE + offset);
    match offset {
        LOCK_CTRL => value & !3 | 1 << 2,
        SYNC_CTRL => value & !1 | 1 << 1,
        PRELOAD_CTRL => value & !1 | 1 << 1,
        AUTOLOAD_CTRL => value | 1 << 3,
        // The state machine is idle.
        CACHE_STATE => 1,
        // Freezing is done as soon as it is asked for.
        FREEZE => value & !4 | (value & 1) << 2,
        _ => value,
    }
}
