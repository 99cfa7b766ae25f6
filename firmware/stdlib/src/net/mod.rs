//! The network: modules `network`, `socket` and `tls` over the traits of `larch-hal`, for any port.
//!
//! Invariant: everything the collector must know is a cell; a socket's object holds only its number. Waiting is [`wait`] and
//! nothing else: it honours time limits, Ctrl-C and scheduled work.

pub mod address;
pub mod espnow;
mod espnow_peers;
pub mod ipconfig;
pub mod lan;
pub mod network;
pub mod socket;
pub mod socket_module;
pub mod tls;
mod tls_socket;
pub mod watch;
pub mod wlan;
mod wlan_config;

use core::sync::atomic::Ordering;

use larch_bytecode::qstr::Qstr;
use larch_hal::{NetError, Sockets};
use larch_heap::Value;
use larch_vm::native::{ModuleDef, Raised, TypeDef};
use larch_vm::types::ids as core_ids;
use larch_vm::vm::PENDING;
use larch_vm::{Res, Vm};

/// The types, by number: a port with a network puts them into its own table.
pub static TYPES: &[&TypeDef] =
    &[&socket::SOCKET, &wlan::WLAN, &tls::SSL_CONTEXT, &tls_socket::SSL_SOCKET, &espnow::ESP_NOW];
/// The modules, likewise.
pub static MODULES: &[&ModuleDef] = &[&network::NETWORK, &socket_module::SOCKET, &tls::TLS, &espnow::ESPNOW];

/// What a port with a cable, and without Wi-Fi and TLS, puts into its tables instead.
pub static WIRED_TYPES: &[&TypeDef] =
    &[&socket::SOCKET, &wlan::WLAN, &tls::SSL_CONTEXT, &tls_socket::SSL_SOCKET, &espnow::ESP_NOW, &lan::LAN];
/// The modules, likewise.
pub static WIRED_MODULES: &[&ModuleDef] = &[&lan::NETWORK, &socket_module::SOCKET];

/// How long to wait: `None` for ever, 0 not at all; in milliseconds.
pub type TimeLimit = Option<u32>;

/// The board's sockets.
///
/// # Errors
/// OSError ENODEV if it has no network.
pub fn sockets(vm: &mut Vm) -> Res<&mut dyn Sockets> {
    if vm.port.sockets().is_none() {
        return Err(raise(vm, NetError::NotSupported));
    }
    Ok(vm.port.sockets().expect("just seen"))
}

/// OSError for what went wrong.
pub fn raise(vm: &mut Vm, error: NetError) -> Raised {
    let name = match error {
        NetError::Again => Qstr::EAGAIN,
        NetError::NoMemory => Qstr::ENOMEM,
        // lwIP's name for it has no name in MicroPython's table, only a number.
        NetError::TooMany => return vm.raise_os(23),
        NetError::Closed => Qstr::EBADF,
        NetError::AddressInUse => Qstr::EADDRINUSE,
        NetError::NotConnected => Qstr::ENOTCONN,
        NetError::Connecting => Qstr::EALREADY,
        NetError::Connected => return vm.raise_os(larch_vm::modules::errno::EISCONN),
        NetError::Refused => Qstr::ECONNREFUSED,
        NetError::Reset => Qstr::ECONNRESET,
        NetError::Aborted => Qstr::ECONNABORTED,
        NetError::Unreachable => Qstr::EHOSTUNREACH,
        NetError::TimedOut => Qstr::ETIMEDOUT,
        NetError::NotSupported => Qstr::EOPNOTSUPP,
        NetError::Invalid => Qstr::EINVAL,
        NetError::TooLong => Qstr::ENOMEM,
        // As lwIP's getaddrinfo fails (EAI_FAIL).
        NetError::NoSuchName => return vm.raise_os(-202),
    };
    raise_named(vm, name)
}

/// OSError by an error's name.
pub fn raise_named(vm: &mut Vm, name: Qstr) -> Raised {
    match larch_vm::modules::errno::number_of(name) {
        Some(number) => vm.raise_os(number),
        None => vm.raise_empty(core_ids::OSError),
    }
}

/// Tries until it works, fails, or the time is over: None.
///
/// # Errors
/// OSError, KeyboardInterrupt, what scheduled work raises.
pub fn until<T>(
    vm: &mut Vm,
    limit: TimeLimit,
    mut attempt: impl FnMut(&mut Vm) -> Result<T, NetError>,
) -> Res<Option<T>> {
    let deadline_us = limit.map(|ms| vm.port.ticks_us() + u64::from(ms) * 1000);
    let mut is_first = true;
    loop {
        match attempt(vm) {
            Ok(answer) => return Ok(Some(answer)),
            // Frames that have arrived meanwhile count, also for who does not wait.
            Err(NetError::Again) if is_first => {
                is_first = false;
                if let Some(sockets) = vm.port.sockets() {
                    sockets.poll();
                }
            }
            Err(NetError::Again) => {
                if PENDING.load(Ordering::Relaxed) {
                    vm.handle_pending()?;
                }
                if deadline_us.is_some_and(|deadline_us| vm.port.ticks_us() >= deadline_us) {
                    return Ok(None);
                }
                vm.port.idle(deadline_us);
            }
            Err(error) => return Err(raise(vm, error)),
        }
    }
}

/// As [`until`], but when the time is over: ETIMEDOUT, or EAGAIN if there was no time to begin with.
///
/// # Errors
/// As [`until`].
pub fn wait<T>(vm: &mut Vm, limit: TimeLimit, attempt: impl FnMut(&mut Vm) -> Result<T, NetError>) -> Res<T> {
    match until(vm, limit, attempt)? {
        Some(answer) => Ok(answer),
        None if limit == Some(0) => Err(raise(vm, NetError::Again)),
        None => Err(raise(vm, NetError::TimedOut)),
    }
}

/// As [`wait`]; None where that would raise EAGAIN: what a stream's methods give if nobody waits and nothing is there.
///
/// # Errors
/// As [`wait`].
pub fn wait_or_none<T>(
    vm: &mut Vm,
    limit: TimeLimit,
    attempt: impl FnMut(&mut Vm) -> Result<T, NetError>,
) -> Res<Option<T>> {
    match limit {
        Some(0) => until(vm, limit, attempt),
        _ => wait(vm, limit, attempt).map(Some),
    }
}

/// Takes pieces until there are `wanted` bytes, the stream ends, or no more is there: how many; None if nothing was there and
/// nobody waits. `piece` takes one into a range: from where, and at most how many.
///
/// # Errors
/// What `piece` raises.
fn fill(
    vm: &mut Vm,
    wanted: u32,
    mut piece: impl FnMut(&mut Vm, [u32; 2]) -> Res<Option<u32>>,
) -> Res<Option<u32>> {
    let mut done = 0;
    while done < wanted {
        match piece(vm, [done, wanted - done])? {
            Some(0) => break,
            Some(count) => done += count,
            None if done == 0 => return Ok(None),
            None => break,
        }
    }
    Ok(Some(done))
}

/// A value's text, copied where it survives changes of the heap; ValueError if it is too long.
///
/// # Errors
/// TypeError if it is neither string nor bytes.
pub fn short_arg<const N: usize>(vm: &mut Vm, value: Value) -> Res<larch_hal::Short<N>> {
    let Some(span) = vm.str_span(value).or_else(|| vm.buffer(value)) else {
        return Err(vm.raise_implicit(value));
    };
    match larch_hal::Short::new(vm.bytes_at(span)) {
        Some(short) => Ok(short),
        None => Err(vm.raise_empty(core_ids::ValueError)),
    }
}
