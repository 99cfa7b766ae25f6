//! `boards scan`: entries for the serial ports that `boards.yaml` does not know.

use std::fs;
use std::path::Path;

use anyhow::{Result, anyhow};
use hil_tests::lab::Lab;
use hil_tests::probe::Event;
use hil_tests::target::serial;
use larch_loader::ports::{self, PortInfo};
use larch_loader::{After, Before, Loader, Options, Patience};

use crate::ready::probe;

/// Resets before a port is taken to have no chip that answers.
const ATTEMPTS: u32 = 2;

pub(super) fn run(lab: &Lab, identify: bool) -> Result<()> {
    let known: Vec<(String, String)> = lab
        .boards
        .iter()
        .filter(|board| !board.port.is_started())
        .filter_map(|board| Some((serial::port_name(&board.port).ok()?, board.name.clone())))
        .collect();
    let found = ports::list();
    let mut proposed = 0;
    for port in &found {
        let same = |name: &str| name == port.name || real(name) == real(&port.name);
        if let Some((_, board)) = known.iter().find(|(name, _)| same(name)) {
            println!("   {:<16} is board {board}", port.name);
        } else if port.usb.is_none() {
            println!(
                "   {:<16} is no USB port; name it in boards.yaml by hand if a board hangs on it",
                port.name
            );
        } else {
            let chip = identify.then(|| ask(port)).transpose();
            proposed += 1;
            print!("{}", entry(port, &found, proposed, chip));
        }
    }
    if identify || hil_tests::probe::program(&lab.target).exists() {
        probes(lab)?;
    } else {
        println!("   debug probes are listed with --identify (it builds larch-probe, which knows them)");
    }
    match (found.len(), proposed) {
        (0, _) => println!("   no serial ports; is the board plugged in, with a cable that carries data?"),
        (_, 0) => println!("   nothing new"),
        _ => println!("   Paste these under `boards:` in boards.yaml, then: cargo xtask boards doctor NAME"),
    }
    Ok(())
}

/// The debug probes; the program that knows them is built for it.
fn probes(lab: &Lab) -> Result<()> {
    let program = probe::program(lab)?;
    let probes = hil_tests::probe::list(&program).map_err(|message| anyhow!(message))?;
    if probes.is_empty() {
        println!("   no debug probes");
    }
    for event in probes {
        if let Event::Probe { name, selector, advice } = event {
            println!(
                "   {selector:<16} is a debug probe ({name}): probe: {{ chip: ..., selector: \"{selector}\" }}"
            );
            if let Some(advice) = advice {
                println!("   {:<16} {advice}", "");
            }
        }
    }
    Ok(())
}

fn real(path: &str) -> String {
    fs::canonicalize(path).map_or_else(|_| path.to_owned(), |real| real.display().to_string())
}

/// The chip's word and what it is, or why it does not say.
fn ask(port: &PortInfo) -> Result<(String, String), String> {
    let transport =
        ports::open(&port.name, larch_loader::connect::ROM_BAUD).map_err(|error| error.to_string())?;
    let before = if port.is_usb_jtag() { Before::usb_reset() } else { Before::default_reset(&port.name) };
    let options = Options { before, patience: Patience::Attempts(ATTEMPTS), ..Options::default() };
    let mut loader = Loader::connect(transport, Box::new(()), &options).map_err(|error| error.to_string())?;
    let info = loader.info().map(|info| format!("{}, MAC {}", info.description(), info.mac));
    let chip = loader.chip().slug.to_owned();
    loader.finish(&After::hard_reset()).map_err(|error| error.to_string())?;
    Ok((chip, info.unwrap_or_default()))
}

/// What may be pasted into `boards.yaml`.
fn entry(
    port: &PortInfo,
    all: &[PortInfo],
    number: usize,
    chip: Result<Option<(String, String)>, String>,
) -> String {
    let Some(usb) = &port.usb else { return String::new() };
    let adapter = port.adapter().unwrap_or("unknown adapter");
    let product = usb.product.as_deref().unwrap_or("");
    let clean: String = product.chars().filter(|c| !c.is_control()).collect();
    let comment = format!("{} ({adapter} {clean})", port.name);
    let (chip, what) = match chip {
        Ok(Some((chip, what))) => (chip, what),
        Ok(None) => {
            ("esp32c3".to_owned(), "which chip? `cargo xtask boards scan --identify` asks it".to_owned())
        }
        Err(why) => ("esp32c3".to_owned(), format!("it does not say which chip it is: {why}")),
    };
    let reset = if port.is_usb_jtag() { "usb-jtag" } else { "dtr-rts" };
    format!(
        "  board-{number}:   # {comment}\n    chip: {chip}   # {}\n    port: {}\n    reset: {reset}\n",
        what.lines().next().unwrap_or_default(),
        place(port, all)
    )
}

/// How to find the port again: by what stays the same when it is plugged in elsewhere.
fn place(port: &PortInfo, all: &[PortInfo]) -> String {
    let Some(usb) = &port.usb else { return port.name.clone() };
    let others = || all.iter().filter(|other| other.name != port.name).filter_map(|other| other.usb.as_ref());
    if let Some(serial) = usb.serial.as_ref().filter(|serial| is_plain(serial))
        && others().all(|other| other.serial.as_ref() != Some(serial))
    {
        return format!("{{ serial-number: \"{serial}\" }}");
    }
    if let Some(link) = by_id(&port.name) {
        return format!("{{ by-id: {link} }}");
    }
    if others().all(|other| (other.vid, other.pid) != (usb.vid, usb.pid)) {
        return format!("{{ vid-pid: \"{:04x}:{:04x}\" }}", usb.vid, usb.pid);
    }
    port.name.clone()
}

fn is_plain(serial: &str) -> bool {
    !serial.is_empty()
        && serial.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.'))
}

fn by_id(port: &str) -> Option<String> {
    let links = fs::read_dir(Path::new("/dev/serial/by-id")).ok()?;
    let link = links.flatten().find(|link| real(&link.path().display().to_string()) == real(port))?;
    Some(link.file_name().to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::entry;
    use larch_boards::Boards;
    use larch_loader::ports::{PortInfo, UsbInfo};

    fn port(name: &str, serial: Option<&str>, product: &str) -> PortInfo {
        let serial = serial.map(String::from);
        let usb = UsbInfo { vid: 0x0403, pid: 0x6001, serial, product: Some(product.into()) };
        PortInfo { name: name.into(), usb: Some(usb) }
    }

    #[test]
    fn what_is_proposed_can_be_read() {
        let all = [
            port("/dev/ttyUSB0", Some("A50285BI"), "FT232R"),
            port("/dev/ttyUSB1", Some("\"\n: evil"), "bad\u{1b}[2J name\n"),
            port("/dev/ttyUSB2", None, ""),
        ];
        let identified = Ok(Some(("esp32c6".to_owned(), "ESP32-C6, MAC 60:55:f9:00:00:01".to_owned())));
        let chips = [identified, Ok(None), Err("no answer\nmore".to_owned())];
        let mut text = "default: board-1\nboards:\n".to_owned();
        for ((port, chip), number) in all.iter().zip(chips).zip(1..) {
            text.push_str(&entry(port, &all, number, chip));
        }
        let boards = Boards::parse("scan", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(boards.find("board-1").unwrap().port.to_string(), "serial number A50285BI");
        assert_eq!(boards.find("board-2").unwrap().port.to_string(), "/dev/ttyUSB1");
        assert_eq!(boards.iter().count(), 3);
    }
}
