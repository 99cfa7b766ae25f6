//! `errno`: the numbers of operating-system errors, as on MicroPython's boards.

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;

use crate::native::{Entry, ModuleDef, Res, Rom};
use crate::vm::Vm;

macro_rules! errors {
    ($($name:ident = $number:literal),* $(,)?) => {
        /// The names and numbers.
        const ERRORS: &[(Qstr, i32)] = &[$((Qstr::$name, $number)),*];
        static ENTRIES: &[Entry] = &[
            (Qstr::__name__, Rom::Str(Qstr::errno)),
            (Qstr::errorcode, Rom::Getter(errorcode)),
            $((Qstr::$name, Rom::Value(Value::small($number)))),*
        ];
    };
}

errors! {
    EPERM = 1, ENOENT = 2, EIO = 5, EBADF = 9, EAGAIN = 11, ENOMEM = 12, EACCES = 13, EEXIST = 17, ENODEV = 19,
    EISDIR = 21, EINVAL = 22, EOPNOTSUPP = 95, EADDRINUSE = 98, ECONNABORTED = 103, ECONNRESET = 104, ENOBUFS = 105,
    ENOTCONN = 107, ETIMEDOUT = 110, ECONNREFUSED = 111, EHOSTUNREACH = 113, EALREADY = 114, EINPROGRESS = 115,
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
