//! A station made of smoltcp, on a wire to the gateway.

use super::stack::Card;
use super::*;
use crate::time::TICKS_PER_SECOND;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::socket::{tcp as client_tcp, udp as client_udp};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpCidr, IpEndpoint};
use std::io::{Read, Write};
use std::net::TcpListener;

const LEASE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

struct Client {
    card: Card,
    interface: Interface,
    sockets: SocketSet<'static>,
    network: Network,
    now: Ticks,
}

impl Client {
    fn new(config: NetworkConfig) -> Self {
        let mut card = Card::default();
        let hardware = HardwareAddress::Ethernet(EthernetAddress([2, 0, 0, 0, 0, 9]));
        let mut interface = Interface::new(Config::new(hardware), &mut card, Instant::ZERO);
        interface.update_ip_addrs(|list| list.push(IpCidr::new(LEASE.into(), 24)).unwrap());
        interface.routes_mut().add_default_ipv4_route(GATEWAY).unwrap();
        let network = Network::new(config, [2, 0, 0, 0, 0, 1]);
        Self { card, interface, sockets: SocketSet::new(Vec::new()), network, now: 0 }
    }

    fn step(&mut self) {
        self.now += TICKS_PER_SECOND / 2000;
        let at = Instant::from_micros((self.now / TICKS_PER_US) as i64);
        self.interface.poll(at, &mut self.card, &mut self.sockets);
        for frame in std::mem::take(&mut self.card.sent) {
            self.network.receive(frame, self.now);
        }
        self.card.received.extend(self.network.advance(self.now));
    }

    fn udp(&mut self) -> SocketHandle {
        let buffer =
            || client_udp::PacketBuffer::new(vec![client_udp::PacketMetadata::EMPTY; 4], vec![0; 2000]);
        let mut socket = client_udp::Socket::new(buffer(), buffer());
        socket.bind(5000).unwrap();
        self.sockets.add(socket)
    }

    fn ask(&mut self, to: (Ipv4Addr, u16), data: &[u8]) -> Option<Vec<u8>> {
        let handle = self.udp();
        let endpoint = IpEndpoint::new(to.0.into(), to.1);
        self.sockets.get_mut::<client_udp::Socket>(handle).send_slice(data, endpoint).unwrap();
        let reply = (0..400).find_map(|_| {
            self.step();
            let socket = self.sockets.get_mut::<client_udp::Socket>(handle);
            let (data, from) = socket.recv().ok()?;
            assert_eq!(from.endpoint, endpoint, "the answer comes from where the question went");
            Some(data.to_vec())
        });
        self.sockets.remove(handle);
        reply
    }

    fn connect(&mut self, to: (Ipv4Addr, u16)) -> SocketHandle {
        let buffer = || client_tcp::SocketBuffer::new(vec![0; 4096]);
        let handle = self.sockets.add(client_tcp::Socket::new(buffer(), buffer()));
        let endpoint = IpEndpoint::new(to.0.into(), to.1);
        let socket = self.sockets.get_mut::<client_tcp::Socket>(handle);
        socket.connect(self.interface.context(), endpoint, 40_000).unwrap();
        handle
    }

    /// Sends all of `data`, closes, and gives everything that comes back until the other side closes.
    fn exchange(&mut self, handle: SocketHandle, data: &[u8]) -> Vec<u8> {
        let (mut sent, mut back) = (0, Vec::<u8>::new());
        for _ in 0..20_000 {
            self.step();
            let socket = self.sockets.get_mut::<client_tcp::Socket>(handle);
            if socket.can_send() && sent < data.len() {
                sent += socket.send_slice(&data[sent..]).unwrap();
                if sent == data.len() {
                    socket.close();
                }
            }
            while socket.can_recv() {
                socket.recv(|bytes| (bytes.len(), back.extend_from_slice(bytes))).unwrap();
            }
            if !socket.may_recv() && sent == data.len() {
                break;
            }
        }
        back
    }
}

#[test]
fn the_echo_services_answer() {
    let mut client = Client::new(NetworkConfig::default());
    assert_eq!(client.ask((GATEWAY, 7), b"hello").as_deref(), Some(&b"hello"[..]));
    let data: Vec<u8> = (0..50_000u32).map(|i| (i * 7) as u8).collect();
    let handle = client.connect((GATEWAY, 7));
    assert!(client.exchange(handle, &data) == data);
}

#[test]
fn the_web_server_gives_more_than_its_buffer_holds() {
    let mut client = Client::new(NetworkConfig::default());
    let handle = client.connect((GATEWAY, 80));
    let answer = client.exchange(handle, b"GET /bytes/70000 HTTP/1.0\r\n\r\n");
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n").map(|at| at + 4);
    assert!(answer.starts_with(b"HTTP/1.0 200 OK\r\nContent-Length: 70000\r\n"));
    assert_eq!(answer.len(), head.unwrap() + 70_000);
}

