//! The network behind an access point: a gateway with DHCP, ARP, ICMP echo, DNS, NTP and echo services inside the emulator, and
//! address translation to the host.
//!
//! Frames go in and out as Ethernet. The gateway's own address leads to the host's loopback, port by port; other hosts are
//! unreachable unless the network was made with `outside`. What is inside the emulator happens in simulated time and is equal in
//! equal runs; while a connection to the host is open, simulated time does not run ahead of the host's ([`pace`]).
//! TCP and IP are smoltcp's.

mod config;
mod dhcp;
mod digest;
mod dns;
mod http;
mod index;
mod pace;
mod stack;
mod tcp;
#[cfg(unix)]
mod tls;
mod udp;

pub use config::NetworkConfig;
pub use tcp::Call;

use crate::air::{Capture, Mac};
use crate::time::{NEVER, TICKS_PER_US, Ticks};
use dhcp::Leases;
use pace::Pace;
use smoltcp::wire::{
    ArpPacket, EthernetFrame, EthernetProtocol, Icmpv4DstUnreachable, IpProtocol, Ipv4Packet, TcpPacket,
    UdpPacket,
};
use stack::Stack;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};

/// How much longer a frame takes that is overtaken: as long as several full frames are on the air.
const DETOUR: Ticks = 5000 * TICKS_PER_US;

/// While host sockets are open they are looked at this often.
const HOST_INTERVAL: Ticks = 1000 * TICKS_PER_US;

/// Faults that a test switches on and off.
#[derive(Clone, Debug, Default)]
pub struct NetworkFaults {
    /// The DHCP server says nothing.
    pub dhcp_silent: bool,
    /// The DNS server says nothing.
    pub dns_silent: bool,
    /// Every frame takes so much longer between access point and gateway, each way.
    pub latency: Ticks,
    /// That many percent of the frames, each way, take so long that later ones overtake them.
    pub reorder_percent: u8,
}

/// Frames on their way, in the order in which they arrive.
#[derive(Default)]
struct Way(VecDeque<(Ticks, Vec<u8>)>);

impl Way {
    fn put(&mut self, at: Ticks, frame: Vec<u8>) {
        let behind = self.0.iter().rposition(|(other, _)| *other <= at).map_or(0, |index| index + 1);
        self.0.insert(behind, (at, frame));
    }

    fn take(&mut self, now: Ticks) -> Option<Vec<u8>> {
        self.0.pop_front_if(|(at, _)| *at <= now).map(|(_, frame)| frame)
    }

    fn next(&self) -> Ticks {
        self.0.front().map_or(NEVER, |(at, _)| *at)
    }
}

/// The network. A copy begins anew: it has the same configuration and leases, but no connections.
pub struct Network {
    config: NetworkConfig,
    mac: Mac,
    leases: Leases,
    stack: Stack,
    connections: tcp::Connections,
    datagrams: udp::Datagrams,
    pace: Pace,
    inbox: Way,
    outbox: Way,
    noise: u64,
    capture: Option<Capture>,
    host_at: Ticks,
    /// What goes wrong.
    pub faults: NetworkFaults,
}

impl Clone for Network {
    fn clone(&self) -> Self {
        let mut copy = Self::new(self.config.clone(), self.mac);
        copy.leases = self.leases.clone();
        copy.faults = self.faults.clone();
        copy
    }
}

impl Network {
    /// A network whose gateway has the MAC address `mac`.
    #[must_use]
    pub fn new(config: NetworkConfig, mac: Mac) -> Self {
        let mut stack = Stack::new(&config, mac);
        let datagrams = udp::Datagrams::new(&mut stack);
        Self {
            connections: tcp::Connections::new(&config.forwards),
            config,
            mac,
            leases: Leases::default(),
            stack,
            datagrams,
            pace: Pace::default(),
            inbox: Way::default(),
            outbox: Way::default(),
            noise: 0,
            capture: None,
            host_at: NEVER,
            faults: NetworkFaults::default(),
        }
    }

    /// Records what passes the access point from now on.
    pub fn record(&mut self) {
        self.capture.get_or_insert_with(Capture::of_ethernet);
    }

    /// What was recorded since [`Network::record`].
    #[must_use]
    pub fn capture(&self) -> Option<&Capture> {
        self.capture.as_ref()
    }

    /// Connects to a port of the first board, and says something.
    pub fn call(&mut self, port: u16, call: &Call, now: Ticks) {
        self.connections.call(&mut self.stack, &self.config, self.leases.first(), port, call);
        self.stack.poll(now);
        self.host_at = self.host_at.min(now);
    }

