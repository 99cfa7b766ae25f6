//! `network.LAN`: a card with a cable, and `network` of ports that have no Wi-Fi.
//!
//! The card's object has only its type: there is one card. Its addresses are read and set as those of [`super::wlan`].
//!
//! Source: MicroPython's `ports/stm32/network_lan.c` and `eth.c` for what a program sees.

use larch_bytecode::qstr::Qstr;
use larch_hal::Lan;
use larch_heap::{Kind, Value};
use larch_vm::native::{Args, Entry, ModuleDef, Native, Rom, TypeDef};
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use super::{raise, short_arg, wlan};
use crate::ids;

/// The module.
pub static NETWORK: ModuleDef = ModuleDef { name: Qstr::network, entries: MODULE_ENTRIES, attr: None };

static MODULE_ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::network)),
    (Qstr::LAN, Rom::Type(ids::LAN)),
    (Qstr::hostname, Rom::Fn(Native::Var(0, 1, hostname))),
    (Qstr::ipconfig, Rom::Fn(Native::Kw(0, 1, ipconfig))),
];

/// `network.LAN`
pub static LAN: TypeDef = TypeDef { make: Some(make), entries: ENTRIES, ..TypeDef::new(Qstr::LAN) };

const ENTRIES: &[Entry] = &[
    (Qstr::active, Rom::Fn(Native::Var(1, 2, active))),
    (Qstr::isconnected, Rom::Fn(Native::F1(isconnected))),
    (Qstr::status, Rom::Fn(Native::F1(status))),
    (Qstr::config, Rom::Fn(Native::F2(config))),
    (Qstr::ifconfig, Rom::Fn(Native::Var(1, 2, wlan::ifconfig))),
    (Qstr::ipconfig, Rom::Fn(Native::Kw(1, 2, wlan::ipconfig))),
];

/// What `status()` answers: no cable; a cable, and no address yet; an address.
const LINK_DOWN: i32 = 0;
const LINK_NO_IP: i32 = 2;
const LINK_UP: i32 = 3;

/// The board's card.
///
/// # Errors
/// OSError if it has none.
pub fn lan(vm: &mut Vm) -> Res<&mut dyn Lan> {
    if vm.port.lan().is_none() {
        return Err(raise(vm, larch_hal::NetError::NotSupported));
    }
    Ok(vm.port.lan().expect("just seen"))
}

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    if args.keywords > 0 || args.positional > 0 {
        return Err(vm.raise_count(Qstr::LAN, 0, 0, args));
    }
    lan(vm)?;
    vm.alloc_values(Kind::Object, &[ids::LAN.value()])
}

fn active(vm: &mut Vm, args: Args) -> Res {
    if let Some(on) = vm.opt_arg(args, 1) {
        let on = vm.truth(on)?;
        let answer = lan(vm)?.set_active(on);
        answer.map_err(|error| raise(vm, error))?;
    }
    Ok(Value::bool(lan(vm)?.is_active()))
}

fn link_status(vm: &mut Vm) -> Res<i32> {
    let lan = lan(vm)?;
    Ok(match (lan.is_linked(), lan.addresses().address) {
        (false, _) => LINK_DOWN,
        (true, [0, 0, 0, 0]) => LINK_NO_IP,
        (true, _) => LINK_UP,
    })
}

fn isconnected(vm: &mut Vm, _card: Value) -> Res {
    Ok(Value::bool(link_status(vm)? == LINK_UP))
}

fn status(vm: &mut Vm, _card: Value) -> Res {
    Ok(Value::small(link_status(vm)?))
}

fn config(vm: &mut Vm, _card: Value, name: Value) -> Res {
    if vm.find_qstr(name) != Some(Qstr::mac) {
        return Err(vm.raise(core_ids::ValueError, "unknown config param"));
    }
    let mac = lan(vm)?.mac();
    vm.new_bytes(&mac)
}

fn hostname(vm: &mut Vm, args: Args) -> Res {
    if let Some(name) = vm.opt_arg(args, 0) {
        let name = short_arg(vm, name)?;
        lan(vm)?.set_hostname(name);
        return Ok(Value::NONE);
    }
    let name = lan(vm)?.hostname();
    vm.new_str(core::str::from_utf8(name.as_bytes()).unwrap_or_default())
}

fn ipconfig(vm: &mut Vm, args: Args) -> Res {
    let get = |vm: &mut Vm| Ok(lan(vm)?.addresses().dns);
    let set = |vm: &mut Vm, dns| {
        lan(vm)?.set_dns(dns);
        Ok(())
    };
    super::ipconfig::ipconfig(vm, args, get, set)
}
