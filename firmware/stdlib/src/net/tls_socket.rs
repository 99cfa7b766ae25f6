//! `tls.SSLSocket`: a session of the engine over a socket.
//!
//! It is a `RawObject`: its session ([`crate::held`]), then its type, the socket, and which direction the session waits for (a small int of
//! `ioctl`'s bits). Bytes go between socket and session here; neither knows the other.

use larch_bytecode::qstr::Qstr;
use larch_hal::{NetError, SessionId, TlsError, TlsStep};
use larch_heap::{Header, Kind, Value};
use larch_vm::native::{Args, Entry, Native, Rom, TypeDef};
use larch_vm::text::TEXT_START;
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use super::socket::{self, CLOSE, NOT_OPEN, POLL, READABLE, WRITABLE};
use super::tls::{engine, raise};
use super::{fill, wait, wait_or_none};
use crate::{held, ids};

/// Bytes that are moved at a time, on the native stack.
const PIECE: usize = 512;

/// What a session is asked for.
type Step<'s, T> = &'s mut dyn FnMut(&mut Vm, SessionId) -> Result<TlsStep<T>, TlsError>;

/// `tls.SSLSocket`
pub static SSL_SOCKET: TypeDef = TypeDef { entries: METHODS, ..TypeDef::new(Qstr::SSLSocket) };

const METHODS: &[Entry] = &[
    (Qstr::read, Rom::Fn(Native::Var(1, 2, read))),
    (Qstr::readinto, Rom::Fn(Native::Var(2, 3, readinto))),
    (Qstr::readline, Rom::Fn(Native::Var(1, 2, readline))),
    (Qstr::write, Rom::Fn(Native::Var(2, 4, write))),
    (Qstr::setblocking, Rom::Fn(Native::F2(setblocking))),
    (Qstr::settimeout, Rom::Fn(Native::F2(settimeout))),
    (Qstr::ioctl, Rom::Fn(Native::F3(ioctl))),
    (Qstr::getpeercert, Rom::Fn(Native::F2(getpeercert))),
    (Qstr::cipher, Rom::Fn(Native::F1(cipher))),
    (Qstr::close, Rom::Fn(Native::F1(close))),
    (Qstr::__enter__, Rom::Fn(Native::F1(|_vm, socket| Ok(socket)))),
    (Qstr::__exit__, Rom::Fn(Native::Var(4, 4, |vm, args| close(vm, vm.arg(args, 0))))),
    (Qstr::__del__, Rom::Fn(Native::F1(close))),
];

/// Makes a session over a socket; `open` asks the engine for it.
///
/// # Errors
/// OSError, ValueError, TypeError.
pub(super) fn wrap(
    vm: &mut Vm,
    socket: Value,
    at_once: bool,
    open: impl Fn(&mut Vm) -> Result<SessionId, TlsError>,
) -> Res {
    if vm.type_of(socket) != ids::SOCKET.value() {
        return Err(vm.raise(core_ids::OSError, "stream operation not supported"));
    }
    give_memory(vm)?;
    let at = vm.alloc(Header::new(Kind::RawObject, 4))?;
    vm.heap.set_word(at, 0, 0);
    vm.heap.set_value(at, 1, ids::SSL_SOCKET.value());
    vm.heap.set_value(at, 2, socket);
    vm.heap.set_value(at, 3, Value::small(0));
    let ssl: Value = at.into();
    vm.root(ssl)?;
    let opened = vm.deeper(|vm| {
        let mut opened = open(vm);
        if matches!(opened, Err(TlsError::TooMany | TlsError::NoMemory)) {
            close_forgotten(vm)?;
            opened = open(vm);
        }
        opened.map_err(|error| raise(vm, error))
    })?;
    set_session(vm, ssl, Some(opened));
    if at_once {
        let shaken = turn(vm, ssl, &mut |vm, session| match vm.port.tls() {
            Some(engine) => engine.handshake(session),
            None => Err(TlsError::NoMemory),
        });
        if let Err(raised) = shaken {
            // The socket stays the caller's.
            end_session(vm, ssl);
            return Err(raised);
        }
    }
    Ok(ssl)
}

/// The engine's memory is taken from the heap's end, before its first session.
fn give_memory(vm: &mut Vm) -> Res<()> {
    let wanted = engine(vm)?.memory_wanted();
    if wanted == 0 {
        return Ok(());
    }
    match vm.give_up_memory(wanted as u32) {
        Some(memory) => {
            engine(vm)?.give_memory(memory);
            Ok(())
        }
        None => Err(raise(vm, TlsError::NoMemory)),
    }
}

