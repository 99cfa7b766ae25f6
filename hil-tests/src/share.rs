//! A board's port for other machines: RFC 2217, control lines and speed included.
//!
//! One client at a time, as at a cable. When the client leaves, both control lines are released; when the port goes away
//! (a board whose power was cut takes its USB port with it) the client stays and the port is opened again as soon as it is back.
//! The sequence that needs both lines to change at once is put together again by the endpoint.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use larch_emulator::Input;
use larch_emulator::serve::{Endpoint, Event};
use larch_loader::transport::{Lines, Transport};

/// How long the board is listened to before the client is.
const TURN: Duration = Duration::from_millis(2);
/// Between tries to open a port that went away.
const RETRY: Duration = Duration::from_millis(500);

/// What a person should know while a port is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The port went away; it is waited for.
    Lost(String),
    /// It is back.
    Back,
    /// The port does not do what the client wants.
    Refused(String),
}

/// Shares a port until `stop` is set; `open` opens it, again and again if it goes away.
///
/// # Errors
/// If the port cannot be opened at first, or nobody can connect any more.
pub fn share(
    open: &mut dyn FnMut() -> io::Result<Box<dyn Transport>>,
    endpoint: &mut Endpoint,
    stop: &AtomicBool,
    news: &mut dyn FnMut(&News),
) -> io::Result<()> {
    let mut port = Some(open()?);
    let mut tried = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let events = endpoint.receive()?;
        let Some(open_port) = &mut port else {
            thread::sleep(TURN);
            if tried.elapsed() >= RETRY {
                tried = Instant::now();
                port = open().ok();
                if port.is_some() {
                    news(&News::Back);
                }
            }
            continue;
        };
        if let Err(error) = turn(open_port.as_mut(), endpoint, events, news) {
            news(&News::Lost(error.to_string()));
            port = None;
        }
    }
    Ok(())
}

/// Passes on what both sides said; fails if the port does.
fn turn(
    port: &mut dyn Transport,
    endpoint: &mut Endpoint,
    events: Vec<Event>,
    news: &mut dyn FnMut(&News),
) -> io::Result<()> {
    for event in events {
        match event {
            Event::Input(Input::Bytes(bytes)) => port.write_all(&bytes)?,
            Event::Input(Input::Baud(baud)) => {
                if let Err(error) = port.set_baud(baud) {
                    news(&News::Refused(format!("{baud} baud: {error}")));
                }
            }
            Event::Input(Input::Lines { dtr, rts }) => port.set_lines(Lines { dtr, rts })?,
            // A port has no buttons.
            Event::Input(_) => {}
            Event::Purge => port.discard_input()?,
        }
    }
    let mut bytes = [0; 4096];
    let count = port.read(&mut bytes, TURN)?;
    if count > 0 {
        endpoint.send(&bytes[..count])?;
    }
    Ok(())
}
