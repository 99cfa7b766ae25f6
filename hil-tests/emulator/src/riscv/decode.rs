//! RV32IMC instruction words to [`Op`]s. Source: RISC-V unprivileged specification, chapters "RV32I", "M" and "C".

use super::csr::{CYCLES, USER_CYCLES};
use super::op::{Code, Op, SINK};

fn sign(value: u32, bits: u32) -> u32 {
    (((value << (32 - bits)) as i32) >> (32 - bits)) as u32
}

fn bits(word: u32, high: u32, low: u32) -> u32 {
    (word >> low) & ((1 << (high - low + 1)) - 1)
}

/// Decodes the 32-bit instruction `word` at `pc`.
#[must_use]
pub fn decode(word: u32, pc: u32) -> Op {
    literally(word, pc).simplified()
}

fn literally(word: u32, pc: u32) -> Op {
    let rd = bits(word, 11, 7) as u8;
    let rd = if rd == 0 { SINK } else { rd };
    let (a, b) = (bits(word, 19, 15) as u8, bits(word, 24, 20) as u8);
    let funct3 = bits(word, 14, 12);
    let immediate = ((word as i32) >> 20) as u32;
    let op = |code, imm| Op { code, rd, a, b, imm };
    let illegal = Op { code: Code::Illegal, rd: SINK, a: 0, b: 0, imm: word };
    match word & 0x7F {
        0x37 => op(Code::Li, word & 0xFFFF_F000),
        0x17 => op(Code::Li, pc.wrapping_add(word & 0xFFFF_F000)),
        0x6F => op(Code::Jal, pc.wrapping_add(jump_offset(word))),
        0x67 if funct3 == 0 => op(Code::Jalr, immediate),
        0x63 => branch(funct3).map_or(illegal, |code| op(code, pc.wrapping_add(branch_offset(word)))),
        0x03 => load(funct3).map_or(illegal, |code| op(code, immediate)),
        0x23 => store(funct3)
            .map_or(illegal, |code| op(code, sign(bits(word, 31, 25) << 5 | bits(word, 11, 7), 12))),
        0x13 => with_immediate(word, funct3).map_or(illegal, |(code, imm)| op(code, imm)),
        0x33 => with_register(word, funct3).map_or(illegal, |code| op(code, 0)),
        0x0F if funct3 == 0 => op(Code::Nop, 0),
        0x0F if funct3 == 1 => op(Code::FenceI, 0),
        0x73 if reads_cycles(word, funct3) => op(Code::Cycles, 0),
        0x73 => system(word, funct3).map_or(illegal, |code| op(code, word)),
        _ => illegal,
    }
}

fn jump_offset(word: u32) -> u32 {
    sign(
        bits(word, 31, 31) << 20
            | bits(word, 19, 12) << 12
            | bits(word, 20, 20) << 11
            | bits(word, 30, 21) << 1,
        21,
    )
}

fn branch_offset(word: u32) -> u32 {
    sign(
        bits(word, 31, 31) << 12 | bits(word, 7, 7) << 11 | bits(word, 30, 25) << 5 | bits(word, 11, 8) << 1,
        13,
    )
}

fn branch(funct3: u32) -> Option<Code> {
    Some(match funct3 {
        0 => Code::Beq,
        1 => Code::Bne,
        4 => Code::Blt,
        5 => Code::Bge,
        6 => Code::Bltu,
        7 => Code::Bgeu,
        _ => return None,
    })
}

fn load(funct3: u32) -> Option<Code> {
    Some(match funct3 {
        0 => Code::Lb,
        1 => Code::Lh,
        2 => Code::Lw,
        4 => Code::Lbu,
        5 => Code::Lhu,
        _ => return None,
    })
}

fn store(funct3: u32) -> Option<Code> {
    Some(match funct3 {
        0 => Code::Sb,
        1 => Code::Sh,
        2 => Code::Sw,
        _ => return None,
    })
}

