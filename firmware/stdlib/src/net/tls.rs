//! `tls`: the module, and contexts: what a session is to be made with.
//!
//! A context is an `Object`: type, protocol, verify mode, authorities, certificate, key, numbers of cipher suites (bytes or None). Certificates and keys are
//! read by the port's engine; a context keeps their bytes, and each session reads them anew.
//!
//! Source: MicroPython's `extmod/modtls_mbedtls.c` for what a program sees.

use larch_bytecode::qstr::Qstr;
use larch_hal::{Tls, TlsError, TlsFile, TlsSetup, Verify};
use larch_heap::{Kind, Value};
use larch_vm::native::{Args, AttrOp, Entry, ModuleDef, Native, Raised, Rom, TypeDef};
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use super::tls_socket;
use crate::ids;

/// The module.
pub static TLS: ModuleDef = ModuleDef { name: Qstr::tls, entries: ENTRIES, attr: None };

const CLIENT: i32 = 0;
const SERVER: i32 = 1;
/// Fields of a context, behind its protocol.
const VERIFY: u32 = 2;
const AUTHORITIES: u32 = 3;
const CERTIFICATE: u32 = 4;
const KEY: u32 = 5;
const CIPHERS: u32 = 6;
/// Longest explanation of a refused certificate.
const REFUSAL_MAX: usize = 256;

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::tls)),
    (Qstr::SSLContext, Rom::Type(ids::SSL_CONTEXT)),
    (Qstr::PROTOCOL_TLS_CLIENT, Rom::Value(Value::small(CLIENT))),
    (Qstr::PROTOCOL_TLS_SERVER, Rom::Value(Value::small(SERVER))),
    (Qstr::CERT_NONE, Rom::Value(Value::small(Verify::None as i32))),
    (Qstr::CERT_OPTIONAL, Rom::Value(Value::small(Verify::Optional as i32))),
    (Qstr::CERT_REQUIRED, Rom::Value(Value::small(Verify::Required as i32))),
];

/// `tls.SSLContext`
pub static SSL_CONTEXT: TypeDef =
    TypeDef { make: Some(make), attr: Some(attr), entries: METHODS, ..TypeDef::new(Qstr::SSLContext) };

const METHODS: &[Entry] = &[
    (Qstr::get_ciphers, Rom::Fn(Native::F1(get_ciphers))),
    (Qstr::set_ciphers, Rom::Fn(Native::F2(set_ciphers))),
    (Qstr::load_cert_chain, Rom::Fn(Native::F3(load_cert_chain))),
    (Qstr::load_verify_locations, Rom::Fn(Native::F2(load_verify_locations))),
    (Qstr::wrap_socket, Rom::Fn(Native::Kw(2, 2, wrap_socket))),
];

/// The board's engine.
///
/// # Errors
/// OSError if it has none.
pub(super) fn engine(vm: &mut Vm) -> Res<&mut dyn Tls> {
    if vm.port.tls().is_none() {
        return Err(super::raise(vm, larch_hal::NetError::NotSupported));
    }
    Ok(vm.port.tls().expect("just seen"))
}

