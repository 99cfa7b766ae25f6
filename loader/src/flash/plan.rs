//! What can be wrong with a write before anything is erased.
//!
//! Pure: files and facts in, an error or some notes out.

use super::SECTOR;
use crate::chip::Revision;
use crate::error::Error;
use larch_chips::Chip;
use larch_image::header::MAGIC;
use larch_image::merge::{Blob, check_overlaps};
use larch_image::{Image, ImageError};

/// Pages of the flash MMU are not larger.
const LARGEST_PAGE: u32 = 0x1_0000;

/// Facts about the board that files must fit.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The chip.
    pub chip: &'static Chip,
    /// Its revision, if it may be read.
    pub revision: Option<Revision>,
    /// Bytes of flash.
    pub flash_bytes: u64,
}

/// Checks files against each other and the board; `force` turns what is wrong with an image into notes.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(blobs: &[Blob], target: &Target, force: bool) -> Result<Vec<String>, Error> {
    let mut notes = Vec::new();
    for blob in blobs {
        if blob.data.is_empty() {
            return Err(Error::Argument(format!("{} is empty; nothing would be written", blob.name)));
        }
        if blob.end() > target.flash_bytes {
            let name = blob.name.clone();
            return Err(Error::DoesNotFit { name, end: blob.end(), flash: target.flash_bytes });
        }
        if blob.offset % 4 != 0 {
            return Err(Error::Argument(format!(
                "{}: offset 0x{:x} is not a multiple of 4",
                blob.name, blob.offset
            )));
        }
    }
    check_sectors(blobs)?;
    for blob in blobs {
        match check_image(blob, target) {
            Err(error) if force => notes.push(format!("{error} (written anyway: --force)")),
            other => notes.extend(other?),
        }
    }
    Ok(notes)
}

/// Whether a sector begins here.
pub(super) fn is_sector(offset: u32) -> bool {
    offset.is_multiple_of(SECTOR)
}

/// Two files in one sector would erase each other.
fn check_sectors(blobs: &[Blob]) -> Result<(), Error> {
    check_overlaps(blobs).map_err(Error::Overlap)?;
    let mut sorted: Vec<_> = blobs.iter().collect();
    sorted.sort_by_key(|blob| blob.offset);
    let sector = |at: u64| at / u64::from(SECTOR);
    match sorted.windows(2).find(|pair| sector(pair[0].end() - 1) == sector(pair[1].offset.into())) {
        Some(pair) => Err(Error::Overlap(ImageError::Overlap {
            first: pair[0].name.clone(),
            second: format!("{} (in the same 4 KB sector)", pair[1].name),
            at: pair[1].offset.into(),
        })),
        None => Ok(()),
    }
}

fn check_image(blob: &Blob, target: &Target) -> Result<Option<String>, Error> {
    if blob.data.first() != Some(&MAGIC) {
        let boots = blob.offset == target.chip.bootloader_offset;
        return Ok(boots
            .then(|| format!("{} at 0x{:x} is no image: the board will not boot", blob.name, blob.offset)));
    }
    let bad = |source| Error::Image { name: blob.name.clone(), source };
    let image = Image::parse(&blob.data).map_err(bad)?;
    image.check().map_err(bad)?;
    let header = &image.header;
    if header.chip_id != target.chip.identity.chip_id {
        let id = header.chip_id;
        return Err(Error::ImageForOtherChip {
            name: blob.name.clone(),
            image: image.chip().map_or_else(|| format!("chip number {id}"), |chip| chip.name.to_owned()),
            chip: target.chip.name,
        });
    }
    check_place(blob, &image, target.chip)?;
    match target.revision {
        Some(revision) if !header.allows_revision(revision.number()) => Err(Error::ImageForOtherRevision {
            name: blob.name.clone(),
            least: Revision::from_number(header.min_revision).to_string(),
            greatest: Revision::from_number(header.max_revision).to_string(),
            revision: revision.to_string(),
        }),
        _ => Ok(None),
    }
}

