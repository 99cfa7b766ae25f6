//! What goes where in the flash of a board: bootloader, partition table, program.

use crate::ImageError;
use crate::merge::Blob;
use crate::partition::{DEFAULT_OFFSET, Table, Type};
use larch_chips::Chip;

/// The pieces of a bootable flash, each with its offset.
///
/// # Errors
/// If the table is not sound, has no program partition, or the program does not fit into it.
pub fn bootable(
    chip: &Chip,
    bootloader: Vec<u8>,
    table: &Table,
    program: Vec<u8>,
) -> Result<Vec<Blob>, ImageError> {
    let factory = table
        .partitions
        .iter()
        .find(|partition| partition.kind == Type::APP)
        .ok_or_else(|| ImageError::PartitionTable("it has no partition of type app".to_owned()))?;
    if program.len() as u64 > u64::from(factory.size) {
        return Err(ImageError::PartitionTable(format!(
            "the program has {} bytes, partition '{}' has {}",
            program.len(),
            factory.label,
            factory.size
        )));
    }
    let blobs = vec![
        Blob { name: "bootloader".to_owned(), offset: chip.bootloader_offset, data: bootloader },
        Blob { name: "partition table".to_owned(), offset: DEFAULT_OFFSET, data: table.to_bytes()? },
        Blob { name: "app".to_owned(), offset: factory.offset, data: program },
    ];
    crate::merge::check_overlaps(&blobs)?;
    Ok(blobs)
}
