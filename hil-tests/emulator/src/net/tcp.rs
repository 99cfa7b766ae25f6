//! TCP connections of the stations: to services inside the emulator, and through the gateway to the host.

use super::config::NetworkConfig;
use super::digest::Digest;
use super::http::Http;
use super::on_host;
use super::stack::Stack;
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::wire::{IpAddress, IpListenEndpoint};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::time::Duration;

/// The echo service (RFC 862).
const ECHO: u16 = 7;
/// The service that says what arrived.
const DIGEST: u16 = 9;
/// The web server.
const WEB: u16 = 80;
const BUFFER: usize = 0xFFFF;
/// More connections than a board can have.
const MAX_CONNECTIONS: usize = 256;
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// How long the host is waited for at a time.
const LOOK: Duration = Duration::from_millis(1);
/// Ports of connections that come from the host.
const FIRST_PORT: u16 = 49_152;

/// What is said to a board that is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// What it says.
    Echo,
    /// These words.
    Words(Vec<u8>),
    /// These words, in TLS, to the one whose certificate is for `board.test`.
    Tls(Vec<u8>),
}

enum Peer {
    /// What comes goes back.
    Echo,
    /// Says what is left of this, and hears what comes.
    Caller(Vec<u8>),
    /// Says what arrived.
    Digest(Digest),
    /// A web server.
    Web(Http),
    /// TLS.
    #[cfg(unix)]
    Tls(Box<super::tls::Session>),
    /// A connection of the host.
    Host { stream: TcpStream, ended: bool, closed: bool },
}

struct Connection {
    handle: SocketHandle,
    board: SocketAddrV4,
    far: SocketAddrV4,
    peer: Peer,
}

/// All connections.
pub struct Connections {
    list: Vec<Connection>,
    listeners: Vec<(TcpListener, u16)>,
    port: u16,
}

fn socket() -> Socket<'static> {
    let mut socket = Socket::new(SocketBuffer::new(vec![0; BUFFER]), SocketBuffer::new(vec![0; BUFFER]));
    socket.set_nagle_enabled(false);
    socket
}

