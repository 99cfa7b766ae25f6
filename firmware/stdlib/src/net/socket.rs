//! `socket.socket`: the objects.
//!
//! A socket is a `RawObject`: its number ([`crate::held`]), then its type, its time limit (milliseconds, or None), and what it is: `STREAM` or
//! `PACKETS`.
//!
//! Source: MicroPython's `ports/esp32/modsocket.c` for what a program sees.

use larch_bytecode::qstr::Qstr;
use larch_hal::{NetError, Readiness, SocketId, Transport};
use larch_heap::{Header, Kind, Value};
use larch_vm::native::{Args, Entry, Native, Rom, TypeDef};
use larch_vm::print::{PrintKind, Sink};
use larch_vm::text::TEXT_START;
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use super::address::{endpoint_arg, endpoint_tuple};
use super::socket_module as names;
use super::{TimeLimit, raise, sockets, wait, wait_or_none, watch};
use crate::{held, ids};

/// Connections that wait, if `listen` is not told.
const BACKLOG: i32 = 2;
/// Bytes that `read` and `readline` ask for at a time.
const PIECE: u32 = 512;
const STREAM: Value = Value::small(names::SOCK_STREAM);
/// Requests of `ioctl`.
pub(super) const POLL: i32 = 3;
/// As [`POLL`].
pub(super) const CLOSE: i32 = 4;
/// Events of `ioctl`.
pub(super) const READABLE: i32 = 1;
/// As [`READABLE`].
pub(super) const WRITABLE: i32 = 4;
const FAILED: i32 = 8;
const HUNG_UP: i32 = 16;
/// As [`READABLE`].
pub(super) const NOT_OPEN: i32 = 32;

/// `socket.socket`
pub static SOCKET: TypeDef =
    TypeDef { make: Some(make), print: Some(print), entries: METHODS, ..TypeDef::new(Qstr::socket) };

const METHODS: &[Entry] = &[
    (Qstr::bind, Rom::Fn(Native::F2(bind))),
    (Qstr::listen, Rom::Fn(Native::Var(1, 2, listen))),
    (Qstr::accept, Rom::Fn(Native::F1(accept))),
    (Qstr::connect, Rom::Fn(Native::F2(connect))),
    (Qstr::send, Rom::Fn(Native::F2(send))),
    (Qstr::sendall, Rom::Fn(Native::F2(sendall))),
    (Qstr::sendto, Rom::Fn(Native::F3(sendto))),
    (Qstr::recv, Rom::Fn(Native::Var(2, 3, recv))),
    (Qstr::recvfrom, Rom::Fn(Native::Var(2, 3, recvfrom))),
    (Qstr::setsockopt, Rom::Fn(Native::Var(4, 4, setsockopt))),
    (Qstr::settimeout, Rom::Fn(Native::F2(settimeout))),
    (Qstr::setblocking, Rom::Fn(Native::F2(setblocking))),
    (Qstr::makefile, Rom::Fn(Native::Var(1, 3, |vm, args| Ok(vm.arg(args, 0))))),
    (Qstr::fileno, Rom::Fn(Native::F1(fileno))),
    (Qstr::read, Rom::Fn(Native::Var(1, 2, read))),
    (Qstr::readinto, Rom::Fn(Native::Var(2, 3, readinto))),
    (Qstr::readline, Rom::Fn(Native::Var(1, 2, readline))),
    (Qstr::write, Rom::Fn(Native::Var(2, 4, write))),
    (Qstr::ioctl, Rom::Fn(Native::F3(ioctl))),
    (Qstr::close, Rom::Fn(Native::F1(close))),
    (Qstr::__enter__, Rom::Fn(Native::F1(|_vm, socket| Ok(socket)))),
    (Qstr::__exit__, Rom::Fn(Native::Var(4, 4, |vm, args| close(vm, vm.arg(args, 0))))),
    (Qstr::__del__, Rom::Fn(Native::F1(close))),
];

// ---- what a socket is ----