#[test]
fn the_gateway_calls_a_board() {
    let mut client = Client::new(NetworkConfig::default());
    // Port forwards and calls go to who has a lease.
    client.network.leases.give([2, 0, 0, 0, 0, 9], LEASE);
    let buffer = || client_tcp::SocketBuffer::new(vec![0; 4096]);
    let mut server = client_tcp::Socket::new(buffer(), buffer());
    server.listen(8080).unwrap();
    let handle = client.sockets.add(server);
    client.network.call(8080, &Call::Words(b"hello".to_vec()), client.now);
    assert_eq!(client.exchange(handle, b"bye"), b"hello");
    let mut server = client_tcp::Socket::new(buffer(), buffer());
    server.listen(8081).unwrap();
    let handle = client.sockets.add(server);
    client.network.call(8081, &Call::Echo, client.now);
    assert_eq!(client.exchange(handle, b"there and back"), b"there and back");
}

#[test]
fn dns_answers_at_the_address_it_is_said_to_have() {
    let dns = Ipv4Addr::new(42, 2, 24, 0);
    let names = vec![("host.test".to_owned(), GATEWAY)];
    let mut client = Client::new(NetworkConfig { dns, names, ..NetworkConfig::default() });
    let query = b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04host\x04test\x00\x00\x01\x00\x01";
    let reply = client.ask((dns, 53), query).unwrap();
    assert!(reply.ends_with(&GATEWAY.octets()));
    client.network.faults.dns_silent = true;
    assert_eq!(client.ask((dns, 53), query), None);
}

#[test]
fn ntp_tells_simulated_time() {
    let config = NetworkConfig { epoch_s: 1_000_000, ..NetworkConfig::default() };
    let mut client = Client::new(config);
    let mut query = [0; 48];
    query[0] = 0x1B;
    let reply = client.ask((GATEWAY, 123), &query).unwrap();
    let seconds = u32::from_be_bytes(reply[40..44].try_into().unwrap());
    assert_eq!(u64::from(seconds), 2_208_988_800 + 1_000_000);
}

#[test]
fn the_gateway_leads_to_the_loopback_of_the_host() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).unwrap();
        stream.write_all(format!("{} bytes", heard.len()).as_bytes()).unwrap();
    });
    let mut client = Client::new(NetworkConfig::default());
    let handle = client.connect((GATEWAY, port));
    assert_eq!(client.exchange(handle, &[7; 30_000]), b"30000 bytes");
    thread.join().unwrap();
}

#[test]
fn a_closed_port_of_the_host_refuses() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut client = Client::new(NetworkConfig::default());
    let handle = client.connect((GATEWAY, port));
    for _ in 0..20 {
        client.step();
    }
    assert_eq!(client.sockets.get::<client_tcp::Socket>(handle).state(), client_tcp::State::Closed);
}

#[test]
fn data_is_whole_over_a_slow_way_that_reorders() {
    let mut client = Client::new(NetworkConfig::default());
    client.network.faults.latency = 20_000 * TICKS_PER_US;
    let before = client.now;
    assert_eq!(client.ask((GATEWAY, 7), b"hello").as_deref(), Some(&b"hello"[..]));
    assert!(client.now - before >= 40_000 * TICKS_PER_US, "the latency is there and back");
    client.network.faults.latency = 0;
    client.network.faults.reorder_percent = 20;
    let data: Vec<u8> = (0..50_000u32).map(|i| (i * 7) as u8).collect();
    let handle = client.connect((GATEWAY, 7));
    assert!(client.exchange(handle, &data) == data);
}

#[test]
fn frames_overtake_each_other_only_when_that_is_asked_for() {
    let order = |percent| {
        let mut network = Network::new(NetworkConfig::default(), [2; 6]);
        network.faults.reorder_percent = percent;
        (0..50u8).for_each(|n| network.receive(vec![n], Ticks::from(n)));
        std::iter::from_fn(|| network.inbox.take(NEVER)).map(|frame| frame[0]).collect::<Vec<u8>>()
    };
    assert!(order(0).is_sorted());
    assert!(!order(20).is_sorted() && order(20).len() == 50);
}

#[test]
fn nothing_outside_is_reached_without_permission() {
    let mut client = Client::new(NetworkConfig::default());
    assert_eq!(client.ask((Ipv4Addr::new(192, 0, 2, 1), 7), b"hello"), None);
    assert_eq!(client.ask((Ipv4Addr::new(10, 0, 0, 77), 7), b"hello"), None, "no such neighbour");
}

#[test]
fn rubbish_does_no_harm() {
    let mut network = Network::new(NetworkConfig::default(), [2; 6]);
    let mut noise = 1u64;
    for length in 0..300usize {
        let mut frame: Vec<u8> = (0..length)
            .map(|_| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (noise >> 56) as u8
            })
            .collect();
        if length > 40 {
            let kind = if length % 3 == 0 { 6 } else { 0 };
            frame[12..14].copy_from_slice(&[8, kind]);
            frame[14] = 0x45;
            frame[30..34].copy_from_slice(&GATEWAY.octets());
        }
        network.receive(frame, 0);
    }
    network.advance(TICKS_PER_SECOND);
}
