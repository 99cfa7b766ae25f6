//! Patterns of `re` to programs: bytes of one-byte instructions and operands. Jumps are signed bytes from behind the
//! operand, and slots at most 127: what does not fit is "too complex", as in MicroPython.

use larch_heap::{Kind, Value};

use crate::native::{Raised, Res};
use crate::print::Sink;
use crate::text::Span;
use crate::types::ids;
use crate::vm::Vm;

/// The next byte is operand 1.
pub(super) const CHAR: u8 = 0;
/// Any byte.
pub(super) const ANY: u8 = 1;
/// A count, then as many pairs of first and last byte; or of 0 and the letter of a named class.
pub(super) const CLASS: u8 = 2;
/// What the class does not have.
pub(super) const CLASS_NOT: u8 = 3;
/// The letter of a named class.
pub(super) const NAMED_CLASS: u8 = 4;
/// Notes the position in a slot.
pub(super) const SAVE: u8 = 5;
/// Goes on elsewhere.
pub(super) const JUMP: u8 = 6;
/// Goes on here, and if that fails, there.
pub(super) const SPLIT: u8 = 7;
/// Goes on there, and if that fails, here.
pub(super) const SPLIT_BACK: u8 = 8;
/// The start of the text.
pub(super) const START: u8 = 9;
/// The end of the text.
pub(super) const END: u8 = 10;
/// The pattern has matched.
pub(super) const MATCHED: u8 = 11;

struct Compiler {
    pattern: Span,
    at: u32,
    sink: Sink,
    groups: u32,
}

/// The program of a pattern, as bytes, and how many groups it has.
///
/// # Errors
/// ValueError for what is no pattern.
pub(super) fn compile(vm: &mut Vm, pattern: Span) -> Res<(Value, u32)> {
    let len = vm.bytes_at(pattern).iter().take_while(|byte| **byte != 0).count() as u32;
    let scope = vm.scope();
    let sink = vm.begin_text(Kind::Bytes, 2 * len + 8)?;
    let mut compiler = Compiler { pattern: pattern.part(0, len), at: 0, sink, groups: 0 };
    vm.emit(sink, &[SAVE, 0])?;
    compiler.sequence(vm)?;
    if compiler.at < len {
        return Err(vm.raise(ids::ValueError, "error in regex"));
    }
    vm.emit(sink, &[SAVE, 1, MATCHED])?;
    let program = vm.end_text(sink)?;
    vm.release(scope);
    Ok((program, compiler.groups))
}

#[cold]
fn too_complex(vm: &mut Vm) -> Raised {
    vm.raise(ids::ValueError, "regex too complex")
}

fn is_named_class(letter: u8) -> bool {
    matches!(letter, b'd' | b'D' | b's' | b'S' | b'w' | b'W')
}

impl Compiler {
    fn peek(&self, vm: &Vm, ahead: u32) -> Option<u8> {
        vm.bytes_at(self.pattern).get((self.at + ahead) as usize).copied()
    }

    /// The next byte, which must be there.
    fn take(&mut self, vm: &mut Vm) -> Res<u8> {
        match self.peek(vm, 0) {
            Some(byte) => {
                self.at += 1;
                Ok(byte)
            }
            None => Err(too_complex(vm)),
        }
    }

    fn len(&self, vm: &Vm) -> u32 {
        vm.text_len(self.sink)
    }

    /// Changes a byte of the program.
    fn set(&self, vm: &mut Vm, at: u32, byte: u8) {
        let place = vm.text_so_far(self.sink).part(at, 1);
        vm.bytes_at_mut(place)[0] = byte;
    }

    /// A distance as an operand.
    fn distance(&self, vm: &mut Vm, from: u32, to: u32) -> Res<u8> {
        match i8::try_from(to as i32 - from as i32) {
            Ok(distance) => Ok(distance as u8),
            Err(_) => Err(too_complex(vm)),
        }
    }

    /// Puts two bytes at `at`: an instruction that jumps to the end of the program so far.
    fn insert_jump(&self, vm: &mut Vm, at: u32, instruction: u8) -> Res<()> {
        let len = self.len(vm);
        let distance = self.distance(vm, at, len)?;
        vm.emit(self.sink, &[0, 0])?;
        let moved = vm.text_so_far(self.sink).part(at, len + 2 - at);
        let bytes = vm.bytes_at_mut(moved);
        bytes.copy_within(..(len - at) as usize, 2);
        bytes[0] = instruction;
        bytes[1] = distance;
        Ok(())
    }