fn new(vm: &mut Vm, kind: Value) -> Res {
    let at = vm.alloc(Header::new(Kind::RawObject, 4))?;
    vm.heap.set_word(at, 0, 0);
    vm.heap.set_value(at, 1, ids::SOCKET.value());
    vm.heap.set_value(at, 2, Value::NONE);
    vm.heap.set_value(at, 3, kind);
    Ok(at.into())
}

/// A socket's number.
pub(super) fn id(vm: &Vm, socket: Value) -> Result<SocketId, NetError> {
    held::number(vm, socket).map(|number| SocketId(number as u8)).ok_or(NetError::Closed)
}

fn set_id(vm: &mut Vm, socket: Value, id: Option<SocketId>) {
    held::set(vm, socket, id.map(|SocketId(number)| number.into()));
}

/// How long a socket waits.
pub(super) fn limit(vm: &Vm, socket: Value) -> TimeLimit {
    let value = socket.as_cell().map_or(Value::NONE, |at| vm.heap.value(at, 2));
    value.as_small().map(|ms| ms as u32)
}

fn is_stream(vm: &Vm, socket: Value) -> bool {
    socket.as_cell().is_some_and(|at| vm.heap.value(at, 3) == STREAM)
}

/// What the network answered at once.
fn now<T>(
    vm: &mut Vm,
    socket: Value,
    ask: impl FnOnce(&mut dyn larch_hal::Sockets, SocketId) -> Result<T, NetError>,
) -> Result<T, NetError> {
    let id = id(vm, socket)?;
    vm.port.sockets().ok_or(NetError::NotSupported).and_then(|sockets| ask(sockets, id))
}

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    if args.keywords > 0 || args.positional > 3 {
        return Err(vm.raise_count(Qstr::socket, 0, 3, args));
    }
    let mut given = [names::AF_INET, names::SOCK_STREAM, 0];
    for (value, index) in given.iter_mut().zip(0..) {
        if let Some(arg) = vm.opt_arg(args, index) {
            *value = vm.int_arg(arg)?;
        }
    }
    let transport = match given {
        [names::AF_INET, names::SOCK_STREAM, _] => Transport::Tcp,
        [names::AF_INET, names::SOCK_DGRAM, _] => Transport::Udp,
        _ => return Err(raise(vm, NetError::NotSupported)),
    };
    // The object comes first: when memory is short, no socket is left open.
    let socket = new(vm, Value::small(given[1]))?;
    vm.root(socket)?;
    let mut answer = sockets(vm)?.open(transport);
    if answer == Err(NetError::TooMany) {
        close_forgotten(vm)?;
        answer = sockets(vm)?.open(transport);
    }
    match answer {
        Ok(id) => {
            set_id(vm, socket, Some(id));
            Ok(socket)
        }
        Err(error) => Err(raise(vm, error)),
    }
}

/// Closes the sockets whose objects nothing refers to any more.
fn close_forgotten(vm: &mut Vm) -> Res<()> {
    held::close_forgotten(
        vm,
        &[ids::SOCKET],
        |number| SocketId(number as u8),
        |vm, held| {
            sockets(vm)?.close_unheld(held);
            Ok(())
        },
    )
}

fn print(vm: &mut Vm, sink: Sink, _socket: Value, _kind: PrintKind) -> Res<()> {
    vm.emit_str(sink, "<socket>")
}

/// `close()`
pub(super) fn close(vm: &mut Vm, socket: Value) -> Res {
    // Closing twice is allowed.
    let _ = now(vm, socket, |sockets, id| {
        sockets.close(id);
        Ok(())
    });
    set_id(vm, socket, None);
    watch::forget(vm, socket);
    Ok(Value::NONE)
}

fn fileno(vm: &mut Vm, socket: Value) -> Res {
    Ok(Value::small(id(vm, socket).map_or(-1, |SocketId(number)| i32::from(number))))
}

// ---- connections ----

fn answered(vm: &mut Vm, answer: Result<(), NetError>) -> Res {
    match answer {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(raise(vm, error)),
    }
}

