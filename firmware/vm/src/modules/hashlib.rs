//! `hashlib`: sha256, sha1, md5. The compression functions are RustCrypto's; the state is kept here, in the heap.
//!
//! A hash is a `MixedObject`: its type, then raw words: bytes so far (two words), whether it is final, state, block.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use crate::native::{Args, Entry, ModuleDef, Native, Res, Rom, TypeDef, TypeId};
use crate::types::ids;
use crate::vm::Vm;

/// The module.
pub static HASHLIB: ModuleDef = ModuleDef {
    name: Qstr::hashlib,
    entries: &[
        (Qstr::__name__, Rom::Str(Qstr::hashlib)),
        (Qstr::sha256, Rom::Type(ids::sha256)),
        #[cfg(feature = "sha1-md5")]
        (Qstr::sha1, Rom::Type(ids::sha1)),
        #[cfg(feature = "sha1-md5")]
        (Qstr::md5, Rom::Type(ids::md5)),
    ],
    attr: None,
};

const METHODS: &[Entry] =
    &[(Qstr::update, Rom::Fn(Native::F2(update))), (Qstr::digest, Rom::Fn(Native::F1(digest)))];

/// `sha256`
pub static SHA256: TypeDef = TypeDef {
    make: Some(|vm, _class, args| make(vm, ids::sha256, args)),
    entries: METHODS,
    ..TypeDef::new(Qstr::sha256)
};
/// `sha1`
pub static SHA1: TypeDef = TypeDef {
    make: Some(|vm, _class, args| make(vm, ids::sha1, args)),
    entries: METHODS,
    ..TypeDef::new(Qstr::sha1)
};
/// `md5`
pub static MD5: TypeDef = TypeDef {
    make: Some(|vm, _class, args| make(vm, ids::md5, args)),
    entries: METHODS,
    ..TypeDef::new(Qstr::md5)
};

const LENGTH: u32 = 2;
const FINAL: u32 = 4;
const STATE: u32 = 5;
const STATE_WORDS: usize = 8;
const BLOCK: u32 = STATE + STATE_WORDS as u32;
const BLOCK_BYTES: u32 = 64;
const WORDS: u32 = BLOCK + BLOCK_BYTES / 4;

const SHA256_START: [u32; STATE_WORDS] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
/// SHA-1's, and MD5's are its first four.
const SHA1_START: [u32; STATE_WORDS] =
    [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0, 0, 0, 0];

fn make(vm: &mut Vm, ty: TypeId, args: Args) -> Res {
    vm.check_args(args, 0, 1)?;
    let at = vm.alloc(Header::new(Kind::MixedObject, WORDS))?;
    vm.heap.set_word(at, 0, 1);
    vm.heap.set_value(at, 1, ty.value());
    write_state(vm, at, if ty == ids::sha256 { SHA256_START } else { SHA1_START });
    if let Some(data) = vm.opt_arg(args, 0) {
        vm.root(at.into())?;
        update(vm, at.into(), data)?;
    }
    Ok(at.into())
}

fn read_state(vm: &Vm, at: Ref) -> [u32; STATE_WORDS] {
    core::array::from_fn(|index| vm.heap.word(at, STATE + index as u32))
}

fn write_state(vm: &mut Vm, at: Ref, state: [u32; STATE_WORDS]) {
    for (index, word) in state.into_iter().enumerate() {
        vm.heap.set_word(at, STATE + index as u32, word);
    }
}

/// The hash, if it is not final.
fn open(vm: &mut Vm, hash: Value) -> Res<Ref> {
    let at = hash.expect_cell("a hash");
    match vm.heap.word(at, FINAL) {
        0 => Ok(at),
        _ => Err(vm.raise(ids::ValueError, "hash is final")),
    }
}

fn length(vm: &Vm, at: Ref) -> u64 {
    u64::from(vm.heap.word(at, LENGTH)) | u64::from(vm.heap.word(at, LENGTH + 1)) << 32
}

fn update(vm: &mut Vm, hash: Value, data: Value) -> Res {
    let at = open(vm, hash)?;
    let span = vm.buffer_arg(data)?;
    let mut from = 0;
    while from < span.len() {
        let length = length(vm, at);
        let filled = (length % u64::from(BLOCK_BYTES)) as u32;
        let part = span.part(from, (span.len() - from).min(BLOCK_BYTES - filled));
        vm.copy_span(at, BLOCK * 4 + filled, part);
        from += part.len();
        set_length(vm, at, length + u64::from(part.len()));
        if filled + part.len() == BLOCK_BYTES {
            compress(vm, at);
        }
    }
    Ok(Value::NONE)
}

fn set_length(vm: &mut Vm, at: Ref, length: u64) {
    vm.heap.set_word(at, LENGTH, length as u32);
    vm.heap.set_word(at, LENGTH + 1, (length >> 32) as u32);
}

/// Takes the full block into the state.
fn compress(vm: &mut Vm, at: Ref) {
    let mut block = [[0; BLOCK_BYTES as usize]];
    block[0].copy_from_slice(vm.heap.bytes(at, BLOCK * 4, BLOCK_BYTES));
    let mut state = read_state(vm, at);
    match vm.heap.value(at, 1) {
        ty if !cfg!(feature = "sha1-md5") || ty == ids::sha256.value() => {
            sha2::block_api::compress256(&mut state, &block);
        }
        ty if ty == ids::sha1.value() => {
            let (first, _) = state.split_first_chunk_mut().expect("eight words");
            sha1::block_api::compress(first, &block);
        }
        _ => {
            let (first, _) = state.split_first_chunk_mut().expect("eight words");
            md5::block_api::compress(first, &block);
        }
    }
    write_state(vm, at, state);
}

fn digest(vm: &mut Vm, hash: Value) -> Res {
    let at = open(vm, hash)?;
    let ty = vm.heap.value(at, 1);
    let little = ty == ids::md5.value();
    let size: u32 = if little {
        16
    } else if ty == ids::sha1.value() {
        20
    } else {
        32
    };
    let result = vm.alloc_text(Kind::Bytes, size)?;
    vm.heap.set_word(at, FINAL, 1);
    pad(vm, at, little);
    let mut bytes = [0; STATE_WORDS * 4];
    for (word, place) in read_state(vm, at).into_iter().zip(bytes.chunks_exact_mut(4)) {
        place.copy_from_slice(&if little { word.to_le_bytes() } else { word.to_be_bytes() });
    }
    let place = vm.heap.bytes_mut(result, crate::text::TEXT_START, size);
    place.copy_from_slice(&bytes[..size as usize]);
    Ok(result.into())
}

/// Ends the message: a one bit, zeros, and its length in bits.
fn pad(vm: &mut Vm, at: Ref, little: bool) {
    let length = length(vm, at);
    let filled = (length % u64::from(BLOCK_BYTES)) as u32;
    let rest = vm.heap.bytes_mut(at, BLOCK * 4 + filled, BLOCK_BYTES - filled);
    rest.fill(0);
    rest[0] = 0x80;
    if filled + 9 > BLOCK_BYTES {
        compress(vm, at);
        vm.heap.bytes_mut(at, BLOCK * 4, BLOCK_BYTES).fill(0);
    }
    let bits = length.wrapping_mul(8);
    let bits = if little { bits.to_le_bytes() } else { bits.to_be_bytes() };
    vm.heap.bytes_mut(at, BLOCK * 4 + BLOCK_BYTES - 8, 8).copy_from_slice(&bits);
    compress(vm, at);
}
