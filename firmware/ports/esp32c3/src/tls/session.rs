//! One session: the library's structures, at one place for as long as it lives, and the wire that they work on.
//!
//! Source: Mbed TLS 3.6, `ssl.h`, `x509_crt.h`.

use alloc::alloc::alloc_zeroed;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::alloc::Layout;
use core::ffi::{CStr, c_char, c_int, c_uchar, c_void};
use core::ptr;

use larch_hal::{TlsError, TlsSetup, TlsStep};
use mbedtls_rs_sys as mbed;

use super::glue::random;
use super::wire::Wire;

/// How PEM begins.
const PEM: &[u8] = b"-----BEGIN ";
/// The library's numbers for "no memory", of its parts.
const NO_MEMORY: [c_int; 8] = [
    mbed::MBEDTLS_ERR_SSL_ALLOC_FAILED,
    mbed::MBEDTLS_ERR_X509_ALLOC_FAILED,
    mbed::MBEDTLS_ERR_PK_ALLOC_FAILED,
    mbed::MBEDTLS_ERR_MPI_ALLOC_FAILED,
    mbed::MBEDTLS_ERR_ECP_ALLOC_FAILED,
    mbed::MBEDTLS_ERR_MD_ALLOC_FAILED,
    mbed::MBEDTLS_ERR_ASN1_ALLOC_FAILED,
    mbed::MBEDTLS_ERR_PEM_ALLOC_FAILED,
];
/// A name as `mbedtls_ssl_set_hostname` takes it, with its end.
const NAME_MAX: usize = 256;

/// A date: year, month, day, hour, minute, second.
pub struct Date([c_int; 6]);

impl Date {
    /// The date of a time since 1970. Source: the calendar's 400-year period, begun in March.
    pub fn new(seconds: u64) -> Self {
        let (days, second) = ((seconds / 86_400) as i64 + 719_468, seconds % 86_400);
        let (period, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let date = [year + period * 400 + next, month, day];
        let time = [second / 3600, second / 60 % 60, second % 60];
        Self([date[0], date[1], date[2], time[0] as i64, time[1] as i64, time[2] as i64].map(|n| n as c_int))
    }
}

fn error(code: c_int) -> TlsError {
    if NO_MEMORY.contains(&code) { TlsError::NoMemory } else { TlsError::Protocol(code) }
}

fn done(code: c_int) -> Result<(), TlsError> {
    if code == 0 { Ok(()) } else { Err(error(code)) }
}

/// Bytes as the library's parsers want them: PEM ends with a zero.
fn with_end(bytes: &[u8]) -> Result<Vec<u8>, TlsError> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len() + 1).map_err(|_| TlsError::NoMemory)?;
    copy.extend_from_slice(bytes);
    if bytes.windows(PEM.len()).any(|part| part == PEM) {
        copy.push(0);
    }
    Ok(copy)
}

/// Certificates.
pub struct Chain(mbed::mbedtls_x509_crt);

impl Chain {
    fn empty() -> Self {
        let mut chain = mbed::mbedtls_x509_crt::default();
        // SAFETY: the structure is ours.
        unsafe { mbed::mbedtls_x509_crt_init(&mut chain) };
        Self(chain)
    }

    /// Reads certificates.
    ///
    /// # Errors
    /// [`TlsError::BadCertificate`], [`TlsError::NoMemory`].
    pub fn parse(bytes: &[u8]) -> Result<Self, TlsError> {
        let mut chain = Self::empty();
        if !bytes.is_empty() {
            let bytes = with_end(bytes)?;
            // SAFETY: the bytes live until the call ends; the library copies what it keeps.
            let code = unsafe { mbed::mbedtls_x509_crt_parse(&mut chain.0, bytes.as_ptr(), bytes.len()) };
            done(code).map_err(|error| match error {
                TlsError::NoMemory => error,
                _ => TlsError::BadCertificate,
            })?;
        }
        Ok(chain)
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        // SAFETY: it was set up by `empty`; nothing refers to it any more.
        unsafe { mbed::mbedtls_x509_crt_free(&mut self.0) };
    }
}

/// A private key.
pub struct PrivateKey(mbed::mbedtls_pk_context);

