//! What each operand of an instruction refers to: one table for the verifier and the disassembler.

use crate::op::Op;

/// What an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Not used.
    None,
    /// A register.
    Register,
    /// The first of this many registers.
    Registers(u8),
    /// The first of as many registers as operand `c` says.
    RegistersByC,
    /// A callee, followed by `extra` registers, `b` arguments and `c` pairs.
    Callee {
        /// Registers that belong to the callee itself.
        extra: u8,
    },
    /// The first of the registers of [`Op::MakeClosure`]: two, then as many as the constant captures.
    Closure,
    /// A number.
    Count,
    /// A truth value.
    Truth,
    /// A signed number in 8 or 16 bits.
    Number,
    /// An index of the constants.
    Constant,
    /// An index of the constants: code that captures nothing.
    Code,
    /// A qstr.
    Qstr,
    /// An index of the names.
    Name,
    /// The low bits of an index of the names.
    ShortName,
    /// A captured cell.
    Cell,
    /// The target of a jump.
    Target,
}

/// What the operands of an opcode are: `a`, `b`, `c`; `x` and `s` count as `b`, `i` as `c`, `j` as `a`.
pub const fn operands(op: Op) -> [Operand; 3] {
    use Operand::*;
    let none = None;
    match op {
        Op::Move | Op::LoadCell | Op::StoreCell | Op::Neg | Op::Pos | Op::Invert | Op::Not | Op::TypeOf => {
            [Register, Register, none]
        }
        Op::LoadInt => [Register, Number, none],
        Op::LoadConst => [Register, Constant, none],
        Op::MakeFunction => [Register, Code, none],
        Op::LoadQstr | Op::LoadName | Op::StoreName | Op::LoadGlobal | Op::StoreGlobal => {
            [Register, Qstr, none]
        }
        Op::DelName | Op::DelGlobal => [none, Qstr, none],
        Op::LoadNone | Op::LoadUnbound | Op::CheckLocal | Op::MakeCell => [Register, none, none],
        Op::LoadBool => [Register, Truth, none],
        Op::Ext => [none, Count, none],
        Op::DelCell => [none, Register, none],
        Op::LoadFree | Op::StoreFree | Op::FreeCell => [Register, Cell, none],
        Op::DelFree => [none, Cell, none],
        Op::GetAttr | Op::ImportFrom => [Register, Register, ShortName],
        Op::SetAttr => [Register, ShortName, Register],
        Op::DelAttr => [Register, ShortName, none],
        Op::GetMethod => [Registers(2), Register, ShortName],
        Op::GetItem | Op::SetItem | Op::ExcMatch | Op::DictSet | Op::Typed => [Register, Register, Register],
        Op::GetItemI => [Register, Register, Number],
        Op::DelItem | Op::ListAppend | Op::ListExtend | Op::ListToTuple | Op::SetAdd | Op::SetUpdate => {
            [Register, Register, none]
        }
        Op::BuildSlice => [Register, Registers(3), none],
        Op::Add | Op::Sub | Op::Mul | Op::TrueDiv | Op::FloorDiv | Op::Mod | Op::Pow | Op::MatMul => {
            [Register, Register, Register]
        }
        Op::And | Op::Or | Op::Xor | Op::Shl | Op::Shr => [Register, Register, Register],
        Op::IAdd | Op::ISub | Op::IMul | Op::ITrueDiv | Op::IFloorDiv | Op::IMod | Op::IPow | Op::IMatMul => {
            [Register, Register, Register]
        }
        Op::IAnd | Op::IOr | Op::IXor | Op::IShl | Op::IShr => [Register, Register, Register],
        Op::AddI | Op::IAddI | Op::MulI | Op::FloorDivI | Op::ModI | Op::AndI | Op::ShlI | Op::ShrI => {
            [Register, Register, Number]
        }
        Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::In | Op::NotIn | Op::Is | Op::IsNot => {
            [Register, Register, Register]
        }
        Op::Jump => [Target, none, none],
        Op::Test | Op::TestNone => [Truth, Register, none],
        Op::TestEq
        | Op::TestNe
        | Op::TestLt
        | Op::TestLe
        | Op::TestGt
        | Op::TestGe
        | Op::TestIs
        | Op::TestIn => [Truth, Register, Register],
        Op::TestEqI | Op::TestNeI | Op::TestLtI | Op::TestLeI | Op::TestGtI | Op::TestGeI => {
            [Truth, Register, Number]
        }
        Op::GetIter => [Registers(2), Register, none],
        Op::ForIter | Op::IterNext => [Register, Registers(2), none],
        Op::RangePrep => [Registers(4), Count, none],
        Op::RangeNext => [Registers(4), Register, none],
        Op::Call | Op::CallKw => [Callee { extra: 1 }, Count, Count],
        Op::CallMethod | Op::CallMethodKw | Op::MakeClass => [Callee { extra: 2 }, Count, Count],
        Op::CallEx => [Registers(3), none, none],
        Op::Return | Op::Raise | Op::Reraise | Op::ImportStar => [Register, none, none],
        Op::ReturnNone | Op::ReraiseNone => [none, none, none],
        Op::Yield | Op::YieldFrom | Op::RaiseFrom => [Register, Register, none],
        Op::YieldIter => [Register, Register, Truth],
        Op::BuildTuple | Op::BuildList | Op::BuildSet => [Register, RegistersByC, Count],
        Op::BuildDict => [Register, Count, none],
        Op::DictUpdate => [Register, Register, Truth],
        Op::Unpack => [RegistersByC, Register, Count],
        Op::UnpackEx => [Register, Register, Count],
        Op::MakeClosure => [Closure, Constant, none],
        Op::Import => [Registers(2), Name, none],
    }
}

/// Whether the instruction is followed by a jump that it takes or skips.
pub const fn is_test(op: Op) -> bool {
    matches!(
        op,
        Op::Test
            | Op::TestEq
            | Op::TestNe
            | Op::TestLt
            | Op::TestLe
            | Op::TestGt
            | Op::TestGe
            | Op::TestIs
            | Op::TestIn
            | Op::TestNone
            | Op::TestEqI
            | Op::TestNeI
            | Op::TestLtI
            | Op::TestLeI
            | Op::TestGtI
            | Op::TestGeI
            | Op::ForIter
            | Op::IterNext
            | Op::RangeNext
    )
}

/// Whether control never goes on at the following word.
pub const fn is_terminator(op: Op) -> bool {
    matches!(
        op,
        Op::Jump | Op::Return | Op::ReturnNone | Op::Raise | Op::RaiseFrom | Op::Reraise | Op::ReraiseNone
    )
}
