//! Programs as linkers make them, and the images made from them.
//!
//! Sections that occupy memory and have contents become segments; neighbours are joined. This is what esptool's
//! `elf2image` does, and for the programs it accepts the result is the same to the byte.

use crate::ImageError;
use crate::build::{Layout, Part, SecurePad, build};
use crate::descriptor::AppDescriptor;
use crate::header::Header;
use larch_chips::{Chip, Core, Kind};
use object::Endianness;
use object::elf;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use sha2::{Digest, Sha256};

/// A program: where it starts and what it puts where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Entry address.
    pub entry: u32,
    /// Instruction set.
    pub core: Core,
    /// Sections with contents, in the order of the file.
    pub sections: Vec<Section>,
    /// Loadable segments with contents, as if they were sections.
    pub segments: Vec<Section>,
    /// SHA-256 of the ELF file.
    pub sha256: [u8; 32],
}

/// A section with contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Alignment of its address.
    pub align: u32,
    /// Address and data.
    pub part: Part,
}

/// Settings of the image header; `None` takes the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// Header byte 2.
    pub flash_mode: Option<u8>,
    /// Header byte 3.
    pub flash_size_frequency: Option<u8>,
    /// Least chip revision, major * 100 + minor.
    pub min_revision: u16,
    /// Greatest chip revision.
    pub max_revision: Option<u16>,
    /// Page size of the flash MMU.
    pub page_size: Option<u32>,
    /// Leave the digest out.
    pub no_digest: bool,
    /// Least revision as older bootloaders read it.
    pub min_revision_legacy: u8,
    /// Only a section of ESP-IDF's name holds the program's descriptor, as for esptool; else it is known by its contents.
    pub descriptor_by_name: bool,
    /// Segments of the ELF file instead of its sections.
    pub use_segments: bool,
    /// Padding for a signature.
    pub secure_pad: Option<SecurePad>,
    /// RAM segments first, and only they are counted.
    pub ram_only_header: bool,
    /// Place of the ELF file's SHA-256 in the image, if not the descriptor's.
    pub elf_sha256_offset: Option<usize>,
    /// The file is filled up with 0xFF to a multiple of this.
    pub pad_to: Option<usize>,
}

impl Program {
    /// Reads a 32-bit little-endian ELF file for Xtensa or RISC-V.
    ///
    /// # Errors
    /// If it is something else, or damaged.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        let bad = |error: object::read::Error| ImageError::Elf(error.to_string());
        let header = elf::FileHeader32::<Endianness>::parse(bytes).map_err(bad)?;
        let endian = header.endian().map_err(bad)?;
        let core = match header.e_machine(endian) {
            elf::EM_RISCV => Core::RiscV,
            elf::EM_XTENSA => Core::Xtensa,
            other => return Err(ImageError::Elf(format!("its machine number is {}", other.0))),
        };
        let table = header.sections(endian, bytes).map_err(bad)?;
        let mut sections = Vec::new();
        for section in table.iter() {
            let flags = section.sh_flags(endian);
            let address = section.sh_addr(endian);
            let has_contents = matches!(
                section.sh_type(endian),
                elf::SHT_PROGBITS | elf::SHT_INIT_ARRAY | elf::SHT_FINI_ARRAY | elf::SHT_PREINIT_ARRAY
            );
            if !has_contents
                || address == 0
                || !flags.contains(elf::SHF_ALLOC)
                || section.sh_size(endian) == 0
            {
                continue;
            }
            let mut data = section.data(endian, bytes).map_err(bad)?.to_vec();
            data.resize(data.len().next_multiple_of(4), 0);
            let name = table.section_name(endian, section).map_err(bad)?;
            let name = String::from_utf8_lossy(name).into_owned();
            let align = section.sh_addralign(endian);
            sections.push(Section { name, align, part: Part { address, data } });
        }
        let mut segments = Vec::new();
        for segment in header.program_headers(endian, bytes).map_err(bad)? {
            let address = segment.p_paddr(endian);
            let mut data = match segment.p_type(endian) {
                elf::PT_LOAD if address != 0 => segment
                    .data(endian, bytes)
                    .map_err(|()| ImageError::Elf("a segment is cut off".to_owned()))?
                    .to_vec(),
                _ => continue,
            };
            data.resize(data.len().next_multiple_of(4), 0);
            if !data.is_empty() {
                let align = segment.p_align(endian);
                segments.push(Section { name: "PHDR".to_owned(), align, part: Part { address, data } });
            }
        }
        if sections.is_empty() {
            return Err(ImageError::Elf("it has no contents to load".to_owned()));
        }
        Ok(Self {
            entry: header.e_entry(endian),
            core,
            sections,
            segments,
            sha256: Sha256::digest(bytes).into(),
        })
    }

    /// The image of the program for a chip.
    ///
    /// # Errors
    /// If the program is for another instruction set, or does not fit the chip's memory.
    pub fn image(&self, chip: &Chip, settings: &Settings) -> Result<Vec<u8>, ImageError> {
        if self.core != chip.core {
            return Err(ImageError::Elf(format!(
                "it is {:?}, the {} is {:?}",
                self.core, chip.name, chip.core
            )));
        }
        let mut sections = if settings.use_segments { &self.segments } else { &self.sections }.clone();
        let descriptor = self.fill_in_digest(chip, settings, &mut sections);
        let layout = Layout {
            page_size: settings.page_size.unwrap_or_else(|| page_size(chip, descriptor.as_ref())),
            secure_pad: settings.secure_pad,
            ram_only_header: settings.ram_only_header,
            digest_at: settings.elf_sha256_offset.map(|at| (at, self.sha256)),
            pad_to: settings.pad_to,
        };
        let mut header = Header::new(chip.identity.chip_id, self.entry);
        header.flash_mode = settings.flash_mode.unwrap_or(header.flash_mode);
        header.flash_size_frequency = settings.flash_size_frequency.unwrap_or(header.flash_size_frequency);
        header.min_revision_legacy = settings.min_revision_legacy;
        header.min_revision = settings.min_revision;
        header.max_revision = settings.max_revision.unwrap_or(u16::MAX);
        header.has_digest = !settings.no_digest;
        build(chip, header, layout, segments(chip, settings, sections)?)
    }

    /// Writes the ELF file's digest where the program's descriptor has room for it.
    fn fill_in_digest(
        &self,
        chip: &Chip,
        settings: &Settings,
        sections: &mut [Section],
    ) -> Option<AppDescriptor> {
        let section = sections.iter_mut().find(|section| {
            chip.is_flash(section.part.address)
                && (!settings.descriptor_by_name || section.name.contains(APP_DESCRIPTOR))
                && AppDescriptor::parse(&section.part.data).is_some()
        })?;
        let at = AppDescriptor::ELF_SHA256_OFFSET;
        let room = section.part.data.get_mut(at..at + 32).filter(|room| room.iter().all(|&b| b == 0));
        if let Some(room) = room.filter(|_| settings.elf_sha256_offset.is_none()) {
            room.copy_from_slice(&self.sha256);
        }
        AppDescriptor::parse(&section.part.data)
    }
}

