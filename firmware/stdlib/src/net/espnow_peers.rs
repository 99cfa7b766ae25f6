//! `espnow`: peers, keys, and what went wrong.

use larch_bytecode::qstr::Qstr;
use larch_hal::{EspError, EspNow, KEY_LEN, Mac, NetError, Peer};
use larch_heap::Value;
use larch_vm::native::{Args, Raised};
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

/// Names of what the driver answers. Source: ESP-IDF's `esp_err_to_name`.
const NAMES: &[(i32, &str)] = &[
    (EspError::NO_MEMORY.0, "ESP_ERR_NO_MEM"),
    (0x102, "ESP_ERR_INVALID_ARG"),
    (EspError::NO_RADIO.0, "ESP_ERR_WIFI_NOT_INIT"),
    (0x3002, "ESP_ERR_WIFI_NOT_STARTED"),
    (0x3004, "ESP_ERR_WIFI_IF"),
    (EspError::OFF.0, "ESP_ERR_ESPNOW_NOT_INIT"),
    (0x3066, "ESP_ERR_ESPNOW_ARG"),
    (EspError::FULL.0, "ESP_ERR_ESPNOW_NO_MEM"),
    (0x3068, "ESP_ERR_ESPNOW_FULL"),
    (EspError::NOT_FOUND.0, "ESP_ERR_ESPNOW_NOT_FOUND"),
    (0x306a, "ESP_ERR_ESPNOW_INTERNAL"),
    (0x306b, "ESP_ERR_ESPNOW_EXIST"),
    (0x306c, "ESP_ERR_ESPNOW_IF"),
    (0x306d, "ESP_ERR_ESPNOW_CHAN"),
];

/// The board's ESP-NOW.
///
/// # Errors
/// OSError if it has none.
pub fn espnow(vm: &mut Vm) -> Res<&mut dyn EspNow> {
    if vm.port.espnow().is_none() {
        return Err(super::raise(vm, NetError::NotSupported));
    }
    Ok(vm.port.espnow().expect("just seen"))
}

/// OSError unless it is on.
///
/// # Errors
/// OSError.
pub fn need_on(vm: &mut Vm) -> Res<()> {
    if espnow(vm)?.is_on() { Ok(()) } else { Err(raise(vm, EspError::OFF)) }
}

/// OSError with number and name.
pub fn raise(vm: &mut Vm, error: EspError) -> Raised {
    let name = NAMES.iter().find(|(code, _)| *code == error.0).map_or("UNKNOWN ERROR", |(_, name)| name);
    let number = match error {
        EspError::NO_MEMORY => larch_vm::modules::errno::number_of(Qstr::ENOMEM).unwrap_or(-error.0),
        EspError(code) => -code,
    };
    let made = vm.new_str(name).and_then(|name| {
        vm.root(name)?;
        vm.new_exception(core_ids::OSError.value(), &[Value::small(number), name])
    });
    match made {
        Ok(exception) => vm.raise_value(exception),
        Err(raised) => raised,
    }
}

fn answered<T>(vm: &mut Vm, answer: Result<T, EspError>) -> Res<T> {
    answer.map_err(|error| raise(vm, error))
}

fn bytes_arg<const N: usize>(vm: &mut Vm, value: Value) -> Res<[u8; N]> {
    let span = vm.buffer_arg(value)?;
    match vm.bytes_at(span).try_into() {
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(vm.raise(core_ids::ValueError, "invalid buffer length")),
    }
}

/// A MAC address.
///
/// # Errors
/// TypeError, ValueError.
pub fn mac_arg(vm: &mut Vm, value: Value) -> Res<Mac> {
    bytes_arg(vm, value)
}

/// `set_pmk(key)`
pub fn set_pmk(vm: &mut Vm, _espnow: Value, key: Value) -> Res {
    let key = bytes_arg::<KEY_LEN>(vm, key)?;
    let answer = espnow(vm)?.set_primary_key(&key);
    answered(vm, answer)?;
    Ok(Value::NONE)
}

