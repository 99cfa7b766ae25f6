//! TLS in front of the web server, and behind a caller: what a board's TLS is tested with.
//!
//! An authority and its certificates are made when they are first needed; they differ from run to run, and so do a few lengths on
//! the wire. Dates are about the time that the NTP server tells. The web server gives the authority's certificate, and a certificate
//! with its key for the board ([`file`]).

use super::http::Http;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig, ServerConnection};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// The name of the gateway in good certificates.
const GATEWAY: &str = "gateway.test";
/// The name of the board in its certificate.
const BOARD: &str = "board.test";
/// Damage is done within so many bytes: a handshake and an answer.
const DAMAGE_WITHIN: usize = 2000;
/// Bytes that are read from a session at a time.
const PIECE: usize = 4096;

/// What is wrong with a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Nothing.
    Good,
    /// It is another host's.
    OtherName,
    /// An authority signed it that nobody knows.
    Untrusted,
    /// Its time is over.
    Expired,
    /// Nothing, but what is sent is damaged on the way, in each session at another place.
    Damaged,
}

/// The service behind a port of the gateway.
#[must_use]
pub fn service(port: u16) -> Option<Certificate> {
    Some(match port {
        443 => Certificate::Good,
        4431 => Certificate::OtherName,
        4432 => Certificate::Untrusted,
        4433 => Certificate::Expired,
        4434 => Certificate::Damaged,
        _ => return None,
    })
}

type Made<T> = Result<T, rcgen::Error>;

/// An authority, and what it signed.
struct World {
    authority: CertifiedIssuer<'static, KeyPair>,
    stranger: CertifiedIssuer<'static, KeyPair>,
    board: (Vec<u8>, Vec<u8>),
}

fn authority(name: &str) -> Made<CertifiedIssuer<'static, KeyPair>> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2040, 1, 1));
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

/// A certificate and its key, both in DER form.
fn signed(
    issuer: &CertifiedIssuer<'static, KeyPair>,
    name: &str,
    until_year: i32,
) -> Made<(Vec<u8>, Vec<u8>)> {
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until_year, 1, 1));
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    Ok((certificate.der().to_vec(), key.serialize_der()))
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let make = || {
            let authority = authority("Larch test authority")?;
            let board = signed(&authority, BOARD, 2035)?;
            Made::Ok(World { authority, stranger: self::authority("A stranger")?, board })
        };
        make().expect("certificates of fixed content can be made")
    })
}

/// What the web server gives of it, in DER form.
#[must_use]
pub fn file(path: &str) -> Option<Vec<u8>> {
    match path {
        "/tls/authority.der" => Some(world().authority.der().to_vec()),
        "/tls/board.der" => Some(world().board.0.clone()),
        "/tls/board-key.der" => Some(world().board.1.clone()),
        _ => None,
    }
}

fn server(certificate: Certificate) -> Result<ServerConnection, rustls::Error> {
    let World { authority, stranger, .. } = world();
    let (issuer, name, until) = match certificate {
        Certificate::Good | Certificate::Damaged => (authority, GATEWAY, 2035),
        Certificate::OtherName => (authority, "elsewhere.test", 2035),
        Certificate::Untrusted => (stranger, GATEWAY, 2035),
        Certificate::Expired => (authority, GATEWAY, 2025),
    };
    let (certificate, key) =
        signed(issuer, name, until).map_err(|error| rustls::Error::General(error.to_string()))?;
    let chain = vec![CertificateDer::from(certificate)];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    ServerConnection::new(Arc::new(config))
}

fn client() -> Result<ClientConnection, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(world().authority.der().clone())?;
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(BOARD).map_err(|error| rustls::Error::General(error.to_string()))?;
    ClientConnection::new(Arc::new(config), name)
}

/// What is said inside the session.
enum Talk {
    Web(Http),
    /// A caller: says this, and hears what comes.
    Words(Vec<u8>),
}

/// One end of a session.
pub struct Session {
    tls: Connection,
    talk: Talk,
    /// For the wire.
    out: Vec<u8>,
    is_over: bool,
    damage: Option<Damage>,
}

/// What happens to one place of what a session sends.
struct Damage {
    /// Bytes before it.
    at: usize,
    /// Chooses what.
    noise: u64,
}

impl Damage {
    /// That of the next session: another one each time, the same ones in every run.
    fn next() -> Self {
        static SESSIONS: AtomicU64 = AtomicU64::new(1);
        let number = SESSIONS.fetch_add(1, Ordering::Relaxed);
        let noise = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 8;
        Self { at: noise as usize % DAMAGE_WITHIN, noise: noise >> 16 }
    }

    /// Damages what is about to be sent, if it is this place's turn; says whether it was.
    fn strike(&mut self, sent: &mut Vec<u8>) -> bool {
        if self.at >= sent.len() {
            self.at -= sent.len();
            return false;
        }
        let byte = (self.noise >> 8) as u8;
        match self.noise % 4 {
            0 => drop(sent.remove(self.at)),
            1 => sent.insert(self.at, byte),
            2 => sent[self.at] ^= byte | 1,
            _ => sent[self.at] = 0xFF,
        }
        true
    }
}

