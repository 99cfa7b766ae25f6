//! Wi-Fi with the vendor's driver (`esp-radio`), and sockets over it.
//!
//! The driver's tasks (`esp-rtos`) start with the first `active(True)`; until then the chip runs as if it had no radio. They
//! live in RAM that the Python heap gives up, for good, and so does everything of the network. A soft reset closes the sockets
//! and leaves the connection alone, as MicroPython does.
//!
//! Invariants:
//! - What the driver tells about itself goes nowhere near the terminal (its log features are off).
//! - `events` refers to a channel that is a static of `esp-radio`; it is dropped before the controller all the same.
//!
//! Source: MicroPython's `ports/esp32/network_wlan.c` for what a program sees.

mod card;
mod config;
mod espnow;
mod guard;
mod key;

use core::mem::MaybeUninit;
use core::pin::pin;
use core::sync::atomic::Ordering;
use core::task::{Context, Poll, Waker};

use esp_hal::peripherals::{FROM_CPU_INTR0, TIMG0, WIFI};
use esp_hal::rng::Rng;
use esp_hal::timer::timg::TimerGroup;
use esp_radio::wifi::event::{EventInfo, EventSubscriber};
use esp_radio::wifi::{Interface, WifiController};
use larch_board::net::Network;
use larch_hal::{
    Addresses, Found, Ipv4, Link, Mac, OwnNetwork, Role, Setting, Short, Sockets, Ssid, Target, Wifi,
    WifiError,
};
use larch_vm::vm::INTERRUPTED;

use crate::clock::{self, Beat};
use crate::memory;
pub use card::{Card, clear_work, has_work};
use config::Settings;

/// What the driver, its tasks, and buffers of sockets need beside what they share with the compiler; measured.
const MEMORY: usize = 64 * 1024;
/// Longest scan.
const SCAN_US: u64 = 5_000_000;
/// Both roles' places among the network's interfaces.
const ROLES: [Role; 2] = [Role::Station, Role::AccessPoint];
/// The driver's reason for a connection that `disconnect` ended.
const ASSOCIATION_LEAVE: u8 = 8;

/// What the driver needs of the chip.
pub struct Parts {
    /// The radio.
    pub wifi: WIFI<'static>,
    /// The clock of the driver's tasks.
    pub timer: TIMG0<'static>,
    /// Switches between tasks.
    pub switch: FROM_CPU_INTR0<'static>,
    /// Looks after the network while a program computes.
    pub beat: Beat,
}

/// The radio.
pub struct Radio {
    start: Option<(TIMG0<'static>, FROM_CPU_INTR0<'static>)>,
    beat: Beat,
    wifi: WIFI<'static>,
    driver: Option<Running>,
    has_memory: bool,
    active: [bool; 2],
    settings: Settings,
    link: Link,
    attempts: i32,
    /// ESP-NOW is on, so the driver stays.
    espnow: bool,
    /// What its messages are sent at, if a program said so.
    espnow_rate: Option<u8>,
    /// What sockets are made of.
    pub network: Network<Card>,
}

/// The driver while it runs.
struct Running {
    events: EventSubscriber<'static>,
    controller: WifiController<'static>,
}

/// Polls a future once; if it is not done it is dropped.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

impl Radio {
    /// The radio, switched off.
    pub fn new(parts: Parts) -> Self {
        Self {
            start: Some((parts.timer, parts.switch)),
            beat: parts.beat,
            wifi: parts.wifi,
            driver: None,
            has_memory: false,
            active: [false; 2],
            settings: Settings::new(),
            link: Link::default(),
            attempts: 0,
            espnow: false,
            espnow_rate: None,
            network: Network::new(clock::now_us, Rng::new().random()),
        }
    }

    /// Whether anything is to be polled.
    pub fn is_running(&self) -> bool {
        self.driver.is_some()
    }

    /// Moves frames, and reacts to what the driver tells.
    pub fn poll(&mut self) {
        if self.driver.is_none() {
            return;
        }
        self.listen();
        clear_work();
        self.network.poll();
    }

    /// Reacts to what the driver tells.
    pub fn listen(&mut self) {
        while let Some(event) = self.next_event() {
            self.react(event);
        }
    }

    fn next_event(&mut self) -> Option<EventInfo> {
        match poll_once(self.driver.as_mut()?.events.next_event_pure()) {
            Poll::Ready(event) => Some(event),
            Poll::Pending => None,
        }
    }

    fn react(&mut self, event: EventInfo) {
        match event {
            EventInfo::StationConnected { .. } => {
                self.link = Link { up: true, trying: true, reason: 0 };
                self.attempts = 0;
                self.set_up(Role::Station, true);
            }
            EventInfo::StationDisconnected { reason, .. } => {
                self.link.up = false;
                self.link.reason = reason.min(255) as u8;
                self.set_up(Role::Station, false);
                self.retry();
            }
            EventInfo::AccessPointStart => self.set_up(Role::AccessPoint, true),
            EventInfo::AccessPointStop => self.set_up(Role::AccessPoint, false),
            EventInfo::AccessPointStationConnected { mac, .. } => self.settings.client_came(mac),
            EventInfo::AccessPointStationDisconnected { mac, .. } => self.settings.client_left(mac),
            _ => {}
        }
    }

