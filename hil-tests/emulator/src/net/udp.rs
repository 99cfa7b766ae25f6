//! Datagrams of the stations: DHCP, DNS, NTP and echo inside the emulator, everything else through the gateway to the host.

use super::config::NetworkConfig;
use super::dhcp::Leases;
use super::stack::Stack;
use super::{NetworkFaults, dns, on_host};
use crate::time::{TICKS_PER_SECOND, Ticks};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::udp::{PacketBuffer, PacketMetadata, Socket, UdpMetadata};
use smoltcp::wire::{IpAddress, IpEndpoint, IpListenEndpoint};
use std::net::{Ipv4Addr, SocketAddrV4, ToSocketAddrs, UdpSocket};

const ECHO: u16 = 7;
const DNS: u16 = 53;
const DHCP: u16 = 67;
const DHCP_CLIENT: u16 = 68;
const NTP: u16 = 123;
/// Seconds from 1900, where NTP counts from, to 1970.
const NTP_EPOCH: u64 = 2_208_988_800;
/// The host is waited for that long after the last datagram to it.
const HOST_WAIT: Ticks = 2 * TICKS_PER_SECOND;
/// After that long without a datagram a way to the host is forgotten.
const FLOW_LIMIT: Ticks = 120 * TICKS_PER_SECOND;
const MAX_FLOWS: usize = 64;

/// A way from a board's port to a port of the host.
struct Flow {
    board: IpEndpoint,
    far: SocketAddrV4,
    socket: UdpSocket,
    used: Ticks,
}

/// Services and ways to the host.
pub struct Datagrams {
    services: [(u16, SocketHandle); 4],
    ports: Vec<(SocketAddrV4, SocketHandle)>,
    flows: Vec<Flow>,
}

fn socket(endpoint: impl Into<IpListenEndpoint>) -> Socket<'static> {
    let buffer = || PacketBuffer::new(vec![PacketMetadata::EMPTY; 32], vec![0; 0x1_0000]);
    let mut socket = Socket::new(buffer(), buffer());
    socket.bind(endpoint).expect("a new socket can be bound to a port other than 0");
    socket
}

impl Datagrams {
    /// The services.
    #[must_use]
    pub fn new(stack: &mut Stack) -> Self {
        let services = [ECHO, DNS, DHCP, NTP].map(|port| (port, stack.sockets.add(socket(port))));
        Self { services, ports: Vec::new(), flows: Vec::new() }
    }

    /// Whether the host may have something to say.
    #[must_use]
    pub fn with_host(&self, now: Ticks) -> bool {
        self.flows.iter().any(|flow| flow.used + HOST_WAIT > now)
    }

    /// A station sends to `to`: prepares the far end; false if there is none.
    pub fn open(&mut self, stack: &mut Stack, to: SocketAddrV4, config: &NetworkConfig, now: Ticks) -> bool {
        let is_service = self.services.iter().any(|(port, _)| *port == to.port());
        if is_service && (*to.ip() == config.gateway || *to.ip() == config.dns) {
            return true;
        }
        if to.port() == 0 || *to.ip() != config.gateway && !config.outside {
            return false;
        }
        if !self.ports.iter().any(|(known, _)| *known == to) {
            self.flows.retain(|flow| flow.used + FLOW_LIMIT > now);
            let flows = &self.flows;
            self.ports.retain(|(far, handle)| {
                let used = flows.iter().any(|flow| flow.far == *far);
                if !used {
                    stack.sockets.remove(*handle);
                }
                used
            });
            let endpoint = IpListenEndpoint { addr: Some(IpAddress::Ipv4(*to.ip())), port: to.port() };
            self.ports.push((to, stack.sockets.add(socket(endpoint))));
        }
        true
    }

