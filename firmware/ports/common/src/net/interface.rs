//! One interface: a driver, the stack's state for it, its addresses, its sockets.
//!
//! A listening socket has no buffers of its own. Who asks for a connection is seen before the stack sees the frame; a socket
//! is made for it then, or the frame is dropped, as if it had been lost, and will be repeated.

use alloc::vec::Vec;

use larch_hal::{Addresses, Ipv4, NetError};
use smoltcp::iface::{Config, Interface as Stack, SocketHandle, SocketSet, SocketStorage};
use smoltcp::socket::{AnySocket, dhcpv4, dns, tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{
    DhcpOption, EthernetAddress, HardwareAddress, IpAddress, IpCidr, IpListenEndpoint, Ipv4Address,
};

use super::driver::{Driver, Wire};
use super::frame::Request;
use super::leases::{CLIENT_PORT, Leases, SERVER_PORT};
use super::mdns;

/// Sockets of an interface, those of DHCP and DNS included.
const SOCKETS: usize = 14;
/// Buffers of a connection, to receive and to send: what is tried in turn when memory is short.
const STREAM_BUFFERS: [(usize, usize); 3] = [(4 * 1460, 4 * 1460), (2 * 1460, 2 * 1460), (1460, 1460)];
/// Packets and bytes that wait in a UDP socket, each way.
const PACKETS: usize = 6;
const PACKET_BYTES: usize = 3 * 1472;
/// Longest answer of the DHCP server.
const ANSWER_MAX: usize = 320;
/// The option of RFC 2132 that carries the host's name.
const OPTION_HOST_NAME: u8 = 12;

/// An interface.
pub struct Interface<D> {
    driver: D,
    stack: Stack,
    sockets: SocketSet<'static>,
    dhcp: SocketHandle,
    dns: SocketHandle,
    /// Its addresses, as they were leased or set.
    own: Addresses,
    /// The host's name.
    name: &'static [u8],
    /// DHCP looks for addresses; otherwise they were set by hand.
    wants_dhcp: bool,
    was_up: bool,
    /// The DHCP server of a network of one's own.
    server: Option<(SocketHandle, Leases)>,
}

/// A listening socket, as an interface asks for it.
pub trait Listeners {
    /// Whether a connection to the port is wanted: `Some(true)`, and there is room for one more: `true`.
    fn room(&self, port: u16) -> Option<bool>;
    /// A socket was made for a request.
    fn add(&mut self, port: u16, place: (u8, SocketHandle));
    /// The sockets that wait for requests to the port or are answering them.
    fn waiting(&self, port: u16) -> &[(u8, SocketHandle)];
}

impl<D: Driver> Interface<D> {
    /// An interface without addresses; DHCP looks for them.
    ///
    /// # Errors
    /// [`NetError::NoMemory`].
    pub fn new(mut driver: D, now: Instant, seed: u64) -> Result<Self, NetError> {
        let mut storage = Vec::new();
        storage.try_reserve_exact(SOCKETS).map_err(|_| NetError::NoMemory)?;
        storage.resize_with(SOCKETS, || SocketStorage::EMPTY);
        let mut sockets = SocketSet::new(storage);
        let dhcp = sockets.add(dhcpv4::Socket::new());
        let mut queries = Vec::new();
        queries.try_reserve_exact(1).map_err(|_| NetError::NoMemory)?;
        queries.push(None);
        let dns = sockets.add(dns::Socket::new(&[], queries));
        let mut config = Config::new(HardwareAddress::Ethernet(EthernetAddress(driver.mac())));
        config.random_seed = seed;
        let stack = Stack::new(config, &mut Wire { driver: &mut driver, frame: None }, now);
        Ok(Self {
            driver,
            stack,
            sockets,
            dhcp,
            dns,
            own: Addresses::default(),
            name: &[],
            wants_dhcp: true,
            was_up: false,
            server: None,
        })
    }

    /// Moves frames both ways until there are none, and notes new addresses.
    pub fn poll(&mut self, now: Instant, index: u8, listeners: &mut dyn Listeners) {
        let is_up = self.driver.is_up();
        if is_up != self.was_up {
            self.was_up = is_up;
            self.link_changed();
        }
        if !is_up {
            return;
        }
        self.stack.poll_maintenance(now);
        let Self { driver, stack, sockets, own, name, .. } = self;
        loop {
            let seen = driver.receive(&mut |driver, frame| {
                tell_name(driver, own.address, name, frame);
                if let Some(request) = Request::parse(frame)
                    && !prepare(stack, sockets, driver.memory_left(), index, listeners, request)
                {
                    return;
                }
                stack.poll_ingress_single(now, &mut Wire { driver, frame: Some(frame) }, sockets);
            });
            if !seen {
                break;
            }
        }
        self.serve();
        let Self { driver, stack, sockets, .. } = self;
        while stack.poll_egress(now, &mut Wire { driver, frame: None }, sockets)
            == smoltcp::iface::PollResult::SocketStateChanged
        {}
        self.take_lease();
    }

    /// Gives addresses to others from now on.
    ///
    /// # Errors
    /// [`NetError::NoMemory`], [`NetError::TooMany`].
    pub fn become_server(&mut self) -> Result<(), NetError> {
        let socket = self.bind_packets(([0; 4], SERVER_PORT))?;
        self.server = Some((socket, Leases::default()));
        Ok(())
    }

    /// The driver has another address.
    pub fn mac_changed(&mut self) {
        self.stack.set_hardware_addr(HardwareAddress::Ethernet(EthernetAddress(self.driver.mac())));
        self.link_changed();
    }

    /// The address that another has from here.
    pub fn lease_of(&self, mac: [u8; 6]) -> Option<Ipv4> {
        self.server.as_ref()?.1.of(&self.addresses(), mac)
    }

    fn serve(&mut self) {
        let own = self.addresses();
        let Some((socket, leases)) = &mut self.server else { return };
        let socket = self.sockets.get_mut::<udp::Socket<'_>>(*socket);
        let mut answer = [0; ANSWER_MAX];
        while let Ok((request, _)) = socket.recv() {
            let Some(len) = leases.answer(&own, request, &mut answer) else { continue };
            let to = (IpAddress::Ipv4(Ipv4Address::BROADCAST), CLIENT_PORT);
            // Who got no answer asks again.
            let _ = socket.send_slice(&answer[..len], to);
        }
    }

    fn link_changed(&mut self) {
        if self.wants_dhcp {
            self.sockets.get_mut::<dhcpv4::Socket<'_>>(self.dhcp).reset();
            self.configure(Addresses::default());
        }
    }

    fn take_lease(&mut self) {
        let Some(event) = self.sockets.get_mut::<dhcpv4::Socket<'_>>(self.dhcp).poll() else { return };
        let addresses = match event {
            dhcpv4::Event::Deconfigured => Addresses::default(),
            dhcpv4::Event::Configured(config) => Addresses {
                address: config.address.address().octets(),
                prefix: config.address.prefix_len(),
                gateway: config.router.map_or([0; 4], |router| router.octets()),
                dns: config.dns_servers.first().map_or([0; 4], Ipv4Address::octets),
            },
        };
        if self.wants_dhcp {
            self.configure(addresses);
        }
    }

    fn configure(&mut self, addresses: Addresses) {
        let Addresses { address, prefix, gateway, dns } = addresses;
        self.own = Addresses { prefix: prefix.min(32), ..addresses };
        self.stack.update_ip_addrs(|list| {
            list.clear();
            if address != [0; 4] {
                // The list has room for more than one.
                let _ = list.push(IpCidr::new(ip(address), reach(&self.own)));
            }
        });
        // Whoever asks for the host's name asks this group; the table has room for more than one.
        let _ = self.stack.join_multicast_group(ip(mdns::GROUP));
        self.stack.routes_mut().remove_default_ipv4_route();
        if gateway != [0; 4] {
            // As for the address.
            let _ = self.stack.routes_mut().add_default_ipv4_route(Ipv4Address::from_octets(gateway));
        }
        self.set_dns(dns);
    }

    /// Sets the server that is asked for names.
    pub fn set_dns(&mut self, dns: Ipv4) {
        self.own.dns = dns;
        let servers = [ip(dns)];
        let servers = if dns == [0; 4] { &servers[..0] } else { &servers };
        self.sockets.get_mut::<dns::Socket<'_>>(self.dns).update_servers(servers);
    }

    /// Its addresses.
    pub fn addresses(&self) -> Addresses {
        self.own
    }

    /// Sets its addresses; `None`: DHCP looks for them.
    pub fn set_addresses(&mut self, addresses: Option<Addresses>) {
        self.wants_dhcp = addresses.is_none();
        if let Some(addresses) = addresses {
            self.configure(addresses);
        } else {
            self.sockets.get_mut::<dhcpv4::Socket<'_>>(self.dhcp).reset();
        }
    }

    /// Whether frames go through, when it was looked at last.
    pub fn is_up(&self) -> bool {
        self.was_up
    }

    /// Whether DHCP looks for addresses.
    pub fn wants_dhcp(&self) -> bool {
        self.wants_dhcp
    }

    /// The host's name, as an option of DHCP.
    pub fn set_host_name(&mut self, option: &'static [DhcpOption<'static>]) {
        self.name = option.first().map_or(&[], |option| option.data);
        self.sockets.get_mut::<dhcpv4::Socket<'_>>(self.dhcp).set_outgoing_options(option);
    }

    /// The driver.
    pub fn driver(&mut self) -> &mut D {
        &mut self.driver
    }

    /// When it wants to be polled next.
    pub fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        // What waits for the link is not due.
        self.was_up.then(|| self.stack.poll_at(now, &self.sockets)).flatten()
    }

    /// Whether it has an address, and packets to `address` go out through it.
    pub fn reaches(&self, address: Ipv4) -> bool {
        let has_address = self.stack.ipv4_addr().is_some();
        has_address && self.was_up && (self.is_near(address) || self.leads_everywhere())
    }

    /// Whether `address` is in its network.
    pub fn is_near(&self, address: Ipv4) -> bool {
        self.stack.ip_addrs().iter().any(|cidr| cidr.contains_addr(&ip(address)))
    }

    fn leads_everywhere(&self) -> bool {
        self.stack.routes().get_default_ipv4_route().is_some()
    }

    /// Whether `address` is one of its own.
    pub fn owns(&self, address: Ipv4) -> bool {
        self.stack.has_ip_addr(ip(address))
    }

    /// A socket's state.
    pub fn get<T: AnySocket<'static>>(&mut self, socket: SocketHandle) -> &mut T {
        self.sockets.get_mut(socket)
    }

    /// Gives a socket's memory back.
    pub fn remove(&mut self, socket: SocketHandle) {
        self.sockets.remove(socket);
    }

    /// How many sockets there are.
    #[cfg(test)]
    pub fn socket_count(&self) -> usize {
        self.sockets.iter().count()
    }

    /// Begins a connection.
    ///
    /// # Errors
    /// [`NetError::NoMemory`], [`NetError::TooMany`], [`NetError::Unreachable`].
    pub fn connect(&mut self, remote: (Ipv4, u16), local_port: u16) -> Result<SocketHandle, NetError> {
        let mut socket = new_stream(&self.sockets, self.driver.memory_left())?;
        socket
            .connect(self.stack.context(), (ip(remote.0), remote.1), local_port)
            .map_err(|_| NetError::Unreachable)?;
        Ok(self.sockets.add(socket))
    }

    /// A socket for packets to a port.
    ///
    /// # Errors
    /// [`NetError::NoMemory`], [`NetError::TooMany`].
    pub fn bind_packets(&mut self, local: (Ipv4, u16)) -> Result<SocketHandle, NetError> {
        has_room(&self.sockets)?;
        if self.driver.memory_left() < 2 * PACKET_BYTES {
            return Err(NetError::NoMemory);
        }
        let buffer = || -> Result<udp::PacketBuffer<'static>, NetError> {
            Ok(udp::PacketBuffer::new(zeros(PACKETS, udp::PacketMetadata::EMPTY)?, zeros(PACKET_BYTES, 0)?))
        };
        let mut socket = udp::Socket::new(buffer()?, buffer()?);
        let addr = (local.0 != [0; 4]).then(|| ip(local.0));
        socket.bind(IpListenEndpoint { addr, port: local.1 }).map_err(|_| NetError::Invalid)?;
        Ok(self.sockets.add(socket))
    }

    /// Receives what is sent to a multicast group.
    ///
    /// # Errors
    /// [`NetError::Invalid`], [`NetError::TooMany`].
    pub fn join(&mut self, group: Ipv4) -> Result<(), NetError> {
        use smoltcp::iface::MulticastError;
        self.stack.join_multicast_group(ip(group)).map_err(|error| match error {
            MulticastError::GroupTableFull => NetError::TooMany,
            MulticastError::Unaddressable => NetError::Invalid,
        })
    }

    /// Asks for the address of a name: the name server, or, if it ends in `.local`, everybody in the network.
    ///
    /// # Errors
    /// [`NetError::NoSuchName`] if no name can be like this, [`NetError::Unreachable`] without a server.
    pub fn ask(&mut self, name: &str) -> Result<dns::QueryHandle, NetError> {
        let is_local = name.ends_with(".local") || name.ends_with(".local.");
        if !self.was_up || !is_local && self.own.dns == [0; 4] {
            return Err(NetError::Unreachable);
        }
        let socket = self.sockets.get_mut::<dns::Socket<'_>>(self.dns);
        socket
            .start_query(self.stack.context(), name, smoltcp::wire::DnsQueryType::A)
            .map_err(|_| NetError::NoSuchName)
    }

    /// The answer.
    ///
    /// # Errors
    /// [`NetError::Again`], [`NetError::NoSuchName`].
    pub fn answer(&mut self, query: dns::QueryHandle) -> Result<Ipv4, NetError> {
        match self.sockets.get_mut::<dns::Socket<'_>>(self.dns).get_query_result(query) {
            Err(dns::GetQueryResultError::Pending) => Err(NetError::Again),
            Err(dns::GetQueryResultError::Failed) => Err(NetError::NoSuchName),
            Ok(addresses) => match addresses.first() {
                Some(IpAddress::Ipv4(address)) => Ok(address.octets()),
                None => Err(NetError::NoSuchName),
            },
        }
    }

    /// Nobody waits for the answer any more.
    pub fn cancel(&mut self, query: dns::QueryHandle) {
        self.sockets.get_mut::<dns::Socket<'_>>(self.dns).cancel_query(query);
    }
}

