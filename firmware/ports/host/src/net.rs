//! The desktop's sockets: those of its operating system, asked without waiting.
//!
//! Invariant: every socket is in non-blocking mode from its first moment; who waits is `larch_stdlib::net::wait`.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::fd::OwnedFd;

use larch_hal::{Endpoint, Ipv4, NetError, Readiness, SocketId, Sockets, Transport};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net as system;

/// Open sockets, at most.
const OPEN: usize = 32;

/// An open socket.
enum Entry {
    /// Neither connected nor listening; perhaps it has an address of its own.
    New(OwnedFd),
    /// Being connected.
    Connecting(TcpStream),
    Stream(TcpStream),
    Listener(TcpListener),
    Packets(UdpSocket),
}

/// The open sockets by number.
pub struct HostSockets([Option<Entry>; OPEN]);

impl Default for HostSockets {
    fn default() -> Self {
        Self([const { None }; OPEN])
    }
}

impl HostSockets {
    /// Whether frames may arrive that nobody tells about.
    pub fn any_open(&self) -> bool {
        self.0.iter().any(Option::is_some)
    }

    fn get(&mut self, socket: SocketId) -> Result<&mut Entry, NetError> {
        self.0.get_mut(usize::from(socket.0)).and_then(Option::as_mut).ok_or(NetError::Closed)
    }

    fn add(&mut self, entry: Entry) -> Result<SocketId, NetError> {
        let index = self.0.iter().position(Option::is_none).ok_or(NetError::TooMany)?;
        self.0[index] = Some(entry);
        Ok(SocketId(index as u8))
    }

    /// Takes a socket out of the table to make another kind of it; it goes back with [`HostSockets::put`].
    fn take_new(&mut self, socket: SocketId, otherwise: NetError) -> Result<OwnedFd, NetError> {
        let place = self.0.get_mut(usize::from(socket.0)).ok_or(NetError::Closed)?;
        match place.take() {
            Some(Entry::New(fd)) => Ok(fd),
            None => Err(NetError::Closed),
            other => {
                *place = other;
                Err(otherwise)
            }
        }
    }

    fn put(&mut self, socket: SocketId, entry: Entry) {
        self.0[usize::from(socket.0)] = Some(entry);
    }
}

fn address(end: Endpoint) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::from(end.address), end.port)
}

fn endpoint(address: SocketAddr) -> Endpoint {
    match address {
        SocketAddr::V4(address) => Endpoint { address: address.ip().octets(), port: address.port() },
        // Sockets are IPv4's.
        SocketAddr::V6(_) => Endpoint::default(),
    }
}

fn failure(error: &std::io::Error) -> NetError {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::Interrupted => NetError::Again,
        ErrorKind::AddrInUse => NetError::AddressInUse,
        ErrorKind::ConnectionRefused => NetError::Refused,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => NetError::Reset,
        ErrorKind::ConnectionAborted => NetError::Aborted,
        ErrorKind::NotConnected => NetError::NotConnected,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable => {
            NetError::Unreachable
        }
        ErrorKind::TimedOut => NetError::TimedOut,
        ErrorKind::OutOfMemory => NetError::NoMemory,
        _ => NetError::Invalid,
    }
}

fn answer<T>(result: std::io::Result<T>) -> Result<T, NetError> {
    result.map_err(|error| failure(&error))
}

fn state(entry: &Entry) -> PollFlags {
    let asked = PollFlags::IN | PollFlags::OUT;
    let mut wait = [match entry {
        Entry::New(fd) => PollFd::new(fd, asked),
        Entry::Connecting(stream) | Entry::Stream(stream) => PollFd::new(stream, asked),
        Entry::Listener(listener) => PollFd::new(listener, asked),
        Entry::Packets(packets) => PollFd::new(packets, asked),
    }];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    match rustix::event::poll(&mut wait, Some(&at_once)) {
        Ok(_) => wait[0].revents(),
        Err(_) => PollFlags::ERR,
    }
}

impl Sockets for HostSockets {
    fn poll(&mut self) {}

    fn open(&mut self, transport: Transport) -> Result<SocketId, NetError> {
        let kind = match transport {
            Transport::Tcp => system::SocketType::STREAM,
            Transport::Udp => system::SocketType::DGRAM,
        };
        let fd = system::socket(system::AddressFamily::INET, kind, None);
        let fd = answer(fd.map_err(Into::into))?;
        // A server that is started again takes its port at once, as on boards.
        answer(system::sockopt::set_socket_reuseaddr(&fd, true).map_err(Into::into))?;
        match transport {
            Transport::Tcp => {
                answer(rustix::io::ioctl_fionbio(&fd, true).map_err(Into::into))?;
                self.add(Entry::New(fd))
            }
            Transport::Udp => {
                let packets = UdpSocket::from(fd);
                answer(packets.set_nonblocking(true))?;
                self.add(Entry::Packets(packets))
            }
        }
    }

    fn close(&mut self, socket: SocketId) {
        if let Some(place) = self.0.get_mut(usize::from(socket.0)) {
            *place = None;
        }
    }

    fn close_unheld(&mut self, held: &[SocketId]) {
        for (index, place) in self.0.iter_mut().enumerate() {
            if !held.contains(&SocketId(index as u8)) {
                *place = None;
            }
        }
    }

    fn bind(&mut self, socket: SocketId, local: Endpoint) -> Result<(), NetError> {
        let bound = match self.get(socket)? {
            Entry::New(fd) => system::bind(&*fd, &address(local)),
            Entry::Packets(packets) => system::bind(&*packets, &address(local)),
            _ => return Err(NetError::Invalid),
        };
        answer(bound.map_err(Into::into))
    }