fn bind(vm: &mut Vm, socket: Value, address: Value) -> Res {
    let local = endpoint_arg(vm, address)?;
    let answer = now(vm, socket, |sockets, id| sockets.bind(id, local));
    answered(vm, answer)
}

fn listen(vm: &mut Vm, args: Args) -> Res {
    let backlog = match vm.opt_arg(args, 1) {
        Some(backlog) => vm.int_arg(backlog)?,
        None => BACKLOG,
    };
    let answer =
        now(vm, vm.arg(args, 0), |sockets, id| sockets.listen(id, usize::try_from(backlog).unwrap_or(0)));
    answered(vm, answer)
}

fn accept(vm: &mut Vm, socket: Value) -> Res {
    let connection = new(vm, STREAM)?;
    vm.root(connection)?;
    let limit = limit(vm, socket);
    let (id, remote) = wait(vm, limit, |vm| now(vm, socket, |sockets, id| sockets.accept(id)))?;
    set_id(vm, connection, Some(id));
    let remote = endpoint_tuple(vm, remote)?;
    vm.root(remote)?;
    vm.new_tuple(&[connection, remote])
}

fn connect(vm: &mut Vm, socket: Value, address: Value) -> Res {
    let remote = endpoint_arg(vm, address)?;
    let mut begun = now(vm, socket, |sockets, id| sockets.connect(id, remote));
    if matches!(begun, Err(NetError::NoMemory | NetError::TooMany)) {
        close_forgotten(vm)?;
        begun = now(vm, socket, |sockets, id| sockets.connect(id, remote));
    }
    let limit = limit(vm, socket);
    match begun {
        Ok(()) if limit == Some(0) && is_stream(vm, socket) => {
            match now(vm, socket, |sockets, id| sockets.connected(id)) {
                Err(NetError::Again) => Err(super::raise_named(vm, Qstr::EINPROGRESS)),
                answer => answered(vm, answer),
            }
        }
        Ok(()) => {
            wait(vm, limit, |vm| now(vm, socket, |sockets, id| sockets.connected(id)))?;
            Ok(Value::NONE)
        }
        Err(error) => Err(raise(vm, error)),
    }
}

// ---- sending ----

/// Sends what it can of a part of a buffer: how much was taken.
fn send_part(vm: &mut Vm, socket: Value, data: Value, [from, to]: [u32; 2], limit: TimeLimit) -> Res<u32> {
    let sent = wait(vm, limit, |vm| send_now(vm, socket, data, [from, to]))?;
    Ok(sent as u32)
}

fn send_now(vm: &mut Vm, socket: Value, data: Value, [from, to]: [u32; 2]) -> Result<usize, NetError> {
    // The buffer may have changed while others ran.
    let span = vm.buffer(data).ok_or(NetError::Invalid)?;
    let (from, to) = (from.min(span.len()), to.min(span.len()));
    let id = id(vm, socket)?;
    let Vm { heap, port, .. } = vm;
    let sockets = port.sockets().ok_or(NetError::NotSupported)?;
    sockets.send(id, span.part(from, to - from).bytes(heap), None)
}

/// As MicroPython on this chip: everything, unless the socket does not wait.
fn send_range(vm: &mut Vm, socket: Value, data: Value, [from, to]: [u32; 2]) -> Res {
    let limit = limit(vm, socket);
    let mut at = from + send_part(vm, socket, data, [from, to], limit)?;
    while is_stream(vm, socket) && limit != Some(0) && at < to {
        at += send_part(vm, socket, data, [at, to], limit)?;
    }
    Ok(Value::small((at - from) as i32))
}

fn send(vm: &mut Vm, socket: Value, data: Value) -> Res {
    let len = vm.buffer_arg(data)?.len();
    send_range(vm, socket, data, [0, len])
}

fn sendall(vm: &mut Vm, socket: Value, data: Value) -> Res {
    let len = vm.buffer_arg(data)?.len();
    let limit = limit(vm, socket);
    let mut sent = 0;
    while sent < len {
        sent += send_part(vm, socket, data, [sent, len], limit)?;
    }
    Ok(Value::NONE)
}

