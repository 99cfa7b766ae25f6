//! What a network behind an access point is made with.

use std::net::Ipv4Addr;
use std::path::PathBuf;

/// A network behind an access point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkConfig {
    /// The gateway's own address: DHCP server, ICMP echo, NTP, echo services, web server; other ports lead to the host's loopback.
    pub gateway: Ipv4Addr,
    /// Length of the network's prefix, 8 to 30.
    pub prefix: u8,
    /// The address that DHCP gives first; the next client gets the next one.
    pub lease: Ipv4Addr,
    /// The DNS server that DHCP names; it answers wherever it is.
    pub dns: Ipv4Addr,
    /// What the DNS server knows.
    pub names: Vec<(String, Ipv4Addr)>,
    /// Ports of the host's loopback that lead to ports of the first board: host port, board port.
    pub forwards: Vec<(u16, u16)>,
    /// Directory of the files that the web server gives.
    pub files: Option<PathBuf>,
    /// Time that the NTP server tells at simulated time zero, in seconds since 1970.
    pub epoch_s: u64,
    /// Addresses outside may be reached through the host.
    pub outside: bool,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            gateway: Ipv4Addr::new(10, 0, 0, 1),
            prefix: 24,
            lease: Ipv4Addr::new(10, 0, 0, 2),
            dns: Ipv4Addr::new(10, 0, 0, 1),
            names: Vec::new(),
            forwards: Vec::new(),
            files: None,
            epoch_s: 1_767_225_600,
            outside: false,
        }
    }
}

impl NetworkConfig {
    /// The network's mask.
    #[must_use]
    pub fn mask(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(u32::MAX << (32 - u32::from(self.prefix.clamp(8, 30))))
    }

    /// Whether `address` is in the network.
    #[must_use]
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        let mask = self.mask().to_bits();
        address.to_bits() & mask == self.gateway.to_bits() & mask
    }
}
