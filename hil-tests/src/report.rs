//! The report of a run: a directory with `events.ndjson`, the serial logs, `junit.xml` and `index.html`.
//!
//! Events are written while the run goes on, each as one whole line; the other files are made of them at the end and
//! appear whole or not at all ([`crate::files::write_whole`]). So a run that was killed leaves what it had seen, and
//! [`render`] makes the page of it; [`merge`] makes one report of the parts that several machines or shards ran.
//!
//! Invariants: a report depends on nothing but its directory and the kept history; the page loads nothing; whatever a
//! board sent is text in it.

mod diff;
mod group;
mod junit;
mod model;
mod page;
mod serial;
pub mod summary;
pub mod trend;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

pub(crate) use model::severity;
pub use model::{BoardNight, Night, Pair};
pub use page::page;

use crate::event::{Attempt, Event, Stamped};
use crate::files::write_whole;
use trend::Past;

/// The events, one JSON object a line.
pub const EVENTS: &str = "events.ndjson";
/// For continuous integration.
pub const JUNIT: &str = "junit.xml";
/// For people.
pub const PAGE: &str = "index.html";
/// The directory of the serial logs.
const LOGS: &str = "logs";

/// Writes events and serial logs while a run goes on.
pub struct Writer {
    directory: PathBuf,
    start: Instant,
    open: Mutex<Open>,
}

struct Open {
    events: File,
    /// The first thing that went wrong; a full disk must not end a run.
    failed: Option<io::Error>,
}

impl Writer {
    /// Begins a report; one that was there before is removed.
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub fn begin(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        for old in [PAGE, JUNIT, EVENTS] {
            remove(&directory.join(old))?;
        }
        let logs = directory.join(LOGS);
        if logs.exists() {
            fs::remove_dir_all(&logs)?;
        }
        let events = OpenOptions::new().create(true).append(true).open(directory.join(EVENTS))?;
        let open = Mutex::new(Open { events, failed: None });
        Ok(Self { directory: directory.to_path_buf(), start: Instant::now(), open })
    }

    /// Writes down an event; a failure to do so is told by [`Self::finish`].
    pub fn event(&self, event: &Event) {
        if let Err(error) = self.write(event) {
            self.lock().failed.get_or_insert(error);
        }
    }

    fn write(&self, event: &Event) -> io::Result<()> {
        let mut event = event.clone();
        if let Event::AttemptEnded(attempt) = &mut event {
            self.keep_serial(attempt)?;
        }
        let at_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut line = serde_json::to_string(&Stamped { at_ms, event }).map_err(io::Error::other)?;
        line.push('\n');
        // One call for the whole line: whoever reads along never sees half of it.
        self.lock().events.write_all(line.as_bytes())
    }

    fn keep_serial(&self, attempt: &mut Attempt) -> io::Result<()> {
        if attempt.serial.is_empty() {
            return Ok(());
        }
        let name = format!(
            "{LOGS}/{}/{}-{}.{}.log",
            file_name(&attempt.board),
            file_name(&attempt.scenario),
            attempt.round,
            attempt.attempt
        );
        write_whole(&self.directory.join(&name), &attempt.serial)?;
        attempt.serial_log = Some(name);
        attempt.serial.clear();
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes `junit.xml` and `index.html`, and returns what the run came to.
    ///
    /// # Errors
    /// If something of the report could not be written, now or while the run went on.
    pub fn finish(self, past: &Past) -> io::Result<Night> {
        let open = self.open.into_inner().unwrap_or_else(PoisonError::into_inner);
        match open.failed {
            Some(error) => Err(error),
            None => render(&self.directory, past),
        }
    }
}

/// Makes `junit.xml` and `index.html` of the events in a directory.
///
/// # Errors
/// If there are none, or the files cannot be written.
pub fn render(directory: &Path, past: &Past) -> io::Result<Night> {
    let night = read(directory)?;
    write_whole(&directory.join(JUNIT), junit::xml(&night).as_bytes())?;
    write_whole(&directory.join(PAGE), page(&night, past, directory).as_bytes())?;
    Ok(night)
}

/// Reads the events of a report.
///
/// # Errors
/// If the directory holds no events.
pub fn read(directory: &Path) -> io::Result<Night> {
    let path = directory.join(EVENTS);
    let file = File::open(&path).map_err(|error| {
        io::Error::new(error.kind(), format!("{}: {error}; is this a directory of --report?", path.display()))
    })?;
    let mut night = Night::default();
    for line in BufReader::new(file).split(b'\n') {
        match serde_json::from_slice::<Stamped>(&line?) {
            Ok(stamped) => night.take(stamped.event),
            // The last line of a run that was killed by a full disk; anything else is told on the page.
            Err(_) => night.unread += 1,
        }
    }
    if night.started.is_none() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} has no run in it", path.display()),
        ));
    }
    Ok(night)
}

/// Puts the events and logs of several reports into a new one.
///
/// # Errors
/// If one has no events, or the new one cannot be written.
pub fn merge(parts: &[PathBuf], directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut events = Vec::new();
    for part in parts {
        let path = part.join(EVENTS);
        let text = fs::read(&path)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        // A part that was killed may end within a line.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        events.extend_from_slice(&text[..whole]);
        let logs = part.join(LOGS);
        if logs.exists() {
            copy_all(&logs, &directory.join(LOGS))?;
        }
    }
    write_whole(&directory.join(EVENTS), &events)
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A name as one component of a path.
pub(crate) fn file_name(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    name.replace('/', "__").chars().map(|letter| if plain(letter) { letter } else { '_' }).collect()
}
