//! Messages that wait for the program: a ring of bytes, in which each message follows its envelope.

use alloc::boxed::Box;
use alloc::vec::Vec;

use larch_hal::Envelope;

/// Bytes of an envelope: who, how strongly, when, how long.
const ENVELOPE: usize = 6 + 1 + 4 + 2;

/// The ring.
pub struct Mailbox {
    bytes: Box<[u8]>,
    first: usize,
    used: usize,
}

impl Mailbox {
    /// An empty ring of so many bytes; `None` if memory is short.
    pub fn new(room: usize) -> Option<Self> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(room).ok()?;
        bytes.resize(room, 0);
        Some(Self { bytes: bytes.into_boxed_slice(), first: 0, used: 0 })
    }

    /// Puts a message at the end, its length into the envelope; says whether there was room.
    pub fn put(&mut self, envelope: &Envelope, message: &[u8]) -> bool {
        let Ok(len) = u16::try_from(message.len()) else { return false };
        if ENVELOPE + message.len() > self.bytes.len() - self.used {
            return false;
        }
        self.write(&envelope.from);
        self.write(&envelope.rssi.to_le_bytes());
        self.write(&envelope.at_ms.to_le_bytes());
        self.write(&len.to_le_bytes());
        self.write(message);
        true
    }

    /// What is told of the first message.
    pub fn first(&self) -> Option<Envelope> {
        if self.used == 0 {
            return None;
        }
        let mut from = [0; 6];
        self.read(0, &mut from);
        let [rssi] = self.number(6);
        Some(Envelope {
            from,
            rssi: rssi as i8,
            at_ms: u32::from_le_bytes(self.number(7)),
            len: u16::from_le_bytes(self.number(11)),
        })
    }

    /// Takes the first message, as far as it fits.
    pub fn take(&mut self, message: &mut [u8]) -> Option<Envelope> {
        let envelope = self.first()?;
        let len = usize::from(envelope.len);
        let fits = len.min(message.len());
        self.read(ENVELOPE, &mut message[..fits]);
        self.first = (self.first + ENVELOPE + len) % self.bytes.len();
        self.used -= ENVELOPE + len;
        Some(envelope)
    }

    /// Forgets all messages.
    pub fn clear(&mut self) {
        self.used = 0;
    }

    fn write(&mut self, new: &[u8]) {
        let at = (self.first + self.used) % self.bytes.len();
        let (start, rest) = new.split_at(new.len().min(self.bytes.len() - at));
        self.bytes[at..at + start.len()].copy_from_slice(start);
        self.bytes[..rest.len()].copy_from_slice(rest);
        self.used += new.len();
    }

    fn read(&self, from: usize, out: &mut [u8]) {
        let at = (self.first + from) % self.bytes.len();
        let len = out.len().min(self.bytes.len() - at);
        let (start, rest) = out.split_at_mut(len);
        start.copy_from_slice(&self.bytes[at..at + len]);
        rest.copy_from_slice(&self.bytes[..rest.len()]);
    }

    fn number<const N: usize>(&self, from: usize) -> [u8; N] {
        let mut bytes = [0; N];
        self.read(from, &mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(n: u8) -> Envelope {
        Envelope { from: [n; 6], rssi: -40, at_ms: 0x0102_0304 + u32::from(n), len: 0 }
    }

    #[test]
    fn messages_come_out_as_they_went_in_wherever_the_ring_ends() {
        for room in 30..80 {
            let mut mailbox = Mailbox::new(room).unwrap();
            for n in 0..100 {
                let message: Vec<u8> = (0..n % 11).collect();
                assert!(mailbox.put(&envelope(n), &message), "{room}");
                assert_eq!(mailbox.first().unwrap().len, message.len() as u16);
                let mut taken = [0xFF; 16];
                let told = mailbox.take(&mut taken).unwrap();
                assert_eq!(told, Envelope { len: message.len() as u16, ..envelope(n) });
                assert_eq!(taken[..message.len()], message);
                assert_eq!(taken[message.len()], 0xFF, "no byte too many");
                assert!(mailbox.take(&mut taken).is_none());
            }
        }
    }

    #[test]
    fn a_message_without_room_is_refused_whole() {
        let mut mailbox = Mailbox::new(2 * (ENVELOPE + 5)).unwrap();
        assert!(mailbox.put(&envelope(1), b"first"));
        assert!(!mailbox.put(&envelope(2), b"longer"));
        assert!(mailbox.put(&envelope(3), b"third"));
        assert!(!mailbox.put(&envelope(4), b""));
        let mut taken = [0; 3];
        assert_eq!(mailbox.take(&mut taken).unwrap().from, [1; 6]);
        assert_eq!(&taken, b"fir", "what does not fit is lost");
        assert_eq!(mailbox.take(&mut taken).unwrap().from, [3; 6]);
        assert!(mailbox.put(&envelope(5), b"fifth"));
        mailbox.clear();
        assert!(mailbox.first().is_none());
        assert!(Mailbox::new(0).is_some_and(|mut mailbox| !mailbox.put(&envelope(6), b"")));
    }
}
