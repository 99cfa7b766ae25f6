//! The network with any bytes from outside: frames, and the answers of DHCP and name servers.
//!
//! The card is in memory. What must be right for bytes to get anywhere (checksums, addresses, the number of the question) is put
//! right; the rest is the input's. Afterwards the board must still answer who has its address.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use larch_board::net::Network;
use larch_board::net::driver::Driver;
use larch_hal::{Addresses, Endpoint, Ipv4, NetError, Short, Sockets, Transport};
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, Icmpv4Packet,
    IpAddress, IpProtocol, Ipv4Address, Ipv4Packet, TcpPacket, UdpPacket,
};

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const OTHER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 9];
const ADDRESS: Ipv4 = [10, 0, 0, 2];
const GATEWAY: Ipv4 = [10, 0, 0, 1];
const DHCP_SERVER: u16 = 67;
const DHCP_CLIENT: u16 = 68;
const DNS: u16 = 53;
/// Longest frame.
const FRAME_MAX: usize = 1514;
/// Time between two frames, and the longest that a name may take, in microseconds and steps.
const STEP_US: u64 = 100_000;
const STEPS: usize = 600;

thread_local! {
    static NOW_US: Cell<u64> = const { Cell::new(0) };
}

#[derive(Default)]
struct Wire {
    incoming: VecDeque<Vec<u8>>,
    sent: VecDeque<Vec<u8>>,
}

struct Card(Rc<RefCell<Wire>>);

impl Driver for Card {
    fn mac(&self) -> [u8; 6] {
        MAC
    }

    fn is_up(&self) -> bool {
        true
    }

    fn receive(&mut self, show: &mut dyn FnMut(&mut Self, &[u8])) -> bool {
        let frame = self.0.borrow_mut().incoming.pop_front();
        frame.map(|frame| show(self, &frame)).is_some()
    }

    fn can_transmit(&mut self) -> bool {
        true
    }

    fn transmit(&mut self, len: usize, fill: &mut dyn FnMut(&mut [u8])) {
        let mut frame = vec![0; len];
        fill(&mut frame);
        self.0.borrow_mut().sent.push_back(frame);
    }
}

/// A board with one interface.
struct Host {
    network: Network<Card>,
    wire: Rc<RefCell<Wire>>,
}

impl Host {
    /// With this address, or none: DHCP looks for one.
    fn new(address: Option<Ipv4>) -> Self {
        NOW_US.set(0);
        let wire = Rc::<RefCell<Wire>>::default();
        let mut network = Network::new(|| NOW_US.get(), 7);
        network.attach(0, Card(wire.clone()), 7).expect("memory");
        network.set_host_name(0, &Short::new(b"board").expect("a short name"));
        if let Some(address) = address {
            let addresses = Addresses { address, prefix: 24, gateway: GATEWAY, dns: GATEWAY };
            network.set_addresses(0, Some(addresses));
        }
        let mut host = Self { network, wire };
        host.poll();
        host
    }

    fn poll(&mut self) {
        NOW_US.set(NOW_US.get() + STEP_US);
        self.network.poll();
    }

    fn hear(&mut self, frame: Vec<u8>) {
        self.wire.borrow_mut().incoming.push_back(frame);
        self.poll();
    }

    /// The newest packet that was sent to a UDP port: its source port and its content.
    fn sent_to(&self, port: u16) -> Option<(u16, Vec<u8>)> {
        self.wire.borrow().sent.iter().rev().find_map(|frame| {
            let frame = EthernetFrame::new_checked(frame).ok()?;
            let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
            let udp = UdpPacket::new_checked(packet.payload()).ok().filter(|udp| udp.dst_port() == port)?;
            (packet.next_header() == IpProtocol::Udp).then(|| (udp.src_port(), udp.payload().to_vec()))
        })
    }

