//! The numbers of the library's types and modules, in the order of [`TYPES`] and [`MODULES`].

use larch_bytecode::qstr::Qstr;
use larch_vm::native::{ModuleDef, PORT, STDLIB, TypeDef, TypeId};

/// `io.FileIO`
pub const FILE: TypeId = TypeId(STDLIB);
/// `io.TextIOWrapper`
pub const TEXT_FILE: TypeId = TypeId(STDLIB + 1);
/// The types of `sys.stdin` and `sys.stdout`: text, then bytes.
pub const STDIO: TypeId = TypeId(STDLIB + 2);
/// As [`STDIO`], for bytes.
pub const STDIO_BUFFER: TypeId = TypeId(STDLIB + 3);
/// The iterator of `os.ilistdir`.
pub const LISTING: TypeId = TypeId(STDLIB + 4);
/// `machine.Pin`
pub const PIN: TypeId = TypeId(STDLIB + 5);
/// `machine.RTC`
pub const RTC: TypeId = TypeId(STDLIB + 6);
/// `machine.mem8` and its like.
pub const MEMORY: TypeId = TypeId(STDLIB + 7);
/// `socket.socket`, in the table of ports with a network ([`crate::net::TYPES`]).
pub const SOCKET: TypeId = TypeId(PORT);
/// `network.WLAN`, likewise.
pub const WLAN: TypeId = TypeId(PORT + 1);
/// `tls.SSLContext`, likewise.
pub const SSL_CONTEXT: TypeId = TypeId(PORT + 2);
/// `tls.SSLSocket`, likewise.
pub const SSL_SOCKET: TypeId = TypeId(PORT + 3);
/// `espnow.ESPNow`, likewise.
pub const ESP_NOW: TypeId = TypeId(PORT + 4);
/// `network.LAN`, in the table of ports with a cable ([`crate::net::WIRED_TYPES`]).
pub const LAN: TypeId = TypeId(PORT + 5);

/// `machine.PinBase`
pub const PIN_BASE: TypeId = TypeId(STDLIB + 9);
/// `machine.Signal`
pub const SIGNAL: TypeId = TypeId(STDLIB + 10);
/// The board's own file system, in the table of mounts.
pub const OWN_FILES: TypeId = TypeId(STDLIB + 8);

/// The definitions of the library's types, by number.
pub static TYPES: &[&TypeDef] = &[
    &crate::files::FILE,
    &crate::files::TEXT_FILE,
    &crate::stdio::STDIO,
    &crate::stdio::STDIO_BUFFER,
    &crate::modules::os::LISTING,
    &crate::modules::machine::PIN,
    &crate::modules::machine::RTC,
    &crate::modules::machine::MEMORY,
    &crate::mount::OWN_FILES,
    &crate::modules::signal::PIN_BASE,
    &crate::modules::signal::SIGNAL,
];

/// The definitions of the library's modules, by number.
pub static MODULES: &[&ModuleDef] = &[
    &crate::modules::os::OS,
    &crate::modules::time::TIME,
    &crate::modules::machine::MACHINE,
    &crate::modules::vfs::VFS,
];

/// Other names under which modules are imported.
pub static ALIASES: &[(Qstr, Qstr)] = &[
    (Qstr::uarray, Qstr::array),
    (Qstr::ubinascii, Qstr::binascii),
    (Qstr::ucollections, Qstr::collections),
    (Qstr::uerrno, Qstr::errno),
    (Qstr::uhashlib, Qstr::hashlib),
    (Qstr::uio, Qstr::io),
    (Qstr::ujson, Qstr::json),
    (Qstr::umachine, Qstr::machine),
    (Qstr::uos, Qstr::os),
    (Qstr::urandom, Qstr::random),
    (Qstr::ure, Qstr::re),
    (Qstr::usocket, Qstr::socket),
    (Qstr::ustruct, Qstr::struct_),
    (Qstr::usys, Qstr::sys),
    (Qstr::utime, Qstr::time),
];