/// The mask ROM looks for the bootloader at one place; programs are mapped in pages, so they begin at one.
fn check_place(blob: &Blob, image: &Image, chip: &Chip) -> Result<(), Error> {
    let misplaced = |what, place| {
        Err(Error::ImageMisplaced { name: blob.name.clone(), what, place, offset: blob.offset })
    };
    let is_mapped = image.segments.iter().any(|segment| chip.is_flash(segment.address));
    let is_boot_place = blob.offset == chip.bootloader_offset;
    if !is_mapped && !is_boot_place {
        return misplaced("a bootloader", format!("0x{:x} on the {}", chip.bootloader_offset, chip.name));
    }
    if is_mapped && is_boot_place {
        let place = "the offset of its partition (usually 0x10000) behind a bootloader".to_owned();
        return misplaced("an application", place);
    }
    let told = image.app.as_ref().map_or(0, |app| app.mmu_page_size_log2);
    let page = 1_u32.checked_shl(told.into()).filter(|_| told != 0).unwrap_or(LARGEST_PAGE);
    if is_mapped && !blob.offset.is_multiple_of(page) {
        return misplaced("an application", format!("a multiple of 0x{page:x}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use larch_image::build::{Layout, Part, build};
    use larch_image::header::Header;

    fn target() -> Target {
        let chip = Chip::by_name("esp32c3").unwrap();
        Target { chip, revision: Some(Revision { major: 0, minor: 4 }), flash_bytes: 4 << 20 }
    }

    /// A bootloader: nothing in it is mapped.
    fn image(header: Header) -> Vec<u8> {
        image_at(0x4038_0000, header)
    }

    fn image_at(address: u32, header: Header) -> Vec<u8> {
        let part = Part { address, data: vec![7; 4096] };
        build(target().chip, header, Layout::of_pages(0x1_0000), vec![part]).unwrap()
    }

    fn blob(offset: u32, data: Vec<u8>) -> Blob {
        Blob { name: format!("f{offset:x}"), offset, data }
    }

    fn code(blobs: &[Blob]) -> u8 {
        check(blobs, &target(), false).unwrap_err().code()
    }

    #[test]
    fn a_sound_image_passes() {
        assert_eq!(check(&[blob(0, image(Header::new(5, 0)))], &target(), false).unwrap(), [""; 0]);
    }

    #[test]
    fn wrong_files_are_told_apart() {
        let good = image(Header::new(5, 0));
        assert_eq!(code(&[blob(0, good[..good.len() - 40].to_vec())]), 32);
        let mut flipped = good.clone();
        flipped[100] ^= 1;
        assert_eq!(code(&[blob(0, flipped)]), 32);
        assert_eq!(code(&[blob(0, image(Header::new(0, 0)))]), 33);
        assert_eq!(code(&[blob(0, image(Header { min_revision: 101, ..Header::new(5, 0) }))]), 34);
        assert_eq!(code(&[blob(0x3F_F000, vec![0; 0x1001])]), 35);
        assert_eq!(code(&[blob(0x1000, vec![0; 0x1001]), blob(0x2000, vec![0; 4])]), 36);
        assert_eq!(code(&[blob(0x1000, vec![0; 16]), blob(0x1800, vec![0; 4])]), 36);
        assert_eq!(code(&[blob(0, Vec::new())]), 2);
        assert_eq!(code(&[blob(2, vec![1])]), 2);
    }

    #[test]
    fn images_are_written_only_where_they_are_looked_for() {
        let (bootloader, application) = (image(Header::new(5, 0)), image_at(0x4200_0020, Header::new(5, 0)));
        assert_eq!(code(&[blob(0x1000, bootloader.clone())]), 39);
        assert_eq!(code(&[blob(0, application.clone())]), 39);
        assert_eq!(code(&[blob(0x9000, application.clone())]), 39);
        let (bootloader, application) = (blob(0, bootloader), blob(0x1_0000, application));
        assert_eq!(check(&[bootloader, application], &target(), false).unwrap(), [""; 0]);
    }

    #[test]
    fn force_turns_image_errors_into_notes_but_never_what_cannot_fit() {
        let notes = check(&[blob(0, image(Header::new(0, 0)))], &target(), true).unwrap();
        assert!(notes[0].contains("is for ESP32"), "{notes:?}");
        assert!(check(&[blob(0x3F_F000, vec![0; 0x1001])], &target(), true).is_err());
    }

    #[test]
    fn something_else_than_an_image_at_the_bootloaders_place_is_noted() {
        let notes = check(&[blob(0, vec![0xFF; 16])], &target(), false).unwrap();
        assert!(notes[0].contains("will not boot"));
    }
}
