//! Comparing flash with files.

use super::digest::Digest;
use crate::connect::Loader;
use crate::error::Error;
use crate::event::Event;
use larch_image::merge::Blob;

/// Bytes that differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Flash offset of the first.
    pub offset: u32,
    /// In the file.
    pub expected: Vec<u8>,
    /// In flash.
    pub found: Vec<u8>,
}

impl Loader<'_> {
    /// Whether flash holds the files, by the chip's own digest.
    ///
    /// # Errors
    /// [`Error::VerifyFailed`] for the first that differs, or what went wrong.
    pub fn verify_flash(&mut self, blobs: &[Blob]) -> Result<(), Error> {
        for blob in blobs {
            if !self.matches(blob)? {
                return Err(Error::VerifyFailed { name: blob.name.clone(), first: None });
            }
            self.observer.event(&Event::Verified { name: &blob.name });
        }
        Ok(())
    }

    /// Reads flash back where it does not hold the file and lists the runs of bytes that differ.
    ///
    /// # Errors
    /// If flash cannot be read.
    pub fn diff_flash(&mut self, blob: &Blob) -> Result<Vec<Difference>, Error> {
        if self.matches(blob)? {
            return Ok(Vec::new());
        }
        let size = u32::try_from(blob.data.len()).unwrap_or(u32::MAX);
        let found = self.read_flash(blob.offset, size)?;
        Ok(differences(blob.offset, &blob.data, &found))
    }

    fn matches(&mut self, blob: &Blob) -> Result<bool, Error> {
        let flash = self.flash()?.bytes();
        if blob.end() > flash {
            return Err(Error::DoesNotFit { name: blob.name.clone(), end: blob.end(), flash });
        }
        let size = u32::try_from(blob.data.len()).unwrap_or(u32::MAX);
        let found = self.with_retries(|loader| loader.flash_md5(blob.offset, size))?;
        Ok(found == Digest::of(&blob.data))
    }
}

fn differences(offset: u32, expected: &[u8], found: &[u8]) -> Vec<Difference> {
    let mut runs: Vec<Difference> = Vec::new();
    for (at, (&expected, &found)) in (offset..).zip(expected.iter().zip(found)) {
        if expected == found {
            continue;
        }
        match runs.last_mut() {
            Some(run) if run.offset as usize + run.expected.len() == at as usize => {
                run.expected.push(expected);
                run.found.push(found);
            }
            _ => runs.push(Difference { offset: at, expected: vec![expected], found: vec![found] }),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_differences_are_one_run() {
        let runs = differences(0x10, &[1, 2, 3, 4, 5], &[1, 0, 0, 4, 0]);
        let places: Vec<_> = runs.iter().map(|run| (run.offset, run.expected.len())).collect();
        assert_eq!(places, [(0x11, 2), (0x14, 1)]);
    }
}
