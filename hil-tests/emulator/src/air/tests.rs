//! A station that is made of a few frames, at access points of both kinds.

use super::frame::{Frame, flag, header, kind};
use super::*;
use crate::time::TICKS_PER_SECOND;

const STATION: Mac = [0x60, 0x55, 0xF9, 0, 0, 1];
const BSSID: Mac = [0x02, 0x11, 0x22, 0x33, 0x44, 0x55];

fn air(password: Option<&str>) -> Air {
    let mut air = Air::default();
    air.add(AccessPointConfig::new("net", password));
    air
}

/// Everything that is heard until `until`.
fn listen(air: &mut Air, until: Ticks) -> Vec<Heard> {
    let mut heard = Vec::new();
    while air.next_event() <= until {
        let now = air.next_event();
        air.advance(now);
        heard.extend(std::iter::from_fn(|| air.hear(now)));
    }
    heard
}

fn send(air: &mut Air, kind: u8, body: &[u8], now: Ticks) -> Sent {
    let mut frame = header(kind, 0, BSSID, STATION, BSSID, 1);
    frame.extend(body);
    air.transmit(frame, 6, Rate(0x0B), now)
}

fn kinds(heard: &[Heard]) -> Vec<u8> {
    heard
        .iter()
        .filter_map(|heard| Frame::parse(&heard.frame).map(Frame::kind))
        .filter(|&kind| kind != kind::BEACON)
        .collect()
}

#[test]
fn beacons_come_every_hundred_time_units() {
    let mut air = air(None);
    let heard = listen(&mut air, TICKS_PER_SECOND);
    assert_eq!(heard.len(), 10);
    let gap = heard[1].at - heard[0].at;
    assert_eq!(gap, 102_400 * TICKS_PER_US);
    assert_eq!(frame::element(&heard[0].frame[36..], 0), Some(&b"net"[..]));
}

#[test]
fn an_open_access_point_lets_a_station_in() {
    let mut air = air(None);
    assert!(send(&mut air, kind::AUTHENTICATION, &[0, 0, 1, 0, 0, 0], 0).success);
    let now = TICKS_PER_SECOND / 100;
    send(&mut air, kind::ASSOCIATION_REQUEST, b"\x01\x00\x0a\x00\x00\x03net", now);
    let heard = listen(&mut air, 2 * now);
    assert_eq!(kinds(&heard), [kind::AUTHENTICATION, kind::ASSOCIATION_RESPONSE]);
    let response = heard.iter().find(|heard| heard.frame[0] == kind::ASSOCIATION_RESPONSE).unwrap();
    assert_eq!(response.frame[26..28], [0, 0], "status");
}

#[test]
fn a_station_without_encryption_is_refused_where_it_is_needed() {
    let mut air = air(Some("correct horse"));
    send(&mut air, kind::AUTHENTICATION, &[0, 0, 1, 0, 0, 0], 0);
    send(&mut air, kind::ASSOCIATION_REQUEST, b"\x01\x00\x0a\x00\x00\x03net", 100_000);
    let heard = listen(&mut air, TICKS_PER_SECOND / 10);
    let response = heard.iter().find(|heard| heard.frame[0] == kind::ASSOCIATION_RESPONSE).unwrap();
    assert_eq!(response.frame[26..28], [40, 0], "status");
}

#[test]
fn strangers_are_sent_away_and_the_vanished_do_not_answer() {
    let mut air = air(None);
    let mut frame = header(kind::DATA, flag::TO_DS, BSSID, STATION, BSSID, 1);
    frame.extend([0xAA, 0xAA, 3, 0, 0, 0, 8, 0]);
    assert!(air.transmit(frame.clone(), 6, Rate(0x0C), 0).success);
    assert_eq!(kinds(&listen(&mut air, TICKS_PER_SECOND / 100)), [kind::DEAUTHENTICATION]);
    assert!(!air.transmit(frame.clone(), 1, Rate(0x0C), 0).success, "another channel");
    air.access_points()[0].switch(false);
    assert!(!air.transmit(frame, 6, Rate(0x0C), 0).success);
}