    /// Alternatives up to a closing parenthesis or the end.
    fn sequence(&mut self, vm: &mut Vm) -> Res<()> {
        let start = self.len(vm);
        // Where the last term starts, to be repeated; the end if there is none.
        let mut term = start;
        // Operand of the jump at the end of the last alternative.
        let mut leave = None;
        while let Some(byte) = self.peek(vm, 0)
            && byte != b')'
        {
            self.at += 1;
            let here = self.len(vm);
            match byte {
                b'?' | b'*' | b'+' => {
                    if term == here {
                        return Err(too_complex(vm));
                    }
                    self.repeat(vm, byte, term)?;
                    term = self.len(vm);
                }
                b'|' => {
                    self.patch(vm, leave)?;
                    vm.emit(self.sink, &[JUMP, 0])?;
                    self.insert_jump(vm, start, SPLIT)?;
                    term = self.len(vm);
                    leave = Some(term - 1);
                }
                b'^' | b'$' => {
                    vm.emit(self.sink, &[if byte == b'^' { START } else { END }])?;
                    term = self.len(vm);
                }
                _ => {
                    term = here;
                    self.term(vm, byte)?;
                }
            }
        }
        self.patch(vm, leave)
    }

    /// Makes the jump at the end of an alternative lead to here.
    fn patch(&self, vm: &mut Vm, operand: Option<u32>) -> Res<()> {
        let Some(operand) = operand else { return Ok(()) };
        let here = self.len(vm);
        let distance = self.distance(vm, operand + 1, here)?;
        self.set(vm, operand, distance);
        Ok(())
    }

    fn repeat(&mut self, vm: &mut Vm, byte: u8, term: u32) -> Res<()> {
        let lazy = self.peek(vm, 0) == Some(b'?');
        self.at += u32::from(lazy);
        let forward = if lazy { SPLIT_BACK } else { SPLIT };
        let here = self.len(vm);
        match byte {
            b'?' => self.insert_jump(vm, term, forward),
            b'*' => {
                // The jump back is two bytes further on once the split is in front.
                let back = self.distance(vm, here + 4, term)?;
                vm.emit(self.sink, &[JUMP, back])?;
                self.insert_jump(vm, term, forward)
            }
            _ => {
                let back = self.distance(vm, here + 2, term)?;
                vm.emit(self.sink, &[if lazy { SPLIT } else { SPLIT_BACK }, back])
            }
        }
    }

    fn term(&mut self, vm: &mut Vm, byte: u8) -> Res<()> {
        match byte {
            b'\\' => {
                let letter = self.take(vm)?;
                let instruction = if is_named_class(letter) { NAMED_CLASS } else { CHAR };
                vm.emit(self.sink, &[instruction, letter])
            }
            b'.' => vm.emit(self.sink, &[ANY]),
            b'[' => self.class(vm),
            b'(' => vm.deeper(|vm| self.group(vm)),
            _ => vm.emit(self.sink, &[CHAR, byte]),
        }
    }

    fn class(&mut self, vm: &mut Vm) -> Res<()> {
        let negated = self.peek(vm, 0) == Some(b'^');
        self.at += u32::from(negated);
        vm.emit(self.sink, &[if negated { CLASS_NOT } else { CLASS }, 0])?;
        let count_at = self.len(vm) - 1;
        let mut count = 0;
        loop {
            let mut first = self.take(vm)?;
            if first == b']' {
                break;
            }
            count += 1;
            if first == b'\\' {
                first = self.take(vm)?;
                if is_named_class(first) {
                    vm.emit(self.sink, &[0, first])?;
                    continue;
                }
            }
            let mut last = first;
            if self.peek(vm, 0) == Some(b'-') && self.peek(vm, 1) != Some(b']') {
                self.at += 1;
                last = self.take(vm)?;
            }
            vm.emit(self.sink, &[first, last])?;
        }
        if count > i8::MAX as u32 {
            return Err(too_complex(vm));
        }
        self.set(vm, count_at, count as u8);
        Ok(())
    }

    fn group(&mut self, vm: &mut Vm) -> Res<()> {
        let captures = !(self.peek(vm, 0) == Some(b'?') && self.peek(vm, 1) == Some(b':'));
        let mut slot = 0;
        if captures {
            self.groups += 1;
            slot = 2 * self.groups;
            if slot >= i8::MAX as u32 {
                return Err(too_complex(vm));
            }
            vm.emit(self.sink, &[SAVE, slot as u8])?;
        } else {
            self.at += 2;
        }
        self.sequence(vm)?;
        if self.take(vm)? != b')' {
            return Err(too_complex(vm));
        }
        match captures {
            true => vm.emit(self.sink, &[SAVE, slot as u8 + 1]),
            false => Ok(()),
        }
    }
}
