//! The air around an emulated board: the access points of `boards.yaml`, and what a scenario does to them.

use std::io;
use std::path::Path;

use larch_boards::AccessPoint;
use larch_emulator::air::AccessPointConfig;
use larch_emulator::net::NetworkConfig;
use larch_emulator::time::ticks;
use larch_emulator::{Board, air::Mac};

use crate::scenario::{AirChange, ApChange};

/// Channels and strengths of access points that do not say theirs: those that overlap least, best first.
const CHANNELS: [u8; 3] = [6, 1, 11];
const BEST_RSSI: i8 = -40;
const RSSI_STEP: i8 = 8;
/// MAC addresses of access points that do not say theirs; the last byte counts.
const FIRST_BSSID: Mac = [0x02, 0x11, 0x22, 0x33, 0x44, 0x55];

/// What becomes of `forwards:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forwards {
    /// Ports of this machine lead to the board.
    Listen,
    /// Many boards of one description run at once; they would fight for the ports.
    Ignore,
}

/// Puts access points around a board; directories are relative to `root`.
///
/// # Errors
/// A name or a password whose environment variable is not set.
pub fn surround(
    board: &mut Board,
    access_points: &[AccessPoint],
    forwards: Forwards,
    root: &Path,
) -> io::Result<()> {
    for (number, point) in (0..).zip(access_points) {
        let mut config = config(number, point, root).map_err(io::Error::other)?;
        if forwards == Forwards::Ignore {
            config.network.forwards.clear();
        }
        board.chip_mut().air().add(config);
    }
    Ok(())
}

fn config(number: u8, point: &AccessPoint, root: &Path) -> Result<AccessPointConfig, String> {
    let simulated = &point.simulated;
    let mut bssid = FIRST_BSSID;
    bssid[5] += number;
    let gateway = simulated.gateway();
    let network = NetworkConfig {
        gateway,
        prefix: simulated.subnet.prefix,
        lease: simulated.lease(),
        dns: simulated.dns.unwrap_or(gateway),
        names: simulated.names.clone(),
        forwards: simulated.forwards.clone(),
        files: simulated.files.as_ref().map(|files| root.join(files)),
        outside: simulated.outside,
        ..NetworkConfig::default()
    };
    Ok(AccessPointConfig {
        ssid: point.ssid.reveal()?,
        password: point.password.as_ref().map(larch_boards::Secret::reveal).transpose()?,
        bssid: simulated.bssid.unwrap_or(bssid),
        channel: simulated.channel.unwrap_or(CHANNELS[usize::from(number) % CHANNELS.len()]),
        rssi: simulated.rssi.unwrap_or(BEST_RSSI.saturating_sub(RSSI_STEP.saturating_mul(number as i8))),
        hidden: simulated.hidden,
        network,
    })
}

/// Does to an access point what a scenario says.
///
/// # Errors
/// If the board has no such access point.
pub(super) fn change(board: &mut Board, change: &AirChange) -> io::Result<()> {
    let now = board.now_ticks();
    let air = board.chip_mut().air();
    if let ApChange::Loss(percent) = change.what {
        air.loss_percent = percent;
        return Ok(());
    }
    let count = air.access_points().len();
    let Some(point) = air.access_points().get_mut(change.access_point) else {
        let why = format!("the board has {count} access points (`access-points:` in boards.yaml)");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    };
    match &change.what {
        ApChange::Up(up) => point.switch(*up),
        ApChange::Password(password) => point.set_password(Some(password)),
        ApChange::Deauthenticate => point.deauthenticate_all(PREVIOUS_AUTHENTICATION_EXPIRED, now),
        ApChange::Dhcp(answers) => point.network().faults.dhcp_silent = !answers,
        ApChange::Dns(answers) => point.network().faults.dns_silent = !answers,
        ApChange::Latency(time) => point.network().faults.latency = ticks(*time),
        ApChange::Reorder(percent) => point.network().faults.reorder_percent = *percent,
        ApChange::Call(port, call) => point.network().call(*port, call, now),
        ApChange::Loss(_) => {}
    }
    Ok(())
}

/// Reason code 2 of IEEE Std 802.11.
const PREVIOUS_AUTHENTICATION_EXPIRED: u16 = 2;