fn with_immediate(word: u32, funct3: u32) -> Option<(Code, u32)> {
    let immediate = ((word as i32) >> 20) as u32;
    let (upper, amount) = (bits(word, 31, 25), bits(word, 24, 20));
    Some(match (funct3, upper) {
        (0, _) => (Code::Addi, immediate),
        (1, 0) => (Code::Slli, amount),
        (2, _) => (Code::Slti, immediate),
        (3, _) => (Code::Sltiu, immediate),
        (4, _) => (Code::Xori, immediate),
        (5, 0) => (Code::Srli, amount),
        (5, 0x20) => (Code::Srai, amount),
        (6, _) => (Code::Ori, immediate),
        (7, _) => (Code::Andi, immediate),
        _ => return None,
    })
}

fn with_register(word: u32, funct3: u32) -> Option<Code> {
    const PLAIN: [Code; 8] =
        [Code::Add, Code::Sll, Code::Slt, Code::Sltu, Code::Xor, Code::Srl, Code::Or, Code::And];
    const MULTIPLY: [Code; 8] =
        [Code::Mul, Code::Mulh, Code::Mulhsu, Code::Mulhu, Code::Div, Code::Divu, Code::Rem, Code::Remu];
    match (bits(word, 31, 25), funct3) {
        (0, _) => Some(PLAIN[funct3 as usize]),
        (1, _) => Some(MULTIPLY[funct3 as usize]),
        (0x20, 0) => Some(Code::Sub),
        (0x20, 5) => Some(Code::Sra),
        _ => None,
    }
}

/// `csrr rd, mpccr`: the only CSR access that is worth a fast path, because delay loops consist of it.
fn reads_cycles(word: u32, funct3: u32) -> bool {
    let number = (word >> 20) as u16;
    funct3 == 2 && bits(word, 19, 15) == 0 && (number == CYCLES || number == USER_CYCLES)
}

fn system(word: u32, funct3: u32) -> Option<Code> {
    match (funct3, word) {
        (0, 0x0000_0073) => Some(Code::Ecall),
        (0, 0x0010_0073) => Some(Code::Ebreak),
        (0, 0x3020_0073) => Some(Code::Mret),
        (0, 0x1050_0073) => Some(Code::Wfi),
        (1..=3 | 5..=7, _) => Some(Code::Csr),
        _ => None,
    }
}

/// Expands the compressed instruction in the low half of `word` to its 32-bit form; 0, which is illegal, if it has none.
#[must_use]
pub fn expand(word: u32) -> u32 {
    let c = word & 0xFFFF;
    match (c & 3, bits(c, 15, 13)) {
        (0, funct) => quadrant0(c, funct),
        (1, funct) => quadrant1(c, funct),
        (2, funct) => quadrant2(c, funct),
        _ => 0,
    }
}

fn i_type(imm: u32, rs1: u32, funct3: u32, rd: u32, opcode: u32) -> u32 {
    (imm & 0xFFF) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
}

fn r_type(funct7: u32, rs2: u32, rs1: u32, funct3: u32, rd: u32) -> u32 {
    funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33
}

fn sw(imm: u32, rs2: u32, rs1: u32) -> u32 {
    bits(imm, 11, 5) << 25 | rs2 << 20 | rs1 << 15 | 2 << 12 | bits(imm, 4, 0) << 7 | 0x23
}

fn jal(imm: u32, rd: u32) -> u32 {
    bits(imm, 20, 20) << 31
        | bits(imm, 10, 1) << 21
        | bits(imm, 11, 11) << 20
        | bits(imm, 19, 12) << 12
        | rd << 7
        | 0x6F
}

fn branch_zero(imm: u32, rs1: u32, funct3: u32) -> u32 {
    bits(imm, 12, 12) << 31
        | bits(imm, 10, 5) << 25
        | rs1 << 15
        | funct3 << 12
        | bits(imm, 4, 1) << 8
        | bits(imm, 11, 11) << 7
        | 0x63
}

fn quadrant0(c: u32, funct: u32) -> u32 {
    let (rs1, rd) = (bits(c, 9, 7) + 8, bits(c, 4, 2) + 8);
    let word_offset = bits(c, 5, 5) << 6 | bits(c, 12, 10) << 3 | bits(c, 6, 6) << 2;
    match funct {
        0 => {
            let imm = bits(c, 10, 7) << 6 | bits(c, 12, 11) << 4 | bits(c, 5, 5) << 3 | bits(c, 6, 6) << 2;
            if imm == 0 { 0 } else { i_type(imm, 2, 0, rd, 0x13) }
        }
        2 => i_type(word_offset, rs1, 2, rd, 0x03),
        6 => sw(word_offset, rd, rs1),
        _ => 0,
    }
}

