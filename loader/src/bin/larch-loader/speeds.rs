//! Speeds that were found clean, by port, kept between runs.
//!
//! The file is a convenience: one that is missing, damaged or cannot be written is no error. Place: XDG base directory
//! specification (`$XDG_STATE_HOME`, default `~/.local/state`); on Windows `%LOCALAPPDATA%`.

use larch_loader::ports;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Speeds that make sense; others in the file are ignored.
const SENSIBLE: std::ops::RangeInclusive<u32> = 9_600..=5_000_000;
/// Ports that are remembered.
const MOST: usize = 200;

/// The speed that was last clean at this port.
pub fn recall(port: &str) -> Option<u32> {
    load().get(&key(port)).copied().filter(|speed| SENSIBLE.contains(speed))
}

/// Keeps it. A pseudo-terminal's name is another board's tomorrow.
pub fn remember(port: &str, speed: u32) {
    if port.starts_with("/dev/pts/") {
        return;
    }
    let mut speeds = load();
    if speeds.len() >= MOST {
        speeds.clear();
    }
    speeds.insert(key(port), speed);
    // Without the file the speed is found again next time.
    let _ = save(&speeds);
}

/// The adapter, where it says who it is: names of ports change.
fn key(port: &str) -> String {
    let found = ports::list().into_iter().find(|listed| listed.name == port);
    let usb = found.and_then(|found| found.usb);
    match usb.and_then(|usb| usb.serial.map(|serial| (usb.vid, usb.pid, serial))) {
        Some((vid, pid, serial)) => format!("{vid:04x}:{pid:04x}:{serial}"),
        None => port.to_owned(),
    }
}

fn path() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = if cfg!(windows) {
        set("LOCALAPPDATA")
    } else {
        set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state")))
    };
    Some(state?.join("larch-loader").join("speeds.json"))
}

fn load() -> BTreeMap<String, u32> {
    let text = path().and_then(|path| std::fs::read_to_string(path).ok());
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn save(speeds: &BTreeMap<String, u32>) -> std::io::Result<()> {
    let Some(path) = path() else { return Ok(()) };
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let new = path.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&new, serde_json::to_string_pretty(speeds)?)?;
    std::fs::rename(new, path)
}