impl Session {
    /// A web server with such a certificate.
    #[must_use]
    pub fn serve(certificate: Certificate, http: Http) -> Option<Self> {
        let tls = server(certificate).inspect_err(|error| tracing::warn!("TLS server: {error}")).ok()?;
        let mut session = Self::new(tls.into(), Talk::Web(http));
        session.damage = (certificate == Certificate::Damaged).then(Damage::next);
        Some(session)
    }

    /// A caller who knows the authority, and says something.
    #[must_use]
    pub fn call(words: &[u8]) -> Option<Self> {
        let tls = client().inspect_err(|error| tracing::warn!("TLS client: {error}")).ok()?;
        Some(Self::new(tls.into(), Talk::Words(words.to_vec())))
    }

    fn new(tls: Connection, talk: Talk) -> Self {
        Self { tls, talk, out: Vec::new(), is_over: false, damage: None }
    }

    /// The other side sent this.
    pub fn receive(&mut self, mut wire: &[u8]) {
        while !wire.is_empty() && !self.is_over {
            // Reading from a slice does not fail; a session that takes nothing is over.
            let taken = self.tls.read_tls(&mut wire).unwrap_or(0);
            if let Err(error) = self.tls.process_new_packets() {
                tracing::debug!("TLS: {error}");
                self.is_over = true;
            }
            self.is_over |= taken == 0;
            self.hear();
        }
    }

    fn hear(&mut self) {
        let mut piece = [0; PIECE];
        loop {
            match self.tls.reader().read(&mut piece) {
                Ok(0) => {
                    self.end();
                    return;
                }
                Ok(count) => {
                    if let Talk::Web(http) = &mut self.talk {
                        http.receive(&piece[..count]);
                    }
                }
                // Nothing more for now, or an end without a word.
                Err(error) => {
                    self.is_over |= error.kind() == std::io::ErrorKind::UnexpectedEof;
                    return;
                }
            }
        }
    }

    fn end(&mut self) {
        if !self.is_over {
            self.tls.send_close_notify();
            self.is_over = true;
        }
    }

    /// What is to be sent.
    pub fn rest(&mut self) -> &[u8] {
        self.speak();
        let mut made = Vec::new();
        while self.tls.wants_write() {
            // Writing into a vector does not fail.
            let _ = self.tls.write_tls(&mut made);
        }
        self.damage.take_if(|damage| damage.strike(&mut made));
        self.out.append(&mut made);
        &self.out
    }

    fn speak(&mut self) {
        if self.tls.is_handshaking() || self.is_over || !self.out.is_empty() {
            return;
        }
        match &mut self.talk {
            Talk::Web(http) => {
                let count = self.tls.writer().write(http.rest()).unwrap_or(0);
                http.sent(count);
                if http.is_over() {
                    self.end();
                }
            }
            Talk::Words(words) => {
                let count = self.tls.writer().write(words).unwrap_or(0);
                words.drain(..count);
            }
        }
    }

    /// That much of it was sent.
    pub fn sent(&mut self, count: usize) {
        self.out.drain(..count);
    }

    /// Everything was said and sent.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over && self.out.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moves bytes between two sessions until both are still.
    fn converse(a: &mut Session, b: &mut Session) {
        for _ in 0..20 {
            let wire = a.rest().to_vec();
            a.sent(wire.len());
            b.receive(&wire);
            let wire = b.rest().to_vec();
            b.sent(wire.len());
            a.receive(&wire);
        }
    }

    #[test]
    fn a_caller_trusts_who_the_authority_signed() {
        let chain = vec![CertificateDer::from(world().board.0.clone())];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(world().board.1.clone()));
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
        let tls = ServerConnection::new(Arc::new(config)).unwrap();
        let mut board = Session::new(tls.into(), Talk::Web(Http::new(None)));
        let mut caller = Session::call(b"GET /bytes/3 HTTP/1.0\r\n\r\n").unwrap();
        converse(&mut caller, &mut board);
        assert!(board.is_over() && caller.is_over());
        // A web server that is not the board is refused.
        let mut other = Session::serve(Certificate::Good, Http::new(None)).unwrap();
        let mut caller = Session::call(b"hello").unwrap();
        converse(&mut caller, &mut other);
        assert!(caller.is_over() && caller.tls.is_handshaking());
    }

    #[test]
    fn damaged_records_end_a_session() {
        for seed in 0..200_u32 {
            let mut session = Session::serve(Certificate::Good, Http::new(None)).unwrap();
            let mut caller = Session::call(b"hello").unwrap();
            let mut wire = caller.rest().to_vec();
            let at = (seed.wrapping_mul(2_654_435_761) >> 8) as usize % wire.len();
            wire[at] ^= 1 << (seed % 8);
            session.receive(&wire);
            let _ = session.rest();
        }
    }
}
