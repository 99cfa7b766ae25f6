//! What an open socket is: nothing yet, a stream, a listener, a place for packets.

use heapless::Vec;
use larch_hal::{Endpoint, Ipv4, NetError, Readiness, Transport};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::{tcp, udp};
use smoltcp::wire::IpAddress;

use super::INTERFACES;
use super::driver::Driver;
use super::interface::{Interface, ip};

/// Connections that wait to be accepted, at most.
const BACKLOG: usize = 5;
/// How long a connection may take to be made.
const CONNECT_US: u64 = 18_000_000;

/// A socket of the stack, and the interface it is on.
pub type Place = (u8, SocketHandle);
/// The interfaces of a board.
pub type Interfaces<D> = [Option<Interface<D>>; INTERFACES];

/// An open socket.
pub enum Entry {
    /// Neither connected nor listening; perhaps it has an address of its own.
    New(Transport, Endpoint),
    /// A connection.
    Stream(Stream),
    /// It waits for connections.
    Listener(Listener),
    /// Packets.
    Packets(Packets),
    /// Its interface is gone.
    Lost,
}

/// A connection.
pub struct Stream {
    /// Where it is.
    pub place: Place,
    /// When it was begun; `None` once it was made.
    begun_us: Option<u64>,
    /// How it ended, if it was not made.
    failure: Option<NetError>,
}

/// A listening socket.
pub struct Listener {
    /// Its address.
    pub local: Endpoint,
    /// Connections that may wait.
    pub backlog: usize,
    /// Those that do, and those that are being made.
    pub waiting: Vec<Place, BACKLOG>,
}

/// Packets.
pub struct Packets {
    local: Endpoint,
    /// With whom, if only with one.
    pub remote: Option<Endpoint>,
    /// Where, on each interface.
    pub handles: [Option<SocketHandle>; INTERFACES],
}

impl Entry {
    /// A connection that is being made.
    pub fn connecting(place: Place, now_us: u64) -> Self {
        Self::Stream(Stream { place, begun_us: Some(now_us), failure: None })
    }

    /// A listening socket.
    pub fn listener(local: Endpoint, backlog: usize) -> Self {
        Self::Listener(Listener { local, backlog: backlog.clamp(1, BACKLOG), waiting: Vec::new() })
    }

    /// A place for packets.
    pub fn packets(local: Endpoint, handles: [Option<SocketHandle>; INTERFACES]) -> Self {
        Self::Packets(Packets { local, remote: None, handles })
    }

    /// Whether a port is taken by it.
    pub fn uses(&self, transport: Transport, port: u16) -> bool {
        match self {
            Self::New(own, local) => *own == transport && local.port == port,
            Self::Listener(listener) => transport == Transport::Tcp && listener.local.port == port,
            Self::Packets(packets) => transport == Transport::Udp && packets.local.port == port,
            Self::Stream(_) | Self::Lost => false,
        }
    }

    /// An interface goes away.
    pub fn lose(&mut self, index: u8) {
        match self {
            Self::Stream(stream) if stream.place.0 == index => *self = Self::Lost,
            Self::Listener(listener) => listener.waiting.retain(|place| place.0 != index),
            Self::Packets(packets) => packets.handles[usize::from(index)] = None,
            _ => {}
        }
    }

    /// What can be done without waiting.
    pub fn readiness<D: Driver>(&mut self, interfaces: &mut Interfaces<D>, now_us: u64) -> Readiness {
        match self {
            Self::New(Transport::Tcp, _) => {
                Readiness { writable: true, hung_up: true, ..Readiness::default() }
            }
            Self::New(Transport::Udp, _) => Readiness { writable: true, ..Readiness::default() },
            Self::Stream(stream) => stream.readiness(interfaces, now_us),
            Self::Listener(listener) => {
                Readiness { readable: listener.has_one(interfaces), ..Readiness::default() }
            }
            Self::Packets(packets) => packets.readiness(interfaces),
            Self::Lost => Readiness { readable: true, writable: true, hung_up: true, failed: true },
        }
    }
}

fn stream_of<D: Driver>(interfaces: &mut Interfaces<D>, place: Place) -> Option<&mut tcp::Socket<'static>> {
    interfaces[usize::from(place.0)].as_mut().map(|interface| interface.get(place.1))
}

fn endpoint(remote: Option<smoltcp::wire::IpEndpoint>) -> Endpoint {
    remote.map_or(Endpoint::default(), |end| {
        let IpAddress::Ipv4(address) = end.addr;
        Endpoint { address: address.octets(), port: end.port }
    })
}