impl PrivateKey {
    /// Reads a key.
    ///
    /// # Errors
    /// [`TlsError::BadKey`], [`TlsError::NoMemory`].
    pub fn parse(bytes: &[u8]) -> Result<Self, TlsError> {
        let mut key = Self(mbed::mbedtls_pk_context::default());
        // SAFETY: the structure is ours.
        unsafe { mbed::mbedtls_pk_init(&mut key.0) };
        if !bytes.is_empty() {
            let bytes = with_end(bytes)?;
            // SAFETY: as for certificates; there is no password.
            let code = unsafe {
                mbed::mbedtls_pk_parse_key(
                    &mut key.0,
                    bytes.as_ptr(),
                    bytes.len(),
                    ptr::null(),
                    0,
                    Some(random),
                    ptr::null_mut(),
                )
            };
            done(code).map_err(|error| if error == TlsError::NoMemory { error } else { TlsError::BadKey })?;
        }
        Ok(key)
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        // SAFETY: it was set up by `parse`.
        unsafe { mbed::mbedtls_pk_free(&mut self.0) };
    }
}

/// What the library's structures point at, and themselves. The last field dropped is the first one that others refer to.
struct Parts {
    ssl: mbed::mbedtls_ssl_context,
    config: mbed::mbedtls_ssl_config,
    wire: Wire,
    now: Date,
    authorities: Chain,
    certificate: Chain,
    key: PrivateKey,
    /// With a zero at the end; empty: all.
    ciphers: Vec<c_int>,
}

impl Drop for Parts {
    fn drop(&mut self) {
        // SAFETY: both were set up by `Session::new`; the session refers to the configuration, so it goes first.
        unsafe {
            mbed::mbedtls_ssl_free(&mut self.ssl);
            mbed::mbedtls_ssl_config_free(&mut self.config);
        }
    }
}

/// A session.
pub struct Session(Box<Parts>);

impl Session {
    /// A session at its beginning.
    ///
    /// # Errors
    /// [`TlsError::NoMemory`], [`TlsError::BadCertificate`], [`TlsError::BadKey`].
    pub fn new(setup: &TlsSetup<'_>, now: Date) -> Result<Self, TlsError> {
        let (authorities, certificate) = (Chain::parse(setup.authorities)?, Chain::parse(setup.certificate)?);
        let key = PrivateKey::parse(setup.key)?;
        let ciphers = cipher_numbers(setup.ciphers)?;
        let mut session = Self(boxed(now, authorities, certificate, key, ciphers)?);
        session.configure(setup)?;
        session.name_peer(setup.server_name)?;
        Ok(session)
    }

    fn configure(&mut self, setup: &TlsSetup<'_>) -> Result<(), TlsError> {
        let endpoint =
            if setup.is_server { mbed::MBEDTLS_SSL_IS_SERVER } else { mbed::MBEDTLS_SSL_IS_CLIENT };
        let parts = &mut *self.0;
        let wire = (&raw mut parts.wire).cast::<c_void>();
        let now = (&raw mut parts.now).cast::<c_void>();
        // SAFETY: everything that the structures are told to point at is in the same box, and is dropped after them.
        unsafe {
            done(mbed::mbedtls_ssl_config_defaults(
                &mut parts.config,
                endpoint as c_int,
                mbed::MBEDTLS_SSL_TRANSPORT_STREAM as c_int,
                mbed::MBEDTLS_SSL_PRESET_DEFAULT as c_int,
            ))?;
            mbed::mbedtls_ssl_conf_rng(&mut parts.config, Some(random), ptr::null_mut());
            mbed::mbedtls_ssl_conf_authmode(&mut parts.config, setup.verify as c_int);
            mbed::mbedtls_ssl_conf_verify(&mut parts.config, Some(verify), now);
            if !parts.ciphers.is_empty() {
                mbed::mbedtls_ssl_conf_ciphersuites(&mut parts.config, parts.ciphers.as_ptr());
            }
            if !setup.authorities.is_empty() {
                mbed::mbedtls_ssl_conf_ca_chain(&mut parts.config, &mut parts.authorities.0, ptr::null_mut());
            }
            if !setup.certificate.is_empty() {
                let (certificate, key) = (&mut parts.certificate.0, &mut parts.key.0);
                done(mbed::mbedtls_ssl_conf_own_cert(&mut parts.config, certificate, key))?;
            }
            done(mbed::mbedtls_ssl_setup(&mut parts.ssl, &parts.config))?;
            mbed::mbedtls_ssl_set_bio(&mut parts.ssl, wire, Some(give), Some(take), None);
        }
        Ok(())
    }

