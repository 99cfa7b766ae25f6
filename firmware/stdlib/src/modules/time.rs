//! `time`: ticks, sleeping, and the calendar (from 2000 on boards, from 1970 on desktops, as MicroPython).

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;
use larch_vm::native::{Args, Entry, ModuleDef, Native, Rom};
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use super::os::EPOCH_2000_S;

/// The module.
pub static TIME: ModuleDef = ModuleDef { name: Qstr::time, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::time)),
    (Qstr::gmtime, Rom::Fn(Native::Var(0, 1, localtime))),
    (Qstr::localtime, Rom::Fn(Native::Var(0, 1, localtime))),
    (Qstr::mktime, Rom::Fn(Native::F1(mktime))),
    (Qstr::time, Rom::Fn(Native::F0(time))),
    (Qstr::time_ns, Rom::Fn(Native::F0(time_ns))),
    (Qstr::sleep, Rom::Fn(Native::F1(sleep))),
    (Qstr::sleep_ms, Rom::Fn(Native::F1(sleep_ms))),
    (Qstr::sleep_us, Rom::Fn(Native::F1(sleep_us))),
    (Qstr::ticks_ms, Rom::Fn(Native::F0(ticks_ms))),
    (Qstr::ticks_us, Rom::Fn(Native::F0(ticks_us))),
    (Qstr::ticks_cpu, Rom::Fn(Native::F0(ticks_cpu))),
    (Qstr::ticks_add, Rom::Fn(Native::F2(ticks_add))),
    (Qstr::ticks_diff, Rom::Fn(Native::F2(ticks_diff))),
];

/// Ticks wrap around here: half the range of small ints, as MicroPython's.
const TICKS_PERIOD: i64 = 1 << 30;
const TICKS_MASK: u64 = TICKS_PERIOD as u64 - 1;

fn ticks_ms(vm: &mut Vm) -> Res {
    Ok(Value::small(((vm.port.ticks_us() / 1000) & TICKS_MASK) as i32))
}

fn ticks_us(vm: &mut Vm) -> Res {
    Ok(Value::small((vm.port.ticks_us() & TICKS_MASK) as i32))
}

fn ticks_cpu(vm: &mut Vm) -> Res {
    Ok(Value::small((u64::from(vm.port.ticks_cpu()) & TICKS_MASK) as i32))
}

fn ticks_add(vm: &mut Vm, ticks: Value, delta: Value) -> Res {
    let (ticks, delta) = (i64::from(vm.int_arg(ticks)?), i64::from(vm.int_arg(delta)?));
    if delta.abs() >= TICKS_PERIOD / 2 {
        return Err(vm.raise(core_ids::OverflowError, "ticks interval overflow"));
    }
    Ok(Value::small((ticks + delta).rem_euclid(TICKS_PERIOD) as i32))
}

fn ticks_diff(vm: &mut Vm, end: Value, start: Value) -> Res {
    let difference = i64::from(vm.int_arg(end)?) - i64::from(vm.int_arg(start)?);
    let half = TICKS_PERIOD / 2;
    Ok(Value::small(((difference + half).rem_euclid(TICKS_PERIOD) - half) as i32))
}

/// Waits, and lets Ctrl-C and scheduled work through.
///
/// # Errors
/// KeyboardInterrupt, or what scheduled work raises.
pub fn wait_us(vm: &mut Vm, duration_us: u64) -> Res<()> {
    let deadline = vm.port.ticks_us().saturating_add(duration_us);
    loop {
        if larch_vm::vm::PENDING.load(core::sync::atomic::Ordering::Relaxed) {
            vm.handle_pending()?;
        }
        if vm.port.ticks_us() >= deadline {
            return Ok(());
        }
        vm.port.idle(Some(deadline));
    }
}

fn sleep(vm: &mut Vm, seconds: Value) -> Res {
    let us = match seconds.as_small() {
        Some(seconds) => i64::from(seconds) * 1_000_000,
        None => (vm.float_arg(seconds)? * 1_000_000.0) as i64,
    };
    wait_us(vm, us.max(0) as u64)?;
    Ok(Value::NONE)
}

fn sleep_ms(vm: &mut Vm, ms: Value) -> Res {
    let ms = vm.int_arg(ms)?;
    wait_us(vm, ms.max(0) as u64 * 1000)?;
    Ok(Value::NONE)
}

fn sleep_us(vm: &mut Vm, us: Value) -> Res {
    let us = vm.int_arg(us)?;
    wait_us(vm, us.max(0) as u64)?;
    Ok(Value::NONE)
}