/// What `add_peer` and `mod_peer` say of a peer: `lmk`, `channel`, `ifidx`, `encrypt`.
fn told(vm: &mut Vm, args: Args, peer: &mut Peer) -> Res<()> {
    let names = [Qstr::lmk, Qstr::channel, Qstr::ifidx, Qstr::encrypt];
    let [key, channel, interface, encrypt] = vm.named_args(args, 2, names, [Value::NONE; 4])?;
    if !key.is_none() {
        peer.encrypted = vm.truth(key)?;
        if peer.encrypted {
            peer.key = bytes_arg(vm, key)?;
        }
    }
    if !channel.is_none() {
        peer.channel = vm.int_arg(channel)? as u8;
    }
    if !interface.is_none() {
        peer.interface = vm.int_arg(interface)? as u8;
    }
    if !encrypt.is_none() {
        peer.encrypted = vm.truth(encrypt)?;
    }
    Ok(())
}

/// `add_peer(mac, lmk, channel, ifidx, encrypt)`
pub fn add_peer(vm: &mut Vm, args: Args) -> Res {
    let mac = mac_arg(vm, vm.arg(args, 1))?;
    let mut peer = Peer { mac, ..Peer::default() };
    told(vm, args, &mut peer)?;
    let answer = espnow(vm)?.add_peer(&peer);
    answered(vm, answer)?;
    Ok(Value::NONE)
}

/// `mod_peer(mac, lmk, channel, ifidx, encrypt)`: what is not named stays.
pub fn mod_peer(vm: &mut Vm, args: Args) -> Res {
    let mac = mac_arg(vm, vm.arg(args, 1))?;
    let answer = espnow(vm)?.peer(mac);
    let mut peer = answered(vm, answer)?;
    told(vm, args, &mut peer)?;
    let answer = espnow(vm)?.change_peer(&peer);
    answered(vm, answer)?;
    Ok(Value::NONE)
}

/// `del_peer(mac)`
pub fn del_peer(vm: &mut Vm, _espnow: Value, mac: Value) -> Res {
    let mac = mac_arg(vm, mac)?;
    let answer = espnow(vm)?.remove_peer(mac);
    answered(vm, answer)?;
    Ok(Value::NONE)
}

/// `get_peer(mac)`
pub fn get_peer(vm: &mut Vm, _espnow: Value, mac: Value) -> Res {
    let mac = mac_arg(vm, mac)?;
    let answer = espnow(vm)?.peer(mac);
    let peer = answered(vm, answer)?;
    peer_tuple(vm, &peer)
}

/// `(mac, lmk, channel, ifidx, encrypt)`
fn peer_tuple(vm: &mut Vm, peer: &Peer) -> Res {
    let mac = vm.new_bytes(&peer.mac)?;
    vm.root(mac)?;
    let key = vm.new_bytes(&peer.key)?;
    vm.root(key)?;
    let [channel, interface] = [peer.channel, peer.interface].map(|number| Value::small(number.into()));
    vm.new_tuple(&[mac, key, channel, interface, Value::bool(peer.encrypted)])
}

/// `get_peers()`: a tuple of what `get_peer` gives, without groups.
pub fn get_peers(vm: &mut Vm, _espnow: Value) -> Res {
    need_on(vm)?;
    let list = vm.new_list(&[])?;
    vm.root(list)?;
    let cell = list.expect_cell("a list");
    let mut peer = espnow(vm)?.next_peer(true);
    while let Some(known) = peer {
        let scope = vm.scope();
        let row = peer_tuple(vm, &known)?;
        vm.root(row)?;
        vm.list_append(cell, row)?;
        vm.release(scope);
        peer = espnow(vm)?.next_peer(false);
    }
    vm.new_tuple_part(list, 0, vm.list_len(cell))
}

/// `peer_count()`: how many, and how many of them with encryption.
pub fn peer_count(vm: &mut Vm, _espnow: Value) -> Res {
    let answer = espnow(vm)?.peer_count();
    let [all, encrypted] = answered(vm, answer)?;
    vm.new_tuple(&[all, encrypted].map(Value::small))
}
