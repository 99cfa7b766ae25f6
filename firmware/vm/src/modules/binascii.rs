//! `binascii`: hexadecimal, base 64 and CRC-32.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Value};

use crate::native::{Args, Entry, ModuleDef, Native, Res, Rom};
use crate::text::TEXT_START;
use crate::types::ids;
use crate::types::text_object::TextType;
use crate::vm::Vm;

/// The module.
pub static BINASCII: ModuleDef = ModuleDef { name: Qstr::binascii, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::binascii)),
    (Qstr::hexlify, Rom::Fn(Native::Var(1, 2, |vm, args| vm.hex_of(args, Kind::Bytes)))),
    (Qstr::unhexlify, Rom::Fn(Native::F1(|vm, digits| vm.bytes_from_hex(TextType::Bytes, digits)))),
    (Qstr::a2b_base64, Rom::Fn(Native::F1(a2b_base64))),
    (Qstr::b2a_base64, Rom::Fn(Native::Kw(1, 1, b2a_base64))),
    (Qstr::crc32, Rom::Fn(Native::Var(1, 2, crc32))),
];

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The six bits that a character of base 64 stands for.
fn sextet(character: u8) -> Option<u8> {
    Some(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// Characters that are not of the alphabet are skipped; padding must complete the last group.
fn a2b_base64(vm: &mut Vm, text: Value) -> Res {
    let span = vm.buffer_arg(text)?;
    let at = vm.alloc_text(Kind::Bytes, span.len() / 4 * 3 + 3)?;
    let (mut len, mut bits, mut count, mut padded) = (0, 0u32, 0, false);
    for index in 0..span.len() {
        let character = vm.byte_at(span, index);
        if character == b'=' {
            if count == 2 || count == 4 && padded {
                count = 0;
                break;
            }
            padded = true;
        }
        let Some(six) = sextet(character) else { continue };
        padded = false;
        (bits, count) = (bits << 6 | u32::from(six), count + 6);
        if count >= 8 {
            count -= 8;
            vm.heap.bytes_mut(at, TEXT_START + len, 1)[0] = (bits >> count) as u8;
            len += 1;
        }
    }
    if count != 0 {
        return Err(vm.raise(ids::ValueError, "incorrect padding"));
    }
    vm.heap.resize(at, TEXT_START + len);
    Ok(at.into())
}

fn b2a_base64(vm: &mut Vm, args: Args) -> Res {
    let [newline] = vm.named_args(args, 1, [Qstr::newline], [Value::TRUE])?;
    let newline = vm.truth(newline)?;
    let data = vm.arg(args, 0);
    let span = vm.buffer_arg(data)?;
    let groups = span.len().div_ceil(3);
    let at = vm.alloc_text(Kind::Bytes, groups.saturating_mul(4).saturating_add(u32::from(newline)))?;
    for group in 0..groups {
        let part = span.part(3 * group, (span.len() - 3 * group).min(3));
        let mut bytes = [0; 4];
        bytes[1..1 + part.len() as usize].copy_from_slice(vm.bytes_at(part));
        let bits = u32::from_be_bytes(bytes);
        let mut text = [b'='; 4];
        for (place, character) in text.iter_mut().take(part.len() as usize + 1).enumerate() {
            *character = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
        }
        vm.heap.bytes_mut(at, TEXT_START + 4 * group, 4).copy_from_slice(&text);
    }
    if newline {
        vm.heap.bytes_mut(at, TEXT_START + 4 * groups, 1)[0] = b'\n';
    }
    Ok(at.into())
}

fn crc32(vm: &mut Vm, args: Args) -> Res {
    let data = vm.arg(args, 0);
    let span = vm.buffer_arg(data)?;
    let start = match vm.opt_arg(args, 1) {
        Some(start) => vm.int_low_word(start)? as u32,
        None => 0,
    };
    let crc = vm.bytes_at(span).iter().fold(!start, |crc, byte| {
        let nibble = |crc: u32| crc >> 4 ^ CRC_NIBBLES[(crc & 15) as usize];
        nibble(nibble(crc ^ u32::from(*byte)))
    });
    vm.new_int_u64(u64::from(!crc))
}

/// The CRC-32 of every half byte (polynomial 0x04c11db7, bits reversed).
const CRC_NIBBLES: [u32; 16] = {
    let mut table = [0; 16];
    let mut i = 0;
    while i < 16 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 4 {
            crc = if crc & 1 != 0 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};
