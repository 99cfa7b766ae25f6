//! What a program sets, and how the driver wants to hear it.

use esp_hal::efuse::{InterfaceMacAddress, interface_mac_address};
use esp_radio::wifi::ap::{AccessPointConfig, AccessPointInfo};
use esp_radio::wifi::scan::ScanConfig;
use esp_radio::wifi::sta::StationConfig;
use esp_radio::wifi::{
    AuthenticationMethod, AuthenticationMethodConfig, Bandwidth, Config, ControllerConfig, CountryInfo,
    PowerSaveMode, Protocol, Protocols, SecondaryChannel, WifiController,
};
use heapless::Vec;
use larch_hal::{Addresses, Found, Key, Mac, OwnNetwork, Role, Setting, Short, Ssid, Target, WifiError};

/// MicroPython's name for its boards.
const HOSTNAME: &[u8] = b"mpy-esp32c3";
/// Stations that the driver serves.
const CLIENTS: usize = 10;
/// Frames that wait for the program, and frames on their way out.
const QUEUES: (usize, usize) = (8, 6);
/// Receive buffers that the hardware has at any time, and those that the driver may add.
const RECEIVE_BUFFERS: (u8, u16) = (6, 16);
const SEND_BUFFERS: u16 = 16;
/// MicroPython's word for no country, and the driver's for what is allowed everywhere.
const NO_COUNTRY: [u8; 2] = *b"XX";
const WORLD: [u8; 2] = *b"01";
/// 20 dBm.
const TX_POWER: i8 = 80;
/// `wifi_auth_mode_t`
const OPEN: u8 = 0;
const WPA: u8 = 2;
const WPA2: u8 = 3;
/// 802.11b, g and n.
const PROTOCOLS: i32 = 7;
/// 20 MHz, and 40.
const NARROW: i32 = 1;
const WIDE: i32 = 2;

/// What a program sets; it outlives the driver.
pub struct Settings {
    pub target: Target,
    pub own: OwnNetwork,
    pub reconnects: i32,
    pub tx_power: i8,
    pub power_saving: i32,
    pub protocols: i32,
    pub bandwidth: i32,
    pub addresses: [Option<Addresses>; 2],
    pub hostname: Short<32>,
    pub country: [u8; 2],
    pub clients: Vec<Mac, CLIENTS>,
    /// Addresses other than the chip's own.
    pub macs: [Option<Mac>; 2],
}

impl Settings {
    /// What holds before a program sets anything.
    pub fn new() -> Self {
        let mac = mac(Role::AccessPoint);
        let mut ssid = *b"ESP_000000";
        let nibbles = mac[3..].iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (letter, nibble) in ssid[4..].iter_mut().zip(nibbles) {
            *letter = b"0123456789ABCDEF"[usize::from(nibble)];
        }
        let own_address =
            Addresses { address: [192, 168, 4, 1], prefix: 24, gateway: [192, 168, 4, 1], dns: [0; 4] };
        Self {
            target: Target { ssid: Ssid::EMPTY, key: Key::EMPTY, bssid: None },
            own: OwnNetwork {
                ssid: Short::new(&ssid).unwrap_or(Ssid::EMPTY),
                key: Key::EMPTY,
                security: OPEN,
                channel: 1,
                hidden: false,
                max_clients: 4,
            },
            reconnects: -1,
            tx_power: TX_POWER,
            power_saving: 1,
            protocols: PROTOCOLS,
            bandwidth: NARROW,
            addresses: [None, Some(own_address)],
            hostname: Short::new(HOSTNAME).unwrap_or(Short::EMPTY),
            country: NO_COUNTRY,
            clients: Vec::new(),
            macs: [None; 2],
        }
    }

    pub fn client_came(&mut self, mac: Mac) {
        self.client_left(mac);
        // The driver serves no more than there is room for.
        let _ = self.clients.push(mac);
    }

    pub fn client_left(&mut self, mac: Mac) {
        self.clients.retain(|client| *client != mac);
    }

    /// How the driver starts.
    pub fn controller(&self, active: [bool; 2]) -> ControllerConfig {
        ControllerConfig::default()
            .with_rx_queue_size(QUEUES.0)
            .with_tx_queue_size(QUEUES.1)
            .with_static_rx_buf_num(RECEIVE_BUFFERS.0)
            .with_dynamic_rx_buf_num(RECEIVE_BUFFERS.1)
            .with_dynamic_tx_buf_num(SEND_BUFFERS)
            .with_country_info(CountryInfo::from(if self.country == NO_COUNTRY {
                WORLD
            } else {
                self.country
            }))
            .with_initial_config(self.driver_config(active))
    }

