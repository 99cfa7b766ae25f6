//! The key of a WPA2 network from its password: PBKDF2 with HMAC-SHA-1, on whatever hashes blocks.
//!
//! A network's key takes 4096 turns for each 20 bytes. What of HMAC depends on the password alone is hashed once, so a turn
//! is two blocks. Words are kept as the bytes that they stand for in little-endian order, which is what the accelerators of
//! Espressif's chips read and write: a digest goes back in without a byte being moved.
//!
//! Source: RFC 8018 section 5.2, RFC 2104, FIPS 180-4; IEEE 802.11-2016 annex J.4 for what it is used for.

/// SHA-1's state between two blocks.
pub type State = [u32; 5];

/// Bytes of a block.
const BLOCK: usize = 64;
/// Bytes of a digest.
const DIGEST: usize = 20;
/// What HMAC mixes with the key for its two hashes.
const INNER: u8 = 0x36;
const OUTER: u8 = 0x5C;
/// Bytes that the padding of the last block takes at least: a mark and the length in bits.
const PADDING: usize = 9;

/// Something that hashes a block.
pub trait Sha1 {
    /// The state after `block`, from `state`; none: the first block of a message.
    fn block(&mut self, state: Option<&State>, block: &[u32; 16]) -> State;
}

/// Fills `key` with what `turns` turns over `password` and `salt` give.
pub fn derive(sha1: &mut impl Sha1, password: &[u8], salt: &[u8], turns: u32, key: &mut [u8]) {
    let mut hmac = Hmac::new(sha1, password);
    for (index, part) in (1u32..).zip(key.chunks_mut(DIGEST)) {
        let mut turn = hmac.of(&[salt, &index.to_be_bytes()]);
        let mut sum = turn;
        for _ in 1..turns {
            turn = hmac.of_digest(&turn);
            for (sum, turn) in sum.iter_mut().zip(turn) {
                *sum ^= turn;
            }
        }
        part.copy_from_slice(&sum.map(u32::to_le_bytes).as_flattened()[..part.len()]);
    }
}

/// HMAC under one password.
struct Hmac<'a, S> {
    sha1: &'a mut S,
    inner: State,
    outer: State,
}

impl<'a, S: Sha1> Hmac<'a, S> {
    fn new(sha1: &'a mut S, password: &[u8]) -> Self {
        let mut key = [0; BLOCK];
        if password.len() > BLOCK {
            let digest = hash(sha1, None, &[password]);
            key[..DIGEST].copy_from_slice(digest.map(u32::to_le_bytes).as_flattened());
        } else {
            key[..password.len()].copy_from_slice(password);
        }
        let inner = sha1.block(None, &words(&key.map(|byte| byte ^ INNER)));
        let outer = sha1.block(None, &words(&key.map(|byte| byte ^ OUTER)));
        Self { sha1, inner, outer }
    }

    /// Of a message in pieces.
    fn of(&mut self, message: &[&[u8]]) -> State {
        let digest = hash(self.sha1, Some(self.inner), message);
        self.sha1.block(Some(&self.outer), &last_block(&digest))
    }

    /// Of an earlier result.
    fn of_digest(&mut self, message: &State) -> State {
        let digest = self.sha1.block(Some(&self.inner), &last_block(message));
        self.sha1.block(Some(&self.outer), &last_block(&digest))
    }
}

/// The digest of a message in pieces; `state` is that after one block before it.
fn hash(sha1: &mut impl Sha1, mut state: Option<State>, message: &[&[u8]]) -> State {
    let before = if state.is_some() { BLOCK } else { 0 };
    let mut length = 0;
    let mut block = [0; BLOCK];
    for &byte in message.iter().copied().flatten() {
        block[length % BLOCK] = byte;
        length += 1;
        if length % BLOCK == 0 {
            state = Some(sha1.block(state.as_ref(), &words(&block)));
        }
    }
    let used = length % BLOCK;
    block[used] = 0x80;
    block[used + 1..].fill(0);
    if used + PADDING > BLOCK {
        state = Some(sha1.block(state.as_ref(), &words(&block)));
        block.fill(0);
    }
    let bits = 8 * (before + length) as u64;
    block[BLOCK - 8..].copy_from_slice(&bits.to_be_bytes());
    sha1.block(state.as_ref(), &words(&block))
}

/// A digest as the whole message after one block.
fn last_block(digest: &State) -> [u32; 16] {
    const BITS: u32 = 8 * (BLOCK + DIGEST) as u32;
    let mut block = [0; 16];
    block[..5].copy_from_slice(digest);
    block[5] = 0x80;
    block[15] = BITS.to_be();
    block
}

fn words(block: &[u8; BLOCK]) -> [u32; 16] {
    core::array::from_fn(|n| {
        u32::from_le_bytes([block[4 * n], block[4 * n + 1], block[4 * n + 2], block[4 * n + 3]])
    })
}

#[cfg(test)]
mod tests {
    use super::{Sha1, State, derive};

    /// In software.
    struct Software;

    impl Sha1 for Software {
        fn block(&mut self, state: Option<&State>, block: &[u32; 16]) -> State {
            const FIRST: State = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];
            let mut words = state.map_or(FIRST, |state| state.map(u32::swap_bytes));
            let mut bytes = [0; 64];
            bytes.copy_from_slice(block.map(u32::to_le_bytes).as_flattened());
            sha1::block_api::compress(&mut words, &[bytes]);
            words.map(u32::swap_bytes)
        }
    }

    fn key<const N: usize>(password: &[u8], salt: &[u8], turns: u32) -> [u8; N] {
        let mut key = [0; N];
        derive(&mut Software, password, salt, turns, &mut key);
        key
    }

    /// The example of IEEE 802.11-2016 annex J.4.2.
    #[test]
    fn a_network() {
        let expected = [
            0xF4, 0x2C, 0x6F, 0xC5, 0x2D, 0xF0, 0xEB, 0xEF, 0x9E, 0xBB, 0x4B, 0x90, 0xB3, 0x8A, 0x5F, 0x90,
            0x2E, 0x83, 0xFE, 0x1B, 0x13, 0x5A, 0x70, 0xE2, 0x3A, 0xED, 0x76, 0x2E, 0x97, 0x10, 0xA1, 0x2E,
        ];
        assert_eq!(key(b"password", b"IEEE", 4096), expected);
    }

    /// Around every length at which a block is full.
    #[test]
    fn any_length() {
        let bytes: [u8; 200] = core::array::from_fn(|n| n as u8);
        for password in [0, 1, 63, 64, 65, 119, 120, 200] {
            for salt in [0, 1, 50, 51, 52, 59, 60, 61, 115, 116, 124, 200] {
                let (password, salt) = (&bytes[..password], &bytes[..salt]);
                let mut expected = [0; 45];
                pbkdf2::pbkdf2_hmac::<sha1::Sha1>(password, salt, 3, &mut expected);
                assert_eq!(key(password, salt, 3), expected, "{} {}", password.len(), salt.len());
            }
        }
    }
}