/// Ends the sessions whose objects nothing refers to any more.
fn close_forgotten(vm: &mut Vm) -> Res<()> {
    held::close_forgotten(
        vm,
        &[ids::SSL_SOCKET],
        |number| SessionId(number as u8),
        |vm, held| {
            engine(vm)?.close_unheld(held);
            Ok(())
        },
    )
}

fn session(vm: &Vm, ssl: Value) -> Result<SessionId, NetError> {
    held::number(vm, ssl).map(|number| SessionId(number as u8)).ok_or(NetError::Closed)
}

fn set_session(vm: &mut Vm, ssl: Value, session: Option<SessionId>) {
    held::set(vm, ssl, session.map(|SessionId(number)| number.into()));
}

fn socket_of(vm: &Vm, ssl: Value) -> Value {
    ssl.as_cell().map_or(Value::NONE, |at| vm.heap.value(at, 2))
}

/// The direction that the session waits for.
fn direction(vm: &Vm, ssl: Value) -> i32 {
    ssl.as_cell().and_then(|at| vm.heap.value(at, 3).as_small()).unwrap_or(0)
}

fn set_direction(vm: &mut Vm, ssl: Value, direction: i32) {
    if let Some(at) = ssl.as_cell() {
        vm.heap.set_value(at, 3, Value::small(direction));
    }
}

// ---- bytes between socket and session ----