/// ESP-IDF's section with the program's descriptor.
const APP_DESCRIPTOR: &str = ".flash.appdesc";
/// ESP-IDF's section with the bootloader's descriptor.
const BOOT_DESCRIPTOR: &str = ".dram0.bootdesc";

/// The page size that the descriptor tells, or the chip's default.
fn page_size(chip: &Chip, descriptor: Option<&AppDescriptor>) -> u32 {
    let told = descriptor
        .map_or(0, |descriptor| 1_u32.checked_shl(descriptor.mmu_page_size_log2.into()).unwrap_or(0));
    match chip.image.mmu_page_sizes.iter().find(|&&size| size == told) {
        Some(&size) => size,
        None => chip.image.mmu_page_sizes[0],
    }
}

/// Joins sections that follow each other, sorts by address, and puts the descriptor first.
fn segments(chip: &Chip, settings: &Settings, mut sections: Vec<Section>) -> Result<Vec<Part>, ImageError> {
    let kind = |address: u32| chip.region(address).map(|region| region.kind);
    if settings.ram_only_header {
        sections.sort_by_key(|section| section.part.address);
        fill_alignment_gaps(&mut sections);
    }
    let mut joined: Vec<Section> = Vec::new();
    for section in sections {
        let Some(place) = kind(section.part.address) else {
            let problem =
                format!("section {} is at 0x{:08x}, where nothing is", section.name, section.part.address);
            return Err(ImageError::Link(problem));
        };
        match joined.last_mut().filter(|last| kind(last.part.address) == Some(place)) {
            Some(last) if joins(place, &last.part, &section.part) => {
                let gap = section.part.address - last.part.address;
                last.part.data.resize(gap as usize, 0);
                last.part.data.extend(section.part.data);
            }
            _ => joined.push(section),
        }
    }
    joined.sort_by_key(|section| section.part.address);
    let is_first = |section: &Section| {
        matches!(section.name.as_str(), APP_DESCRIPTOR | BOOT_DESCRIPTOR)
            || !settings.descriptor_by_name && AppDescriptor::parse(&section.part.data).is_some()
    };
    joined.sort_by_key(|section| !is_first(section));
    check_overlaps(&joined)?;
    Ok(joined.into_iter().map(|section| section.part).collect())
}

/// Sections that follow each other but for their alignment follow each other directly afterwards.
fn fill_alignment_gaps(sections: &mut [Section]) {
    for at in 1..sections.len() {
        let (before, after) = sections.split_at_mut(at);
        let (Some(part), Some(next)) = (before.last_mut().map(|last| &mut last.part), after.first()) else {
            continue;
        };
        let gap = next.part.address.saturating_sub(part.address) as usize;
        let end = u64::from(part.address) + part.data.len() as u64;
        if end.next_multiple_of(u64::from(next.align.max(1))) == u64::from(next.part.address) {
            part.data.resize(gap, 0);
        }
    }
}

/// Whether the second part continues the first: directly, or in flash behind a gap too small for a page of its own.
fn joins(kind: Kind, first: &Part, second: &Part) -> bool {
    /// Alignment gaps between read-only sections; larger ones are meant.
    const LARGEST_GAP: u32 = 0x100;
    let end = first.address + u32::try_from(first.data.len()).unwrap_or(u32::MAX);
    second.address == end || (kind.is_flash() && second.address > end && second.address - end <= LARGEST_GAP)
}

fn check_overlaps(sections: &[Section]) -> Result<(), ImageError> {
    let mut ranges: Vec<_> = sections
        .iter()
        .map(|section| (section.part.address, section.part.data.len() as u64, section.name.as_str()))
        .collect();
    ranges.sort_unstable();
    match ranges.windows(2).find(|pair| u64::from(pair[0].0) + pair[0].1 > u64::from(pair[1].0)) {
        Some(pair) => Err(ImageError::Link(format!("sections {} and {} overlap", pair[0].2, pair[1].2))),
        None => Ok(()),
    }
}