/// Microseconds since the epoch of this port.
fn since_epoch_us(vm: &Vm) -> i64 {
    vm.port.epoch_us() as i64 - vm.hooks.identity.epoch_s as i64 * 1_000_000
}

/// Seconds from the epoch of this port to 2000.
fn epoch_to_2000(vm: &Vm) -> i64 {
    EPOCH_2000_S as i64 - vm.hooks.identity.epoch_s as i64
}

fn time(vm: &mut Vm) -> Res {
    let seconds = since_epoch_us(vm).div_euclid(1_000_000);
    vm.new_int_i64(seconds)
}

fn time_ns(vm: &mut Vm) -> Res {
    let us = since_epoch_us(vm);
    vm.new_int_i64(us.saturating_mul(1000))
}

fn localtime(vm: &mut Vm, args: Args) -> Res {
    let seconds = match vm.opt_arg(args, 0).filter(|given| !given.is_none()) {
        Some(given) => vm.int_low_word(given)? as i64,
        None => since_epoch_us(vm).div_euclid(1_000_000),
    };
    let fields = Calendar::from_seconds(seconds - epoch_to_2000(vm)).fields().map(Value::small);
    vm.new_tuple(&fields)
}

fn mktime(vm: &mut Vm, tuple: Value) -> Res {
    let Some((at, first, len)) = vm.sequence_items(tuple) else {
        return Err(vm.raise_convert(tuple, "tuple"));
    };
    if !(8..=9).contains(&len) {
        return Err(vm.raise(core_ids::TypeError, "mktime needs a tuple of length 8 or 9"));
    }
    let mut fields = [0; 6];
    for (index, field) in fields.iter_mut().enumerate() {
        let value = vm.heap.slot(at, first + index as u32);
        *field = i64::from(vm.int_arg(value)?);
    }
    let seconds = seconds_of(fields) + epoch_to_2000(vm);
    vm.new_int_i64(seconds)
}

/// A date and time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Calendar {
    /// Year.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: i32,
    /// Day of the month, from 1.
    pub day: i32,
    /// Hour.
    pub hour: i32,
    /// Minute.
    pub minute: i32,
    /// Second.
    pub second: i32,
    /// Day of the week, Monday 0.
    pub weekday: i32,
    /// Day of the year, from 1.
    pub yearday: i32,
}

/// Days from 2000-01-01 to 1970-01-01's civil calendar origin (0000-03-01).
const DAYS_TO_2000: i64 = 730_425;

/// Days since 2000-01-01 of a date; month and day may be out of range.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    // Years that start in March, so that the leap day is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - DAYS_TO_2000
}

/// Seconds since 2000 of year, month, day, hour, minute, second; any of them may be out of range.
pub(crate) fn seconds_of([year, month, day, hour, minute, second]: [i64; 6]) -> i64 {
    days_of(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
}

impl Calendar {
    /// The date and time of so many seconds since 2000.
    pub(crate) fn from_seconds(seconds: i64) -> Calendar {
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let since_origin = days + DAYS_TO_2000;
        let era = since_origin.div_euclid(146_097);
        let day_of_era = since_origin.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Calendar {
            year: year as i32,
            month: month as i32,
            day: (day_of_year - (153 * shifted + 2) / 5 + 1) as i32,
            hour: (rest / 3600) as i32,
            minute: (rest / 60 % 60) as i32,
            second: (rest % 60) as i32,
            weekday: (days + 5).rem_euclid(7) as i32,
            yearday: (days - days_of(year, 1, 1) + 1) as i32,
        }
    }

    /// The tuple of `time.localtime`.
    pub(crate) fn fields(self) -> [i32; 8] {
        [self.year, self.month, self.day, self.hour, self.minute, self.second, self.weekday, self.yearday]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        // Computed with CPython's datetime.
        for (seconds, fields) in [
            (0, [2000, 1, 1, 0, 0, 0, 5, 1]),
            (951_782_400 - 946_684_800, [2000, 2, 29, 0, 0, 0, 1, 60]),
            (1_709_164_799 - 946_684_800, [2024, 2, 28, 23, 59, 59, 2, 59]),
            (4_107_542_400 - 946_684_800, [2100, 3, 1, 0, 0, 0, 0, 60]),
            (-946_684_800, [1970, 1, 1, 0, 0, 0, 3, 1]),
        ] {
            let date = Calendar::from_seconds(seconds);
            assert_eq!(date.fields(), fields);
            let [year, month, day, hour, minute, second, ..] = fields.map(i64::from);
            assert_eq!(seconds_of([year, month, day, hour, minute, second]), seconds);
        }
    }
}
