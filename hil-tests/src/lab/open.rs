//! Opening boards: each port kind has its console; a scenario with several boards gets them all.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use larch_boards::{Board, Port, Power};
use larch_emulator::mcu::AnyBoard;

use super::Lab;
use crate::firmware::Firmware;
use crate::probe::{self, Connection};
use crate::run::Actor;
use crate::scenario::{FIRST, Scenario};
use crate::session::Console;
use crate::target::air::Forwards;
use crate::target::desk::{self, Wire};
use crate::target::jitter::Jitter;
use crate::target::machine::{Files, Machine};
use crate::target::mcu::{self, Mcu};
use crate::target::power;
use crate::target::program::Program;
use crate::target::rtt::Rtt;
use crate::target::serial::{self, Serial};

/// Boards opened by this process, so that each started one has a directory of its own.
static USES: AtomicU32 = AtomicU32::new(0);

impl Lab {
    /// Removes what processes that were killed left behind: the directories of programs they had started.
    pub fn clean_up(&self) {
        let directories = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten();
        for used in directories(self.directory().join("program")).flat_map(|board| directories(board.path()))
        {
            let name = used.file_name().to_string_lossy().into_owned();
            let pid = name.rsplit_once('-').and_then(|(_, pid)| pid.parse::<u32>().ok());
            if pid.is_none_or(|pid| !PathBuf::from(format!("/proc/{pid}")).exists()) {
                // Somebody else may be removing it as well.
                let _ = fs::remove_dir_all(used.path());
            }
        }
    }

    /// Why the board cannot be used on this machine at all, if so.
    #[must_use]
    pub fn unavailable(&self, board: &Board) -> Option<String> {
        match (&board.port, board.port.program()) {
            (Port::Emulator | Port::EmulatedRtt, _) => None,
            (Port::Rtt, _) => self.missing_probe(board),
            (Port::Command(_), Some(program)) if self.program(program).is_none() => Some(format!(
                "there is no program '{program}'; `cargo xtask hil --board {}` installs it",
                board.name
            )),
            (Port::Qemu(_) | Port::External(_), Some(program)) if self.program(program).is_none() => {
                Some(format!("there is no program '{program}'{}", where_from(program)))
            }
            (_, Some(_)) => None,
            (port, None) => serial::missing(port),
        }
    }

    /// Opens a board that is flashed; `use_name` tells apart what runs at the same time.
    ///
    /// # Errors
    /// If the port is not there, is busy, or the board is not flashed.
    pub fn open(&self, board: &Board, use_name: &str) -> io::Result<Box<dyn Console>> {
        match &board.port {
            Port::Emulator if board.probe.is_some() => Ok(Box::new(Mcu::of(self.flashed_mcu(board)?))),
            Port::Emulator => {
                let mut emulated = self.emulated_board(board, false, Forwards::Ignore)?;
                emulated.board().load_flash(&self.flashed(board, &self.image_digest(board.chip)))?;
                Ok(Box::new(emulated))
            }
            Port::EmulatedRtt => {
                let mut emulated = self.flashed_mcu(board)?;
                emulated.power_on();
                Ok(Box::new(self.open_rtt(board, Some(emulated))?))
            }
            Port::Rtt => Ok(Box::new(self.open_rtt(board, None)?)),
            Port::Command(words) => {
                let command = self.with_path(words)?;
                Ok(Box::new(Program::new(&command, &self.own_directory(board, use_name))?))
            }
            Port::Qemu(words) | Port::External(words) => {
                let command = self.with_path(words)?;
                Ok(Box::new(Machine::new(
                    &command,
                    &self.files(board),
                    &self.own_directory(board, use_name),
                )?))
            }
            _ => Ok(Box::new(Serial::open(board)?)),
        }
    }

    /// An emulated board with a debug port, flashed, without power.
    fn flashed_mcu(&self, board: &Board) -> io::Result<Box<dyn AnyBoard>> {
        let mut emulated = mcu::blank(board.chip, false)?;
        emulated.load_flash(&self.flashed(board, &self.image_digest(board.chip)))?;
        Ok(emulated)
    }

    /// Opens the terminal of a board with RTT; `emulated` is the board itself if it is one, switched on.
    ///
    /// # Errors
    /// There is no `larch-probe`, no probe, or no program with RTT on the board.
    pub fn open_rtt(&self, board: &Board, emulated: Option<Box<dyn AnyBoard>>) -> io::Result<Rtt> {
        let program = &self.larch_probe(board).map_err(io::Error::other)?;
        let wanted = board.probe.as_ref().ok_or_else(|| io::Error::other("`probe:` is missing"))?;
        let selector = wanted.selector.as_deref();
        let connection = Connection { program, wanted, selector, patience: probe::PATIENCE };
        let elf = match &board.image {
            Some(image) => Some(self.root.join(&image.file)),
            None => Firmware::of(board.chip, &self.target).ok().map(|firmware| firmware.elf),
        };
        let elf = elf.as_deref().filter(|elf| elf.exists());
        match emulated {
            Some(emulated) => Rtt::emulated(emulated, &connection, elf),
            None => Rtt::open(&connection, elf),
        }
    }

    fn larch_probe(&self, board: &Board) -> Result<PathBuf, String> {
        let program = probe::program(&self.target);
        let missing = || {
            format!("larch-probe is not built; `cargo xtask flash --board {} --ready` builds it", board.name)
        };
        program.exists().then_some(program).ok_or_else(missing)
    }