fn quadrant1(c: u32, funct: u32) -> u32 {
    let rd = bits(c, 11, 7);
    let imm6 = sign(bits(c, 12, 12) << 5 | bits(c, 6, 2), 6);
    let jump = sign(
        bits(c, 12, 12) << 11
            | bits(c, 11, 11) << 4
            | bits(c, 10, 9) << 8
            | bits(c, 8, 8) << 10
            | bits(c, 7, 7) << 6
            | bits(c, 6, 6) << 7
            | bits(c, 5, 3) << 1
            | bits(c, 2, 2) << 5,
        12,
    );
    let near = sign(
        bits(c, 12, 12) << 8
            | bits(c, 11, 10) << 3
            | bits(c, 6, 5) << 6
            | bits(c, 4, 3) << 1
            | bits(c, 2, 2) << 5,
        9,
    );
    match funct {
        0 => i_type(imm6, rd, 0, rd, 0x13),
        1 => jal(jump, 1),
        2 => i_type(imm6, 0, 0, rd, 0x13),
        3 if imm6 == 0 => 0,
        3 if rd == 2 => i_type(stack_step(c), 2, 0, 2, 0x13),
        3 => (imm6 << 12) | rd << 7 | 0x37,
        4 => arithmetic(c, imm6),
        5 => jal(jump, 0),
        6 => branch_zero(near, bits(c, 9, 7) + 8, 0),
        _ => branch_zero(near, bits(c, 9, 7) + 8, 1),
    }
}

fn stack_step(c: u32) -> u32 {
    sign(
        bits(c, 12, 12) << 9
            | bits(c, 6, 6) << 4
            | bits(c, 5, 5) << 6
            | bits(c, 4, 3) << 7
            | bits(c, 2, 2) << 5,
        10,
    )
}

fn arithmetic(c: u32, imm6: u32) -> u32 {
    let (rd, rs2) = (bits(c, 9, 7) + 8, bits(c, 4, 2) + 8);
    let amount = bits(c, 6, 2);
    // A shift of 32 or more does not exist on RV32.
    match (bits(c, 11, 10), bits(c, 12, 12), bits(c, 6, 5)) {
        (0, 0, _) => i_type(amount, rd, 5, rd, 0x13),
        (1, 0, _) => i_type(amount | 0x400, rd, 5, rd, 0x13),
        (2, _, _) => i_type(imm6, rd, 7, rd, 0x13),
        (3, 0, 0) => r_type(0x20, rs2, rd, 0, rd),
        (3, 0, 1) => r_type(0, rs2, rd, 4, rd),
        (3, 0, 2) => r_type(0, rs2, rd, 6, rd),
        (3, 0, 3) => r_type(0, rs2, rd, 7, rd),
        _ => 0,
    }
}

