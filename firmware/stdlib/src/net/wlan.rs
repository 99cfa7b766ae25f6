//! `network.WLAN`: an interface, switched on and off, connected, scanned with, and its addresses.
//!
//! An interface is an `Object`: type, role. What is set and how things are is the port's; two objects of the same role are the
//! same interface.
//!
//! Source: MicroPython's `ports/esp32/network_wlan.c` and `network_common.c` for what a program sees.

use larch_bytecode::qstr::Qstr;
use larch_hal::{Addresses, Found, Key, Role, Short, Ssid, Target, Wifi, WifiError};
use larch_heap::{Kind, Value};
use larch_vm::native::{Args, Entry, Native, Raised, Rom, TypeDef};
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use super::address::{address_arg, mask, prefix, text};
use super::lan::lan;
use super::network::{STAT_CONNECTING, STAT_GOT_IP, STAT_IDLE};
use super::{short_arg, wlan_config};
use crate::ids;

/// Reasons of the driver that `status` treats by themselves.
const NO_AP_FOUND: u8 = 201;
const AUTH_FAIL: u8 = 202;
const CONNECTION_FAIL: u8 = 205;
/// The key exchange came to no end: what a wrong key leads to, as access points do not say that it is wrong.
const FOUR_WAY_HANDSHAKE_TIMEOUT: u8 = 15;
const HANDSHAKE_TIMEOUT: u8 = 204;
const NO_AP_REASONS: core::ops::RangeInclusive<u8> = 210..=212;
const ASSOC_LEAVE: u8 = 8;
/// Networks that a scan shows.
const FOUND_MAX: usize = 32;

/// `network.WLAN`
pub static WLAN: TypeDef =
    TypeDef { make: Some(make), binary: Some(binary), entries: ENTRIES, ..TypeDef::new(Qstr::WLAN) };

const fn number(value: i32) -> Rom {
    Rom::Value(Value::small(value))
}

const ENTRIES: &[Entry] = &[
    (Qstr::active, Rom::Fn(Native::Var(1, 2, active))),
    (Qstr::connect, Rom::Fn(Native::Kw(1, 3, connect))),
    (Qstr::disconnect, Rom::Fn(Native::F1(disconnect))),
    (Qstr::status, Rom::Fn(Native::Var(1, 2, status))),
    (Qstr::scan, Rom::Fn(Native::F1(scan))),
    (Qstr::isconnected, Rom::Fn(Native::F1(isconnected))),
    (Qstr::config, Rom::Fn(Native::Kw(1, 2, wlan_config::config))),
    (Qstr::ifconfig, Rom::Fn(Native::Var(1, 2, ifconfig))),
    (Qstr::ipconfig, Rom::Fn(Native::Kw(1, 2, ipconfig))),
    (Qstr::IF_STA, number(Role::Station as i32)),
    (Qstr::IF_AP, number(Role::AccessPoint as i32)),
    (Qstr::SEC_OPEN, number(0)),
    (Qstr::SEC_WEP, number(1)),
    (Qstr::SEC_WPA, number(2)),
    (Qstr::SEC_WPA2, number(3)),
    (Qstr::SEC_WPA_WPA2, number(4)),
    (Qstr::SEC_WPA2_ENT, number(5)),
    (Qstr::SEC_WPA3, number(6)),
    (Qstr::SEC_WPA2_WPA3, number(7)),
    (Qstr::SEC_WAPI, number(8)),
    (Qstr::SEC_OWE, number(9)),
    (Qstr::SEC_WPA3_ENT_192, number(10)),
    (Qstr::SEC_WPA3_EXT_PSK, number(11)),
    (Qstr::SEC_WPA3_EXT_PSK_MIXED_MODE, number(12)),
    (Qstr::SEC_DPP, number(13)),
    (Qstr::PROTOCOL_DEFAULT, number(7)),
    (Qstr::PROTOCOL_LR, number(8)),
    (Qstr::PM_NONE, number(0)),
    (Qstr::PM_PERFORMANCE, number(1)),
    (Qstr::PM_POWERSAVE, number(2)),
    (Qstr::BANDWIDTH_20, number(1)),
    (Qstr::BANDWIDTH_40, number(2)),
];

