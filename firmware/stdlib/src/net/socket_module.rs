//! `socket`: the module.

use larch_bytecode::qstr::Qstr;
use larch_hal::Endpoint;
use larch_heap::Value;
use larch_vm::native::{Args, Entry, ModuleDef, Native, Rom};
use larch_vm::{Res, Vm};

use super::address::{endpoint_tuple, host_arg, port_arg};
use crate::ids;

/// The module.
pub static SOCKET: ModuleDef = ModuleDef { name: Qstr::socket, entries: ENTRIES, attr: None };

/// As lwIP numbers them.
pub const AF_INET: i32 = 2;
const AF_INET6: i32 = 10;
/// A stream.
pub const SOCK_STREAM: i32 = 1;
/// Packets.
pub const SOCK_DGRAM: i32 = 2;
const SOCK_RAW: i32 = 3;
/// Options of `setsockopt`.
pub const SO_REUSEADDR: i32 = 4;
/// As [`SO_REUSEADDR`].
pub const SO_BROADCAST: i32 = 32;
/// As [`SO_REUSEADDR`].
pub const TCP_NODELAY: i32 = 1;
/// As [`SO_REUSEADDR`].
pub const IP_ADD_MEMBERSHIP: i32 = 3;
/// As [`SO_REUSEADDR`].
pub const SO_BINDTODEVICE: i32 = 0x100b;
/// Whom to call when something arrives; it has no name in MicroPython.
pub const CALLBACK: i32 = 20;
/// A flag of `recv`.
pub const MSG_PEEK: i32 = 1;
/// A flag of `recv`.
pub const MSG_DONTWAIT: i32 = 8;

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::socket)),
    (Qstr::socket, Rom::Type(ids::SOCKET)),
    (Qstr::getaddrinfo, Rom::Fn(Native::Var(2, 6, getaddrinfo))),
    (Qstr::AF_INET, Rom::Value(Value::small(AF_INET))),
    (Qstr::AF_INET6, Rom::Value(Value::small(AF_INET6))),
    (Qstr::SOCK_STREAM, Rom::Value(Value::small(SOCK_STREAM))),
    (Qstr::SOCK_DGRAM, Rom::Value(Value::small(SOCK_DGRAM))),
    (Qstr::SOCK_RAW, Rom::Value(Value::small(SOCK_RAW))),
    (Qstr::IPPROTO_IP, Rom::Value(Value::small(0))),
    (Qstr::IPPROTO_TCP, Rom::Value(Value::small(6))),
    (Qstr::IPPROTO_UDP, Rom::Value(Value::small(17))),
    (Qstr::SOL_SOCKET, Rom::Value(Value::small(0xfff))),
    (Qstr::SO_REUSEADDR, Rom::Value(Value::small(SO_REUSEADDR))),
    (Qstr::SO_BROADCAST, Rom::Value(Value::small(SO_BROADCAST))),
    (Qstr::SO_BINDTODEVICE, Rom::Value(Value::small(SO_BINDTODEVICE))),
    (Qstr::IP_ADD_MEMBERSHIP, Rom::Value(Value::small(IP_ADD_MEMBERSHIP))),
    (Qstr::TCP_NODELAY, Rom::Value(Value::small(TCP_NODELAY))),
    (Qstr::MSG_PEEK, Rom::Value(Value::small(MSG_PEEK))),
    (Qstr::MSG_DONTWAIT, Rom::Value(Value::small(MSG_DONTWAIT))),
];

/// `getaddrinfo(host, port, af=0, type=0, proto=0, flags=0)`: one address, `[(family, type, proto, host, (address, port))]`.
fn getaddrinfo(vm: &mut Vm, args: Args) -> Res {
    let (host, port) = (vm.arg(args, 0), vm.arg(args, 1));
    let port = port_arg(vm, port)?;
    let mut hints = [0; 3];
    for (hint, index) in hints.iter_mut().zip(2..) {
        if let Some(value) = vm.opt_arg(args, index) {
            *hint = vm.int_arg(value)?;
        }
    }
    let [_, kind, protocol] = hints;
    let kind = if kind == 0 { SOCK_STREAM } else { kind };
    let address = host_arg(vm, host)?;
    let end = endpoint_tuple(vm, Endpoint { address, port })?;
    vm.root(end)?;
    let row = [Value::small(AF_INET), Value::small(kind), Value::small(protocol), host, end];
    let row = vm.new_tuple(&row)?;
    vm.root(row)?;
    vm.new_list(&[row])
}
