//! ESP-NOW with the vendor's library: the crate around the driver would wait for the end of what is sent, so its functions are
//! called directly.
//!
//! The library calls back from the driver's task. What arrives is kept in [`POST`] until the program takes it, and the program is
//! told to look up.
//!
//! Invariant: callbacks are registered only while [`Radio::espnow`] is on, and the driver runs as long as that is so.

use core::mem::zeroed;
use core::slice;
use core::sync::atomic::Ordering;

use esp_sync::NonReentrantMutex;
use esp_wifi_sys_esp32c3::include as esp;
use larch_board::net::Mailbox;
use larch_hal::{Envelope, EspError, EspNow, KEY_LEN, Mac, Peer, Traffic};
use larch_vm::vm::PENDING;

use super::{Radio, card};
use crate::clock;

/// What the library and the program share.
struct Post {
    mailbox: Option<Mailbox>,
    traffic: Traffic,
}

static POST: NonReentrantMutex<Post> = NonReentrantMutex::new(Post {
    mailbox: None,
    traffic: Traffic { sent: 0, answered: 0, failed: 0, received: 0, dropped: 0 },
});

/// As MicroPython's clock shows milliseconds.
const TICKS_MASK: u64 = (1 << 30) - 1;
/// Rates that are not of 802.11b, by number.
const RATES_11G: core::ops::RangeInclusive<u8> = 8..=15;
const RATES_HT: core::ops::RangeInclusive<u8> = 16..=31;
const RATES_LONG_RANGE: core::ops::RangeInclusive<u8> = 41..=42;

unsafe extern "C" fn on_sent(_about: *const esp::esp_now_send_info_t, status: esp::esp_now_send_status_t) {
    POST.with(|post| {
        post.traffic.answered += 1;
        if status != esp::esp_now_send_status_t_ESP_NOW_SEND_SUCCESS {
            post.traffic.failed += 1;
        }
    });
    card::ring();
}

unsafe extern "C" fn on_received(about: *const esp::esp_now_recv_info_t, message: *const u8, len: i32) {
    // SAFETY: the library says where `len` bytes and what it knows of them are, until this function returns.
    let (envelope, message) = unsafe {
        let about = &*about;
        let envelope = Envelope {
            from: *about.src_addr.cast::<Mac>(),
            rssi: (*about.rx_ctrl).rssi() as i8,
            at_ms: ((clock::now_us() / 1000) & TICKS_MASK) as u32,
            len: 0,
        };
        (envelope, slice::from_raw_parts(message, usize::try_from(len).unwrap_or(0)))
    };
    POST.with(|Post { mailbox, traffic }| {
        let is_kept = mailbox.as_mut().is_some_and(|mailbox| mailbox.put(&envelope, message));
        let count = if is_kept { &mut traffic.received } else { &mut traffic.dropped };
        *count += 1;
    });
    PENDING.store(true, Ordering::Relaxed);
    card::ring();
}

fn check(code: i32) -> Result<(), EspError> {
    if code == 0 { Ok(()) } else { Err(EspError(code)) }
}

fn to_driver(peer: &Peer) -> esp::esp_now_peer_info_t {
    esp::esp_now_peer_info_t {
        peer_addr: peer.mac,
        lmk: peer.key,
        channel: peer.channel,
        ifidx: peer.interface.into(),
        encrypt: peer.encrypted,
        priv_: core::ptr::null_mut(),
    }
}

fn from_driver(peer: &esp::esp_now_peer_info_t) -> Peer {
    Peer {
        mac: peer.peer_addr,
        key: peer.lmk,
        channel: peer.channel,
        interface: peer.ifidx as u8,
        encrypted: peer.encrypt,
    }
}

/// A rate with what goes with it.
fn rate_config(rate: u8) -> esp::esp_now_rate_config_t {
    let phymode = match rate {
        rate if RATES_11G.contains(&rate) => esp::wifi_phy_mode_t_WIFI_PHY_MODE_11G,
        rate if RATES_HT.contains(&rate) => esp::wifi_phy_mode_t_WIFI_PHY_MODE_HT20,
        rate if RATES_LONG_RANGE.contains(&rate) => esp::wifi_phy_mode_t_WIFI_PHY_MODE_LR,
        _ => esp::wifi_phy_mode_t_WIFI_PHY_MODE_11B,
    };
    esp::esp_now_rate_config_t { phymode, rate: rate.into(), ersu: false, dcm: false }
}

fn set_peer_rate(mac: Mac, rate: u8) -> Result<(), EspError> {
    // SAFETY: the library copies both.
    check(unsafe { esp::esp_now_set_peer_rate_config(mac.as_ptr(), &mut rate_config(rate)) })
}

impl Radio {
    /// The library's functions may be called.
    fn need_espnow(&self) -> Result<(), EspError> {
        if self.espnow { Ok(()) } else { Err(EspError::OFF) }
    }

    /// Ends ESP-NOW but leaves the radio as it is.
    pub(super) fn end_espnow(&mut self) {
        if !self.espnow {
            return;
        }
        self.espnow = false;
        self.espnow_rate = None;
        // SAFETY: it was started; after this the library calls nobody any more.
        unsafe {
            esp::esp_now_unregister_recv_cb();
            esp::esp_now_unregister_send_cb();
            esp::esp_now_deinit();
        }
        POST.with(|post| {
            post.mailbox = None;
            post.traffic.sent = post.traffic.answered;
        });
    }

