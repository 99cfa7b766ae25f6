//! `cargo xtask repl`: a terminal on a board's REPL.

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use hil_tests::lab::Lab;
use hil_tests::session::Console;
use hil_tests::target::air::Forwards;
use larch_boards::{Board, Chip, Port};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::{ready, workspace};

/// Ctrl-], as in telnet.
const QUIT: u8 = 0x1d;

/// Talk to a board's REPL. Ctrl-] quits.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask repl                      the emulated board; it keeps its files from call to call
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
    if board.port == Port::Emulator && board.chip == Chip::Esp32c3 {
        return emulated(&lab, &board);
    }
    let mut console = lab.open(&board, "repl").with_context(|| format!("board {}", board.name))?;
    if arguments.reset || board.port.is_started() {
        console.hard_reset().with_context(|| format!("board {} cannot be reset", board.name))?;
    }
    interact(&board, console.as_mut())
}

/// The board keeps its files from one call to the next, as long as the firmware stays the same.
fn emulated(lab: &Lab, board: &Board) -> Result<()> {
    let digest = lab.image_digest(board.chip);
    let kept = lab.directory().join("repl").join(format!("{}-{digest}.bin", board.name));
    let mut emulated = lab.emulated_board(board, false, Forwards::Listen)?;
    let from = if kept.exists() { kept.clone() } else { lab.flashed(board, &digest) };
    emulated.board().load_flash(&from).with_context(|| from.display().to_string())?;
    emulated.hard_reset()?;
    let outcome = interact(board, &mut emulated);
    fs::create_dir_all(lab.directory().join("repl"))?;
    emulated.board().save_flash(&kept).with_context(|| kept.display().to_string())?;
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
