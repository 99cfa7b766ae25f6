//! Whatever a station sends, the gateway goes on.

use super::dhcp::Leases;
use super::http::Http;
use super::{Network, NetworkConfig, dns};
use crate::time::TICKS_PER_SECOND;
use proptest::prelude::*;
use std::net::Ipv4Addr;

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

/// A DHCP message: magic and options behind a fixed part.
fn dhcp() -> impl Strategy<Value = Vec<u8>> {
    (prop::collection::vec(any::<u8>(), 236..=236), bytes(80), any::<bool>()).prop_map(
        |(mut head, options, good)| {
            if good {
                head[..4].copy_from_slice(&[1, 1, 6, 0]);
            }
            [head, vec![99, 130, 83, 99, 53, 1, 1 + options.len() as u8 % 8], options].concat()
        },
    )
}

/// An IP packet with a proper header and any contents.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    (prop_oneof![Just(1u8), Just(6), Just(17), any::<u8>()], any::<u16>(), bytes(80)).prop_map(
        |(protocol, port, body)| {
            let mut packet = vec![0x45, 0];
            packet.extend((24 + body.len() as u16).to_be_bytes());
            packet.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
            packet.extend([10, 0, 0, 2, 10, 0, 0, 1]);
            let sum: u32 = packet.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
            let sum = !((sum & 0xFFFF) + (sum >> 16)) as u16;
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
            // Services inside the emulator only: other ports lead to programs of this machine.
            let services: &[u16] = if protocol == 6 { &[7, 80] } else { &[7, 53, 67, 123, 0] };
            let port = services[usize::from(port) % services.len()];
            packet.extend([0x12, 0x34]);
            packet.extend(port.to_be_bytes());
            packet.extend(body);
            packet
        },
    )
}

fn frame(kind: u16, payload: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9], &kind.to_be_bytes()[..], payload].concat()
}

proptest! {
    #[test]
    fn dhcp_answers_or_is_silent(messages in prop::collection::vec(dhcp(), 1..5), rubbish in bytes(400)) {
        let (mut leases, config) = (Leases::default(), NetworkConfig::default());
        for message in messages {
            if let Some(reply) = leases.answer(&message, &config) {
                prop_assert_eq!(reply[0], 2, "a reply");
            }
        }
        leases.answer(&rubbish, &config);
    }

    #[test]
    fn dns_answers_or_is_silent(head in prop::array::uniform12(any::<u8>()), name in bytes(80), good: bool) {
        let mut query = head.to_vec();
        if good {
            query[2..12].copy_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        }
        query.extend(name);
        if let Some(reply) = dns::answer(&query, |_| Some(Ipv4Addr::LOCALHOST)) {
            prop_assert_eq!(&reply[..2], &query[..2]);
        }
    }

    #[test]
    fn the_web_server_answers_or_waits(request in bytes(300), path in "\\PC{0,40}") {
        let mut http = Http::new(None);
        http.receive(&request);
        let mut http = Http::new(None);
        http.receive(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes());
        prop_assert!(http.rest().starts_with(b"HTTP/1.0 "));
    }

    #[test]
    fn the_gateway_survives_any_frame(
        frames in prop::collection::vec((prop_oneof![Just(0x0800u16), Just(0x0806), any::<u16>()], packet(), bytes(60)), 1..8),
    ) {
        let mut network = Network::new(NetworkConfig::default(), [2, 0, 0, 0, 0, 1]);
        let mut now = 0;
        for (kind, packet, rubbish) in frames {
            network.receive(frame(kind, &packet), now);
            network.receive(frame(kind, &rubbish), now);
            network.receive(rubbish, now);
            now += TICKS_PER_SECOND / 1000;
            network.advance(now);
        }
    }
}
