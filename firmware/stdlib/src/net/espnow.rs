//! `espnow`: messages between boards without a network.
//!
//! There is one `ESPNow`, an `Object`, kept by a root; peers and messages are the port's. A message is copied where the program
//! wants it when it is taken, so an interrupt never meets the Python heap.
//!
//! Source: MicroPython's `ports/esp32/modespnow.c` and `docs/library/espnow.rst` for what a program sees.

use larch_bytecode::qstr::Qstr;
use larch_hal::{EspError, KEY_LEN, NetError, Traffic};
use larch_heap::{Kind, Ref, Root, Value};
use larch_vm::native::{Args, Entry, ModuleDef, Native, Rom, TypeDef};
use larch_vm::table::FIXED;
use larch_vm::types::function::is_callable;
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use super::espnow_peers::{self as peers, espnow, mac_arg, need_on, raise};
use super::{socket, until, wait};
use crate::ids;

/// The module.
pub static ESPNOW: ModuleDef = ModuleDef { name: Qstr::espnow, entries: MODULE_ENTRIES, attr: None };

/// `espnow.ESPNow`
pub static ESP_NOW: TypeDef = TypeDef {
    make: Some(make),
    iter: Some(|_vm, espnow| Ok(espnow)),
    next: Some(|vm, espnow| received(vm, espnow, None, false)),
    entries: METHODS,
    ..TypeDef::new(Qstr::ESPNow)
};

/// The longest message.
const MAX_DATA_LEN: u32 = 1470;
/// Room for two of them.
const ROOM: i32 = 2968;
const RECEIVE_MS: i32 = 300_000;
/// How long a message waits that cannot be sent, and how long the answer to one may take.
const SEND_MS: u32 = 2000;
const ANSWER_MS: u32 = 100;

/// Values of the object behind its type: milliseconds to wait, bytes of waiting messages, the table of peers, whom to call, how
/// many messages were told of, what `irecv` gives.
const TIMEOUT: u32 = 1;
const ROOM_WANTED: u32 = 2;
const TABLE: u32 = 3;
const CALLBACK: u32 = 4;
const TOLD: u32 = 5;
const PLACE: u32 = 6;

const fn number(value: i32) -> Rom {
    Rom::Value(Value::small(value))
}

static MODULE_ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::espnow)),
    (Qstr::ESPNow, Rom::Type(ids::ESP_NOW)),
    (Qstr::MAX_DATA_LEN, number(MAX_DATA_LEN as i32)),
    (Qstr::ADDR_LEN, number(6)),
    (Qstr::KEY_LEN, number(KEY_LEN as i32)),
    (Qstr::MAX_TOTAL_PEER_NUM, number(20)),
    (Qstr::MAX_ENCRYPT_PEER_NUM, number(6)),
    (Qstr::RATE_LORA_250K, number(41)),
    (Qstr::RATE_LORA_500K, number(42)),
    (Qstr::RATE_1M, number(0)),
    (Qstr::RATE_2M, number(1)),
    (Qstr::RATE_5M, number(2)),
    (Qstr::RATE_6M, number(11)),
    (Qstr::RATE_11M, number(3)),
    (Qstr::RATE_12M, number(10)),
    (Qstr::RATE_24M, number(9)),
    (Qstr::RATE_54M, number(12)),
];

const METHODS: &[Entry] = &[
    (Qstr::active, Rom::Fn(Native::Var(1, 2, active))),
    (Qstr::config, Rom::Fn(Native::Kw(1, 2, config))),
    (Qstr::irq, Rom::Fn(Native::F2(irq))),
    (Qstr::stats, Rom::Fn(Native::F1(stats))),
    (
        Qstr::recv,
        Rom::Fn(Native::Var(1, 2, |vm, args| received(vm, vm.arg(args, 0), vm.opt_arg(args, 1), true))),
    ),
    (
        Qstr::irecv,
        Rom::Fn(Native::Var(1, 2, |vm, args| received(vm, vm.arg(args, 0), vm.opt_arg(args, 1), false))),
    ),
    (Qstr::recvinto, Rom::Fn(Native::Var(2, 3, recvinto))),
    (Qstr::send, Rom::Fn(Native::Var(2, 4, send))),
    (Qstr::any, Rom::Fn(Native::F1(any))),
    (Qstr::ioctl, Rom::Fn(Native::F3(ioctl))),
    (Qstr::set_pmk, Rom::Fn(Native::F2(peers::set_pmk))),
    (Qstr::add_peer, Rom::Fn(Native::Kw(2, 6, peers::add_peer))),
    (Qstr::mod_peer, Rom::Fn(Native::Kw(2, 6, peers::mod_peer))),
    (Qstr::get_peer, Rom::Fn(Native::F2(peers::get_peer))),
    (Qstr::get_peers, Rom::Fn(Native::F1(peers::get_peers))),
    (Qstr::del_peer, Rom::Fn(Native::F2(peers::del_peer))),
    (Qstr::peer_count, Rom::Fn(Native::F1(peers::peer_count))),
    (Qstr::peers_table, Rom::Getter(|vm, espnow| Ok(vm.heap.value(object(espnow), TABLE)))),
];

