//! What is fuzzed.

use crate::{session, way};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use larch_chips::{CHIPS, Chip};
use larch_image::crash::Places;
use larch_image::elf::{Program, Settings};
use larch_image::header::Header;
use larch_image::merge::Blob;
use larch_image::partition::Table;
use larch_image::stub::Stub;
use larch_image::{Image, build, ihex, image, uf2};
use larch_loader::transport::trace;
use larch_protocol::{Response, SecurityInfo, slip};
use larch_stub::inflate::{Inflate, Pipe};
use std::time::Duration;

/// What inflates to more is not looked at further.
const MOST_INFLATED: usize = 1 << 18;

/// Something that reads bytes of any kind.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Reads them. The number tells outcomes apart.
    pub run: fn(&[u8]) -> u64,
    /// Sound inputs to begin with.
    pub examples: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: [Target; 12] = [
    Target { name: "slip", run: frames, examples: frame_examples },
    Target { name: "response", run: response, examples: response_examples },
    Target {
        name: "session",
        run: |bytes| way(&session::talk(bytes)),
        examples: || vec![session::example()],
    },
    Target { name: "image", run: whole_image, examples: image_examples },
    Target {
        name: "partitions",
        run: partitions,
        examples: || vec![Table::micropython_4mb().to_bytes().unwrap_or_default()],
    },
    Target {
        name: "partition-csv",
        run: partition_csv,
        examples: || {
            vec![
                Table::micropython_4mb().to_csv().into_bytes(),
                b"a,app,ota_0,,1M,encrypted:readonly\nb,0x40,0x6,0x200000,64K,".to_vec(),
            ]
        },
    },
    Target { name: "elf", run: program, examples: elf_examples },
    Target {
        name: "uf2",
        run: uf2_blocks,
        examples: || {
            [(None, true), (Some(16), false)]
                .map(|(chunk, md5)| uf2::encode(&blobs(), 0xD42B_A06C, uf2::Uf2Options { chunk, md5 }))
                .to_vec()
        },
    },
    Target { name: "hex", run: intel_hex, examples: || vec![ihex::encode(&blobs()).into_bytes()] },
    Target {
        name: "stub-file",
        run: |bytes| way(&Stub::parse(&String::from_utf8_lossy(bytes))),
        examples: stub_examples,
    },
    Target { name: "inflate", run: inflate, examples: deflated_examples },
    Target { name: "record", run: record, examples: record_examples },
];

/// The target of this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// All frames of a stream, and how often one was broken.
fn decoded(bytes: &[u8]) -> (Vec<Vec<u8>>, u64) {
    let (mut decoder, mut frames, mut frame, mut broken) = (slip::Decoder::new(), Vec::new(), Vec::new(), 0);
    for &byte in bytes {
        match decoder.push(byte) {
            Some(slip::Piece::Byte(byte)) => frame.push(byte),
            Some(slip::Piece::End) => frames.push(std::mem::take(&mut frame)),
            Some(slip::Piece::Broken(_)) => {
                frame.clear();
                broken += 1;
            }
            Some(slip::Piece::Outside(_)) | None => {}
        }
    }
    (frames, broken)
}

fn frames(bytes: &[u8]) -> u64 {
    let (frames, broken) = decoded(bytes);
    let again: Vec<u8> = frames.iter().flat_map(|frame| slip::encode(frame.iter().copied())).collect();
    assert_eq!(decoded(&again), (frames.clone(), 0), "frames change on their way");
    frames.len() as u64 * 8 + broken.min(7)
}

fn frame_examples() -> Vec<Vec<u8>> {
    vec![slip::encode([1, 0xC0, 0xDB, 2]).chain(slip::encode([0xDC, 0xDD])).collect()]
}

fn response(bytes: &[u8]) -> u64 {
    let parsed = Response::parse(bytes);
    let Ok(response) = parsed else { return way(&parsed) };
    let outcomes =
        [0, 16, 32, SecurityInfo::LEN].map(|len| way(&response.data(len).map(SecurityInfo::parse)));
    outcomes.iter().fold(1, |all, outcome| all.wrapping_mul(31).wrapping_add(*outcome))
}

fn response_examples() -> Vec<Vec<u8>> {
    [0, 16, 20, 32]
        .map(|len: u8| {
            let mut bytes = vec![1, 0x13, len + 4, 0, 1, 2, 3, 4];
            bytes.extend(vec![0; usize::from(len) + 4]);
            bytes
        })
        .to_vec()
}

fn whole_image(bytes: &[u8]) -> u64 {
    let parsed = Image::parse(bytes);
    let Ok(found) = &parsed else { return way(&parsed) };
    assert!(found.len <= bytes.len(), "the image is longer than the file");
    assert!(
        found.segments.iter().all(|segment| segment.range.end <= found.len),
        "a segment ends outside the image"
    );
    let mut patched = bytes.to_vec();
    image::patch_flash_settings(&mut patched, 1, 0x2F).expect("what was an image is one");
    let again = Image::parse(&patched).expect("an image with other flash settings is an image");
    // The other way round is possible: the stored digest may be that of the image with the new settings.
    assert!(found.check().is_err() || again.check().is_ok(), "patching spoils a sound image");
    way(&found.check())
        .wrapping_add(u64::from(found.app.is_some()) + 2 * u64::from(found.bootloader.is_some()))
}