/// Answers a frame that asks for this host's name.
fn tell_name<D: Driver>(driver: &mut D, address: Ipv4, name: &[u8], frame: &[u8]) {
    let mut answer = [0; mdns::ANSWER_MAX];
    let host = mdns::Host { name, address, mac: driver.mac() };
    // Who got no answer asks again.
    if address != [0; 4]
        && let Some(len) = mdns::answer(host, frame, &mut answer)
        && driver.can_transmit()
    {
        driver.transmit(len, &mut |frame| frame.copy_from_slice(&answer[..len]));
    }
}

/// The prefix that the stack works with. It talks to neighbours only, so a router that the leased network does not contain is made
/// one: who leases single addresses has such a router.
fn reach(own: &Addresses) -> u8 {
    let [address, gateway] = [own.address, own.gateway].map(u32::from_be_bytes);
    let common = (address ^ gateway).leading_zeros() as u8;
    if gateway == 0 { own.prefix } else { own.prefix.min(common) }
}

/// Has a socket ready for a request: `false` if the frame must be dropped.
fn prepare(
    stack: &Stack,
    sockets: &mut SocketSet<'static>,
    memory: usize,
    index: u8,
    listeners: &mut dyn Listeners,
    request: Request,
) -> bool {
    let (address, port) = request.target;
    if !stack.has_ip_addr(ip(address)) {
        return true;
    }
    let Some(has_room) = listeners.room(port) else { return true };
    let source = (ip(request.source.0), request.source.1);
    for (_, handle) in listeners.waiting(port).iter().filter(|(interface, _)| *interface == index) {
        let socket = sockets.get::<tcp::Socket<'_>>(*handle);
        // A repeated request, or one that finds an unused socket.
        if socket.is_listening() || socket.remote_endpoint().is_some_and(|end| (end.addr, end.port) == source)
        {
            return true;
        }
    }
    let Some(mut socket) = has_room.then(|| new_stream(sockets, memory).ok()).flatten() else { return false };
    if socket.listen(port).is_err() {
        return false;
    }
    listeners.add(port, (index, sockets.add(socket)));
    true
}