impl Connections {
    /// No connections; listens on the host's loopback for those that go to boards (host port, board port).
    #[must_use]
    pub fn new(forwards: &[(u16, u16)]) -> Self {
        let listen = |&(host, board): &(u16, u16)| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, host))
                .and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
            listener
                .inspect_err(|error| {
                    tracing::warn!("port {host} of this machine cannot be forwarded: {error}")
                })
                .ok()
                .map(|listener| (listener, board))
        };
        Self { list: Vec::new(), listeners: forwards.iter().filter_map(listen).collect(), port: FIRST_PORT }
    }

    /// Whether the host takes part in any.
    #[must_use]
    pub fn with_host(&self) -> bool {
        self.list.iter().any(|connection| matches!(connection.peer, Peer::Host { .. }))
    }

    /// A station wants to connect: prepares the far end. If there is none, the station is refused.
    pub fn open(
        &mut self,
        stack: &mut Stack,
        board: SocketAddrV4,
        far: SocketAddrV4,
        config: &NetworkConfig,
    ) {
        let known = |connection: &Connection| connection.board == board && connection.far == far;
        if let Some(old) = self.list.iter().position(known) {
            if stack.sockets.get::<Socket>(self.list[old].handle).state() != State::TimeWait {
                return;
            }
            stack.sockets.remove(self.list.remove(old).handle);
        }
        if self.list.len() >= MAX_CONNECTIONS {
            return;
        }
        let peer = match far.port() {
            ECHO if *far.ip() == config.gateway => Peer::Echo,
            DIGEST if *far.ip() == config.gateway => Peer::Digest(Digest::default()),
            WEB if *far.ip() == config.gateway => Peer::Web(Http::new(config.files.as_deref())),
            _ => match tls_service(far, config) {
                Some(peer) => peer,
                None => match connect(on_host(far, config)) {
                    Ok(stream) => Peer::Host { stream, ended: false, closed: false },
                    Err(error) => return tracing::debug!("{far} on the host: {error}"),
                },
            },
        };
        let mut socket = socket();
        let endpoint = IpListenEndpoint { addr: Some(IpAddress::Ipv4(*far.ip())), port: far.port() };
        if socket.listen(endpoint).is_ok() {
            let handle = stack.sockets.add(socket);
            self.list.push(Connection { handle, board, far, peer });
        }
    }

    /// Connections of the host to a forwarded port go on to the board.
    pub fn accept(&mut self, stack: &mut Stack, config: &NetworkConfig, board: Option<Ipv4Addr>) {
        for (listener, board_port) in &self.listeners {
            let Ok((stream, _)) = listener.accept() else { continue };
            let Some(board) = board.filter(|_| stream.set_nonblocking(true).is_ok()) else { continue };
            let peer = Peer::Host { stream, ended: false, closed: false };
            reach(&mut self.list, &mut self.port, stack, config, SocketAddrV4::new(board, *board_port), peer);
        }
    }

    /// Connects to a port of the board.
    pub fn call(
        &mut self,
        stack: &mut Stack,
        config: &NetworkConfig,
        board: Option<Ipv4Addr>,
        port: u16,
        call: &Call,
    ) {
        let Some(board) = board else { return tracing::debug!("no board has an address yet") };
        let peer = match call {
            Call::Echo => Peer::Echo,
            Call::Words(words) => Peer::Caller(words.clone()),
            Call::Tls(words) => match tls_caller(words) {
                Some(peer) => peer,
                None => return,
            },
        };
        reach(&mut self.list, &mut self.port, stack, config, SocketAddrV4::new(board, port), peer);
    }

    /// Waits a moment for the host; says whether it has something.
    #[cfg(unix)]
    #[must_use]
    pub fn wait_for_host(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let look = Timespec { tv_sec: 0, tv_nsec: LOOK.subsec_nanos().into() };
        let mut waits: Vec<PollFd<'_>> = self
            .list
            .iter()
            .filter_map(|connection| match &connection.peer {
                Peer::Host { stream, ended: false, .. } => Some(PollFd::new(stream, PollFlags::IN)),
                _ => None,
            })
            .collect();
        poll(&mut waits, Some(&look)).is_ok_and(|ready| ready > 0)
    }

    /// Waits a moment; whether the host has something is seen when its connections are looked at next.
    #[cfg(not(unix))]
    #[must_use]
    pub fn wait_for_host(&self) -> bool {
        std::thread::sleep(LOOK);
        false
    }

    /// Moves data between the two sides of every connection, and forgets those that are over.
    pub fn pump(&mut self, stack: &mut Stack) {
        self.list.retain_mut(|connection| {
            let socket = stack.sockets.get_mut::<Socket>(connection.handle);
            match &mut connection.peer {
                Peer::Echo => echo(socket),
                Peer::Caller(words) => say(socket, words),
                Peer::Digest(digest) => count(socket, digest),
                Peer::Web(http) => serve(socket, http),
                #[cfg(unix)]
                Peer::Tls(session) => encrypt(socket, session),
                Peer::Host { stream, ended, closed } => relay(socket, stream, ended, closed),
            }
            let over = socket.state() == State::Closed;
            if over {
                stack.sockets.remove(connection.handle);
            }
            !over
        });
    }
}

/// The gateway's own TLS, if it is that port.
#[cfg(unix)]
fn tls_service(far: SocketAddrV4, config: &NetworkConfig) -> Option<Peer> {
    let certificate = super::tls::service(far.port()).filter(|_| *far.ip() == config.gateway)?;
    let session = super::tls::Session::serve(certificate, Http::new(config.files.as_deref()))?;
    Some(Peer::Tls(Box::new(session)))
}

#[cfg(not(unix))]
fn tls_service(_far: SocketAddrV4, _config: &NetworkConfig) -> Option<Peer> {
    None
}

/// A caller that speaks TLS.
#[cfg(unix)]
fn tls_caller(words: &[u8]) -> Option<Peer> {
    super::tls::Session::call(words).map(|session| Peer::Tls(Box::new(session)))
}

#[cfg(not(unix))]
fn tls_caller(_words: &[u8]) -> Option<Peer> {
    None
}

#[cfg(unix)]
fn encrypt(socket: &mut Socket<'_>, session: &mut super::tls::Session) {
    while socket.can_recv() {
        let _ = socket.recv(|data| (data.len(), session.receive(data)));
    }
    while socket.can_send() {
        let sent = socket.send_slice(session.rest()).unwrap_or(0);
        session.sent(sent);
        if sent == 0 {
            break;
        }
    }
    let done = session.is_over() || socket.state() == State::CloseWait;
    if done && socket.send_queue() == 0 {
        socket.close();
    }
}

