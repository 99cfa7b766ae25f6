//! The cryptography of WPA2-PSK: keys from a passphrase, the handshake's signatures, CCMP.
//!
//! Source: IEEE Std 802.11-2020, clauses 12.5.3 (CCMP), 12.7.1 (key hierarchy), 12.7.2 (EAPOL-Key), J.4 (passphrase).

use super::frame::{Frame, Mac};
use aes_kw::KwAes128;
use ccm::Ccm;
use ccm::aead::{Aead, KeyInit, Payload};
use ccm::consts::{U8, U13};
use hmac::{Hmac, Mac as _};
use sha1::Sha1;

type AesCcm = Ccm<aes::Aes128, U8, U13>;

/// Bytes of the CCMP header, between the frame's header and the encrypted body.
pub const CCMP_HEADER: usize = 8;
/// Bytes of the integrity code at the end.
pub const CCMP_MIC: usize = 8;

/// The pairwise master key of a passphrase (8 to 63 characters) for a network's name.
#[must_use]
pub fn pairwise_master_key(passphrase: &[u8], ssid: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha1>(passphrase, ssid, 4096, &mut key);
    key
}

fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The keys of one association.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairwiseKeys {
    /// Signs EAPOL-Key messages (KCK).
    pub confirmation: [u8; 16],
    /// Encrypts the group key on its way (KEK).
    pub encryption: [u8; 16],
    /// Encrypts data (TK).
    pub temporal: [u8; 16],
}

impl PairwiseKeys {
    /// The keys that both sides derive; the order of the two sides does not matter.
    #[must_use]
    pub fn derive(master: &[u8; 32], sides: [(Mac, [u8; 32]); 2]) -> Self {
        let [(mac_a, nonce_a), (mac_b, nonce_b)] = sides;
        let (mac_low, mac_high) = (mac_a.min(mac_b), mac_a.max(mac_b));
        let (nonce_low, nonce_high) = (nonce_a.min(nonce_b), nonce_a.max(nonce_b));
        let mut bytes = Vec::new();
        for round in 0..3u8 {
            bytes.extend(hmac_sha1(
                master,
                &[b"Pairwise key expansion\0", &mac_low, &mac_high, &nonce_low, &nonce_high, &[round]],
            ));
        }
        let part = |at: usize| bytes[at..at + 16].try_into().expect("60 bytes hold three keys");
        Self { confirmation: part(0), encryption: part(16), temporal: part(32) }
    }

    /// Signature of an EAPOL-Key message whose signature field is zero.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 16] {
        let full = hmac_sha1(&self.confirmation, &[message]);
        full[..16].try_into().expect("a SHA-1 has 20 bytes")
    }

    /// Wraps key data of a multiple of eight bytes, at least sixteen.
    ///
    /// # Panics
    /// If `data` has another length.
    #[must_use]
    pub fn wrap(&self, data: &[u8]) -> Vec<u8> {
        let mut wrapped = vec![0; data.len() + 8];
        KwAes128::new(&self.encryption.into())
            .wrap_key(data, &mut wrapped)
            .expect("key data is padded to eight bytes");
        wrapped
    }
}

/// The CCMP header for packet number `number` and key `id`.
#[must_use]
pub fn ccmp_header(number: u64, id: u8) -> [u8; CCMP_HEADER] {
    let n = number.to_le_bytes();
    [n[0], n[1], 0, 0x20 | id << 6, n[2], n[3], n[4], n[5]]
}

/// The key id that a CCMP header names.
#[must_use]
pub fn ccmp_key_id(header: &[u8]) -> Option<u8> {
    (header.get(3)? & 0x20 != 0).then(|| header[3] >> 6)
}

/// The packet number that a CCMP header carries.
fn packet_number(header: &[u8]) -> [u8; 6] {
    // Most significant byte first, as the nonce wants it.
    [header[7], header[6], header[5], header[4], header[1], header[0]]
}

/// What is authenticated besides the body: the header without what may change on the way.
fn authenticated_header(frame: Frame<'_>, bytes: &[u8]) -> Vec<u8> {
    let header = &bytes[..frame.header_len()];
    let mut data = header.to_vec();
    if frame.is_data() {
        data[0] &= 0x8F;
    }
    data[1] = data[1] & 0xC7 | 0x40;
    data.drain(2..4);
    data[20] &= 0x0F;
    data[21] = 0;
    if frame.has_qos() {
        let at = data.len() - 2;
        data[at] &= 0x0F;
        data[at + 1] = 0;
    }
    data
}