/// The board's Wi-Fi.
///
/// # Errors
/// OSError if it has none.
pub fn wifi(vm: &mut Vm) -> Res<&mut dyn Wifi> {
    if vm.port.wifi().is_none() {
        return Err(super::raise(vm, larch_hal::NetError::NotSupported));
    }
    Ok(vm.port.wifi().expect("just seen"))
}

/// OSError for what went wrong.
pub fn raise(vm: &mut Vm, error: WifiError) -> Raised {
    let text = match error {
        WifiError::NotStarted => "Wifi Not Started",
        WifiError::NoMemory => "WiFi Out of Memory",
        WifiError::Invalid => "Wifi Invalid Argument",
        WifiError::NotConnected => "Wifi Not Connected",
        WifiError::NotSupported => "Wifi Not Supported",
        WifiError::State => "Wifi Internal State Error",
    };
    vm.raise(core_ids::OSError, text)
}

fn answered<T>(vm: &mut Vm, answer: Result<T, WifiError>) -> Res<T> {
    answer.map_err(|error| raise(vm, error))
}

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    if args.keywords > 0 || args.positional > 1 {
        return Err(vm.raise_count(Qstr::WLAN, 0, 1, args));
    }
    let role = match vm.opt_arg(args, 0) {
        Some(role) => vm.int_arg(role)?,
        None => Role::Station as i32,
    };
    if !(0..=1).contains(&role) {
        return Err(vm.raise(core_ids::ValueError, "invalid WLAN interface identifier"));
    }
    wifi(vm)?;
    vm.alloc_values(Kind::Object, &[ids::WLAN.value(), Value::small(role)])
}

/// Objects of the same role are equal.
fn binary(vm: &mut Vm, op: larch_vm::native::BinaryOp, left: Value, right: Value) -> Res {
    use larch_vm::native::BinaryOp::{Eq, Ne};
    if !matches!(op, Eq | Ne) {
        return Ok(Value::UNBOUND);
    }
    let is_same = vm.type_of(right) == ids::WLAN.value() && role(vm, left) == role(vm, right);
    Ok(Value::bool(is_same == matches!(op, Eq)))
}

/// What an interface is.
pub(super) fn role(vm: &Vm, wlan: Value) -> Role {
    match wlan.as_cell().map(|at| vm.heap.value(at, 1)) {
        Some(value) if value == Value::small(1) => Role::AccessPoint,
        _ => Role::Station,
    }
}

/// OSError unless the interface has this role.
///
/// # Errors
/// OSError.
pub(super) fn require(vm: &mut Vm, wlan: Value, wanted: Role) -> Res<()> {
    if role(vm, wlan) == wanted {
        return Ok(());
    }
    let text = if wanted == Role::Station { "STA required" } else { "AP required" };
    Err(vm.raise(core_ids::OSError, text))
}

fn active(vm: &mut Vm, args: Args) -> Res {
    let role = role(vm, vm.arg(args, 0));
    if let Some(on) = vm.opt_arg(args, 1) {
        let on = vm.truth(on)?;
        if on {
            give_memory(vm)?;
        }
        let answer = wifi(vm)?.set_active(role, on);
        answered(vm, answer)?;
    }
    Ok(Value::bool(wifi(vm)?.is_active(role)))
}

/// The driver's memory is taken from the heap's end, before it starts for the first time.
///
/// # Errors
/// OSError.
pub(super) fn give_memory(vm: &mut Vm) -> Res<()> {
    let wanted = wifi(vm)?.memory_wanted();
    if wanted == 0 {
        return Ok(());
    }
    match vm.give_up_memory(wanted as u32) {
        Some(memory) => {
            wifi(vm)?.give_memory(memory);
            Ok(())
        }
        None => Err(raise(vm, WifiError::NoMemory)),
    }
}