/// The exception for what went wrong.
pub(super) fn raise(vm: &mut Vm, error: TlsError) -> Raised {
    match error {
        TlsError::TooMany | TlsError::NoMemory => super::raise_named(vm, Qstr::ENOMEM),
        TlsError::BadCertificate => vm.raise(core_ids::ValueError, "invalid cert"),
        TlsError::BadKey => vm.raise(core_ids::ValueError, "invalid key"),
        TlsError::Refused(bits) => {
            let mut text = [0; REFUSAL_MAX];
            let len = match vm.port.tls() {
                Some(engine) => engine.refusal(bits, &mut text),
                None => 0,
            };
            vm.raise(core_ids::ValueError, core::str::from_utf8(&text[..len]).unwrap_or_default())
        }
        TlsError::Protocol(code) => {
            let Some(name) = vm.port.tls().and_then(|engine| engine.error_name(code)) else {
                return vm.raise_os(code);
            };
            let raised = vm.new_str(name).and_then(|name| {
                vm.root(name)?;
                vm.new_exception(core_ids::OSError.value(), &[Value::small(code), name])
            });
            match raised {
                Ok(exception) => vm.raise_value(exception),
                Err(raised) => raised,
            }
        }
    }
}

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    if args.keywords > 0 || args.positional != 1 {
        return Err(vm.raise_count(Qstr::SSLContext, 1, 1, args));
    }
    let protocol = vm.int_arg(vm.arg(args, 0))?;
    let verify = match protocol {
        CLIENT => Verify::Required,
        SERVER => Verify::None,
        _ => return Err(super::raise(vm, larch_hal::NetError::NotSupported)),
    };
    engine(vm)?;
    let (class, none) = (ids::SSL_CONTEXT.value(), Value::NONE);
    let (protocol, verify) = (Value::small(protocol), Value::small(verify as i32));
    vm.alloc_values(Kind::Object, &[class, protocol, verify, none, none, none, none])
}

fn field(vm: &Vm, context: Value, index: u32) -> Value {
    context.as_cell().map_or(Value::NONE, |at| vm.heap.value(at, index))
}

fn set_field(vm: &mut Vm, context: Value, index: u32, value: Value) {
    if let Some(at) = context.as_cell() {
        vm.heap.set_value(at, index, value);
    }
}

fn attr(vm: &mut Vm, context: Value, name: Qstr, op: AttrOp) -> Res {
    match (name, op) {
        (Qstr::verify_mode, AttrOp::Get) => Ok(field(vm, context, VERIFY)),
        (Qstr::verify_mode, AttrOp::Set(mode)) => {
            let mode = vm.int_arg(mode)?;
            if !(0..=2).contains(&mode) {
                return Err(vm.raise_empty(core_ids::ValueError));
            }
            set_field(vm, context, VERIFY, Value::small(mode));
            Ok(Value::NONE)
        }
        _ => Ok(Value::UNBOUND),
    }
}

/// A copy of a file's bytes, once the engine has read it.
fn load(vm: &mut Vm, bytes: Value, file: TlsFile) -> Res {
    let Some(span) = vm.str_span(bytes).or_else(|| vm.buffer(bytes)) else {
        return Err(vm.raise_implicit(bytes));
    };
    vm.deeper(|vm| {
        let Vm { heap, port, .. } = vm;
        let checked = match port.tls() {
            Some(engine) => engine.check(file, span.bytes(heap)),
            None => Err(TlsError::NoMemory),
        };
        checked.map_err(|error| raise(vm, error))
    })?;
    // Strings and bytes do not change; of anything else there is a copy.
    if vm.str_span(bytes).is_some() || vm.bytes_span(bytes).is_some() {
        return Ok(bytes);
    }
    let copy = vm.alloc_text(Kind::Bytes, span.len())?;
    let copied: Value = copy.into();
    let (Some(from), Some(to)) = (vm.buffer(bytes), vm.bytes_span(copied)) else { return Ok(Value::NONE) };
    for at in 0..from.len().min(to.len()) {
        let byte = vm.bytes_at(from)[at as usize];
        vm.bytes_at_mut(to)[at as usize] = byte;
    }
    Ok(copied)
}

fn get_ciphers(vm: &mut Vm, _context: Value) -> Res {
    let list = vm.new_list(&[])?;
    vm.root(list)?;
    let cell = list.expect_cell("a list");
    let mut index = 0;
    while let Some(name) = engine(vm)?.cipher_name(index) {
        let name = vm.new_str(name)?;
        let scope = vm.root(name)?;
        vm.list_append(cell, name)?;
        vm.release(scope);
        index += 1;
    }
    Ok(list)
}

