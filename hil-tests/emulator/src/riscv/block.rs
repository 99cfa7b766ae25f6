//! The cache of decoded blocks.
//!
//! A direct-mapped table of [`Slot`]s is looked at first; behind it a map keeps every block that was decoded, so that two
//! hot blocks that share a slot are not decoded again and again. Every block has an array of operations of its own, of fixed
//! size and closed by [`Code::End`], so that execution checks neither bounds nor length.

use super::Bus;
use super::decode::{decode, expand};
use super::op::{Code, Op, SINK};
use crate::memory::Memory;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// Slots of the direct-mapped table.
const SLOTS: usize = 1 << 16;
/// Room for a block's operations; a power of two.
pub const ROOM: usize = 32;
/// Longest block; bounds the time between two looks at interrupts.
const MAX_OPS: usize = ROOM - 1;
/// Cycles after which a block ends, so that a count fits eight bits.
const MAX_CYCLES: u8 = 200;
/// Early exits in a row after which a block is decoded again along its exit.
const HOT: u8 = 16;
/// Changes of opinion on one branch at most.
const MAX_CHANGES: u8 = 4;
/// A program counter that no block has (odd).
const NO_PC: u32 = 1;

/// Where a block's operations are and what it costs.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// Address of the first instruction.
    pub pc: u32,
    /// Address behind the last instruction.
    pub end: u32,
    /// Where its operations are.
    pub body: u32,
    /// Cycles that a whole pass takes.
    pub cycles: u8,
    /// Operations.
    pub len: u8,
    /// Times in a row that the block was left through a branch in its middle.
    exits: u8,
    /// Whether the block is a loop that only waits.
    pub idle: Idle,
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

/// A block's operations, with [`Code::End`] behind them.
pub type Body = [Op; ROOM];

const END: Op = Op { code: Code::End, rd: SINK, a: 0, b: 0, imm: 0 };

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
    bodies: Vec<Body>,
    /// The address of each operation.
    places: Vec<[u32; ROOM]>,
    /// Branches that blocks follow to their target, with the times that the opinion on them changed.
    taken: HashMap<u32, u8, Hasher>,
}

const _: () = assert!(size_of::<Slot>() == 16);

const EMPTY: Slot = Slot { pc: NO_PC, end: 0, body: 0, len: 0, cycles: 0, exits: 0, idle: Idle::No };

impl Blocks {
    pub fn new() -> Self {
        let slots: Box<[Slot; SLOTS]> =
            vec![EMPTY; SLOTS].try_into().unwrap_or_else(|_| unreachable!("the length is SLOTS"));
        Self {
            slots,
            all: HashMap::default(),
            bodies: Vec::new(),
            places: Vec::new(),
            taken: HashMap::default(),
        }
    }

    /// Drops all blocks.
    pub fn clear(&mut self) {
        self.slots.fill(EMPTY);
        self.all.clear();
        self.bodies.clear();
        self.places.clear();
    }

    fn index(pc: u32) -> usize {
        (pc >> 1) as usize & (SLOTS - 1)
    }

    /// Makes sure that the block at `pc` is in its slot.
    #[inline(always)]
    pub fn find<B: Bus>(&mut self, bus: &mut B, pc: u32) {
        if self.slots[Self::index(pc)].pc != pc {
            self.fill(bus, pc);
        }
    }

    /// The slot of the block at `pc`; [`Blocks::find`] comes first.
    #[inline(always)]
    pub fn at(&self, pc: u32) -> &Slot {
        &self.slots[Self::index(pc)]
    }

    #[cold]
    #[inline(never)]
    fn fill<B: Bus>(&mut self, bus: &mut B, pc: u32) {
        let slot = match self.all.get(&pc) {
            Some(&slot) => slot,
            None => {
                let slot = self.decode(bus, pc);
                self.all.insert(pc, slot);
                slot
            }
        };
        self.slots[Self::index(pc)] = slot;
    }

    /// A block's operations.
    #[inline(always)]
    pub fn ops(&self, slot: &Slot) -> &Body {
        &self.bodies[slot.body as usize]
    }

    /// The address of operation `index` of a block.
    #[must_use]
    pub fn place(&self, slot: &Slot, index: usize) -> u32 {
        self.places[slot.body as usize][index % ROOM]
    }

    /// Notes that the block at `pc` was executed up to operation `len`; a branch in its middle that is taken again and again
    /// becomes the way that the block goes.
    #[inline(always)]
    pub fn note_exit(&mut self, pc: u32, len: u32) {
        let slot = &mut self.slots[Self::index(pc)];
        if len == u32::from(slot.len) {
            slot.exits = 0;
        } else {
            slot.exits += 1;
            if slot.exits == HOT {
                self.follow(pc, len as usize - 1);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn follow(&mut self, pc: u32, index: usize) {
        let slot = &mut self.slots[Self::index(pc)];
        slot.exits = 0;
        let branch = self.places[slot.body as usize][index % ROOM];
        let changes = self.taken.entry(branch).or_insert(0);
        if *changes < MAX_CHANGES {
            *changes += 1;
            slot.pc = NO_PC;
            self.all.remove(&pc);
        }
    }

    /// Whether a block goes on at the target of the branch at `pc`.
    fn follows(&self, pc: u32) -> bool {
        self.taken.get(&pc).is_some_and(|changes| changes % 2 != 0)
    }

    /// Decodes from `pc` on, through direct jumps and calls, and through branches in the direction that they are believed to
    /// go; in the other direction they leave the block early.
    fn decode<B: Bus>(&mut self, bus: &mut B, pc: u32) -> Slot {
        let (mut body, mut places, mut len) = ([END; ROOM], [pc; ROOM], 0);
        let (mut at, mut end, mut cycles, mut run) = (pc, pc, 0, pc);
        while len < MAX_OPS && cycles < MAX_CYCLES {
            let (mut op, size) = fetch(bus.memory(), at);
            let behind = at.wrapping_add(size);
            end = behind;
            cycles += op.cycles();
            places[len] = at;
            let mut goes_on = !op.ends_block();
            if op.is_branch() {
                op.rd = cycles;
                // A loop onto the block itself ends it, so that waiting is recognised.
                goes_on = op.imm != pc && (op.imm > at || self.follows(at));
                if goes_on && self.follows(at) {
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
            body[len] = op;
            len += 1;
            if end != behind || !goes_on {
                bus.memory().mark_code(run, behind.wrapping_sub(run));
                run = end;
            }
            if !goes_on {
                break;
            }
            at = end;
        }
        bus.memory().mark_code(run, end.wrapping_sub(run));
        self.bodies.push(body);
        self.places.push(places);
        Slot {
            pc,
            end,
            body: u32::try_from(self.bodies.len() - 1).expect("there are far less than 4 Gi blocks"),
            len: len as u8,
            cycles,
            exits: 0,
            idle: idle_kind(&body[..len], pc),
        }
    }
}

/// Fetches and decodes the instruction at `pc`; gives its size in bytes.
fn fetch(memory: &Memory, pc: u32) -> (Op, u32) {
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
        Code::Beq | Code::Bne | Code::Blt | Code::Bge | Code::Bltu | Code::Bgeu => last.imm == pc,
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
