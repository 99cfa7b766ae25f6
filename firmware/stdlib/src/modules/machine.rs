//! `machine`: the chip.

use larch_bytecode::qstr::Qstr;
use larch_hal::{PinMode, Pull, ResetCause};
use larch_heap::{Kind, Value};
use larch_vm::native::{Args, Entry, ItemOp, ModuleDef, Native, Rom, TypeDef};
use larch_vm::print::{PrintKind, Sink};
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use super::os::EPOCH_2000_S;
use super::signal;
use super::time::{Calendar, seconds_of, wait_us};
use crate::ids;

/// The module.
pub static MACHINE: ModuleDef = ModuleDef { name: Qstr::machine, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::machine)),
    (Qstr::reset, Rom::Fn(Native::F0(|vm| vm.port.reset()))),
    (Qstr::bootloader, Rom::Fn(Native::Var(0, 1, |vm, _| vm.port.enter_bootloader()))),
    (Qstr::soft_reset, Rom::Fn(Native::F0(|vm| Err(vm.raise_empty(core_ids::SystemExit))))),
    (Qstr::reset_cause, Rom::Fn(Native::F0(|vm| Ok(Value::small(vm.port.reset_cause() as i32))))),
    (Qstr::unique_id, Rom::Fn(Native::F0(unique_id))),
    (Qstr::freq, Rom::Fn(Native::Var(0, 1, freq))),
    (Qstr::idle, Rom::Fn(Native::F0(idle))),
    (Qstr::lightsleep, Rom::Fn(Native::Var(0, 1, lightsleep))),
    (Qstr::mem8, Rom::Getter(|vm, _| memory(vm, 1))),
    (Qstr::mem16, Rom::Getter(|vm, _| memory(vm, 2))),
    (Qstr::mem32, Rom::Getter(|vm, _| memory(vm, 4))),
    (Qstr::time_pulse_us, Rom::Fn(Native::Var(2, 3, signal::time_pulse_us))),
    (Qstr::Pin, Rom::Type(ids::PIN)),
    (Qstr::PinBase, Rom::Type(ids::PIN_BASE)),
    (Qstr::Signal, Rom::Type(ids::SIGNAL)),
    (Qstr::RTC, Rom::Type(ids::RTC)),
    (Qstr::PWRON_RESET, Rom::Value(Value::small(ResetCause::PowerOn as i32))),
    (Qstr::HARD_RESET, Rom::Value(Value::small(ResetCause::Hard as i32))),
    (Qstr::WDT_RESET, Rom::Value(Value::small(ResetCause::Watchdog as i32))),
    (Qstr::DEEPSLEEP_RESET, Rom::Value(Value::small(ResetCause::DeepSleep as i32))),
    (Qstr::SOFT_RESET, Rom::Value(Value::small(ResetCause::Soft as i32))),
];

fn unique_id(vm: &mut Vm) -> Res {
    let mut copy = [0; 16];
    let id = vm.port.unique_id();
    let len = id.len().min(copy.len());
    copy[..len].copy_from_slice(&id[..len]);
    vm.new_bytes(&copy[..len])
}

fn freq(vm: &mut Vm, args: Args) -> Res {
    if args.positional > 0 {
        return Err(vm.raise(core_ids::ValueError, "the frequency cannot be changed"));
    }
    let hz = vm.port.frequency_hz();
    vm.new_int_i64(i64::from(hz))
}

fn idle(vm: &mut Vm) -> Res {
    wait_us(vm, 1000)?;
    Ok(Value::NONE)
}

fn lightsleep(vm: &mut Vm, args: Args) -> Res {
    match vm.opt_arg(args, 0).filter(|ms| !ms.is_none()) {
        Some(ms) => {
            let ms = vm.int_arg(ms)?;
            wait_us(vm, ms.max(0) as u64 * 1000)?;
        }
        None => loop {
            wait_us(vm, 1_000_000)?;
        },
    }
    Ok(Value::NONE)
}

// ---- Pin ----

const IN: i32 = 1;
const OUT: i32 = 3;
const OPEN_DRAIN: i32 = 7;
const PULL_DOWN: i32 = 1;
const PULL_UP: i32 = 2;

