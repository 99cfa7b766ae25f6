//! The parts of a chip's address space.

/// What an address range is for. Names are Espressif's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Data mapped from flash.
    Drom,
    /// Code mapped from flash.
    Irom,
    /// Internal RAM as data.
    Dram,
    /// Internal RAM as code.
    Iram,
    /// The mask ROM's data.
    MaskDrom,
    /// The mask ROM's code.
    MaskIrom,
    /// RAM that survives deep sleep.
    Rtc,
    /// External RAM.
    Psram,
    /// RAM that is cache unless given to the program.
    Cache,
}

impl Kind {
    /// Whether the range is mapped from flash by the cache.
    pub const fn is_flash(self) -> bool {
        matches!(self, Self::Drom | Self::Irom)
    }

    /// Espressif's name, as esptool prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drom => "DROM",
            Self::Irom => "IROM",
            Self::Dram => "DRAM",
            Self::Iram => "IRAM",
            Self::MaskDrom => "DROM_MASK",
            Self::MaskIrom => "IROM_MASK",
            Self::Rtc => "RTC_RAM",
            Self::Psram => "EXTRAM_DATA",
            Self::Cache => "CACHE",
        }
    }
}

/// A part of the address space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// First address.
    pub start: u32,
    /// First address behind it.
    pub end: u32,
    /// What it is for.
    pub kind: Kind,
}

impl Region {
    /// The addresses `start` to `end`, without `end`.
    pub const fn new(start: u32, end: u32, kind: Kind) -> Self {
        assert!(start < end);
        Self { start, end, kind }
    }

    /// Whether the address is in the region.
    pub const fn contains(&self, address: u32) -> bool {
        self.start <= address && address < self.end
    }
}
