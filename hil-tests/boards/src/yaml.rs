//! The only module that knows YAML: `boards.yaml` text to plain [`Board`]s, every mistake with its place.
//!
//! `serde_yaml` gives the place of an error that a `Deserialize` reports without one, so each word and shape is
//! checked in the `Deserialize` of its own type. What serde's derive reports is put in our words by [`plain`].

mod air;
mod parts;
mod port;

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use self::air::RawAccessPoint;
use self::parts::{RawImage, RawPower, RawProbe, RawQuarantine, RawWire};
use self::port::RawPort;
use crate::board::{Board, BootStrap, Chip, FlashMethod, Port, Reset};
use crate::error::Error;
use crate::suggest;

/// Longest file that is read; YAML aliases multiply, so the text itself is kept small.
const MAX_BYTES: usize = 256 * 1024;

pub(crate) fn parse(file: &str, text: &str) -> Result<(String, Vec<Board>), Error> {
    if text.len() > MAX_BYTES {
        return Err(Error::whole_file(file, format!("longer than {MAX_BYTES} bytes")));
    }
    let raw: RawFile = serde_yaml::from_str(text).map_err(|error| located(file, text, &error))?;
    let mut boards = Vec::new();
    for (name, raw) in raw.boards.0 {
        let (line, column) = place_of_key(text, &name);
        let board = raw.check(name).map_err(|message| Error::at(file, line, column, message))?;
        boards.push(board);
    }
    check_peers(file, text, &boards)?;
    Ok((raw.default, boards))
}

