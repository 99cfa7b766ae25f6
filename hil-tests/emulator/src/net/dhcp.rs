//! The DHCP server: one lease per MAC address, in order of arrival. Source: RFC 2131.

use super::config::NetworkConfig;
use smoltcp::wire::{DhcpMessageType, DhcpPacket, DhcpRepr, EthernetAddress};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

const LEASE_SECONDS: u32 = 86_400;

/// The leases given so far.
#[derive(Clone, Debug, Default)]
pub struct Leases(BTreeMap<[u8; 6], Ipv4Addr>);

impl Leases {
    /// The address of `client`, given now if it has none; `None` when the network is full.
    fn of(&mut self, client: [u8; 6], config: &NetworkConfig) -> Option<Ipv4Addr> {
        if let Some(address) = self.0.get(&client) {
            return Some(*address);
        }
        let first = config.lease.to_bits();
        let address = (first..first.saturating_add(200)).map(Ipv4Addr::from_bits).find(|&address| {
            let taken = self.0.values().any(|lease| *lease == address);
            let last_byte = address.to_bits() & !config.mask().to_bits();
            !taken
                && config.contains(address)
                && address != config.gateway
                && last_byte != !config.mask().to_bits()
        })?;
        self.0.insert(client, address);
        Some(address)
    }

    /// Gives `client` this address.
    #[cfg(test)]
    pub fn give(&mut self, client: [u8; 6], address: Ipv4Addr) {
        self.0.insert(client, address);
    }

    /// The first board's address: where port forwards lead.
    #[must_use]
    pub fn first(&self) -> Option<Ipv4Addr> {
        self.0.values().min().copied()
    }

    /// The answer to a client's message, if it deserves one.
    pub fn answer(&mut self, request: &[u8], config: &NetworkConfig) -> Option<Vec<u8>> {
        let packet = DhcpPacket::new_checked(request).ok()?;
        let request = DhcpRepr::parse(&packet).ok()?;
        let EthernetAddress(client) = request.client_hardware_address;
        let message_type = match request.message_type {
            DhcpMessageType::Discover => DhcpMessageType::Offer,
            DhcpMessageType::Request => DhcpMessageType::Ack,
            DhcpMessageType::Release => {
                self.0.remove(&client);
                return None;
            }
            _ => return None,
        };
        if request.server_identifier.is_some_and(|server| server != config.gateway) {
            return None;
        }
        let lease = self.of(client, config)?;
        let asked = request.requested_ip.or(Some(request.client_ip).filter(|ip| !ip.is_unspecified()));
        let refused = message_type == DhcpMessageType::Ack && asked.is_some_and(|asked| asked != lease);
        let message_type = if refused { DhcpMessageType::Nak } else { message_type };
        let given = |address| if refused { None } else { Some(address) };
        let reply = DhcpRepr {
            message_type,
            transaction_id: request.transaction_id,
            secs: 0,
            client_hardware_address: request.client_hardware_address,
            client_ip: if refused { Ipv4Addr::UNSPECIFIED } else { request.client_ip },
            your_ip: if refused { Ipv4Addr::UNSPECIFIED } else { lease },
            server_ip: config.gateway,
            router: given(config.gateway),
            subnet_mask: given(config.mask()),
            relay_agent_ip: Ipv4Addr::UNSPECIFIED,
            broadcast: true,
            requested_ip: None,
            client_identifier: None,
            server_identifier: Some(config.gateway),
            parameter_request_list: None,
            dns_servers: if refused { None } else { Some([config.dns].into_iter().collect()) },
            max_size: None,
            lease_duration: if refused { None } else { Some(LEASE_SECONDS) },
            renew_duration: None,
            rebind_duration: None,
            additional_options: &[],
        };
        let mut bytes = vec![0; reply.buffer_len()];
        reply.emit(&mut DhcpPacket::new_unchecked(&mut bytes)).ok()?;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(message_type: DhcpMessageType, client: u8, requested_ip: Option<Ipv4Addr>) -> Vec<u8> {
        let repr = DhcpRepr {
            message_type,
            transaction_id: 7,
            secs: 0,
            client_hardware_address: EthernetAddress([2, 0, 0, 0, 0, client]),
            client_ip: Ipv4Addr::UNSPECIFIED,
            your_ip: Ipv4Addr::UNSPECIFIED,
            server_ip: Ipv4Addr::UNSPECIFIED,
            router: None,
            subnet_mask: None,
            relay_agent_ip: Ipv4Addr::UNSPECIFIED,
            broadcast: false,
            requested_ip,
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
        let mut bytes = vec![0; repr.buffer_len()];
        repr.emit(&mut DhcpPacket::new_unchecked(&mut bytes)).unwrap();
        bytes
    }

    fn reply(bytes: &[u8]) -> (DhcpMessageType, Ipv4Addr) {
        let packet = DhcpPacket::new_checked(bytes).unwrap();
        let repr = DhcpRepr::parse(&packet).unwrap();
        (repr.message_type, repr.your_ip)
    }

    #[test]
    fn every_client_keeps_its_address() {
        let (mut leases, config) = (Leases::default(), NetworkConfig::default());
        let mut give = |client, kind, wish| reply(&leases.answer(&ask(kind, client, wish), &config).unwrap());
        let (two, three) = (Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 0, 3));
        assert_eq!(give(1, DhcpMessageType::Discover, None), (DhcpMessageType::Offer, two));
        assert_eq!(give(1, DhcpMessageType::Request, Some(two)), (DhcpMessageType::Ack, two));
        assert_eq!(give(9, DhcpMessageType::Discover, None), (DhcpMessageType::Offer, three));
        assert_eq!(give(9, DhcpMessageType::Request, Some(two)).0, DhcpMessageType::Nak);
        assert_eq!(leases.first(), Some(two));
    }

    #[test]
    fn rubbish_gets_no_answer() {
        let (mut leases, config) = (Leases::default(), NetworkConfig::default());
        let whole = ask(DhcpMessageType::Discover, 1, None);
        for length in 0..240 {
            assert!(leases.answer(&whole[..length], &config).is_none());
        }
    }
}
