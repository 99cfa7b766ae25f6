//! `errno`: the numbers of operating-system errors, as on MicroPython's boards: Linux's up to 105; above, a feature chooses.
//!
//! Source: MicroPython's `py/mperrno.h`; newlib's `sys/errno.h` for Espressif's chips.

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;

use crate::native::{Entry, ModuleDef, Res, Rom};
use crate::vm::Vm;

macro_rules! errors {
    ($($name:ident = $number:expr),* $(,)?) => {
        /// The names and numbers.
        const ERRORS: &[(Qstr, i32)] = &[$((Qstr::$name, $number)),*];
        static ENTRIES: &[Entry] = &[
            (Qstr::__name__, Rom::Str(Qstr::errno)),
            (Qstr::errorcode, Rom::Getter(errorcode)),
            $((Qstr::$name, Rom::Value(Value::small($number)))),*
        ];
    };
}

/// What Linux and newlib number differently.
#[cfg(not(feature = "newlib-errno"))]
mod numbers {
    pub const EADDRINUSE: i32 = 98;
    pub const ECONNABORTED: i32 = 103;
    /// A second connection of a connected socket.
    pub const EISCONN: i32 = 106;
    pub const ENOTCONN: i32 = 107;
    pub const ETIMEDOUT: i32 = 110;
    pub const EHOSTUNREACH: i32 = 113;
    pub const EALREADY: i32 = 114;
    pub const EINPROGRESS: i32 = 115;
}
#[cfg(feature = "newlib-errno")]
mod numbers {
    pub const EADDRINUSE: i32 = 112;
    pub const ECONNABORTED: i32 = 113;
    /// A second connection of a connected socket.
    pub const EISCONN: i32 = 127;
    pub const ENOTCONN: i32 = 128;
    pub const ETIMEDOUT: i32 = 116;
    pub const EHOSTUNREACH: i32 = 118;
    pub const EALREADY: i32 = 120;
    pub const EINPROGRESS: i32 = 119;
}
/// It has no name in MicroPython's module.
pub use numbers::EISCONN;
use numbers::{EADDRINUSE, EALREADY, ECONNABORTED, EHOSTUNREACH, EINPROGRESS, ENOTCONN, ETIMEDOUT};

errors! {
    EPERM = 1, ENOENT = 2, EIO = 5, EBADF = 9, EAGAIN = 11, ENOMEM = 12, EACCES = 13, EEXIST = 17, ENODEV = 19,
    EISDIR = 21, EINVAL = 22, EOPNOTSUPP = 95, EADDRINUSE = EADDRINUSE, ECONNABORTED = ECONNABORTED, ECONNRESET = 104,
    ENOBUFS = 105, ENOTCONN = ENOTCONN, ETIMEDOUT = ETIMEDOUT, ECONNREFUSED = 111, EHOSTUNREACH = EHOSTUNREACH,
    EALREADY = EALREADY, EINPROGRESS = EINPROGRESS,
}

/// The module.
pub static ERRNO: ModuleDef = ModuleDef { name: Qstr::errno, entries: ENTRIES, attr: None };

/// The name of an error number.
pub fn name_of(number: i32) -> Option<Qstr> {
    ERRORS.iter().find(|(_, n)| *n == number).map(|(name, _)| *name)
}

/// The number of an error.
pub fn number_of(name: Qstr) -> Option<i32> {
    ERRORS.iter().find(|(n, _)| *n == name).map(|(_, number)| *number)
}

fn errorcode(vm: &mut Vm, _: Value) -> Res {
    let dict = vm.new_dict(ERRORS.len() as u32)?;
    vm.root(dict)?;
    let table = dict.expect_cell("a dict");
    for (name, number) in ERRORS {
        vm.table_set(table, Value::small(*number), Value::qstr(*name))?;
    }
    vm.set_table_flag(table, crate::table::FIXED);
    Ok(dict)
}
