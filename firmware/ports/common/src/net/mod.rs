//! Sockets over smoltcp, for any port that moves Ethernet frames ([`Driver`]).
//!
//! [`Network`] holds up to two interfaces (a board's Wi-Fi: the station's, the access point's) and a table of sockets. Nothing
//! waits: [`Network::poll`] moves frames and whatever else is due, and is called wherever the program waits.
//!
//! Layers: [`driver`], `frame`, `leases` -> `interface` -> `socket` -> this.
//!
//! Invariants:
//! - Buffers come from Rust's allocator, never from the Python heap; where memory is short the answer is an error.
//! - A closed socket is in `leaving` until its last bytes were sent, at most [`LEAVE_US`]; where memory is short,
//!   one whose bytes have all arrived leaves at once.

pub mod driver;
mod frame;
mod interface;
mod leases;
mod mailbox;
mod mdns;
mod socket;
#[cfg(test)]
mod tests;
mod wired;

use alloc::boxed::Box;

use heapless::Vec;
use larch_hal::{Addresses, Endpoint, Ipv4, NetError, Readiness, Short, SocketId, Sockets, Transport};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::{dns, tcp};
use smoltcp::time::Instant;
use smoltcp::wire::DhcpOption;

pub use driver::Driver;
use interface::{Interface, Listeners};
pub use mailbox::Mailbox;
use socket::{Entry, Place};
pub use wired::Wired;

/// Interfaces.
pub const INTERFACES: usize = 2;
/// Open sockets, as many as MicroPython's boards allow.
const OPEN: usize = 10;
/// Closed sockets that still send.
const LEAVING: usize = 8;
/// How long they may.
const LEAVE_US: u64 = 10_000_000;
/// Different names of the host between two resets; later ones are not told.
const NAMES: usize = 8;
/// Ports that are given to those who ask for none.
const EPHEMERAL: core::ops::Range<u16> = 49_152..65_000;

/// The sockets of a board.
pub struct Network<D> {
    interfaces: [Option<Interface<D>>; INTERFACES],
    table: Table,
    leaving: Vec<(Place, u64), LEAVING>,
    next_port: u16,
    question: Option<(u8, dns::QueryHandle)>,
    names: Names,
    now_us: fn() -> u64,
}

/// The open sockets by number.
struct Table([Option<Entry>; OPEN]);

impl Listeners for Table {
    fn room(&self, port: u16) -> Option<bool> {
        self.listener(port).map(|listener| listener.waiting.len() < listener.backlog)
    }

    fn add(&mut self, port: u16, place: Place) {
        let found = self.0.iter_mut().flatten().find_map(|entry| match entry {
            Entry::Listener(listener) if listener.local.port == port => Some(listener),
            _ => None,
        });
        if let Some(listener) = found {
            // There is room: `room` said so.
            let _ = listener.waiting.push(place);
        }
    }

    fn waiting(&self, port: u16) -> &[Place] {
        self.listener(port).map_or(&[], |listener| &listener.waiting)
    }
}

impl Table {
    fn listener(&self, port: u16) -> Option<&socket::Listener> {
        self.0.iter().flatten().find_map(|entry| match entry {
            Entry::Listener(listener) if listener.local.port == port => Some(listener),
            _ => None,
        })
    }

    fn get(&mut self, socket: SocketId) -> Result<&mut Entry, NetError> {
        self.0.get_mut(usize::from(socket.0)).and_then(Option::as_mut).ok_or(NetError::Closed)
    }

    fn free(&self) -> Result<SocketId, NetError> {
        let index = self.0.iter().position(Option::is_none).ok_or(NetError::TooMany)?;
        Ok(SocketId(index as u8))
    }

    fn uses(&self, transport: Transport, port: u16) -> bool {
        self.0.iter().flatten().any(|entry| entry.uses(transport, port))
    }
}

/// Names that DHCP servers were told. The stack borrows them for good, so a name stays in memory, and is found when it comes again.
struct Names(Vec<&'static [DhcpOption<'static>; 1], NAMES>);