fn sendto(vm: &mut Vm, socket: Value, data: Value, address: Value) -> Res {
    let remote = endpoint_arg(vm, address)?;
    vm.buffer_arg(data)?;
    let limit = limit(vm, socket);
    let sent = wait(vm, limit, |vm| {
        let Some(span) = vm.buffer(data) else { return Err(NetError::Invalid) };
        let id = id(vm, socket)?;
        let Vm { heap, port, .. } = vm;
        port.sockets().ok_or(NetError::NotSupported)?.send(id, span.bytes(heap), Some(remote))
    })?;
    Ok(Value::small(sent as i32))
}

/// Which bytes `write(data)`, `write(data, length)` and `write(data, offset, length)` mean.
pub(super) fn range(vm: &mut Vm, args: Args) -> Res<[u32; 2]> {
    let len = vm.buffer_arg(vm.arg(args, 1))?.len();
    let mut numbers = [0, len];
    for (number, index) in numbers.iter_mut().zip(2..) {
        if let Some(value) = vm.opt_arg(args, index) {
            *number = u32::try_from(vm.int_arg(value)?).unwrap_or(u32::MAX).min(len);
        }
    }
    Ok(match (numbers, args.positional) {
        ([length, _], 3) => [0, length],
        ([offset, length], _) => [offset, offset.saturating_add(length).min(len)],
    })
}

/// `write`: None if the socket does not wait and nothing goes.
fn write(vm: &mut Vm, args: Args) -> Res {
    let (socket, data) = (vm.arg(args, 0), vm.arg(args, 1));
    let range = range(vm, args)?;
    match limit(vm, socket) {
        Some(0) => match send_now(vm, socket, data, range) {
            Ok(count) => Ok(Value::small(count as i32)),
            Err(NetError::Again) => Ok(Value::NONE),
            Err(error) => Err(raise(vm, error)),
        },
        _ => send_range(vm, socket, data, range),
    }
}

// ---- receiving ----

/// Receives into the part of a buffer from byte `from` on, up to `len` bytes; does not wait.
fn receive_now(
    vm: &mut Vm,
    socket: Value,
    buffer: Value,
    [from, len]: [u32; 2],
    flags: i32,
) -> Result<(usize, larch_hal::Endpoint), NetError> {
    // The buffer may have changed while others ran.
    let span = vm.bytes_span(buffer).or_else(|| vm.buffer_mut(buffer)).ok_or(NetError::Invalid)?;
    let from = from.min(span.len());
    let span = span.part(from, len.min(span.len() - from));
    let id = id(vm, socket)?;
    let Vm { heap, port, .. } = vm;
    let sockets = port.sockets().ok_or(NetError::NotSupported)?;
    sockets.receive(id, span.bytes_mut(heap), flags & names::MSG_PEEK != 0)
}

/// `recv` and `recvfrom`: bytes, and from whom.
fn receive(vm: &mut Vm, args: Args) -> Res<(Value, larch_hal::Endpoint)> {
    let len = vm.int_arg(vm.arg(args, 1))?.max(0) as u32;
    let flags = match vm.opt_arg(args, 2) {
        Some(flags) => vm.int_arg(flags)?,
        None => 0,
    };
    let bytes = vm.alloc_text(Kind::Bytes, len)?;
    vm.root(bytes.into())?;
    let socket = vm.arg(args, 0);
    let limit = if flags & names::MSG_DONTWAIT != 0 { Some(0) } else { limit(vm, socket) };
    let (count, remote) = wait(vm, limit, |vm| receive_now(vm, socket, bytes.into(), [0, len], flags))?;
    vm.heap.resize(bytes, TEXT_START + count as u32);
    Ok((bytes.into(), remote))
}

fn recv(vm: &mut Vm, args: Args) -> Res {
    Ok(receive(vm, args)?.0)
}

