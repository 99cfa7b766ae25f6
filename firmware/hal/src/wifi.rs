//! Wi-Fi: what `network.WLAN` works on.
//!
//! Nothing here waits but [`Wifi::set_active`], which takes as long as the driver takes to start, and [`Wifi::scan`].
//! Connecting goes on while [`crate::Clock::idle`] and [`crate::Sockets::poll`] are called.

use core::mem::MaybeUninit;

use crate::sockets::Ipv4;

/// A MAC address.
pub type Mac = [u8; 6];

/// Up to `N` bytes: a network's name, a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Short<const N: usize> {
    bytes: [u8; N],
    len: u8,
}

/// A network's name.
pub type Ssid = Short<32>;
/// A key: a passphrase of 8 to 63 characters, or none.
pub type Key = Short<64>;

impl<const N: usize> Short<N> {
    /// No bytes.
    pub const EMPTY: Self = Self { bytes: [0; N], len: 0 };

    /// A copy; `None` if that is too long.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut copy = Self::EMPTY;
        copy.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        copy.len = u8::try_from(bytes.len()).ok()?;
        Some(copy)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// What the board is in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// A station of somebody else's network.
    Station = 0,
    /// The access point of its own network.
    AccessPoint = 1,
}

/// A network to connect to.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name.
    pub ssid: Ssid,
    /// Its key; empty: open.
    pub key: Key,
    /// Only this access point.
    pub bssid: Option<Mac>,
}

/// An access point that was heard.
#[derive(Clone, Copy)]
pub struct Found {
    /// The network's name; empty if it is hidden.
    pub ssid: Ssid,
    /// The access point's address.
    pub bssid: Mac,
    /// Its channel.
    pub channel: u8,
    /// How strongly it is heard, in dBm.
    pub rssi: i8,
    /// How it is protected, as Espressif's driver numbers it (`wifi_auth_mode_t`): 0 open, 3 WPA2-PSK, 4 WPA/WPA2-PSK.
    pub security: u8,
}

/// How things are with the station.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// The access point takes and gives frames.
    pub up: bool,
    /// A connection is wanted, and attempts go on.
    pub trying: bool,
    /// Why the last attempt or connection ended: IEEE 802.11 reason codes, and from 200 on the driver's; 0: it did not.
    pub reason: u8,
}

/// The board's own network.
#[derive(Clone, Copy)]
pub struct OwnNetwork {
    /// Its name.
    pub ssid: Ssid,
    /// Its key.
    pub key: Key,
    /// As [`Found::security`].
    pub security: u8,
    /// 1 to 14.
    pub channel: u8,
    /// Its name is not told to everybody.
    pub hidden: bool,
    /// Most stations at a time.
    pub max_clients: u8,
}

/// Addresses of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Its own; all zeros: none yet.
    pub address: Ipv4,
    /// Length of the network's prefix.
    pub prefix: u8,
    /// Who leads elsewhere.
    pub gateway: Ipv4,
    /// Who knows names.
    pub dns: Ipv4,
}

/// Numbers of the driver that a program may read and set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// The channel.
    Channel,
    /// Attempts after a failed one: -1 for ever.
    Reconnects,
    /// Transmit power in quarters of a dBm.
    TxPower,
    /// Power saving: 0 none, 1 least, 2 most.
    PowerSaving,
    /// Bits: 1 for 802.11b, 2 for g, 4 for n.
    Protocol,
    /// 1: 20 MHz, 2: 40 MHz.
    Bandwidth,
}

/// Why Wi-Fi could not do as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WifiError {
    /// The interface is off.
    #[error("the interface is off; call active(True) first")]
    NotStarted,
    /// The driver has no memory.
    #[error("no memory is left for the driver; restart the board and activate Wi-Fi first")]
    NoMemory,
    /// The name or the key cannot be right.
    #[error("a network's name has at most 32 bytes, its key 8 to 63 characters")]
    Invalid,
    /// There is no connection.
    #[error("there is no connection")]
    NotConnected,
    /// This driver cannot do that.
    #[error("this board's driver cannot do that")]
    NotSupported,
    /// The driver is busy.
    #[error("the driver refused in its present state")]
    State,
}

