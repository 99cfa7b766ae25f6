//! Running programs of `re`: a backtracking matcher whose choice points are in a small array and, when that is full, in
//! the heap. Their number is limited, and the port is polled in long searches.

use larch_heap::Kind;

use super::re_program::{
    ANY, CHAR, CLASS, CLASS_NOT, END, JUMP, MATCHED, NAMED_CLASS, SAVE, SPLIT, SPLIT_BACK, START,
};
use crate::native::Res;
use crate::print::Sink;
use crate::text::Span;
use crate::vm::Vm;

/// Slots of a search: start and end of each group.
pub(super) const MAX_SLOTS: usize = 128;
/// A slot that was not reached.
pub(super) const UNSET: u32 = u32::MAX;
/// Choice points outside the heap.
const LOCAL: usize = 64;
/// Choice points that go to the heap, and come back, together.
const BATCH: usize = LOCAL / 2;
const POINT_BYTES: u32 = 8;
/// Most choice points of a search; endless ones have more at last.
const MOST_POINTS: u32 = 8192;
/// Steps between two polls.
const STEPS: u32 = 50_000;
/// Mark of a choice point that restores a slot; the others' first word is a place in the program.
const RESTORE: u32 = 1 << 31;

/// Where to go on, or a slot's former value.
type Point = (u32, u32);

/// A search in progress.
pub(super) struct Search {
    program: Span,
    text: Span,
    /// Where the text is taken to end.
    pub end: u32,
    /// How many groups the pattern has.
    pub groups: usize,
    /// Starts and ends of groups of the last match.
    pub slots: [u32; MAX_SLOTS],
    points: [Point; LOCAL],
    local: usize,
    /// Choice points in the heap, and the text sink that holds them.
    spilled: u32,
    sink: Sink,
    pc: usize,
    position: usize,
}

/// Why a run of steps ended.
enum Pause {
    Matched,
    /// No choice point is left in the array.
    Empty,
    /// No room for a choice point is left in the array.
    Full,
    /// It was long.
    Steps,
}

impl Search {
    /// A search; program and text must be alive by themselves, and the caller's scope keeps what it needs.
    pub fn new(vm: &mut Vm, program: Span, text: Span, groups: usize) -> Res<Search> {
        let sink = vm.begin_text(Kind::Bytes, 0)?;
        Ok(Search {
            program,
            text,
            end: text.len(),
            groups,
            slots: [UNSET; MAX_SLOTS],
            points: [(0, 0); LOCAL],
            local: 0,
            spilled: 0,
            sink,
            pc: 0,
            position: 0,
        })
    }

    /// Looks for a match that starts at `from`, or (not `anchored`) there or later. Its ends are in the slots then.
    ///
    /// # Errors
    /// RuntimeError if it needs too many choice points; what polling raises.
    pub fn find(&mut self, vm: &mut Vm, from: u32, anchored: bool) -> Res<bool> {
        // Programs start with `SAVE 0`; a literal behind it is looked for first.
        let first = match vm.bytes_at(self.program)[2..] {
            [CHAR, byte, ..] => Some(byte),
            _ => None,
        };
        let mut start = from;
        loop {
            if let (Some(byte), false) = (first, anchored) {
                let rest = &vm.bytes_at(self.text)[start as usize..self.end as usize];
                match rest.iter().position(|found| *found == byte) {
                    Some(ahead) => start += ahead as u32,
                    None => return Ok(false),
                }
            }
            if self.matches_at(vm, start)? {
                return Ok(true);
            }
            if anchored || start >= self.end {
                return Ok(false);
            }
            start += 1;
        }
    }

    fn matches_at(&mut self, vm: &mut Vm, start: u32) -> Res<bool> {
        self.slots.fill(UNSET);
        (self.pc, self.position, self.local, self.spilled) = (0, start as usize, 0, 0);
        vm.truncate_text(self.sink, 0);
        loop {
            let (program, text) = (vm.bytes_at(self.program), vm.bytes_at(self.text));
            match self.run(program, &text[..self.end as usize]) {
                Pause::Matched => return Ok(true),
                Pause::Empty if self.spilled == 0 => return Ok(false),
                Pause::Empty => {
                    self.fetch(vm);
                    // Its place and position are those of a choice that was taken and failed.
                    self.backtrack();
                }
                Pause::Full => self.spill(vm)?,
                Pause::Steps => (vm.hooks.poll)(vm)?,
            }
        }
    }

