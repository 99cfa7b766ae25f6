//! `port:` in all its forms.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use crate::board::{Port, TtyName};
use crate::suggest;

/// `emulator`, a path, an address, or a mapping with one key that says how to find the port.
pub(super) struct RawPort(pub(super) Port);

impl<'de> Deserialize<'de> for RawPort {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct PortVisitor;
        impl<'de> Visitor<'de> for PortVisitor {
            type Value = Port;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a port, such as `emulator`, `/dev/ttyUSB0` or `{ serial-number: A50285BI }`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Port, E> {
                port_from_text(text).map_err(E::custom)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Port, A::Error> {
                RawPortMap::deserialize(de::value::MapAccessDeserializer::new(map))?
                    .check()
                    .map_err(de::Error::custom)
            }
        }
        from.deserialize_any(PortVisitor).map(RawPort)
    }
}

fn port_from_text(text: &str) -> Result<Port, String> {
    const SHAPES: &str = "emulator, rtt, /dev/..., COM6, rfc2217://host:port, socket://host:port, { serial-number: ... }, \
                          { by-id: ... }, { vid-pid: \"0403:6001\" }, { labgrid: place }, { command: ... }, { qemu: ... }, \
                          { external: ... }";
    if text == "emulator" {
        return Ok(Port::Emulator);
    }
    if text == "rtt" {
        return Ok(Port::Rtt);
    }
    let windows = text.strip_prefix("COM").is_some_and(|number| number.parse::<u16>().is_ok());
    if text.starts_with('/') || windows {
        return Ok(Port::Tty(TtyName::Path(text.into())));
    }
    if let Some(address) = text.strip_prefix("rfc2217://") {
        return network_address(address).map(Port::Rfc2217);
    }
    if let Some(address) = text.strip_prefix("socket://") {
        return network_address(address).map(Port::Socket);
    }
    let meant =
        if suggest::nearest(text, &["emulator"]).is_some() { ", did you mean 'emulator'?" } else { "" };
    Err(format!("unknown port '{text}'{meant} (one of: {SHAPES})"))
}

fn network_address(address: &str) -> Result<String, String> {
    match address.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) => {
            Ok(address.into())
        }
        _ => Err(format!("bad address '{address}': expected host:port, such as lab-pi:4000")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawPortMap {
    serial_number: Option<String>,
    by_id: Option<String>,
    vid_pid: Option<String>,
    labgrid: Option<String>,
    coordinator: Option<String>,
    command: Option<String>,
    qemu: Option<String>,
    external: Option<String>,
}

impl RawPortMap {
    fn check(self) -> Result<Port, String> {
        let Self { serial_number, by_id, vid_pid, labgrid, coordinator, command, qemu, external } = self;
        if coordinator.is_some() && labgrid.is_none() {
            return Err("coordinator goes with labgrid".into());
        }
        let mut found = Vec::new();
        found.extend(serial_number.map(|serial| Ok(Port::Tty(TtyName::SerialNumber(serial)))));
        found.extend(by_id.map(|link| {
            let is_name = !link.is_empty() && !link.contains('/');
            let port = Port::Tty(TtyName::ById(link));
            is_name.then_some(port).ok_or_else(|| "by-id is a name in /dev/serial/by-id, not a path".into())
        }));
        found.extend(vid_pid.map(|pair| vid_pid_port(&pair)));
        found.extend(labgrid.map(|name| place(name, coordinator)));
        found.extend(command.map(|line| words("command", &line, &[]).map(Port::Command)));
        found.extend(qemu.map(|line| words("qemu", &line, &["{firmware}", "{storage}"]).map(Port::Qemu)));
        found.extend(external.map(|line| words("external", &line, PLACEHOLDERS).map(Port::External)));
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => only,
            _ => Err(
                "a port has exactly one of: serial-number, by-id, vid-pid, labgrid, command, qemu, external"
                    .into(),
            ),
        }
    }
}

/// What may stand in the command of an external emulator.
const PLACEHOLDERS: &[&str] = &["{flash}", "{firmware}", "{storage}", "{tcp-port}"];

/// A command line, split at blanks; a word in braces must be known.
fn words(key: &str, line: &str, known: &[&str]) -> Result<Vec<String>, String> {
    let words: Vec<String> = line.split_whitespace().map(String::from).collect();
    if words.is_empty() {
        return Err(format!("empty {key}"));
    }
    for word in &words {
        let inner = word.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
        let placeholder = inner.map(|(inner, _)| format!("{{{inner}}}"));
        if let Some(placeholder) =
            placeholder.filter(|word| !known.is_empty() && !known.contains(&word.as_str()))
        {
            return Err(suggest::unknown("placeholder", &placeholder, known));
        }
    }
    Ok(words)
}

/// The name of a place, not a pattern and no option.
fn place(place: String, coordinator: Option<String>) -> Result<Port, String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./+".contains(letter);
    if place.is_empty() || place.starts_with('-') || !place.chars().all(plain) {
        return Err(format!("bad place '{place}': `labgrid-client places` lists their names"));
    }
    let coordinator = coordinator.map(|address| network_address(&address)).transpose()?;
    Ok(Port::Labgrid { place, coordinator })
}

fn vid_pid_port(pair: &str) -> Result<Port, String> {
    let hex = |digits: &str| (digits.len() == 4).then(|| u16::from_str_radix(digits, 16).ok()).flatten();
    pair.split_once(':')
        .and_then(|(vendor, product)| Some(TtyName::VidPid(hex(vendor)?, hex(product)?)))
        .map(Port::Tty)
        .ok_or_else(|| {
            format!("bad vid-pid '{pair}': expected two times four hex digits, such as \"0403:6001\"")
        })
}