    /// Somebody in the same network asks who has the board's address, or, if nobody else has room there, the router: it must say
    /// so.
    fn check(&mut self) {
        let Some(Addresses { address: own, prefix, gateway, .. }) = self.network.addresses(0) else { return };
        let asker = match prefix {
            0..=24 => [own[0], own[1], own[2], if own[3] == 100 { 101 } else { 100 }],
            _ => gateway,
        };
        if own == [0; 4] || asker == [0; 4] || Ipv4Address::from(asker).is_multicast() || asker == [255; 4] {
            return;
        }
        self.wire.borrow_mut().sent.clear();
        self.hear(arp(ArpOperation::Request, asker, own));
        let answers = self.wire.borrow().sent.iter().any(|frame| {
            EthernetFrame::new_checked(frame).is_ok_and(|frame| {
                frame.ethertype() == EthernetProtocol::Arp
                    && ArpPacket::new_checked(frame.payload())
                        .is_ok_and(|arp| arp.operation() == ArpOperation::Reply)
            })
        });
        let is_usable = !Ipv4Address::from(own).is_multicast() && own != [255; 4] && own[0] != 127;
        assert!(answers || !is_usable, "the board at {own:?} does not answer");
    }
}

/// Tells or asks for addresses, from [`OTHER_MAC`] at `from`.
fn arp(operation: ArpOperation, from: Ipv4, to: Ipv4) -> Vec<u8> {
    let repr = ArpRepr::EthernetIpv4 {
        operation,
        source_hardware_addr: EthernetAddress(OTHER_MAC),
        source_protocol_addr: Ipv4Address::from(from),
        target_hardware_addr: EthernetAddress(MAC),
        target_protocol_addr: Ipv4Address::from(to),
    };
    let mut content = vec![0; repr.buffer_len()];
    repr.emit(&mut ArpPacket::new_unchecked(&mut content));
    ethernet(0x0806, &content)
}

fn ethernet(kind: u16, content: &[u8]) -> Vec<u8> {
    [&MAC[..], &OTHER_MAC, &kind.to_be_bytes(), content].concat()
}

/// A packet from `from` to the board.
fn udp(from: (Ipv4, u16), to: (Ipv4, u16), content: &[u8]) -> Vec<u8> {
    let content = &content[..content.len().min(FRAME_MAX - 42)];
    let lengths = [28 + content.len() as u16, 8 + content.len() as u16].map(u16::to_be_bytes);
    let mut packet = vec![0x45, 0];
    packet.extend(lengths[0]);
    packet.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    packet.extend(from.0);
    packet.extend(to.0);
    packet.extend(from.1.to_be_bytes());
    packet.extend(to.1.to_be_bytes());
    packet.extend(lengths[1]);
    packet.extend([0, 0]);
    packet.extend(content);
    let mut frame = ethernet(0x0800, &packet);
    repair(&mut frame);
    frame
}

/// Puts checksums right where there is something to sum up.
fn repair(frame: &mut [u8]) {
    let Ok(mut frame) = EthernetFrame::new_checked(frame) else { return };
    if frame.ethertype() != EthernetProtocol::Ipv4 {
        return;
    }
    let Ok(mut packet) = Ipv4Packet::new_checked(frame.payload_mut()) else { return };
    packet.fill_checksum();
    let (from, to) = (IpAddress::Ipv4(packet.src_addr()), IpAddress::Ipv4(packet.dst_addr()));
    match packet.next_header() {
        IpProtocol::Udp => {
            if let Ok(mut udp) = UdpPacket::new_checked(packet.payload_mut()) {
                udp.fill_checksum(&from, &to);
            }
        }
        IpProtocol::Tcp => {
            if let Ok(mut tcp) = TcpPacket::new_checked(packet.payload_mut()) {
                tcp.fill_checksum(&from, &to);
            }
        }
        IpProtocol::Icmp => {
            if let Ok(mut icmp) = Icmpv4Packet::new_checked(packet.payload_mut()) {
                icmp.fill_checksum();
            }
        }
        _ => {}
    }
}

