//! The board behind RFC 2217: Telnet with the rate and the control lines of a serial adapter.
//!
//! A client changes one line at a time and waits for each answer, pyserial for 50 ms; no capacitor at EN is large enough to
//! bridge the moment at which both lines are asserted between "reset" and "download". Espressif's own server therefore
//! performs the sequence itself. Here that moment waits for the second line ([`PARTNER`]), and both change at once.

use super::socket::{Change, Client};
use super::{Event, Link};
use crate::board::Input;
use rfc2217::{PortSettings, Server, ServerEvent};
use std::io;
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// How long "both asserted", coming from reset, waits for the other line to change.
const PARTNER: Duration = Duration::from_millis(150);

/// The server and its client.
pub(super) struct Telnet {
    client: Client,
    server: Option<Server>,
    dtr: bool,
    rts: bool,
    baud: u32,
    /// Since when both lines are asserted without the board knowing.
    withheld: Option<Instant>,
}

impl Telnet {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self {
            client: Client::new(listener),
            server: None,
            dtr: false,
            rts: false,
            baud: 115_200,
            withheld: None,
        }
    }

    /// What a client finds: the adapter keeps its rate when nobody is connected.
    fn settings(&self) -> PortSettings {
        PortSettings { baud_rate: self.baud, ..PortSettings::default() }
    }

    fn hear(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        let mut rest = bytes;
        while let Some(server) = self.server.as_mut().filter(|_| !rest.is_empty()) {
            let mut payload = Vec::new();
            let consumed = server.receive_until_event(rest, &mut payload);
            rest = &rest[consumed..];
            if !payload.is_empty() {
                events.push(Event::Input(Input::Bytes(payload)));
            }
            while let Some(event) = self.server.as_mut().and_then(Server::poll_event) {
                events.extend(self.obey(&event));
            }
            if consumed == 0 {
                break;
            }
        }
        events
    }

    fn obey(&mut self, event: &ServerEvent) -> Option<Event> {
        match event {
            ServerEvent::SettingsChanged(settings)
                if settings.baud_rate != self.baud && settings.baud_rate != 0 =>
            {
                self.baud = settings.baud_rate;
                Some(Event::Input(Input::Baud(self.baud)))
            }
            ServerEvent::Dtr(level) => {
                let from_reset = self.rts && !self.dtr;
                self.dtr = *level;
                if from_reset && *level {
                    self.withheld = Some(Instant::now());
                    return None;
                }
                Some(self.lines())
            }
            ServerEvent::Rts(level) => {
                self.rts = *level;
                Some(self.lines())
            }
            ServerEvent::Purge(purge) => match purge {
                rfc2217::Purge::Transmit => None,
                _ => Some(Event::Purge),
            },
            _ => None,
        }
    }

    fn lines(&mut self) -> Event {
        self.withheld = None;
        Event::Input(Input::Lines { dtr: self.dtr, rts: self.rts })
    }

    fn flush(&mut self) {
        if let Some(server) = &mut self.server {
            let output = server.take_output();
            self.client.send(&output);
        }
    }
}

impl Link for Telnet {
    fn receive(&mut self) -> io::Result<Vec<Event>> {
        let mut events = match self.client.receive()? {
            None => Vec::new(),
            Some(Change::Came) => {
                self.server = Some(Server::new(self.settings()));
                Vec::new()
            }
            Some(Change::Sent(bytes)) => self.hear(&bytes),
            Some(Change::Left) => {
                // Closing the port drops both lines at once.
                self.server = None;
                (self.dtr, self.rts) = (false, false);
                vec![self.lines()]
            }
        };
        if self.withheld.is_some_and(|since| since.elapsed() > PARTNER) {
            events.push(self.lines());
        }
        self.flush();
        Ok(events)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(server) = &mut self.server {
            server.write_data(bytes);
        }
        self.flush();
        Ok(())
    }

    fn wait(&self, timeout: Duration) -> io::Result<()> {
        self.client.wait(timeout)
    }
}
