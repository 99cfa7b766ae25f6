//! The cache of decoded blocks.
//!
//! A direct-mapped table of [`Slot`]s is looked at first; behind it a map keeps every block that was decoded, so that two
//! hot blocks that share a slot are not decoded again and again. A block's operations are executed as a list of steps, of
//! which each does one or a sequence of them. To go on in the middle of a block there are lists of its tails, made when they
//! are needed. Lists are in one pool, begin with a chunk and are closed by [`Code::End`].

use super::decode::{decode, expand};
use super::op::{Code, Op, SINK, Step};
use crate::memory::{Memory, View};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// Slots of the direct-mapped table.
const SLOTS: usize = 1 << 16;
/// Longest block.
const MAX_OPS: usize = 22;
/// Longest block when it is an unrolled loop.
const MAX_UNROLLED: usize = 62;
/// Cycles after which a block ends: a count must fit eight bits, and interrupts are looked at between blocks.
const MAX_CYCLES: u8 = 200;
const NOTHING: Op = Op { code: Code::End, rd: SINK, a: 0, b: 0, imm: 0 };
/// Closes a list of steps.
const END: Step = Step::one(NOTHING, 0);
/// Decoded instructions that are kept.
const KNOWN: usize = 1 << 14;
/// Steps that are executed without a check between them; lists are filled up.
const CHUNK: usize = 4;
/// Chunks that fit before the pool grows.
const POOL: usize = 1 << 14;
/// Turns of a loop after which it is unrolled, and early exits in a row after which a block is decoded again along its exit.
pub const HOT: u8 = 16;
/// Changes of opinion on one branch at most.
const MAX_CHANGES: u8 = 4;
/// A program counter that no block has (odd).
const NO_PC: u32 = 1;

/// Where a block's operations are and what it costs.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub struct Slot {
    /// Address of the first instruction.
    pub pc: u32,
    /// Address behind the last instruction.
    pub end: u32,
    /// The chunk with which its steps begin.
    pub steps: u32,
    /// The first of its operations.
    pub ops: u32,
    /// Cycles that a whole pass takes.
    pub cycles: u8,
    /// Operations.
    pub len: u8,
    /// Times in a row that the block was left through a branch in its middle.
    pub exits: u8,
    /// Turns of the loop that the block is; counts around.
    pub turns: u8,
    /// Whether the block is a loop that only waits.
    pub idle: Idle,
}

const _: () = assert!(size_of::<Slot>() == 32);

/// The chunk of a list that is not made yet.
pub const NO_LIST: u32 = u32::MAX;

/// An operation, where it is in its block and in memory, and where the block ends in memory.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    pub op: Op,
    pub index: usize,
    pub place: u32,
    pub end: u32,
}

/// What a block that jumps to itself waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Idle {
    /// It does not wait.
    No,
    /// It carries nothing from turn to turn: if nothing outside changes, it spins.
    Spin,
    /// It reads the cycle counter until enough have passed.
    Delay,
}

/// Hashes addresses of instructions; the default hasher's resistance against chosen keys is not needed here.
#[derive(Clone, Copy, Debug, Default)]
struct AddressHash(u64);

type Hasher = BuildHasherDefault<AddressHash>;