/// Wi-Fi.
pub trait Wifi {
    /// Bytes that the driver needs before it can start; zero once it has them.
    fn memory_wanted(&self) -> usize;

    /// Gives the driver memory, for good.
    fn give_memory(&mut self, memory: &'static mut [MaybeUninit<u8>]);

    /// Switches an interface on or off.
    ///
    /// # Errors
    /// [`WifiError::NoMemory`], [`WifiError::State`].
    fn set_active(&mut self, role: Role, on: bool) -> Result<(), WifiError>;

    /// Whether an interface is on.
    fn is_active(&self, role: Role) -> bool;

    /// Begins to connect the station; without a target to the last one again.
    ///
    /// # Errors
    /// [`WifiError::NotStarted`], [`WifiError::Invalid`].
    fn connect(&mut self, target: Option<&Target>) -> Result<(), WifiError>;

    /// Ends the station's connection, or the attempts.
    ///
    /// # Errors
    /// [`WifiError::NotStarted`].
    fn disconnect(&mut self) -> Result<(), WifiError>;

    /// How things are with the station.
    fn link(&self) -> Link;

    /// The name of the network that the station is told to connect to.
    fn target_ssid(&self) -> Ssid;

    /// How strongly the access point is heard, in dBm.
    ///
    /// # Errors
    /// [`WifiError::NotConnected`].
    fn rssi(&self) -> Result<i8, WifiError>;

    /// Looks for access points on all channels and shows them, strongest first. Takes up to three seconds; gives up early when
    /// the interrupt flag is set ([`crate::Console::interrupt_flag`]).
    ///
    /// # Errors
    /// [`WifiError::NotStarted`], [`WifiError::State`] while a connection is being made, [`WifiError::NoMemory`].
    fn scan(&mut self, show: &mut dyn FnMut(&Found)) -> Result<(), WifiError>;

    /// The board's own network.
    fn own_network(&self) -> OwnNetwork;

    /// Changes the board's own network.
    ///
    /// # Errors
    /// [`WifiError::Invalid`], [`WifiError::State`].
    fn set_own_network(&mut self, network: &OwnNetwork) -> Result<(), WifiError>;

    /// Station number `index` of the board's own network, and its address if it has one from here.
    fn client(&self, index: usize) -> Option<(Mac, Option<Ipv4>)>;

    /// An interface's MAC address.
    fn mac(&self, role: Role) -> Mac;

    /// Gives an interface another MAC address.
    ///
    /// # Errors
    /// [`WifiError::NotStarted`], [`WifiError::Invalid`] for a group's address or that of the other interface.
    fn set_mac(&mut self, role: Role, mac: Mac) -> Result<(), WifiError>;

    /// A number of the driver.
    ///
    /// # Errors
    /// [`WifiError::NotStarted`], [`WifiError::NotSupported`].
    fn setting(&self, role: Role, setting: Setting) -> Result<i32, WifiError>;

    /// Sets a number of the driver.
    ///
    /// # Errors
    /// As [`Wifi::setting`], [`WifiError::Invalid`].
    fn set_setting(&mut self, role: Role, setting: Setting, value: i32) -> Result<(), WifiError>;

    /// An interface's addresses.
    fn addresses(&self, role: Role) -> Addresses;

    /// Sets an interface's addresses; `None`: DHCP finds them.
    fn set_addresses(&mut self, role: Role, addresses: Option<Addresses>);

    /// Sets the name server, and leaves the other addresses as they are.
    fn set_dns(&mut self, dns: Ipv4);

    /// Whether DHCP is used, and whether it has found addresses.
    fn dhcp(&self, role: Role) -> (bool, bool);

    /// The name that the board tells DHCP servers.
    fn hostname(&self) -> Short<32>;

    /// Sets that name.
    fn set_hostname(&mut self, name: Short<32>);

    /// The country whose rules are followed: two letters.
    fn country(&self) -> [u8; 2];

    /// Sets the country.
    ///
    /// # Errors
    /// [`WifiError::Invalid`].
    fn set_country(&mut self, country: [u8; 2]) -> Result<(), WifiError>;
}
