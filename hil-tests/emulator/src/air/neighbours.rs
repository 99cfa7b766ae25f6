//! Other boards in reach: each has an air of its own, and what is sent in one is passed on to the others.
//!
//! Invariant: whoever lets the boards run calls [`exchange`] after every step, so a frame arrives a step late at most. Access points
//! belong to one board's air; the other boards hear them, and are heard by them, through it.

use super::{Air, Heard, Mac, Rate};
use crate::time::Ticks;

/// A frame on its way to the other boards.
#[derive(Clone, Debug)]
pub(super) struct Passing {
    pub ends: Ticks,
    pub channel: u8,
    pub rssi: i8,
    pub rate: Rate,
    pub frame: Vec<u8>,
}

/// What an air knows of the boards around it.
#[derive(Clone, Debug, Default)]
pub(super) struct Neighbours {
    /// Who else acknowledges frames: addresses, and the channels they are on.
    pub stations: Vec<(Mac, u8)>,
    /// What was sent here.
    pub sent: Vec<Passing>,
}

impl Neighbours {
    pub fn acknowledge(&self, receiver: Mac, channel: u8) -> bool {
        self.stations.contains(&(receiver, channel))
    }
}

/// One board's part of what all boards share.
pub struct Place<'a> {
    /// The addresses at which its radio acknowledges frames, and its channel.
    pub stations: Vec<(Mac, u8)>,
    /// The present moment there.
    pub now: Ticks,
    /// Its air.
    pub air: &'a mut Air,
}

/// Lets frames pass between places that have all come to the same time, or nearly so.
pub fn exchange(places: &mut [Place<'_>]) {
    let mut stations = Vec::new();
    let mut sent = Vec::new();
    for (index, place) in places.iter_mut().enumerate() {
        let here = place.stations.iter().copied().chain(place.air.beacons());
        stations.extend(here.map(|station| (index, station)));
        sent.extend(place.air.take_sent().into_iter().map(|passing| (index, passing)));
    }
    for (index, place) in places.iter_mut().enumerate() {
        let others = stations.iter().filter(|(owner, _)| *owner != index).map(|(_, station)| *station);
        place.air.meet(others.collect());
        for (_, passing) in sent.iter().filter(|(owner, _)| *owner != index) {
            place.air.overhear(passing, place.now);
        }
    }
}

impl Air {
    /// Access points that are on: their addresses and channels.
    fn beacons(&self) -> Vec<(Mac, u8)> {
        let on = self.access_points.iter().filter(|point| point.is_on());
        on.map(|point| (point.config().bssid, point.config().channel)).collect()
    }

    fn take_sent(&mut self) -> Vec<Passing> {
        self.neighbours.as_mut().map(|neighbours| std::mem::take(&mut neighbours.sent)).unwrap_or_default()
    }

    /// Who else is there now.
    fn meet(&mut self, stations: Vec<(Mac, u8)>) {
        self.neighbours.get_or_insert_default().stations = stations;
    }

    /// Another board, or an access point around it, has sent something.
    fn overhear(&mut self, passing: &Passing, now: Ticks) {
        if self.is_lost() {
            return;
        }
        let Passing { ends, channel, rssi, rate, ref frame } = *passing;
        let at = ends.max(now);
        if let Some(capture) = &mut self.capture {
            capture.add_radio(at, channel, rssi, frame);
        }
        for access_point in self.access_points.iter_mut().filter(|point| point.config().channel == channel) {
            access_point.receive(frame, at);
        }
        self.arrive(Heard { at, channel, rssi, rate, frame: frame.clone() });
    }
}