fn connect(to: SocketAddrV4) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&SocketAddr::V4(to), CONNECT_LIMIT)?;
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Connects from the gateway to a board.
fn reach(
    list: &mut Vec<Connection>,
    port: &mut u16,
    stack: &mut Stack,
    config: &NetworkConfig,
    board: SocketAddrV4,
    peer: Peer,
) {
    *port = port.checked_add(1).unwrap_or(FIRST_PORT);
    let mut socket = socket();
    let local = (IpAddress::Ipv4(config.gateway), *port);
    if socket.connect(stack.interface.context(), board, local).is_ok() {
        let (handle, far) = (stack.sockets.add(socket), SocketAddrV4::new(config.gateway, *port));
        list.push(Connection { handle, board, far, peer });
    }
}

/// Sends what is left to say, and closes when the other side does.
fn say(socket: &mut Socket<'_>, words: &mut Vec<u8>) {
    if socket.can_send()
        && let Ok(count) = socket.send_slice(words)
    {
        words.drain(..count);
    }
    while socket.can_recv() {
        // What is heard is for the other side to check.
        let _ = socket.recv(|data| (data.len(), ()));
    }
    if socket.state() == State::CloseWait && words.is_empty() {
        socket.close();
    }
}

fn count(socket: &mut Socket<'_>, digest: &mut Digest) {
    while socket.can_recv() {
        let _ = socket.recv(|data| (data.len(), digest.receive(data)));
    }
    if socket.can_send()
        && let Ok(sent) = socket.send_slice(digest.rest())
    {
        digest.rest().drain(..sent);
    }
    if digest.is_over() || socket.state() == State::CloseWait {
        socket.close();
    }
}

fn serve(socket: &mut Socket<'_>, http: &mut Http) {
    while socket.can_recv() {
        let _ = socket.recv(|data| (data.len(), http.receive(data)));
    }
    if socket.can_send()
        && let Ok(count) = socket.send_slice(http.rest())
    {
        http.sent(count);
    }
    let done = http.is_over() || socket.state() == State::CloseWait && http.rest().is_empty();
    // Only when the station has everything.
    if done && socket.send_queue() == 0 {
        socket.close();
    }
}

fn echo(socket: &mut Socket<'_>) {
    while socket.can_recv() && socket.can_send() {
        let room = socket.send_capacity() - socket.send_queue();
        let data = socket.recv(|data| (data.len().min(room), data[..data.len().min(room)].to_vec()));
        let Ok(data) = data else { break };
        if data.is_empty() {
            break;
        }
        // There is room: it was asked for.
        let _ = socket.send_slice(&data);
    }
    if !socket.may_recv() && socket.state() == State::CloseWait && socket.recv_queue() == 0 {
        socket.close();
    }
}

/// Moves what can be moved without waiting.
fn relay(socket: &mut Socket<'_>, stream: &mut TcpStream, ended: &mut bool, closed: &mut bool) {
    while !*ended && socket.can_send() {
        let read = socket.send(|room| match stream.read(room) {
            Ok(count) => (count, Ok(count)),
            Err(error) => (0, Err(error.kind())),
        });
        match read {
            Ok(Ok(0)) => {
                *ended = true;
                socket.close();
            }
            Ok(Ok(_)) => {}
            Ok(Err(ErrorKind::WouldBlock | ErrorKind::Interrupted)) | Err(_) => break,
            Ok(Err(_)) => {
                *ended = true;
                socket.abort();
            }
        }
    }
    while socket.can_recv() {
        let written = socket.recv(|data| match stream.write(data) {
            Ok(count) => (count, Ok(count)),
            Err(error) => (0, Err(error.kind())),
        });
        match written {
            Ok(Ok(1..)) => {}
            Ok(Err(ErrorKind::WouldBlock | ErrorKind::Interrupted)) => break,
            _ => {
                socket.abort();
                break;
            }
        }
    }
    let heard_all = matches!(
        socket.state(),
        State::CloseWait | State::LastAck | State::Closing | State::TimeWait | State::Closed
    );
    if heard_all && !*closed && socket.recv_queue() == 0 {
        *closed = true;
        // The host may have gone first.
        let _ = stream.shutdown(if *ended { Shutdown::Both } else { Shutdown::Write });
    }
}
