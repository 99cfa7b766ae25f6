//! TLS: sessions without a network. Who uses one moves the bytes: what the other side sent goes in with [`Tls::feed`], what is to
//! be sent to it comes out with [`Tls::outgoing`].
//!
//! Nothing waits: a step that needs more of the other side's bytes answers [`TlsStep::Wants`].

use core::mem::MaybeUninit;

/// The number of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionId(pub u8);

/// Whether the other side must prove who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verify {
    /// No.
    None = 0,
    /// It is looked at, and nothing follows from it.
    Optional = 1,
    /// Without a good certificate there is no session.
    Required = 2,
}

/// How a session is made. Certificates and keys are in PEM or DER form.
#[derive(Clone, Copy)]
pub struct TlsSetup<'a> {
    /// This side answers instead of asking.
    pub is_server: bool,
    /// Whether the other side must prove who it is.
    pub verify: Verify,
    /// Who the other side must be; empty: anybody.
    pub server_name: &'a str,
    /// Who is trusted.
    pub authorities: &'a [u8],
    /// This side's own certificates, its own first; empty: none.
    pub certificate: &'a [u8],
    /// The key to the first of them.
    pub key: &'a [u8],
    /// Numbers of cipher suites, four bytes each, lowest first; empty: all.
    pub ciphers: &'a [u8],
}

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFile {
    /// Certificates.
    Certificates,
    /// A private key.
    Key,
}

/// Why a session cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// All sessions are in use.
    #[error("too many TLS sessions; close one")]
    TooMany,
    /// No memory for a session.
    #[error("no memory for a TLS session; close another, or begin with TLS before the heap is full")]
    NoMemory,
    /// The certificates cannot be read.
    #[error("the certificate is damaged or of a kind that is not known")]
    BadCertificate,
    /// The key cannot be read.
    #[error("the key is damaged, protected, or of a kind that is not known")]
    BadKey,
    /// The other side's certificate was refused: bits that [`Tls::refusal`] explains.
    #[error("the other side's certificate is not trusted")]
    Refused(u32),
    /// The engine's own number for what the other side did wrong.
    #[error("the other side broke the protocol, or ended the session with an alert ({0})")]
    Protocol(i32),
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsStep<T> {
    /// Done.
    Done(T),
    /// More bytes of the other side are needed.
    Wants,
    /// What is to be sent must be taken out first.
    Full,
}

/// TLS.
pub trait Tls {
    /// Bytes that the engine needs before its first session; zero once it has them.
    fn memory_wanted(&self) -> usize;

    /// Gives the engine memory, for good.
    fn give_memory(&mut self, memory: &'static mut [MaybeUninit<u8>]);

    /// Looks whether a file can be used.
    ///
    /// # Errors
    /// [`TlsError::BadCertificate`], [`TlsError::BadKey`], [`TlsError::NoMemory`].
    fn check(&mut self, file: TlsFile, bytes: &[u8]) -> Result<(), TlsError>;

    /// The name of cipher suite `index` of those that the engine has.
    fn cipher_name(&self, index: usize) -> Option<&'static str>;

    /// The number of a cipher suite.
    ///
    /// # Errors
    /// [`TlsError::Protocol`] if there is none of this name.
    fn cipher_number(&self, name: &str) -> Result<i32, TlsError>;

    /// A new session. `now_s` is the time since 1970, for the dates in certificates.
    ///
    /// # Errors
    /// [`TlsError::TooMany`], [`TlsError::NoMemory`], as [`Tls::check`].
    fn open(&mut self, setup: &TlsSetup<'_>, now_s: u64) -> Result<SessionId, TlsError>;

    /// Ends a session; a word to the other side is in [`Tls::outgoing`] before.
    fn close(&mut self, session: SessionId);

    /// Closes every session that is not in `held`.
    fn close_unheld(&mut self, held: &[SessionId]);

    /// Goes on with the handshake.
    ///
    /// # Errors
    /// Everything that can go wrong with the other side.
    fn handshake(&mut self, session: SessionId) -> Result<TlsStep<()>, TlsError>;

    /// Decrypted bytes; none at the end.
    ///
    /// # Errors
    /// As [`Tls::handshake`].
    fn read(&mut self, session: SessionId, bytes: &mut [u8]) -> Result<TlsStep<usize>, TlsError>;

    /// Takes bytes to be encrypted: how many.
    ///
    /// # Errors
    /// As [`Tls::handshake`].
    fn write(&mut self, session: SessionId, bytes: &[u8]) -> Result<TlsStep<usize>, TlsError>;

    /// Tells the other side that nothing more will come.
    fn finish(&mut self, session: SessionId);

    /// Whether [`Tls::read`] has something without more bytes of the other side.
    fn has_pending(&self, session: SessionId) -> bool;

    /// How many bytes [`Tls::feed`] takes now.
    fn room(&self, session: SessionId) -> usize;

    /// The other side sent this; none: it ended the connection.
    fn feed(&mut self, session: SessionId, bytes: &[u8]);

    /// Copies what is to be sent: how much. It stays until [`Tls::sent`].
    fn outgoing(&self, session: SessionId, bytes: &mut [u8]) -> usize;

    /// So much of it was sent.
    fn sent(&mut self, session: SessionId, count: usize);

    /// Cipher suite and version that both sides agreed on.
    fn cipher(&self, session: SessionId) -> [&'static str; 2];

    /// Shows the other side's certificate (DER), if it has sent one.
    fn peer_certificate(&self, session: SessionId) -> Option<&[u8]>;

    /// Why a certificate was refused, in words, into `text`: how many bytes.
    fn refusal(&self, bits: u32, text: &mut [u8]) -> usize;

    /// The engine's name for an error of the protocol.
    fn error_name(&self, code: i32) -> Option<&'static str>;
}