impl Names {
    /// The option of DHCP for a name; `None` when there have been too many.
    fn option(&mut self, name: &Short<32>) -> Option<&'static [DhcpOption<'static>]> {
        if let Some(known) = self.0.iter().find(|option| option[0].data == name.as_bytes()) {
            return Some(*known);
        }
        if self.0.is_full() {
            return None;
        }
        let text: &'static [u8] = Box::leak(Box::from(name.as_bytes()));
        let option: &'static [DhcpOption<'static>; 1] =
            Box::leak(Box::new([interface::host_name_option(text)]));
        // There is room: it was looked at.
        let _ = self.0.push(option);
        Some(option)
    }
}

impl<D: Driver> Network<D> {
    /// No interface and no socket yet. `now_us` is the time since boot; `seed` differs from boot to boot.
    pub fn new(now_us: fn() -> u64, seed: u32) -> Self {
        let ports = u32::from(EPHEMERAL.end - EPHEMERAL.start);
        Self {
            interfaces: [None, None],
            table: Table([const { None }; OPEN]),
            leaving: Vec::new(),
            next_port: EPHEMERAL.start + (seed % ports) as u16,
            question: None,
            names: Names(Vec::new()),
            now_us,
        }
    }

    fn now(&self) -> Instant {
        Instant::from_micros((self.now_us)() as i64)
    }

    /// Puts an interface in its place.
    ///
    /// # Errors
    /// [`NetError::NoMemory`].
    pub fn attach(&mut self, index: u8, driver: D, seed: u64) -> Result<(), NetError> {
        let interface = Interface::new(driver, self.now(), seed)?;
        self.interfaces[usize::from(index)] = Some(interface);
        Ok(())
    }

    /// Takes an interface away; its sockets are closed for good.
    pub fn detach(&mut self, index: u8) {
        for entry in self.table.0.iter_mut().flatten() {
            entry.lose(index);
        }
        self.leaving.retain(|(place, _)| place.0 != index);
        self.question.take_if(|(interface, _)| *interface == index);
        self.interfaces[usize::from(index)] = None;
    }

    /// Has an interface give addresses to others.
    ///
    /// # Errors
    /// [`NetError::NoMemory`], [`NetError::Unreachable`].
    pub fn become_server(&mut self, index: u8) -> Result<(), NetError> {
        self.interface(index)?.become_server()
    }

    /// The address that another has from an interface's server.
    pub fn lease_of(&self, index: u8, mac: [u8; 6]) -> Option<Ipv4> {
        self.interfaces[usize::from(index)].as_ref()?.lease_of(mac)
    }

    /// The interface's addresses, if it is there.
    pub fn addresses(&self, index: u8) -> Option<Addresses> {
        self.interfaces[usize::from(index)].as_ref().map(Interface::addresses)
    }

    /// Sets an interface's addresses; `None`: DHCP finds them.
    pub fn set_addresses(&mut self, index: u8, addresses: Option<Addresses>) {
        if let Some(interface) = &mut self.interfaces[usize::from(index)] {
            interface.set_addresses(addresses);
        }
    }

    /// Sets the server that an interface asks for names.
    pub fn set_dns(&mut self, index: u8, dns: Ipv4) {
        if let Some(interface) = &mut self.interfaces[usize::from(index)] {
            interface.set_dns(dns);
        }
    }

    /// Whether frames go through an interface, when it was looked at last.
    pub fn is_up(&self, index: u8) -> bool {
        self.interfaces[usize::from(index)].as_ref().is_some_and(Interface::is_up)
    }

    /// Whether an interface uses DHCP.
    pub fn wants_dhcp(&self, index: u8) -> bool {
        self.interfaces[usize::from(index)].as_ref().is_some_and(Interface::wants_dhcp)
    }

    /// The driver of an interface.
    pub fn driver(&mut self, index: u8) -> Option<&mut D> {
        self.interfaces[usize::from(index)].as_mut().map(Interface::driver)
    }

    /// The driver of an interface has another address.
    pub fn mac_changed(&mut self, index: u8) {
        if let Some(interface) = &mut self.interfaces[usize::from(index)] {
            interface.mac_changed();
        }
    }

    /// Tells DHCP servers the host's name from the next request on.
    pub fn set_host_name(&mut self, index: u8, name: &Short<32>) {
        let Some(interface) = &mut self.interfaces[usize::from(index)] else { return };
        if let Some(option) = self.names.option(name) {
            interface.set_host_name(option);
        }
    }