    fn set_up(&mut self, role: Role, up: bool) {
        if let Some(card) = self.network.driver(role as u8) {
            card.up = up;
        }
    }

    /// The driver does not try again by itself.
    fn retry(&mut self) {
        let is_enough = self.settings.reconnects >= 0 && self.attempts >= self.settings.reconnects;
        if !self.link.trying || is_enough {
            self.link.trying = false;
            return;
        }
        self.attempts = self.attempts.saturating_add(1);
        self.begin_to_connect();
    }

    fn begin_to_connect(&mut self) {
        if let Some(driver) = &mut self.driver {
            // How it ends is told by an event.
            let _ = poll_once(driver.controller.connect_async());
        }
    }

    fn controller(&mut self) -> Result<&mut WifiController<'static>, WifiError> {
        self.driver.as_mut().map(|driver| &mut driver.controller).ok_or(WifiError::NotStarted)
    }

    /// Starts the driver.
    fn start_driver(&mut self) -> Result<(), WifiError> {
        if let Some((timer, switch)) = self.start.take() {
            esp_rtos::start(TimerGroup::new(timer).timer0, switch);
        }
        // SAFETY: it is this module's, and a controller before this one is gone.
        let wifi = unsafe { self.wifi.clone_unchecked() };
        let config = self.settings.controller(self.active);
        let mut controller = WifiController::new(wifi, config).map_err(config::error)?;
        let events = controller.subscribe().map_err(config::error)?;
        // SAFETY: the subscriber refers to a static channel of the driver; its lifetime is that of the controller only so that
        // it ends first, and `Running` drops it first.
        let events: EventSubscriber<'static> = unsafe { core::mem::transmute(events) };
        self.settings.apply(&mut controller);
        self.driver = Some(Running { events, controller });
        self.beat.set(true);
        Ok(())
    }

    /// Has the driver do what `active` and the settings say.
    fn apply(&mut self) -> Result<(), WifiError> {
        if self.active == [false; 2] && !self.espnow {
            self.driver = None;
            self.link = Link::default();
            self.beat.set(false);
            return Ok(());
        }
        if self.driver.is_none() {
            return self.start_driver();
        }
        let config = self.settings.driver_config(self.active);
        let driver = self.driver.as_mut().ok_or(WifiError::NotStarted)?;
        driver.controller.set_config(&config).map_err(config::error)?;
        self.settings.apply_to_interfaces(&mut driver.controller);
        Ok(())
    }

    fn attach(&mut self, role: Role) -> Result<(), WifiError> {
        let interface = match role {
            Role::Station => Interface::try_station(),
            Role::AccessPoint => Interface::try_access_point(),
        };
        let card = Card::new(interface.ok_or(WifiError::State)?, self.mac(role));
        let rng = Rng::new();
        let seed = u64::from(rng.random()) << 32 | u64::from(rng.random());
        self.network.attach(role as u8, card, seed).map_err(|_| WifiError::NoMemory)?;
        let hostname = self.settings.hostname;
        self.network.set_host_name(role as u8, &hostname);
        if let Some(addresses) = self.settings.addresses[role as usize] {
            self.network.set_addresses(role as u8, Some(addresses));
        }
        if role == Role::AccessPoint {
            self.network.become_server(role as u8).map_err(|_| WifiError::NoMemory)?;
        }
        Ok(())
    }
}

impl Wifi for Radio {
    fn memory_wanted(&self) -> usize {
        if self.has_memory { 0 } else { MEMORY }
    }

    fn give_memory(&mut self, memory: &'static mut [MaybeUninit<u8>]) {
        self.has_memory = true;
        memory::give_to_rust(memory);
    }

    fn set_active(&mut self, role: Role, on: bool) -> Result<(), WifiError> {
        let index = role as usize;
        if self.active[index] == on {
            return Ok(());
        }
        if on {
            self.attach(role)?;
        }
        self.active[index] = on;
        if !on && role == Role::Station {
            self.link.trying = false;
            if let Some(driver) = &mut self.driver {
                // The driver may stay, for ESP-NOW.
                let _ = poll_once(driver.controller.disconnect_async());
            }
        }
        let done = self.apply();
        if done.is_err() {
            self.active = [false; 2];
            self.end_espnow();
            self.driver = None;
        }
        for role in ROLES {
            if !self.active[role as usize] {
                self.network.detach(role as u8);
            }
        }
        if role == Role::Station {
            self.link = Link::default();
        }
        self.poll();
        done
    }

    fn is_active(&self, role: Role) -> bool {
        self.active[role as usize]
    }

