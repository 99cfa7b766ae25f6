//! Several files with their flash offsets, put into one.

use crate::ImageError;

/// Bytes for a place in flash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// What messages call it: a file name.
    pub name: String,
    /// Flash offset.
    pub offset: u32,
    /// Contents.
    pub data: Vec<u8>,
}

impl Blob {
    /// First flash offset behind it.
    pub fn end(&self) -> u64 {
        u64::from(self.offset) + self.data.len() as u64
    }
}

/// Appends bytes to the last blob if they follow it, or begins a new one. No bytes are nowhere.
pub(crate) fn append(blobs: &mut Vec<Blob>, name: &str, address: u32, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    match blobs.last_mut().filter(|last| last.end() == u64::from(address)) {
        Some(last) => last.data.extend(bytes),
        None => blobs.push(Blob { name: name.to_owned(), offset: address, data: bytes.to_vec() }),
    }
}

/// Whether no two blobs lie on each other.
///
/// # Errors
/// The first two that do.
pub fn check_overlaps(blobs: &[Blob]) -> Result<(), ImageError> {
    let mut sorted: Vec<_> = blobs.iter().collect();
    sorted.sort_by_key(|blob| blob.offset);
    match sorted.windows(2).find(|pair| pair[0].end() > u64::from(pair[1].offset)) {
        Some(pair) => Err(ImageError::Overlap {
            first: pair[0].name.clone(),
            second: pair[1].name.clone(),
            at: pair[1].offset.into(),
        }),
        None => Ok(()),
    }
}

/// One file to be written at `target_offset`, the gaps filled with 0xFF, padded to `pad_to` bytes of flash.
///
/// # Errors
/// If blobs overlap or lie before the target offset.
pub fn raw(blobs: &[Blob], target_offset: u32, pad_to: Option<u64>) -> Result<Vec<u8>, ImageError> {
    check_overlaps(blobs)?;
    let end = blobs.iter().map(Blob::end).max().unwrap_or(0).max(pad_to.unwrap_or(0));
    let len = usize::try_from(end.saturating_sub(target_offset.into())).unwrap_or(0);
    let mut merged = vec![0xFF; len];
    for blob in blobs {
        let Some(at) = blob.offset.checked_sub(target_offset) else {
            return Err(ImageError::Overlap {
                first: blob.name.clone(),
                second: "the merged file".to_owned(),
                at: target_offset.into(),
            });
        };
        merged[at as usize..at as usize + blob.data.len()].copy_from_slice(&blob.data);
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(name: &str, offset: u32, data: &[u8]) -> Blob {
        Blob { name: name.to_owned(), offset, data: data.to_vec() }
    }

    #[test]
    fn gaps_are_blank_flash() {
        let blobs = [blob("b", 4, &[2, 3]), blob("a", 1, &[1])];
        assert_eq!(raw(&blobs, 0, None).unwrap(), [0xFF, 1, 0xFF, 0xFF, 2, 3]);
        assert_eq!(raw(&blobs, 1, Some(8)).unwrap(), [1, 0xFF, 0xFF, 2, 3, 0xFF, 0xFF]);
    }

    #[test]
    fn overlapping_blobs_are_refused() {
        let blobs = [blob("b", 4, &[2, 3]), blob("a", 1, &[0; 4])];
        assert!(matches!(raw(&blobs, 0, None), Err(ImageError::Overlap { at: 4, .. })));
        assert!(raw(&blobs[..1], 5, None).is_err());
    }
}