/// The object's cell.
fn object(espnow: Value) -> Ref {
    espnow.expect_cell("the machine checks whose method it is")
}

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    if args.positional > 0 || args.keywords > 0 {
        return Err(vm.raise_count(Qstr::ESPNow, 0, 0, args));
    }
    if let Some(at) = vm.heap.root(Root::EspNow).as_cell() {
        return Ok(at.into());
    }
    espnow(vm)?;
    let table = vm.new_dict(0)?;
    vm.root(table)?;
    vm.set_table_flag(table.expect_cell("a dict"), FIXED);
    let [limit, room] = [RECEIVE_MS, ROOM].map(Value::small);
    let class = ids::ESP_NOW.value();
    let at = vm.alloc_values(
        Kind::Object,
        &[class, limit, room, table, Value::NONE, Value::small(0), Value::NONE],
    )?;
    vm.heap.set_root(Root::EspNow, at);
    Ok(at)
}

// ---- on, off, settings ----

fn active(vm: &mut Vm, args: Args) -> Res {
    if let Some(on) = vm.opt_arg(args, 1) {
        let at = object(vm.arg(args, 0));
        if vm.truth(on)? {
            super::wlan::give_memory(vm)?;
            let room = vm.heap.value(at, ROOM_WANTED).as_small().unwrap_or(ROOM);
            let begun = espnow(vm)?.start(room as usize);
            begun.map_err(|error| raise(vm, error))?;
        } else {
            espnow(vm)?.stop();
            vm.heap.set_value(at, CALLBACK, Value::NONE);
        }
    }
    Ok(Value::bool(espnow(vm)?.is_on()))
}

/// `config('name')`, `config(name=value, …)`
fn config(vm: &mut Vm, args: Args) -> Res {
    let at = object(vm.arg(args, 0));
    for index in 0..args.keywords {
        let (name, value) = vm.keyword(args, index);
        let value = vm.int_arg(value)?;
        match name {
            Qstr::rxbuf if value >= 0 => vm.heap.set_value(at, ROOM_WANTED, Value::small(value.min(0xffff))),
            Qstr::timeout_ms => {
                let limit = value.clamp(-1, Value::SMALL_MAX);
                vm.heap.set_value(at, TIMEOUT, Value::small(limit));
            }
            Qstr::rate => {
                let set = espnow(vm)?.set_rate(value as u8);
                set.map_err(|error| raise(vm, error))?;
            }
            Qstr::rxbuf => {}
            _ => return Err(vm.raise(core_ids::TypeError, "extra keyword arguments given")),
        }
    }
    let Some(name) = vm.opt_arg(args, 1) else { return Ok(Value::NONE) };
    match vm.find_qstr(name) {
        Some(Qstr::rxbuf) => Ok(vm.heap.value(at, ROOM_WANTED)),
        Some(Qstr::timeout_ms) => Ok(vm.heap.value(at, TIMEOUT)),
        _ => Err(vm.raise(core_ids::ValueError, "unknown config param")),
    }
}

/// How many messages came, as a small int.
fn arrived(vm: &mut Vm) -> Value {
    let received = vm.port.espnow().map_or(0, |espnow| espnow.traffic().received);
    Value::small((received & Value::SMALL_MAX as u32) as i32)
}

fn irq(vm: &mut Vm, espnow: Value, callback: Value) -> Res {
    if !callback.is_none() && !is_callable(vm, callback) {
        return Err(vm.raise(core_ids::ValueError, "invalid handler"));
    }
    let arrived = arrived(vm);
    vm.heap.set_value(object(espnow), CALLBACK, callback);
    vm.heap.set_value(object(espnow), TOLD, arrived);
    Ok(Value::NONE)
}

/// Lets `irq`'s function be called for each message that came. If too many calls wait, some are left out, as MicroPython does.
pub fn run(vm: &mut Vm) {
    let Some(at) = vm.heap.root(Root::EspNow).as_cell() else { return };
    let callback = vm.heap.value(at, CALLBACK);
    if callback.is_none() {
        return;
    }
    let arrived = arrived(vm);
    let mut told = vm.heap.value(at, TOLD);
    while told != arrived {
        let next = (told.as_small().unwrap_or(0) + 1) & Value::SMALL_MAX;
        told = Value::small(next);
        if vm.schedule(callback, at.into()).is_err() {
            vm.take_raised();
            break;
        }
    }
    vm.heap.set_value(at, TOLD, arrived);
}