#[test]
fn an_access_point_that_returns_knows_nobody() {
    let mut air = air(None);
    send(&mut air, kind::AUTHENTICATION, &[0, 0, 1, 0, 0, 0], 0);
    send(&mut air, kind::ASSOCIATION_REQUEST, b"\x01\x00\x0a\x00\x00\x03net", 100_000);
    listen(&mut air, TICKS_PER_SECOND / 10);
    air.access_points()[0].switch(false);
    assert!(listen(&mut air, TICKS_PER_SECOND).is_empty(), "no beacon either");
    air.access_points()[0].switch(true);
    let mut frame = header(kind::DATA, flag::TO_DS, BSSID, STATION, BSSID, 1);
    frame.extend([0xAA, 0xAA, 3, 0, 0, 0, 8, 0]);
    air.transmit(frame, 6, Rate(0x0C), TICKS_PER_SECOND);
    assert_eq!(kinds(&listen(&mut air, 2 * TICKS_PER_SECOND)), [kind::DEAUTHENTICATION]);
}

#[test]
fn one_frame_at_a_time_is_on_a_channel() {
    let mut air = air(None);
    let first = send(&mut air, kind::NULL, &[], 0);
    let second = send(&mut air, kind::NULL, &[], 0);
    assert!(second.done_at >= 2 * first.done_at, "{first:?} {second:?}");
}

#[test]
fn equal_losses_in_equal_runs() {
    let run = || {
        let mut air = air(None);
        air.loss_percent = 30;
        air.record();
        listen(&mut air, 5 * TICKS_PER_SECOND);
        (0..50)
            .filter(|i| send(&mut air, kind::NULL, &[], 6 * TICKS_PER_SECOND + i * 1_000_000).success)
            .count()
    };
    assert_eq!(run(), run());
    assert!((25..45).contains(&run()), "{}", run());
}

#[test]
fn rubbish_does_no_harm() {
    let mut air = air(Some("correct horse"));
    let mut noise = 1u64;
    for length in 0..200usize {
        let mut frame: Vec<u8> = (0..length)
            .map(|_| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (noise >> 56) as u8
            })
            .collect();
        for kind in [0x00, 0x20, 0x40, 0xB0, 0xD0, 0x08, 0x88] {
            if length >= 10 {
                frame[..2].copy_from_slice(&[kind, (noise >> 40) as u8]);
                frame[4..10].copy_from_slice(&BSSID);
            }
            air.transmit(frame.clone(), 6, Rate(0x0B), 0);
        }
    }
    listen(&mut air, TICKS_PER_SECOND);
}

/// Lets the second of two airs send, and both hear, until `until`. The access point belongs to the first.
fn together(airs: &mut [Air; 2], until: Ticks) -> [Vec<Heard>; 2] {
    let mut heard = [Vec::new(), Vec::new()];
    for now in (0..until).step_by(100 * TICKS_PER_US as usize) {
        let mut places: Vec<Place<'_>> = Vec::new();
        for (air, (heard, own)) in airs.iter_mut().zip(heard.iter_mut().zip([[2; 6], STATION])) {
            air.advance(now);
            heard.extend(std::iter::from_fn(|| air.hear(now)));
            places.push(Place { stations: vec![(own, 6)], now, air });
        }
        exchange(&mut places);
    }
    heard
}

#[test]
fn boards_hear_each_other_and_the_same_access_point() {
    let mut airs = [air(None), Air::default()];
    together(&mut airs, TICKS_PER_US);
    let frame = header(kind::ACTION, 0, [2; 6], STATION, frame::BROADCAST, 1);
    assert!(airs[1].transmit(frame.clone(), 6, Rate(0x0B), 0).success, "the other board acknowledges");
    assert!(!airs[1].transmit(frame.clone(), 1, Rate(0x0B), 0).success, "it is on another channel");
    assert!(send(&mut airs[1], kind::AUTHENTICATION, &[0, 0, 1, 0, 0, 0], 0).success);
    let [first, second] = together(&mut airs, TICKS_PER_SECOND / 5);
    assert!(first.iter().any(|heard| heard.frame == frame && heard.channel == 6));
    assert!(kinds(&second).contains(&kind::AUTHENTICATION), "the access point's answer");
    let beacons = |heard: &[Heard]| heard.iter().filter(|heard| heard.frame[0] == kind::BEACON).count();
    assert_eq!((beacons(&first), beacons(&second)), (2, 2));
}