    /// Who the driver is.
    pub fn driver_config(&self, [station, access_point]: [bool; 2]) -> Config {
        match (station, access_point) {
            (_, false) => Config::Station(self.station()),
            (false, true) => Config::AccessPoint(self.access_point()),
            (true, true) => Config::AccessPointStation(self.station(), self.access_point()),
        }
    }

    fn station(&self) -> StationConfig {
        let Target { ssid, key, bssid } = &self.target;
        let config = StationConfig::default()
            .with_ssid(ssid.as_bytes().try_into().unwrap_or_default())
            .with_authentication(authentication(key, WPA));
        match bssid {
            Some(bssid) => config.with_bssid(*bssid),
            None => config,
        }
    }

    fn access_point(&self) -> AccessPointConfig {
        let own = &self.own;
        AccessPointConfig::default()
            .with_ssid(own.ssid.as_bytes().try_into().unwrap_or_default())
            .with_authentication(authentication(&own.key, own.security))
            .with_channel(own.channel)
            .with_ssid_hidden(own.hidden)
            .with_max_connections(u16::from(own.max_clients))
    }

    /// Tells a driver that started just now what it does not start with.
    pub fn apply(&self, controller: &mut WifiController<'_>) {
        // Values that the driver accepted before, or its own defaults.
        for (role, mac) in [Role::Station, Role::AccessPoint].into_iter().zip(self.macs) {
            let _ = mac.map_or(Ok(()), |mac| set_driver_mac(role, mac));
        }
        let _ = controller.set_max_tx_power(self.tx_power);
        let _ = controller.set_power_saving(power_saving(self.power_saving));
        self.apply_to_interfaces(controller);
    }

    /// Tells a driver what it keeps for each interface, and forgets when one comes or goes.
    pub fn apply_to_interfaces(&self, controller: &mut WifiController<'_>) {
        // As for `apply`.
        let _ = set_protocols(controller, self.protocols);
        let _ = set_bandwidth(controller, self.bandwidth);
    }

    /// A number that a program reads.
    ///
    /// # Errors
    /// [`WifiError::NotStarted`].
    pub fn get(
        &self,
        controller: Option<&WifiController<'_>>,
        role: Role,
        setting: Setting,
    ) -> Result<i32, WifiError> {
        match setting {
            Setting::Channel => match controller {
                Some(controller) => {
                    controller.channel().map(|(channel, _)| i32::from(channel)).map_err(error)
                }
                None if role == Role::AccessPoint => Ok(i32::from(self.own.channel)),
                None => Err(WifiError::NotStarted),
            },
            Setting::Reconnects => Ok(self.reconnects),
            Setting::TxPower => Ok(i32::from(self.tx_power)),
            Setting::PowerSaving => Ok(self.power_saving),
            Setting::Protocol => Ok(self.protocols),
            Setting::Bandwidth => Ok(self.bandwidth),
        }
    }

    /// Sets a number.
    ///
    /// # Errors
    /// [`WifiError::NotStarted`], [`WifiError::Invalid`].
    pub fn set(
        &mut self,
        controller: Option<&mut WifiController<'_>>,
        role: Role,
        setting: Setting,
        value: i32,
    ) -> Result<(), WifiError> {
        match setting {
            Setting::Channel if role == Role::AccessPoint => {
                self.own.channel = u8::try_from(value).map_err(|_| WifiError::Invalid)?;
            }
            Setting::Channel => {
                let channel = u8::try_from(value).map_err(|_| WifiError::Invalid)?;
                let controller = controller.ok_or(WifiError::NotStarted)?;
                controller.set_channel(channel, SecondaryChannel::None).map_err(error)?;
            }
            Setting::Reconnects => self.reconnects = value.max(-1),
            Setting::TxPower => {
                let power = i8::try_from(value).map_err(|_| WifiError::Invalid)?;
                controller.ok_or(WifiError::NotStarted)?.set_max_tx_power(power).map_err(error)?;
                self.tx_power = power;
            }
            Setting::PowerSaving => {
                let controller = controller.ok_or(WifiError::NotStarted)?;
                controller.set_power_saving(power_saving(value)).map_err(error)?;
                self.power_saving = value;
            }
            Setting::Protocol => {
                set_protocols(controller.ok_or(WifiError::NotStarted)?, value)?;
                self.protocols = value;
            }
            Setting::Bandwidth => {
                set_bandwidth(controller.ok_or(WifiError::NotStarted)?, value)?;
                self.bandwidth = value;
            }
        }
        Ok(())
    }
}

/// Bits for 802.11b, g and n; the driver takes each only with those before it.
fn set_protocols(controller: &mut WifiController<'_>, bits: i32) -> Result<(), WifiError> {
    let set = match bits {
        1 => Protocol::B.into(),
        3 => Protocol::B | Protocol::G,
        PROTOCOLS => Protocol::B | Protocol::G | Protocol::N,
        8 => Protocol::LR.into(),
        15 => Protocol::B | Protocol::G | Protocol::N | Protocol::LR,
        _ => return Err(WifiError::Invalid),
    };
    controller.set_protocols(Protocols::default().with_2_4(set)).map_err(error)
}