    fn name_peer(&mut self, name: &str) -> Result<(), TlsError> {
        let mut text = [0; NAME_MAX];
        let place = text.get_mut(..name.len()).filter(|_| name.len() < NAME_MAX && !name.contains('\0'));
        place
            .ok_or(TlsError::Protocol(mbed::MBEDTLS_ERR_SSL_BAD_INPUT_DATA))?
            .copy_from_slice(name.as_bytes());
        let text = if name.is_empty() { ptr::null() } else { text.as_ptr().cast::<c_char>() };
        // SAFETY: the library copies the name, which ends with a zero; none says that any name is right.
        done(unsafe { mbed::mbedtls_ssl_set_hostname(&mut self.0.ssl, text) })
    }

    /// What waits for the network, and for the session.
    pub fn wire(&self) -> &Wire {
        &self.0.wire
    }

    /// As [`Session::wire`].
    pub fn wire_mut(&mut self) -> &mut Wire {
        &mut self.0.wire
    }

    /// What the library's answer means.
    fn answer(&mut self, code: c_int) -> Result<TlsStep<usize>, TlsError> {
        match code {
            0.. => Ok(TlsStep::Done(code as usize)),
            mbed::MBEDTLS_ERR_SSL_WANT_READ => Ok(TlsStep::Wants),
            mbed::MBEDTLS_ERR_SSL_WANT_WRITE => Ok(TlsStep::Full),
            mbed::MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY => Ok(TlsStep::Done(0)),
            mbed::MBEDTLS_ERR_X509_CERT_VERIFY_FAILED => {
                // SAFETY: the session was set up.
                Err(TlsError::Refused(unsafe { mbed::mbedtls_ssl_get_verify_result(&self.0.ssl) }))
            }
            code => Err(error(code)),
        }
    }

    /// Goes on with the handshake.
    pub fn handshake(&mut self) -> Result<TlsStep<()>, TlsError> {
        // SAFETY: the session was set up.
        let code = unsafe { mbed::mbedtls_ssl_handshake(&mut self.0.ssl) };
        Ok(match self.answer(code)? {
            TlsStep::Done(_) => TlsStep::Done(()),
            TlsStep::Wants => TlsStep::Wants,
            TlsStep::Full => TlsStep::Full,
        })
    }

    /// Decrypted bytes.
    pub fn read(&mut self, bytes: &mut [u8]) -> Result<TlsStep<usize>, TlsError> {
        loop {
            // SAFETY: the session was set up; the library writes at most as many bytes as there is room.
            let code = unsafe { mbed::mbedtls_ssl_read(&mut self.0.ssl, bytes.as_mut_ptr(), bytes.len()) };
            if code != mbed::MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET {
                return self.answer(code);
            }
        }
    }

    /// Takes bytes to be encrypted.
    pub fn write(&mut self, bytes: &[u8]) -> Result<TlsStep<usize>, TlsError> {
        // SAFETY: the session was set up; the library reads these bytes only.
        let code = unsafe { mbed::mbedtls_ssl_write(&mut self.0.ssl, bytes.as_ptr(), bytes.len()) };
        self.answer(code)
    }

    /// Says that nothing more will come.
    pub fn finish(&mut self) {
        // SAFETY: the session was set up. Whether the word goes out is seen on the wire.
        let _ = unsafe { mbed::mbedtls_ssl_close_notify(&mut self.0.ssl) };
    }

    /// Whether something can be read without more of the other side's bytes.
    pub fn has_pending(&self) -> bool {
        // SAFETY: the session was set up.
        unsafe { mbed::mbedtls_ssl_check_pending(&self.0.ssl) != 0 }
    }

    /// Cipher suite and version.
    pub fn cipher(&self) -> [&'static str; 2] {
        // SAFETY: both answers are texts in flash, or nothing.
        unsafe {
            let texts =
                [mbed::mbedtls_ssl_get_ciphersuite(&self.0.ssl), mbed::mbedtls_ssl_get_version(&self.0.ssl)];
            texts.map(
                |text| if text.is_null() { "" } else { CStr::from_ptr(text).to_str().unwrap_or_default() },
            )
        }
    }

    /// The other side's certificate.
    pub fn peer_certificate(&self) -> Option<&[u8]> {
        // SAFETY: the certificate lives as long as the session.
        unsafe {
            let certificate = mbed::mbedtls_ssl_get_peer_cert(&self.0.ssl).as_ref()?;
            Some(core::slice::from_raw_parts(certificate.raw.p, certificate.raw.len))
        }
    }
}

