//! The firmware of a board as cargo left it, and the flash image made of it.
//!
//! Invariant: an image that is older than any source of the firmware is never used silently; cargo's own list of
//! those sources (`larch-esp32c3.d`) decides.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use larch_boards::Chip;
use larch_image::elf::{Program, Settings};
use larch_image::header::Header;
use larch_image::image::patch_flash_settings;
use larch_image::layout;
use larch_image::merge::{self, Blob};
use larch_image::packages;
use larch_image::partition::Table;
use object::elf::PT_LOAD;
use object::read::elf::{ElfFile32, ProgramHeader};
use object::{Object, ObjectSection};
use sha2::{Digest, Sha256};

/// 4 MB as image headers say it: the bootloader takes the size of the flash from its own header.
const FLASH_SIZE_4MB: u8 = 2;

/// Where cargo puts the firmware of a chip.
#[derive(Debug, Clone)]
pub struct Firmware {
    /// The package that is built.
    pub package: &'static str,
    /// The feature of a package that serves several boards.
    pub feature: Option<&'static str>,
    /// The Rust target.
    pub triple: &'static str,
    /// The linked program.
    pub elf: PathBuf,
    /// The loader's table of the chip; `None` for a machine that takes the program itself.
    chip: Option<&'static larch_chips::Chip>,
}

/// What is written to the flash of a board.
#[derive(Debug, Clone)]
pub struct FlashImage {
    /// Bootloader, partition table, application, each with its offset.
    pub blobs: Vec<Blob>,
    /// Hexadecimal digest of all of it: the name under which a flashed board is kept.
    pub digest: String,
    /// What the firmware says of its build (`sys.implementation._build` ends with it); empty if it is not ours.
    pub build: String,
}

impl Firmware {
    /// The firmware for a chip.
    ///
    /// # Errors
    /// There is none for this chip.
    pub fn of(chip: Chip, target: &Path) -> Result<Self, String> {
        let plain =
            |package, triple| Self { package, feature: None, triple, elf: PathBuf::new(), chip: None };
        let cortex_m =
            |chip: Chip, triple| Self { feature: Some(chip.word()), ..plain("larch-cortex-m", triple) };
        let (firmware, program) = match chip {
            Chip::Esp32c3 => {
                let chip = larch_chip(chip)?;
                (Self { chip: Some(chip), ..plain("larch-esp32c3", chip.target) }, "larch-esp32c3")
            }
            Chip::VirtRv32 => (plain("larch-virt-rv32", "riscv32imac-unknown-none-elf"), "larch-virt-rv32"),
            Chip::Mps2An386 => (cortex_m(chip, "thumbv7em-none-eabihf"), "larch-mps2-an386"),
            Chip::Nrf52840 => (cortex_m(chip, "thumbv7em-none-eabihf"), "larch-nrf52840"),
            Chip::Rp2040 => (cortex_m(chip, "thumbv6m-none-eabi"), "larch-rp2040"),
            Chip::Stm32f405 => (cortex_m(chip, "thumbv7em-none-eabihf"), "larch-stm32f405"),
            other => {
                return Err(format!(
                    "there is no firmware for {other} yet (there is: esp32c3, virt-rv32, mps2-an386, nrf52840, rp2040, \
                     stm32f405)"
                ));
            }
        };
        let elf = target.join(firmware.triple).join("firmware").join(program);
        Ok(Self { elf, ..firmware })
    }

    /// Why the program must be built (again), if so.
    #[must_use]
    pub fn stale(&self) -> Option<String> {
        stale(&self.elf, self.package)
    }

    /// Makes the flash image of the program as it is built.
    ///
    /// # Errors
    /// The program is not built, does not fit, or the bootloader cannot be fetched.
    pub fn image(&self) -> Result<FlashImage, String> {
        let Some(chip) = self.chip else { return FlashImage::of_elf(&self.elf) };
        let elf = fs::read(&self.elf).map_err(|error| format!("{}: {error}", self.elf.display()))?;
        let wrong = |error: larch_image::ImageError| format!("{}: {error}", self.elf.display());
        let program = Program::parse(&elf).map_err(wrong)?;
        let application = program.image(chip, &Settings::default()).map_err(wrong)?;
        let path = packages::bootloader(chip.slug).map_err(|error| error.to_string())?;
        let mut bootloader = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let header = Header::parse(&bootloader).map_err(|error| format!("{}: {error}", path.display()))?;
        let size_frequency = FLASH_SIZE_4MB << 4 | header.flash_size_frequency & 0x0F;
        patch_flash_settings(&mut bootloader, header.flash_mode, size_frequency).map_err(wrong)?;
        let blobs =
            layout::bootable(chip, bootloader, &Table::micropython_4mb(), application).map_err(wrong)?;
        let build = program.sha256.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Ok(FlashImage { build, ..FlashImage::new(blobs) })
    }
}

impl FlashImage {
    /// An image of these pieces.
    #[must_use]
    pub fn new(blobs: Vec<Blob>) -> Self {
        let mut hash = Sha256::new();
        for blob in &blobs {
            hash.update(blob.offset.to_le_bytes());
            hash.update((blob.data.len() as u64).to_le_bytes());
            hash.update(&blob.data);
        }
        let digest = hash.finalize().iter().take(10).map(|byte| format!("{byte:02x}")).collect();
        Self { blobs, digest, build: String::new() }
    }

