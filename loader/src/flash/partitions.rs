//! Partitions by label, from the table that is in flash.

use super::write::{WriteOptions, WriteReport};
use crate::connect::Loader;
use crate::error::Error;
use larch_image::merge::Blob;
use larch_image::partition::{DEFAULT_OFFSET, Partition, TABLE_LEN, Table};

impl Loader<'_> {
    /// The partition table in flash, at `offset` or its usual place.
    ///
    /// # Errors
    /// If there is none, or it is damaged.
    pub fn partition_table(&mut self, offset: Option<u32>) -> Result<Table, Error> {
        let offset = offset.unwrap_or(DEFAULT_OFFSET);
        let len = u32::try_from(TABLE_LEN).unwrap_or(u32::MAX);
        let bytes = self.read_flash(offset, len)?;
        let name = format!("partition table at 0x{offset:x}");
        Table::from_bytes(&bytes).map_err(|source| Error::Image { name, source })
    }

    /// Writes a file into the partition with this label.
    ///
    /// # Errors
    /// If there is no such partition, or the file is larger, or writing fails.
    pub fn write_partition(
        &mut self,
        table: &Table,
        label: &str,
        blob: Blob,
        options: &WriteOptions,
    ) -> Result<Vec<WriteReport>, Error> {
        let partition = find(table, label)?;
        if blob.data.len() as u64 > u64::from(partition.size) {
            return Err(Error::Argument(format!(
                "{} has {} bytes, partition '{label}' has {}; give it a smaller file or change the table",
                blob.name,
                blob.data.len(),
                partition.size
            )));
        }
        self.write_flash(&[Blob { offset: partition.offset, ..blob }], options)
    }

    /// Erases the partitions with these labels; all labels are looked up first.
    ///
    /// # Errors
    /// If there is no such partition, or erasing fails.
    pub fn erase_partitions(&mut self, table: &Table, labels: &[String]) -> Result<(), Error> {
        let found: Vec<&Partition> =
            labels.iter().map(|label| find(table, label)).collect::<Result<_, _>>()?;
        for partition in found {
            self.erase_region(partition.offset, partition.size)?;
        }
        Ok(())
    }
}

fn find<'t>(table: &'t Table, label: &str) -> Result<&'t Partition, Error> {
    table.find(label).ok_or_else(|| {
        let known: Vec<&str> = table.partitions.iter().map(|partition| partition.label.as_str()).collect();
        Error::Argument(format!("there is no partition '{label}' (one of: {})", known.join(", ")))
    })
}
