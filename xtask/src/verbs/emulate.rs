//! `cargo xtask emulate`: an emulated board for other programs; thin over [`larch_emulator::serve`].

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use hil_tests::lab::Lab;
use hil_tests::target::air::Forwards;
use hil_tests::target::mcu;
use hil_tests::target::rtt::selector_of;
use larch_boards::{Board, Chip, Port};
use larch_emulator::air::{Air, Capture};
use larch_emulator::nrf52840::Nrf52840;
use larch_emulator::probe::serve::Served;
use larch_emulator::registers::{Class, Register};
use larch_emulator::serve::{self, Endpoint};
use larch_emulator::stm32f405::Stm32f405;

use crate::{ready, workspace};

/// How often a board at a probe looks whether it is to end.
const LOOK: Duration = Duration::from_millis(50);

/// Run an emulated board for other tools: esptool, mpremote, Thonny, picocom. Ctrl-C ends it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask emulate                              on a PTY, flashed with the firmware
  cargo xtask emulate --pty /tmp/board             mpremote connect /tmp/board
  cargo xtask emulate --pty /dev/ttyUSB7           as root, for Thonny: it knows only ports with a usual name
  cargo xtask emulate --rfc2217 4000 --download    esptool --port rfc2217://localhost:4000 chip-id
  cargo xtask emulate --flash my.bin --tcp 5000    this flash, kept in my.bin
  cargo xtask emulate --pcap air.pcap              Wireshark opens it; with the passphrase it decrypts WPA2
  cargo xtask emulate --registers                  which registers are modelled, stored
  cargo xtask emulate stm32f405-emu --pty /tmp/f4  a board that a debug probe flashes
  cargo xtask emulate stm32f405-emu --probe 5000   its probe, for probe-rs: --probe 20b7:9db1:tcp:127.0.0.1:5000")]
pub(crate) struct Arguments {
    /// Board of boards.yaml with `port: emulator` [default: its default]
    board: Option<String>,
    /// A pseudo-terminal, with this link to it (this is the default, without a link)
    #[arg(long, value_name = "LINK", group = "place")]
    pty: Option<PathBuf>,
    /// A TCP socket on this machine (0: any free port)
    #[arg(long, value_name = "PORT", group = "place")]
    tcp: Option<u16>,
    /// An RFC 2217 server on this machine, control lines included (0: any free port)
    #[arg(long, value_name = "PORT", group = "place")]
    rfc2217: Option<u16>,
    /// The board's debug probe on this machine, in place of its serial port (0: any free port)
    #[arg(long, value_name = "PORT", group = "place")]
    probe: Option<u16>,
    /// File of the flash contents; blank if it does not exist; kept up to date [default: one below target/hil]
    #[arg(long, value_name = "FILE")]
    flash: Option<PathBuf>,
    /// Power on with the strapping pin low: the ROM waits for a download
    #[arg(long)]
    download: bool,
    /// Write what is on the air to this file at the end, for Wireshark
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Write what passes the first access point to this file at the end, for Wireshark
    #[arg(long, value_name = "FILE")]
    pcap_ip: Option<PathBuf>,
    /// Stop at the first access to a register that is neither modelled nor stored
    #[arg(long)]
    strict: bool,
    /// List the registers and how each is emulated, and end
    #[arg(long)]
    registers: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    let board = workspace::board(&lab, arguments.board.as_deref())?;
    if board.port != Port::Emulator {
        bail!("board {} is no emulated board with a serial port: its port is {}", board.name, board.port);
    }
    if arguments.registers {
        return registers(&board);
    }
    if board.probe.is_some() { mcu(arguments, &lab, &board) } else { esp32c3(arguments, &lab, &board) }
}

fn esp32c3(arguments: &Arguments, lab: &Lab, board: &Board) -> Result<()> {
    if arguments.probe.is_some() {
        bail!("board {} has no debug probe", board.name);
    }
    let flash = flash_file(arguments, lab, board)?;
    let mut emulated = lab.emulated_board(board, arguments.strict, Forwards::Listen)?;
    if flash.exists() {
        emulated.board().load_flash(&flash).with_context(|| flash.display().to_string())?;
    }
    let air = emulated.board().chip_mut().air();
    if arguments.pcap.is_some() {
        air.record();
    }
    if arguments.pcap_ip.is_some() {
        let point = air.access_points().first_mut();
        point.context("the board has no access points (`access-points:` in boards.yaml)")?.network().record();
    }
    let mut endpoint = endpoint(arguments)?;
    let stop = stop_at_ctrl_c()?;
    if arguments.download {
        emulated.power_on_for_download();
    } else {
        emulated.board().power_on();
    }
    introduce(board, &flash, endpoint.address());
    let ended = serve::run(emulated.board(), &mut endpoint, Some(&flash), &stop);
    write_captures(arguments, emulated.board().chip_mut().air())?;
    for access in emulated.board().chip().unknown_accesses() {
        println!("   {access}");
    }
    ended.context("the emulated board stopped")
}