    fn connect(&mut self, target: Option<&Target>) -> Result<(), WifiError> {
        if !self.active[Role::Station as usize] {
            return Err(WifiError::NotStarted);
        }
        if let Some(target) = target {
            config::check(target)?;
            if self.link.trying {
                // The driver takes no other target while it is busy with one.
                self.link.trying = false;
                let _ = poll_once(self.controller()?.disconnect_async());
            }
            self.settings.target = *target;
            self.apply()?;
        }
        self.poll();
        self.attempts = 0;
        self.link = Link { trying: true, ..Link::default() };
        self.begin_to_connect();
        Ok(())
    }

    fn disconnect(&mut self) -> Result<(), WifiError> {
        self.link.trying = false;
        let driver = self.controller()?;
        let _ = poll_once(driver.disconnect_async());
        self.poll();
        self.link.reason = ASSOCIATION_LEAVE;
        Ok(())
    }

    fn link(&self) -> Link {
        self.link
    }

    fn target_ssid(&self) -> Ssid {
        self.settings.target.ssid
    }

    fn rssi(&self) -> Result<i8, WifiError> {
        let driver = self.driver.as_ref().ok_or(WifiError::NotStarted)?;
        if !self.link.up {
            return Err(WifiError::NotConnected);
        }
        driver.controller.rssi().map(|rssi| rssi as i8).map_err(config::error)
    }

    fn scan(&mut self, show: &mut dyn FnMut(&Found)) -> Result<(), WifiError> {
        if !self.active[Role::Station as usize] {
            return Err(WifiError::NotStarted);
        }
        let end_us = clock::now_us() + SCAN_US;
        let scan = config::scan();
        let mut future = pin!(self.controller()?.scan_async(&scan));
        let found = loop {
            match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(found) => break found.map_err(config::error)?,
                Poll::Pending if INTERRUPTED.load(Ordering::Relaxed) || clock::now_us() >= end_us => {
                    return Ok(());
                }
                // The driver's tasks have a turn, and interrupts.
                Poll::Pending => esp_hal::interrupt::wait_for_interrupt(),
            }
        };
        found.iter().for_each(|point| show(&config::found(point)));
        Ok(())
    }

    fn own_network(&self) -> OwnNetwork {
        self.settings.own
    }

    fn set_own_network(&mut self, network: &OwnNetwork) -> Result<(), WifiError> {
        self.settings.own = *network;
        if self.active[Role::AccessPoint as usize] { self.apply() } else { Ok(()) }
    }

    fn client(&self, index: usize) -> Option<(Mac, Option<Ipv4>)> {
        let mac = self.settings.clients.get(index)?;
        Some((*mac, self.network.lease_of(Role::AccessPoint as u8, *mac)))
    }

    fn mac(&self, role: Role) -> Mac {
        self.settings.macs[role as usize].unwrap_or_else(|| config::mac(role))
    }

    fn set_mac(&mut self, role: Role, mac: Mac) -> Result<(), WifiError> {
        self.controller()?;
        config::set_driver_mac(role, mac)?;
        self.settings.macs[role as usize] = Some(mac);
        if let Some(card) = self.network.driver(role as u8) {
            card.mac = mac;
        }
        self.network.mac_changed(role as u8);
        Ok(())
    }

    fn setting(&self, role: Role, setting: Setting) -> Result<i32, WifiError> {
        let controller = self.driver.as_ref().map(|driver| &driver.controller);
        self.settings.get(controller, role, setting)
    }

    fn set_setting(&mut self, role: Role, setting: Setting, value: i32) -> Result<(), WifiError> {
        let controller = self.driver.as_mut().map(|driver| &mut driver.controller);
        self.settings.set(controller, role, setting, value)
    }

    fn addresses(&self, role: Role) -> Addresses {
        self.network.addresses(role as u8).or(self.settings.addresses[role as usize]).unwrap_or_default()
    }

    fn set_addresses(&mut self, role: Role, addresses: Option<Addresses>) {
        self.settings.addresses[role as usize] = addresses;
        self.network.set_addresses(role as u8, addresses);
        self.poll();
    }

    fn set_dns(&mut self, dns: Ipv4) {
        self.network.set_dns(Role::Station as u8, dns);
    }

    fn dhcp(&self, role: Role) -> (bool, bool) {
        let wants = self.settings.addresses[role as usize].is_none();
        (wants, self.addresses(role).address != [0; 4])
    }

    fn hostname(&self) -> Short<32> {
        self.settings.hostname
    }

    fn set_hostname(&mut self, name: Short<32>) {
        if name != self.settings.hostname {
            self.settings.hostname = name;
            for role in ROLES {
                self.network.set_host_name(role as u8, &name);
            }
        }
    }

    fn country(&self) -> [u8; 2] {
        self.settings.country
    }

    fn set_country(&mut self, country: [u8; 2]) -> Result<(), WifiError> {
        self.settings.country = country;
        Ok(())
    }
}
