//! `network.ipconfig`: the address of the name server, which the port keeps where its network is.
//!
//! Source: MicroPython's `extmod/modnetwork.c`.

use larch_bytecode::qstr::Qstr;
use larch_hal::Ipv4;
use larch_heap::Value;
use larch_vm::native::Args;
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use super::address::{address_arg, text};

/// `ipconfig('dns')`, `ipconfig(dns='8.8.8.8')`
///
/// # Errors
/// TypeError, ValueError; what `get` and `set` raise.
pub fn ipconfig(
    vm: &mut Vm,
    args: Args,
    get: fn(&mut Vm) -> Res<Ipv4>,
    set: fn(&mut Vm, Ipv4) -> Res<()>,
) -> Res {
    if args.keywords == 0 {
        if args.positional != 1 {
            return Err(vm.raise(core_ids::TypeError, "must query one param"));
        }
        let name = vm.arg(args, 0);
        if vm.find_qstr(name) != Some(Qstr::dns) {
            return Err(vm.raise(core_ids::ValueError, "unexpected key"));
        }
        let dns = get(vm)?;
        return text(vm, dns);
    }
    if args.positional > 0 {
        return Err(vm.raise(core_ids::TypeError, "can't specify pos and kw args"));
    }
    for index in 0..args.keywords {
        let (name, value) = vm.keyword(args, index);
        if name != Qstr::dns {
            return Err(vm.raise(core_ids::ValueError, "unexpected key"));
        }
        let dns = address_arg(vm, value)?;
        set(vm, dns)?;
    }
    Ok(Value::NONE)
}