    /// When [`Sockets::poll`] has something to do even if no frame comes, in microseconds since boot.
    pub fn poll_at_us(&mut self) -> Option<u64> {
        let now = self.now();
        let next = self.interfaces.iter_mut().flatten().filter_map(|interface| interface.poll_at(now)).min();
        next.map(|at| at.total_micros().max(0) as u64)
    }

    /// Closes all sockets at once (a soft reset).
    pub fn close_all(&mut self) {
        self.close_unheld(&[]);
        self.forget_name();
        while let Some((place, _)) = self.leaving.pop() {
            self.drop_stream(place);
        }
    }

    fn interface(&mut self, index: u8) -> Result<&mut Interface<D>, NetError> {
        self.interfaces[usize::from(index)].as_mut().ok_or(NetError::Unreachable)
    }

    fn free_port(&mut self, transport: Transport) -> u16 {
        loop {
            self.next_port =
                if self.next_port + 1 < EPHEMERAL.end { self.next_port + 1 } else { EPHEMERAL.start };
            if !self.table.uses(transport, self.next_port) {
                return self.next_port;
            }
        }
    }

    /// Lets a stream send what it has, then gives it up.
    fn leave(&mut self, place: Place) {
        let Ok(interface) = self.interface(place.0) else { return };
        interface.get::<tcp::Socket<'_>>(place.1).close();
        let until = (self.now_us)() + LEAVE_US;
        if self.leaving.is_full() {
            let (oldest, _) = self.leaving.remove(0);
            self.drop_stream(oldest);
        }
        // There is room now.
        let _ = self.leaving.push((place, until));
    }

    /// Does what takes memory. Where that is short, streams that only say goodbye make room, the oldest first.
    fn with_room<T>(
        &mut self,
        mut action: impl FnMut(&mut Self) -> Result<T, NetError>,
    ) -> Result<T, NetError> {
        loop {
            match action(self) {
                Err(NetError::NoMemory | NetError::TooMany) if self.drop_oldest_sent() => {}
                answer => return answer,
            }
        }
    }

    /// Gives up the oldest stream that leaves and whose bytes have all arrived, if there is one.
    fn drop_oldest_sent(&mut self) -> bool {
        let sent = (0..self.leaving.len()).find(|&at| {
            let (index, socket) = self.leaving[at].0;
            self.interface(index).is_ok_and(|there| there.get::<tcp::Socket<'_>>(socket).send_queue() == 0)
        });
        let Some(at) = sent else { return false };
        let (place, _) = self.leaving.remove(at);
        self.drop_stream(place);
        true
    }

    fn drop_stream(&mut self, (index, socket): Place) {
        let now = self.now();
        let Ok(interface) = self.interface(index) else { return };
        if interface.get::<tcp::Socket<'_>>(socket).is_open() {
            // The other side is told, if that is possible at once.
            interface.get::<tcp::Socket<'_>>(socket).abort();
            interface.poll(now, index, &mut NoListeners);
        }
        interface.remove(socket);
    }

    /// Gives up the streams that have left.
    fn reap(&mut self) {
        let now_us = (self.now_us)();
        let mut at = 0;
        while let Some(&(place, until)) = self.leaving.get(at) {
            let state = match self.interface(place.0) {
                Ok(interface) => interface.get::<tcp::Socket<'_>>(place.1).state(),
                Err(_) => tcp::State::Closed,
            };
            if matches!(state, tcp::State::Closed | tcp::State::TimeWait) {
                self.leaving.remove(at);
                if let Ok(interface) = self.interface(place.0) {
                    interface.remove(place.1);
                }
            } else if now_us >= until {
                self.leaving.remove(at);
                self.drop_stream(place);
            } else {
                at += 1;
            }
        }
    }

    /// Brings a UDP socket into being, on every interface there is.
    fn open_packets(&mut self, local: Endpoint) -> Result<[Option<SocketHandle>; INTERFACES], NetError> {
        let mut handles = [None; INTERFACES];
        let mut answer = Err(NetError::Unreachable);
        for (handle, interface) in handles.iter_mut().zip(&mut self.interfaces) {
            let Some(interface) = interface else { continue };
            if local.address != [0; 4] && !interface.owns(local.address) {
                continue;
            }
            answer = match interface.bind_packets((local.address, local.port)) {
                Ok(socket) => {
                    *handle = Some(socket);
                    Ok(())
                }
                Err(error) => answer.and(Err(error)),
            };
        }
        if handles.iter().any(Option::is_some) { Ok(handles) } else { answer.map(|()| handles) }
    }
}

