//! A plain TCP socket (`socket://host:port`): bytes only, no control lines, no speed.

use super::{Lines, Transport};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// The operating system takes no shorter time-out than this (zero would mean for ever).
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(1);

/// A byte stream to a chip behind a TCP socket.
pub struct TcpTransport {
    stream: TcpStream,
    start: Instant,
}

impl TcpTransport {
    /// Connects to `host:port`.
    ///
    /// # Errors
    /// If the address is wrong or nobody listens there.
    pub fn connect(address: &str) -> io::Result<Self> {
        Ok(Self { stream: connect(address)?, start: Instant::now() })
    }
}

/// Connects to the first of the host's addresses that answers.
pub(super) fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, format!("'{address}' is not host:port"));
    for candidate in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&candidate, CONNECT_TIMEOUT) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Reads with a time-out; 0 means that nothing came, a closed connection is an error.
pub(super) fn read_timeout(stream: &mut TcpStream, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
    stream.set_read_timeout(Some(timeout.max(SHORTEST_TIMEOUT)))?;
    match stream.read(buf) {
        Ok(0) if !buf.is_empty() => {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the other side closed the connection"))
        }
        Err(error) if is_timeout(&error) => Ok(0),
        other => other,
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

impl Transport for TcpTransport {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        read_timeout(&mut self.stream, buf, timeout)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    fn set_baud(&mut self, _baud: u32) -> io::Result<()> {
        Ok(())
    }

    fn set_lines(&mut self, _lines: Lines) -> io::Result<()> {
        Ok(())
    }

    fn discard_input(&mut self) -> io::Result<()> {
        let mut buf = [0; 4096];
        while read_timeout(&mut self.stream, &mut buf, Duration::ZERO)? > 0 {}
        Ok(())
    }

    fn sleep(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}
