//! `cargo xtask repl`: a terminal on a board's REPL.

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use hil_tests::lab::Lab;
use hil_tests::session::Console;
use hil_tests::target::air::Forwards;
use hil_tests::target::mcu::{self, Mcu};
use larch_boards::{Board, Port};
use larch_emulator::lent::Lent;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::{ready, workspace};

/// Ctrl-], as in telnet.
const QUIT: u8 = 0x1d;

/// Talk to a board's REPL. Ctrl-] quits.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask repl                      the emulated board; it keeps its files from call to call
  cargo xtask repl -b stm32f405-emu     another emulated board, likewise
  cargo xtask repl --board c3-devkit    an attached board, as it is
  cargo xtask repl --reset              reset it first")]
pub(crate) struct Arguments {
    /// Board of boards.yaml [default: its default]
    #[arg(long, short)]
    board: Option<String>,
    /// Reset the board first (an emulated board and a program always start afresh)
    #[arg(long)]
    reset: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    let board = workspace::board(&lab, arguments.board.as_deref())?;
    if !ready::is_attached(&board) {
        ready::make_ready(&lab, &board, &|_| {})?;
    }
    match board.port {
        Port::Emulator if board.probe.is_none() => return emulated(&lab, &board),
        Port::Emulator | Port::EmulatedRtt => return emulated_mcu(&lab, &board),
        _ => {}
    }
    let mut console = lab.open(&board, "repl").with_context(|| format!("board {}", board.name))?;
    if arguments.reset || board.port.is_started() {
        console.hard_reset().with_context(|| format!("board {} cannot be reset", board.name))?;
    }
    interact(&board, console.as_mut())
}

/// The flash of an emulated board, which keeps its files from one call to the next, as long as the firmware stays the same.
struct Kept {
    /// Where it is kept.
    file: PathBuf,
    /// Where it is now.
    from: PathBuf,
}

impl Kept {
    fn of(lab: &Lab, board: &Board) -> Result<Self> {
        let digest = lab.image_digest(board.chip);
        let directory = lab.directory().join("repl");
        fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
        let file = directory.join(format!("{}-{digest}.bin", board.name));
        let from = if file.exists() { file.clone() } else { lab.flashed(board, &digest) };
        Ok(Self { file, from })
    }

    fn keep(&self, board: &dyn Lent) -> Result<()> {
        board.save_flash(&self.file).with_context(|| self.file.display().to_string())
    }
}

fn emulated(lab: &Lab, board: &Board) -> Result<()> {
    let kept = Kept::of(lab, board)?;
    let mut emulated = lab.emulated_board(board, false, Forwards::Listen)?;
    emulated.board().load_flash(&kept.from).with_context(|| kept.from.display().to_string())?;
    emulated.hard_reset()?;
    let outcome = interact(board, &mut emulated);
    kept.keep(emulated.board())?;
    outcome
}

/// A board with a debug port, whose terminal may be RTT.
fn emulated_mcu(lab: &Lab, board: &Board) -> Result<()> {
    let kept = Kept::of(lab, board)?;
    let mut emulated = mcu::blank(board.chip, false)?;
    emulated.load_flash(&kept.from).with_context(|| kept.from.display().to_string())?;
    emulated.power_on();
    let (outcome, emulated) = if board.port.is_rtt() {
        let mut console = lab.open_rtt(board, Some(emulated))?;
        console.hard_reset()?;
        (interact(board, &mut console), console.into_board()?.context("an emulated board")?)
    } else {
        let mut console = Mcu::of(emulated);
        (interact(board, &mut console), console.into_board())
    };
    kept.keep(emulated.as_ref())?;
    outcome
}

fn interact(board: &Board, console: &mut dyn Console) -> Result<()> {
    eprintln!("   {} on {}; Ctrl-] quits", board.name, board.port);
    let terminal = RawTerminal::enter()?;
    let outcome = talk(console);
    drop(terminal);
    eprintln!();
    outcome
}

fn talk(console: &mut dyn Console) -> Result<()> {
    let typed = keyboard();
    let (start, board_start) = (Instant::now(), console.port().now());
    let mut bytes = [0; 4096];
    let mut out = io::stdout().lock();
    loop {
        let count = match console.port().read(&mut bytes, Duration::from_millis(10)) {
            Ok(count) => count,
            Err(error) => bail!("the board's port closed: {error}"),
        };
        out.write_all(&bytes[..count])?;
        out.flush()?;
        // An emulated board is never ahead of the clock on the wall.
        let ahead = (console.port().now() - board_start).saturating_sub(start.elapsed());
        thread::sleep(ahead);
        while let Ok(keys) = typed.try_recv() {
            if keys.is_empty() || keys.contains(&QUIT) {
                return Ok(());
            }
            console.port().write_all(&keys).context("the board takes no input")?;
        }
    }
}

/// What is typed, in pieces; an empty piece is the end of the input.
fn keyboard() -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = [0; 256];
        loop {
            let count = io::stdin().read(&mut bytes).unwrap_or(0);
            if sender.send(bytes[..count].to_vec()).is_err() || count == 0 {
                return;
            }
        }
    });
    receiver
}

/// The user's terminal without line editing, restored at the end.
struct RawTerminal(Option<Termios>);

impl RawTerminal {
    fn enter() -> Result<Self> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return Ok(Self(None));
        }
        let before = tcgetattr(&stdin).context("cannot read the terminal's settings")?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Now, &raw).context("cannot set the terminal")?;
        Ok(Self(Some(before)))
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // Nothing can be done if the terminal is gone.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