fn stats(vm: &mut Vm, _espnow: Value) -> Res {
    let Traffic { sent, answered, failed, received, dropped } = espnow(vm)?.traffic();
    vm.new_tuple(&[sent, answered, failed, received, dropped].map(|count| Value::small(count as i32)))
}

// ---- receiving ----

fn any(vm: &mut Vm, _espnow: Value) -> Res {
    need_on(vm)?;
    Ok(Value::bool(espnow(vm)?.waiting().is_some()))
}

/// Waits for a message: its length. None if none came in time.
fn next_len(vm: &mut Vm, at: Ref, limit: Option<Value>) -> Res<Option<u32>> {
    need_on(vm)?;
    let limit = match limit.filter(|limit| !limit.is_none()) {
        Some(limit) => limit,
        None => vm.heap.value(at, TIMEOUT),
    };
    let limit = u32::try_from(vm.int_arg(limit)?).ok();
    let len = until(vm, limit, |vm| {
        let espnow = vm.port.espnow().ok_or(NetError::NotSupported)?;
        espnow.waiting().ok_or(NetError::Again)
    })?;
    Ok(len.map(|len| len as u32))
}

/// Takes the message that waits into a buffer, and notes who sent it: that peer's key in the table, how strongly it was heard, and
/// when.
fn take(vm: &mut Vm, at: Ref, buffer: Value) -> Res<[Value; 3]> {
    let span = vm.bytes_span(buffer).or_else(|| vm.buffer_mut(buffer));
    let Vm { heap, port, .. } = vm;
    let envelope = match (span, port.espnow()) {
        (Some(span), Some(espnow)) => espnow.take(span.bytes_mut(heap)),
        _ => None,
    };
    let Some(envelope) = envelope else { return Err(buffer_error(vm)) };
    let told = [i32::from(envelope.rssi), envelope.at_ms as i32].map(Value::small);
    let table = vm.heap.value(at, TABLE).expect_cell("a dict");
    let mut position = 0;
    while let Some((found, key, list)) = vm.table_next(table, position) {
        let is_it = vm.bytes_span(key).is_some_and(|span| vm.bytes_at(span) == envelope.from);
        if let (true, Some(list)) = (is_it, list.as_cell()) {
            for (value, index) in told.into_iter().zip(0..vm.list_len(list)) {
                vm.list_set(list, index, value);
            }
            return Ok([key, told[0], told[1]]);
        }
        position = found + 1;
    }
    let key = vm.new_bytes(&envelope.from)?;
    vm.root(key)?;
    let list = vm.new_list(&told)?;
    vm.root(list)?;
    vm.table_set(table, key, list)?;
    Ok([key, told[0], told[1]])
}

/// A message that does not fit: what waits is lost, as with MicroPython.
fn buffer_error(vm: &mut Vm) -> larch_vm::native::Raised {
    if let Some(espnow) = vm.port.espnow() {
        espnow.discard();
    }
    vm.raise(core_ids::ValueError, "ESPNow.recv(): buffer error")
}

/// `recvinto([peer, buffer], timeout_ms=None)`: the message's length, 0 if none came in time.
fn recvinto(vm: &mut Vm, args: Args) -> Res {
    let (espnow, list) = (vm.arg(args, 0), vm.arg(args, 1));
    let Some(at) = vm.heap.as_kind(list, Kind::List).filter(|at| vm.list_len(*at) >= 2) else {
        return Err(vm.raise(core_ids::TypeError, "a list of two or more items is required"));
    };
    let len = fill(vm, object(espnow), at, vm.opt_arg(args, 2))?;
    Ok(Value::small(len as i32))
}

fn fill(vm: &mut Vm, at: Ref, list: Ref, limit: Option<Value>) -> Res<u32> {
    let buffer = vm.list_get(list, 1);
    vm.buffer_mut_arg(buffer)?;
    let Some(len) = next_len(vm, at, limit)? else { return Ok(0) };
    // Others may have run while this waited.
    if vm.list_len(list) < 2 || vm.list_get(list, 1) != buffer {
        return Err(buffer_error(vm));
    }
    // A bytearray becomes as long as the message, if it ever was long enough.
    let fits = match vm.heap.as_kind(buffer, Kind::ByteArray) {
        Some(buffer) => vm.set_bytearray_len(buffer, len),
        None => vm.buffer_mut_arg(buffer)?.len() >= len,
    };
    if !fits {
        return Err(buffer_error(vm));
    }
    let [peer, rssi, time] = take(vm, at, buffer)?;
    let values = [Some(peer), None, Some(rssi), Some(time)];
    let wanted = if vm.list_len(list) >= 4 { 4 } else { 1 };
    for (value, index) in values.into_iter().zip(0..wanted) {
        if let Some(value) = value {
            vm.list_set(list, index, value);
        }
    }
    Ok(len)
}

