//! Access points.

use std::fmt;
use std::marker::PhantomData;
use std::net::Ipv4Addr;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::Checked;
use crate::air::{self, AccessPoint, Simulated, Subnet};
use crate::parts::Secret;

/// An access point whose parts go together.
pub(super) struct RawAccessPoint(pub(super) AccessPoint);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawMap {
    ssid: String,
    password: Option<String>,
    bssid: Option<Mac>,
    channel: Option<u8>,
    rssi: Option<i8>,
    #[serde(default)]
    hidden: bool,
    subnet: Option<RawSubnet>,
    lease: Option<Address>,
    gateway: Option<Address>,
    dns: Option<Address>,
    #[serde(default)]
    names: Pairs<String, Address>,
    #[serde(default)]
    forwards: Pairs<u16, u16>,
    files: Option<String>,
    #[serde(default)]
    outside: bool,
}

impl RawMap {
    fn check(self) -> Result<AccessPoint, String> {
        let simulated = Simulated {
            bssid: self.bssid.map(|Mac(mac)| mac),
            channel: self.channel,
            rssi: self.rssi,
            hidden: self.hidden,
            subnet: self.subnet.map(|RawSubnet(subnet)| subnet).unwrap_or_default(),
            lease: self.lease.map(|Address(address)| address),
            gateway: self.gateway.map(|Address(address)| address),
            dns: self.dns.map(|Address(address)| address),
            names: self.names.0.into_iter().map(|(name, Address(address))| (name, address)).collect(),
            forwards: self.forwards.0,
            files: self.files,
            outside: self.outside,
        };
        simulated.check()?;
        if let Some(channel) = simulated.channel.filter(|channel| !(1..=13).contains(channel)) {
            return Err(format!("bad channel {channel}: there are 1 to 13"));
        }
        // A variable's value is checked when it is there.
        let given = self.password.as_deref().filter(|password| !password.starts_with("${"));
        if given.is_some_and(|password| !(8..=63).contains(&password.len())) {
            return Err("a WPA2 password has 8 to 63 characters".into());
        }
        Ok(AccessPoint { ssid: Secret::new(self.ssid), password: self.password.map(Secret::new), simulated })
    }
}

impl<'de> Deserialize<'de> for RawAccessPoint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct PointVisitor;
        impl<'de> Visitor<'de> for PointVisitor {
            type Value = RawAccessPoint;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an access point, such as `{ ssid: home, password: \"correct horse\" }`")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawAccessPoint, A::Error> {
                let raw = RawMap::deserialize(de::value::MapAccessDeserializer::new(map))?;
                raw.check().map(RawAccessPoint).map_err(de::Error::custom)
            }
        }
        from.deserialize_map(PointVisitor)
    }
}

struct Mac([u8; 6]);

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Checked("a MAC address, such as 02:11:22:33:44:55", air::mac)).map(Mac)
    }
}

struct RawSubnet(Subnet);

impl<'de> Deserialize<'de> for RawSubnet {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Checked("a subnet, such as 192.168.0.0/24", Subnet::parse)).map(RawSubnet)
    }
}

struct Address(Ipv4Addr);

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = |text: &str| {
            text.parse()
                .map_err(|_| format!("bad address '{text}': expected four numbers, such as 192.168.0.1"))
        };
        from.deserialize_str(Checked("an address, such as 192.168.0.1", read)).map(Address)
    }
}

/// A mapping in the order of the file; a key given twice is an error.
struct Pairs<K, V>(Vec<(K, V)>);

impl<K, V> Default for Pairs<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, K, V> Deserialize<'de> for Pairs<K, V>
where
    K: Deserialize<'de> + PartialEq + fmt::Display,
    V: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Both<K, V>(PhantomData<(K, V)>);
        impl<'de, K, V> Visitor<'de> for Both<K, V>
        where
            K: Deserialize<'de> + PartialEq + fmt::Display,
            V: Deserialize<'de>,
        {
            type Value = Pairs<K, V>;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("pairs, such as `{ 8080: 80 }`")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs: Vec<(K, V)> = Vec::new();
                while let Some(key) = map.next_key::<K>()? {
                    if pairs.iter().any(|(known, _)| *known == key) {
                        return Err(de::Error::custom(format!("'{key}' is given twice")));
                    }
                    pairs.push((key, map.next_value()?));
                }
                Ok(Pairs(pairs))
            }
        }
        from.deserialize_map(Both(PhantomData))
    }
}