/// A board with a debug port: its serial port is lent, or its probe.
fn mcu(arguments: &Arguments, lab: &Lab, board: &Board) -> Result<()> {
    if arguments.download || arguments.pcap.is_some() || arguments.pcap_ip.is_some() {
        bail!(
            "board {} has neither a loader in ROM nor a radio: --download and --pcap are for the esp32c3",
            board.name
        );
    }
    let flash = flash_file(arguments, lab, board)?;
    let mut emulated = mcu::blank(board.chip, arguments.strict)?;
    if flash.exists() {
        emulated.load_flash(&flash).with_context(|| flash.display().to_string())?;
    }
    let stop = stop_at_ctrl_c()?;
    emulated.power_on();
    let Some(port) = arguments.probe else {
        let mut endpoint = endpoint(arguments)?;
        introduce(board, &flash, endpoint.address());
        let ended = serve::run(emulated.as_mut(), &mut endpoint, Some(&flash), &stop);
        emulated.unknown_accesses().iter().for_each(|access| println!("   {access}"));
        return ended.context("the emulated board stopped");
    };
    let served = Served::start_at(emulated, Default::default(), port);
    let served =
        served.with_context(|| format!("cannot listen on port {port}; name another, or 0 for a free one"))?;
    introduce(board, &flash, &format!("a debug probe: --probe {}", selector_of(served.address())));
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(LOOK);
    }
    let (emulated, _) = served.stop()?;
    emulated.save_flash(&flash).with_context(|| flash.display().to_string())
}

fn introduce(board: &Board, flash: &Path, address: &str) {
    println!("   board {}, flash in {}; Ctrl-C ends it", board.name, flash.display());
    println!("   serving on {address}");
}

fn stop_at_ctrl_c() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    ctrlc::set_handler(move || told.store(true, Ordering::Relaxed)).context("cannot catch Ctrl-C")?;
    Ok(stop)
}

/// The file of the flash contents; its directory is there.
fn flash_file(arguments: &Arguments, lab: &Lab, board: &Board) -> Result<PathBuf> {
    let flash = match &arguments.flash {
        Some(path) => path.clone(),
        None => default_flash(lab, board, arguments.download)?,
    };
    let directory = flash.parent().filter(|directory| !directory.as_os_str().is_empty());
    if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
        bail!("{} cannot be kept: there is no directory {}", flash.display(), directory.display());
    }
    Ok(flash)
}

fn write_captures(arguments: &Arguments, air: &mut Air) -> Result<()> {
    let write = |path: &PathBuf, capture: Option<&Capture>| {
        let bytes = capture.map(Capture::bytes).unwrap_or_default();
        fs::write(path, bytes).with_context(|| path.display().to_string())
    };
    if let Some(path) = &arguments.pcap {
        write(path, air.capture())?;
    }
    if let (Some(path), Some(point)) = (&arguments.pcap_ip, air.access_points().first_mut()) {
        write(path, point.network().capture())?;
    }
    Ok(())
}

fn endpoint(arguments: &Arguments) -> Result<Endpoint> {
    let endpoint = match (arguments.tcp, arguments.rfc2217) {
        (Some(port), _) => Endpoint::tcp(port),
        (None, Some(port)) => Endpoint::rfc2217(port),
        (None, None) => Endpoint::pty(arguments.pty.as_deref()),
    };
    endpoint.context("cannot serve")
}

/// A flash file for each image, so that a new firmware starts with a freshly flashed board.
fn default_flash(lab: &Lab, board: &Board, download: bool) -> Result<PathBuf> {
    let directory = lab.directory().join("emulate");
    fs::create_dir_all(&directory)?;
    if download {
        return Ok(directory.join(format!("{}-download.bin", board.name)));
    }
    ready::make_ready(lab, board, &|_| {})?;
    let digest = lab.image_digest(board.chip);
    let path = directory.join(format!("{}-{digest}.bin", board.name));
    if !path.exists() {
        fs::copy(lab.flashed(board, &digest), &path).with_context(|| path.display().to_string())?;
    }
    Ok(path)
}

fn registers(board: &Board) -> Result<()> {
    let catalogue: Vec<Register> = match board.chip {
        Chip::Nrf52840 => Nrf52840::new(false).registers().cloned().collect(),
        Chip::Stm32f405 => Stm32f405::new(false).registers().cloned().collect(),
        _ => larch_emulator::esp32c3::catalogue(),
    };
    let count = |class| catalogue.iter().filter(|register| register.class == class).count();
    for register in &catalogue {
        let class = match register.class {
            Class::Modelled => "modelled",
            Class::Stored => "stored",
            Class::Unknown => "unknown",
        };
        println!("{:#010x}  {class:<8}  {}", register.address, register.name);
    }
    println!(
        "{} modelled, {} stored; any other address is unknown",
        count(Class::Modelled),
        count(Class::Stored)
    );
    Ok(())
}