impl Stream {
    /// Whether the connection is made.
    ///
    /// # Errors
    /// [`NetError::Again`] while it is being made; how it failed.
    pub fn connected<D: Driver>(
        &mut self,
        interfaces: &mut Interfaces<D>,
        now_us: u64,
    ) -> Result<(), NetError> {
        let Some(begun_us) = self.begun_us else { return Ok(()) };
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let socket = stream_of(interfaces, self.place).ok_or(NetError::Aborted)?;
        match socket.state() {
            tcp::State::SynSent | tcp::State::SynReceived if now_us < begun_us + CONNECT_US => {
                Err(NetError::Again)
            }
            tcp::State::SynSent | tcp::State::SynReceived => {
                socket.abort();
                Err(*self.failure.insert(NetError::TimedOut))
            }
            tcp::State::Closed => Err(*self.failure.insert(NetError::Refused)),
            _ => {
                self.begun_us = None;
                Ok(())
            }
        }
    }

    /// Takes bytes to be sent.
    ///
    /// # Errors
    /// [`NetError::Again`], [`NetError::Reset`], how making it failed.
    pub fn send<D: Driver>(
        &mut self,
        interfaces: &mut Interfaces<D>,
        now_us: u64,
        bytes: &[u8],
    ) -> Result<usize, NetError> {
        self.connected(interfaces, now_us)?;
        let socket = stream_of(interfaces, self.place).ok_or(NetError::Aborted)?;
        match socket.send_slice(bytes) {
            Ok(0) if !bytes.is_empty() => Err(NetError::Again),
            Ok(count) => Ok(count),
            Err(tcp::SendError::InvalidState) => Err(NetError::Reset),
        }
    }

    /// Gives received bytes; none at the end.
    ///
    /// # Errors
    /// As [`Stream::send`].
    pub fn receive<D: Driver>(
        &mut self,
        interfaces: &mut Interfaces<D>,
        now_us: u64,
        bytes: &mut [u8],
        peek: bool,
    ) -> Result<(usize, Endpoint), NetError> {
        self.connected(interfaces, now_us)?;
        let socket = stream_of(interfaces, self.place).ok_or(NetError::Aborted)?;
        let remote = endpoint(socket.remote_endpoint());
        let answer = match peek {
            // `peek_slice` does not tell the end.
            true => socket.peek(bytes.len()).map(|seen| {
                bytes[..seen.len()].copy_from_slice(seen);
                seen.len()
            }),
            false => socket.recv_slice(bytes),
        };
        match answer {
            Ok(0) if !bytes.is_empty() => Err(NetError::Again),
            Ok(count) => Ok((count, remote)),
            Err(tcp::RecvError::Finished) => Ok((0, remote)),
            Err(tcp::RecvError::InvalidState) => Err(NetError::Reset),
        }
    }

    fn readiness<D: Driver>(&mut self, interfaces: &mut Interfaces<D>, now_us: u64) -> Readiness {
        match self.connected(interfaces, now_us) {
            Err(NetError::Again) => return Readiness::default(),
            Err(_) => {
                return Readiness { readable: true, writable: true, hung_up: true, failed: true };
            }
            Ok(()) => {}
        }
        let Some(socket) = stream_of(interfaces, self.place) else {
            return Readiness { hung_up: true, failed: true, ..Readiness::default() };
        };
        Readiness {
            readable: socket.can_recv() || !socket.may_recv(),
            writable: socket.can_send() || !socket.may_send(),
            hung_up: !socket.is_active(),
            failed: false,
        }
    }
}

impl Listener {
    fn has_one<D: Driver>(&self, interfaces: &mut Interfaces<D>) -> bool {
        self.waiting.iter().any(|place| stream_of(interfaces, *place).is_some_and(|socket| is_made(socket)))
    }

    /// The next connection, and who made it.
    ///
    /// # Errors
    /// [`NetError::Again`].
    pub fn take<D: Driver>(
        &mut self,
        interfaces: &mut Interfaces<D>,
    ) -> Result<(Stream, Endpoint), NetError> {
        let mut at = 0;
        while let Some(&place) = self.waiting.get(at) {
            match stream_of(interfaces, place) {
                Some(socket) if is_made(socket) => {
                    let remote = endpoint(socket.remote_endpoint());
                    self.waiting.remove(at);
                    return Ok((Stream { place, begun_us: None, failure: None }, remote));
                }
                Some(socket) if socket.state() == tcp::State::Closed => {
                    self.waiting.remove(at);
                    if let Some(interface) = &mut interfaces[usize::from(place.0)] {
                        interface.remove(place.1);
                    }
                }
                _ => at += 1,
            }
        }
        Err(NetError::Again)
    }
}