    /// An image that is a file, for the place in flash where the chip's ROM looks unless another is given.
    ///
    /// # Errors
    /// The file cannot be read, or the loader does not know the chip.
    pub fn of_file(file: &Path, offset: Option<u32>, chip: Chip) -> Result<Self, String> {
        let data = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let offset = match offset {
            Some(offset) => offset,
            None => larch_chip(chip)?.bootloader_offset,
        };
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self::new(vec![Blob { name, offset, data }]))
    }

    /// What an ELF file holds for the flash of a chip that takes it as it is linked. The build is the linker's build id.
    ///
    /// # Errors
    /// The file cannot be read, or is no ELF file with something to load.
    pub fn of_elf(file: &Path) -> Result<Self, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let bytes = fs::read(file).map_err(|error| wrong(&error))?;
        let elf = ElfFile32::<object::Endianness>::parse(bytes.as_slice()).map_err(|error| wrong(&error))?;
        let endian = elf.endian();
        let loaded = elf.elf_program_headers().iter().filter(|header| header.p_type(endian) == PT_LOAD);
        let mut pieces = Vec::new();
        for header in loaded.filter(|header| header.p_filesz(endian) > 0) {
            let data = header
                .data(endian, bytes.as_slice())
                .map_err(|()| wrong(&"a segment is outside the file"))?;
            pieces.push((header.p_paddr(endian), data));
        }
        pieces.sort_by_key(|(address, _)| *address);
        let offset = pieces.first().ok_or_else(|| wrong(&"nothing in it is loaded"))?.0;
        let mut data = Vec::new();
        for (address, piece) in pieces {
            data.resize(data.len().max((address - offset) as usize), 0xff);
            data.extend_from_slice(piece);
        }
        let note =
            elf.section_by_name(".build_id").and_then(|section| section.data().ok()).unwrap_or_default();
        let digits = note.get(16..22).unwrap_or_default();
        let build = digits.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { build, ..Self::new(vec![Blob { name: "app".into(), offset, data }]) })
    }

    /// All of it as one file for offset 0.
    ///
    /// # Errors
    /// If the pieces overlap.
    pub fn merged(&self) -> Result<Vec<u8>, String> {
        merge::raw(&self.blobs, 0, None).map_err(|error| error.to_string())
    }

    /// Length of the application in bytes.
    #[must_use]
    pub fn application_bytes(&self) -> usize {
        self.blobs.iter().find(|blob| blob.name == "app").map_or(0, |blob| blob.data.len())
    }
}

/// The loader's table of a chip of `boards.yaml`.
///
/// # Errors
/// The chip is none that the loader knows.
pub fn larch_chip(chip: Chip) -> Result<&'static larch_chips::Chip, String> {
    larch_chips::Chip::by_name(chip.word()).ok_or_else(|| format!("the loader does not know the chip {chip}"))
}

/// Why a program that cargo builds must be built (again), if so; by the list of its sources that cargo keeps beside it.
#[must_use]
pub fn stale(program: &Path, package: &str) -> Option<String> {
    let Some(built) = modified(program) else {
        return Some(format!("{package} is not built"));
    };
    let Ok(list) = fs::read_to_string(program.with_extension("d")) else {
        return Some(format!("{package} was built by something else than cargo"));
    };
    let sources = list.split_once(": ").map_or("", |(_, sources)| sources).replace("\\ ", "\u{0}");
    let newer = sources.split_whitespace().map(|path| path.replace('\u{0}', " ")).find(|path| {
        // A source that is gone changes the program as well.
        modified(Path::new(path)).is_none_or(|changed| changed > built)
    })?;
    Some(format!("{newer} is newer than the built {package}"))
}

fn modified(path: &Path) -> Option<SystemTime> {
    let time: io::Result<SystemTime> = fs::metadata(path).and_then(|data| data.modified());
    time.ok()
}

#[cfg(test)]
mod tests {
    use super::{Firmware, FlashImage};
    use larch_boards::Chip;
    use larch_image::merge::Blob;

    #[test]
    fn the_digest_tells_images_apart() {
        let image = |offset, data: &[u8]| {
            FlashImage::new(vec![Blob { name: "app".into(), offset, data: data.to_vec() }]).digest
        };
        assert_eq!(image(0, b"abc"), image(0, b"abc"));
        assert_ne!(image(0, b"abc"), image(4, b"abc"));
        assert_ne!(image(0, b"abc"), image(0, b"abd"));
        assert_eq!(image(0, b"abc").len(), 20);
    }

    #[test]
    fn a_firmware_that_is_not_built_is_stale_and_so_is_one_older_than_its_source() {
        let directory = std::env::temp_dir().join(format!("larch-firmware-{}", std::process::id()));
        let firmware = Firmware::of(Chip::Esp32c3, &directory).unwrap();
        assert_eq!(firmware.stale().unwrap(), "larch-esp32c3 is not built");
        std::fs::create_dir_all(firmware.elf.parent().unwrap()).unwrap();
        let source = directory.join("main.rs");
        std::fs::write(&source, "").unwrap();
        std::fs::write(&firmware.elf, "elf").unwrap();
        let list = format!("{}: {}\n", firmware.elf.display(), source.display());
        std::fs::write(firmware.elf.with_extension("d"), list).unwrap();
        assert_eq!(firmware.stale(), None);
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        std::fs::File::options().write(true).open(&source).unwrap().set_modified(later).unwrap();
        assert!(firmware.stale().unwrap().ends_with("main.rs is newer than the built larch-esp32c3"));
        let _ = std::fs::remove_dir_all(&directory);
    }
}
