//! Micro-operations: what a RISC-V instruction becomes when its block is decoded.
//!
//! Invariants: eight bytes each; `rd` is [`SINK`] where the program named x0, so that execution never tests for x0;
//! compressed and full instructions decode to the same operations.

/// Register number that absorbs writes to x0.
pub const SINK: u8 = 32;

/// What to do. The operands are `rd`, `a`, `b` (registers) and `imm` of [`Op`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// rd = imm: `lui`, and `auipc` with the address already added.
    Li,
    Addi,
    Slti,
    Sltiu,
    Xori,
    Ori,
    Andi,
    Slli,
    Srli,
    Srai,
    Add,
    Sub,
    Sll,
    Slt,
    Sltu,
    Xor,
    Srl,
    Sra,
    Or,
    And,
    Mul,
    Mulh,
    Mulhsu,
    Mulhu,
    Div,
    Divu,
    Rem,
    Remu,
    Lb,
    Lh,
    Lw,
    Lbu,
    Lhu,
    Sb,
    Sh,
    Sw,
    Nop,
    /// rd = cycle counter.
    Cycles,
    /// Branches jump to `imm`, an absolute address.
    Beq,
    Bne,
    Blt,
    Bge,
    Bltu,
    Bgeu,
    /// rd = end of block, jump to `imm`.
    Jal,
    Jalr,
    FenceI,
    Ecall,
    Ebreak,
    Mret,
    Wfi,
    /// CSR access; `imm` holds the instruction word.
    Csr,
    /// `imm` holds the instruction word.
    Illegal,
    /// The instruction could not be fetched; `imm` is its address.
    FetchFault,
    /// No instruction: closes a block's operations.
    End,
}

impl Code {
    /// The branch that is taken when this one is not; other operations are their own opposite.
    #[must_use]
    pub fn inverted(self) -> Self {
        match self {
            Self::Beq => Self::Bne,
            Self::Bne => Self::Beq,
            Self::Blt => Self::Bge,
            Self::Bge => Self::Blt,
            Self::Bltu => Self::Bgeu,
            Self::Bgeu => Self::Bltu,
            other => other,
        }
    }
}

/// A decoded instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// What to do.
    pub code: Code,
    /// Destination register, or [`SINK`].
    pub rd: u8,
    /// First source register.
    pub a: u8,
    /// Second source register.
    pub b: u8,
    /// Immediate, address or raw instruction, see [`Code`].
    pub imm: u32,
}

const _: () = assert!(size_of::<Op>() == 8);

impl Op {
    /// Whether a block ends with this operation.
    #[must_use]
    pub fn ends_block(self) -> bool {
        use Code::*;
        matches!(
            self.code,
            Beq | Bne
                | Blt
                | Bge
                | Bltu
                | Bgeu
                | Jal
                | Jalr
                | FenceI
                | Ecall
                | Ebreak
                | Mret
                | Wfi
                | Csr
                | Illegal
                | FetchFault
        )
    }

    /// Whether this is a conditional branch.
    #[must_use]
    pub fn is_branch(self) -> bool {
        use Code::*;
        matches!(self.code, Beq | Bne | Blt | Bge | Bltu | Bgeu)
    }

    /// Whether this operation reads memory.
    #[must_use]
    pub fn is_load(self) -> bool {
        matches!(self.code, Code::Lb | Code::Lh | Code::Lw | Code::Lbu | Code::Lhu)
    }

    /// Whether this operation computes a register from registers only.
    #[must_use]
    pub fn is_plain(self) -> bool {
        (self.code as u8) < Code::Lb as u8 || self.code == Code::Nop
    }

    /// Cycles that the ESP32-C3's four-stage pipeline takes, on average: loads wait for their data, jumps refill.
    #[must_use]
    pub fn cycles(self) -> u8 {
        use Code::*;
        match self.code {
            Lb | Lh | Lw | Lbu | Lhu | Beq | Bne | Blt | Bge | Bltu | Bgeu | Jal => 2,
            Jalr | Mret => 3,
            Div | Divu | Rem | Remu => 12,
            _ => 1,
        }
    }
}