/// While a socket is given up nobody new is let in.
struct NoListeners;

impl Listeners for NoListeners {
    fn room(&self, _port: u16) -> Option<bool> {
        Some(false)
    }

    fn add(&mut self, _port: u16, _place: Place) {}

    fn waiting(&self, _port: u16) -> &[Place] {
        &[]
    }
}

impl<D: Driver> Sockets for Network<D> {
    fn poll(&mut self) {
        let now = self.now();
        let Self { interfaces, table, .. } = self;
        for (index, interface) in interfaces.iter_mut().enumerate() {
            if let Some(interface) = interface {
                interface.poll(now, index as u8, table);
            }
        }
        self.reap();
    }

    fn open(&mut self, transport: Transport) -> Result<SocketId, NetError> {
        let socket = self.table.free()?;
        self.table.0[usize::from(socket.0)] = Some(Entry::New(transport, Endpoint::default()));
        Ok(socket)
    }

    fn close(&mut self, socket: SocketId) {
        let Some(entry) = self.table.0.get_mut(usize::from(socket.0)).and_then(Option::take) else { return };
        match entry {
            Entry::New(..) | Entry::Lost => {}
            Entry::Stream(stream) => self.leave(stream.place),
            Entry::Listener(listener) => {
                listener.waiting.into_iter().for_each(|place| self.drop_stream(place))
            }
            Entry::Packets(packets) => {
                for (index, handle) in packets.handles.into_iter().enumerate() {
                    if let (Some(handle), Some(interface)) = (handle, &mut self.interfaces[index]) {
                        interface.remove(handle);
                    }
                }
            }
        }
        self.poll();
    }

    fn close_unheld(&mut self, held: &[SocketId]) {
        for index in 0..OPEN as u8 {
            if !held.contains(&SocketId(index)) {
                self.close(SocketId(index));
            }
        }
    }

    fn bind(&mut self, socket: SocketId, local: Endpoint) -> Result<(), NetError> {
        let Entry::New(transport, _) = *self.table.get(socket)? else { return Err(NetError::Invalid) };
        let local = match local.port {
            0 => Endpoint { port: self.free_port(transport), ..local },
            port if self.table.uses(transport, port) => return Err(NetError::AddressInUse),
            _ => local,
        };
        *self.table.get(socket)? = match transport {
            Transport::Tcp => Entry::New(transport, local),
            Transport::Udp => Entry::packets(local, self.with_room(|this| this.open_packets(local))?),
        };
        Ok(())
    }

    fn listen(&mut self, socket: SocketId, backlog: usize) -> Result<(), NetError> {
        let entry = self.table.get(socket)?;
        match *entry {
            Entry::New(Transport::Tcp, local) if local.port != 0 => {
                *entry = Entry::listener(local, backlog);
                Ok(())
            }
            Entry::New(Transport::Udp, _) | Entry::Packets(_) => Err(NetError::NotSupported),
            _ => Err(NetError::Invalid),
        }
    }

    fn accept(&mut self, socket: SocketId) -> Result<(SocketId, Endpoint), NetError> {
        let free = self.table.free();
        let Self { interfaces, table, .. } = self;
        let Entry::Listener(listener) = table.get(socket)? else { return Err(NetError::Invalid) };
        let (stream, remote) = listener.take(interfaces)?;
        let Ok(free) = free else {
            self.leave(stream.place);
            return Err(NetError::TooMany);
        };
        self.table.0[usize::from(free.0)] = Some(Entry::Stream(stream));
        Ok((free, remote))
    }