    /// Why the probe of a board without another port is not there, as far as can be told: by the program that finds probes.
    fn missing_probe(&self, board: &Board) -> Option<String> {
        let program = self.larch_probe(board).ok()?;
        let wanted = board.probe.as_ref()?.selector.as_deref().unwrap_or_default();
        let fits = |event: &probe::Event| matches!(event, probe::Event::Probe { selector, .. } if selector.starts_with(wanted));
        match probe::list(&program) {
            Ok(probes) if !wanted.contains(":tcp:") && !probes.iter().any(fits) => {
                Some(format!("there is no debug probe {wanted}; is it plugged in?"))
            }
            _ => None,
        }
    }

    /// Opens a board and those that a scenario types at besides it.
    ///
    /// # Errors
    /// As [`Lab::open`]; or a peer that cannot be wired to the board.
    pub fn open_actors(
        &self,
        board: &Board,
        scenario: &Scenario,
        seed: Option<u64>,
    ) -> io::Result<Vec<Actor>> {
        let roles = scenario.peers();
        let number = USES.fetch_add(1, Ordering::Relaxed);
        let use_name = format!("{}-{number}", scenario.name.replace('/', "__"));
        let mut actors = Vec::new();
        let wired = board.pins.iter().any(|wire| scenario.requires.contains(&wire.capability()));
        let emulated = board.port == Port::Emulator && (wired || !roles.is_empty());
        if emulated {
            actors = self.open_desk(board, &roles)?;
        } else {
            actors.push((FIRST.to_owned(), self.open(board, &use_name)?));
            for role in roles {
                let peer = self.peer(board, role).ok_or_else(|| no_peer(role))?;
                actors.push((role.to_owned(), self.open(peer, &format!("{use_name}-{role}"))?));
            }
        }
        let Some(seed) = seed else { return Ok(actors) };
        let disturbed = actors.into_iter().zip(1..).map(|((role, console), number)| {
            let jitter: Box<dyn Console> = Box::new(Jitter::new(console, seed.wrapping_mul(number)));
            (role, jitter)
        });
        Ok(disturbed.collect())
    }

    /// Emulated boards beside each other, in one simulated time, with the wires of `boards.yaml`.
    fn open_desk(&self, board: &Board, roles: &[&str]) -> io::Result<Vec<Actor>> {
        let mut boards = Vec::new();
        let mut wires = Vec::new();
        for (index, role) in std::iter::once(&FIRST).chain(roles).enumerate() {
            let one = if index == 0 { Some(board) } else { self.peer(board, role) };
            let one = one.filter(|one| one.port == Port::Emulator).ok_or_else(|| no_peer(role))?;
            // The first board's access points are heard by all.
            let mut emulated = match index {
                0 => self.emulated_board(one, false, Forwards::Ignore)?,
                _ => self.blank_emulated(one.chip)?,
            };
            let chip = emulated.board().chip_mut();
            let mut mac = chip.mac();
            mac[5] += u8::try_from(index).unwrap_or(0);
            chip.set_mac(mac);
            emulated.board().load_flash(&self.flashed(one, &self.image_digest(one.chip)))?;
            boards.push(emulated);
            let to_here = board.pins.iter().filter(|wire| wire.peer.as_deref().unwrap_or(FIRST) == *role);
            wires.extend(to_here.map(|wire| Wire { from: (0, wire.from), to: (index, wire.to) }));
        }
        let seats = desk::seats(boards, wires).into_iter();
        let roles = std::iter::once(FIRST).chain(roles.iter().copied());
        Ok(roles
            .zip(seats)
            .map(|(role, seat)| (role.to_owned(), Box::new(seat) as Box<dyn Console>))
            .collect())
    }

    /// The board beside this one in that role.
    #[must_use]
    pub fn peer(&self, board: &Board, role: &str) -> Option<&Board> {
        let (_, name) = board.peers.iter().find(|(known, _)| known == role)?;
        self.boards.find(name).ok()
    }

    /// Switches a board that does not answer off and on, if that can be done without a person. Says what was done.
    ///
    /// # Errors
    /// The power could not be switched.
    pub fn recover(&self, board: &Board) -> io::Result<Option<String>> {
        let Some(power) = board.power.as_ref().filter(|power| power.is_automatic()) else { return Ok(None) };
        power_cycle(power)?;
        Ok(Some("switched its power off and on".into()))
    }

    /// Files for the placeholders of a command.
    fn files(&self, board: &Board) -> Files {
        let firmware = Firmware::of(board.chip, &self.target).ok().map(|firmware| firmware.elf);
        let flash = Some(self.image_directory(board.chip).join("flash.bin")).filter(|path| path.exists());
        Files { firmware, flash }
    }

    fn own_directory(&self, board: &Board, use_name: &str) -> PathBuf {
        let unique = format!("{}-{}", use_name.replace('/', "__"), std::process::id());
        self.directory().join("program").join(&board.name).join(unique)
    }

    fn with_path(&self, words: &[String]) -> io::Result<Vec<String>> {
        let (program, arguments) = words.split_first().ok_or_else(|| io::Error::other("empty command"))?;
        let path = self.program(program).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("there is no program '{program}'{}", where_from(program)),
            )
        })?;
        let mut command = vec![path.display().to_string()];
        command.extend_from_slice(arguments);
        Ok(command)
    }
}

fn power_cycle(power: &Power) -> io::Result<()> {
    power::switch(power, false)?;
    thread::sleep(power::OFF_TIME);
    power::switch(power, true)
}

fn no_peer(role: &str) -> io::Error {
    io::Error::other(format!("no board in the role '{role}' can be wired to this one"))
}

/// What to install, where that is known.
fn where_from(program: &str) -> &'static str {
    match program {
        "qemu-system-riscv32" | "qemu-system-riscv64" => "; on Debian: apt install qemu-system-misc",
        "qemu-system-arm" => "; on Debian: apt install qemu-system-arm",
        _ => "; install it, or put it into PATH",
    }
}