fn nonce(frame: Frame<'_>, ccmp: &[u8]) -> [u8; 13] {
    let mut nonce = [0; 13];
    nonce[0] = frame.traffic_id();
    nonce[1..7].copy_from_slice(&frame.transmitter());
    nonce[7..].copy_from_slice(&packet_number(ccmp));
    nonce
}

/// Encrypts the body of a frame whose header is followed by the CCMP header; the integrity code is added.
/// `None` if there is no room for a CCMP header.
#[must_use]
pub fn ccmp_encrypt(key: &[u8; 16], bytes: &[u8]) -> Option<Vec<u8>> {
    let frame = Frame::parse(bytes)?;
    let at = frame.header_len() + CCMP_HEADER;
    let (start, body) = bytes.split_at_checked(at)?;
    let nonce = nonce(frame, &start[frame.header_len()..]);
    let payload = Payload { msg: body, aad: &authenticated_header(frame, bytes) };
    let body = AesCcm::new(key.into()).encrypt(&nonce.into(), payload).ok()?;
    Some([start, &body].concat())
}

/// Decrypts the body of a frame; headers stay as they are, the integrity code is checked and removed.
/// `None` if it is wrong or the frame is too short.
#[must_use]
pub fn ccmp_decrypt(key: &[u8; 16], bytes: &[u8]) -> Option<Vec<u8>> {
    let frame = Frame::parse(bytes)?;
    let at = frame.header_len() + CCMP_HEADER;
    let (start, body) = bytes.split_at_checked(at)?;
    let nonce = nonce(frame, &start[frame.header_len()..]);
    let payload = Payload { msg: body, aad: &authenticated_header(frame, bytes) };
    let body = AesCcm::new(key.into()).decrypt(&nonce.into(), payload).ok()?;
    Some([start, &body].concat())
}

#[cfg(test)]
mod tests {
    use super::super::frame::{flag, header, kind};
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    /// IEEE Std 802.11-2020, J.4.2, test vectors 1 and 2.
    #[test]
    fn passphrases_become_the_standards_keys() {
        assert_eq!(
            pairwise_master_key(b"password", b"IEEE").to_vec(),
            hex("f42c6fc52df0ebef9ebb4b90b38a5f90 2e83fe1b135a70e23aed762e9710a12e")
        );
        assert_eq!(
            pairwise_master_key(b"ThisIsAPassword", b"ThisIsASSID").to_vec(),
            hex("0dc0d6eb90555ed6419756b9a15ec3e3 209b63df707dd508d14581f8982721af")
        );
    }

    /// IEEE Std 802.11-2020, J.6.4, the CCMP test vector.
    #[test]
    fn ccmp_gives_the_standards_bytes() {
        let key: [u8; 16] = hex("c97c1f67ce371185514a8a19f2bdd52f").try_into().unwrap();
        let head = hex("0848c32c0fd2e128a57c5030f1844408abaea5b8fcba8033");
        let body = hex("f8ba1a55d02f85ae967bb62fb6cda8eb7e78a050");
        let plain = [head.clone(), ccmp_header(0xB503_9776_E70C, 0).to_vec(), body].concat();
        let cipher = hex("f3d0a2fe9a3dbf2342a643e43246e80c3c04d0197845ce0b16f97623");
        let encrypted = ccmp_encrypt(&key, &plain).unwrap();
        assert_eq!(encrypted[head.len()..], [hex("0ce70020769703b5"), cipher].concat());
        assert_eq!(ccmp_decrypt(&key, &encrypted), Some(plain));
    }

    #[test]
    fn a_changed_bit_fails_but_a_retry_does_not() {
        let mut plain = header(kind::QOS_DATA, flag::TO_DS | flag::PROTECTED, [2; 6], [4; 6], [6; 6], 7);
        plain.extend([0, 0]);
        plain.extend(ccmp_header(1, 0));
        plain.extend(b"body");
        let key = [9; 16];
        let sealed = ccmp_encrypt(&key, &plain).unwrap();
        for at in [4, 26, 34, sealed.len() - 1] {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(ccmp_decrypt(&key, &damaged), None, "byte {at}");
        }
        let mut again = sealed;
        again[1] |= flag::RETRY;
        assert!(ccmp_decrypt(&key, &again).is_some());
        assert_eq!(ccmp_decrypt(&key, &again[..30]), None);
    }

    #[test]
    fn both_sides_derive_the_same_keys() {
        let master = pairwise_master_key(b"correct horse", b"secured");
        let (a, b) = (([2; 6], [1; 32]), ([4; 6], [7; 32]));
        assert_eq!(PairwiseKeys::derive(&master, [a, b]), PairwiseKeys::derive(&master, [b, a]));
        assert_eq!(PairwiseKeys::derive(&master, [a, b]).wrap(&[1; 24]).len(), 32);
    }
}