fn image_examples() -> Vec<Vec<u8>> {
    let part =
        |address, len| build::Part { address, data: (0..len).map(|n: u32| n.to_le_bytes()[0]).collect() };
    let made = CHIPS.iter().filter_map(|chip| {
        let flash = chip.memory.iter().find(|region| chip.is_flash(region.start))?.start;
        let ram = chip.memory.iter().find(|region| !chip.is_flash(region.start))?.start;
        let header = Header::new(chip.identity.chip_id, ram);
        let layout = build::Layout::of_pages(chip.image.mmu_page_sizes[0]);
        build::build(chip, header, layout, vec![part(flash + 0x20, 400), part(ram, 64)]).ok()
    });
    made.map(|mut image| {
        image.truncate(crate::LONGEST);
        image
    })
    .collect()
}

fn partitions(bytes: &[u8]) -> u64 {
    let parsed = Table::from_bytes(bytes);
    let Ok(table) = &parsed else { return way(&parsed) };
    let encoded = table.to_bytes();
    let Ok(encoded) = &encoded else { return way(&encoded) };
    // Labels that are no text are shown with another character and may then be longer.
    if table.partitions.iter().all(|partition| !partition.label.contains('\u{FFFD}')) {
        assert_eq!(Table::from_bytes(encoded).as_ref(), Ok(table), "a table changes on its way");
    }
    table.partitions.len() as u64
}

fn partition_csv(bytes: &[u8]) -> u64 {
    let parsed = Table::from_csv(&String::from_utf8_lossy(bytes));
    let Ok(table) = &parsed else { return way(&parsed) };
    assert_eq!(
        Table::from_csv(&table.to_csv()).as_ref(),
        Ok(table),
        "a table changes on its way through CSV"
    );
    let encoded = table.to_bytes().expect("what was read from CSV was checked");
    assert_eq!(Table::from_bytes(&encoded).as_ref(), Ok(table), "a table changes on its way");
    table.partitions.len() as u64
}

fn program(bytes: &[u8]) -> u64 {
    if let Ok(places) = Places::of_program(bytes) {
        for address in [0, 0x4200_0020, 0x4200_0040, u32::MAX] {
            // Any answer will do.
            let _ = places.at(address);
        }
    }
    let parsed = Program::parse(bytes);
    let Ok(program) = &parsed else { return way(&parsed) };
    let mut all = 1_u64;
    for chip in ["esp32", "esp32c3"].into_iter().filter_map(Chip::by_name) {
        for use_segments in [false, true] {
            let image = program.image(chip, &Settings { use_segments, ..Settings::default() });
            if let Ok(image) = &image {
                let parsed = Image::parse(image).expect("what is made of a program is an image");
                parsed.check().expect("and a sound one");
            }
            all = way(&image.map(|image| image.len() > 0x1_0000)).wrapping_add(all.wrapping_mul(31));
        }
    }
    all
}

/// A program for the ESP32-C3 as a linker makes it: one section in flash, one in RAM.
fn elf_examples() -> Vec<Vec<u8>> {
    [(243_u16, 0x4200_0020_u32, 0x3FC8_0000_u32), (94, 0x400D_0020, 0x3FFB_0000)]
        .map(|(machine, flash, ram)| elf(machine, &[flash, ram]))
        .to_vec()
}

/// ELF32, little-endian: header, names, section contents, segment table, section table.
fn elf(machine: u16, addresses: &[u32]) -> Vec<u8> {
    const NAMES: &[u8] = b"\0.text\0.data\0.shstrtab\0\0";
    const CONTENTS: u32 = 64;
    let word = |value: usize| u32::try_from(value).unwrap_or(0);
    let names_at = 52;
    let contents_at = names_at + word(NAMES.len());
    let segments_at = contents_at + CONTENTS * word(addresses.len());
    let sections_at = segments_at + 32 * word(addresses.len());
    let mut elf = b"\x7FELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let half = |value: usize| u16::try_from(value).unwrap_or(0).to_le_bytes();
    elf.extend([half(2), machine.to_le_bytes()].concat());
    for value in [1, addresses[0], segments_at, sections_at, 0] {
        elf.extend(value.to_le_bytes());
    }
    elf.extend([52, 32, addresses.len(), 40, addresses.len() + 2, addresses.len() + 1].map(half).concat());
    elf.extend(NAMES);
    elf.extend((0..CONTENTS * word(addresses.len())).map(|n| n.to_le_bytes()[0]));
    let at = |n: usize| contents_at + CONTENTS * word(n);
    for (n, &address) in addresses.iter().enumerate() {
        elf.extend([1, at(n), address, address, CONTENTS, CONTENTS, 5, 4].map(u32::to_le_bytes).concat());
    }
    elf.extend([0; 40]);
    for (n, &address) in addresses.iter().enumerate() {
        let name = 1 + 6 * word(n);
        elf.extend([name, 1, 6, address, at(n), CONTENTS, 0, 0, 4, 0].map(u32::to_le_bytes).concat());
    }
    elf.extend([13, 3, 0, 0, names_at, word(NAMES.len()), 0, 0, 1, 0].map(u32::to_le_bytes).concat());
    elf
}