fn recvfrom(vm: &mut Vm, args: Args) -> Res {
    let (bytes, remote) = receive(vm, args)?;
    let remote = endpoint_tuple(vm, remote)?;
    vm.root(remote)?;
    vm.new_tuple(&[bytes, remote])
}

/// `readinto(buffer, length)`: what is there; None if the socket does not wait and nothing is.
fn readinto(vm: &mut Vm, args: Args) -> Res {
    let (socket, buffer) = (vm.arg(args, 0), vm.arg(args, 1));
    let span = vm.buffer_mut_arg(buffer)?;
    let len = match vm.opt_arg(args, 2) {
        Some(len) => (vm.int_arg(len)?.max(0) as u32).min(span.len()),
        None => span.len(),
    };
    let count = fill(vm, socket, buffer, len)?;
    Ok(count.map_or(Value::NONE, |count| Value::small(count as i32)))
}

/// Receives `wanted` bytes of a stream, or a packet; less if the stream ends or no more is there. None if nothing is there and the
/// socket does not wait.
fn fill(vm: &mut Vm, socket: Value, buffer: Value, wanted: u32) -> Res<Option<u32>> {
    let piece = |vm: &mut Vm, range| piece(vm, socket, buffer, range, 0);
    match is_stream(vm, socket) {
        true => super::fill(vm, wanted, piece),
        // A packet is taken whole, and none for nothing.
        false if wanted > 0 => piece(vm, [0, wanted]),
        false => Ok(Some(0)),
    }
}

/// One piece of what arrives: None if nothing is there and the socket does not wait.
fn piece(vm: &mut Vm, socket: Value, buffer: Value, range: [u32; 2], flags: i32) -> Res<Option<u32>> {
    let limit = limit(vm, socket);
    let received = wait_or_none(vm, limit, |vm| receive_now(vm, socket, buffer, range, flags))?;
    Ok(received.map(|(count, _)| count as u32))
}

/// `read(n)`: exactly so many bytes unless the stream ends; without `n` everything up to the end. None if the socket does not
/// wait and nothing is there.
fn read(vm: &mut Vm, args: Args) -> Res {
    let socket = vm.arg(args, 0);
    let wanted = match vm.opt_arg(args, 1).filter(|n| !n.is_none()) {
        Some(count) => vm.int_arg(count)?,
        None => -1,
    };
    if wanted >= 0 {
        let bytes = vm.alloc_text(Kind::Bytes, wanted as u32)?;
        vm.root(bytes.into())?;
        let Some(count) = fill(vm, socket, bytes.into(), wanted as u32)? else { return Ok(Value::NONE) };
        vm.heap.resize(bytes, TEXT_START + count);
        return Ok(bytes.into());
    }
    collect(vm, socket, u32::MAX, false)
}

fn readline(vm: &mut Vm, args: Args) -> Res {
    let socket = vm.arg(args, 0);
    let most = match vm.opt_arg(args, 1).filter(|n| !n.is_none()) {
        Some(count) => u32::try_from(vm.int_arg(count)?).unwrap_or(u32::MAX),
        None => u32::MAX,
    };
    collect(vm, socket, most, true)
}

/// Bytes up to the end of the stream, or of the line, or as many as `most`. Of a line no byte too many is taken: it is looked
/// for before it is taken.
fn collect(vm: &mut Vm, socket: Value, most: u32, is_line: bool) -> Res {
    let sink = vm.begin_text(Kind::Bytes, 64)?;
    let piece_at = vm.alloc_text(Kind::Bytes, PIECE)?;
    vm.root(piece_at.into())?;
    let buffer: Value = piece_at.into();
    let mut done = 0;
    while done < most {
        let len = PIECE.min(most - done);
        let seen = match piece(vm, socket, buffer, [0, len], names::MSG_PEEK)? {
            None if done == 0 => return Ok(Value::NONE),
            None => break,
            Some(count) => count as usize,
        };
        if seen == 0 {
            break;
        }
        let span = vm.bytes_span(buffer).expect("bytes");
        let end = match is_line {
            true => vm.bytes_at(span)[..seen].iter().position(|byte| *byte == b'\n').map(|at| at + 1),
            false => None,
        };
        let used = end.unwrap_or(seen) as u32;
        if let Err(error) = receive_now(vm, socket, buffer, [0, used], 0) {
            return Err(raise(vm, error));
        }
        vm.emit_span(sink, span.part(0, used))?;
        done += used;
        if end.is_some() || !is_stream(vm, socket) {
            break;
        }
    }
    vm.end_text(sink)
}

