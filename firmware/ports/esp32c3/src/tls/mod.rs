//! TLS by Mbed TLS, the library that MicroPython uses on this chip, as the package `mbedtls-rs-sys` brings it: compiled for this
//! target. (A TLS in Rust was looked for: `rustls` needs atomics that the chip lacks, `embedded-tls` is a client of TLS 1.3 only.)
//!
//! Layers: `glue` (memory and randomness for the library) -> `wire` (bytes that wait) -> `session` -> this.
//!
//! Invariant: the library is called from the program's own thread only.

mod glue;
mod session;
mod wire;

use core::mem::MaybeUninit;

use esp_alloc::HEAP;
use larch_hal::{SessionId, Tls, TlsError, TlsFile, TlsSetup, TlsStep};
use mbedtls_rs_sys as mbed;

use crate::memory;
use session::{Date, Session};

/// Sessions at a time.
const SESSIONS: usize = 4;
/// What one session needs while its keys are agreed on: two records of 16 KB, certificates, arithmetic; an estimate.
const MEMORY: usize = 52 * 1024;
/// What a new session must find, so that frames are not lost for it.
const SESSION_LEAST: usize = 40 * 1024;

/// The engine.
pub struct Engine {
    sessions: [Option<Session>; SESSIONS],
    has_memory: bool,
    is_ready: bool,
}

impl Engine {
    /// An engine that has not begun.
    pub const fn new() -> Self {
        Self { sessions: [const { None }; SESSIONS], has_memory: false, is_ready: false }
    }

    fn start(&mut self) -> Result<(), TlsError> {
        if !self.is_ready {
            glue::set_up()?;
            self.is_ready = true;
        }
        Ok(())
    }

    fn get(&self, session: SessionId) -> Option<&Session> {
        self.sessions.get(usize::from(session.0))?.as_ref()
    }

    fn get_mut(&mut self, session: SessionId) -> Option<&mut Session> {
        self.sessions.get_mut(usize::from(session.0))?.as_mut()
    }

    /// The session for a step.
    fn step(&mut self, session: SessionId) -> Result<&mut Session, TlsError> {
        self.get_mut(session).ok_or(TlsError::Protocol(mbed::MBEDTLS_ERR_SSL_BAD_INPUT_DATA))
    }
}

impl Tls for Engine {
    fn memory_wanted(&self) -> usize {
        if self.has_memory { 0 } else { MEMORY }
    }

    fn give_memory(&mut self, memory: &'static mut [MaybeUninit<u8>]) {
        self.has_memory = true;
        memory::give_to_rust(memory);
    }

    fn check(&mut self, file: TlsFile, bytes: &[u8]) -> Result<(), TlsError> {
        self.start()?;
        match file {
            TlsFile::Certificates => session::Chain::parse(bytes).map(|_| ()),
            TlsFile::Key => session::PrivateKey::parse(bytes).map(|_| ()),
        }
    }

    fn cipher_name(&self, index: usize) -> Option<&'static str> {
        session::cipher_name(index)
    }

    fn cipher_number(&self, name: &str) -> Result<i32, TlsError> {
        let same = |index: &usize| session::cipher_name(*index).is_some_and(|other| other == name);
        let index = (0..).take_while(|index| session::cipher_name(*index).is_some()).find(same);
        index.and_then(session::cipher_number).ok_or(TlsError::Protocol(mbed::MBEDTLS_ERR_SSL_BAD_CONFIG))
    }

    fn open(&mut self, setup: &TlsSetup<'_>, now_s: u64) -> Result<SessionId, TlsError> {
        self.start()?;
        let index = self.sessions.iter().position(Option::is_none).ok_or(TlsError::TooMany)?;
        if HEAP.free() < SESSION_LEAST {
            return Err(TlsError::NoMemory);
        }
        self.sessions[index] = Some(Session::new(setup, Date::new(now_s))?);
        Ok(SessionId(index as u8))
    }

    fn close(&mut self, session: SessionId) {
        if let Some(place) = self.sessions.get_mut(usize::from(session.0)) {
            *place = None;
        }
    }

    fn close_unheld(&mut self, held: &[SessionId]) {
        for (index, place) in self.sessions.iter_mut().enumerate() {
            if !held.contains(&SessionId(index as u8)) {
                *place = None;
            }
        }
    }

    fn handshake(&mut self, session: SessionId) -> Result<TlsStep<()>, TlsError> {
        self.step(session)?.handshake()
    }

    fn read(&mut self, session: SessionId, bytes: &mut [u8]) -> Result<TlsStep<usize>, TlsError> {
        self.step(session)?.read(bytes)
    }

    fn write(&mut self, session: SessionId, bytes: &[u8]) -> Result<TlsStep<usize>, TlsError> {
        self.step(session)?.write(bytes)
    }

    fn finish(&mut self, session: SessionId) {
        if let Some(session) = self.get_mut(session) {
            session.finish();
        }
    }

    fn has_pending(&self, session: SessionId) -> bool {
        self.get(session).is_some_and(Session::has_pending)
    }

    fn room(&self, session: SessionId) -> usize {
        self.get(session).map_or(0, |session| session.wire().room())
    }

    fn feed(&mut self, session: SessionId, bytes: &[u8]) {
        if let Some(session) = self.get_mut(session) {
            session.wire_mut().feed(bytes);
        }
    }

    fn outgoing(&self, session: SessionId, bytes: &mut [u8]) -> usize {
        self.get(session).map_or(0, |session| session.wire().outgoing(bytes))
    }

    fn sent(&mut self, session: SessionId, count: usize) {
        if let Some(session) = self.get_mut(session) {
            session.wire_mut().sent(count);
        }
    }

    fn cipher(&self, session: SessionId) -> [&'static str; 2] {
        self.get(session).map_or(["", ""], Session::cipher)
    }

    fn peer_certificate(&self, session: SessionId) -> Option<&[u8]> {
        self.get(session)?.peer_certificate()
    }

    fn refusal(&self, bits: u32, text: &mut [u8]) -> usize {
        session::refusal(bits, text)
    }

    fn error_name(&self, code: i32) -> Option<&'static str> {
        let known = [
            (mbed::MBEDTLS_ERR_SSL_CONN_EOF, "MBEDTLS_ERR_SSL_CONN_EOF"),
            (mbed::MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE"),
            (mbed::MBEDTLS_ERR_SSL_INVALID_RECORD, "MBEDTLS_ERR_SSL_INVALID_RECORD"),
            (mbed::MBEDTLS_ERR_SSL_INVALID_MAC, "MBEDTLS_ERR_SSL_INVALID_MAC"),
            (mbed::MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, "MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE"),
            (mbed::MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, "MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE"),
            (mbed::MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, "MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION"),
            (mbed::MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, "MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE"),
            (mbed::MBEDTLS_ERR_SSL_BAD_CERTIFICATE, "MBEDTLS_ERR_SSL_BAD_CERTIFICATE"),
            (mbed::MBEDTLS_ERR_SSL_DECODE_ERROR, "MBEDTLS_ERR_SSL_DECODE_ERROR"),
            (mbed::MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED, "MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED"),
            (mbed::MBEDTLS_ERR_SSL_PRIVATE_KEY_REQUIRED, "MBEDTLS_ERR_SSL_PRIVATE_KEY_REQUIRED"),
        ];
        known.iter().find(|(number, _)| *number == code).map(|(_, name)| *name)
    }
}
