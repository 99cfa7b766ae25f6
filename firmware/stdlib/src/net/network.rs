//! `network`: the module.
//!
//! Source: MicroPython's `ports/esp32/modnetwork_globals.h` for names and numbers.

use larch_bytecode::qstr::Qstr;
use larch_hal::Role;
use larch_heap::Value;
use larch_vm::native::{Args, Entry, ModuleDef, Native, Rom};
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use super::short_arg;
use super::wlan::wifi;
use crate::ids;

/// The module.
pub static NETWORK: ModuleDef = ModuleDef { name: Qstr::network, entries: ENTRIES, attr: None };

/// What `WLAN.status()` answers, beside reasons of the driver.
pub const STAT_IDLE: i32 = 1000;
/// As [`STAT_IDLE`].
pub const STAT_CONNECTING: i32 = 1001;
/// As [`STAT_IDLE`].
pub const STAT_GOT_IP: i32 = 1010;

const fn number(value: i32) -> Rom {
    Rom::Value(Value::small(value))
}

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::network)),
    (Qstr::WLAN, Rom::Type(ids::WLAN)),
    (Qstr::hostname, Rom::Fn(Native::Var(0, 1, hostname))),
    (Qstr::country, Rom::Fn(Native::Var(0, 1, country))),
    (Qstr::ipconfig, Rom::Fn(Native::Kw(0, 1, ipconfig))),
    (Qstr::phy_mode, Rom::Fn(Native::Var(0, 1, phy_mode))),
    (Qstr::STA_IF, number(Role::Station as i32)),
    (Qstr::AP_IF, number(Role::AccessPoint as i32)),
    (Qstr::MODE_11B, number(1)),
    (Qstr::MODE_11G, number(2)),
    (Qstr::MODE_11N, number(4)),
    (Qstr::MODE_LR, number(8)),
    (Qstr::AUTH_OPEN, number(0)),
    (Qstr::AUTH_WEP, number(1)),
    (Qstr::AUTH_WPA_PSK, number(2)),
    (Qstr::AUTH_WPA2_PSK, number(3)),
    (Qstr::AUTH_WPA_WPA2_PSK, number(4)),
    (Qstr::AUTH_WPA2_ENTERPRISE, number(5)),
    (Qstr::AUTH_WPA3_PSK, number(6)),
    (Qstr::AUTH_WPA2_WPA3_PSK, number(7)),
    (Qstr::AUTH_WAPI_PSK, number(8)),
    (Qstr::AUTH_OWE, number(9)),
    (Qstr::AUTH_WPA3_ENT_192, number(10)),
    (Qstr::AUTH_WPA3_EXT_PSK, number(11)),
    (Qstr::AUTH_WPA3_EXT_PSK_MIXED_MODE, number(12)),
    (Qstr::AUTH_MAX, number(17)),
    (Qstr::STAT_IDLE, number(STAT_IDLE)),
    (Qstr::STAT_CONNECTING, number(STAT_CONNECTING)),
    (Qstr::STAT_GOT_IP, number(STAT_GOT_IP)),
    (Qstr::STAT_NO_AP_FOUND, number(201)),
    (Qstr::STAT_NO_AP_FOUND_W_COMPATIBLE_SECURITY, number(210)),
    (Qstr::STAT_NO_AP_FOUND_IN_AUTHMODE_THRESHOLD, number(211)),
    (Qstr::STAT_NO_AP_FOUND_IN_RSSI_THRESHOLD, number(212)),
    (Qstr::STAT_WRONG_PASSWORD, number(202)),
    (Qstr::STAT_BEACON_TIMEOUT, number(200)),
    (Qstr::STAT_ASSOC_FAIL, number(203)),
    (Qstr::STAT_CONNECT_FAIL, number(203)),
    (Qstr::STAT_HANDSHAKE_TIMEOUT, number(204)),
];

fn hostname(vm: &mut Vm, args: Args) -> Res {
    match vm.opt_arg(args, 0) {
        Some(name) => {
            let name = short_arg(vm, name)?;
            wifi(vm)?.set_hostname(name);
            Ok(Value::NONE)
        }
        None => {
            let name = wifi(vm)?.hostname();
            vm.new_str(core::str::from_utf8(name.as_bytes()).unwrap_or_default())
        }
    }
}

fn country(vm: &mut Vm, args: Args) -> Res {
    let Some(code) = vm.opt_arg(args, 0) else {
        let code = wifi(vm)?.country();
        return vm.new_str(core::str::from_utf8(&code).unwrap_or_default());
    };
    let code = short_arg::<2>(vm, code)?;
    match code.as_bytes().first_chunk() {
        Some(code) if wifi(vm)?.set_country(*code).is_ok() => Ok(Value::NONE),
        _ => Err(vm.raise_empty(core_ids::ValueError)),
    }
}

fn ipconfig(vm: &mut Vm, args: Args) -> Res {
    let get = |vm: &mut Vm| Ok(wifi(vm)?.addresses(Role::Station).dns);
    let set = |vm: &mut Vm, dns| {
        wifi(vm)?.set_dns(dns);
        Ok(())
    };
    super::ipconfig::ipconfig(vm, args, get, set)
}

fn phy_mode(vm: &mut Vm, args: Args) -> Res {
    use larch_hal::Setting::Protocol;
    let answer = match vm.opt_arg(args, 0) {
        Some(mode) => {
            let mode = vm.int_arg(mode)?;
            wifi(vm)?.set_setting(Role::Station, Protocol, mode).map(|()| Value::NONE)
        }
        None => wifi(vm)?.setting(Role::Station, Protocol).map(Value::small),
    };
    answer.map_err(|error| super::wlan::raise(vm, error))
}