    /// Moves the older half of the array to the heap.
    fn spill(&mut self, vm: &mut Vm) -> Res<()> {
        if self.spilled >= MOST_POINTS {
            return Err(vm.raise_recursion());
        }
        for (a, b) in &self.points[..BATCH] {
            let mut bytes = [0; POINT_BYTES as usize];
            bytes[..4].copy_from_slice(&a.to_le_bytes());
            bytes[4..].copy_from_slice(&b.to_le_bytes());
            vm.emit(self.sink, &bytes)?;
        }
        self.points.copy_within(BATCH.., 0);
        self.local -= BATCH;
        self.spilled += BATCH as u32;
        Ok(())
    }

    /// Moves choice points back from the heap.
    fn fetch(&mut self, vm: &mut Vm) {
        self.spilled -= BATCH as u32;
        let from = self.spilled * POINT_BYTES;
        let bytes = vm.bytes_at(vm.text_so_far(self.sink).part(from, BATCH as u32 * POINT_BYTES));
        for (point, pair) in self.points.iter_mut().zip(bytes.chunks_exact(POINT_BYTES as usize)) {
            let word = |at: usize| u32::from_le_bytes([pair[at], pair[at + 1], pair[at + 2], pair[at + 3]]);
            *point = (word(0), word(4));
        }
        self.local = BATCH;
        vm.truncate_text(self.sink, from);
    }

    /// Goes back to the last choice; false if there is none in the array.
    fn backtrack(&mut self) -> bool {
        while self.local > 0 {
            self.local -= 1;
            let (a, b) = self.points[self.local];
            if a & RESTORE == 0 {
                (self.pc, self.position) = (a as usize, b as usize);
                return true;
            }
            self.slots[(a & !RESTORE) as usize % MAX_SLOTS] = b;
        }
        // Nothing matches here, so that a run that goes on fails again.
        self.pc = usize::MAX;
        false
    }

    fn push(&mut self, point: Point) {
        self.points[self.local] = point;
        self.local += 1;
    }

    /// Runs until something has to be done outside.
    fn run(&mut self, program: &[u8], text: &[u8]) -> Pause {
        for _ in 0..STEPS {
            let Some(&[instruction, operand]) = program.get(self.pc..).and_then(|rest| rest.first_chunk())
            else {
                // The last instruction has no operand.
                if program.get(self.pc) == Some(&MATCHED) {
                    return Pause::Matched;
                }
                if self.backtrack() {
                    continue;
                }
                return Pause::Empty;
            };
            let target = (self.pc + 2).wrapping_add_signed(isize::from(operand as i8));
            let byte = text.get(self.position).copied();
            if self.local == LOCAL && matches!(instruction, SAVE | SPLIT | SPLIT_BACK) {
                return Pause::Full;
            }
            // How far the instruction goes on in program and text, if it matches.
            let step = match instruction {
                CHAR => (byte == Some(operand)).then_some((2, 1)),
                ANY => byte.map(|_| (1, 1)),
                NAMED_CLASS => byte.filter(|byte| in_named_class(operand, *byte)).map(|_| (2, 1)),
                CLASS | CLASS_NOT => {
                    let pairs = &program[self.pc + 2..][..2 * usize::from(operand)];
                    byte.filter(|byte| in_class(pairs, *byte) == (instruction == CLASS))
                        .map(|_| (2 + pairs.len(), 1))
                }
                SAVE => {
                    let slot = usize::from(operand) % MAX_SLOTS;
                    self.push((RESTORE | slot as u32, self.slots[slot]));
                    self.slots[slot] = self.position as u32;
                    Some((2, 0))
                }
                JUMP => {
                    self.pc = target;
                    continue;
                }
                SPLIT => {
                    self.push((target as u32, self.position as u32));
                    Some((2, 0))
                }
                SPLIT_BACK => {
                    self.push((self.pc as u32 + 2, self.position as u32));
                    self.pc = target;
                    continue;
                }
                START => (self.position == 0).then_some((1, 0)),
                END => byte.is_none().then_some((1, 0)),
                _ => return Pause::Matched,
            };
            match step {
                Some((ahead, consumed)) => {
                    self.pc += ahead;
                    self.position += consumed;
                }
                None if self.backtrack() => {}
                None => return Pause::Empty,
            }
        }
        Pause::Steps
    }
}

fn in_class(pairs: &[u8], byte: u8) -> bool {
    pairs.chunks_exact(2).any(|pair| match *pair {
        [0, letter] => in_named_class(letter, byte),
        [first, last] => (first..=last).contains(&byte),
        _ => false,
    })
}

fn in_named_class(letter: u8, byte: u8) -> bool {
    let inside = match letter | 0x20 {
        b'd' => byte.is_ascii_digit(),
        b's' => matches!(byte, b' ' | 9..=13),
        _ => byte.is_ascii_alphanumeric() || byte == b'_',
    };
    inside == letter.is_ascii_lowercase()
}
