//! `network.LAN` of a port: one network card with a cable, and the sockets over it.

use larch_hal::{Addresses, Ipv4, Lan, Mac, NetError, Short, Sockets};

use super::{Driver, Network};

/// The card's place among the network's interfaces.
const CARD: u8 = 0;

/// A card, switched off at first.
pub struct Wired<D> {
    /// The sockets.
    pub network: Network<D>,
    make: fn() -> D,
    mac: Mac,
    seed: fn() -> u32,
    active: bool,
    /// Those that a program has set.
    addresses: Option<Addresses>,
    hostname: Short<32>,
}

impl<D: Driver> Wired<D> {
    /// The card that `make` sets up each time it is switched on. `now_us` is the time since boot; `seed` is asked
    /// when it is switched on.
    pub fn new(make: fn() -> D, mac: Mac, hostname: &str, now_us: fn() -> u64, seed: fn() -> u32) -> Self {
        Self {
            network: Network::new(now_us, 0),
            make,
            mac,
            seed,
            active: false,
            addresses: None,
            hostname: Short::new(hostname.as_bytes()).unwrap_or(Short::EMPTY),
        }
    }
}

impl<D: Driver> Lan for Wired<D> {
    fn set_active(&mut self, on: bool) -> Result<(), NetError> {
        if on == self.active {
            return Ok(());
        }
        if on {
            self.network.attach(CARD, (self.make)(), (self.seed)().into())?;
            self.network.set_host_name(CARD, &self.hostname);
            if self.addresses.is_some() {
                self.network.set_addresses(CARD, self.addresses);
            }
        } else {
            self.network.detach(CARD);
        }
        self.active = on;
        self.network.poll();
        Ok(())
    }

    fn is_active(&self) -> bool {
        self.active
    }

    fn is_linked(&self) -> bool {
        self.network.is_up(CARD)
    }

    fn mac(&self) -> Mac {
        self.mac
    }

    fn addresses(&self) -> Addresses {
        self.network.addresses(CARD).or(self.addresses).unwrap_or_default()
    }

    fn set_addresses(&mut self, addresses: Option<Addresses>) {
        self.addresses = addresses;
        self.network.set_addresses(CARD, addresses);
        self.network.poll();
    }

    fn set_dns(&mut self, dns: Ipv4) {
        self.network.set_dns(CARD, dns);
    }

    fn dhcp(&self) -> (bool, bool) {
        (self.addresses.is_none(), self.addresses().address != [0; 4])
    }

    fn hostname(&self) -> Short<32> {
        self.hostname
    }

    fn set_hostname(&mut self, name: Short<32>) {
        self.hostname = name;
        self.network.set_host_name(CARD, &name);
    }
}
