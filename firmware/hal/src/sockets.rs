//! TCP, UDP and names: what `socket` works on.
//!
//! No method waits. What cannot be done yet is [`NetError::Again`]: the caller lets time pass ([`crate::Clock::idle`], which moves
//! frames) and calls again, so that time limits and Ctrl-C are in one place.

/// An IPv4 address, first byte first.
pub type Ipv4 = [u8; 4];

/// An address and a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// All zeros: any.
    pub address: Ipv4,
    /// Zero: any.
    pub port: u16,
}

/// The number of an open socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketId(pub u8);

/// What a socket speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A stream of bytes.
    Tcp,
    /// Packets.
    Udp,
}

/// Why the network could not do as asked. The numbers of POSIX are the caller's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// Not yet.
    #[error("not yet; try again later")]
    Again,
    /// No memory for a socket's buffers.
    #[error("no memory for the socket's buffers; close another socket")]
    NoMemory,
    /// All sockets are in use.
    #[error("too many open sockets; close one")]
    TooMany,
    /// The socket is closed.
    #[error("the socket is closed")]
    Closed,
    /// The port is taken.
    #[error("another socket uses this port")]
    AddressInUse,
    /// Neither connected nor connecting.
    #[error("the socket is not connected")]
    NotConnected,
    /// A connection is being made.
    #[error("the socket is being connected")]
    Connecting,
    /// A connection exists.
    #[error("the socket is connected already")]
    Connected,
    /// The other side has no such port.
    #[error("the other side refused the connection")]
    Refused,
    /// The other side ended the connection without a word.
    #[error("the other side reset the connection")]
    Reset,
    /// This side ended it.
    #[error("the connection was aborted")]
    Aborted,
    /// There is no way to this address.
    #[error("no interface leads to this address; connect to a network first")]
    Unreachable,
    /// Nobody answered.
    #[error("nobody answered in time")]
    TimedOut,
    /// The socket cannot do this.
    #[error("this kind of socket cannot do that")]
    NotSupported,
    /// An argument has no meaning here.
    #[error("the address or length is not possible here")]
    Invalid,
    /// The packet is longer than the network takes.
    #[error("the packet is longer than the network takes")]
    TooLong,
    /// The name has no address.
    #[error("the name is unknown")]
    NoSuchName,
}

/// What a socket can do without waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Bytes, a packet, a new connection, or the end of the stream.
    pub readable: bool,
    /// Room for bytes.
    pub writable: bool,
    /// The connection is over, or there never was one.
    pub hung_up: bool,
    /// It ended with an error.
    pub failed: bool,
}

/// Sockets.
pub trait Sockets {
    /// Moves frames between driver and sockets. [`crate::Clock::idle`] does so, too.
    fn poll(&mut self);

    /// A new socket.
    ///
    /// # Errors
    /// [`NetError::TooMany`], [`NetError::NoMemory`].
    fn open(&mut self, transport: Transport) -> Result<SocketId, NetError>;

    /// Closes a socket; what was written to it is still sent.
    fn close(&mut self, socket: SocketId);

    /// Closes every socket that is not in `held`: nobody can close it any more.
    fn close_unheld(&mut self, held: &[SocketId]);

    /// Gives a socket its own address and port.
    ///
    /// # Errors
    /// [`NetError::AddressInUse`], [`NetError::Invalid`].
    fn bind(&mut self, socket: SocketId, local: Endpoint) -> Result<(), NetError>;

    /// Waits for connections from now on, `backlog` of them at a time.
    ///
    /// # Errors
    /// [`NetError::NotSupported`] for UDP, [`NetError::Invalid`] without a port, [`NetError::NoMemory`].
    fn listen(&mut self, socket: SocketId, backlog: usize) -> Result<(), NetError>;

    /// The next connection, and who made it.
    ///
    /// # Errors
    /// [`NetError::Again`], [`NetError::TooMany`], [`NetError::Invalid`] if the socket does not listen.
    fn accept(&mut self, socket: SocketId) -> Result<(SocketId, Endpoint), NetError>;

    /// Begins a connection; a UDP socket remembers whom it talks to.
    ///
    /// # Errors
    /// [`NetError::Unreachable`], [`NetError::Connecting`], [`NetError::Connected`].
    fn connect(&mut self, socket: SocketId, remote: Endpoint) -> Result<(), NetError>;

    /// Whether the connection is made.
    ///
    /// # Errors
    /// [`NetError::Again`] while it is being made, [`NetError::Refused`], [`NetError::TimedOut`].
    fn connected(&mut self, socket: SocketId) -> Result<(), NetError>;

    /// Sends to whom the socket is connected to, or in one packet to `to`: how many bytes were taken.
    ///
    /// # Errors
    /// [`NetError::Again`], [`NetError::NotConnected`], [`NetError::Reset`], [`NetError::TooLong`].
    fn send(&mut self, socket: SocketId, bytes: &[u8], to: Option<Endpoint>) -> Result<usize, NetError>;

    /// Receives bytes or a packet: how many, and from whom. Zero bytes of a stream are its end. With `peek` they stay.
    ///
    /// # Errors
    /// [`NetError::Again`], [`NetError::NotConnected`], [`NetError::Reset`].
    fn receive(
        &mut self,
        socket: SocketId,
        bytes: &mut [u8],
        peek: bool,
    ) -> Result<(usize, Endpoint), NetError>;

    /// What can be done without waiting.
    fn readiness(&mut self, socket: SocketId) -> Readiness;

    /// Receives what is sent to a multicast group.
    ///
    /// # Errors
    /// [`NetError::Invalid`] if the address is no group's, [`NetError::TooMany`].
    fn join(&mut self, group: Ipv4) -> Result<(), NetError>;

    /// The address of a name; to be called again with the same name while it is [`NetError::Again`].
    ///
    /// # Errors
    /// [`NetError::Again`], [`NetError::NoSuchName`], [`NetError::TimedOut`], [`NetError::Unreachable`].
    fn resolve(&mut self, name: &str) -> Result<Ipv4, NetError>;

    /// Nobody waits for [`Sockets::resolve`] any more.
    fn forget_name(&mut self);
}