/// `machine.Pin`: type, number.
pub static PIN: TypeDef = TypeDef {
    make: Some(make_pin),
    print: Some(print_pin),
    call: Some(call_pin),
    entries: &[
        (Qstr::init, Rom::Fn(Native::Kw(1, 5, init_pin))),
        (Qstr::value, Rom::Fn(Native::Var(1, 2, pin_value))),
        (Qstr::on, Rom::Fn(Native::F1(|vm, pin| drive(vm, pin, true)))),
        (Qstr::off, Rom::Fn(Native::F1(|vm, pin| drive(vm, pin, false)))),
        (Qstr::IN, Rom::Value(Value::small(IN))),
        (Qstr::OUT, Rom::Value(Value::small(OUT))),
        (Qstr::OPEN_DRAIN, Rom::Value(Value::small(OPEN_DRAIN))),
        (Qstr::PULL_UP, Rom::Value(Value::small(PULL_UP))),
        (Qstr::PULL_DOWN, Rom::Value(Value::small(PULL_DOWN))),
    ],
    ..TypeDef::new(Qstr::Pin)
};

fn number(vm: &Vm, pin: Value) -> u8 {
    pin.as_cell().map_or(0, |at| vm.heap.value(at, 1).small_unchecked() as u8)
}

fn make_pin(vm: &mut Vm, _class: Value, args: Args) -> Res {
    if args.positional == 0 {
        return Err(vm.raise_count(Qstr::Pin, 1, 4, args));
    }
    let pin = vm.int_arg(vm.arg(args, 0))?;
    let Ok(pin) = u8::try_from(pin) else { return Err(vm.raise(core_ids::ValueError, "invalid pin")) };
    if vm.port.pin_level(pin).is_err() {
        return Err(vm.raise(core_ids::ValueError, "invalid pin"));
    }
    let object = vm.alloc_values(Kind::Object, &[ids::PIN.value(), Value::small(i32::from(pin))])?;
    vm.root(object)?;
    configure(vm, pin, args)?;
    Ok(object)
}

fn configure(vm: &mut Vm, pin: u8, args: Args) -> Res<()> {
    let names = [Qstr::mode, Qstr::pull, Qstr::value];
    let [mode, pull, value] = vm.named_args(args, 1, names, [Value::UNBOUND; 3])?;
    let pull = match pull.as_small() {
        Some(PULL_UP) => Pull::Up,
        Some(PULL_DOWN) => Pull::Down,
        _ => Pull::None,
    };
    if !value.is_unbound() {
        let high = vm.truth(value)?;
        let answer = vm.port.set_pin_level(pin, high);
        pin_answer(vm, answer)?;
    }
    let mode = match mode.as_small() {
        Some(IN) => PinMode::Input,
        Some(OUT) => PinMode::Output,
        Some(OPEN_DRAIN) => PinMode::OpenDrain,
        None => return Ok(()),
        Some(_) => return Err(vm.raise(core_ids::ValueError, "invalid pin mode")),
    };
    let answer = vm.port.configure_pin(pin, mode, pull);
    pin_answer(vm, answer)
}

fn pin_answer<T>(vm: &mut Vm, answer: Result<T, larch_hal::PinError>) -> Res<T> {
    answer.map_err(|error| {
        let text = match error {
            larch_hal::PinError::NoSuchPin => "invalid pin",
            larch_hal::PinError::NotPossible => "pin can't work this way",
        };
        vm.raise(core_ids::ValueError, text)
    })
}

fn init_pin(vm: &mut Vm, args: Args) -> Res {
    let pin = number(vm, vm.arg(args, 0));
    configure(vm, pin, args)?;
    Ok(Value::NONE)
}

fn print_pin(vm: &mut Vm, sink: Sink, pin: Value, _kind: PrintKind) -> Res<()> {
    vm.emit_str(sink, "Pin(")?;
    let number = number(vm, pin);
    vm.emit_int(sink, i32::from(number))?;
    vm.emit_str(sink, ")")
}

fn drive(vm: &mut Vm, pin: Value, high: bool) -> Res {
    let number = number(vm, pin);
    let answer = vm.port.set_pin_level(number, high);
    pin_answer(vm, answer)?;
    Ok(Value::NONE)
}

fn read_or_drive(vm: &mut Vm, pin: Value, level: Option<Value>) -> Res {
    match level {
        Some(level) => {
            let high = vm.truth(level)?;
            drive(vm, pin, high)
        }
        None => {
            let answer = vm.port.pin_level(number(vm, pin));
            let high = pin_answer(vm, answer)?;
            Ok(Value::small(i32::from(high)))
        }
    }
}

