//! The air around the board: access points, and the time that frames take.
//!
//! One frame at a time occupies a channel. An access point sends a lost frame again, up to seven times; the board's driver
//! does so itself. Everything is a function of simulated time and of the frames, so equal runs are equal. What the modelled
//! hardware transmits is really encrypted: a [`Capture`] opens in Wireshark with the passphrase.
//!
//! Layers: [`frame`], [`crypto`] -> [`handshake`] -> [`access_point`] -> this. Source of the times: IEEE Std 802.11-2020, clauses 15
//! to 19 (DIFS, SIFS, preambles), with the mean of the smallest contention window as back-off.

mod access_point;
pub mod crypto;
pub mod frame;
mod handshake;
mod neighbours;
mod pcap;

pub use access_point::{AccessPoint, AccessPointConfig};
pub use frame::Mac;
pub use neighbours::{Place, exchange};
pub use pcap::Capture;

use crate::time::{NEVER, TICKS_PER_US, Ticks};
use frame::Frame;
use neighbours::{Neighbours, Passing};
use std::collections::VecDeque;

/// Inter-frame space before a transmission, back-off included.
const BEFORE: Ticks = (28 + 67) * TICKS_PER_US;
/// Short inter-frame space and acknowledgement at 24 Mbit/s.
const ACKNOWLEDGEMENT: Ticks = (10 + 28) * TICKS_PER_US;
/// An access point sends a frame at most that often; the board's driver counts for itself.
const ATTEMPTS: u32 = 7;
const CHECK_SEQUENCE: usize = 4;
const CHANNELS: usize = 15;
/// How strong the board's own frames are in a capture, in dBm.
const BOARD_RSSI: i8 = -30;
/// What access points send at: management at 6, data at 54 Mbit/s.
const MANAGEMENT_RATE: Rate = Rate(0x0B);
const DATA_RATE: Rate = Rate(0x0C);

/// A rate as the hardware numbers them. Source: ESP-IDF's `wifi_phy_rate_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub u8);

impl Rate {
    /// Air time of `length` bytes, preamble included.
    #[must_use]
    pub fn air_time(self, length: usize) -> Ticks {
        let bits = 8 * length as u64;
        // Preamble in µs and rate in kbit/s.
        let (preamble, rate) = match self.0 {
            0x00 => (192, 1000),
            0x01 => (192, 2000),
            0x02 => (192, 5500),
            0x03 => (192, 11_000),
            0x05 => (96, 2000),
            0x06 => (96, 5500),
            0x07 => (96, 11_000),
            0x08 => (20, 48_000),
            0x09 => (20, 24_000),
            0x0A => (20, 12_000),
            0x0B => (20, 6000),
            0x0C => (20, 54_000),
            0x0D => (20, 36_000),
            0x0E => (20, 18_000),
            0x0F => (20, 9000),
            mcs => (36, [6500, 13_000, 19_500, 26_000, 39_000, 52_000, 58_500, 65_000][usize::from(mcs & 7)]),
        };
        preamble * TICKS_PER_US + bits * 1000 * TICKS_PER_US / rate
    }
}

/// A frame that the board's receiver hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When it ended.
    pub at: Ticks,
    /// Its channel.
    pub channel: u8,
    /// How strong it is, in dBm.
    pub rssi: i8,
    /// What it was sent at.
    pub rate: Rate,
    /// The frame without its check sequence.
    pub frame: Vec<u8>,
}

/// What became of a transmission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When the hardware is done with it.
    pub done_at: Ticks,
    /// It was acknowledged, or needs no acknowledgement.
    pub success: bool,
}

/// The air.
#[derive(Clone, Default)]
pub struct Air {
    access_points: Vec<AccessPoint>,
    busy_until: [Ticks; CHANNELS],
    /// What is on its way to the board, in the order in which it ends.
    coming: VecDeque<Heard>,
    /// Frames lost, in percent.
    pub loss_percent: u8,
    noise: u64,
    capture: Option<Capture>,
    neighbours: Option<Neighbours>,
}

impl Air {
    /// Puts an access point into reach.
    pub fn add(&mut self, config: AccessPointConfig) {
        self.access_points.push(AccessPoint::new(config));
    }

    /// The access points.
    pub fn access_points(&mut self) -> &mut [AccessPoint] {
        &mut self.access_points
    }

    /// Records what is on the air from now on.
    pub fn record(&mut self) {
        self.capture.get_or_insert_with(Capture::of_air);
    }

    /// What was recorded since [`Air::record`].
    #[must_use]
    pub fn capture(&self) -> Option<&Capture> {
        self.capture.as_ref()
    }

