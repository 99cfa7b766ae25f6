//! Code objects in the heap: how the compiler's parts become one cell, and how the machine reads it.
//!
//! Words behind the header: `constants | flags << 16 | handlers (low 8 bits) << 24`, the constants (the only values), then
//! `name | file << 16`, `registers | positional << 8 | keyword-only << 16 | free << 24`, `first line | body << 16`,
//! `names | handlers (high 3 bits) << 13 | line bytes << 16`, the body (instructions, then two words for each handler),
//! names and parameter names (16 bits each), the line table.

use larch_bytecode::code::{CodeParts, Flags, Handler, LineTable};
use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use crate::native::Res;
use crate::vm::Vm;

/// Where the parts of a code object are.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    at: Ref,
    /// Word index of the first word behind the constants.
    meta: u32,
}

const META_WORDS: u32 = 4;
const NAME_BITS: u32 = CodeParts::<Value>::NAME_BITS;
const _: () = assert!(NAME_BITS + CodeParts::<Value>::HANDLER_BITS == 24);

/// What a call needs to know of a code object.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// Registers of a frame.
    pub registers: u8,
    /// Positional parameters.
    pub positional: u8,
    /// Keyword-only parameters.
    pub keyword_only: u8,
    /// Captured cells.
    pub free: u8,
}

impl Code {
    /// The code object at `at`.
    #[inline(always)]
    pub fn new(vm: &Vm, at: Ref) -> Code {
        Code { at, meta: 1 + (vm.heap.word(at, 0) & 0xffff) }
    }

    #[inline(always)]
    fn word(self, vm: &Vm, index: u32) -> u32 {
        vm.heap.slot(self.at, self.meta + index).bits()
    }

    /// Its properties.
    #[inline(always)]
    pub fn flags(self, vm: &Vm) -> Flags {
        Flags((vm.heap.word(self.at, 0) >> 16) as u8)
    }

    /// The counts that a call needs.
    #[inline(always)]
    pub fn signature(self, vm: &Vm) -> Signature {
        let [registers, positional, keyword_only, free] = self.word(vm, 1).to_le_bytes();
        Signature { registers, positional, keyword_only, free }
    }

    /// Its name.
    pub fn name(self, vm: &Vm) -> Qstr {
        Qstr(self.word(vm, 0) as u16)
    }

    /// Its source file.
    pub fn file(self, vm: &Vm) -> Qstr {
        Qstr((self.word(vm, 0) >> 16) as u16)
    }

    /// The first instruction.
    #[inline(always)]
    pub fn entry(self, vm: &Vm) -> Ref {
        vm.heap.inner(self.at, self.meta + META_WORDS)
    }

    /// The instruction number of a place made by [`Code::entry`].
    pub fn position(self, vm: &Vm, pc: Ref) -> u32 {
        vm.heap.position(self.at, pc) - self.meta - META_WORDS
    }

    /// The place of instruction `position`.
    pub fn place(self, vm: &Vm, position: u32) -> Ref {
        vm.heap.inner(self.at, self.meta + META_WORDS + position)
    }

    /// Where the body ends, in words behind the header.
    fn body_end(self, vm: &Vm) -> u32 {
        self.meta + META_WORDS + (self.word(vm, 2) >> 16)
    }

    fn handler_count(self, vm: &Vm) -> u32 {
        vm.heap.word(self.at, 0) >> 24 | (self.word(vm, 3) & 0xffff) >> NAME_BITS << 8
    }

    /// Byte offset (behind the header) of the names.
    fn names_start(self, vm: &Vm) -> u32 {
        self.body_end(vm) * 4
    }

    /// The name at an even byte offset.
    #[inline(always)]
    fn half(self, vm: &Vm, byte: u32) -> Qstr {
        Qstr(vm.heap.half(self.at, byte / 2))
    }

    /// Name number `index` of the table `N`.
    #[inline]
    pub fn name_at(self, vm: &Vm, index: u32) -> Qstr {
        self.half(vm, self.names_start(vm) + 2 * index)
    }

