//! Micro-operations: what a RISC-V instruction becomes when its block is decoded.
//!
//! Invariants: eight bytes each; `rd` is [`SINK`] where the program named x0, so that execution never tests for x0;
//! compressed and full instructions decode to the same operations.

/// Register number that absorbs writes to x0.
pub const SINK: u8 = 32;

/// Calls `$callback` with the table of pairs: operations that are so often next to each other that one step does both.
/// Measured from power-on to prompt; a step costs the host as much for its dispatch as an addition costs for its work.
macro_rules! pairs {
    ($callback:ident) => {
        $callback! {
            LwLw = Lw + Lw, LwAddi = Lw + Addi, LwAdd = Lw + Add, LwXor = Lw + Xor, LwSrli = Lw + Srli,
            LwSw = Lw + Sw, LwLi = Lw + Li, LwBeq = Lw + Beq, LwBne = Lw + Bne, LwJalr = Lw + Jalr,
            LbuAddi = Lbu + Addi, LbuBeq = Lbu + Beq, LbuBne = Lbu + Bne,
            SwSw = Sw + Sw, SwLw = Sw + Lw, SwLi = Sw + Li, SwAddi = Sw + Addi, SwAdd = Sw + Add,
            SwBne = Sw + Bne, SwBltu = Sw + Bltu, SbBltu = Sb + Bltu,
            AddiAddi = Addi + Addi, AddiAdd = Addi + Add, AddiLw = Addi + Lw, AddiLi = Addi + Li,
            AddiSw = Addi + Sw, AddiSb = Addi + Sb, AddiBeq = Addi + Beq, AddiBne = Addi + Bne,
            AddiBltu = Addi + Bltu, AddiBgeu = Addi + Bgeu, AddiJalr = Addi + Jalr,
            LiAddi = Li + Addi, LiLi = Li + Li, LiLw = Li + Lw, LiSw = Li + Sw, LiAdd = Li + Add,
            LiBeq = Li + Beq, LiBne = Li + Bne,
            AddAdd = Add + Add, AddAddi = Add + Addi, AddLi = Add + Li, AddLw = Add + Lw, AddLbu = Add + Lbu,
            AddSw = Add + Sw, AddBne = Add + Bne,
            AndiAdd = Andi + Add, AndiBeq = Andi + Beq, AndiBne = Andi + Bne,
            XorSw = Xor + Sw, XorAdd = Xor + Add, XorAndi = Xor + Andi,
            SlliAdd = Slli + Add, SlliSrli = Slli + Srli, SrliAndi = Srli + Andi,
            BeqAddi = Beq + Addi, BeqAndi = Beq + Andi, BeqLw = Beq + Lw, BeqLbu = Beq + Lbu, BeqLi = Beq + Li,
            BneLw = Bne + Lw, BgeuLw = Bgeu + Lw, BneAddi = Bne + Addi, BneLi = Bne + Li,
        }
    };
}
pub(super) use pairs;

/// Defines [`Code`]: operations, and the pairs of them.
macro_rules! codes {
    ($($pair:ident = $first:ident + $second:ident,)*) => {
        /// What to do. The operands are `rd`, `a`, `b` (registers) and `imm` of [`Op`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Code {
            /// rd = imm: `lui`, and `auipc` with the address already added.
            Li,
            Addi, Slti, Sltiu, Xori, Ori, Andi, Slli, Srli, Srai,
            Add, Sub, Sll, Slt, Sltu, Xor, Srl, Sra, Or, And,
            Mul, Mulh, Mulhsu, Mulhu, Div, Divu, Rem, Remu,
            Lb, Lh, Lw, Lbu, Lhu, Sb, Sh, Sw,
            Nop,
            /// rd = cycle counter.
            Cycles,
            /// Branches jump to `imm`, an absolute address.
            Beq, Bne, Blt, Bge, Bltu, Bgeu,
            /// rd = end of block, jump to `imm`.
            Jal,
            Jalr,
            FenceI, Ecall, Ebreak, Mret, Wfi,
            /// CSR access; `imm` holds the instruction word.
            Csr,
            /// `imm` holds the instruction word.
            Illegal,
            /// The instruction could not be fetched; `imm` is its address.
            FetchFault,
            /// No instruction: closes a list of steps.
            End,
            $(
                #[doc = concat!("`", stringify!($first), "`, then `", stringify!($second), "`.")]
                $pair,
            )*
        }

        impl Code {
            /// The pair of this operation and the one behind it, if there is one.
            #[must_use]
            pub fn paired(self, second: Self) -> Option<Self> {
                match (self, second) {
                    $((Self::$first, Self::$second) => Some(Self::$pair),)*
                    _ => None,
                }
            }
        }
    };
}
pairs!(codes);

impl Code {
    /// Bytes that a load or store moves.
    #[must_use]
    pub fn size(self) -> Option<u32> {
        match self {
            Self::Lb | Self::Lbu | Self::Sb => Some(1),
            Self::Lh | Self::Lhu | Self::Sh => Some(2),
            Self::Lw | Self::Sw => Some(4),
            _ => None,
        }
    }

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

/// What is executed at once: an operation, or a pair with the operands of both.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Immediates.
    pub imm: [u32; 2],
    /// Destination registers.
    pub rd: [u8; 2],
    /// First source registers.
    pub a: [u8; 2],
    /// Second source registers.
    pub b: [u8; 2],
    /// What to do.
    pub code: Code,
    /// Position of the (first) operation in its block.
    pub index: u8,
}

const _: () = assert!(size_of::<Step>() == 16);

impl Step {
    /// The step of `first`, which is at `index` in its block.
    #[must_use]
    pub fn one(first: Op, index: u8) -> Self {
        Self::new(first.code, [first; 2], index)
    }

    /// The step of two operations, if they are a pair.
    #[must_use]
    pub fn two(first: Op, second: Op, index: u8) -> Option<Self> {
        Some(Self::new(first.code.paired(second.code)?, [first, second], index))
    }

    fn new(code: Code, ops: [Op; 2], index: u8) -> Self {
        let [x, y] = ops;
        Self { imm: [x.imm, y.imm], rd: [x.rd, y.rd], a: [x.a, y.a], b: [x.b, y.b], code, index }
    }

    /// The operation, if it is not a pair.
    #[must_use]
    pub fn op(&self) -> Op {
        Op { code: self.code, rd: self.rd[0], a: self.a[0], b: self.b[0], imm: self.imm[0] }
    }
}

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
