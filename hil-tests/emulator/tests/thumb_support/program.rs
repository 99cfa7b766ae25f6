//! A program of random cases. It begins with its vector table; code is position-dependent and lies at address 0.

use super::templates::BASE;

/// Where results are: 16 MB of RAM.
pub const PSRAM: u32 = 0x2100_0000;
/// The first word of the PSRAM when the program is done.
pub const DONE: u32 = 0x600d_600d;
/// Operands of all cases.
const OPERANDS: u32 = 0x0010_0000;
/// Where instructions load and store.
pub const SCRATCH: u32 = PSRAM + 0x10_0000;
/// Where registers are stored.
pub const RESULTS: u32 = PSRAM + 0x20_0000;
/// Bytes that a case stores: 32 floats, FPSCR, APSR, r0 to r12, lr.
pub const CASE_BYTES: usize = 4 * (32 + 1 + 1 + 14);
/// Words that a case loads: 32 floats, r0 to r12.
const OPERAND_WORDS: usize = 32 + 13;

/// The program, and what is in it.
pub struct Program {
    /// From address 0.
    pub code: Vec<u8>,
    name: String,
    cases: Vec<Vec<u16>>,
    operands: Vec<u32>,
}

/// A small generator, so that a seed names a program for ever.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.next() % limit
    }

    /// An operand: often one at which something changes.
    fn operand(&mut self) -> u32 {
        const EDGES: [u32; 12] = [
            0,
            1,
            u32::MAX,
            0x7fff_ffff,
            0x8000_0000,
            0x8000_0001,
            0x7fff,
            0x8000,
            0xffff,
            0x8000_8000,
            0x7fff_7fff,
            32,
        ];
        if self.below(3) == 0 { EDGES[self.below(12) as usize] } else { self.next() }
    }

    fn float(&mut self) -> u32 {
        const EDGES: [f32; 10] = [
            0.0,
            -0.0,
            1.0,
            -1.5,
            f32::INFINITY,
            f32::NEG_INFINITY,
            65504.0,
            1e-5,
            2_147_483_648.0,
            -4_294_967_296.0,
        ];
        match self.below(4) {
            0 => EDGES[self.below(10) as usize].to_bits(),
            // Near one, so that products and sums stay numbers.
            1 | 2 => (self.next() & 0x803f_ffff | 0x3f00_0000) + (self.below(16) << 23),
            _ => self.next(),
        }
    }
}

/// Fills the fields of an encoding.
fn encode(template: &str, random: &mut Random) -> Vec<u16> {
    template
        .split(' ')
        .map(|word| {
            let mut value = 0;
            let letters: Vec<char> = word.chars().collect();
            let mut at = 0;
            while at < letters.len() {
                let letter = letters[at];
                let width = letters[at..].iter().take_while(|other| **other == letter).count();
                let field = match letter {
                    '0' => 0,
                    '1' => (1 << width) - 1,
                    'b' => BASE,
                    // No base register, stack pointer or program counter; the link register is any other.
                    'd' | 'n' | 'm' | 'a' | 't' if width == 4 => {
                        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14][random.below(13) as usize]
                    }
                    _ => random.below(1 << width),
                };
                value = value << width | field as u16;
                at += width;
            }
            value
        })
        .collect()
}

/// MOVW and MOVT of a constant.
fn load_constant(register: u16, value: u32) -> [u16; 4] {
    let half = |opcode: u16, half: u32| {
        let half = half as u16;
        [opcode | (half >> 11 & 1) << 10 | half >> 12, (half >> 8 & 7) << 12 | register << 8 | half & 0xff]
    };
    let [a, b] = half(0xf240, value & 0xffff);
    let [c, d] = half(0xf2c0, value >> 16);
    [a, b, c, d]
}

impl std::fmt::Debug for Program {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.name)
    }
}

impl Program {
    /// Cases of `length` instructions each.
    pub fn random(name: String, templates: &[&str], count: usize, length: usize, seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let cases: Vec<Vec<u16>> = (0..count).map(|_| case(templates, length, &mut random)).collect();
        let operands = (0..count * OPERAND_WORDS)
            .map(|index| if index % OPERAND_WORDS < 32 { random.float() } else { random.operand() })
            .collect();
        let mut this = Self { code: Vec::new(), name, cases, operands };
        this.link();
        this
    }

