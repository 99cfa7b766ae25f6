//! Encodings of instructions as an assembler gives them; one or two of each group. What they do is compared with QEMU
//! (`tests/thumb.rs`).

use super::super::op::*;
use super::decode;
use rstest::rstest;

fn plain(m: u8) -> Operand {
    Operand::Shifted(m, Shift::Lsl, 0)
}

#[rstest]
#[case::movs(0x202a, Op::Data { op: Data::Mov, flags: Flags::OutsideIt, d: 0, n: 0, operand: Operand::Constant(42, None) })]
#[case::lsrs_by_32(0x0808, Op::Data { op: Data::Mov, flags: Flags::OutsideIt, d: 0, n: 0, operand: Operand::Shifted(1, Shift::Lsr, 32) })]
#[case::cmp_high(0x45c8, Op::Data { op: Data::Cmp, flags: Flags::Set, d: 8, n: 8, operand: plain(9) })]
#[case::bx_lr(0x4770, Op::BranchTo { m: 14, link: false })]
#[case::push(0xb510, Op::StoreMultiple { n: 13, list: 0x4010, write_back: true, before: true })]
#[case::pop(0xbd10, Op::LoadMultiple { n: 13, list: 0x8010, write_back: true, before: false })]
#[case::cbz(0xb108, Op::CompareBranch { n: 0, if_zero: true, offset: 2 })]
#[case::beq(0xd0fe, Op::Branch { condition: 0, offset: -4 })]
#[case::itte(0xbf1a, Op::IfThen { state: 0x1a })]
#[case::wfi(0xbf30, Op::Hint(Hint::Wfi))]
#[case::cpsid(0xb672, Op::ChangeState { disable: true, primask: true, faultmask: false })]
#[case::svc(0xdf00, Op::SupervisorCall)]
#[case::undefined(0xde00, Op::Undefined)]
fn short(#[case] word: u16, #[case] expected: Op) {
    assert_eq!(decode(word, 0), expected);
}

#[rstest]
#[case::bl(0xf7ff, 0xfffe, Op::BranchLink { offset: -4 })]
#[case::b_w(0xf000, 0xb800, Op::Branch { condition: 14, offset: 0 })]
#[case::bne_w(0xf47f, 0xaffe, Op::Branch { condition: 1, offset: -4 })]
#[case::mov_w(0xf04f, 0x30ff, Op::Data { op: Data::Mov, flags: Flags::Keep, d: 0, n: 15, operand: Operand::Constant(u32::MAX, None) })]
#[case::movw(0xf64f, 0x70ff, Op::Data { op: Data::Mov, flags: Flags::Keep, d: 0, n: 0, operand: Operand::Constant(0xffff, None) })]
#[case::ldr_w(0xf8d1, 0x0004, Op::Load { t: 0, width: Width { bytes: 4, signed: false }, address: Address::Offset(1, 4) })]
#[case::ldr_post(0xf851, 0x0b04, Op::Load { t: 0, width: Width { bytes: 4, signed: false }, address: Address::PostIndexed(1, 4) })]
#[case::ldrd(0xe9d0, 0x1202, Op::LoadDual { t: 1, t2: 2, address: Address::Offset(0, 8) })]
#[case::tbb(0xe8df, 0xf000, Op::TableBranch { n: 15, m: 0, half_words: false })]
#[case::umull(0xfba2, 0x0103, Op::Multiply { kind: Multiply::Umull, flags: Flags::Keep, d: 1, n: 2, m: 3, a: 0 })]
#[case::ubfx(0xf3c1, 0x1007, Op::Field { kind: Field::Ubfx, d: 0, n: 1, low: 4, width: 8 })]
#[case::mrs(0xf3ef, 0x8008, Op::ReadSpecial { d: 0, special: 8 })]
#[case::dsb(0xf3bf, 0x8f4f, Op::Barrier)]
#[case::vadd(0xee30, 0x0a81, Op::Float { op: Float::Vadd, d: 0, n: 1, m: 2 })]
#[case::vldr(0xed9f, 0x0a01, Op::FloatLoad { d: 0, double: false, n: 15, offset: 4 })]
#[case::vmov_constant(0xeef7, 0x0a00, Op::FloatConstant { d: 1, bits: 0x3f80_0000 })]
#[case::vmrs(0xeef1, 0xfa10, Op::ReadFloatStatus { t: 15 })]
#[case::vpush(0xed2d, 0x8b02, Op::FloatStoreMultiple { d: 16, count: 2, n: 13, write_back: true, before: true })]
#[case::double_arithmetic(0xee30, 0x0b01, Op::Undefined)]
fn long(#[case] first: u16, #[case] second: u16, #[case] expected: Op) {
    assert_eq!(decode(first, second), expected);
}

/// Whatever the bits are, decoding ends with an operation.
#[test]
fn every_half_word_is_decoded() {
    for first in 0..=u16::MAX {
        for second in [0, 0x8000, 0xf000, 0x0a10, 0x1b7f, 0xffff, first.rotate_left(7)] {
            let _ = decode(first, second);
        }
    }
}