/// The pieces of an input: two bytes of length before each.
fn pieces(mut data: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_le_bytes(*length)) % (FRAME_MAX + 1);
        let (piece, rest) = rest.split_at(length.min(rest.len()));
        data = rest;
        Some(piece.to_vec())
    })
}

/// Frames, to a board that listens, connects and asks for a name at the same time.
pub fn frames(data: &[u8]) {
    let mut host = Host::new(Some(ADDRESS));
    let open = |host: &mut Host, transport| host.network.open(transport).expect("a free socket");
    let (listener, packets, stream) =
        (open(&mut host, Transport::Tcp), open(&mut host, Transport::Udp), open(&mut host, Transport::Tcp));
    let bound = host.network.bind(listener, Endpoint { address: [0; 4], port: 80 });
    bound.and_then(|()| host.network.listen(listener, 2)).expect("a listener");
    host.network.bind(packets, Endpoint { address: [0; 4], port: 5000 }).expect("a free port");
    host.hear(arp(ArpOperation::Reply, GATEWAY, ADDRESS));
    let _ = host.network.connect(stream, Endpoint { address: GATEWAY, port: 80 });
    let _ = host.network.resolve("gateway.test");
    let mut buffer = [0; 64];
    for mut frame in pieces(data) {
        if frame.first().is_some_and(|first| first & 1 == 0) && frame.len() >= 6 {
            frame[..6].copy_from_slice(&MAC);
        }
        repair(&mut frame);
        host.hear(frame);
        if let Ok((accepted, _)) = host.network.accept(listener) {
            let _ = host.network.receive(accepted, &mut buffer, false);
            let _ = host.network.send(accepted, b"hello", None);
            host.network.close(accepted);
        }
        let _ = host.network.receive(packets, &mut buffer, true);
        let _ = host.network.receive(packets, &mut buffer, false);
        let _ = host.network.receive(stream, &mut buffer, false);
        let _ = host.network.resolve("gateway.test");
    }
    host.check();
}

/// What a DHCP server says to a board without an address, and what stations say to a board that is one.
pub fn dhcp(data: &[u8]) {
    let mut client = Host::new(None);
    let mut server = Host::new(Some(GATEWAY));
    server.network.become_server(0).expect("memory");
    for content in pieces(data) {
        let mut answer = content.clone();
        if let (Some(id), Some((_, asked))) = (answer.get_mut(4..8), client.sent_to(DHCP_SERVER))
            && let Some(asked_id) = asked.get(4..8)
        {
            id.copy_from_slice(asked_id);
        }
        if let Some(hardware) = answer.get_mut(28..34) {
            hardware.copy_from_slice(&MAC);
        }
        client.hear(udp((GATEWAY, DHCP_SERVER), ([255; 4], DHCP_CLIENT), &answer));
        server.hear(udp(([0; 4], DHCP_CLIENT), ([255; 4], DHCP_SERVER), &content));
    }
    client.check();
    server.check();
}

/// What a name server answers: the question comes to an end.
pub fn dns(data: &[u8]) {
    let mut host = Host::new(Some(ADDRESS));
    let mut answers = pieces(data);
    for _ in 0..STEPS {
        if host.network.resolve("gateway.test") != Err(NetError::Again) {
            return host.check();
        }
        host.poll();
        let asks_for_address = host.sent_to(DNS).is_none();
        if asks_for_address {
            host.hear(arp(ArpOperation::Reply, GATEWAY, ADDRESS));
        } else if let Some(mut answer) = answers.next()
            && let Some((port, asked)) = host.sent_to(DNS)
        {
            if let (Some(id), Some(asked_id)) = (answer.get_mut(..2), asked.get(..2)) {
                id.copy_from_slice(asked_id);
            }
            host.hear(udp((GATEWAY, DNS), (ADDRESS, port), &answer));
        }
    }
    panic!("the question for a name has no end");
}