fn is_made(socket: &tcp::Socket<'_>) -> bool {
    !matches!(socket.state(), tcp::State::Closed | tcp::State::Listen | tcp::State::SynReceived)
}

impl Packets {
    /// Sends a packet to `to`, or to whom the socket is connected to.
    ///
    /// # Errors
    /// [`NetError::NotConnected`], [`NetError::Unreachable`], [`NetError::Again`], [`NetError::TooLong`].
    pub fn send<D: Driver>(
        &self,
        interfaces: &mut Interfaces<D>,
        bytes: &[u8],
        to: Option<Endpoint>,
    ) -> Result<usize, NetError> {
        let remote = to.or(self.remote).ok_or(NetError::NotConnected)?;
        let index = usize::from(packet_route(interfaces, remote.address)?);
        let (Some(handle), Some(interface)) = (self.handles[index], &mut interfaces[index]) else {
            return Err(NetError::Unreachable);
        };
        if bytes.len() + 42 > interface.driver().frame_max() {
            return Err(NetError::TooLong);
        }
        let target = smoltcp::wire::IpEndpoint::new(ip(remote.address), remote.port);
        match interface.get::<udp::Socket<'_>>(handle).send_slice(bytes, target) {
            Ok(()) => Ok(bytes.len()),
            Err(udp::SendError::BufferFull) => Err(NetError::Again),
            Err(udp::SendError::Unaddressable) => Err(NetError::Unreachable),
        }
    }

    /// The next packet; what does not fit into `bytes` is lost.
    ///
    /// # Errors
    /// [`NetError::Again`].
    pub fn receive<D: Driver>(
        &self,
        interfaces: &mut Interfaces<D>,
        bytes: &mut [u8],
        peek: bool,
    ) -> Result<(usize, Endpoint), NetError> {
        for (interface, handle) in interfaces.iter_mut().zip(self.handles) {
            let (Some(interface), Some(handle)) = (interface, handle) else { continue };
            let socket = interface.get::<udp::Socket<'_>>(handle);
            while let Ok((packet, meta)) = socket.peek() {
                let from = endpoint(Some(meta.endpoint));
                let is_ours = self.remote.is_none_or(|remote| remote == from);
                let count = packet.len().min(bytes.len());
                if is_ours {
                    bytes[..count].copy_from_slice(&packet[..count]);
                }
                if !(is_ours && peek) {
                    // It was there just now.
                    let _ = socket.recv();
                }
                if is_ours {
                    return Ok((count, from));
                }
            }
        }
        Err(NetError::Again)
    }

    fn readiness<D: Driver>(&self, interfaces: &mut Interfaces<D>) -> Readiness {
        let mut readiness = Readiness::default();
        for (interface, handle) in interfaces.iter_mut().zip(self.handles) {
            let (Some(interface), Some(handle)) = (interface, handle) else { continue };
            let socket = interface.get::<udp::Socket<'_>>(handle);
            readiness.readable |= socket.can_recv();
            readiness.writable |= socket.can_send();
        }
        readiness
    }
}

/// The interface through which `address` is reached: the one that is near it, or one that leads everywhere.
///
/// # Errors
/// [`NetError::Unreachable`].
pub fn route<D: Driver>(interfaces: &Interfaces<D>, address: Ipv4) -> Result<u8, NetError> {
    let found = |near: bool| {
        interfaces.iter().position(|interface| {
            let leads = |interface: &Interface<D>| {
                interface.reaches(address) && (!near || interface.is_near(address))
            };
            interface.as_ref().is_some_and(leads)
        })
    };
    found(true).or_else(|| found(false)).map(|index| index as u8).ok_or(NetError::Unreachable)
}

/// As [`route`]; a packet to everybody or to a group goes out through the first interface there is.
fn packet_route<D: Driver>(interfaces: &Interfaces<D>, address: Ipv4) -> Result<u8, NetError> {
    if address == [255; 4] || address[0] & 0xf0 == 0xe0 {
        let first = interfaces.iter().position(Option::is_some);
        return first.map(|index| index as u8).ok_or(NetError::Unreachable);
    }
    route(interfaces, address)
}