/// Sends what the session has for the other side: whether that was all.
fn flush(vm: &mut Vm, ssl: Value, session: SessionId) -> Result<bool, NetError> {
    let to = socket::id(vm, socket_of(vm, ssl))?;
    let mut piece = [0; PIECE];
    loop {
        let count = vm.port.tls().map_or(0, |engine| engine.outgoing(session, &mut piece));
        if count == 0 {
            return Ok(true);
        }
        let sockets = vm.port.sockets().ok_or(NetError::NotSupported)?;
        match sockets.send(to, &piece[..count], None) {
            Ok(sent) => {
                if let Some(engine) = vm.port.tls() {
                    engine.sent(session, sent);
                }
            }
            Err(NetError::Again) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

/// Gives the session what has arrived.
fn take_in(vm: &mut Vm, ssl: Value, session: SessionId) -> Result<(), NetError> {
    let from = socket::id(vm, socket_of(vm, ssl))?;
    let mut piece = [0; PIECE];
    let room = vm.port.tls().map_or(0, |engine| engine.room(session)).min(PIECE);
    let sockets = vm.port.sockets().ok_or(NetError::NotSupported)?;
    let (count, _) = sockets.receive(from, &mut piece[..room], false)?;
    if let Some(engine) = vm.port.tls() {
        engine.feed(session, &piece[..count]);
    }
    Ok(())
}

/// A step of the session, as far as it goes without waiting.
fn attempt<T>(vm: &mut Vm, ssl: Value, step: Step<'_, T>) -> Result<Result<T, TlsError>, NetError> {
    let session = session(vm, ssl)?;
    loop {
        let stepped = step(vm, session);
        // What was meant for the other side goes out, alerts too; an end is met by who reads.
        let is_sent = flush(vm, ssl, session);
        match stepped {
            Err(error) => return Ok(Err(error)),
            Ok(TlsStep::Done(value)) => {
                set_direction(vm, ssl, 0);
                return Ok(Ok(value));
            }
            Ok(TlsStep::Full) => {
                if !is_sent? {
                    set_direction(vm, ssl, WRITABLE);
                    return Err(NetError::Again);
                }
            }
            Ok(TlsStep::Wants) => {
                set_direction(vm, ssl, READABLE);
                take_in(vm, ssl, session)?;
            }
        }
    }
}

/// A step of the session, with waiting as the socket waits; None if it does not, and nothing goes.
fn turn<T>(vm: &mut Vm, ssl: Value, step: Step<'_, T>) -> Res<Option<T>> {
    let limit = socket::limit(vm, socket_of(vm, ssl));
    let answer = vm.deeper(|vm| wait_or_none(vm, limit, |vm| attempt(vm, ssl, step)))?;
    match answer {
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(error)) => Err(raise(vm, error)),
        None => Ok(None),
    }
}

// ---- reading ----

/// Reads into a part of a buffer: how much; None if the socket does not wait and nothing is there.
fn receive(vm: &mut Vm, ssl: Value, buffer: Value, [from, len]: [u32; 2]) -> Res<Option<u32>> {
    let count = turn(vm, ssl, &mut |vm, session| {
        // The buffer may have changed while others ran.
        let Some(span) = vm.bytes_span(buffer).or_else(|| vm.buffer_mut(buffer)) else {
            return Ok(TlsStep::Done(0));
        };
        let from = from.min(span.len());
        let span = span.part(from, len.min(span.len() - from));
        if span.is_empty() {
            return Ok(TlsStep::Done(0));
        }
        let Vm { heap, port, .. } = vm;
        port.tls().ok_or(TlsError::NoMemory)?.read(session, span.bytes_mut(heap))
    })?;
    Ok(count.map(|count| count as u32))
}

/// `read(n)`: exactly so many bytes unless the session ends; without `n` everything up to the end.
fn read(vm: &mut Vm, args: Args) -> Res {
    let ssl = vm.arg(args, 0);
    match vm.opt_arg(args, 1).filter(|count| !count.is_none()) {
        Some(count) => {
            let count = vm.int_arg(count)?;
            if count < 0 { read_all(vm, ssl) } else { read_exactly(vm, ssl, count as u32) }
        }
        None => read_all(vm, ssl),
    }
}

fn read_exactly(vm: &mut Vm, ssl: Value, wanted: u32) -> Res {
    let bytes = vm.alloc_text(Kind::Bytes, wanted)?;
    vm.root(bytes.into())?;
    let count = fill(vm, wanted, |vm, range| receive(vm, ssl, bytes.into(), range))?;
    let Some(count) = count else { return Ok(Value::NONE) };
    vm.heap.resize(bytes, TEXT_START + count);
    Ok(bytes.into())
}

fn read_all(vm: &mut Vm, ssl: Value) -> Res {
    collect(vm, ssl, u32::MAX, PIECE as u32)
}

/// No byte behind the line's end is taken, so it is read byte by byte; the session has them decrypted already.
fn readline(vm: &mut Vm, args: Args) -> Res {
    let ssl = vm.arg(args, 0);
    let most = match vm.opt_arg(args, 1).filter(|count| !count.is_none()) {
        Some(count) => u32::try_from(vm.int_arg(count)?).unwrap_or(u32::MAX),
        None => u32::MAX,
    };
    collect(vm, ssl, most, 1)
}

/// Bytes up to the end, in pieces; pieces of one byte end with the line.
fn collect(vm: &mut Vm, ssl: Value, most: u32, piece_len: u32) -> Res {
    let sink = vm.begin_text(Kind::Bytes, 64)?;
    let piece = vm.alloc_text(Kind::Bytes, piece_len)?;
    vm.root(piece.into())?;
    let mut done = 0;
    while done < most {
        let count = match receive(vm, ssl, piece.into(), [0, piece_len])? {
            Some(0) => break,
            Some(count) => count,
            None if done == 0 => return Ok(Value::NONE),
            None => break,
        };
        let span = vm.bytes_span(piece.into()).expect("bytes").part(0, count);
        vm.emit_span(sink, span)?;
        done += count;
        if piece_len == 1 && vm.bytes_at(span) == b"\n" {
            break;
        }
    }
    vm.end_text(sink)
}

fn readinto(vm: &mut Vm, args: Args) -> Res {
    let (ssl, buffer) = (vm.arg(args, 0), vm.arg(args, 1));
    let mut len = vm.buffer_mut_arg(buffer)?.len();
    if let Some(most) = vm.opt_arg(args, 2) {
        len = len.min(u32::try_from(vm.int_arg(most)?).unwrap_or(0));
    }
    let count = fill(vm, len, |vm, range| receive(vm, ssl, buffer, range))?;
    Ok(count.map_or(Value::NONE, |count| Value::small(count as i32)))
}

// ---- writing and the rest ----

/// `write(data)`, `write(data, length)`, `write(data, offset, length)`
fn write(vm: &mut Vm, args: Args) -> Res {
    let (ssl, data) = (vm.arg(args, 0), vm.arg(args, 1));
    let [from, to] = socket::range(vm, args)?;
    let limit = socket::limit(vm, socket_of(vm, ssl));
    let mut at = from;
    while at < to {
        let count = turn(vm, ssl, &mut |vm, session| {
            let Some(span) = vm.buffer(data) else { return Ok(TlsStep::Done(0)) };
            let (at, to) = (at.min(span.len()), to.min(span.len()));
            let Vm { heap, port, .. } = vm;
            port.tls().ok_or(TlsError::NoMemory)?.write(session, span.part(at, to - at).bytes(heap))
        })?;
        match count {
            Some(0) => break,
            Some(count) => at += count as u32,
            None if at == from => return Ok(Value::NONE),
            None => break,
        }
    }
    if limit != Some(0) {
        // Nothing stays behind when the program turns to something else.
        wait(vm, limit, |vm| {
            let session = session(vm, ssl)?;
            if flush(vm, ssl, session)? { Ok(()) } else { Err(NetError::Again) }
        })?;
    }
    Ok(Value::small((at - from) as i32))
}

fn setblocking(vm: &mut Vm, ssl: Value, blocking: Value) -> Res {
    let socket = socket_of(vm, ssl);
    socket::setblocking(vm, socket, blocking)
}

fn settimeout(vm: &mut Vm, ssl: Value, seconds: Value) -> Res {
    let socket = socket_of(vm, ssl);
    socket::settimeout(vm, socket, seconds)
}

fn ioctl(vm: &mut Vm, ssl: Value, request: Value, asked: Value) -> Res {
    match vm.int_arg(request)? {
        POLL => {
            let asked = vm.int_arg(asked)?;
            poll(vm, ssl, request, asked)
        }
        CLOSE => {
            close(vm, ssl)?;
            Ok(Value::small(0))
        }
        _ => Err(super::raise(vm, NetError::Invalid)),
    }
}

fn poll(vm: &mut Vm, ssl: Value, request: Value, asked: i32) -> Res {
    let Ok(session) = session(vm, ssl) else { return Ok(Value::small(NOT_OPEN)) };
    // What waits goes out when it can; how the connection is, the socket says.
    let _ = flush(vm, ssl, session);
    let pending = asked & READABLE != 0 && engine(vm)?.has_pending(session);
    // A session in its handshake waits for one direction, whatever its user wants to do then.
    let direction = direction(vm, ssl);
    let both = READABLE | WRITABLE;
    let asked_of_socket = if direction != 0 && asked & both != 0 { asked & !both | direction } else { asked };
    let socket = socket_of(vm, ssl);
    let events = socket::ioctl(vm, socket, request, Value::small(asked_of_socket))?.as_small().unwrap_or(0);
    let mut answer = events & !both | events & asked;
    if events & direction != 0 {
        answer |= asked & both;
    }
    if pending {
        answer |= READABLE;
    }
    Ok(Value::small(answer))
}

/// `getpeercert(True)`: in DER form.
fn getpeercert(vm: &mut Vm, ssl: Value, binary: Value) -> Res {
    if !vm.truth(binary)? {
        return Err(vm.raise_empty(core_ids::NotImplementedError));
    }
    let Ok(session) = session(vm, ssl) else { return Ok(Value::NONE) };
    let len = engine(vm)?.peer_certificate(session).map(<[u8]>::len);
    let Some(len) = len else { return Ok(Value::NONE) };
    let copy = vm.alloc_text(Kind::Bytes, len as u32)?;
    let span = vm.bytes_span(copy.into()).expect("bytes");
    let Vm { heap, port, .. } = vm;
    if let Some(bytes) = port.tls().and_then(|engine| engine.peer_certificate(session)) {
        span.bytes_mut(heap).copy_from_slice(bytes);
    }
    Ok(copy.into())
}

fn cipher(vm: &mut Vm, ssl: Value) -> Res {
    let Ok(session) = session(vm, ssl) else { return Ok(Value::NONE) };
    let [suite, version] = engine(vm)?.cipher(session);
    let suite = vm.new_str(suite)?;
    vm.root(suite)?;
    let version = vm.new_str(version)?;
    vm.root(version)?;
    vm.new_tuple(&[suite, version])
}

fn end_session(vm: &mut Vm, ssl: Value) {
    if let (Ok(session), Some(engine)) = (session(vm, ssl), vm.port.tls()) {
        engine.close(session);
    }
    set_session(vm, ssl, None);
}

/// Closing twice is allowed.
fn close(vm: &mut Vm, ssl: Value) -> Res {
    if let Ok(session) = session(vm, ssl) {
        if let Some(engine) = vm.port.tls() {
            engine.finish(session);
        }
        // The other side is told if that is possible at once.
        let _ = flush(vm, ssl, session);
        end_session(vm, ssl);
        let socket = socket_of(vm, ssl);
        return socket::close(vm, socket);
    }
    Ok(Value::NONE)
}