fn blobs() -> Vec<Blob> {
    let blob = |name: &str, offset, len| Blob {
        name: name.to_owned(),
        offset,
        data: (0..len).map(|n: u32| n.to_le_bytes()[0]).collect(),
    };
    vec![blob("a", 0xFFF0, 600), blob("b", 0x2_0000, 40)]
}

fn uf2_blocks(bytes: &[u8]) -> u64 {
    let parsed = uf2::decode("file", bytes);
    let Ok(blobs) = &parsed else { return way(&parsed) };
    let encoded = uf2::encode(blobs, 0, uf2::Uf2Options { chunk: None, md5: true });
    let again = uf2::decode("file", &encoded).expect("what was encoded is UF2");
    assert_eq!(&again, blobs, "blobs change on their way through UF2");
    blobs.len() as u64
}

fn intel_hex(bytes: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(bytes);
    let _ = ihex::is_ihex(bytes);
    let parsed = ihex::decode("file", &text);
    let Ok(blobs) = &parsed else { return way(&parsed) };
    let again = ihex::decode("file", &ihex::encode(blobs)).expect("what was encoded is Intel HEX");
    assert_eq!(&again, blobs, "blobs change on their way through Intel HEX");
    blobs.len() as u64
}

/// The stub's inflater between two pieces of memory.
struct Memory<'a> {
    from: &'a [u8],
    to: Vec<u8>,
}

impl Pipe for Memory<'_> {
    type Error = &'static str;

    fn next(&mut self) -> Result<u8, Self::Error> {
        let (first, rest) = self.from.split_first().ok_or("too short")?;
        self.from = rest;
        Ok(*first)
    }

    fn push(&mut self, byte: u8) -> Result<(), Self::Error> {
        self.to.push(byte);
        if self.to.len() > MOST_INFLATED { Err("too long") } else { Ok(()) }
    }

    fn back(&self, distance: usize) -> Option<u8> {
        self.to.len().checked_sub(distance).and_then(|at| self.to.get(at)).copied()
    }

    fn damaged(&self) -> Self::Error {
        "damaged"
    }
}

/// The stub's own inflater beside another one.
fn inflate(bytes: &[u8]) -> u64 {
    let mut ours = Memory { from: bytes, to: Vec::new() };
    let result = Inflate::new().run(&mut ours);
    let mut theirs = Vec::with_capacity(MOST_INFLATED);
    let status = Decompress::new(true).decompress_vec(bytes, &mut theirs, FlushDecompress::Finish);
    if matches!(status, Ok(flate2::Status::StreamEnd)) {
        assert!(result.is_ok() && ours.to == theirs, "ours inflates otherwise: {result:?}");
    }
    way(&result).wrapping_add(ours.to.len().next_power_of_two() as u64)
}

fn stub_examples() -> Vec<Vec<u8>> {
    vec![b"entry = 1_077_415_578\ntext = \"AQID\"\ntext_start = 16\ndata = \"\"\ndata_start = 32\nbss_start = 1\n".to_vec()]
}

fn deflated_examples() -> Vec<Vec<u8>> {
    let data: Vec<u8> = (0..3000_u32).map(|n| ((n * n) >> 5).to_le_bytes()[0] & 0x1F).collect();
    [0, 1, 9]
        .map(|level| {
            let mut bytes = Vec::with_capacity(8000);
            let status = Compress::new(Compression::new(level), true).compress_vec(
                &data,
                &mut bytes,
                FlushCompress::Finish,
            );
            assert!(matches!(status, Ok(flate2::Status::StreamEnd)), "the example fits");
            bytes
        })
        .to_vec()
}

fn record(bytes: &[u8]) -> u64 {
    let parsed = trace::parse(&String::from_utf8_lossy(bytes));
    let Ok(entries) = &parsed else { return way(&parsed) };
    // Moments are kept to the microsecond.
    let text = written(entries);
    let again = trace::parse(&text).expect("what was written is a record");
    assert_eq!(written(&again), text, "a record changes on its way");
    entries.len() as u64
}

fn written(entries: &[(Duration, trace::Entry)]) -> String {
    let mut text = Vec::new();
    for (moment, entry) in entries {
        trace::write(&mut text, *moment, entry).expect("memory takes everything");
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn record_examples() -> Vec<Vec<u8>> {
    use larch_loader::transport::Lines;
    let entries = [
        trace::Entry::Sent(vec![0xC0, 1, 0xC0]),
        trace::Entry::Received(b"rst:0x1\r\n".to_vec()),
        trace::Entry::Baud(115_200),
        trace::Entry::Lines(Lines { dtr: true, rts: false }),
    ];
    let moments = (0..).map(|n| Duration::from_millis(n * 7));
    vec![written(&moments.zip(entries).collect::<Vec<_>>()).into_bytes()]
}