    /// Everything as after boot.
    pub fn reset_espnow(&mut self) {
        self.stop();
        POST.with(|post| post.traffic = Traffic::default());
    }
}

impl EspNow for Radio {
    fn start(&mut self, room: usize) -> Result<(), EspError> {
        if self.espnow {
            return Ok(());
        }
        let mailbox = Mailbox::new(room).ok_or(EspError::NO_MEMORY)?;
        if self.driver.is_none() {
            self.start_driver().map_err(|_| EspError::NO_RADIO)?;
        }
        POST.with(|post| post.mailbox = Some(mailbox));
        self.espnow = true;
        // SAFETY: the driver runs; the callbacks are functions for ever.
        let begun = unsafe {
            check(esp::esp_now_init())
                .and_then(|()| check(esp::esp_now_register_recv_cb(Some(on_received))))
                .and_then(|()| check(esp::esp_now_register_send_cb(Some(on_sent))))
        };
        begun.inspect_err(|_| self.stop())
    }

    fn stop(&mut self) {
        self.end_espnow();
        // The driver may not be needed any more; if it cannot go it stays.
        let _ = self.apply();
    }

    fn is_on(&self) -> bool {
        self.espnow
    }

    fn set_rate(&mut self, rate: u8) -> Result<(), EspError> {
        self.need_espnow()?;
        self.espnow_rate = Some(rate);
        let mut peer = self.next_peer(true);
        while let Some(Peer { mac, .. }) = peer {
            set_peer_rate(mac, rate)?;
            peer = self.next_peer(false);
        }
        Ok(())
    }

    fn set_primary_key(&mut self, key: &[u8; KEY_LEN]) -> Result<(), EspError> {
        self.need_espnow()?;
        // SAFETY: the library copies the key.
        check(unsafe { esp::esp_now_set_pmk(key.as_ptr()) })
    }

    fn add_peer(&mut self, peer: &Peer) -> Result<(), EspError> {
        self.need_espnow()?;
        // SAFETY: the library copies what is told of the peer.
        check(unsafe { esp::esp_now_add_peer(&to_driver(peer)) })?;
        self.espnow_rate.map_or(Ok(()), |rate| set_peer_rate(peer.mac, rate))
    }

    fn change_peer(&mut self, peer: &Peer) -> Result<(), EspError> {
        self.need_espnow()?;
        // SAFETY: as for `add_peer`.
        check(unsafe { esp::esp_now_mod_peer(&to_driver(peer)) })
    }

    fn remove_peer(&mut self, mac: Mac) -> Result<(), EspError> {
        self.need_espnow()?;
        // SAFETY: the library reads six bytes.
        check(unsafe { esp::esp_now_del_peer(mac.as_ptr()) })
    }

    fn peer(&self, mac: Mac) -> Result<Peer, EspError> {
        self.need_espnow()?;
        // SAFETY: zeros are a peer; the library fills it.
        let (code, peer) = unsafe {
            let mut peer = zeroed();
            (esp::esp_now_get_peer(mac.as_ptr(), &mut peer), peer)
        };
        check(code).map(|()| from_driver(&peer))
    }

    fn next_peer(&self, is_first: bool) -> Option<Peer> {
        self.need_espnow().ok()?;
        // SAFETY: as for `peer`.
        let (code, peer) = unsafe {
            let mut peer = zeroed();
            (esp::esp_now_fetch_peer(is_first, &mut peer), peer)
        };
        check(code).ok().map(|()| from_driver(&peer))
    }

    fn peer_count(&self) -> Result<[i32; 2], EspError> {
        self.need_espnow()?;
        let mut count = esp::esp_now_peer_num_t { total_num: 0, encrypt_num: 0 };
        // SAFETY: the library fills it.
        check(unsafe { esp::esp_now_get_peer_num(&mut count) })?;
        Ok([count.total_num, count.encrypt_num])
    }

    fn send(&mut self, to: Option<Mac>, message: &[u8]) -> Result<(), EspError> {
        self.need_espnow()?;
        let mut peers = 1;
        if to.is_none() {
            peers = 0;
            while self.next_peer(peers == 0).is_some() {
                peers += 1;
            }
        }
        // Answers may come before the function returns.
        POST.with(|post| post.traffic.sent += peers);
        let to = to.as_ref().map_or(core::ptr::null(), |mac| mac.as_ptr());
        // SAFETY: the library copies both before it returns.
        let sent = check(unsafe { esp::esp_now_send(to, message.as_ptr(), message.len()) });
        sent.inspect_err(|_| POST.with(|post| post.traffic.sent -= peers))
    }

    fn traffic(&self) -> Traffic {
        POST.with(|post| post.traffic)
    }

    fn waiting(&self) -> Option<usize> {
        POST.with(|post| post.mailbox.as_ref()?.first()).map(|envelope| envelope.len.into())
    }

    fn take(&mut self, message: &mut [u8]) -> Option<Envelope> {
        POST.with(|post| post.mailbox.as_mut()?.take(message))
    }

    fn discard(&mut self) {
        POST.with(|post| {
            if let Some(mailbox) = &mut post.mailbox {
                mailbox.clear();
            }
        });
    }
}
