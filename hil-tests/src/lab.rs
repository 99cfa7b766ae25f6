//! Where things are in this checkout: boards, suite, build directory, real MicroPython.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use larch_boards::{Board, Boards, Port};

use crate::run::Suite;
use crate::session::Console;
use crate::target::program::Program;

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
        Ok(Self { root, target: target.to_path_buf(), boards, suite })
    }

    /// What the harness keeps between runs: flash images, reports, the files of program boards.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.target.join("hil")
    }

    /// Why the board cannot be used on this machine at all, if so.
    #[must_use]
    pub fn unavailable(&self, board: &Board) -> Option<String> {
        let Port::Command(words) = &board.port else { return None };
        match self.program(&words[0]) {
            Some(_) => None,
            None => Some(format!("no program '{}'; cargo xtask test --clients installs it", words[0])),
        }
    }

    /// Opens a board that is flashed; `use_name` tells apart what runs at the same time.
    ///
    /// # Errors
    /// If the port is not there, is busy, or the firmware is not built.
    pub fn open(&self, board: &Board, use_name: &str) -> io::Result<Box<dyn Console>> {
        match &board.port {
            Port::Command(_) => self.open_program(board, use_name),
            _ => Err(io::Error::other("not yet")),
        }
    }

    /// Opens a program board; `use_name` tells apart what runs at the same time.
    ///
    /// # Errors
    /// If the program is not there or its directory cannot be made.
    pub fn open_program(&self, board: &Board, use_name: &str) -> io::Result<Box<dyn Console>> {
        let Port::Command(words) = &board.port else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a program"));
        };
        let path = self.program(&words[0]).ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, format!("there is no program '{}'", words[0]))
        })?;
        let mut command = vec![path.display().to_string()];
        command.extend_from_slice(&words[1..]);
        let directory = self.directory().join("program").join(&board.name).join(use_name.replace('/', "__"));
        Ok(Box::new(Program::new(&command, &directory)?))
    }

    /// Full path of a program: `micropython` may be named by `MICROPYTHON` or be in our virtual environment.
    fn program(&self, name: &str) -> Option<PathBuf> {
        if name == "micropython"
            && let Some(path) = env::var_os("MICROPYTHON")
        {
            return Some(path.into());
        }
        if name.contains('/') {
            return Some(name.into());
        }
        let search = env::var_os("PATH").unwrap_or_default();
        std::iter::once(self.target.join("venv/bin"))
            .chain(env::split_paths(&search))
            .map(|directory| directory.join(name))
            .find(|path| path.is_file())
    }
}

/// cargo's build directory as seen by a program that cargo has built.
#[must_use]
pub fn target_directory() -> PathBuf {
    let built = env::current_exe().unwrap_or_default();
    let marked = built.ancestors().find(|path| path.join("CACHEDIR.TAG").is_file());
    marked.map_or_else(|| Suite::directory().join("../target"), Path::to_path_buf)
}