/// `connect(ssid=None, key=None, *, bssid=None)`: returns at once.
fn connect(vm: &mut Vm, args: Args) -> Res {
    let names = [Qstr::ssid, Qstr::key, Qstr::bssid];
    let [ssid, key, bssid] = vm.named_args(args, 1, names, [Value::NONE; 3])?;
    let has_target = args.positional > 1 || args.keywords > 0;
    let ssid = if ssid.is_none() { Ssid::EMPTY } else { short_arg(vm, ssid)? };
    let key = if key.is_none() { Key::EMPTY } else { short_arg(vm, key)? };
    let bssid = match bssid.is_none() {
        true => None,
        false => match short_arg::<6>(vm, bssid)?.as_bytes().first_chunk() {
            Some(bssid) => Some(*bssid),
            None => return Err(vm.raise_empty(core_ids::ValueError)),
        },
    };
    let target = Target { ssid, key, bssid };
    let answer = wifi(vm)?.connect(has_target.then_some(&target));
    answered(vm, answer)?;
    Ok(Value::NONE)
}

fn disconnect(vm: &mut Vm, _wlan: Value) -> Res {
    let answer = wifi(vm)?.disconnect();
    answered(vm, answer)?;
    Ok(Value::NONE)
}

fn has_address(vm: &mut Vm) -> Res<bool> {
    let wifi = wifi(vm)?;
    Ok(wifi.link().up && wifi.addresses(Role::Station).address != [0; 4])
}

fn isconnected(vm: &mut Vm, wlan: Value) -> Res {
    let is_connected = match role(vm, wlan) {
        Role::Station => has_address(vm)?,
        Role::AccessPoint => wifi(vm)?.client(0).is_some(),
    };
    Ok(Value::bool(is_connected))
}

fn status(vm: &mut Vm, args: Args) -> Res {
    let wlan = vm.arg(args, 0);
    let Some(what) = vm.opt_arg(args, 1) else {
        return match role(vm, wlan) {
            Role::Station => Ok(Value::small(station_status(vm)?)),
            Role::AccessPoint => Ok(Value::NONE),
        };
    };
    match vm.find_qstr(what) {
        Some(Qstr::rssi) => {
            require(vm, wlan, Role::Station)?;
            let answer = wifi(vm)?.rssi();
            Ok(Value::small(i32::from(answered(vm, answer)?)))
        }
        Some(Qstr::stations) => {
            require(vm, wlan, Role::AccessPoint)?;
            stations(vm)
        }
        _ => Err(vm.raise(core_ids::ValueError, "unknown status param")),
    }
}

fn station_status(vm: &mut Vm) -> Res<i32> {
    if has_address(vm)? {
        return Ok(STAT_GOT_IP);
    }
    let link = wifi(vm)?.link();
    Ok(match link.reason {
        NO_AP_FOUND => i32::from(NO_AP_FOUND),
        reason if NO_AP_REASONS.contains(&reason) => i32::from(reason),
        AUTH_FAIL | CONNECTION_FAIL | FOUR_WAY_HANDSHAKE_TIMEOUT | HANDSHAKE_TIMEOUT => i32::from(AUTH_FAIL),
        ASSOC_LEAVE => STAT_IDLE,
        _ if link.trying => STAT_CONNECTING,
        0 => STAT_IDLE,
        reason => i32::from(reason),
    })
}

/// `[(mac, address or None), …]`
fn stations(vm: &mut Vm) -> Res {
    let list = vm.new_list(&[])?;
    vm.root(list)?;
    let cell = list.as_cell().expect("a list");
    let mut index = 0;
    while let Some((mac, address)) = wifi(vm)?.client(index) {
        let mac = vm.new_bytes(&mac)?;
        let scope = vm.root(mac)?;
        let address = match address {
            Some(address) => text(vm, address)?,
            None => Value::NONE,
        };
        vm.root(address)?;
        let row = vm.new_tuple(&[mac, address])?;
        vm.root(row)?;
        vm.list_append(cell, row)?;
        vm.release(scope);
        index += 1;
    }
    Ok(list)
}

