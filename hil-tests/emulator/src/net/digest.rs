//! A service that says what arrived: a line with a number, so many bytes, and the answer is their SHA-256 in hex, as a line.

use sha2::{Digest as _, Sha256};

/// Digits of the number, at most.
const DIGITS: usize = 10;

/// One connection.
#[derive(Default)]
pub struct Digest {
    line: Vec<u8>,
    left: Option<u64>,
    hash: Sha256,
    answer: Vec<u8>,
    is_bad: bool,
}

impl Digest {
    /// The station sent something.
    pub fn receive(&mut self, mut data: &[u8]) {
        while let (None, Some((&byte, rest)), false) = (self.left, data.split_first(), self.is_bad) {
            data = rest;
            if byte == b'\n' {
                self.left = String::from_utf8_lossy(&self.line).trim().parse().ok();
                self.is_bad = self.left.is_none();
            } else if self.line.len() == DIGITS {
                self.is_bad = true;
            } else {
                self.line.push(byte);
            }
        }
        let Some(left) = &mut self.left else { return };
        let taken = data.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
        self.hash.update(&data[..taken]);
        *left -= taken as u64;
        if *left == 0 {
            let hash = std::mem::take(&mut self.hash).finalize();
            self.answer = hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes();
            self.answer.push(b'\n');
            (self.left, self.line) = (None, Vec::new());
        }
    }

    /// What is to be sent.
    pub fn rest(&mut self) -> &mut Vec<u8> {
        &mut self.answer
    }

    /// The station did not keep to the protocol.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_bad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_in_pieces_has_the_digest_of_the_whole() {
        let mut digest = Digest::default();
        for piece in [&b"1"[..], b"1\nhello", b" world", b""] {
            digest.receive(piece);
        }
        assert_eq!(digest.rest(), b"b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9\n");
        assert!(!digest.is_over());
        for bad in [&b"x\n"[..], b"12345678901\n", b"-1\n"] {
            let mut digest = Digest::default();
            digest.receive(bad);
            assert!(digest.is_over());
        }
    }
}
