//! ESP-NOW: messages between boards without a network, what `espnow` works on.
//!
//! Nothing here waits. Messages that arrive are kept by the port until they are taken.

use crate::wifi::Mac;

/// Bytes of a key.
pub const KEY_LEN: usize = 16;

/// Why ESP-NOW could not do as asked, as Espressif numbers it (`esp_err_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EspError(pub i32);

impl EspError {
    /// `ESP_ERR_NO_MEM`: no memory for what waits.
    pub const NO_MEMORY: Self = Self(0x101);
    /// `ESP_ERR_WIFI_NOT_INIT`: the radio does not start.
    pub const NO_RADIO: Self = Self(0x3001);
    /// `ESP_ERR_ESPNOW_NOT_INIT`: it is off.
    pub const OFF: Self = Self(0x3065);
    /// `ESP_ERR_ESPNOW_NO_MEM`: too much is on its way; later there is room.
    pub const FULL: Self = Self(0x3067);
    /// `ESP_ERR_ESPNOW_NOT_FOUND`: no such peer.
    pub const NOT_FOUND: Self = Self(0x3069);
}

/// Somebody to send to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Who.
    pub mac: Mac,
    /// The key that both know.
    pub key: [u8; KEY_LEN],
    /// The channel; 0: the present one.
    pub channel: u8,
    /// From which interface ([`crate::Role`] as a number).
    pub interface: u8,
    /// Whether messages are encrypted.
    pub encrypted: bool,
}

/// What is told of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Who sent it.
    pub from: Mac,
    /// How strongly it was heard, in dBm.
    pub rssi: i8,
    /// When it came, in milliseconds since boot.
    pub at_ms: u32,
    /// Its bytes.
    pub len: u16,
}

/// What happened since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages sent, one for each peer.
    pub sent: u32,
    /// Of how many of them it is known how they ended.
    pub answered: u32,
    /// How many of those did not arrive.
    pub failed: u32,
    /// Messages received.
    pub received: u32,
    /// Messages for which there was no room.
    pub dropped: u32,
}

/// ESP-NOW.
pub trait EspNow {
    /// Starts it; the radio too, if it is off. Messages that wait have `room` bytes, what is told of each included.
    ///
    /// # Errors
    /// [`EspError`].
    fn start(&mut self, room: usize) -> Result<(), EspError>;

    /// Ends it, and forgets the peers.
    fn stop(&mut self);

    /// Whether it was started.
    fn is_on(&self) -> bool;

    /// Sets the rate of messages to peers that are added from now on, and to those that are known: `wifi_phy_rate_t`.
    ///
    /// # Errors
    /// [`EspError`].
    fn set_rate(&mut self, rate: u8) -> Result<(), EspError>;

    /// Sets the key that encrypts the peers' keys.
    ///
    /// # Errors
    /// [`EspError`].
    fn set_primary_key(&mut self, key: &[u8; KEY_LEN]) -> Result<(), EspError>;

    /// Adds a peer.
    ///
    /// # Errors
    /// [`EspError`].
    fn add_peer(&mut self, peer: &Peer) -> Result<(), EspError>;

    /// Changes a peer.
    ///
    /// # Errors
    /// [`EspError`].
    fn change_peer(&mut self, peer: &Peer) -> Result<(), EspError>;

    /// Forgets a peer.
    ///
    /// # Errors
    /// [`EspError`].
    fn remove_peer(&mut self, mac: Mac) -> Result<(), EspError>;

    /// A peer.
    ///
    /// # Errors
    /// [`EspError`].
    fn peer(&self, mac: Mac) -> Result<Peer, EspError>;

    /// The first peer, or the one after that which was given last; groups are left out.
    fn next_peer(&self, is_first: bool) -> Option<Peer>;

    /// How many peers there are, and how many of them with encryption.
    ///
    /// # Errors
    /// [`EspError`].
    fn peer_count(&self) -> Result<[i32; 2], EspError>;

    /// Sends to a peer, or to all of them but groups.
    ///
    /// # Errors
    /// [`EspError::FULL`] if it cannot be sent now; others.
    fn send(&mut self, to: Option<Mac>, message: &[u8]) -> Result<(), EspError>;

    /// What happened since boot.
    fn traffic(&self) -> Traffic;

    /// Bytes of the message that waits longest.
    fn waiting(&self) -> Option<usize>;

    /// Takes the message that waits longest, as far as it fits.
    fn take(&mut self, message: &mut [u8]) -> Option<Envelope>;

    /// Forgets all messages that wait.
    fn discard(&mut self);
}