/// `[(ssid, bssid, channel, rssi, security, hidden), …]`
fn scan(vm: &mut Vm, _wlan: Value) -> Res {
    if !wifi(vm)?.is_active(Role::Station) {
        return Err(vm.raise(core_ids::OSError, "STA must be active"));
    }
    let mut found = [const { None }; FOUND_MAX];
    let mut count = 0;
    let answer = wifi(vm)?.scan(&mut |point| {
        if let Some(place) = found.get_mut(count) {
            *place = Some(*point);
            count += 1;
        }
    });
    if larch_vm::vm::PENDING.load(core::sync::atomic::Ordering::Relaxed) {
        vm.handle_pending()?;
    }
    answered(vm, answer)?;
    let list = vm.new_list(&[])?;
    vm.root(list)?;
    let cell = list.as_cell().expect("a list");
    for point in found.into_iter().flatten() {
        let scope = vm.scope();
        let row = found_tuple(vm, &point)?;
        vm.root(row)?;
        vm.list_append(cell, row)?;
        vm.release(scope);
    }
    Ok(list)
}

fn found_tuple(vm: &mut Vm, found: &Found) -> Res {
    let ssid = vm.new_bytes(found.ssid.as_bytes())?;
    vm.root(ssid)?;
    let bssid = vm.new_bytes(&found.bssid)?;
    vm.root(bssid)?;
    let numbers = [i32::from(found.channel), i32::from(found.rssi), i32::from(found.security)];
    let [channel, rssi, security] = numbers.map(Value::small);
    // Whether a network is hidden, MicroPython does not say on this chip.
    vm.new_tuple(&[ssid, bssid, channel, rssi, security, Value::FALSE])
}

// ---- addresses ----

fn tuple_of_addresses<const N: usize>(vm: &mut Vm, addresses: [[u8; 4]; N]) -> Res {
    let mut texts = [Value::NONE; N];
    for (value, address) in texts.iter_mut().zip(addresses) {
        *value = text(vm, address)?;
        vm.root(*value)?;
    }
    vm.new_tuple(&texts)
}

fn is_wired(vm: &Vm, card: Value) -> bool {
    vm.type_of(card) == ids::LAN.value()
}

/// Whether the interface can ask a DHCP server.
fn can_ask(vm: &Vm, card: Value) -> bool {
    is_wired(vm, card) || role(vm, card) == Role::Station
}

fn addresses(vm: &mut Vm, card: Value) -> Res<Addresses> {
    if is_wired(vm, card) {
        return Ok(lan(vm)?.addresses());
    }
    let role = role(vm, card);
    Ok(wifi(vm)?.addresses(role))
}

fn set_addresses(vm: &mut Vm, card: Value, addresses: Option<Addresses>) -> Res<()> {
    if is_wired(vm, card) {
        lan(vm)?.set_addresses(addresses);
        return Ok(());
    }
    let role = role(vm, card);
    wifi(vm)?.set_addresses(role, addresses);
    Ok(())
}

fn dhcp(vm: &mut Vm, card: Value) -> Res<(bool, bool)> {
    if is_wired(vm, card) {
        return Ok(lan(vm)?.dhcp());
    }
    let role = role(vm, card);
    Ok(wifi(vm)?.dhcp(role))
}

/// `ifconfig()`, `ifconfig((address, mask, gateway, dns))`, `ifconfig('dhcp')`
pub(super) fn ifconfig(vm: &mut Vm, args: Args) -> Res {
    let card = vm.arg(args, 0);
    let Some(given) = vm.opt_arg(args, 1) else {
        let Addresses { address, prefix, gateway, dns } = addresses(vm, card)?;
        let mask = if address == [0; 4] { [0; 4] } else { mask(prefix) };
        return tuple_of_addresses(vm, [address, mask, gateway, dns]);
    };
    if let Some((at, first, count)) = vm.sequence_items(given) {
        if count != 4 {
            let parts = [
                larch_vm::Part::Text("requested length 4 but object has length "),
                larch_vm::Part::Int(count as i32),
            ];
            return Err(vm.raise_parts(core_ids::ValueError, &parts));
        }
        let [address, mask, gateway, dns] = [0, 1, 2, 3].map(|index| vm.heap.slot(at, first + index));
        let addresses = Addresses {
            address: address_arg(vm, address)?,
            prefix: prefix_arg(vm, mask)?,
            gateway: address_arg(vm, gateway)?,
            dns: address_arg(vm, dns)?,
        };
        set_addresses(vm, card, Some(addresses))?;
        return Ok(Value::NONE);
    }
    if can_ask(vm, card) && vm.find_qstr(given) == Some(Qstr::dhcp) {
        set_addresses(vm, card, None)?;
        return Ok(Value::NONE);
    }
    Err(vm.raise(core_ids::ValueError, "invalid arguments"))
}

