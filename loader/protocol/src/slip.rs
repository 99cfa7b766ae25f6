//! SLIP framing (RFC 1055): frames begin and end with 0xC0, which never occurs inside.
//!
//! Invariants: the decoder needs no memory for a frame, survives any input, and loses no frame but damaged ones: every
//! 0xC0 both ends what came before and begins what follows, so that a lost delimiter costs nothing more.

/// Frame delimiter.
pub const END: u8 = 0xC0;
const ESC: u8 = 0xDB;
const ESC_END: u8 = 0xDC;
const ESC_ESC: u8 = 0xDD;

/// The frame around `payload`, delimiters included.
pub fn encode<I: IntoIterator<Item = u8>>(payload: I) -> impl Iterator<Item = u8> {
    let body = payload.into_iter().flat_map(|byte| {
        let (first, second) = match byte {
            END => (ESC, Some(ESC_END)),
            ESC => (ESC, Some(ESC_ESC)),
            other => (other, None),
        };
        core::iter::once(first).chain(second)
    });
    core::iter::once(END).chain(body).chain(core::iter::once(END))
}

/// What a received byte means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// A byte that belongs to no frame: boot messages, noise, the rest of a broken frame.
    Outside(u8),
    /// The next byte of the frame.
    Byte(u8),
    /// The frame is complete; it has at least one byte.
    End,
    /// An escape that is none: forget what was collected.
    Broken(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Outside,
    /// Behind a delimiter.
    Started,
    Inside,
    Escaped,
}

/// Takes the stream of received bytes apart.
#[derive(Debug, Clone, Copy, Default)]
pub struct Decoder {
    state: State,
}

impl Decoder {
    /// A decoder that waits for a frame.
    pub const fn new() -> Self {
        Self { state: State::Outside }
    }

    /// Says what the next received byte means; `None` if that is not known yet, or nothing.
    pub fn push(&mut self, byte: u8) -> Option<Piece> {
        let (state, piece) = match (self.state, byte) {
            (State::Inside, END) => (State::Started, Some(Piece::End)),
            (State::Escaped, END) => (State::Started, Some(Piece::Broken(END))),
            (_, END) => (State::Started, None),
            (State::Outside, other) => (State::Outside, Some(Piece::Outside(other))),
            (State::Escaped, ESC_END) => (State::Inside, Some(Piece::Byte(END))),
            (State::Escaped, ESC_ESC) => (State::Inside, Some(Piece::Byte(ESC))),
            (State::Escaped, other) => (State::Outside, Some(Piece::Broken(other))),
            (State::Started | State::Inside, ESC) => (State::Escaped, None),
            (State::Started | State::Inside, other) => (State::Inside, Some(Piece::Byte(other))),
        };
        self.state = state;
        piece
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// All complete frames in a stream.
    fn frames(stream: &[u8]) -> Vec<Vec<u8>> {
        let (mut decoder, mut frames, mut frame) = (Decoder::new(), Vec::new(), Vec::new());
        for &byte in stream {
            match decoder.push(byte) {
                Some(Piece::Byte(byte)) => frame.push(byte),
                Some(Piece::End) => frames.push(core::mem::take(&mut frame)),
                Some(Piece::Broken(_)) => frame.clear(),
                Some(Piece::Outside(_)) | None => {}
            }
        }
        frames
    }

    fn encoded(payload: &[u8]) -> Vec<u8> {
        encode(payload.iter().copied()).collect()
    }

    #[test]
    fn special_bytes_are_escaped() {
        assert_eq!(encoded(&[1, 0xC0, 2, 0xDB, 3]), [0xC0, 1, 0xDB, 0xDC, 2, 0xDB, 0xDD, 3, 0xC0]);
    }

    #[test]
    fn text_before_a_frame_is_not_part_of_it() {
        let mut stream = b"waiting for download\r\n".to_vec();
        stream.extend(encoded(&[7, 8]));
        assert_eq!(frames(&stream), [[7, 8]]);
    }

    #[test]
    fn a_lost_delimiter_costs_no_other_frame() {
        let mut stream = encoded(&[1, 2]);
        stream.pop();
        stream.extend(encoded(&[3, 4]));
        assert_eq!(frames(&stream), [[1, 2], [3, 4]]);
    }

    #[test]
    fn a_broken_escape_loses_only_its_frame() {
        let mut stream = std::vec![END, 1, ESC, 9, 5, END];
        stream.extend(encoded(&[3]));
        assert_eq!(frames(&stream), [[3]]);
    }

    proptest! {
        #[test]
        fn frames_round_trip(payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..64), 0..8)) {
            let stream: Vec<u8> = payloads.iter().flat_map(|payload| encoded(payload)).collect();
            prop_assert_eq!(frames(&stream), payloads);
        }

        #[test]
        fn any_noise_before_a_delimiter_is_survived(noise in prop::collection::vec(any::<u8>(), 0..256)) {
            let mut stream = noise;
            stream.push(END);
            stream.extend(encoded(&[1, 2, 3]));
            prop_assert_eq!(frames(&stream).last().cloned(), Some(std::vec![1, 2, 3]));
        }
    }
}