/// A peer is another entry of the file, and a wire to a peer names one.
fn check_peers(file: &str, text: &str, boards: &[Board]) -> Result<(), Error> {
    let names: Vec<&str> = boards.iter().map(|board| board.name.as_str()).collect();
    for board in boards {
        let (line, column) = place_of_key(text, &board.name);
        let wrong =
            |message| Err(Error::at(file, line, column, format!("board '{}': {message}", board.name)));
        if let Some((_, peer)) = board.peers.iter().find(|(_, peer)| !names.contains(&peer.as_str())) {
            return wrong(suggest::unknown("peer", peer, &names));
        }
        let roles: Vec<&str> = board.peers.iter().map(|(role, _)| role.as_str()).collect();
        let lost =
            board.pins.iter().filter_map(|wire| wire.peer.as_deref()).find(|role| !roles.contains(role));
        if let Some(role) = lost {
            return wrong(format!("a wire goes to '{role}', which is not under `peers:`"));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawFile {
    default: String,
    boards: Entries<RawBoard>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawBoard {
    chip: Word<Chip>,
    port: RawPort,
    reset: Option<Word<Reset>>,
    boot_strap: Option<Word<BootStrap>>,
    flash: Option<Word<FlashMethod>>,
    flash_baud: Option<u32>,
    #[serde(default)]
    capabilities: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    owner: Option<String>,
    notes: Option<String>,
    image: Option<RawImage>,
    probe: Option<RawProbe>,
    power: Option<RawPower>,
    #[serde(default)]
    access_points: Vec<RawAccessPoint>,
    #[serde(default)]
    pins: Vec<RawWire>,
    #[serde(default)]
    peers: Entries<String>,
    #[serde(default)]
    quarantine: Vec<RawQuarantine>,
}

impl RawBoard {
    fn check(self, name: String) -> Result<Board, String> {
        let Self { chip: Word(chip), port: RawPort(port), .. } = self;
        let is_emulated = self.probe.as_ref().is_some_and(RawProbe::is_emulated);
        let port = if is_emulated && port == Port::Rtt { Port::EmulatedRtt } else { port };
        let wrong = |message: &str| Err(format!("board '{name}': {message}"));
        let program = matches!(port, Port::Command(_));
        if program != (chip == Chip::Host) {
            return wrong("`chip: host` and a `command` port go together");
        }
        let flash = self.flash.map_or_else(|| usual_flash(chip, &port), |Word(flash)| flash);
        if port.is_started() && !port.is_emulated() && flash != FlashMethod::None {
            return wrong("a program cannot be flashed; remove `flash`");
        }
        if (flash == FlashMethod::ProbeRs) != self.probe.is_some() {
            return wrong("`flash: probe-rs` and `probe: { chip: ... }` go together");
        }
        if port.is_rtt() && flash != FlashMethod::ProbeRs {
            return wrong("`port: rtt` is the terminal of a board with `probe: { chip: ... }`");
        }
        if is_emulated && port != Port::EmulatedRtt {
            return wrong(
                "`selector: emulator` goes with `port: rtt`; an emulated board with a serial port has its own probe",
            );
        }
        let reset = self.reset.map_or(Reset::DtrRts, |Word(reset)| reset);
        if matches!(port, Port::Socket(_)) && reset != Reset::Manual && flash != FlashMethod::ProbeRs {
            return wrong("a socket:// port has no control lines; say `reset: manual`");
        }
        let has_emulated_probe = matches!(chip, Chip::Nrf52840 | Chip::Stm32f405);
        if port == Port::Emulator && chip != Chip::Esp32c3 && !has_emulated_probe {
            return wrong(
                "only esp32c3, nrf52840 and stm32f405 are emulated; use `{ qemu: ... }` or `{ external: ... }`",
            );
        }
        if port == Port::EmulatedRtt && !has_emulated_probe {
            return wrong("only nrf52840 and stm32f405 are emulated with a debug probe");
        }
        let by_hand = matches!(reset, Reset::Manual | Reset::Rts);
        let unsaid = if by_hand { BootStrap::Jumper } else { BootStrap::Auto };
        Ok(Board {
            name,
            chip,
            port,
            reset,
            boot_strap: self.boot_strap.map_or(unsaid, |Word(strap)| strap),
            flash,
            flash_baud: self.flash_baud.unwrap_or(115_200),
            capabilities: self.capabilities,
            tags: self.tags,
            owner: self.owner,
            notes: self.notes,
            image: self.image.map(|RawImage(image)| image),
            probe: self.probe.map(RawProbe::into_probe),
            power: self.power.map(|RawPower(power)| power),
            access_points: self.access_points.into_iter().map(|RawAccessPoint(point)| point).collect(),
            pins: self.pins.into_iter().map(|RawWire(wire)| wire).collect(),
            peers: self.peers.0,
            quarantine: self.quarantine.into_iter().map(RawQuarantine::into_quarantine).collect(),
            copy_of: None,
        })
    }
}

/// How a board is flashed that does not say it.
fn usual_flash(chip: Chip, port: &Port) -> FlashMethod {
    match (chip, port) {
        (_, port) if port.is_started() && !port.is_emulated() => FlashMethod::None,
        (Chip::CortexM | Chip::Nrf52840 | Chip::Rp2040 | Chip::Stm32f405, _) => FlashMethod::ProbeRs,
        _ => FlashMethod::Loader,
    }
}

/// A mapping whose keys are names: kept in order, and a name given twice is an error.
struct Entries<T>(Vec<(String, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Names<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Names<T> {
            type Value = Entries<T>;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("boards, each a name with its description below it")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries: Vec<(String, T)> = Vec::new();
                while let Some(BoardName(name)) = map.next_key()? {
                    if entries.iter().any(|(known, _)| *known == name) {
                        return Err(de::Error::custom(format!("board '{name}' is described twice")));
                    }
                    entries.push((name, map.next_value()?));
                }
                Ok(Entries(entries))
            }
        }
        from.deserialize_map(Names(PhantomData))
    }
}

/// Reads a word and checks it *inside* the visitor: only there does `serde_yaml` add the place to the error.
struct Checked<F>(&'static str, F);

impl<T, F: FnOnce(&str) -> Result<T, String>> Visitor<'_> for Checked<F> {
    type Value = T;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.1)(text).map_err(E::custom)
    }
}

/// A board's name: it becomes part of file names and test names.
struct BoardName(String);

impl BoardName {
    fn check(name: &str) -> Result<Self, String> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > 40 || name.starts_with('-') || !name.bytes().all(fits) {
            return Err(format!("bad board name '{name}': use a-z, 0-9 and '-', at most 40"));
        }
        Ok(Self(name.into()))
    }
}

