//! Access points in reach of a board: plain data, no YAML.

use std::net::Ipv4Addr;

use crate::parts::Secret;

/// A Wi-Fi access point in reach of the board: simulated for an emulated board, else the laboratory's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPoint {
    /// Its name.
    pub ssid: Secret,
    /// Its password; `None`: open.
    pub password: Option<Secret>,
    /// What is simulated has more properties; the defaults are for those that are left out.
    pub simulated: Simulated,
}

/// What a simulated access point has besides its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Simulated {
    /// Its MAC address.
    pub bssid: Option<[u8; 6]>,
    /// Its channel, 1 to 13.
    pub channel: Option<u8>,
    /// How strongly the board hears it, in dBm.
    pub rssi: Option<i8>,
    /// Its name is not in its beacons.
    pub hidden: bool,
    /// Its network: an address in it, and the length of the prefix.
    pub subnet: Subnet,
    /// The first address that it gives to boards; the next board gets the next one.
    pub lease: Option<Ipv4Addr>,
    /// Its own address; the first of the subnet.
    pub gateway: Option<Ipv4Addr>,
    /// The name server that it tells; the gateway.
    pub dns: Option<Ipv4Addr>,
    /// What the name server knows.
    pub names: Vec<(String, Ipv4Addr)>,
    /// Ports of this machine's loopback that lead to ports of the first board.
    pub forwards: Vec<(u16, u16)>,
    /// Directory of the files that its web server gives, relative to `boards.yaml`.
    pub files: Option<String>,
    /// Whether the board may reach what is beyond this machine's loopback.
    pub outside: bool,
}

/// A network: `192.168.0.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    /// Its first address.
    pub address: Ipv4Addr,
    /// Length of its prefix, 8 to 30.
    pub prefix: u8,
}

impl Default for Subnet {
    fn default() -> Self {
        Self { address: Ipv4Addr::new(10, 0, 0, 0), prefix: 24 }
    }
}

impl Subnet {
    /// Reads `192.168.0.0/24`.
    ///
    /// # Errors
    /// What is expected.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("bad subnet '{text}': expected address/prefix, such as 192.168.0.0/24");
        let (address, prefix) = text.split_once('/').ok_or_else(bad)?;
        let subnet =
            Self { address: address.parse().map_err(|_| bad())?, prefix: prefix.parse().map_err(|_| bad())? };
        if !(8..=30).contains(&subnet.prefix) {
            return Err(format!("bad subnet '{text}': its prefix has 8 to 30 bits"));
        }
        if subnet.address.to_bits() & !subnet.mask() != 0 {
            return Err(format!("bad subnet '{text}': there are bits behind its prefix"));
        }
        Ok(subnet)
    }

    fn mask(self) -> u32 {
        u32::MAX << (32 - self.prefix)
    }

    /// Whether `address` is one that a host of this network can have.
    #[must_use]
    pub fn has_host(self, address: Ipv4Addr) -> bool {
        let host = address.to_bits() & !self.mask();
        address.to_bits() & self.mask() == self.address.to_bits() && host != 0 && host != !self.mask()
    }

    /// The address of host number `n`.
    #[must_use]
    pub fn host(self, n: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.address.to_bits() | n & !self.mask())
    }
}

impl Simulated {
    /// Its own address.
    #[must_use]
    pub fn gateway(&self) -> Ipv4Addr {
        self.gateway.unwrap_or_else(|| self.subnet.host(1))
    }

    /// The first address that it gives.
    #[must_use]
    pub fn lease(&self) -> Ipv4Addr {
        let first = if self.gateway() == self.subnet.host(2) { 3 } else { 2 };
        self.lease.unwrap_or_else(|| self.subnet.host(first))
    }

    /// What is wrong with how the parts go together, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (what, address) in [("gateway", self.gateway()), ("lease", self.lease())] {
            if !self.subnet.has_host(address) {
                let Subnet { address: network, prefix } = self.subnet;
                return Err(format!("{what} {address} is no host of the subnet {network}/{prefix}"));
            }
        }
        if self.gateway() == self.lease() {
            return Err(format!("gateway and lease are both {}", self.lease()));
        }
        Ok(())
    }
}

/// Reads a MAC address: `02:11:22:33:44:55`.
///
/// # Errors
/// What is expected.
pub(crate) fn mac(text: &str) -> Result<[u8; 6], String> {
    let bad = || format!("bad MAC address '{text}': expected six bytes, such as 02:11:22:33:44:55");
    let byte = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
        digits.then(|| u8::from_str_radix(part, 16).ok()).flatten()
    };
    let bytes: Option<Vec<u8>> = text.split(':').map(byte).collect();
    let mac: [u8; 6] = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(bad)?;
    if mac[0] & 1 != 0 { Err(format!("bad MAC address '{text}': it is one of a group")) } else { Ok(mac) }
}

#[cfg(test)]
mod tests {
    use super::{Simulated, Subnet, mac};
    use rstest::rstest;
    use std::net::Ipv4Addr;

    #[rstest]
    #[case("192.168.0.0/24", true)]
    #[case("10.0.0.0/8", true)]
    #[case("192.168.0.1/24", false)]
    #[case("192.168.0.0/31", false)]
    #[case("192.168.0.0", false)]
    #[case("192.168.0/24", false)]
    fn subnets(#[case] text: &str, #[case] good: bool) {
        assert_eq!(Subnet::parse(text).is_ok(), good);
    }

    #[test]
    fn what_is_left_out_follows_from_the_subnet() {
        let subnet = Subnet::parse("192.168.4.0/24").unwrap();
        let simulated = Simulated { subnet, ..Simulated::default() };
        assert_eq!(simulated.gateway(), Ipv4Addr::new(192, 168, 4, 1));
        assert_eq!(simulated.lease(), Ipv4Addr::new(192, 168, 4, 2));
        let lost = Simulated { lease: Some(Ipv4Addr::new(10, 0, 0, 2)), ..simulated };
        assert_eq!(lost.check().unwrap_err(), "lease 10.0.0.2 is no host of the subnet 192.168.4.0/24");
    }

    #[rstest]
    #[case("02:11:22:33:44:aF", true)]
    #[case("02:11:22:33:44", false)]
    #[case("02:11:22:33:44:5", false)]
    #[case("03:11:22:33:44:55", false)]
    #[case("02:11:22:33:44:+5", false)]
    fn mac_addresses(#[case] text: &str, #[case] good: bool) {
        assert_eq!(mac(text).is_ok(), good);
    }
}
