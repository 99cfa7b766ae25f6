//! Boards that a debug probe flashes. The program with the probe-rs library is built when the first of them is flashed.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use hil_tests::firmware::Firmware;
use hil_tests::lab::Lab;
use hil_tests::probe::{self, Connection, Event};
use hil_tests::target::mcu;
use hil_tests::target::rtt::selector_of;
use indicatif::ProgressBar;
use larch_boards::Board;
use larch_emulator::mcu::AnyBoard;
use larch_emulator::probe::serve::Served;
use xshell::{Shell, cmd};

use crate::progress::{self, Watch, kilobytes};

/// Builds `larch-probe`; cargo knows what is up to date.
pub(crate) fn program(lab: &Lab) -> Result<PathBuf> {
    let watch = Watch::start();
    let path = probe::program(&lab.target);
    let shell = Shell::new()?;
    shell.change_dir(&lab.root);
    if !path.exists() {
        progress::say("   build   larch-probe, with the probe-rs library: about three minutes, once");
    }
    cmd!(shell, "cargo build --quiet --locked -p larch-probe")
        .quiet()
        .env("CARGO_TARGET_DIR", &lab.target)
        .run()
        .context("larch-probe does not build")?;
    if watch.time().as_secs() > 5 {
        progress::step("build", "larch-probe", Some(watch.time()));
    }
    Ok(path)
}

/// The ELF file that the board gets.
fn file(lab: &Lab, board: &Board) -> Result<PathBuf> {
    match &board.image {
        Some(image) => Ok(lab.root.join(&image.file)),
        None => Ok(Firmware::of(board.chip, &lab.target).map_err(|message| anyhow!(message))?.elf),
    }
}

/// Flashes a board with the probe that `boards.yaml` names.
pub(super) fn flash(lab: &Lab, board: &Board) -> Result<()> {
    let selector = board.probe.as_ref().and_then(|probe| probe.selector.clone());
    flash_with(lab, board, selector.as_deref())
}

/// Flashes a new emulated board through an emulated probe.
pub(super) fn flash_emulated(lab: &Lab, board: &Board) -> Result<Box<dyn AnyBoard>> {
    let mut emulated = mcu::blank(board.chip, false)?;
    emulated.power_on();
    let served = Served::start(emulated, Default::default()).context("no port for the emulated probe")?;
    let flashed = flash_with(lab, board, Some(&selector_of(served.address())));
    let (emulated, _) = served.stop().context("the emulated probe")?;
    flashed.map(|()| emulated)
}

fn flash_with(lab: &Lab, board: &Board, selector: Option<&str>) -> Result<()> {
    let Some(wanted) = &board.probe else { bail!("board {}: `probe:` is missing", board.name) };
    let program = program(lab)?;
    let file = file(lab, board)?;
    let watch = Watch::start();
    let mut bars = Bars::new(&board.name);
    let connection = Connection { program: &program, wanted, selector, patience: probe::PATIENCE };
    let bytes = connection
        .flash(&file, &mut |event| bars.event(event))
        .map_err(|message| anyhow!("board {}: {message}", board.name))?;
    let text = format!("{:<20} {} verified by reading it back", "", kilobytes(bytes));
    progress::step("", &text, Some(watch.time()));
    Ok(())
}

/// Shows what `larch-probe` does.
struct Bars {
    board: String,
    probe: String,
    bar: Option<ProgressBar>,
}

impl Bars {
    fn new(board: &str) -> Self {
        Self { board: board.into(), probe: String::new(), bar: None }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Opened { probe } => self.probe.clone_from(probe),
            Event::Attached { chip } => {
                progress::step("flash", &format!("{:<20} {chip}, through {}", self.board, self.probe), None);
            }
            Event::Started { operation, total_bytes } => {
                self.close();
                self.bar = Some(progress::bar(total_bytes.unwrap_or(0), operation));
            }
            Event::Progress { bytes, .. } => {
                if let Some(bar) = &self.bar {
                    bar.inc(*bytes);
                }
            }
            Event::Finished { .. } | Event::Done { .. } | Event::Failed { .. } => self.close(),
            Event::Retry { why } => {
                self.close();
                progress::detail(&self.board, &format!("trying again: {why}"), None);
            }
            Event::Probe { .. } | Event::Heard { .. } | Event::Restarted => {}
        }
    }

    fn close(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
