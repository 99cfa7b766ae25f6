//! `WLAN.config`: one value asked for by name, or values set by keyword.

use larch_bytecode::qstr::Qstr;
use larch_hal::{OwnNetwork, Role, Setting, Short};
use larch_heap::Value;
use larch_vm::native::Args;
use larch_vm::types::float::Float;
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use super::short_arg;
use super::wlan::{raise, require, role, wifi};

/// Quarters of a dBm.
const POWER_UNIT: Float = 0.25;

/// `config('name')`, `config(name=value, …)`
pub fn config(vm: &mut Vm, args: Args) -> Res {
    let wlan = vm.arg(args, 0);
    if args.keywords == 0 {
        if args.positional != 2 {
            return Err(vm.raise(core_ids::TypeError, "can query only one param"));
        }
        let name = vm.arg(args, 1);
        return match vm.find_qstr(name) {
            Some(name) => get(vm, wlan, name),
            None => Err(unknown(vm)),
        };
    }
    if args.positional != 1 {
        return Err(vm.raise(core_ids::TypeError, "either pos or kw args are allowed"));
    }
    let mut own = wifi(vm)?.own_network();
    let mut is_changed = false;
    for index in 0..args.keywords {
        let (name, value) = vm.keyword(args, index);
        is_changed |= set(vm, wlan, name, value, &mut own)?;
    }
    if is_changed {
        let answer = wifi(vm)?.set_own_network(&own);
        answer.map_err(|error| raise(vm, error))?;
    }
    Ok(Value::NONE)
}

fn unknown(vm: &mut Vm) -> larch_vm::native::Raised {
    vm.raise(core_ids::ValueError, "unknown config param")
}

fn short_str<const N: usize>(vm: &mut Vm, text: Short<N>) -> Res {
    match core::str::from_utf8(text.as_bytes()) {
        Ok(text) => vm.new_str(text),
        Err(_) => Err(vm.raise_empty(core_ids::UnicodeError)),
    }
}

/// The driver's number behind a name.
fn setting(name: Qstr) -> Option<Setting> {
    Some(match name {
        Qstr::channel => Setting::Channel,
        Qstr::reconnects => Setting::Reconnects,
        Qstr::txpower => Setting::TxPower,
        Qstr::pm => Setting::PowerSaving,
        Qstr::protocol => Setting::Protocol,
        Qstr::bandwidth => Setting::Bandwidth,
        _ => return None,
    })
}

fn get(vm: &mut Vm, wlan: Value, name: Qstr) -> Res {
    let role = role(vm, wlan);
    if let Some(setting) = setting(name) {
        if setting == Setting::Reconnects {
            require(vm, wlan, Role::Station)?;
        }
        let answer = wifi(vm)?.setting(role, setting);
        let value = answer.map_err(|error| raise(vm, error))?;
        return match setting {
            Setting::TxPower => vm.new_float(value as Float * POWER_UNIT),
            _ => Ok(Value::small(value)),
        };
    }
    let own = wifi(vm)?.own_network();
    match name {
        Qstr::mac => {
            let mac = wifi(vm)?.mac(role);
            vm.new_bytes(&mac)
        }
        Qstr::ssid | Qstr::essid => {
            let ssid = if role == Role::Station { wifi(vm)?.target_ssid() } else { own.ssid };
            short_str(vm, ssid)
        }
        Qstr::hidden | Qstr::security | Qstr::authmode | Qstr::max_clients => {
            require(vm, wlan, Role::AccessPoint)?;
            Ok(match name {
                Qstr::hidden => Value::bool(own.hidden),
                Qstr::max_clients => Value::small(i32::from(own.max_clients)),
                _ => Value::small(i32::from(own.security)),
            })
        }
        Qstr::hostname | Qstr::dhcp_hostname => {
            require(vm, wlan, Role::Station)?;
            let name = wifi(vm)?.hostname();
            short_str(vm, name)
        }
        Qstr::ifname => vm.new_str(if role == Role::Station { "st0" } else { "ap1" }),
        _ => Err(unknown(vm)),
    }
}

/// Sets one value; says whether the own network changed.
fn set(vm: &mut Vm, wlan: Value, name: Qstr, value: Value, own: &mut OwnNetwork) -> Res<bool> {
    let role = role(vm, wlan);
    match name {
        Qstr::ssid | Qstr::essid => own.ssid = short_arg(vm, value)?,
        Qstr::key | Qstr::password => own.key = short_arg(vm, value)?,
        Qstr::hidden => own.hidden = vm.truth(value)?,
        Qstr::security | Qstr::authmode => own.security = vm.int_arg(value)? as u8,
        Qstr::max_clients => own.max_clients = vm.int_arg(value)? as u8,
        Qstr::channel if role == Role::AccessPoint => own.channel = vm.int_arg(value)? as u8,
        Qstr::hostname | Qstr::dhcp_hostname => {
            let name = short_arg(vm, value)?;
            wifi(vm)?.set_hostname(name);
            return Ok(false);
        }
        Qstr::mac => {
            let span = vm.buffer_arg(value)?;
            let Ok(mac) = <[u8; 6]>::try_from(vm.bytes_at(span)) else {
                return Err(vm.raise(core_ids::ValueError, "invalid buffer length"));
            };
            let answer = wifi(vm)?.set_mac(role, mac);
            answer.map_err(|error| raise(vm, error))?;
            return Ok(false);
        }
        _ => {
            let Some(setting) = setting(name) else { return Err(unknown(vm)) };
            if setting == Setting::Reconnects {
                require(vm, wlan, Role::Station)?;
            }
            let number = match setting {
                Setting::TxPower => (vm.float_arg(value)? / POWER_UNIT) as i32,
                _ => vm.int_arg(value)?,
            };
            let answer = wifi(vm)?.set_setting(role, setting, number);
            answer.map_err(|error| raise(vm, error))?;
            return Ok(false);
        }
    }
    require(vm, wlan, Role::AccessPoint)?;
    Ok(true)
}