    fn link(&mut self) {
        let mut words: Vec<u16> = Vec::new();
        // The stack pointer, where to begin, and faults begin the end.
        let begin = 0x40_u32;
        words.extend([0x8000, 0x2000, begin as u16 | 1, 0]);
        words.resize(begin as usize / 2, 0);
        // CPACR: floating point on.
        words.extend(load_constant(0, 0xe000_ed88));
        words.extend(load_constant(1, 0x00f0_0000));
        words.extend([0x6001, 0xf3bf, 0x8f6f]); // str r1, [r0]; isb
        for (index, case) in self.cases.iter().enumerate() {
            let operands = OPERANDS + (index * OPERAND_WORDS * 4) as u32;
            words.extend(load_constant(14, RESULTS + ((index + 1) * CASE_BYTES) as u32));
            words.push(0x46f5); // mov sp, lr
            words.extend(load_constant(14, operands));
            words.extend([0xecbe, 0x0a20]); // vldmia lr!, {s0-s31}
            words.extend([0xe8be, 0x1fff]); // ldmia lr!, {r0-r12}
            words.extend(load_constant(14, 0));
            words.extend([0xeee1, 0xea10]); // vmsr fpscr, lr
            words.extend([0xf38e, 0x8c00]); // msr apsr_nzcvqg, lr
            words.extend(load_constant(BASE as u16, SCRATCH + index as u32 * 1024));
            words.extend(case);
            words.extend([0xe92d, 0x5fff]); // push {r0-r12, lr}
            words.extend([0xf3ef, 0x8000]); // mrs r0, apsr
            words.push(0xb401); // push {r0}
            words.extend([0xeef1, 0x0a10]); // vmrs r0, fpscr
            words.extend(load_constant(1, 0xf000_0000)); // N, Z, C, V alone
            words.push(0x4008); // ands r0, r1
            words.push(0xb401); // push {r0}
            words.extend([0xed2d, 0x0a20]); // vpush {s0-s31}
        }
        words.extend(load_constant(0, PSRAM));
        words.extend(load_constant(1, DONE));
        words.extend([0x6001, 0xe7fe]); // str r1, [r0]; b .
        let mut code: Vec<u8> = words.into_iter().flat_map(u16::to_le_bytes).collect();
        assert!(code.len() <= OPERANDS as usize, "the code overlaps its operands");
        code.resize(OPERANDS as usize, 0);
        code.extend(self.operands.iter().flat_map(|word| word.to_le_bytes()));
        self.code = code;
    }

    /// What a case was, and what differs.
    pub fn explain(&self, case: usize, ours: &[u8], theirs: &[u8]) -> String {
        let mut text = format!("case {case}: {:04x?}\n", self.cases[case]);
        let operands = &self.operands[case * OPERAND_WORDS..][..OPERAND_WORDS];
        text += &format!("floats {:x?}\nregisters {:x?}\n", &operands[..32], &operands[32..]);
        for (index, (ours, theirs)) in ours.chunks(4).zip(theirs.chunks(4)).enumerate() {
            let name = match index {
                0..32 => format!("s{index}"),
                32 => "fpscr".into(),
                33 => "apsr".into(),
                47 => "lr".into(),
                _ => format!("r{}", index - 34),
            };
            let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
            if ours != theirs {
                text += &format!("{name}: ours {:08x}, QEMU's {:08x}\n", word(ours), word(theirs));
            }
        }
        text
    }
}

/// Instructions, now and then in an IT block.
fn case(templates: &[&str], length: usize, random: &mut Random) -> Vec<u16> {
    let mut words = Vec::new();
    let mut left = length;
    while left > 0 {
        let any = |random: &mut Random| templates[random.below(templates.len() as u32) as usize];
        if random.below(4) == 0 {
            let count = (1 + random.below(4)).min(left as u32);
            words.push(if_then(count, random));
            for _ in 0..count {
                words.extend(encode(any(random), random));
            }
            left -= count as usize;
        } else {
            words.extend(encode(any(random), random));
            left -= 1;
        }
    }
    words
}

/// An IT instruction for a number of instructions.
fn if_then(count: u32, random: &mut Random) -> u16 {
    let condition = random.below(14);
    let end = 1 << (4 - count);
    let others = random.below(16) & !(2 * end - 1);
    (0xbf00 | condition << 4 | others | end) as u16
}