impl std::hash::Hasher for AddressHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u32(u32::from(byte)));
    }

    fn write_u32(&mut self, value: u32) {
        self.0 = (self.0.rotate_left(5) ^ u64::from(value)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// The cache.
#[derive(Clone)]
pub struct Blocks {
    slots: Box<[Slot; SLOTS]>,
    all: HashMap<u32, Slot, Hasher>,
    /// The operations of all blocks, each block closed by [`NOTHING`].
    ops: Vec<Op>,
    /// The address of each operation.
    places: Vec<u32>,
    /// The list of steps from each operation to its block's end, if it was needed.
    tails: Vec<u32>,
    /// The lists of steps.
    pool: Vec<[Step; CHUNK]>,
    /// Instructions decoded last, each with its address and size.
    known: Vec<(u32, Op, u32)>,
    /// How often the opinion on branches changed; those with an odd count are followed to their target.
    taken: HashMap<u32, u8, Hasher>,
}

const EMPTY: Slot =
    Slot { pc: NO_PC, end: 0, steps: 0, ops: 0, len: 0, cycles: 0, exits: 0, turns: 0, idle: Idle::No };

/// Number of the slot for the block at `pc`.
#[inline(always)]
pub fn slot_of(pc: u32) -> usize {
    (pc >> 1) as usize & (SLOTS - 1)
}

impl Blocks {
    pub fn new() -> Self {
        let slots: Box<[Slot; SLOTS]> =
            vec![EMPTY; SLOTS].try_into().unwrap_or_else(|_| unreachable!("the length is SLOTS"));
        Self {
            slots,
            all: HashMap::default(),
            ops: Vec::with_capacity(CHUNK * POOL),
            places: Vec::with_capacity(CHUNK * POOL),
            tails: Vec::with_capacity(CHUNK * POOL),
            pool: Vec::with_capacity(POOL),
            known: vec![(NO_PC, NOTHING, 0); KNOWN],
            taken: HashMap::default(),
        }
    }

    /// Drops all blocks.
    pub fn clear(&mut self) {
        self.slots.fill(EMPTY);
        self.all.clear();
        self.ops.clear();
        self.places.clear();
        self.tails.clear();
        self.pool.clear();
        self.known.fill((NO_PC, NOTHING, 0));
    }

    /// All slots, the steps of all blocks, and for each operation the chunk with which the steps from it on begin.
    #[inline(always)]
    pub fn parts(&mut self) -> (&mut [Slot; SLOTS], &[[Step; CHUNK]], &[u32]) {
        (&mut self.slots, &self.pool, &self.tails)
    }

    /// The slot of the block at `pc`, which is there.
    #[must_use]
    pub fn at(&self, pc: u32) -> &Slot {
        &self.slots[slot_of(pc)]
    }

    /// Puts the block at `pc` in its slot.
    #[cold]
    #[inline(never)]
    pub fn fill(&mut self, memory: &mut Memory, pc: u32) {
        let slot = match self.all.get(&pc) {
            Some(&slot) => slot,
            None => {
                let slot = self.decode(memory, pc);
                self.all.insert(pc, slot);
                slot
            }
        };
        self.slots[slot_of(pc)] = slot;
    }

    /// A block's operations.
    #[must_use]
    pub fn ops(&self, slot: &Slot) -> &[Op] {
        &self.ops[slot.ops as usize..][..usize::from(slot.len)]
    }

    /// The address of operation `index` of a block.
    #[must_use]
    pub fn place(&self, slot: &Slot, index: usize) -> u32 {
        self.places[slot.ops as usize + index]
    }

    /// Operation `index` of the block at `pc`, which is in its slot.
    #[must_use]
    pub fn operation(&self, pc: u32, index: usize) -> Operation {
        let slot = self.at(pc);
        Operation {
            op: self.ops[slot.ops as usize + index],
            index,
            place: self.place(slot, index),
            end: slot.end,
        }
    }

    /// Makes the list of steps from operation `index` on of the block at `pc`, which is in its slot.
    #[cold]
    #[inline(never)]
    pub fn list_tail(&mut self, pc: u32, index: usize) {
        let slot = self.at(pc);
        let first = slot.ops as usize;
        let ops = &self.ops[first..][..usize::from(slot.len)];
        self.tails[first + index] = add_list(&mut self.pool, ops, index);
    }

    /// The block at `pc` was left again and again through the branch that is operation `index`: it becomes the way that the
    /// block goes.
    #[cold]
    #[inline(never)]
    pub fn follow(&mut self, pc: u32, index: usize) {
        let slot = self.at(pc);
        let unrolled = index + 1 < usize::from(slot.len) && self.place(slot, index + 1) == pc;
        if unrolled {
            // A loop that never makes all the turns there is room for; those that it makes are worth it.
            self.slots[slot_of(pc)].exits = 0;
            return;
        }
        self.change(pc, opinion(self.place(slot, index), false));
    }

    /// The loop that is the block at `pc` made many turns: it is unrolled.
    #[cold]
    #[inline(never)]
    pub fn unroll(&mut self, pc: u32) {
        let slot = self.at(pc);
        let opinion = opinion(self.place(slot, usize::from(slot.len) - 1), true);
        if !self.follows(opinion) {
            self.change(pc, opinion);
        }
    }

    /// Changes the opinion on a branch, and has the block decoded again.
    fn change(&mut self, pc: u32, opinion: u32) {
        let slot = &mut self.slots[slot_of(pc)];
        slot.exits = 0;
        let changes = self.taken.entry(opinion).or_insert(0);
        if *changes < MAX_CHANGES {
            *changes += 1;
            slot.pc = NO_PC;
            self.all.remove(&pc);
        }
    }

    /// Whether a block goes on at the target of the branch of which this is thought.
    fn follows(&self, opinion: u32) -> bool {
        self.taken.get(&opinion).is_some_and(|changes| changes % 2 != 0)
    }

    /// The instruction at `pc` and its size in bytes; many blocks share their instructions.
    fn instruction(&mut self, memory: &mut Memory, pc: u32) -> (Op, u32) {
        let known = &mut self.known[(pc >> 1) as usize % KNOWN];
        if known.0 != pc {
            let (op, size) = fetch(&memory.view(), pc);
            *known = (pc, op, size);
        }
        (known.1, known.2)
    }

    /// Decodes from `pc` on, through direct jumps and calls, and through branches in the direction that they are believed to
    /// go; in the other direction they leave the block early.
    fn decode(&mut self, memory: &mut Memory, pc: u32) -> Slot {
        let first = self.ops.len();
        // Length of a loop's turn, less its branch.
        let mut turn = None;
        let (mut at, mut end, mut cycles, mut run) = (pc, pc, 0, pc);
        loop {
            let len = self.ops.len() - first;
            if len >= if turn.is_some() { MAX_UNROLLED } else { MAX_OPS } || cycles >= MAX_CYCLES {
                break;
            }
            let (mut op, size) = self.instruction(memory, at);
            let behind = at.wrapping_add(size);
            end = behind;
            cycles += op.cycles();
            self.places.push(at);
            let mut goes_on = !op.ends_block();
            if op.is_branch() {
                op.rd = cycles;
                let follows = self.follows(opinion(at, false));
                // A loop onto the block itself that waits ends it, so that this is recognised; another one is unrolled as
                // often as there is room.
                let unrolls = op.imm == pc
                    && self.follows(opinion(at, true))
                    && len + *turn.get_or_insert(len) + 2 <= MAX_UNROLLED
                    && idle_kind(&[&self.ops[first..], &[op]].concat(), pc) == Idle::No;
                goes_on = unrolls || op.imm != pc && (op.imm > at || follows);
                if goes_on && (follows || unrolls) {
                    std::mem::swap(&mut op.imm, &mut end);
                    op.code = op.code.inverted();
                }
            } else if op.code == Code::Jal && op.imm != pc && op.imm & 1 == 0 {
                // The jump itself is done now; what remains of it is the return address.
                let target = op.imm;
                op = Op { code: Code::Li, imm: end, ..op };
                end = target;
                goes_on = true;
            }
            self.ops.push(op);
            if end != behind || !goes_on {
                memory.mark_code(run, behind.wrapping_sub(run));
                run = end;
            }
            if !goes_on {
                break;
            }
            at = end;
        }
        memory.mark_code(run, end.wrapping_sub(run));
        let ops = &self.ops[first..];
        let (len, idle) = (ops.len() as u8, idle_kind(ops, pc));
        let steps = add_list(&mut self.pool, ops, 0);
        self.ops.push(NOTHING);
        self.places.push(end);
        self.tails.resize(self.ops.len(), NO_LIST);
        let ops = u32::try_from(first).expect("there are far less than 4 Gi operations");
        Slot { pc, end, steps, ops, len, cycles, exits: 0, turns: 0, idle }
    }
}

/// Adds the list of the steps from operation `from` on to `pool`; gives the chunk with which it begins.
fn add_list(pool: &mut Vec<[Step; CHUNK]>, ops: &[Op], from: usize) -> u32 {
    let first = u32::try_from(pool.len()).expect("there are far less than 4 Gi steps");
    let (mut chunk, mut filled, mut done) = ([END; CHUNK], 0, from);
    while let Some((step, count)) = Step::most(&ops[done..], done as u8) {
        chunk[filled] = step;
        done += count;
        filled += 1;
        if filled == CHUNK {
            pool.push(chunk);
            (chunk, filled) = ([END; CHUNK], 0);
        }
    }
    pool.push(chunk);
    first
}

/// Key of what is thought of the branch at `pc`: as the one that a loop is unrolled at, or as any other.
fn opinion(pc: u32, unrolled: bool) -> u32 {
    pc | u32::from(unrolled)
}

/// Fetches and decodes the instruction at `pc`; gives its size in bytes.
fn fetch(memory: &View<'_>, pc: u32) -> (Op, u32) {
    let fault = (Op { code: Code::FetchFault, rd: SINK, a: 0, b: 0, imm: pc }, 2);
    let Some(low) = memory.load16(pc) else { return fault };
    if low & 3 != 3 {
        return (decode(expand(u32::from(low)), pc), 2);
    }
    let Some(high) = memory.load16(pc.wrapping_add(2)) else { return fault };
    (decode(u32::from(high) << 16 | u32::from(low), pc), 4)
}

/// Whether the block jumps to itself and computes the same in every turn as long as what it loads stays the same.
fn idle_kind(ops: &[Op], pc: u32) -> Idle {
    let Some((last, body)) = ops.split_last() else { return Idle::No };
    let closes = match last.code {
        _ if last.is_branch() => last.imm == pc,
        Code::Jal => last.imm == pc && last.rd == SINK,
        _ => false,
    };
    if closes && is_delay(ops) {
        return Idle::Delay;
    }
    if !closes || !body.iter().all(|op| op.is_plain() || op.is_load() || op.is_branch()) {
        return Idle::No;
    }
    let written_in_turn = body.iter().filter(|op| !op.is_branch()).fold(0u64, |set, op| set | 1 << op.rd);
    let mut written_so_far = 1u64 << SINK;
    for op in ops {
        let reads = 1u64 << op.a | if uses_b(*op) { 1 << op.b } else { 0 };
        let carried = reads & written_in_turn & !written_so_far;
        if carried != 0 && op.code != Code::Li {
            return Idle::No;
        }
        if !op.is_branch() {
            written_so_far |= 1 << op.rd;
        }
    }
    Idle::Spin
}

/// `csrr now; sub passed, now, since; bltu passed, limit`: the ROM's and ESP-IDF's delay loop.
fn is_delay(ops: &[Op]) -> bool {
    let [count, difference, branch] = ops else { return false };
    count.code == Code::Cycles
        && difference.code == Code::Sub
        && branch.code == Code::Bltu
        && difference.a == count.rd
        && branch.a == difference.rd
        && ![count.rd, difference.rd].contains(&branch.b)
        && ![count.rd, difference.rd].contains(&difference.b)
}

fn uses_b(op: Op) -> bool {
    !matches!(
        op.code,
        Code::Li
            | Code::Addi
            | Code::Slti
            | Code::Sltiu
            | Code::Xori
            | Code::Ori
            | Code::Andi
            | Code::Slli
            | Code::Srli
            | Code::Srai
            | Code::Mv
            | Code::Beqz
            | Code::Bnez
            | Code::Nop
            | Code::Jal
    ) && !op.is_load()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ops(words: &[u32]) -> Vec<Op> {
        words.iter().enumerate().map(|(i, &w)| decode(w, 0x4000_0000 + 4 * i as u32)).collect()
    }

    #[test]
    fn polling_is_idle_and_counting_is_not() {
        // lw a5, 0(a4); andi a5, a5, 1; beqz a5, start
        assert_eq!(idle_kind(&ops(&[0x0007_2783, 0x0017_F793, 0xFE07_8CE3]), 0x4000_0000), Idle::Spin);
        // addi a5, a5, -1; bnez a5, start
        assert_eq!(idle_kind(&ops(&[0xFFF7_8793, 0xFE07_9EE3]), 0x4000_0000), Idle::No);
        // j .
        assert_eq!(idle_kind(&ops(&[0x0000_006F]), 0x4000_0000), Idle::Spin);
        // sw a5, 0(a4); j start
        assert_eq!(idle_kind(&ops(&[0x00F7_2023, 0xFFDF_F06F]), 0x4000_0000), Idle::No);
        // csrr a5, mpccr; sub a5, a5, a4; bltu a5, a0, start
        assert_eq!(idle_kind(&ops(&[0x7E20_27F3, 0x40E7_87B3, 0xFEA7_ECE3]), 0x4000_0000), Idle::Delay);
    }
}