fn set_bandwidth(controller: &mut WifiController<'_>, value: i32) -> Result<(), WifiError> {
    let bandwidth = match value {
        NARROW => Bandwidth::_20MHz,
        WIDE => Bandwidth::_40MHz,
        _ => return Err(WifiError::Invalid),
    };
    let before = controller.bandwidths().map_err(error)?;
    controller.set_bandwidths(before.with_2_4(bandwidth)).map_err(error)
}

fn power_saving(value: i32) -> PowerSaveMode {
    match value {
        0 => PowerSaveMode::None,
        1 => PowerSaveMode::Minimum,
        _ => PowerSaveMode::Maximum,
    }
}

fn authentication(key: &Key, security: u8) -> AuthenticationMethodConfig {
    let password = key.as_bytes().try_into().unwrap_or_default();
    match (key.as_bytes(), security) {
        ([], _) | (_, OPEN) => AuthenticationMethodConfig::Open,
        (_, WPA) => AuthenticationMethodConfig::Wpa(password),
        (_, WPA2) => AuthenticationMethodConfig::Wpa2Personal(password),
        _ => AuthenticationMethodConfig::WpaWpa2Personal(password),
    }
}

/// Looks whether there can be such a network.
///
/// # Errors
/// [`WifiError::Invalid`].
pub fn check(target: &Target) -> Result<(), WifiError> {
    let is_possible = matches!(target.key.as_bytes().len(), 0 | 8..=63) && !target.ssid.as_bytes().is_empty();
    if is_possible { Ok(()) } else { Err(WifiError::Invalid) }
}

/// How scans are made: hidden networks are shown, too.
pub fn scan() -> ScanConfig {
    ScanConfig::default().with_show_hidden(true)
}

/// What a scan found.
pub fn found(point: &AccessPointInfo) -> Found {
    Found {
        ssid: Short::new(point.ssid.as_str().as_bytes()).unwrap_or(Ssid::EMPTY),
        bssid: point.bssid,
        channel: point.channel,
        rssi: point.signal_strength,
        security: match point.auth_method {
            None | Some(AuthenticationMethod::None) => OPEN,
            Some(AuthenticationMethod::Wep) => 1,
            Some(AuthenticationMethod::Wpa) => WPA,
            Some(AuthenticationMethod::Wpa2Personal) => WPA2,
            Some(AuthenticationMethod::WpaWpa2Personal) => 4,
            Some(AuthenticationMethod::Wpa2Enterprise) => 5,
            Some(AuthenticationMethod::Wpa3Personal) => 6,
            Some(AuthenticationMethod::Wpa2Wpa3Personal) => 7,
            Some(AuthenticationMethod::WapiPersonal) => 8,
            Some(_) => 9,
        },
    }
}

/// An interface's MAC address.
pub fn mac(role: Role) -> Mac {
    let mac = interface_mac_address(match role {
        Role::Station => InterfaceMacAddress::Station,
        Role::AccessPoint => InterfaceMacAddress::AccessPoint,
    });
    let mut bytes = [0; 6];
    bytes.copy_from_slice(mac.as_bytes());
    bytes
}

/// Tells the driver an interface's address: the crate around it has no call for that.
///
/// # Errors
/// [`WifiError::Invalid`], [`WifiError::State`].
pub fn set_driver_mac(role: Role, mac: Mac) -> Result<(), WifiError> {
    const OK: i32 = 0;
    /// `ESP_ERR_INVALID_ARG`, `ESP_ERR_WIFI_MAC`
    const REFUSED: [i32; 2] = [0x102, 0x3009];
    // SAFETY: the driver copies six bytes, and answers with an error if it is not running.
    match unsafe { esp_wifi_sys_esp32c3::include::esp_wifi_set_mac(role as u32, mac.as_ptr()) } {
        OK => Ok(()),
        error if REFUSED.contains(&error) => Err(WifiError::Invalid),
        _ => Err(WifiError::State),
    }
}

/// What the driver's errors mean.
pub fn error(error: esp_radio::wifi::WifiError) -> WifiError {
    use esp_radio::wifi::WifiError as Driver;
    match error {
        Driver::OutOfMemory => WifiError::NoMemory,
        Driver::InvalidArguments | Driver::InvalidSsid | Driver::InvalidPassword => WifiError::Invalid,
        Driver::NotConnected => WifiError::NotConnected,
        Driver::Unsupported => WifiError::NotSupported,
        _ => WifiError::State,
    }
}