    /// Whether other boards hear what happens here, so that it goes on though this board does not listen.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.neighbours.is_some()
    }

    /// When a frame arrives or an access point has something to do.
    #[must_use]
    pub fn next_event(&self) -> Ticks {
        let coming = self.coming.front().map_or(NEVER, |heard| heard.at);
        self.access_points.iter().map(AccessPoint::next_event).min().unwrap_or(NEVER).min(coming)
    }

    /// Lets access points work and send.
    pub fn advance(&mut self, now: Ticks) {
        for index in 0..self.access_points.len() {
            if self.access_points[index].next_event() > now {
                continue;
            }
            self.access_points[index].advance(now);
            while let Some(frame) = self.access_points[index].send(now) {
                self.broadcast(index, frame, now);
            }
        }
    }

    /// The next frame that the board hears, if one has ended.
    pub fn hear(&mut self, now: Ticks) -> Option<Heard> {
        self.coming.pop_front_if(|heard| heard.at <= now)
    }

    /// An access point sends.
    fn broadcast(&mut self, index: usize, mut frame: Vec<u8>, now: Ticks) {
        let config = self.access_points[index].config();
        let (channel, rssi) = (config.channel, config.rssi);
        let is_data = Frame::parse(&frame).is_some_and(Frame::is_data);
        let rate = if is_data { DATA_RATE } else { MANAGEMENT_RATE };
        let group = frame[4] & 1 != 0;
        for attempt in 0..if group { 1 } else { ATTEMPTS } {
            let (begins, ends) = self.occupy(channel, rate, &mut frame, attempt, now, rssi);
            if attempt == 0 {
                self.tell_neighbours(ends, channel, rssi, rate, &frame);
            }
            if !self.is_lost() {
                self.arrive(Heard { at: ends, channel, rssi, rate, frame });
                return;
            }
            tracing::trace!("lost what began at {begins}");
        }
    }

    /// A frame is on its way to the board's receiver.
    fn arrive(&mut self, heard: Heard) {
        let behind = self.coming.iter().rposition(|other| other.at <= heard.at).map_or(0, |at| at + 1);
        self.coming.insert(behind, heard);
    }

    fn tell_neighbours(&mut self, ends: Ticks, channel: u8, rssi: i8, rate: Rate, frame: &[u8]) {
        if let Some(neighbours) = &mut self.neighbours {
            neighbours.sent.push(Passing { ends, channel, rssi, rate, frame: frame.to_vec() });
        }
    }

    /// The board sends: access points on `channel` hear it.
    pub fn transmit(&mut self, mut frame: Vec<u8>, channel: u8, rate: Rate, now: Ticks) -> Sent {
        let Some(receiver) = Frame::parse(&frame).map(Frame::receiver) else {
            // Control frames reach nobody who cares.
            let done_at = now + BEFORE + rate.air_time(frame.len() + CHECK_SEQUENCE);
            return Sent { done_at, success: true };
        };
        let group = receiver[0] & 1 != 0;
        let (_, ends) = self.occupy(channel, rate, &mut frame, 0, now, BOARD_RSSI);
        let done_at = ends + if group { 0 } else { ACKNOWLEDGEMENT };
        let mut acknowledged = false;
        if !self.is_lost() {
            for access_point in &mut self.access_points {
                if access_point.config().channel == channel {
                    acknowledged |= access_point.hears(receiver);
                    access_point.receive(&frame, done_at);
                }
            }
            self.tell_neighbours(ends, channel, BOARD_RSSI, rate, &frame);
            acknowledged |= self.neighbours.as_ref().is_some_and(|them| them.acknowledge(receiver, channel));
        }
        Sent { done_at, success: group || acknowledged }
    }

    /// Takes the channel for one attempt; gives when the frame begins and ends.
    fn occupy(
        &mut self,
        channel: u8,
        rate: Rate,
        frame: &mut [u8],
        attempt: u32,
        now: Ticks,
        rssi: i8,
    ) -> (Ticks, Ticks) {
        if attempt > 0 {
            frame[1] |= frame::flag::RETRY;
        }
        let busy = &mut self.busy_until[usize::from(channel) % CHANNELS];
        let begins = now.max(*busy) + BEFORE;
        let ends = begins + rate.air_time(frame.len() + CHECK_SEQUENCE);
        *busy = ends + if frame[4] & 1 == 0 { ACKNOWLEDGEMENT } else { 0 };
        if let Some(capture) = &mut self.capture {
            capture.add_radio(begins, channel, rssi, frame);
        }
        (begins, ends)
    }

    fn is_lost(&mut self) -> bool {
        if self.loss_percent == 0 {
            return false;
        }
        self.noise =
            self.noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.noise >> 33) % 100 < u64::from(self.loss_percent)
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
