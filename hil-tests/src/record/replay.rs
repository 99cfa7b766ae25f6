//! Runs harness or loader again against a recorded session.

use std::fs;
use std::path::Path;

use larch_boards::{Board, Boards};
use larch_image::merge::Blob;
use larch_loader::transport::Replayed;

use super::console::Played;
use super::session_file::{SessionFile, plain_name};
use crate::firmware::FlashImage;
use crate::flash;
use crate::run::finish;
use crate::scenario::Scenario;
use crate::session::Session;

/// What came of a session now, beside what came of it then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// What it was: `esp32c3-emu errors/exit`.
    pub what: String,
    /// The outcome in the record.
    pub then: String,
    /// The outcome now.
    pub now: String,
    /// The transcript in the record.
    pub seen_then: String,
    /// The transcript now.
    pub seen_now: String,
    /// Where harness or loader did something else than then.
    pub divergence: Option<String>,
}

impl Replay {
    /// True if everything is as it was.
    #[must_use]
    pub fn same(&self) -> bool {
        self.divergence.is_none() && self.then == self.now && self.seen_then == self.seen_now
    }
}

/// Runs a session again; pieces of an image are files beside it.
///
/// # Errors
/// The session cannot be read or says too little.
pub fn replay(path: &Path) -> Result<Replay, String> {
    let file = SessionFile::load(path)?;
    let again = match file.need("kind")? {
        "repl" => repl(&file),
        "flash" => flash_again(&file, path.parent().unwrap_or(Path::new("."))),
        other => Err(format!("a session of kind '{other}' cannot be replayed")),
    };
    again.map_err(|why| format!("{}: {why}", path.display()))
}

fn repl(file: &SessionFile) -> Result<Replay, String> {
    let name = file.need("scenario")?;
    let scenario = Scenario::parse(name, &file.text("typed")).map_err(|error| error.to_string())?;
    let wires = match file.need("reset-wires")? {
        "none" => None,
        _ => Some(board(file)?.reset),
    };
    let mut console = Played::new(port(file), wires);
    let mut session = Session::new(&mut console);
    let ended = session.boot().and_then(|()| session.run(&typed(file, &scenario)));
    let transcript = session.transcript();
    let now = ended.as_ref().err().map_or_else(|| "ended".to_owned(), |failure| failure.word().to_owned());
    Ok(Replay {
        what: format!("{} {name}", file.need("board")?),
        then: file.value("outcome").unwrap_or("(no outcome: the recording broke off)").to_owned(),
        now,
        seen_then: file.text("seen"),
        seen_now: finish(&transcript, &scenario).lines().map(|line| format!("{line}\n")).collect(),
        divergence: console.divergence(),
    })
}

/// The scenario with secrets as they are in the record: as many asterisks.
fn typed(file: &SessionFile, scenario: &Scenario) -> Scenario {
    let secrets: Vec<(String, String)> = file
        .values("secret")
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(name, length)| {
            Some((format!("${{{name}}}"), "*".repeat(length.parse().ok().filter(|length| *length < 256)?)))
        })
        .collect();
    scenario.with_lines(|line| {
        secrets.iter().fold(line.to_owned(), |line, (name, stars)| line.replace(name, stars))
    })
}

fn flash_again(file: &SessionFile, beside: &Path) -> Result<Replay, String> {
    let board = board(file)?;
    let blobs = file.values("piece").map(|line| piece(line, beside)).collect::<Result<Vec<_>, _>>()?;
    let port = port(file);
    let divergence = port.divergence();
    let ended =
        flash::flash(&board, file.need("port")?, Box::new(port), &FlashImage::new(blobs), Box::new(()));
    Ok(Replay {
        what: format!("{} flash", board.name),
        then: file.value("outcome").unwrap_or("(no outcome: the recording broke off)").to_owned(),
        now: ended.map_or_else(|error| error.to_string(), |_| "passed".into()),
        seen_then: String::new(),
        seen_now: String::new(),
        divergence: divergence.found(),
    })
}

fn port(file: &SessionFile) -> Replayed {
    Replayed::new(file.entries.clone())
}

/// A piece of the image: `0x10000 FILE app`.
fn piece(line: &str, beside: &Path) -> Result<Blob, String> {
    let bad = || format!("'# piece: {line}' is not OFFSET FILE NAME");
    let mut words = line.splitn(3, ' ');
    let (offset, file, name) = match (words.next(), words.next(), words.next()) {
        (Some(offset), Some(file), Some(name)) => (offset, file, name),
        _ => return Err(bad()),
    };
    let offset =
        offset.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or_else(bad)?;
    let path = beside.join(plain_name(file).map_err(|error| error.to_string())?);
    let data = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Blob { name: name.to_owned(), offset, data })
}

/// The board as `boards.yaml` described it; its port is the record.
fn board(file: &SessionFile) -> Result<Board, String> {
    let word = |word: &str| {
        let value = file.need(word)?;
        let plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if plain { Ok(value) } else { Err(format!("'# {word}: {value}' is not one word")) }
    };
    let text = format!(
        "default: recorded\nboards:\n  recorded:\n    chip: {}\n    port: /dev/null\n    reset: {}\n    boot-strap: {}\n    flash-baud: {}\n",
        word("chip")?,
        word("reset")?,
        word("boot-strap")?,
        word("flash-baud")?
    );
    let boards = Boards::parse("session", &text).map_err(|error| error.to_string())?;
    let mut board = boards.default_board().clone();
    board.name = file.need("board")?.to_owned();
    Ok(board)
}
