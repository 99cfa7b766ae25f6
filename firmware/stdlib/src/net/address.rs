//! Addresses as Python programs write them: `'192.168.0.1'`, `('192.168.0.1', 80)`.

use larch_hal::{Endpoint, Ipv4, NetError};
use larch_heap::Value;
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use super::{TimeLimit, sockets, wait};

/// Longest name of a host, and its end.
const NAME_MAX: usize = 256;
/// How long a name server is asked.
const RESOLVE_MS: u32 = 15_000;

/// Reads `a.b.c.d`.
pub fn parse(text: &[u8]) -> Option<Ipv4> {
    let mut address = [0; 4];
    let mut parts = text.split(|byte| *byte == b'.');
    for byte in &mut address {
        let part = parts.next().filter(|part| (1..=3).contains(&part.len()))?;
        *byte =
            core::str::from_utf8(part).ok().filter(|_| part.iter().all(u8::is_ascii_digit))?.parse().ok()?;
    }
    parts.next().is_none().then_some(address)
}

/// Writes `a.b.c.d`.
///
/// # Errors
/// MemoryError.
pub fn text(vm: &mut Vm, address: Ipv4) -> Res {
    let sink = vm.begin_text(larch_heap::Kind::Str, 15)?;
    for (index, byte) in address.into_iter().enumerate() {
        if index > 0 {
            vm.emit_str(sink, ".")?;
        }
        vm.emit_int(sink, i32::from(byte))?;
    }
    vm.end_text(sink)
}

/// An address argument.
///
/// # Errors
/// ValueError, TypeError.
pub fn address_arg(vm: &mut Vm, value: Value) -> Res<Ipv4> {
    let Some(span) = vm.str_span(value) else { return Err(vm.raise_implicit(value)) };
    if span.is_empty() {
        return Ok([0; 4]);
    }
    match parse(vm.bytes_at(span)) {
        Some(address) => Ok(address),
        None => Err(vm.raise(core_ids::ValueError, "invalid arguments")),
    }
}

/// `(address, port)`
///
/// # Errors
/// MemoryError.
pub fn endpoint_tuple(vm: &mut Vm, endpoint: Endpoint) -> Res {
    let address = text(vm, endpoint.address)?;
    let scope = vm.root(address)?;
    let tuple = vm.new_tuple(&[address, Value::small(i32::from(endpoint.port))])?;
    vm.release(scope);
    Ok(tuple)
}

/// A port: a number, or a number in a string.
///
/// # Errors
/// ValueError, TypeError.
pub fn port_arg(vm: &mut Vm, value: Value) -> Res<u16> {
    let number = match vm.str_span(value) {
        Some(span) => vm.str_at(span).parse().ok(),
        None => u16::try_from(vm.int_arg(value)?).ok(),
    };
    match number {
        Some(port) => Ok(port),
        None => Err(vm.raise(core_ids::ValueError, "invalid arguments")),
    }
}

/// The address of a host: its name is asked for if it is no address.
///
/// # Errors
/// OSError, TypeError, KeyboardInterrupt.
pub fn host_arg(vm: &mut Vm, host: Value) -> Res<Ipv4> {
    let Some(span) = vm.str_span(host) else { return Err(vm.raise_implicit(host)) };
    if span.is_empty() {
        return Ok([0; 4]);
    }
    if let Some(address) = parse(vm.bytes_at(span)) {
        return Ok(address);
    }
    let mut name = [0; NAME_MAX];
    let len = span.len() as usize;
    let Some(place) = name.get_mut(..len) else { return Err(super::raise(vm, NetError::NoSuchName)) };
    place.copy_from_slice(vm.bytes_at(span));
    let Ok(name) = core::str::from_utf8(&name[..len]) else {
        return Err(super::raise(vm, NetError::NoSuchName));
    };
    sockets(vm)?;
    let limit: TimeLimit = Some(RESOLVE_MS);
    let answer = wait(vm, limit, |vm| match vm.port.sockets() {
        // Without a network there is no name server, and so no such name.
        Some(sockets) => sockets.resolve(name).map_err(|error| match error {
            NetError::Unreachable => NetError::NoSuchName,
            error => error,
        }),
        None => Err(NetError::NotSupported),
    });
    if let Some(sockets) = vm.port.sockets() {
        sockets.forget_name();
    }
    answer
}

/// `(host, port)`, as `connect`, `bind` and `sendto` take it.
///
/// # Errors
/// As [`host_arg`].
pub fn endpoint_arg(vm: &mut Vm, value: Value) -> Res<Endpoint> {
    let Some((at, first, count)) = vm.sequence_items(value) else {
        return Err(vm.raise_convert(value, "tuple"));
    };
    if count != 2 {
        return Err(vm.raise_parts(
            core_ids::ValueError,
            &[
                larch_vm::Part::Text("requested length 2 but object has length "),
                larch_vm::Part::Int(count as i32),
            ],
        ));
    }
    let (host, port) = (vm.heap.slot(at, first), vm.heap.slot(at, first + 1));
    let port = port_arg(vm, port)?;
    let scope = vm.root(host)?;
    let address = host_arg(vm, host)?;
    vm.release(scope);
    Ok(Endpoint { address, port })
}

/// A mask of so many bits.
pub fn mask(prefix: u8) -> Ipv4 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0).to_be_bytes()
}

/// The bits of a mask.
pub fn prefix(mask: Ipv4) -> u8 {
    u32::from_be_bytes(mask).leading_ones() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_four_small_numbers() {
        assert_eq!(parse(b"192.168.0.187"), Some([192, 168, 0, 187]));
        assert_eq!(parse(b"0.0.0.0"), Some([0; 4]));
        let bad: [&[u8]; 9] = [
            b"",
            b"1.2.3",
            b"1.2.3.4.5",
            b"1.2.3.256",
            b"a.b.c.d",
            b"1.2.3.",
            b"+1.2.3.4",
            b"1..2.3",
            b"1.2.3.4 ",
        ];
        for text in bad {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn masks_and_prefixes_are_the_same() {
        for length in 0..=32 {
            assert_eq!(prefix(mask(length)), length);
        }
        assert_eq!(mask(24), [255, 255, 255, 0]);
    }
}
