//! An access point: beacons, probe responses, authentication, association, the four-way handshake, and the bridge to the
//! network behind it.
//!
//! It is told what it hears and the time, and fills an outbox. Source: IEEE Std 802.11-2020, clauses 9.3.3 (management frames),
//! 9.4.2 (elements), 11.3 (authentication and association).

use super::crypto::{self, CCMP_HEADER};
use super::frame::{self, BROADCAST, Frame, Mac, flag, kind};
use super::handshake::{GROUP_KEY_ID, Handshake, RSN_ELEMENT, Step};
use crate::net::{Network, NetworkConfig};
use crate::time::{NEVER, TICKS_PER_US, Ticks};
use std::collections::{BTreeMap, VecDeque};
use std::sync::OnceLock;

/// What an access point is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPointConfig {
    /// Name of the network, up to 32 bytes.
    pub ssid: String,
    /// WPA2-PSK with this passphrase of 8 to 63 characters; open without one.
    pub password: Option<String>,
    /// Its MAC address.
    pub bssid: Mac,
    /// 1 to 13.
    pub channel: u8,
    /// How strongly the board hears it, in dBm.
    pub rssi: i8,
    /// Its name is not in its beacons.
    pub hidden: bool,
    /// What is behind it.
    pub network: NetworkConfig,
}

impl AccessPointConfig {
    /// An access point on channel 6 at -40 dBm with the default network behind it.
    #[must_use]
    pub fn new(ssid: &str, password: Option<&str>) -> Self {
        Self {
            ssid: ssid.into(),
            password: password.map(Into::into),
            bssid: [0x02, 0x11, 0x22, 0x33, 0x44, 0x55],
            channel: 6,
            rssi: -40,
            hidden: false,
            network: NetworkConfig::default(),
        }
    }
}

/// A time unit of 1024 µs, a hundred of which lie between beacons.
const BEACON_INTERVAL: Ticks = 100 * 1024 * TICKS_PER_US;
/// What it takes to answer a request.
const TURNAROUND: Ticks = 200 * TICKS_PER_US;

