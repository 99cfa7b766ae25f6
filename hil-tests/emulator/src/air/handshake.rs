//! The access point's side of WPA2's four-way handshake.
//!
//! It is told what the station sent and the time, and says what to send. Source: IEEE Std 802.11-2020, clauses 12.7.2 (format of
//! EAPOL-Key) and 12.7.6 (messages). The intervals are hostapd's.

use super::crypto::PairwiseKeys;
use super::frame::Mac;
use crate::time::{NEVER, TICKS_PER_US, Ticks};

/// WPA2-PSK with CCMP for pairs and groups, as beacons announce it.
pub const RSN_ELEMENT: [u8; 22] =
    [0x30, 20, 1, 0, 0, 0x0F, 0xAC, 4, 1, 0, 0, 0x0F, 0xAC, 4, 1, 0, 0, 0x0F, 0xAC, 2, 0, 0];
/// Which of the group keys is in use.
pub const GROUP_KEY_ID: u8 = 1;

const FIRST_WAIT: Ticks = 100_000 * TICKS_PER_US;
const WAIT: Ticks = 1_000_000 * TICKS_PER_US;
const TRIES: u8 = 4;

const MESSAGE_1: u16 = 0x008A;
const MESSAGE_3: u16 = 0x13CA;
const HAS_MIC: u16 = 0x0100;
const IS_REQUEST_OR_GROUP: u16 = 0x0800;
const ACK: u16 = 0x0080;

const INFO: usize = 5;
const REPLAY: usize = 9;
const NONCE: usize = 17;
const MIC: usize = 81;
const DATA_LENGTH: usize = 97;
const DATA: usize = 99;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Wait,
    /// This message goes to the station.
    Send(Vec<u8>),
    /// Both sides have the keys.
    Complete,
    /// The station did not answer properly in time.
    GiveUp,
}

/// One handshake.
#[derive(Clone, Debug)]
pub struct Handshake {
    master: [u8; 32],
    access_point: Mac,
    station: Mac,
    nonce: [u8; 32],
    group_key: [u8; 16],
    replay: u64,
    keys: Option<PairwiseKeys>,
    tries: u8,
    retry_at: Ticks,
    complete: bool,
}

impl Handshake {
    /// A handshake that has not begun; [`Handshake::timeout`] gives the first message.
    #[must_use]
    pub fn new(
        master: [u8; 32],
        access_point: Mac,
        station: Mac,
        nonce: [u8; 32],
        group_key: [u8; 16],
        now: Ticks,
    ) -> Self {
        Self {
            master,
            access_point,
            station,
            nonce,
            group_key,
            replay: 0,
            keys: None,
            tries: 0,
            retry_at: now,
            complete: false,
        }
    }

    /// When [`Handshake::timeout`] has something to say.
    #[must_use]
    pub fn next_event(&self) -> Ticks {
        self.retry_at
    }

    /// The keys, once both sides have them.
    #[must_use]
    pub fn keys(&self) -> Option<&PairwiseKeys> {
        self.keys.as_ref().filter(|_| self.complete)
    }

    /// Sends the present message again, if it is time.
    pub fn timeout(&mut self, now: Ticks) -> Step {
        if now < self.retry_at {
            return Step::Wait;
        }
        if self.tries == TRIES {
            self.retry_at = NEVER;
            return Step::GiveUp;
        }
        self.retry_at = now + if self.tries == 0 { FIRST_WAIT } else { WAIT };
        self.tries += 1;
        Step::Send(self.message())
    }

    fn message(&mut self) -> Vec<u8> {
        self.replay += 1;
        let Some(keys) = &self.keys else { return self.compose(MESSAGE_1, &[]) };
        let mut data = RSN_ELEMENT.to_vec();
        data.extend([0xDD, 22, 0, 0x0F, 0xAC, 1, GROUP_KEY_ID, 0]);
        data.extend(self.group_key);
        data.push(0xDD);
        data.resize(data.len().next_multiple_of(8), 0);
        let mut message = self.compose(MESSAGE_3, &keys.wrap(&data));
        let mic = keys.sign(&message);
        message[MIC..DATA_LENGTH].copy_from_slice(&mic);
        message
    }

    fn compose(&self, info: u16, data: &[u8]) -> Vec<u8> {
        let mut message = vec![0; DATA];
        message[..2].copy_from_slice(&[2, 3]);
        message[2..4].copy_from_slice(&((DATA - 4 + data.len()) as u16).to_be_bytes());
        message[4] = 2;
        message[INFO..7].copy_from_slice(&info.to_be_bytes());
        message[7..REPLAY].copy_from_slice(&16u16.to_be_bytes());
        message[REPLAY..NONCE].copy_from_slice(&self.replay.to_be_bytes());
        message[NONCE..NONCE + 32].copy_from_slice(&self.nonce);
        message[DATA_LENGTH..].copy_from_slice(&(data.len() as u16).to_be_bytes());
        message.extend(data);
        message
    }