fn pin_value(vm: &mut Vm, args: Args) -> Res {
    let level = vm.opt_arg(args, 1);
    read_or_drive(vm, vm.arg(args, 0), level)
}

fn call_pin(vm: &mut Vm, pin: Value, args: Args) -> Res {
    let level = vm.opt_arg(args, 0);
    read_or_drive(vm, pin, level)
}

// ---- RTC ----

/// `machine.RTC`
pub static RTC: TypeDef = TypeDef {
    make: Some(|vm, _class, _args| vm.alloc_values(Kind::Object, &[ids::RTC.value()])),
    entries: &[
        (Qstr::datetime, Rom::Fn(Native::Var(1, 2, datetime))),
        (Qstr::init, Rom::Fn(Native::F2(|vm, _rtc, tuple| set_datetime(vm, tuple)))),
    ],
    ..TypeDef::new(Qstr::RTC)
};

/// `(year, month, day, weekday, hours, minutes, seconds, microseconds)`
fn datetime(vm: &mut Vm, args: Args) -> Res {
    if let Some(tuple) = vm.opt_arg(args, 1) {
        return set_datetime(vm, tuple);
    }
    let us = vm.port.epoch_us() as i64 - EPOCH_2000_S as i64 * 1_000_000;
    let now = Calendar::from_seconds(us.div_euclid(1_000_000));
    let fields = [
        now.year,
        now.month,
        now.day,
        now.weekday,
        now.hour,
        now.minute,
        now.second,
        us.rem_euclid(1_000_000) as i32,
    ];
    vm.new_tuple(&fields.map(Value::small))
}

fn set_datetime(vm: &mut Vm, tuple: Value) -> Res {
    let items = vm.sequence_items(tuple);
    let Some((at, first, 8)) = items else {
        return Err(vm.raise(core_ids::ValueError, "the date and time is a tuple of 8 numbers"));
    };
    let mut fields = [0i64; 8];
    for (index, field) in fields.iter_mut().enumerate() {
        let value = vm.heap.slot(at, first + index as u32);
        *field = i64::from(vm.int_arg(value)?);
    }
    let [year, month, day, _, hour, minute, second, us] = fields;
    let since_2000 = seconds_of([year, month, day, hour, minute, second]);
    let epoch_us = (since_2000 + EPOCH_2000_S as i64) * 1_000_000 + us;
    vm.port.set_epoch_us(epoch_us.max(0) as u64);
    Ok(Value::NONE)
}

// ---- memory ----

/// `machine.mem8` and its like: type, bytes of an item.
pub static MEMORY: TypeDef =
    TypeDef { item: Some(memory_item), print: Some(print_memory), ..TypeDef::new(Qstr::memory) };

fn print_memory(vm: &mut Vm, sink: Sink, memory: Value, _kind: PrintKind) -> Res<()> {
    let size = memory.as_cell().map_or(1, |at| vm.heap.value(at, 1).small_unchecked());
    vm.emit_str(sink, "<")?;
    vm.emit_int(sink, 8 * size)?;
    vm.emit_str(sink, "-bit memory>")
}

fn memory(vm: &mut Vm, size: i32) -> Res {
    vm.alloc_values(Kind::Object, &[ids::MEMORY.value(), Value::small(size)])
}

fn memory_item(vm: &mut Vm, memory: Value, index: Value, op: ItemOp) -> Res {
    let size = memory.as_cell().map_or(1, |at| vm.heap.value(at, 1).small_unchecked()) as u32;
    let address = vm.int_low_word(index)? as u32;
    if !address.is_multiple_of(size) {
        return Err(vm.raise(core_ids::ValueError, "address is not aligned"));
    }
    let address = vm.new_int_i64(address.into())?;
    vm.root(address)?;
    let pointer = vm.pointer(address)?;
    vm.root(pointer)?;
    match op {
        ItemOp::Get => {
            let word = vm.load_at(pointer, 0, size)?;
            vm.new_int_i64(word.into())
        }
        ItemOp::Set(value) => {
            let word = vm.int_low_word(value)? as u32;
            vm.store_at(pointer, 0, size, word)?;
            Ok(Value::NONE)
        }
        ItemOp::Delete => Ok(Value::UNBOUND),
    }
}