// ---- options ----

fn setsockopt(vm: &mut Vm, args: Args) -> Res {
    let (level, option) = (vm.int_arg(vm.arg(args, 1))?, vm.int_arg(vm.arg(args, 2))?);
    let value = vm.arg(args, 3);
    match (level, option) {
        (0, names::IP_ADD_MEMBERSHIP) => {
            let span = vm.buffer_arg(value)?;
            let group = vm.bytes_at(span).first_chunk().copied();
            let Some(group) = group.filter(|_| span.len() == 8) else {
                return Err(vm.raise_empty(core_ids::ValueError));
            };
            let answer = sockets(vm)?.join(group);
            answered(vm, answer)
        }
        // A port is free as soon as nobody listens there; segments are never held back; nobody is kept from sending to all.
        (_, names::SO_REUSEADDR | names::SO_BROADCAST | names::TCP_NODELAY | names::SO_BINDTODEVICE) => {
            Ok(Value::NONE)
        }
        (_, names::CALLBACK) => {
            match value.is_none() {
                true => watch::forget(vm, vm.arg(args, 0)),
                false => watch::watch(vm, vm.arg(args, 0), value)?,
            }
            Ok(Value::NONE)
        }
        _ => {
            vm.warn("Warning", "lwip.setsockopt() option not implemented");
            Ok(Value::NONE)
        }
    }
}

fn set_limit(vm: &mut Vm, socket: Value, limit: Value) -> Res {
    if let Some(at) = socket.as_cell() {
        vm.heap.set_value(at, 2, limit);
    }
    Ok(Value::NONE)
}

/// `settimeout(seconds)`
pub(super) fn settimeout(vm: &mut Vm, socket: Value, seconds: Value) -> Res {
    if seconds.is_none() {
        return set_limit(vm, socket, Value::NONE);
    }
    let ms = vm.float_arg(seconds)? * 1000.0;
    set_limit(vm, socket, Value::small((ms as i32).clamp(0, 0x3fff_ffff)))
}

/// `setblocking(flag)`
pub(super) fn setblocking(vm: &mut Vm, socket: Value, blocking: Value) -> Res {
    let limit = if vm.truth(blocking)? { Value::NONE } else { Value::small(0) };
    set_limit(vm, socket, limit)
}

/// `ioctl(request, argument)`
pub(super) fn ioctl(vm: &mut Vm, socket: Value, request: Value, asked: Value) -> Res {
    match vm.int_arg(request)? {
        POLL => {
            let asked = vm.int_arg(asked)?;
            let Ok(id) = id(vm, socket) else { return Ok(Value::small(NOT_OPEN)) };
            let sockets = sockets(vm)?;
            sockets.poll();
            Ok(Value::small(events(sockets.readiness(id), asked)))
        }
        CLOSE => {
            close(vm, socket)?;
            Ok(Value::small(0))
        }
        _ => Err(raise(vm, NetError::Invalid)),
    }
}

fn events(readiness: Readiness, asked: i32) -> i32 {
    let Readiness { readable, writable, hung_up, failed } = readiness;
    let asked_for =
        [(readable, READABLE), (writable, WRITABLE)].map(|(is, bit)| if is { bit & asked } else { 0 });
    let always = [(hung_up, HUNG_UP), (failed, FAILED)].map(|(is, bit)| if is { bit } else { 0 });
    asked_for.into_iter().chain(always).fold(0, |bits, bit| bits | bit)
}
