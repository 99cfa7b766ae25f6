//! A serial port on another machine, over RFC 2217 (Telnet COM port control).
//!
//! The protocol is the `rfc2217` crate's sans-IO client; this module gives it a socket and deadlines.
//! Settings that a server refuses to confirm are tolerated once the option itself is active, as pySerial's
//! `ign_set_control` does: some servers never confirm a speed on a PTY.

use super::tcp::{connect, read_timeout};
use super::{Lines, Transport};
use rfc2217::{Client, ComPortState, Event, NotReady, PortSettings, Purge};
use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long the server may take to answer a setting.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// The same for a server that has left a setting unanswered before: some never confirm any.
const REPEATED_TIMEOUT: Duration = Duration::from_millis(20);

/// A serial port behind an RFC 2217 server.
pub struct Rfc2217Transport {
    stream: TcpStream,
    client: Client,
    received: VecDeque<u8>,
    start: Instant,
    /// The server left a setting, or a change of the lines, unanswered.
    answers_settings: bool,
    answers_commands: bool,
}

impl Rfc2217Transport {
    /// Connects to `host:port` and sets 8N1 at `baud`.
    ///
    /// # Errors
    /// If nobody listens there, or the listener does not speak RFC 2217.
    pub fn connect(address: &str, baud: u32) -> io::Result<Self> {
        let settings = PortSettings { baud_rate: baud, ..PortSettings::default() };
        let mut transport = Self {
            stream: connect(address)?,
            client: Client::new(settings),
            received: VecDeque::new(),
            start: Instant::now(),
            answers_settings: true,
            answers_commands: true,
        };
        transport.settle()?;
        Ok(transport)
    }

    /// Waits until the server has confirmed the requested settings, or at least takes commands.
    fn settle(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + patience(self.answers_settings);
        loop {
            self.send()?;
            match self.client.readiness() {
                Ok(()) => return Ok(()),
                Err(NotReady::Refused) => return Err(not_rfc2217()),
                Err(NotReady::Mismatched(_)) => return Ok(()),
                Err(_) if Instant::now() >= deadline => {
                    self.answers_settings = false;
                    return self.settled_enough();
                }
                Err(_) => {}
            }
            self.receive(Duration::from_millis(20))?;
        }
    }

    fn settled_enough(&self) -> io::Result<()> {
        match self.client.com_port_state() {
            ComPortState::Active => Ok(()),
            _ => Err(not_rfc2217()),
        }
    }

    fn send(&mut self) -> io::Result<()> {
        if self.client.has_output() {
            self.stream.write_all(&self.client.take_output())?;
        }
        Ok(())
    }

    /// One read of the socket; returns whether `wanted` events came is left to the caller through `poll_event`.
    fn receive(&mut self, timeout: Duration) -> io::Result<()> {
        let mut buf = [0; 4096];
        let count = read_timeout(&mut self.stream, &mut buf, timeout)?;
        let payload = self.client.receive(&buf[..count]);
        self.received.extend(payload);
        self.send()
    }

    /// Waits until an event satisfies `wanted`; some servers never answer, which costs the whole time only once.
    fn wait_for(&mut self, wanted: impl Fn(&Event) -> bool) -> io::Result<()> {
        let deadline = Instant::now() + patience(self.answers_commands);
        while Instant::now() < deadline {
            while let Some(event) = self.client.poll_event() {
                if wanted(&event) {
                    self.answers_commands = true;
                    return Ok(());
                }
            }
            self.receive(REPEATED_TIMEOUT)?;
        }
        self.answers_commands = false;
        Ok(())
    }

    fn drop_events(&mut self) {
        while self.client.poll_event().is_some() {}
    }
}

/// How long an answer is waited for.
fn patience(answers: bool) -> Duration {
    if answers { ANSWER_TIMEOUT } else { REPEATED_TIMEOUT }
}

fn not_rfc2217() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the server does not speak RFC 2217; if it is a plain socket, use socket://",
    )
}

impl Transport for Rfc2217Transport {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        let deadline = Instant::now() + timeout;
        loop {
            if self.received.is_empty() {
                self.receive(deadline.saturating_duration_since(Instant::now()))?;
                self.drop_events();
            }
            let count = buf.len().min(self.received.len());
            if count > 0 || Instant::now() >= deadline {
                for (to, from) in buf.iter_mut().zip(self.received.drain(..count)) {
                    *to = from;
                }
                return Ok(count);
            }
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.client.write_data(bytes);
        self.send()
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        let settings = PortSettings { baud_rate: baud, ..self.client.requested_settings() };
        self.client.set_port_settings(settings);
        self.settle()
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.drop_events();
        self.client.set_dtr(lines.dtr);
        self.client.set_rts(lines.rts);
        self.send()?;
        // The next step's delay must start after the line has moved.
        self.wait_for(|event| matches!(event, Event::Rts(_) | Event::FlowControl(_)))
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.drop_events();
        self.client.purge(Purge::Receive);
        self.send()?;
        self.wait_for(|event| matches!(event, Event::Purged(_)))?;
        self.received.clear();
        Ok(())
    }

    fn sleep(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}
