//! Partition tables, as text (CSV) and as the bytes at 0x8000.
//!
//! Source: ESP-IDF's "Partition Tables" page and `components/partition_table/gen_esp32part.py`'s documented format.

mod csv;
mod kinds;

pub use kinds::{Subtype, Type};

use crate::ImageError;
use crate::reader::Reader;
use md5::{Digest, Md5};

/// Where the table is in flash unless a project says otherwise.
pub const DEFAULT_OFFSET: u32 = 0x8000;
/// Bytes that the table may take.
pub const TABLE_LEN: usize = 0xC00;
const ENTRY_LEN: usize = 32;
const ENTRY_MAGIC: [u8; 2] = [0xAA, 0x50];
const MD5_MAGIC: [u8; 2] = [0xEB, 0xEB];
const LABEL_LEN: usize = 16;
/// Partitions begin at sectors, programs at MMU pages.
const SECTOR: u32 = 0x1000;
const APP_ALIGN: u32 = 0x1_0000;

/// Flags of a partition.
pub mod flags {
    /// Encrypted if flash encryption is on.
    pub const ENCRYPTED: u32 = 1;
    /// Not to be written by programs.
    pub const READ_ONLY: u32 = 2;
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its name, at most 16 bytes.
    pub label: String,
    /// What it is for.
    pub kind: Type,
    /// Which one of its kind.
    pub subtype: Subtype,
    /// Flash offset.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
    /// See [`flags`].
    pub flags: u32,
}

impl Partition {
    /// First flash offset behind it.
    pub fn end(&self) -> u64 {
        u64::from(self.offset) + u64::from(self.size)
    }
}

/// A partition table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// The partitions, in the order of the table.
    pub partitions: Vec<Partition>,
}

impl Table {
    /// MicroPython's layout for an ESP32 with 4 MB of flash (`ports/esp32/partitions-4MiB.csv`).
    pub fn micropython_4mb() -> Self {
        let entry = |label: &str, kind, subtype, offset, size| {
            let label = label.to_owned();
            Partition { label, kind, subtype: Subtype(subtype), offset, size, flags: 0 }
        };
        Self {
            partitions: vec![
                entry("nvs", Type::DATA, 0x02, 0x9000, 0x6000),
                entry("phy_init", Type::DATA, 0x01, 0xF000, 0x1000),
                entry("factory", Type::APP, 0x00, 0x1_0000, 0x1F_0000),
                entry("vfs", Type::DATA, 0x81, 0x20_0000, 0x20_0000),
            ],
        }
    }

    /// Reads the comma-separated form.
    ///
    /// # Errors
    /// The first line that is wrong, and why.
    pub fn from_csv(text: &str) -> Result<Self, ImageError> {
        csv::parse(text)
    }

    /// The comma-separated form.
    pub fn to_csv(&self) -> String {
        csv::format(self)
    }

    /// Reads the bytes of a table.
    ///
    /// # Errors
    /// If they are damaged or hold no table.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ImageError> {
        let mut partitions = Vec::new();
        let damaged = |problem: &str| Err(ImageError::PartitionTable(problem.to_owned()));
        for (index, entry) in bytes.chunks_exact(ENTRY_LEN).take(TABLE_LEN / ENTRY_LEN).enumerate() {
            if entry.iter().all(|&byte| byte == 0xFF) {
                return if partitions.is_empty() { damaged("it is empty") } else { Ok(Self { partitions }) };
            }
            if entry[..2] == MD5_MAGIC {
                let digest = Md5::digest(&bytes[..index * ENTRY_LEN]);
                if entry[16..] != digest[..] {
                    return damaged("its MD5 row does not match; write the table again");
                }
                continue;
            }
            if entry[..2] != ENTRY_MAGIC {
                return damaged("a row begins with neither the entry nor the MD5 mark");
            }
            partitions.push(parse_entry(&entry[2..])?);
        }
        damaged("it has no end")
    }

    /// The bytes of the table, with the MD5 row, filled up with 0xFF.
    ///
    /// # Errors
    /// If it has too many rows or overlapping partitions.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ImageError> {
        self.check()?;
        let mut bytes = Vec::with_capacity(TABLE_LEN);
        for partition in &self.partitions {
            bytes.extend(ENTRY_MAGIC);
            bytes.extend([partition.kind.0, partition.subtype.0]);
            bytes.extend(partition.offset.to_le_bytes());
            bytes.extend(partition.size.to_le_bytes());
            let mut label = partition.label.clone().into_bytes();
            label.resize(LABEL_LEN, 0);
            bytes.extend(label);
            bytes.extend(partition.flags.to_le_bytes());
        }
        let digest = Md5::digest(&bytes);
        bytes.extend(MD5_MAGIC);
        bytes.extend([0xFF; 14]);
        bytes.extend(&digest[..]);
        bytes.resize(TABLE_LEN, 0xFF);
        Ok(bytes)
    }

    /// The partition with this label.
    pub fn find(&self, label: &str) -> Option<&Partition> {
        self.partitions.iter().find(|partition| partition.label == label)
    }

    /// First flash offset behind all partitions.
    pub fn end(&self) -> u64 {
        self.partitions.iter().map(Partition::end).max().unwrap_or(0)
    }

    /// Whether the partitions are where partitions can be.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), ImageError> {
        // The last row must be free: it ends the table.
        let most = TABLE_LEN / ENTRY_LEN - 2;
        if self.partitions.len() > most {
            return Err(ImageError::PartitionTable(format!("it has more than {most} partitions")));
        }
        for partition in &self.partitions {
            let align = if partition.kind == Type::APP { APP_ALIGN } else { SECTOR };
            if partition.offset % align != 0 {
                let Partition { label, offset, .. } = partition;
                let problem =
                    format!("'{label}' begins at 0x{offset:x}, which is not a multiple of 0x{align:x}");
                return Err(ImageError::PartitionTable(problem));
            }
        }
        let mut sorted: Vec<_> = self.partitions.iter().collect();
        sorted.sort_by_key(|partition| partition.offset);
        match sorted.windows(2).find(|pair| pair[0].end() > u64::from(pair[1].offset)) {
            Some(pair) => Err(ImageError::Overlap {
                first: pair[0].label.clone(),
                second: pair[1].label.clone(),
                at: pair[1].offset.into(),
            }),
            None => Ok(()),
        }
    }
}

fn parse_entry(entry: &[u8]) -> Result<Partition, ImageError> {
    let mut reader = Reader::new(entry);
    Ok(Partition {
        kind: Type(reader.u8()?),
        subtype: Subtype(reader.u8()?),
        offset: reader.u32()?,
        size: reader.u32()?,
        label: reader.text(LABEL_LEN)?,
        flags: reader.u32()?,
    })
}

#[cfg(test)]
mod tests;
