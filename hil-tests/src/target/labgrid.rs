//! Places of labgrid's coordinator: acquired when first used, given back when the command ends.
//!
//! labgrid's own client does the talking (`labgrid-client`, from PyPI; `LG_COORDINATOR` says where the coordinator is), so its
//! users, queues and reservations count here as well. The serial port of a place is one that its exporter shares by RFC 2217.
//! A process that is killed leaves its places with its user, who gets them back with the next command.

use std::io;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::lab;

/// How long the client may take.
const LIMIT: Duration = Duration::from_secs(90);
/// How long the exporter may take to share the port, and between looks.
const LISTEN_LIMIT: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(100);
/// How long a server may take to see that a client left.
const LEAVE: Duration = Duration::from_millis(500);

/// What this process has.
static ACQUIRED: Mutex<Vec<Acquired>> = Mutex::new(Vec::new());

struct Acquired {
    client: Client,
    address: String,
}

/// labgrid's client for one place.
#[derive(Clone, PartialEq)]
struct Client {
    place: String,
    coordinator: Option<String>,
}

/// The address of a place's serial port, `host:port` for RFC 2217; the place belongs to this process from now on.
///
/// # Errors
/// There is no client or no such place, somebody else has it, or it exports no serial port.
pub fn address(place: &str, coordinator: Option<&str>) -> io::Result<String> {
    let client = Client { place: place.to_owned(), coordinator: coordinator.map(String::from) };
    let mut acquired = ACQUIRED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = acquired.iter().find(|known| known.client == client) {
        return Ok(known.address.clone());
    }
    if let Err(error) = client.run("acquire")
        // What a killed process of this user left is ours.
        && !error.to_string().contains("You have already acquired")
    {
        return Err(error);
    }
    let port = client.run("show").and_then(|shown| exported(place, &shown));
    match port.and_then(|address| listens(&address).map(|()| address)) {
        Ok(address) => {
            acquired.push(Acquired { client, address: address.clone() });
            Ok(address)
        }
        Err(error) => {
            // It is of no use to us.
            let _ = client.run("release");
            Err(error)
        }
    }
}

/// Gives every place back.
pub fn release_all() {
    let acquired = std::mem::take(&mut *ACQUIRED.lock().unwrap_or_else(PoisonError::into_inner));
    for Acquired { client, .. } in acquired {
        if let Err(error) = client.run("release") {
            eprintln!("   the place {} was not given back: {error}", client.place);
        }
    }
}

/// Why no place can be reached at all, if so.
#[must_use]
pub fn missing() -> Option<String> {
    program().err().map(|error| error.to_string())
}

fn program() -> io::Result<PathBuf> {
    lab::find_program(&lab::target_directory(), "labgrid-client").ok_or_else(|| {
        let why = "there is no program 'labgrid-client'; pip install labgrid, or put it into PATH";
        io::Error::new(io::ErrorKind::NotFound, why)
    })
}

impl Client {
    fn run(&self, verb: &str) -> io::Result<String> {
        let mut command = Command::new(program()?);
        command.args(self.coordinator.iter().flat_map(|address| ["-x", address]));
        command.args(["-p", &self.place, verb]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| {
            io::Error::new(error.kind(), format!("labgrid-client cannot be run: {error}"))
        })?;
        let output = ended(child, verb)?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(said(&output.stdout));
        }
        let said = said(&output.stderr) + &said(&output.stdout);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
        let advice =
            if said.contains("connect") { "; LG_COORDINATOR says where the coordinator is" } else { "" };
        Err(io::Error::other(format!("labgrid-client -p {} {verb}: {}{advice}", self.place, last.trim())))
    }
}

/// The exporter starts its ser2net when the place is acquired. It serves one client at a time, so the one that looks leaves.
fn listens(address: &str) -> io::Result<()> {
    let start = Instant::now();
    loop {
        match TcpStream::connect(address) {
            Ok(_) => break,
            Err(error) if start.elapsed() >= LISTEN_LIMIT => {
                return Err(io::Error::new(error.kind(), format!("nobody listens at {address}: {error}")));
            }
            Err(_) => thread::sleep(LOOK),
        }
    }
    thread::sleep(LEAVE);
    Ok(())
}

/// Waits within the limit. What the client says is far less than a pipe holds.
fn ended(mut child: std::process::Child, verb: &str) -> io::Result<Output> {
    let start = Instant::now();
    while child.try_wait()?.is_none() {
        if start.elapsed() >= LIMIT {
            child.kill()?;
            child.wait()?;
            let why =
                format!("labgrid-client {verb} did not end within {LIMIT:?}; is the coordinator there?");
            return Err(io::Error::new(io::ErrorKind::TimedOut, why));
        }
        thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output()
}

/// Host and port of the exported port, in what the client shows: `'host': '127.0.0.1', ... 'port': 41234`.
fn exported(place: &str, shown: &str) -> io::Result<String> {
    let value = |name: &str| {
        let rest = shown.split_once(&format!("'{name}': "))?.1;
        let end = rest.find([',', '}'])?;
        Some(rest[..end].trim_matches('\'').to_owned())
    };
    let port = value("port").filter(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    match (value("host"), port) {
        (Some(host), Some(port)) => Ok(format!("{host}:{port}")),
        _ => Err(io::Error::other(format!(
            "the place {place} has no serial port of the network; its exporter needs a USBSerialPort or RawSerialPort, and ser2net"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::exported;

    #[test]
    fn the_exported_port_is_found() {
        let shown = "Place 'shelf':\n  matches:\n    here/board/*\n  acquired: lab/anna\n\
                     Acquired resource 'RawSerialPort' (here/board/NetworkSerialPort/RawSerialPort):\n  \
                     {'acquired': 'shelf',\n   'cls': 'NetworkSerialPort',\n   \
                     'params': {'extra': {'path': '/dev/x', 'proxy': 'localhost'},\n              \
                     'host': '127.0.0.1',\n              'port': 41234,\n              'speed': 115200}}\n";
        assert_eq!(exported("shelf", shown).unwrap(), "127.0.0.1:41234");
        let error = exported("shelf", "'host': 'lab', 'port': None}").unwrap_err().to_string();
        assert!(error.starts_with("the place shelf has no serial port"), "{error}");
    }
}