fn quadrant2(c: u32, funct: u32) -> u32 {
    let (rd, rs2) = (bits(c, 11, 7), bits(c, 6, 2));
    match funct {
        0 if bits(c, 12, 12) == 0 => i_type(rs2, rd, 1, rd, 0x13),
        2 if rd != 0 => {
            i_type(bits(c, 12, 12) << 5 | bits(c, 6, 4) << 2 | bits(c, 3, 2) << 6, 2, 2, rd, 0x03)
        }
        4 => match (bits(c, 12, 12), rd, rs2) {
            (0, 0, 0) => 0,
            (0, _, 0) => i_type(0, rd, 0, 0, 0x67),
            (0, _, _) => r_type(0, rs2, 0, 0, rd),
            (_, 0, 0) => 0x0010_0073,
            (_, _, 0) => i_type(0, rd, 0, 1, 0x67),
            (_, _, _) => r_type(0, rs2, rd, 0, rd),
        },
        6 => sw(bits(c, 12, 9) << 2 | bits(c, 8, 7) << 6, rs2, 2),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    // Expected words were assembled by hand from the manual's encoding tables.
    #[rstest]
    #[case::addi4spn(0x0808, 0x0101_0513)] // addi a0, sp, 16
    #[case::lw(0x41C8, 0x0045_A503)] // lw a0, 4(a1)
    #[case::sw(0xC1C8, 0x00A5_A223)] // sw a0, 4(a1)
    #[case::nop(0x0001, 0x0000_0013)]
    #[case::addi(0x157D, 0xFFF5_0513)] // addi a0, a0, -1
    #[case::li(0x4501, 0x0000_0513)] // li a0, 0
    #[case::addi16sp(0x7139, 0xFC01_0113)] // addi sp, sp, -64
    #[case::lui(0x6505, 0x0000_1537)] // lui a0, 1
    #[case::srli(0x8105, 0x0015_5513)]
    #[case::srai(0x8505, 0x4015_5513)]
    #[case::andi(0x8905, 0x0015_7513)]
    #[case::sub(0x8D0D, 0x40B5_0533)]
    #[case::xor(0x8D2D, 0x00B5_4533)]
    #[case::or(0x8D4D, 0x00B5_6533)]
    #[case::and(0x8D6D, 0x00B5_7533)]
    #[case::jump_to_self(0xA001, 0x0000_006F)]
    #[case::beqz(0xC101, 0x0005_0063)]
    #[case::bnez_back(0xFD75, 0xFE05_1EE3)] // bnez a0, -4
    #[case::slli(0x0506, 0x0015_1513)]
    #[case::lwsp(0x4532, 0x00C1_2503)] // lw a0, 12(sp)
    #[case::ret(0x8082, 0x0000_8067)]
    #[case::mv(0x852E, 0x00B0_0533)]
    #[case::ebreak(0x9002, 0x0010_0073)]
    #[case::jalr(0x9502, 0x0005_00E7)]
    #[case::add(0x952E, 0x00B5_0533)]
    #[case::swsp(0xC62A, 0x00A1_2623)] // sw a0, 12(sp)
    #[case::all_zero(0x0000, 0)]
    #[case::shift_by_32(0x9105, 0)]
    #[case::lwsp_to_x0(0x4032, 0)]
    fn expands(#[case] compressed: u32, #[case] full: u32) {
        assert_eq!(
            expand(compressed),
            full,
            "{compressed:04x} -> {:08x}, not {full:08x}",
            expand(compressed)
        );
    }

    #[rstest]
    #[case(0xFFF5_0513, Code::Addi, 10, 10, 0xFFFF_FFFF)]
    #[case(0x0000_1537, Code::Li, 10, 0, 0x1000)]
    #[case(0x0000_1517, Code::Li, 10, 0, 0x4000_1000)]
    #[case(0xFE05_1EE3, Code::Bnez, 29, 10, 0x3FFF_FFFC)]
    #[case(0xFEB5_1EE3, Code::Bne, 29, 10, 0x3FFF_FFFC)]
    #[case(0x00A0_0513, Code::Li, 10, 0, 10)]
    #[case(0x00B0_0533, Code::Mv, 10, 11, 0)]
    #[case(0x0005_8513, Code::Mv, 10, 11, 0)]
    #[case(0x0000_006F, Code::Jal, SINK, 0, 0x4000_0000)]
    #[case(0x00A5_A223, Code::Sw, 4, 11, 4)]
    #[case(0x4015_5513, Code::Srai, 10, 10, 1)]
    #[case(0x02B5_4533, Code::Div, 10, 10, 0)]
    #[case(0x3004_7573, Code::Csr, 10, 8, 0x3004_7573)]
    #[case(0xFFFF_FFFF, Code::Illegal, SINK, 0, 0xFFFF_FFFF)]
    fn decodes(#[case] word: u32, #[case] code: Code, #[case] rd: u8, #[case] a: u8, #[case] imm: u32) {
        let op = decode(word, 0x4000_0000);
        assert_eq!((op.code, op.rd, op.a, op.imm), (code, rd, a, imm));
    }

    #[test]
    fn survives_every_half_word() {
        for compressed in 0..=0xFFFFu32 {
            let _ = decode(expand(compressed), 0x4200_0000);
        }
    }
}