impl<'de> Deserialize<'de> for BoardName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Checked("a board name", Self::check))
    }
}

/// One of a fixed set of words.
struct Word<T>(T);

macro_rules! word_from_yaml {
    ($($kind:ty),+) => { $(
        impl<'de> Deserialize<'de> for Word<$kind> {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_str(Checked("a word", |word: &str| <$kind>::from_word(word).map(Word)))
            }
        }
    )+ };
}
word_from_yaml!(Chip, Reset, BootStrap, FlashMethod);

/// An error of `serde_yaml` in our words, with its place.
fn located(file: &str, text: &str, error: &serde_yaml::Error) -> Error {
    let full = error.to_string();
    let Some(place) = error.location() else {
        return Error::whole_file(file, plain(&full));
    };
    let suffix = format!(" at line {} column {}", place.line(), place.column());
    let message = full.split(&suffix).next().unwrap_or(&full);
    let message = without_path(message);
    let (line, column) = key_place(text, message, place.line()).unwrap_or((place.line(), place.column()));
    Error::at(file, line, column, plain(message))
}

/// Drops the `boards.esp32-cam.reset: ` that `serde_yaml` puts in front.
fn without_path(message: &str) -> &str {
    match message.split_once(": ") {
        Some((path, rest)) if !path.contains([' ', '`', '\'']) => rest,
        _ => message,
    }
}

/// A wrong key is reported at the mapping around it: look for the key itself.
fn key_place(text: &str, message: &str, from_line: usize) -> Option<(usize, usize)> {
    let quoted = |prefix: &str, end: char| message.strip_prefix(prefix)?.split(end).next();
    if let Some(key) = quoted("unknown field `", '`') {
        return place_after(text, key, from_line);
    }
    let twice = quoted("duplicate field `", '`').or_else(|| quoted("board '", '\''))?;
    let (first, _) = place_after(text, twice, from_line)?;
    place_after(text, twice, first + 1)
}

/// serde's phrases in the words of this file.
fn plain(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let mut words = rest.split('`');
        let key = words.next().unwrap_or_default();
        let known: Vec<&str> = words.skip(1).step_by(2).collect();
        return suggest::unknown("key", key, &known);
    }
    if let Some(rest) = message.strip_prefix("missing field `") {
        return format!("key '{}' is missing", rest.trim_end_matches('`'));
    }
    if let Some(rest) = message.strip_prefix("duplicate field `") {
        return format!("key '{}' is given twice", rest.trim_end_matches('`'));
    }
    message.to_owned()
}

/// Where `default:` has its value.
pub(crate) fn place_of_default(text: &str) -> (usize, usize) {
    text.lines().enumerate().find(|(_, line)| line.starts_with("default:")).map_or((1, 1), |(index, line)| {
        let value = line["default:".len()..].chars().take_while(|c| c.is_whitespace()).count();
        (index + 1, "default:".len() + value + 1)
    })
}

/// Where a board's name stands.
fn place_of_key(text: &str, key: &str) -> (usize, usize) {
    place_after(text, key, 1).unwrap_or((1, 1))
}

/// First place from `from_line` on where `key:` stands, as a key in block or flow style.
fn place_after(text: &str, key: &str, from_line: usize) -> Option<(usize, usize)> {
    let wanted = format!("{key}:");
    text.lines().enumerate().skip(from_line.saturating_sub(1)).find_map(|(index, line)| {
        let at = line.match_indices(&wanted).map(|(at, _)| at).find(|at| {
            line[..*at].chars().next_back().is_none_or(|before| before.is_whitespace() || before == '{')
        })?;
        Some((index + 1, line[..at].chars().count() + 1))
    })
}