/// A mask, or the number of its bits.
fn prefix_arg(vm: &mut Vm, value: Value) -> Res<u8> {
    if vm.is_int(value) {
        return Ok(vm.int_arg(value)?.clamp(0, 32) as u8);
    }
    Ok(prefix(address_arg(vm, value)?))
}

pub(super) fn ipconfig(vm: &mut Vm, args: Args) -> Res {
    let card = vm.arg(args, 0);
    if args.keywords == 0 {
        if args.positional != 2 {
            return Err(vm.raise(core_ids::TypeError, "must query one param"));
        }
        let Addresses { address, prefix, gateway, .. } = addresses(vm, card)?;
        let name = vm.arg(args, 1);
        return match vm.find_qstr(name) {
            Some(Qstr::dhcp4) if can_ask(vm, card) => Ok(Value::bool(dhcp(vm, card)?.0)),
            Some(Qstr::has_dhcp4) if can_ask(vm, card) => {
                let (wants, has) = dhcp(vm, card)?;
                Ok(Value::bool(wants && has))
            }
            Some(Qstr::addr4) => tuple_of_addresses(vm, [address, mask(prefix)]),
            Some(Qstr::gw4) => text(vm, gateway),
            _ => Err(vm.raise(core_ids::ValueError, "unexpected key")),
        };
    }
    if args.positional > 1 {
        return Err(vm.raise(core_ids::TypeError, "can't specify pos and kw args"));
    }
    let mut addresses = addresses(vm, card)?;
    for index in 0..args.keywords {
        let (name, value) = vm.keyword(args, index);
        match name {
            Qstr::dhcp4 if can_ask(vm, card) => {
                let wants = vm.truth(value)?;
                set_addresses(vm, card, (!wants).then_some(addresses))?;
                continue;
            }
            Qstr::addr4 => {
                (addresses.address, addresses.prefix) = address_and_prefix(vm, value, addresses.prefix)?
            }
            Qstr::gw4 => addresses.gateway = address_arg(vm, value)?,
            _ => return Err(vm.raise(core_ids::ValueError, "unexpected key")),
        }
        set_addresses(vm, card, Some(addresses))?;
    }
    Ok(Value::NONE)
}

/// `'192.168.0.6/24'`, `'192.168.0.6'`, `('192.168.0.6', '255.255.255.0')`
fn address_and_prefix(vm: &mut Vm, value: Value, old: u8) -> Res<([u8; 4], u8)> {
    if let Some((at, first, 2)) = vm.sequence_items(value) {
        let (address, mask) = (vm.heap.slot(at, first), vm.heap.slot(at, first + 1));
        return Ok((address_arg(vm, address)?, prefix_arg(vm, mask)?));
    }
    let whole: Short<32> = short_arg(vm, value)?;
    let mut parts = whole.as_bytes().splitn(2, |byte| *byte == b'/');
    let address = parts.next().and_then(super::address::parse);
    let bits = match parts.next() {
        Some(bits) => {
            core::str::from_utf8(bits).ok().and_then(|bits| bits.parse().ok()).filter(|bits| *bits <= 32)
        }
        None => Some(old),
    };
    match (address, bits) {
        (Some(address), Some(bits)) => Ok((address, bits)),
        _ => Err(vm.raise(core_ids::ValueError, "invalid arguments")),
    }
}