    /// A frame from a station arrives at the gateway.
    pub fn receive(&mut self, ethernet: Vec<u8>, now: Ticks) {
        if let Some(capture) = &mut self.capture {
            capture.add_ethernet(now, &ethernet);
        }
        let at = now + self.delay();
        self.inbox.put(at, ethernet);
    }

    /// How long a frame takes between access point and gateway.
    fn delay(&mut self) -> Ticks {
        let mut delay = self.faults.latency;
        if self.faults.reorder_percent > 0 {
            self.noise =
                self.noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if (self.noise >> 33) % 100 < u64::from(self.faults.reorder_percent) {
                delay += DETOUR;
            }
        }
        delay
    }

    /// Lets the gateway work on what is due; gives the frames it sends.
    pub fn advance(&mut self, now: Ticks) -> Vec<Vec<u8>> {
        if self.next_event() > now {
            return Vec::new();
        }
        while let Some(ethernet) = self.inbox.take(now) {
            if self.admit(&ethernet, now) {
                self.stack.device.received.push_back(ethernet);
                // One at a time: what it opens must be there for the next.
                self.stack.poll(now);
            }
        }
        self.pace.wait(now, || self.connections.wait_for_host());
        self.connections.accept(&mut self.stack, &self.config, self.leases.first());
        self.connections.pump(&mut self.stack);
        self.datagrams.pump(&mut self.stack, &self.config, &mut self.leases, &self.faults, now);
        self.stack.poll(now);
        let with_host = self.connections.with_host() || self.datagrams.with_host(now);
        self.pace.set(with_host, now);
        let looks = with_host || !self.config.forwards.is_empty();
        self.host_at = if looks { now + HOST_INTERVAL } else { NEVER };
        for ethernet in std::mem::take(&mut self.stack.device.sent) {
            let at = now + self.delay();
            self.outbox.put(at, ethernet);
        }
        let out: Vec<Vec<u8>> = std::iter::from_fn(|| self.outbox.take(now)).collect();
        if let Some(capture) = &mut self.capture {
            out.iter().for_each(|ethernet| capture.add_ethernet(now, ethernet));
        }
        out
    }

    /// When the gateway has something to do.
    #[must_use]
    pub fn next_event(&self) -> Ticks {
        let arrival = self.inbox.next().min(self.outbox.next());
        arrival.min(self.host_at).min(self.stack.next_event())
    }

    /// Whether the gateway takes care of a frame; opens what the frame asks for.
    fn admit(&mut self, bytes: &[u8], now: Ticks) -> bool {
        let Ok(frame) = EthernetFrame::new_checked(bytes) else { return false };
        match frame.ethertype() {
            EthernetProtocol::Arp => ArpPacket::new_checked(frame.payload())
                .is_ok_and(|arp| arp.target_protocol_addr() == self.config.gateway.octets()),
            EthernetProtocol::Ipv4 => {
                Ipv4Packet::new_checked(frame.payload()).is_ok_and(|packet| self.route(&frame, &packet, now))
            }
            _ => false,
        }
    }

    fn route(&mut self, frame: &EthernetFrame<&[u8]>, packet: &Ipv4Packet<&[u8]>, now: Ticks) -> bool {
        let target = packet.dst_addr();
        if target.is_broadcast() || target.is_multicast() {
            return target.is_broadcast() && packet.next_header() == IpProtocol::Udp;
        }
        if target != self.config.gateway && target != self.config.dns {
            if self.config.contains(target) {
                return false;
            }
            if !self.config.outside {
                self.stack.refuse(frame, packet, Icmpv4DstUnreachable::NetUnreachable);
                return false;
            }
        }
        match packet.next_header() {
            IpProtocol::Tcp => {
                if let Ok(tcp) = TcpPacket::new_checked(packet.payload())
                    && tcp.syn()
                    && !tcp.ack()
                {
                    let from = SocketAddrV4::new(packet.src_addr(), tcp.src_port());
                    let to = SocketAddrV4::new(target, tcp.dst_port());
                    self.connections.open(&mut self.stack, from, to, &self.config);
                }
                true
            }
            IpProtocol::Udp => {
                let Ok(udp) = UdpPacket::new_checked(packet.payload()) else { return false };
                let to = SocketAddrV4::new(target, udp.dst_port());
                self.datagrams.open(&mut self.stack, to, &self.config, now)
            }
            IpProtocol::Icmp => true,
            _ => false,
        }
    }
}

/// Where a connection to `to` leads: the host's loopback in place of the gateway.
fn on_host(to: SocketAddrV4, config: &NetworkConfig) -> SocketAddrV4 {
    let ip = if *to.ip() == config.gateway { Ipv4Addr::LOCALHOST } else { *to.ip() };
    SocketAddrV4::new(ip, to.port())
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
