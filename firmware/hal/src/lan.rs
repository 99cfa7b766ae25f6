//! A wired network: what `network.LAN` works on. Nothing here waits.

use crate::sockets::{Ipv4, NetError};
use crate::wifi::{Addresses, Mac, Short};

/// A network card with a cable.
pub trait Lan {
    /// Switches it on or off.
    ///
    /// # Errors
    /// [`NetError::NoMemory`].
    fn set_active(&mut self, on: bool) -> Result<(), NetError>;

    /// Whether it is on.
    fn is_active(&self) -> bool;

    /// Whether it is on, and somebody is at the other end of the cable.
    fn is_linked(&self) -> bool;

    /// Its MAC address.
    fn mac(&self) -> Mac;

    /// Its addresses.
    fn addresses(&self) -> Addresses;

    /// Sets its addresses; `None`: DHCP finds them.
    fn set_addresses(&mut self, addresses: Option<Addresses>);

    /// Sets the name server, and leaves the other addresses as they are.
    fn set_dns(&mut self, dns: Ipv4);

    /// Whether DHCP is used, and whether it has found addresses.
    fn dhcp(&self) -> (bool, bool);

    /// The name that the board tells DHCP servers.
    fn hostname(&self) -> Short<32>;

    /// Sets that name.
    fn set_hostname(&mut self, name: Short<32>);
}