    fn connect(&mut self, socket: SocketId, remote: Endpoint) -> Result<(), NetError> {
        match self.table.get(socket)? {
            Entry::New(Transport::Tcp, local) => {
                let local = *local;
                let index = socket::route(&self.interfaces, remote.address)?;
                let port = if local.port != 0 { local.port } else { self.free_port(Transport::Tcp) };
                let now_us = (self.now_us)();
                let to = (remote.address, remote.port);
                let handle = self.with_room(|this| this.interface(index)?.connect(to, port))?;
                *self.table.get(socket)? = Entry::connecting((index, handle), now_us);
                self.poll();
                Ok(())
            }
            Entry::New(Transport::Udp, _) => {
                self.bind(socket, Endpoint::default())?;
                self.connect(socket, remote)
            }
            Entry::Packets(packets) => {
                packets.remote = Some(remote);
                Ok(())
            }
            Entry::Stream(stream) => {
                let is_made = stream.connected(&mut self.interfaces, (self.now_us)()).is_ok();
                Err(if is_made { NetError::Connected } else { NetError::Connecting })
            }
            Entry::Listener(_) => Err(NetError::Invalid),
            Entry::Lost => Err(NetError::Aborted),
        }
    }

    fn connected(&mut self, socket: SocketId) -> Result<(), NetError> {
        let now_us = (self.now_us)();
        let Self { interfaces, table, .. } = self;
        match table.get(socket)? {
            Entry::Stream(stream) => stream.connected(interfaces, now_us),
            Entry::Packets(_) => Ok(()),
            Entry::Lost => Err(NetError::Aborted),
            _ => Err(NetError::NotConnected),
        }
    }

    fn send(&mut self, socket: SocketId, bytes: &[u8], to: Option<Endpoint>) -> Result<usize, NetError> {
        if let Entry::New(Transport::Udp, _) = self.table.get(socket)? {
            self.bind(socket, Endpoint::default())?;
        }
        let now_us = (self.now_us)();
        let Self { interfaces, table, .. } = self;
        let count = match table.get(socket)? {
            Entry::Stream(stream) => stream.send(interfaces, now_us, bytes)?,
            Entry::Packets(packets) => packets.send(interfaces, bytes, to)?,
            Entry::Lost => return Err(NetError::Aborted),
            _ => return Err(NetError::NotConnected),
        };
        self.poll();
        Ok(count)
    }

    fn receive(
        &mut self,
        socket: SocketId,
        bytes: &mut [u8],
        peek: bool,
    ) -> Result<(usize, Endpoint), NetError> {
        let now_us = (self.now_us)();
        let Self { interfaces, table, .. } = self;
        match table.get(socket)? {
            Entry::Stream(stream) => stream.receive(interfaces, now_us, bytes, peek),
            Entry::Packets(packets) => packets.receive(interfaces, bytes, peek),
            Entry::Lost => Err(NetError::Aborted),
            Entry::New(Transport::Udp, _) => Err(NetError::Again),
            _ => Err(NetError::NotConnected),
        }
    }

    fn readiness(&mut self, socket: SocketId) -> Readiness {
        let now_us = (self.now_us)();
        let Self { interfaces, table, .. } = self;
        match table.get(socket) {
            Ok(entry) => entry.readiness(interfaces, now_us),
            Err(_) => Readiness { hung_up: true, failed: true, ..Readiness::default() },
        }
    }

    fn join(&mut self, group: Ipv4) -> Result<(), NetError> {
        let mut answer = Err(NetError::Unreachable);
        for interface in self.interfaces.iter_mut().flatten() {
            answer = interface.join(group);
        }
        answer
    }

    fn resolve(&mut self, name: &str) -> Result<Ipv4, NetError> {
        let (index, query) = match self.question {
            Some(question) => question,
            None => {
                let asked = self.interfaces.iter_mut().enumerate().find_map(|(index, interface)| {
                    let interface = interface.as_mut()?;
                    (!interface.addresses().eq(&Addresses::default()))
                        .then(|| (index as u8, interface.ask(name)))
                });
                let (index, query) = asked.ok_or(NetError::Unreachable)?;
                *self.question.insert((index, query?))
            }
        };
        let answer = self.interface(index)?.answer(query);
        if answer != Err(NetError::Again) {
            self.question = None;
        }
        answer
    }

    fn forget_name(&mut self) {
        if let Some((index, query)) = self.question.take()
            && let Ok(interface) = self.interface(index)
        {
            interface.cancel(query);
        }
    }
}