const SSID: u8 = 0;
const RSN: u8 = 48;
/// 1, 2, 5.5 and 11 Mbit/s are mandatory; 6 to 54 Mbit/s.
const RATES: [u8; 16] = [1, 8, 0x82, 0x84, 0x8B, 0x96, 0x0C, 0x12, 0x18, 0x24, 50, 4, 0x30, 0x48, 0x60, 0x6C];
/// 802.11n: 20 MHz, MCS 0 to 7.
const HT_CAPABILITIES: [u8; 28] =
    [45, 26, 0x0C, 0, 0x03, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// Quality of service: the default parameters of the four access categories.
const WMM: [u8; 26] = [
    0xDD, 24, 0, 0x50, 0xF2, 2, 1, 1, 0, 0, 0x03, 0xA4, 0, 0, 0x27, 0xA4, 0, 0, 0x42, 0x43, 0x5E, 0, 0x62,
    0x32, 0x2F, 0,
];

const SUCCESS: u16 = 0;
const UNSUPPORTED_ALGORITHM: u16 = 13;
const INVALID_RSN: u16 = 40;
const DECLINED: u16 = 37;
const CLASS_3_FROM_STRANGER: u16 = 7;
const HANDSHAKE_TIMEOUT: u16 = 15;

/// A station that authenticated.
#[derive(Clone, Debug, Default)]
struct Station {
    associated: bool,
    handshake: Option<Handshake>,
    /// Packets encrypted for it.
    sent: u64,
}

impl Station {
    /// Whether its data may pass.
    fn is_ready(&self) -> bool {
        self.associated && self.handshake.as_ref().is_none_or(|handshake| handshake.keys().is_some())
    }
}

/// The access point.
#[derive(Clone)]
pub struct AccessPoint {
    config: AccessPointConfig,
    /// Made of the password when it is needed first: that takes the host a while.
    master: OnceLock<[u8; 32]>,
    group_key: [u8; 16],
    group_sent: u64,
    nonces: u64,
    sequence: u16,
    beacon_at: Ticks,
    stations: BTreeMap<Mac, Station>,
    network: Network,
    outbox: VecDeque<(Ticks, Vec<u8>)>,
    /// It is switched off: it neither sends nor hears.
    vanished: bool,
}

impl AccessPoint {
    /// An access point that sends its first beacon soon.
    #[must_use]
    pub fn new(config: AccessPointConfig) -> Self {
        let network = Network::new(config.network.clone(), config.bssid);
        // Beacons of several access points do not coincide.
        let beacon_at = (1000 + 137 * u64::from(config.bssid[5])) * TICKS_PER_US;
        let mut this = Self {
            config,
            master: OnceLock::new(),
            group_key: [0; 16],
            group_sent: 0,
            nonces: 0,
            sequence: 0,
            beacon_at,
            stations: BTreeMap::new(),
            network,
            outbox: VecDeque::new(),
            vanished: false,
        };
        let nonce = this.nonce();
        this.group_key.copy_from_slice(&nonce[..16]);
        this
    }

    /// What it was made with.
    #[must_use]
    pub fn config(&self) -> &AccessPointConfig {
        &self.config
    }

    /// The network behind it.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// Switches it off or on. It forgets its stations without telling them.
    pub fn switch(&mut self, on: bool) {
        self.vanished = !on;
        self.forget_stations();
    }

    /// Gives it another password, or none. It forgets its stations without telling them.
    pub fn set_password(&mut self, password: Option<&str>) {
        self.config.password = password.map(Into::into);
        self.master = OnceLock::new();
        self.forget_stations();
    }

    /// Whether it is on.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.vanished
    }

    fn forget_stations(&mut self) {
        self.stations.clear();
        self.outbox.clear();
    }

    /// Takes note of what is due now.
    pub fn advance(&mut self, now: Ticks) {
        if self.vanished {
            return;
        }
        if self.beacon_at <= now {
            let frame = self.announcement(kind::BEACON, BROADCAST, now);
            self.outbox.push_back((now, frame));
            // The grid is kept; beacons that nobody could have heard are not made up for.
            self.beacon_at += ((now - self.beacon_at) / BEACON_INTERVAL + 1) * BEACON_INTERVAL;
        }
        let due: Vec<Mac> = self
            .stations
            .iter()
            .filter(|(_, station)| station.handshake.as_ref().is_some_and(|h| h.next_event() <= now))
            .map(|(mac, _)| *mac)
            .collect();
        for mac in due {
            let step = self.handshake(mac).map_or(Step::Wait, |handshake| handshake.timeout(now));
            self.follow(mac, step, now);
        }
        for ethernet in self.network.advance(now) {
            self.bridge(&ethernet, now);
        }
    }

    /// When something is due next.
    #[must_use]
    pub fn next_event(&self) -> Ticks {
        if self.vanished {
            return NEVER;
        }
        let handshakes = self.stations.values().filter_map(|station| station.handshake.as_ref());
        let handshake = handshakes.map(Handshake::next_event).min().unwrap_or(NEVER);
        let out = self.outbox.front().map_or(NEVER, |(at, _)| *at);
        let network = if self.stations.is_empty() { NEVER } else { self.network.next_event() };
        self.beacon_at.min(handshake).min(network).min(out)
    }

    /// The next frame to send, if it is ready now.
    pub fn send(&mut self, now: Ticks) -> Option<Vec<u8>> {
        self.outbox.pop_front_if(|(at, _)| *at <= now).map(|(_, frame)| frame)
    }

    /// Whether it acknowledges a frame for `receiver`.
    #[must_use]
    pub fn hears(&self, receiver: Mac) -> bool {
        !self.vanished && receiver == self.config.bssid
    }

    /// Hears a frame that ended at `now`.
    pub fn receive(&mut self, bytes: &[u8], now: Ticks) {
        let Some(frame) = Frame::parse(bytes).filter(|_| !self.vanished) else { return };
        if frame.kind() == kind::PROBE_REQUEST {
            return self.probe(frame, now);
        }
        if frame.receiver() != self.config.bssid {
            return;
        }
        match frame.kind() {
            kind::AUTHENTICATION => self.authenticate(frame, now),
            kind::ASSOCIATION_REQUEST => self.associate(frame, now, 4),
            kind::REASSOCIATION_REQUEST => self.associate(frame, now, 10),
            kind::DEAUTHENTICATION | kind::DISASSOCIATION => {
                self.stations.remove(&frame.transmitter());
            }
            kind::ACTION => self.act(frame, now),
            kind::DATA | kind::QOS_DATA => self.data(frame, bytes, now),
            _ => {}
        }
    }

    /// Throws every station out.
    pub fn deauthenticate_all(&mut self, reason: u16, now: Ticks) {
        let stations: Vec<Mac> = self.stations.keys().copied().collect();
        for station in stations {
            self.deauthenticate(station, reason, now);
        }
    }

    fn deauthenticate(&mut self, station: Mac, reason: u16, now: Ticks) {
        self.stations.remove(&station);
        self.manage(kind::DEAUTHENTICATION, station, &reason.to_le_bytes(), now);
    }

    fn is_secure(&self) -> bool {
        self.config.password.is_some()
    }

    fn master_key(&self) -> Option<[u8; 32]> {
        let password = self.config.password.as_ref()?.as_bytes();
        Some(*self.master.get_or_init(|| crypto::pairwise_master_key(password, self.config.ssid.as_bytes())))
    }

    /// 32 bytes that no other call gives: a run with equal inputs is equal.
    fn nonce(&mut self) -> [u8; 32] {
        self.nonces += 1;
        let label = [&self.config.bssid[..], &self.nonces.to_le_bytes()].concat();
        let mut nonce = [0; 32];
        pbkdf2::pbkdf2_hmac::<sha1::Sha1>(&label, self.config.ssid.as_bytes(), 1, &mut nonce);
        nonce
    }

    fn head(&mut self, kind: u8, flags: u8, receiver: Mac, source: Mac) -> Vec<u8> {
        self.sequence = (self.sequence + 1) & 0xFFF;
        frame::header(kind, flags, receiver, self.config.bssid, source, self.sequence)
    }

    fn manage(&mut self, kind: u8, receiver: Mac, body: &[u8], now: Ticks) {
        let mut frame = self.head(kind, 0, receiver, self.config.bssid);
        frame.extend(body);
        self.outbox.push_back((now + TURNAROUND, frame));
    }

    fn capabilities(&self) -> [u8; 2] {
        // ESS, privacy; short slot time.
        [if self.is_secure() { 0x11 } else { 0x01 }, 0x04]
    }

    fn high_throughput(&self) -> Vec<u8> {
        let mut operation = [0; 24];
        operation[..3].copy_from_slice(&[61, 22, self.config.channel]);
        [&HT_CAPABILITIES[..], &operation, &WMM].concat()
    }

    fn announcement(&mut self, kind: u8, receiver: Mac, now: Ticks) -> Vec<u8> {
        let mut frame = self.head(kind, 0, receiver, self.config.bssid);
        frame.extend((now / TICKS_PER_US).to_le_bytes());
        frame.extend(100u16.to_le_bytes());
        frame.extend(self.capabilities());
        let shown = kind == kind::PROBE_RESPONSE || !self.config.hidden;
        let ssid = if shown { self.config.ssid.as_bytes() } else { &[] };
        frame.extend([SSID, ssid.len() as u8]);
        frame.extend(ssid);
        frame.extend(RATES);
        frame.extend([3, 1, self.config.channel]);
        if kind == kind::BEACON {
            frame.extend([5, 4, 0, 1, 0, 0]);
        }
        if self.is_secure() {
            frame.extend(RSN_ELEMENT);
        }
        frame.extend(self.high_throughput());
        frame
    }

    fn probe(&mut self, frame: Frame<'_>, now: Ticks) {
        let wanted = frame::element(frame.body(), SSID).unwrap_or(&[]);
        if wanted == self.config.ssid.as_bytes() || wanted.is_empty() && !self.config.hidden {
            let response = self.announcement(kind::PROBE_RESPONSE, frame.transmitter(), now);
            self.outbox.push_back((now + TURNAROUND, response));
        }
    }

    fn authenticate(&mut self, frame: Frame<'_>, now: Ticks) {
        let [algorithm_low, algorithm_high, 1, 0, ..] = *frame.body() else { return };
        let open = [algorithm_low, algorithm_high] == [0, 0];
        let status = if open { SUCCESS } else { UNSUPPORTED_ALGORITHM };
        if open {
            self.stations.insert(frame.transmitter(), Station::default());
        }
        let [low, high] = status.to_le_bytes();
        let body = [algorithm_low, algorithm_high, 2, 0, low, high];
        self.manage(kind::AUTHENTICATION, frame.transmitter(), &body, now);
    }

    fn associate(&mut self, frame: Frame<'_>, now: Ticks, fixed: usize) {
        let station = frame.transmitter();
        let elements = frame.body().get(fixed..).unwrap_or(&[]);
        if !self.stations.contains_key(&station) {
            return self.deauthenticate(station, CLASS_3_FROM_STRANGER, now);
        }
        if frame::element(elements, SSID) != Some(self.config.ssid.as_bytes()) {
            return;
        }
        let secure = frame::element(elements, RSN).is_some();
        let status = if secure == self.is_secure() { SUCCESS } else { INVALID_RSN };
        let mut body = self.capabilities().to_vec();
        body.extend(status.to_le_bytes());
        body.extend(0xC001u16.to_le_bytes());
        body.extend(RATES);
        body.extend(self.high_throughput());
        let response = match frame.kind() {
            kind::REASSOCIATION_REQUEST => kind::REASSOCIATION_RESPONSE,
            _ => kind::ASSOCIATION_RESPONSE,
        };
        self.manage(response, station, &body, now);
        if status != SUCCESS {
            return;
        }
        let nonce = self.nonce();
        let handshake = self.master_key().map(|master| {
            let start = now + 10 * TURNAROUND;
            Handshake::new(master, self.config.bssid, station, nonce, self.group_key, start)
        });
        self.stations.insert(station, Station { associated: true, handshake, sent: 0 });
    }

    /// Aggregation is declined; everything else that stations negotiate is optional.
    fn act(&mut self, frame: Frame<'_>, now: Ticks) {
        if let [3, 0, dialog, low, high, ..] = *frame.body() {
            let [status_low, status_high] = DECLINED.to_le_bytes();
            let body = [3, 1, dialog, status_low, status_high, low, high, 0, 0];
            self.manage(kind::ACTION, frame.transmitter(), &body, now);
        }
    }

    fn handshake(&mut self, station: Mac) -> Option<&mut Handshake> {
        self.stations.get_mut(&station)?.handshake.as_mut()
    }

    fn data(&mut self, frame: Frame<'_>, bytes: &[u8], now: Ticks) {
        let station = frame.transmitter();
        let Some(state) = self.stations.get(&station).filter(|state| state.associated) else {
            return self.deauthenticate(station, CLASS_3_FROM_STRANGER, now);
        };
        let keys = state.handshake.as_ref().and_then(Handshake::keys);
        let decrypted;
        let body = match keys {
            Some(keys) if frame.is_protected() => {
                let Some(plain) = crypto::ccmp_decrypt(&keys.temporal, bytes) else {
                    tracing::debug!("a frame of {station:02x?} has a wrong integrity code");
                    return;
                };
                decrypted = plain;
                &decrypted[frame.header_len() + CCMP_HEADER..]
            }
            _ if frame.is_protected() => return,
            _ => frame.body(),
        };
        let is_ready = state.is_ready();
        let Some(ethernet) = frame::to_ethernet(frame.address3(), station, body) else { return };
        if ethernet[12..14] == [0x88, 0x8E] {
            let step = self
                .handshake(station)
                .map_or(Step::Wait, |handshake| handshake.receive(&ethernet[14..], now));
            self.follow(station, step, now);
        } else if is_ready && frame.is_protected() == self.is_secure() {
            self.network.receive(ethernet, now);
        }
    }

    fn follow(&mut self, station: Mac, step: Step, now: Ticks) {
        match step {
            Step::Wait => {}
            Step::Complete => tracing::debug!("{station:02x?} has its keys"),
            Step::GiveUp => self.deauthenticate(station, HANDSHAKE_TIMEOUT, now),
            Step::Send(message) => {
                let mut frame = self.head(kind::DATA, flag::FROM_DS, station, self.config.bssid);
                frame.extend([0xAA, 0xAA, 3, 0, 0, 0, 0x88, 0x8E]);
                frame.extend(message);
                self.outbox.push_back((now + TURNAROUND, frame));
            }
        }
    }

    /// Sends what the network behind it has for the stations.
    fn bridge(&mut self, ethernet: &[u8], now: Ticks) {
        let Some((addresses, _)) = ethernet.split_at_checked(12) else { return };
        let destination: Mac = addresses[..6].try_into().expect("six of twelve bytes");
        let source: Mac = addresses[6..].try_into().expect("the other six");
        let Some(body) = frame::from_ethernet(ethernet) else { return };
        let group = destination[0] & 1 != 0;
        if group && !self.stations.values().any(Station::is_ready) {
            return;
        }
        let (key, number, id) = match self.stations.get_mut(&destination) {
            Some(station) if station.is_ready() => {
                station.sent += 1;
                let key = station.handshake.as_ref().and_then(Handshake::keys).map(|keys| keys.temporal);
                (key, station.sent, 0)
            }
            _ if group => {
                self.group_sent += 1;
                (self.config.password.as_ref().map(|_| self.group_key), self.group_sent, GROUP_KEY_ID)
            }
            _ => return,
        };
        let protected = if key.is_some() { flag::PROTECTED } else { 0 };
        let mut frame = self.head(kind::DATA, flag::FROM_DS | protected, destination, source);
        if let Some(key) = key {
            frame.extend(crypto::ccmp_header(number, id));
            frame.extend(body);
            frame = crypto::ccmp_encrypt(&key, &frame).expect("it has a CCMP header");
        } else {
            frame.extend(body);
        }
        self.outbox.push_back((now, frame));
    }
}
