//! Who gives addresses to the stations of a board's own network: a DHCP server.
//!
//! A station keeps its address as long as the table has room; the one that asked longest ago makes room. Sans-IO: a request in, an
//! answer out.
//!
//! Source: RFC 2131, RFC 2132.

use heapless::Vec;
use larch_hal::{Addresses, Ipv4};
use smoltcp::time::Duration;
use smoltcp::wire::{DhcpMessageType, DhcpPacket, DhcpRepr, EthernetAddress, Ipv4Address};

/// Stations that are remembered.
const LEASES: usize = 10;
/// How long an address is lent.
const LEASE: Duration = Duration::from_secs(7200);
/// Port of the server.
pub const SERVER_PORT: u16 = 67;
/// Port of those who ask.
pub const CLIENT_PORT: u16 = 68;

/// The server's memory.
#[derive(Default)]
pub struct Leases {
    /// Who, and how far behind the server's own address; the one that asked last is last.
    given: Vec<(EthernetAddress, u8), LEASES>,
}

impl Leases {
    /// Answers a packet to the server's port: writes the answer, and says how long it is.
    pub fn answer(&mut self, own: &Addresses, request: &[u8], answer: &mut [u8]) -> Option<usize> {
        let packet = DhcpPacket::new_checked(request).ok()?;
        let request = DhcpRepr::parse(&packet).ok()?;
        let server = Ipv4Address::from_octets(own.address);
        if request.server_identifier.is_some_and(|other| other != server) {
            return None;
        }
        let wanted = request.requested_ip.or(Some(request.client_ip)).filter(|ip| !ip.is_unspecified());
        let lease = address(own, self.give(request.client_hardware_address));
        let message_type = match request.message_type {
            DhcpMessageType::Discover => DhcpMessageType::Offer,
            DhcpMessageType::Request if wanted == Some(lease) => DhcpMessageType::Ack,
            DhcpMessageType::Request => DhcpMessageType::Nak,
            _ => return None,
        };
        let is_yes = message_type != DhcpMessageType::Nak;
        let mask = u32::MAX.checked_shl(32 - u32::from(own.prefix)).unwrap_or(0);
        let reply = DhcpRepr {
            message_type,
            transaction_id: request.transaction_id,
            secs: 0,
            client_hardware_address: request.client_hardware_address,
            client_ip: Ipv4Address::UNSPECIFIED,
            your_ip: if is_yes { lease } else { Ipv4Address::UNSPECIFIED },
            server_ip: server,
            router: is_yes.then_some(server),
            subnet_mask: is_yes.then_some(Ipv4Address::from_bits(mask)),
            relay_agent_ip: Ipv4Address::UNSPECIFIED,
            broadcast: true,
            requested_ip: None,
            client_identifier: None,
            server_identifier: Some(server),
            parameter_request_list: None,
            dns_servers: None,
            max_size: None,
            lease_duration: is_yes.then_some(LEASE.secs() as u32),
            renew_duration: None,
            rebind_duration: None,
            additional_options: &[],
        };
        let len = reply.buffer_len();
        reply.emit(&mut DhcpPacket::new_unchecked(answer.get_mut(..len)?)).ok()?;
        Some(len)
    }

    /// The address that a station has from here.
    pub fn of(&self, own: &Addresses, mac: [u8; 6]) -> Option<Ipv4> {
        let (_, number) = self.given.iter().find(|(client, _)| client.0 == mac)?;
        Some(address(own, *number).octets())
    }

    /// A station's number.
    fn give(&mut self, client: EthernetAddress) -> u8 {
        let at = self.given.iter().position(|(known, _)| *known == client);
        let number = match at {
            Some(at) => self.given.remove(at).1,
            None if self.given.is_full() => self.given.remove(0).1,
            None => {
                let is_free = |number: &u8| self.given.iter().all(|(_, taken)| taken != number);
                (1..=LEASES as u8).find(is_free).unwrap_or(1)
            }
        };
        // There is room now.
        let _ = self.given.push((client, number));
        number
    }
}

fn address(own: &Addresses, number: u8) -> Ipv4Address {
    Ipv4Address::from_bits(u32::from_be_bytes(own.address).wrapping_add(u32::from(number)))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec;
    use std::vec::Vec;

    const OWN: Addresses =
        Addresses { address: [192, 168, 4, 1], prefix: 24, gateway: [192, 168, 4, 1], dns: [0; 4] };

    fn ask(
        leases: &mut Leases,
        client: u8,
        kind: DhcpMessageType,
        wanted: Option<[u8; 4]>,
    ) -> Option<Answer> {
        let request = DhcpRepr {
            message_type: kind,
            transaction_id: 7,
            secs: 0,
            client_hardware_address: EthernetAddress([2, 0, 0, 0, 0, client]),
            client_ip: Ipv4Address::UNSPECIFIED,
            your_ip: Ipv4Address::UNSPECIFIED,
            server_ip: Ipv4Address::UNSPECIFIED,
            router: None,
            subnet_mask: None,
            relay_agent_ip: Ipv4Address::UNSPECIFIED,
            broadcast: false,
            requested_ip: wanted.map(Ipv4Address::from_octets),
            client_identifier: None,
            server_identifier: None,
            parameter_request_list: None,
            dns_servers: None,
            max_size: None,
            lease_duration: None,
            renew_duration: None,
            rebind_duration: None,
            additional_options: &[],
        };
        let mut bytes = vec![0; request.buffer_len()];
        request.emit(&mut DhcpPacket::new_unchecked(&mut bytes[..])).unwrap();
        let mut answer = [0; 600];
        let len = leases.answer(&OWN, &bytes, &mut answer)?;
        let packet = DhcpPacket::new_checked(&answer[..len]).unwrap();
        let repr = DhcpRepr::parse(&packet).unwrap();
        assert_eq!(repr.transaction_id, 7);
        Some((repr.message_type, repr.your_ip.octets()))
    }

    type Answer = (DhcpMessageType, [u8; 4]);

    #[test]
    fn who_asks_gets_an_address_and_keeps_it() {
        use DhcpMessageType::{Ack, Discover, Nak, Offer, Request};
        let mut leases = Leases::default();
        let first = [192, 168, 4, 2];
        assert_eq!(ask(&mut leases, 1, Discover, None), Some((Offer, first)));
        assert_eq!(ask(&mut leases, 2, Discover, None), Some((Offer, [192, 168, 4, 3])));
        assert_eq!(ask(&mut leases, 1, Request, Some(first)), Some((Ack, first)));
        assert_eq!(ask(&mut leases, 2, Request, Some(first)), Some((Nak, [0; 4])));
        assert_eq!(ask(&mut leases, 1, DhcpMessageType::Release, None), None);
        assert_eq!(leases.of(&OWN, [2, 0, 0, 0, 0, 1]), Some(first));
        assert_eq!(leases.of(&OWN, [2, 0, 0, 0, 0, 9]), None);
    }

    #[test]
    fn the_table_never_overflows() {
        let mut leases = Leases::default();
        for client in 0..40 {
            assert!(ask(&mut leases, client, DhcpMessageType::Discover, None).is_some());
        }
        let mut numbers: Vec<u8> = leases.given.iter().map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), LEASES);
    }

    #[test]
    fn rubbish_is_not_answered() {
        let mut leases = Leases::default();
        for len in 0..300 {
            let rubbish: Vec<u8> = (0..len).map(|at| (at * 37 + len) as u8).collect();
            assert_eq!(leases.answer(&OWN, &rubbish, &mut [0; 600]), None);
        }
    }
}
