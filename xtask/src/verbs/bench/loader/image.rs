//! Images to write: real machine code, so that they deflate as firmware does.

use anyhow::{Context, Result, ensure};
use larch_image::{elf::Program, packages};

/// Mask ROMs of these chips, as published, make up the image: RISC-V code and tables.
const SOURCES: [(&str, u32); 6] =
    [("esp32c3", 300), ("esp32c6", 0), ("esp32h2", 0), ("esp32c2", 100), ("esp32c61", 100), ("esp32p4", 300)];

/// `len` bytes of machine code that deflate to about 62 %, the same everywhere. From where the sources end they are used
/// again, with other addresses in them, so that nothing repeats.
pub(super) fn firmware(len: usize) -> Result<Vec<u8>> {
    let mut code = Vec::new();
    for (chip, revision) in SOURCES {
        let path = packages::rom_elf(chip, revision)?;
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        let program = Program::parse(&bytes).with_context(|| path.display().to_string())?;
        code.extend(program.sections.into_iter().flat_map(|section| section.part.data));
    }
    ensure!(code.len() > 1 << 20, "the published ROM files are smaller than they were");
    let all = code.chunks_exact(4).cycle().take(len.div_ceil(4)).enumerate();
    let mut image: Vec<u8> = all
        .flat_map(|(n, word)| {
            let turn = (n * 4 / code.len()) as u8;
            [word[0], word[1], word[2], word[3].wrapping_add(turn.wrapping_mul(37))]
        })
        .collect();
    image.truncate(len);
    // Nothing that looks like the head of an image.
    image[0] = 0;
    Ok(image)
}

/// With another text of equal length in it, as after a changed string.
pub(super) fn changed(image: &[u8]) -> Vec<u8> {
    let mut image = image.to_vec();
    let at = image.len() / 3;
    image[at..at + 14].copy_from_slice(b"Hello, Larch!\n");
    image
}

/// With a line more in the middle: everything behind it moves.
pub(super) fn inserted(image: &[u8]) -> Vec<u8> {
    let mut image = image.to_vec();
    let at = image.len() / 2;
    image.splice(at..at, *b"    print('one line more')  # 36 bytes.\n");
    image
}