    /// The station sent an EAPOL frame.
    pub fn receive(&mut self, message: &[u8], now: Ticks) -> Step {
        let Some(message) = well_formed(message) else { return Step::Wait };
        let info = u16::from_be_bytes([message[INFO], message[INFO + 1]]);
        let for_us = info & (HAS_MIC | ACK | IS_REQUEST_OR_GROUP) == HAS_MIC;
        if self.complete || !for_us || message[REPLAY..NONCE] != self.replay.to_be_bytes() {
            return Step::Wait;
        }
        let keys = match &self.keys {
            Some(keys) => keys.clone(),
            None => {
                let nonce = message[NONCE..NONCE + 32].try_into().expect("32 bytes were cut out");
                let sides = [(self.access_point, self.nonce), (self.station, nonce)];
                PairwiseKeys::derive(&self.master, sides)
            }
        };
        let mut unsigned = message.to_vec();
        unsigned[MIC..DATA_LENGTH].fill(0);
        if keys.sign(&unsigned) != message[MIC..DATA_LENGTH] {
            // A wrong passphrase looks like this; the first message is repeated until the tries are used up.
            tracing::debug!("an EAPOL-Key message has a wrong signature: another passphrase");
            return Step::Wait;
        }
        if self.keys.is_some() {
            self.complete = true;
            self.retry_at = NEVER;
            return Step::Complete;
        }
        self.keys = Some(keys);
        self.tries = 1;
        self.retry_at = now + FIRST_WAIT;
        Step::Send(self.message())
    }
}

/// The EAPOL-Key message in `bytes` without what may follow it.
fn well_formed(bytes: &[u8]) -> Option<&[u8]> {
    let length = 4 + usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]));
    let message = bytes.get(..length)?;
    (length >= DATA && message[1] == 3 && message[4] == 2).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::super::crypto::pairwise_master_key;
    use super::*;

    const AP: Mac = [2; 6];
    const STATION: Mac = [4; 6];

    /// A station's answer to `message` with the passphrase's keys.
    fn answer(message: &[u8], info: u16, passphrase: &[u8]) -> Vec<u8> {
        let keys = PairwiseKeys::derive(
            &pairwise_master_key(passphrase, b"secured"),
            [(AP, [7; 32]), (STATION, [9; 32])],
        );
        let mut reply = message[..DATA].to_vec();
        reply[2..4].copy_from_slice(&((DATA - 4) as u16).to_be_bytes());
        reply[INFO..7].copy_from_slice(&info.to_be_bytes());
        reply[NONCE..NONCE + 32].copy_from_slice(&[9; 32]);
        reply[MIC..].fill(0);
        let mic = keys.sign(&reply);
        reply[MIC..DATA_LENGTH].copy_from_slice(&mic);
        reply
    }

    fn start() -> (Handshake, Vec<u8>) {
        let master = pairwise_master_key(b"correct horse", b"secured");
        let mut handshake = Handshake::new(master, AP, STATION, [7; 32], [5; 16], 0);
        let Step::Send(first) = handshake.timeout(0) else { panic!("the first message") };
        (handshake, first)
    }

    #[test]
    fn the_right_passphrase_completes() {
        let (mut handshake, first) = start();
        let Step::Send(third) = handshake.receive(&answer(&first, 0x010A, b"correct horse"), 10) else {
            panic!("the third message")
        };
        assert_eq!(third[INFO..7], MESSAGE_3.to_be_bytes());
        assert!(handshake.keys().is_none());
        assert_eq!(handshake.receive(&answer(&third, 0x030A, b"correct horse"), 20), Step::Complete);
        assert!(handshake.keys().is_some());
        assert_eq!(handshake.timeout(NEVER - 1), Step::Wait);
    }

    #[test]
    fn the_wrong_passphrase_is_given_up_after_four_tries() {
        let (mut handshake, mut message) = start();
        for _ in 1..TRIES {
            assert_eq!(handshake.receive(&answer(&message, 0x010A, b"wrong horse!"), 10), Step::Wait);
            let at = handshake.next_event();
            let Step::Send(again) = handshake.timeout(at) else { panic!("again") };
            message = again;
        }
        let at = handshake.next_event();
        assert_eq!(handshake.timeout(at), Step::GiveUp);
    }

    #[test]
    fn rubbish_and_replays_change_nothing() {
        let (mut handshake, first) = start();
        for length in 0..first.len() {
            assert_eq!(handshake.receive(&first[..length], 5), Step::Wait);
        }
        let mut late = answer(&first, 0x010A, b"correct horse");
        late[REPLAY + 7] ^= 1;
        assert_eq!(handshake.receive(&late, 5), Step::Wait);
    }
}