fn has_room(sockets: &SocketSet<'_>) -> Result<(), NetError> {
    if sockets.iter().count() < SOCKETS { Ok(()) } else { Err(NetError::TooMany) }
}

/// A stream whose buffers fit into `memory` bytes.
fn new_stream(sockets: &SocketSet<'_>, memory: usize) -> Result<tcp::Socket<'static>, NetError> {
    has_room(sockets)?;
    for (receive, send) in STREAM_BUFFERS {
        if receive + send > memory {
            continue;
        }
        if let (Ok(receive), Ok(send)) = (zeros(receive, 0), zeros(send, 0)) {
            let mut socket = tcp::Socket::new(tcp::SocketBuffer::new(receive), tcp::SocketBuffer::new(send));
            socket.set_nagle_enabled(false);
            return Ok(socket);
        }
    }
    Err(NetError::NoMemory)
}

fn zeros<T: Clone>(len: usize, zero: T) -> Result<Vec<T>, NetError> {
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(len).map_err(|_| NetError::NoMemory)?;
    buffer.resize(len, zero);
    Ok(buffer)
}

/// The option of DHCP for a host's name.
pub fn host_name_option(name: &'static [u8]) -> DhcpOption<'static> {
    DhcpOption { kind: OPTION_HOST_NAME, data: name }
}

/// As the stack writes addresses.
pub fn ip(address: Ipv4) -> IpAddress {
    IpAddress::Ipv4(Ipv4Address::from_octets(address))
}