    /// Answers what arrived, and moves datagrams to the host and back.
    pub fn pump(
        &mut self,
        stack: &mut Stack,
        config: &NetworkConfig,
        leases: &mut Leases,
        faults: &NetworkFaults,
        now: Ticks,
    ) {
        for (port, handle) in self.services {
            let socket = stack.sockets.get_mut::<Socket>(handle);
            while let Ok((data, from)) = socket.recv().map(|(data, from)| (data.to_vec(), from)) {
                let reply = match port {
                    ECHO => Some(data),
                    DNS if !faults.dns_silent => dns::answer(&data, |name| look_up(name, config)),
                    NTP => tell_time(&data, config, now),
                    DHCP if !faults.dhcp_silent => leases.answer(&data, config),
                    _ => None,
                };
                let Some(reply) = reply else { continue };
                let to = if port == DHCP {
                    let mut to = UdpMetadata::from(IpEndpoint::new(Ipv4Addr::BROADCAST.into(), DHCP_CLIENT));
                    to.local_address = Some(config.gateway.into());
                    to
                } else {
                    from
                };
                if let Err(error) = socket.send_slice(&reply, to) {
                    tracing::debug!("port {port}: {error:?}");
                }
            }
        }
        for (far, handle) in &self.ports {
            let socket = stack.sockets.get_mut::<Socket>(*handle);
            while let Ok((data, from)) = socket.recv() {
                send_to_host(&mut self.flows, data, from.endpoint, *far, config, now);
            }
            receive_from_host(&mut self.flows, socket, *far, now);
        }
    }
}

fn send_to_host(
    flows: &mut Vec<Flow>,
    data: &[u8],
    board: IpEndpoint,
    far: SocketAddrV4,
    config: &NetworkConfig,
    now: Ticks,
) {
    let known = flows.iter().position(|flow| flow.board == board && flow.far == far);
    let index = known.or_else(|| {
        if flows.len() >= MAX_FLOWS {
            let oldest = (0..flows.len()).min_by_key(|&i| flows[i].used)?;
            flows.remove(oldest);
        }
        let to = on_host(far, config);
        let local = if to.ip().is_loopback() { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
        let socket = UdpSocket::bind((local, 0)).and_then(|socket| {
            socket.connect(to)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        let socket = socket.inspect_err(|error| tracing::debug!("{far} on the host: {error}")).ok()?;
        flows.push(Flow { board, far, socket, used: now });
        Some(flows.len() - 1)
    });
    if let Some(index) = index {
        flows[index].used = now;
        // Datagrams may be lost.
        let _ = flows[index].socket.send(data);
    }
}

fn receive_from_host(flows: &mut [Flow], socket: &mut Socket<'_>, far: SocketAddrV4, now: Ticks) {
    let mut buffer = [0; 2048];
    for flow in flows.iter_mut().filter(|flow| flow.far == far) {
        while let Ok(count) = flow.socket.recv(&mut buffer) {
            flow.used = now;
            let mut to = UdpMetadata::from(flow.board);
            to.local_address = Some(IpAddress::Ipv4(*far.ip()));
            // Datagrams may be lost.
            let _ = socket.send_slice(&buffer[..count], to);
        }
    }
}

fn look_up(name: &str, config: &NetworkConfig) -> Option<Ipv4Addr> {
    let listed = config.names.iter().find(|(listed, _)| listed.eq_ignore_ascii_case(name));
    if let Some((_, address)) = listed {
        return Some(*address);
    }
    let found = config.outside.then(|| (name, 0).to_socket_addrs().ok())??;
    found.into_iter().find_map(|address| match address.ip() {
        std::net::IpAddr::V4(address) => Some(address),
        std::net::IpAddr::V6(_) => None,
    })
}

/// An NTP server's answer. Source: RFC 5905, section 7.3.
fn tell_time(request: &[u8], config: &NetworkConfig, now: Ticks) -> Option<Vec<u8>> {
    let request = request.get(..48).filter(|request| request[0] & 7 == 3)?;
    let seconds = config.epoch_s + NTP_EPOCH + now / TICKS_PER_SECOND;
    let fraction = (u128::from(now % TICKS_PER_SECOND) << 32) / u128::from(TICKS_PER_SECOND);
    let stamp = seconds << 32 | fraction as u64;
    let mut reply = vec![0; 48];
    // Version as asked, mode server; stratum 1, precision 2^-20 s.
    reply[..4].copy_from_slice(&[request[0] & 0x38 | 4, 1, 6, 0xEC]);
    reply[12..16].copy_from_slice(b"LOCL");
    reply[24..32].copy_from_slice(&request[40..]);
    for at in [16, 32, 40] {
        reply[at..at + 8].copy_from_slice(&stamp.to_be_bytes());
    }
    Some(reply)
}
