//! `random`: Ilya Levin's Yasmarang generator, as MicroPython has it, so that a seed gives the same numbers. Not for
//! secrets.

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;

use crate::native::{Args, Entry, ItemOp, ModuleDef, Native, Res, Rom};
use crate::types::float::{Float, PRECISION};
use crate::types::ids;
use crate::vm::Vm;

/// The module.
pub static RANDOM: ModuleDef = ModuleDef { name: Qstr::random, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::random)),
    (Qstr::getrandbits, Rom::Fn(Native::F1(getrandbits))),
    (Qstr::seed, Rom::Fn(Native::Var(0, 1, seed))),
    (Qstr::randrange, Rom::Fn(Native::Var(1, 3, randrange))),
    (Qstr::randint, Rom::Fn(Native::F2(randint))),
    (Qstr::choice, Rom::Fn(Native::F1(choice))),
    (Qstr::random, Rom::Fn(Native::F0(random))),
    (Qstr::uniform, Rom::Fn(Native::F2(uniform))),
];

/// The generator's state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Generator {
    pad: u32,
    n: u32,
    d: u32,
    dat: u8,
}

impl Generator {
    const fn new(seed: u32) -> Generator {
        Generator { pad: seed, n: 69, d: 233, dat: 0 }
    }

    #[inline(never)]
    fn next(&mut self) -> u32 {
        self.pad = self.pad.wrapping_add(u32::from(self.dat)).wrapping_add(self.d.wrapping_mul(self.n));
        self.pad = (self.pad << 3).wrapping_add(self.pad >> 29);
        self.n = self.pad | 2;
        self.d ^= (self.pad << 31).wrapping_add(self.pad >> 1);
        self.dat ^= self.pad as u8 ^ (self.d >> 8) as u8 ^ 1;
        self.pad ^ self.d << 5 ^ self.pad >> 18 ^ u32::from(self.dat) << 1
    }

    /// A number below `limit`, which is not zero.
    #[inline(never)]
    fn below(&mut self, limit: u32) -> u32 {
        let mask = u32::MAX >> (limit.leading_zeros().min(31));
        loop {
            let number = self.next() & mask;
            if number < limit {
                return number;
            }
        }
    }

    /// A number from 0 up to but not including 1.
    #[inline(never)]
    fn float(&mut self) -> Float {
        let word = match PRECISION {
            0..=33 => u64::from(self.next()),
            _ => u64::from(self.next()) << 32 | u64::from(self.next()),
        };
        let fraction = word & ((1 << (PRECISION - 1)) - 1);
        fraction as Float * (Float::EPSILON)
    }
}

impl Vm {
    /// The generator; it starts from the board's noise.
    #[inline(never)]
    fn generator(&mut self) -> &mut Generator {
        if self.random.is_none() {
            self.random = Some(Generator::new(self.port.random()));
        }
        self.random.get_or_insert(Generator::new(0))
    }
}

fn getrandbits(vm: &mut Vm, count: Value) -> Res {
    let count = vm.int_arg(count)?;
    match count {
        0 => Ok(Value::small(0)),
        1..=32 => {
            let word = vm.generator().next() & u32::MAX >> (32 - count);
            vm.new_int_u64(word.into())
        }
        _ => Err(vm.raise(ids::ValueError, "bits must be 32 or less")),
    }
}

fn seed(vm: &mut Vm, args: Args) -> Res {
    let seed = match vm.opt_arg(args, 0) {
        None | Some(Value::NONE) => vm.port.random(),
        Some(value) => match vm.int_truncated(value) {
            Some(word) => word as u32,
            None => vm.int_arg(value)? as u32,
        },
    };
    vm.random = Some(Generator::new(seed));
    Ok(Value::NONE)
}

fn randrange(vm: &mut Vm, args: Args) -> Res {
    let first = i64::from(vm.int_arg(vm.arg(args, 0))?);
    let (start, stop) = match vm.opt_arg(args, 1) {
        None => (0, first),
        Some(stop) => (first, i64::from(vm.int_arg(stop)?)),
    };
    let step = match vm.opt_arg(args, 2) {
        None => 1,
        Some(step) => i64::from(vm.int_arg(step)?),
    };
    let count = match step {
        0 => 0,
        1.. => (stop - start + step - 1) / step,
        _ => (stop - start + step + 1) / step,
    };
    pick(vm, start, step, count)
}

fn randint(vm: &mut Vm, first: Value, last: Value) -> Res {
    let (first, last) = (i64::from(vm.int_arg(first)?), i64::from(vm.int_arg(last)?));
    pick(vm, first, 1, last - first + 1)
}

/// One of `count` numbers.
fn pick(vm: &mut Vm, start: i64, step: i64, count: i64) -> Res {
    // 2 ** 32 numbers have no other limit than the word's.
    match u32::try_from(count.min(u32::MAX.into())) {
        Ok(count @ 1..) => {
            let number = vm.generator().below(count);
            vm.new_int_i64(start + step * i64::from(number))
        }
        _ => Err(vm.raise_empty(ids::ValueError)),
    }
}

fn choice(vm: &mut Vm, sequence: Value) -> Res {
    match vm.len(sequence)? {
        0 => Err(vm.raise_empty(ids::IndexError)),
        len => {
            let index = vm.generator().below(len);
            vm.item(sequence, Value::small(index as i32), ItemOp::Get)
        }
    }
}

fn random(vm: &mut Vm) -> Res {
    let number = vm.generator().float();
    vm.new_float(number)
}

fn uniform(vm: &mut Vm, a: Value, b: Value) -> Res {
    let (a, b) = (vm.float_arg(a)?, vm.float_arg(b)?);
    let number = vm.generator().float();
    vm.new_float(a + (b - a) * number)
}
