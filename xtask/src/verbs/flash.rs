//! `cargo xtask flash`: build, make the image, write it over the board's serial port or through its debug probe.

use std::thread;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use hil_tests::lab::Lab;
use larch_boards::{Board, FlashMethod};

use crate::progress::{self, Watch};
use crate::{ready, workspace};

/// Flash a board over its serial port or through its debug probe, and wait for its prompt.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask flash                      the emulated board (kept for `cargo xtask repl`)
  cargo xtask flash --board c3-devkit    an attached board
  cargo xtask flash --board nucleo --connect-under-reset
                                         a board with a debug probe, whose program turns the debug port off
  cargo xtask flash --all                every board that is there, all at once")]
pub(crate) struct Arguments {
    /// Board of boards.yaml [default: its default]
    #[arg(long, short)]
    board: Option<String>,
    /// Every board of boards.yaml that we flash and that can be reached
    #[arg(long, conflicts_with = "board")]
    all: bool,
    /// Do nothing if the board has this image already
    #[arg(long)]
    ready: bool,
    #[command(flatten)]
    probe: ProbeArguments,
}

/// What a debug probe does this time, whatever boards.yaml says.
#[derive(Args)]
#[group(id = "probe-arguments", multiple = true, conflicts_with = "all")]
struct ProbeArguments {
    /// The debug probe: VID:PID or VID:PID:SERIAL
    #[arg(long, value_name = "SELECTOR")]
    probe: Option<String>,
    /// Hold the chip in reset while the debug probe connects
    #[arg(long)]
    connect_under_reset: bool,
    /// Erase the whole flash, files included, through the debug probe
    #[arg(long)]
    chip_erase: bool,
}

impl ProbeArguments {
    /// Changes the board's description.
    fn apply(&self, board: &mut Board) -> Result<()> {
        if self.probe.is_none() && !self.connect_under_reset && !self.chip_erase {
            return Ok(());
        }
        let Some(probe) = &mut board.probe else {
            bail!("board {} has no debug probe (`flash: probe-rs` in boards.yaml)", board.name);
        };
        probe.selector = self.probe.clone().or(probe.selector.take());
        probe.connect_under_reset |= self.connect_under_reset;
        probe.chip_erase |= self.chip_erase;
        Ok(())
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    if arguments.all {
        return flash_all(&lab, arguments.ready);
    }
    let mut board = workspace::board(&lab, arguments.board.as_deref())?;
    arguments.probe.apply(&mut board)?;
    if board.flash == FlashMethod::None {
        bail!("board {} is not flashed by us (`flash: none` in boards.yaml, or a program)", board.name);
    }
    flash(&lab, &board, arguments.ready)?;
    println!("   Ready: cargo xtask repl --board {}", board.name);
    Ok(())
}

fn flash(lab: &Lab, board: &Board, only_if_other: bool) -> Result<()> {
    if only_if_other { ready::make_ready(lab, board, &|_| {}) } else { ready::flash_afresh(lab, board) }
}

/// All boards at once; one that fails stops no other.
fn flash_all(lab: &Lab, only_if_other: bool) -> Result<()> {
    let mut boards = Vec::new();
    for board in lab.boards.iter().filter(|board| board.flash != FlashMethod::None) {
        match lab.unavailable(board) {
            None => boards.push(board),
            Some(reason) => progress::step("skip", &format!("{:<20} {reason}", board.name), None),
        }
    }
    progress::name_every_board();
    let outcomes: Vec<Result<()>> = thread::scope(|scope| {
        let running: Vec<_> = boards
            .iter()
            .map(|board| {
                scope.spawn(|| {
                    let watch = Watch::start();
                    let outcome = flash(lab, board, only_if_other);
                    match &outcome {
                        Ok(()) => progress::step("ready", &board.name, Some(watch.time())),
                        Err(error) => {
                            progress::step(
                                "FAILED",
                                &format!("{:<20} {error:#}", board.name),
                                Some(watch.time()),
                            );
                        }
                    }
                    outcome
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(anyhow!("it panicked"))))
            .collect()
    });
    let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    if outcomes.is_empty() {
        bail!(
            "no board of boards.yaml is there to be flashed (cargo xtask boards shows what each waits for)"
        );
    }
    if failed > 0 {
        bail!("{failed} of {} boards were not flashed", outcomes.len());
    }
    Ok(())
}
