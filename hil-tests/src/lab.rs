//! Where things are in this checkout: boards, suite, build directory, flashed boards, real MicroPython.

mod open;

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use larch_boards::{Board, Boards, Chip, FlashMethod};
use larch_image::packages;

use crate::files::write_whole;
use crate::firmware::{Firmware, FlashImage, larch_chip};
use crate::run::Suite;
use crate::target::air::{self, Forwards};
use crate::target::emulated::Emulated;

/// Revision of the mask ROM in an emulated chip.
const ROM_REVISION: u32 = 300;

/// The checkout, its boards and its scenarios.
pub struct Lab {
    /// Root of the repository.
    pub root: PathBuf,
    /// cargo's build directory.
    pub target: PathBuf,
    /// `boards.yaml`.
    pub boards: Boards,
    /// Scenarios and snapshots.
    pub suite: Suite,
    /// Where serial sessions are recorded, if they are.
    pub record: Option<PathBuf>,
}

impl Lab {
    /// Reads everything of this checkout; `target` is cargo's build directory.
    ///
    /// # Errors
    /// The first mistake in `boards.yaml`, a scenario or the list of differences.
    pub fn load(target: &Path) -> Result<Self, String> {
        let hil_tests = Suite::directory();
        let root = hil_tests.parent().unwrap_or(&hil_tests).to_path_buf();
        let boards = Boards::load(&root.join("boards.yaml")).map_err(|error| error.to_string())?;
        let suite = Suite::load(&hil_tests)?;
        Ok(Self { root, target: target.to_path_buf(), boards, suite, record: None })
    }

    /// What the harness keeps between runs: flash images, flashed boards, the files of program boards.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.target.join("hil")
    }

    /// Where the flash image of a chip is kept as files.
    #[must_use]
    pub fn image_directory(&self, chip: Chip) -> PathBuf {
        self.directory().join("image").join(chip.word())
    }

    /// Keeps the image as files: each piece, all of them as `flash.bin`, the digest, and the ROM of an emulated chip.
    ///
    /// # Errors
    /// A file cannot be written, or the ROM is not to be had.
    pub fn keep_image(&self, chip: Chip, image: &FlashImage) -> Result<PathBuf, String> {
        let directory = self.image_directory(chip);
        let write = |name: &str, data: &[u8]| {
            let path = directory.join(name);
            write_whole(&path, data).map_err(|error| format!("{}: {error}", path.display()))
        };
        fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        for blob in &image.blobs {
            write(&format!("0x{:x}-{}.bin", blob.offset, blob.name.replace(' ', "-")), &blob.data)?;
        }
        if larch_chip(chip).is_ok() {
            write("flash.bin", &image.merged()?)?;
            let rom = packages::rom_elf(chip.word(), ROM_REVISION).map_err(|error| error.to_string())?;
            write("rom.elf", &fs::read(&rom).map_err(|error| format!("{}: {error}", rom.display()))?)?;
        }
        write("build", image.build.as_bytes())?;
        write("digest", image.digest.as_bytes())?;
        Ok(directory)
    }

    /// Digest of the image that was kept last; empty if there is none.
    #[must_use]
    pub fn image_digest(&self, chip: Chip) -> String {
        fs::read_to_string(self.image_directory(chip).join("digest")).unwrap_or_default()
    }

    /// Build of the image that was kept last; empty if there is none.
    #[must_use]
    pub fn image_build(&self, chip: Chip) -> String {
        fs::read_to_string(self.image_directory(chip).join("build")).unwrap_or_default()
    }

    /// A board of this chip with blank flash and no power.
    ///
    /// # Errors
    /// The ROM is not to be had.
    pub fn blank_emulated(&self, chip: Chip) -> io::Result<Emulated> {
        self.emulated(chip, false)
    }

    /// The same; a strict one stops at the first access to an unknown register.
    ///
    /// # Errors
    /// The ROM is not to be had.
    pub fn emulated(&self, chip: Chip, strict: bool) -> io::Result<Emulated> {
        let kept = self.image_directory(chip).join("rom.elf");
        if kept.exists() {
            return Emulated::new(&kept, strict);
        }
        Emulated::new(&packages::rom_elf(chip.word(), ROM_REVISION).map_err(io::Error::other)?, strict)
    }

    /// An emulated board of `boards.yaml`, with its access points around it.
    ///
    /// # Errors
    /// The ROM is not to be had, or a secret's environment variable is not set.
    pub fn emulated_board(&self, board: &Board, strict: bool, forwards: Forwards) -> io::Result<Emulated> {
        let mut emulated = self.emulated(board.chip, strict)?;
        air::surround(emulated.board(), &board.access_points, forwards, &self.root)?;
        Ok(emulated)
    }

    /// The flash contents of an emulated board after this image was flashed and booted once.
    #[must_use]
    pub fn flashed(&self, board: &Board, digest: &str) -> PathBuf {
        let name = board.copy_of.as_deref().unwrap_or(&board.name);
        self.directory().join("flashed").join(format!("{name}-{digest}.bin"))
    }

    /// Why the board must be flashed first, if so; nothing is opened to find out.
    #[must_use]
    pub fn not_flashed(&self, board: &Board) -> Option<String> {
        if board.flash == FlashMethod::None {
            return None;
        }
        self.no_image(board).or_else(|| {
            let digest =
                fs::read_to_string(self.image_directory(board.chip).join("digest")).unwrap_or_default();
            let kept = self.flashed(board, &digest).exists();
            (!kept).then(|| format!("board {} is not flashed with this image", board.name))
        })
    }

    /// Why firmware or flash image must be made first, if so.
    #[must_use]
    pub fn no_image(&self, board: &Board) -> Option<String> {
        let firmware = match Firmware::of(board.chip, &self.target) {
            Ok(firmware) => firmware,
            Err(message) => return Some(message),
        };
        firmware.stale().or_else(|| {
            let time = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
            let made = time(&self.image_directory(board.chip).join("digest"));
            let old = made.is_none_or(|made| Some(made) < time(&firmware.elf));
            old.then(|| "the flash image is older than the firmware".into())
        })
    }

    /// Full path of a program: `micropython` may be named by `MICROPYTHON` or be in our virtual environment.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        if name == "micropython"
            && let Some(path) = env::var_os("MICROPYTHON")
        {
            return Some(path.into());
        }
        if name.contains('/') {
            return Some(name.into());
        }
        find_program(&self.target, name)
    }
}

/// A program of our virtual environment or of PATH.
pub(crate) fn find_program(target: &Path, name: &str) -> Option<PathBuf> {
    let search = env::var_os("PATH").unwrap_or_default();
    std::iter::once(target.join("venv/bin"))
        .chain(env::split_paths(&search))
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}

/// cargo's build directory as seen by a program that cargo has built.
#[must_use]
pub fn target_directory() -> PathBuf {
    let built = env::current_exe().unwrap_or_default();
    let marked = built.ancestors().find(|path| path.join("CACHEDIR.TAG").is_file());
    marked.map_or_else(|| Suite::directory().join("../target"), Path::to_path_buf)
}