fn set_ciphers(vm: &mut Vm, context: Value, names: Value) -> Res {
    let Some((at, first, count)) = vm.sequence_items(names) else {
        return Err(vm.raise_convert(names, "tuple implicitly"));
    };
    let sink = vm.begin_text(Kind::Bytes, 4 * count)?;
    for index in 0..count {
        let name = vm.heap.slot(at, first + index);
        let name: larch_hal::Short<64> = super::short_arg(vm, name)?;
        let number = engine(vm)?.cipher_number(core::str::from_utf8(name.as_bytes()).unwrap_or_default());
        let number = number.map_err(|error| raise(vm, error))?;
        vm.emit(sink, &number.to_le_bytes())?;
    }
    if count == 0 {
        let nothing = engine(vm)?.cipher_number("");
        nothing.map_err(|error| raise(vm, error))?;
    }
    let ciphers = vm.end_text(sink)?;
    set_field(vm, context, CIPHERS, ciphers);
    Ok(Value::NONE)
}

fn load_cert_chain(vm: &mut Vm, context: Value, certificate: Value, key: Value) -> Res {
    let key = load(vm, key, TlsFile::Key)?;
    vm.root(key)?;
    let certificate = load(vm, certificate, TlsFile::Certificates)?;
    set_field(vm, context, KEY, key);
    set_field(vm, context, CERTIFICATE, certificate);
    Ok(Value::NONE)
}

fn load_verify_locations(vm: &mut Vm, context: Value, authorities: Value) -> Res {
    let authorities = load(vm, authorities, TlsFile::Certificates)?;
    set_field(vm, context, AUTHORITIES, authorities);
    Ok(Value::NONE)
}

/// `wrap_socket(sock, *, server_side=False, do_handshake_on_connect=True, server_hostname=None)`
fn wrap_socket(vm: &mut Vm, args: Args) -> Res {
    let (context, socket) = (vm.arg(args, 0), vm.arg(args, 1));
    let names = [Qstr::server_side, Qstr::do_handshake_on_connect, Qstr::server_hostname];
    let [server_side, at_once, name] =
        vm.named_args(args, 2, names, [Value::FALSE, Value::TRUE, Value::NONE])?;
    let (is_server, at_once) = (vm.truth(server_side)?, vm.truth(at_once)?);
    let verify = match field(vm, context, VERIFY) {
        mode if mode == Value::small(Verify::Required as i32) => Verify::Required,
        mode if mode == Value::small(Verify::Optional as i32) => Verify::Optional,
        _ => Verify::None,
    };
    if verify == Verify::Required && !is_server && name.is_none() {
        return Err(vm.raise(core_ids::ValueError, "CERT_REQUIRED requires server_hostname"));
    }
    if !name.is_none() && vm.str_span(name).is_none() {
        return Err(vm.raise_implicit(name));
    }
    tls_socket::wrap(vm, socket, at_once, |vm| open(vm, context, is_server, verify, name))
}

/// A session of the engine.
fn open(
    vm: &mut Vm,
    context: Value,
    is_server: bool,
    verify: Verify,
    name: Value,
) -> Result<larch_hal::SessionId, TlsError> {
    let now_s = vm.port.epoch_us() / 1_000_000;
    let mut texts = [AUTHORITIES, CERTIFICATE, KEY, CIPHERS].map(|index| field(vm, context, index));
    let spans = texts.each_mut().map(|text| vm.str_span(*text).or_else(|| vm.bytes_span(*text)));
    let name = vm.str_span(name);
    let Vm { heap, port, .. } = vm;
    let [authorities, certificate, key, ciphers] =
        spans.map(|span| span.map_or(&[][..], |span| span.bytes(heap)));
    let name = name.map_or(&[][..], |span| span.bytes(heap));
    let setup = TlsSetup {
        is_server,
        verify,
        server_name: core::str::from_utf8(name).unwrap_or_default(),
        authorities,
        certificate,
        key,
        ciphers,
    };
    port.tls().ok_or(TlsError::NoMemory)?.open(&setup, now_s)
}
