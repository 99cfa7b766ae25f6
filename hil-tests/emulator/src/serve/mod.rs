//! Servers that make an emulated board look like a board at a serial port, for programs that know nothing of it.
//!
//! The board is *paced*: it never gets ahead of the wall clock, and what the outside does reaches it at the present
//! simulated moment, where it can be recorded ([`crate::Board::record`]) and replayed exactly. One thread does everything: it lets
//! the board catch up with the clock, passes what was said, and waits a millisecond at most.
//!
//! Invariants: the flash file is replaced whole, never written in place; nothing is left behind when [`run`] returns.

pub mod lockstep;
mod pty;
mod rfc2217;
mod socket;

use crate::board::Input;
use crate::lent::Lent;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Longest wait for input before the board goes on.
const TURN: Duration = Duration::from_millis(1);
/// Most simulated time in one turn, so that a host that is slow still listens.
const MOST: Duration = Duration::from_millis(5);
/// Bytes on the line to the chip beyond which no more are taken from the client.
const BACKLOG: Duration = Duration::from_millis(20);
/// The flash file is written when the flash was quiet for this long.
const QUIET: Duration = Duration::from_millis(500);

/// One way for a client to reach the board.
trait Link {
    /// What the client did since the last call, in order.
    fn receive(&mut self) -> io::Result<Vec<Event>>;
    /// Sends what the chip said. A client that is gone is not an error.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Waits until there may be something to receive.
    fn wait(&self, timeout: Duration) -> io::Result<()>;
}

/// What a client did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It acted on the board.
    Input(Input),
    /// It wants what was received and not read yet to be forgotten.
    Purge,
}

/// A place where clients find the board.
pub struct Endpoint {
    link: Box<dyn Link>,
    address: String,
}

impl Endpoint {
    /// A pseudo terminal; `link` is a symbolic link to it, made now and removed with the endpoint.
    ///
    /// # Errors
    /// If the system has no pseudo terminal left, or something other than a link is at `link`.
    pub fn pty(link: Option<&Path>) -> io::Result<Self> {
        let pty = pty::Pty::open(link)?;
        let address = pty.address();
        Ok(Self { link: Box::new(pty), address })
    }

    /// A TCP socket on this machine that carries the bytes of the serial line. Port 0 takes a free one.
    ///
    /// # Errors
    /// If the port is taken.
    pub fn tcp(port: u16) -> io::Result<Self> {
        let (listener, address) = listen(port)?;
        Ok(Self { link: Box::new(socket::Plain::new(listener)), address: format!("socket://{address}") })
    }

    /// An RFC 2217 server on this machine, with control lines and rate. Port 0 takes a free one.
    ///
    /// # Errors
    /// If the port is taken.
    pub fn rfc2217(port: u16) -> io::Result<Self> {
        Self::rfc2217_at((Ipv4Addr::LOCALHOST, port).into())
    }

    /// The same at any address of this machine; there is no password, so everyone who can reach it holds the board.
    ///
    /// # Errors
    /// If the address is not this machine's or the port is taken.
    pub fn rfc2217_at(address: SocketAddr) -> io::Result<Self> {
        let (listener, address) = listen_at(address)?;
        Ok(Self { link: Box::new(rfc2217::Telnet::new(listener)), address: format!("rfc2217://{address}") })
    }

    /// What the client did since the last call, in order; nothing if there is no client.
    ///
    /// # Errors
    /// If nobody can connect any more. A client that is gone is not an error.
    pub fn receive(&mut self) -> io::Result<Vec<Event>> {
        self.link.receive()
    }

    /// Sends what the board said; without a client it is lost, as at an open connector.
    ///
    /// # Errors
    /// If the endpoint is gone.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.link.send(bytes)
    }

    /// What a client opens: a path, or an address as pyserial writes it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

fn listen(port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    listen_at((Ipv4Addr::LOCALHOST, port).into())
}

fn listen_at(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot listen on {address} ({error}); name another port, or 0 for a free one"),
        )
    })?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Runs `board` in step with the wall clock for the clients of `endpoint` until `stop` is set. The flash contents are kept in
/// `flash_file`, if one is named, whenever they changed and at the end.
///
/// # Errors
/// If the endpoint or the flash file fails, or the chip stopped in strict mode.
pub fn run(
    board: &mut dyn Lent,
    endpoint: &mut Endpoint,
    flash_file: Option<&Path>,
    stop: &AtomicBool,
) -> io::Result<()> {
    let mut keeper = Keeper { path: flash_file.map(Path::to_owned), changed_at: None };
    let (started, origin) = (Instant::now(), board.time());
    let mut result = Ok(());
    while !stop.load(Ordering::Relaxed) && result.is_ok() {
        let wall = origin + started.elapsed();
        result = turn(board, endpoint, wall).and_then(|()| keeper.look(board));
    }
    let saved = keeper.save(board);
    result.and(saved)
}

/// Lets the board catch up with `wall`, then passes what both sides said.
fn turn(board: &mut dyn Lent, endpoint: &mut Endpoint, wall: Duration) -> io::Result<()> {
    let until = wall.min(board.time() + MOST);
    board.run_until(until);
    if let Some(access) = board.stopped() {
        return Err(io::Error::other(format!("the emulated chip stopped (strict mode): {access}")));
    }
    let output = board.take_output();
    if !output.is_empty() {
        endpoint.link.send(&output)?;
    }
    if until == wall {
        endpoint.link.wait(TURN)?;
    }
    if board.backlog() > BACKLOG {
        return Ok(());
    }
    for event in endpoint.link.receive()? {
        match event {
            Event::Input(input) => board.apply(input),
            Event::Purge => drop(board.take_output()),
        }
    }
    Ok(())
}

/// Keeps the flash contents in a file.
struct Keeper {
    path: Option<PathBuf>,
    changed_at: Option<Instant>,
}

impl Keeper {
    fn look(&mut self, board: &mut dyn Lent) -> io::Result<()> {
        if board.take_flash_changed() {
            self.changed_at = Some(Instant::now());
        }
        if self.changed_at.is_some_and(|at| at.elapsed() > QUIET) {
            self.changed_at = None;
            return self.write(board);
        }
        Ok(())
    }

    fn save(&mut self, board: &mut dyn Lent) -> io::Result<()> {
        if board.take_flash_changed() || self.changed_at.is_some() {
            return self.write(board);
        }
        Ok(())
    }

    fn write(&self, board: &dyn Lent) -> io::Result<()> {
        self.path.as_ref().map_or(Ok(()), |path| board.save_flash(path))
    }
}
