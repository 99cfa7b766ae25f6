//! Whatever a board sends, an access point goes on.

use super::access_point::{AccessPoint, AccessPointConfig};
use super::crypto;
use super::frame::{self, Frame, header, kind};
use super::handshake::Handshake;
use super::{Air, Mac, Rate};
use crate::time::TICKS_PER_SECOND;
use proptest::prelude::*;

const BSSID: Mac = [0x02, 0x11, 0x22, 0x33, 0x44, 0x55];
const STATION: Mac = [0x60, 0x55, 0xF9, 0, 0, 1];

fn kinds() -> impl Strategy<Value = u8> {
    prop_oneof![
        Just(kind::ASSOCIATION_REQUEST),
        Just(kind::REASSOCIATION_REQUEST),
        Just(kind::PROBE_REQUEST),
        Just(kind::AUTHENTICATION),
        Just(kind::DEAUTHENTICATION),
        Just(kind::ACTION),
        Just(kind::DATA),
        Just(kind::QOS_DATA),
        Just(kind::NULL),
        any::<u8>(),
    ]
}

/// Bodies that are nearly right: SNAP and EAPOL, elements, anything.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let tail = || prop::collection::vec(any::<u8>(), 0..140);
    let prefix = prop_oneof![
        Just(vec![]),
        Just(vec![0, 0, 1, 0]),
        Just(b"\x01\x00\x0a\x00\x00\x03net".to_vec()),
        Just(vec![0xAA, 0xAA, 3, 0, 0, 0, 0x88, 0x8E, 2, 3, 0, 95, 2, 1, 0x0A]),
        Just(vec![0xAA, 0xAA, 3, 0, 0, 0, 8, 0, 0x45]),
        Just(vec![3, 0, 1]),
    ];
    (prefix, tail()).prop_map(|(prefix, tail)| [prefix, tail].concat())
}

proptest! {
    #[test]
    fn any_bytes_are_a_frame_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(frame) = Frame::parse(&bytes) {
            let _ = (frame.body(), frame.traffic_id(), frame.sequence_control(), frame.is_group());
            let _ = frame::to_ethernet(frame.receiver(), frame.transmitter(), frame.body());
            let _ = crypto::ccmp_key_id(frame.body());
        }
        let _ = (crypto::ccmp_decrypt(&[7; 16], &bytes), crypto::ccmp_encrypt(&[7; 16], &bytes));
        let _ = (frame::element(&bytes, 0), frame::from_ethernet(&bytes));
    }

    #[test]
    fn what_is_encrypted_is_decrypted(body in prop::collection::vec(any::<u8>(), 0..100), number in 1u64..1 << 48, qos: bool) {
        let mut plain = header(if qos { kind::QOS_DATA } else { kind::DATA }, frame::flag::PROTECTED, BSSID, STATION, BSSID, 1);
        plain.extend(if qos { &[5, 0][..] } else { &[] });
        plain.extend(crypto::ccmp_header(number, 0));
        plain.extend(body);
        let mut sent = crypto::ccmp_encrypt(&[7; 16], &plain).unwrap();
        let back = crypto::ccmp_decrypt(&[7; 16], &sent);
        prop_assert_eq!(back, Some(plain));
        let last = sent.len() - 1;
        sent[last] ^= 1;
        prop_assert_eq!(crypto::ccmp_decrypt(&[7; 16], &sent), None);
    }

    #[test]
    fn an_access_point_survives_any_station(
        secure: bool,
        frames in prop::collection::vec((kinds(), any::<u8>(), bodies(), any::<bool>()), 0..12),
    ) {
        let mut air = Air::default();
        air.add(AccessPointConfig::new("net", secure.then_some("correct horse")));
        let mut now = 0;
        for (kind, flags, body, group) in frames {
            let receiver = if group { frame::BROADCAST } else { BSSID };
            let mut bytes = header(kind, flags, receiver, STATION, BSSID, 1);
            bytes.extend(body);
            air.transmit(bytes, 6, Rate(0x0B), now);
            now += TICKS_PER_SECOND / 100;
            air.advance(now);
            while air.hear(now).is_some() {}
        }
    }

    #[test]
    fn a_handshake_survives_any_answer(messages in prop::collection::vec(bodies(), 1..6)) {
        let mut handshake = Handshake::new([1; 32], BSSID, STATION, [2; 32], [3; 16], 0);
        let _ = handshake.timeout(0);
        for message in messages {
            let _ = handshake.receive(&message, 1);
            let _ = handshake.receive(message.get(8..).unwrap_or_default(), 1);
        }
        prop_assert!(handshake.keys().is_none(), "nobody guesses the integrity code");
    }
}

#[test]
fn an_access_point_ignores_frames_for_others() {
    let mut point = AccessPoint::new(AccessPointConfig::new("net", None));
    let mut frame = header(kind::AUTHENTICATION, 0, [9; 6], STATION, BSSID, 1);
    frame.extend([0, 0, 1, 0, 0, 0]);
    point.receive(&frame, 0);
    point.advance(1);
    assert!(point.send(TICKS_PER_SECOND / 1000).is_none());
}