    /// The name of parameter `index` (positional, then keyword-only).
    pub fn parameter(self, vm: &Vm, index: u32) -> Qstr {
        self.half(vm, self.names_start(vm) + 2 * (self.name_count(vm) + index))
    }

    fn name_count(self, vm: &Vm) -> u32 {
        self.word(vm, 3) & ((1 << NAME_BITS) - 1)
    }

    /// The source line of instruction `position`.
    pub fn line(self, vm: &Vm, position: u32) -> u32 {
        let signature = self.signature(vm);
        let parameters = u32::from(signature.positional) + u32::from(signature.keyword_only);
        let start = self.names_start(vm) + 2 * (self.name_count(vm) + parameters);
        let table = vm.heap.bytes(self.at, start, self.word(vm, 3) >> 16);
        LineTable::line(self.word(vm, 2) & 0xffff, table, position)
    }

    /// The handler that protects instruction `position`: where to go on and the register for the exception.
    pub fn handler(self, vm: &Vm, position: u32) -> Option<(u32, u8)> {
        let count = self.handler_count(vm);
        let first = self.body_end(vm) - 2 * count;
        for index in 0..count {
            let range = vm.heap.slot(self.at, first + 2 * index).bits();
            if (range & 0xffff..range >> 16).contains(&position) {
                let target = vm.heap.slot(self.at, first + 2 * index + 1).bits();
                return Some((target & 0xffff, (target >> 16) as u8));
            }
        }
        None
    }
}

impl Vm {
    /// How many cells a function of this code captures; none if the value is no code.
    pub fn captured_by(&self, value: Value) -> Option<u8> {
        let at = self.heap.as_kind(value, Kind::Code)?;
        Some(Code::new(self, at).signature(self).free)
    }

    /// Makes a code object. The constants must be alive by themselves.
    ///
    /// # Errors
    /// MemoryError; also when a part is too large for its field.
    pub fn new_code(&mut self, parts: &CodeParts<'_, Value>) -> Res {
        // A module or class body is called with its namespace as its only argument.
        let is_body = parts.flags.has(Flags::NAMESPACE) && parts.positional == 0;
        let body = CodeParts { positional: 1, parameters: &[Qstr::EMPTY], ..*parts };
        let parts = if is_body { &body } else { parts };
        let constants = parts.constants.len();
        let halves = parts.names.len() + parts.parameters.len();
        let tail_bytes = halves * 2 + parts.lines.len();
        let handlers = parts.handlers.len() as u32;
        let body = parts.words.len() + 2 * parts.handlers.len();
        let fixed = 1 + constants + META_WORDS as usize + body;
        let words = fixed + tail_bytes.div_ceil(4);
        let at = self.alloc(Header::new(Kind::Code, words as u32))?;
        self.heap.set_word(at, 0, constants as u32 | u32::from(parts.flags.0) << 16 | handlers << 24);
        self.heap.values_mut(at, 1, constants as u32).copy_from_slice(parts.constants);
        let mut byte = 4 * (1 + constants as u32);
        let mut put = |vm: &mut Vm, word: u32| {
            vm.heap.bytes_mut(at, byte, 4).copy_from_slice(&word.to_le_bytes());
            byte += 4;
        };
        put(self, u32::from(parts.name.0) | u32::from(parts.file.0) << 16);
        put(self, u32::from_le_bytes([parts.registers, parts.positional, parts.keyword_only, parts.free]));
        put(self, parts.first_line.min(0xffff) | (body as u32) << 16);
        put(self, parts.names.len() as u32 | handlers >> 8 << NAME_BITS | (parts.lines.len() as u32) << 16);
        for word in parts.words {
            put(self, *word);
        }
        for Handler { start, end, target, register } in parts.handlers {
            put(self, u32::from(*start) | u32::from(*end) << 16);
            put(self, u32::from(*target) | u32::from(*register) << 16);
        }
        for name in parts.names.iter().chain(parts.parameters) {
            self.heap.bytes_mut(at, byte, 2).copy_from_slice(&name.0.to_le_bytes());
            byte += 2;
        }
        self.heap.bytes_mut(at, byte, parts.lines.len() as u32).copy_from_slice(parts.lines);
        Ok(at.into())
    }
}