/// `recv` and `irecv`: `[peer, message]`, or two times None. `irecv` gives the same list and bytearray every time.
fn received(vm: &mut Vm, espnow: Value, limit: Option<Value>, is_new: bool) -> Res {
    let at = object(espnow);
    if !is_new {
        let list = place(vm, at)?;
        return match fill(vm, at, list, limit)? {
            0 => nothing(vm),
            _ => Ok(list.into()),
        };
    }
    let Some(len) = next_len(vm, at, limit)? else { return nothing(vm) };
    let message = vm.alloc_text(Kind::Bytes, len)?;
    vm.root(message.into())?;
    let [peer, ..] = take(vm, at, message.into())?;
    vm.finish_text(message);
    vm.new_list(&[peer, message.into()])
}

fn nothing(vm: &mut Vm) -> Res {
    vm.new_tuple(&[Value::NONE; 2])
}

/// Where `irecv` puts a message.
fn place(vm: &mut Vm, at: Ref) -> Res<Ref> {
    if let Some(list) = vm.heap.value(at, PLACE).as_cell() {
        return Ok(list);
    }
    let buffer = vm.new_bytearray(MAX_DATA_LEN)?;
    vm.root(buffer)?;
    let list = vm.new_list(&[Value::NONE, buffer])?;
    vm.heap.set_value(at, PLACE, list);
    Ok(list.expect_cell("a list"))
}

// ---- sending ----

/// `send(mac, message, sync=True)`, `send(message)`: whether all answered, if somebody waits for that.
fn send(vm: &mut Vm, args: Args) -> Res {
    need_on(vm)?;
    let (peer, message) = match vm.opt_arg(args, 2) {
        Some(message) => (Some(vm.arg(args, 1)).filter(|peer| !peer.is_none()), message),
        None => (None, vm.arg(args, 1)),
    };
    let to = match peer {
        Some(peer) => Some(mac_arg(vm, peer)?),
        None => None,
    };
    vm.buffer_arg(message)?;
    let waits = match vm.opt_arg(args, 3).filter(|sync| !sync.is_none()) {
        Some(sync) => vm.truth(sync)?,
        None => true,
    };
    if waits {
        await_answers(vm)?;
    }
    let failed = espnow(vm)?.traffic().failed;
    let sent = until(vm, Some(SEND_MS), |vm| {
        // The buffer may have changed while others ran.
        let span = vm.buffer(message).ok_or(NetError::Invalid)?;
        let Vm { heap, port, .. } = vm;
        match port.espnow().ok_or(NetError::NotSupported)?.send(to, span.bytes(heap)) {
            Err(EspError::FULL) => Err(NetError::Again),
            done => Ok(done),
        }
    })?;
    sent.unwrap_or(Err(EspError::FULL)).map_err(|error| raise(vm, error))?;
    if !waits {
        return Ok(Value::TRUE);
    }
    await_answers(vm)?;
    Ok(Value::bool(espnow(vm)?.traffic().failed == failed))
}

fn is_answered(traffic: Traffic) -> bool {
    traffic.answered >= traffic.sent
}

fn await_answers(vm: &mut Vm) -> Res<()> {
    wait(vm, Some(ANSWER_MS), |vm| {
        let espnow = vm.port.espnow().ok_or(NetError::NotSupported)?;
        is_answered(espnow.traffic()).then_some(()).ok_or(NetError::Again)
    })
}

/// `ioctl(request, argument)`: whether there is something to be received, and whether all that was sent is over.
fn ioctl(vm: &mut Vm, _espnow: Value, request: Value, asked: Value) -> Res {
    if vm.int_arg(request)? != socket::POLL {
        return Err(super::raise(vm, NetError::Invalid));
    }
    let asked = vm.int_arg(asked)?;
    let espnow = espnow(vm)?;
    let events =
        [(espnow.waiting().is_some(), socket::READABLE), (is_answered(espnow.traffic()), socket::WRITABLE)];
    let is_on = espnow.is_on();
    let ready = events.into_iter().filter(|(is, _)| is_on && *is).fold(0, |bits, (_, bit)| bits | bit);
    Ok(Value::small(ready & asked))
}
