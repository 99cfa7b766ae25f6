//! One TCP client at a time, and the plain byte stream over it.

use super::{Event, Link};
use crate::board::Input;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// Bytes that wait for a client which does not read; a client that lets more pile up is dropped.
const KEPT: usize = 1 << 20;

/// Waits for one of `files`, at most `timeout` (less than a second).
pub(super) fn wait_for(files: &mut [PollFd<'_>], timeout: Duration) -> io::Result<()> {
    let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(timeout.subsec_nanos()) };
    match poll(files, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A listener and the client it has, if any. A client that fails is gone, which is no error of ours.
pub(super) struct Client {
    listener: TcpListener,
    stream: Option<TcpStream>,
    waiting: Vec<u8>,
}

/// What happened to the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A client connected.
    Came,
    /// It sent bytes.
    Sent(Vec<u8>),
    /// It went away.
    Left,
}

impl Client {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self { listener, stream: None, waiting: Vec::new() }
    }

    pub(super) fn receive(&mut self) -> io::Result<Option<Change>> {
        let Some(stream) = &mut self.stream else { return self.accept() };
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => Ok(Some(Change::Sent(buffer[..count].to_vec()))),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                Ok(None)
            }
            Ok(_) | Err(_) => {
                self.leave();
                Ok(Some(Change::Left))
            }
        }
    }

    fn accept(&mut self) -> io::Result<Option<Change>> {
        match self.listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                self.stream = Some(stream);
                Ok(Some(Change::Came))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn leave(&mut self) {
        self.stream = None;
        self.waiting.clear();
    }

    /// Sends `bytes`, now or when the client can take them. Without a client they are lost, as at an open connector.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        let Some(stream) = &mut self.stream else { return };
        self.waiting.extend(bytes);
        while !self.waiting.is_empty() {
            match stream.write(&self.waiting) {
                Ok(count @ 1..) => drop(self.waiting.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.waiting.len() <= KEPT => {
                    return;
                }
                Ok(_) | Err(_) => {
                    // The next read tells that it left.
                    let _ = stream.shutdown(std::net::Shutdown::Both);
                    self.waiting.clear();
                }
            }
        }
    }

    pub(super) fn wait(&self, timeout: Duration) -> io::Result<()> {
        let mut files = match &self.stream {
            Some(stream) => [PollFd::new(stream, PollFlags::IN)],
            None => [PollFd::new(&self.listener, PollFlags::IN)],
        };
        wait_for(&mut files, timeout)
    }
}

/// The bytes of the serial line and nothing else.
pub(super) struct Plain(Client);

impl Plain {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self(Client::new(listener))
    }
}

impl Link for Plain {
    fn receive(&mut self) -> io::Result<Vec<Event>> {
        self.0.send(&[]);
        Ok(match self.0.receive()? {
            Some(Change::Sent(bytes)) => vec![Event::Input(Input::Bytes(bytes))],
            _ => Vec::new(),
        })
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.send(bytes);
        Ok(())
    }

    fn wait(&self, timeout: Duration) -> io::Result<()> {
        self.0.wait(timeout)
    }
}