/// The library's list of cipher suites, which ends with a zero.
pub fn cipher_number(index: usize) -> Option<c_int> {
    // SAFETY: nobody asks beyond the end without having asked for what is before it.
    Some(unsafe { *mbed::mbedtls_ssl_list_ciphersuites().add(index) }).filter(|number| *number != 0)
}

/// The name of one of them.
pub fn cipher_name(index: usize) -> Option<&'static str> {
    // SAFETY: the name is a text in flash.
    unsafe { CStr::from_ptr(mbed::mbedtls_ssl_get_ciphersuite_name(cipher_number(index)?)) }.to_str().ok()
}

fn cipher_numbers(bytes: &[u8]) -> Result<Vec<c_int>, TlsError> {
    let (numbers, _) = bytes.as_chunks();
    let mut list = Vec::new();
    if !numbers.is_empty() {
        list.try_reserve_exact(numbers.len() + 1).map_err(|_| TlsError::NoMemory)?;
        list.extend(numbers.iter().map(|number| c_int::from_le_bytes(*number)).chain([0]));
    }
    Ok(list)
}

/// The parts at the place where they stay; an error, not a panic, if there is no memory.
fn boxed(
    now: Date,
    authorities: Chain,
    certificate: Chain,
    key: PrivateKey,
    ciphers: Vec<c_int>,
) -> Result<Box<Parts>, TlsError> {
    let layout = Layout::new::<Parts>();
    // SAFETY: the layout is not empty; every field is given a value (all zeros is an empty wire, and what the library's
    // functions for a new structure make) before the box is.
    unsafe {
        let parts = alloc_zeroed(layout).cast::<Parts>();
        if parts.is_null() {
            return Err(TlsError::NoMemory);
        }
        mbed::mbedtls_ssl_init(&raw mut (*parts).ssl);
        mbed::mbedtls_ssl_config_init(&raw mut (*parts).config);
        (&raw mut (*parts).now).write(now);
        (&raw mut (*parts).authorities).write(authorities);
        (&raw mut (*parts).certificate).write(certificate);
        (&raw mut (*parts).key).write(key);
        (&raw mut (*parts).ciphers).write(ciphers);
        Ok(Box::from_raw(parts))
    }
}

unsafe extern "C" fn give(wire: *mut c_void, bytes: *const c_uchar, len: usize) -> c_int {
    // SAFETY: the wire is the session's, which is in a call and borrows nothing of it; the bytes are the library's.
    unsafe { (*wire.cast::<Wire>()).give(core::slice::from_raw_parts(bytes, len)) }
}

unsafe extern "C" fn take(wire: *mut c_void, bytes: *mut c_uchar, len: usize) -> c_int {
    // SAFETY: as `give`.
    unsafe { (*wire.cast::<Wire>()).take(core::slice::from_raw_parts_mut(bytes, len)) }
}

/// The library was compiled without a clock: the dates of each certificate are compared here.
unsafe extern "C" fn verify(
    now: *mut c_void,
    certificate: *mut mbed::mbedtls_x509_crt,
    _depth: c_int,
    flags: *mut u32,
) -> c_int {
    // SAFETY: the date is the session's; the certificate and its flags are the library's, for this call.
    let (now, certificate, flags) = unsafe { (&(*now.cast::<Date>()).0, &*certificate, &mut *flags) };
    let date =
        |time: &mbed::mbedtls_x509_time| [time.year, time.mon, time.day, time.hour, time.min, time.sec];
    if *now > date(&certificate.valid_to) {
        *flags |= mbed::MBEDTLS_X509_BADCERT_EXPIRED;
    }
    if *now < date(&certificate.valid_from) {
        *flags |= mbed::MBEDTLS_X509_BADCERT_FUTURE;
    }
    0
}

/// Why a certificate was refused.
pub fn refusal(bits: u32, text: &mut [u8]) -> usize {
    // SAFETY: the library writes no more than there is room for, with a zero at the end.
    let len = unsafe {
        mbed::mbedtls_x509_crt_verify_info(text.as_mut_ptr().cast(), text.len(), c"\n".as_ptr(), bits)
    };
    usize::try_from(len).unwrap_or(0).min(text.len())
}