    fn listen(&mut self, socket: SocketId, backlog: usize) -> Result<(), NetError> {
        if matches!(self.get(socket)?, Entry::Packets(_)) {
            return Err(NetError::NotSupported);
        }
        let fd = self.take_new(socket, NetError::Invalid)?;
        let begun = system::listen(&fd, i32::try_from(backlog.max(1)).unwrap_or(i32::MAX));
        self.put(socket, Entry::Listener(TcpListener::from(fd)));
        answer(begun.map_err(Into::into))
    }

    fn accept(&mut self, socket: SocketId) -> Result<(SocketId, Endpoint), NetError> {
        let Entry::Listener(listener) = self.get(socket)? else { return Err(NetError::Invalid) };
        let (stream, remote) = answer(listener.accept())?;
        answer(stream.set_nonblocking(true))?;
        Ok((self.add(Entry::Stream(stream))?, endpoint(remote)))
    }

    fn connect(&mut self, socket: SocketId, remote: Endpoint) -> Result<(), NetError> {
        if let Entry::Packets(packets) = self.get(socket)? {
            return answer(packets.connect(address(remote)));
        }
        let fd = self.take_new(socket, NetError::Connected)?;
        match system::connect(&fd, &address(remote)) {
            Ok(()) => {
                self.put(socket, Entry::Stream(TcpStream::from(fd)));
                Ok(())
            }
            Err(rustix::io::Errno::INPROGRESS) => {
                self.put(socket, Entry::Connecting(TcpStream::from(fd)));
                Ok(())
            }
            Err(error) => {
                self.put(socket, Entry::New(fd));
                Err(failure(&error.into()))
            }
        }
    }

    fn connected(&mut self, socket: SocketId) -> Result<(), NetError> {
        let entry = self.get(socket)?;
        let stream = match entry {
            Entry::Stream(_) | Entry::Packets(_) => return Ok(()),
            Entry::Connecting(stream) => stream,
            _ => return Err(NetError::NotConnected),
        };
        if let Some(error) = answer(stream.take_error())? {
            return Err(failure(&error));
        }
        if stream.peer_addr().is_err() {
            return Err(NetError::Again);
        }
        let Some(Entry::Connecting(stream)) = self.0[usize::from(socket.0)].take() else {
            return Err(NetError::Closed);
        };
        self.put(socket, Entry::Stream(stream));
        Ok(())
    }

    fn send(&mut self, socket: SocketId, bytes: &[u8], to: Option<Endpoint>) -> Result<usize, NetError> {
        use std::io::Write;
        if let Entry::Connecting(_) = self.get(socket)? {
            self.connected(socket)?;
        }
        match self.get(socket)? {
            Entry::Stream(stream) => answer(stream.write(bytes)),
            Entry::Packets(packets) => match to {
                Some(to) => answer(packets.send_to(bytes, address(to))),
                None => answer(packets.send(bytes)),
            },
            _ => Err(NetError::NotConnected),
        }
    }

    fn receive(
        &mut self,
        socket: SocketId,
        bytes: &mut [u8],
        peek: bool,
    ) -> Result<(usize, Endpoint), NetError> {
        use std::io::Read;
        if let Entry::Connecting(_) = self.get(socket)? {
            self.connected(socket)?;
        }
        match self.get(socket)? {
            Entry::Stream(stream) => {
                let remote = stream.peer_addr().map_or(Endpoint::default(), endpoint);
                let count = if peek { stream.peek(bytes) } else { stream.read(bytes) };
                Ok((answer(count)?, remote))
            }
            Entry::Packets(packets) => {
                let received = if peek { packets.peek_from(bytes) } else { packets.recv_from(bytes) };
                answer(received).map(|(count, from)| (count, endpoint(from)))
            }
            _ => Err(NetError::NotConnected),
        }
    }

    fn readiness(&mut self, socket: SocketId) -> Readiness {
        let Ok(entry) = self.get(socket) else {
            return Readiness { hung_up: true, failed: true, ..Readiness::default() };
        };
        let state = state(entry);
        Readiness {
            readable: state.contains(PollFlags::IN),
            writable: state.contains(PollFlags::OUT),
            hung_up: state.contains(PollFlags::HUP),
            failed: state.contains(PollFlags::ERR),
        }
    }

    fn join(&mut self, group: Ipv4) -> Result<(), NetError> {
        let packets = self.0.iter().flatten().filter_map(|entry| match entry {
            Entry::Packets(packets) => Some(packets),
            _ => None,
        });
        // The caller does not say which; a socket that was told already says so.
        for packets in packets {
            match packets.join_multicast_v4(&Ipv4Addr::from(group), &Ipv4Addr::UNSPECIFIED) {
                Err(error) if error.kind() != ErrorKind::AddrInUse => return Err(failure(&error)),
                _ => {}
            }
        }
        Ok(())
    }

    fn resolve(&mut self, name: &str) -> Result<Ipv4, NetError> {
        let found = (name, 0).to_socket_addrs().map_err(|_| NetError::NoSuchName)?;
        let first = found.into_iter().find_map(|address| match address {
            SocketAddr::V4(address) => Some(address.ip().octets()),
            SocketAddr::V6(_) => None,
        });
        first.ok_or(NetError::NoSuchName)
    }

    fn forget_name(&mut self) {}
}
