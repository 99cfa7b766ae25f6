//! Bytes on their way between a session and the network.

use core::ffi::c_int;

use mbedtls_rs_sys::{MBEDTLS_ERR_SSL_WANT_READ, MBEDTLS_ERR_SSL_WANT_WRITE};

/// Bytes that may wait, each way.
const ROOM: usize = 1460;

/// Both directions. All zeros is a wire with nothing on it.
pub struct Wire {
    incoming: Queue,
    outgoing: Queue,
    has_ended: bool,
}

struct Queue {
    bytes: [u8; ROOM],
    from: usize,
    to: usize,
}

impl Queue {
    fn waiting(&self) -> &[u8] {
        &self.bytes[self.from..self.to]
    }

    fn room(&self) -> usize {
        ROOM - (self.to - self.from)
    }

    fn put(&mut self, bytes: &[u8]) -> usize {
        if self.from > 0 {
            self.bytes.copy_within(self.from..self.to, 0);
            self.to -= self.from;
            self.from = 0;
        }
        let count = bytes.len().min(ROOM - self.to);
        self.bytes[self.to..self.to + count].copy_from_slice(&bytes[..count]);
        self.to += count;
        count
    }

    fn copy(&self, bytes: &mut [u8]) -> usize {
        let waiting = self.waiting();
        let count = bytes.len().min(waiting.len());
        bytes[..count].copy_from_slice(&waiting[..count]);
        count
    }

    fn drop_first(&mut self, count: usize) {
        self.from = (self.from + count).min(self.to);
    }
}

impl Wire {
    /// How much [`Wire::feed`] takes.
    pub fn room(&self) -> usize {
        self.incoming.room()
    }

    /// The other side sent this; nothing: it has ended.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.has_ended |= bytes.is_empty();
        self.incoming.put(bytes);
    }

    /// Copies what is to be sent.
    pub fn outgoing(&self, bytes: &mut [u8]) -> usize {
        self.outgoing.copy(bytes)
    }

    /// So much was sent.
    pub fn sent(&mut self, count: usize) {
        self.outgoing.drop_first(count);
    }

    /// The library takes bytes: how many, 0 at the end, or that it must come again.
    pub fn take(&mut self, bytes: &mut [u8]) -> c_int {
        let count = self.incoming.copy(bytes);
        self.incoming.drop_first(count);
        match count {
            0 if self.has_ended => 0,
            0 => MBEDTLS_ERR_SSL_WANT_READ,
            count => count as c_int,
        }
    }

    /// The library gives bytes: how many were taken, or that it must come again.
    pub fn give(&mut self, bytes: &[u8]) -> c_int {
        match self.outgoing.put(bytes) {
            0 if !bytes.is_empty() => MBEDTLS_ERR_SSL_WANT_WRITE,
            count => count as c_int,
        }
    }
}
