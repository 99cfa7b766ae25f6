//! Micro-operations: what a RISC-V instruction becomes when its block is decoded.
//!
//! Invariants: eight bytes each; `rd` is [`SINK`] where the program named x0, so that execution never tests for x0;
//! compressed and full instructions decode to the same operations; each is the cheapest one that does the work.

/// Register number that absorbs writes to x0.
pub const SINK: u8 = 32;

/// Calls `$callback` with the table of sequences: operations that are so often next to each other that one step does them
/// all, the longest sequences first. Measured from power-on to prompt; a step costs the host as much for its dispatch as an
/// addition costs for its work.
macro_rules! sequences {
    ($callback:ident) => {
        $callback! {
            LwBeqzLwXor = Lw + Beqz + Lw + Xor, LwBeqzAndiBeqz = Lw + Beqz + Andi + Beqz,
            LwAddiAddiSw = Lw + Addi + Addi + Sw, LwAddLbuAdd = Lw + Add + Lbu + Add,
            LwLwLwLw = Lw + Lw + Lw + Lw, LwLwAddiJalr = Lw + Lw + Addi + Jalr,
            SwSwSwSw = Sw + Sw + Sw + Sw, SwAddiBgeuSw = Sw + Addi + Bgeu + Sw,
            SwLiLiSb = Sw + Li + Li + Sb, SwLiBltuBltu = Sw + Li + Bltu + Bltu,
            AddiBgeuLwAdd = Addi + Bgeu + Lw + Add, AddiBgeuLwLw = Addi + Bgeu + Lw + Lw,
            AddiSwLwSw = Addi + Sw + Lw + Sw, AddAddiLbuSw = Add + Addi + Lbu + Sw,
            LiLwLiAddi = Li + Lw + Li + Addi, LiXorAndiAdd = Li + Xor + Andi + Add, LiLiLwBeq = Li + Li + Lw + Beq,
            SubLiLwAdd = Sub + Li + Lw + Add, AndiMvBnezAndi = Andi + Mv + Bnez + Andi,
            LbuBeqzNopLbu = Lbu + Beqz + Nop + Lbu,
            LwSrliBgeu = Lw + Srli + Bgeu, LbuAddiAddi = Lbu + Addi + Addi, SwSwAddi = Sw + Sw + Addi,
            LiSwAddi = Li + Sw + Addi, BeqzLiLi = Beqz + Li + Li, BnezLiBgeu = Bnez + Li + Bgeu,
            BeqzAndiBeqz = Beqz + Andi + Beqz, SlliAddLw = Slli + Add + Lw,
            LwLw = Lw + Lw, LwAddi = Lw + Addi, LwAdd = Lw + Add, LwXor = Lw + Xor, LwSrli = Lw + Srli,
            LwSw = Lw + Sw, LwLi = Lw + Li, LwMv = Lw + Mv, LwBeq = Lw + Beq, LwBne = Lw + Bne,
            LwBeqz = Lw + Beqz, LwBnez = Lw + Bnez, LwJalr = Lw + Jalr,
            LbuAddi = Lbu + Addi, LbuBeq = Lbu + Beq, LbuBne = Lbu + Bne, LbuBeqz = Lbu + Beqz, LbuBnez = Lbu + Bnez,
            SwSw = Sw + Sw, SwLw = Sw + Lw, SwLi = Sw + Li, SwMv = Sw + Mv, SwAddi = Sw + Addi, SwAdd = Sw + Add,
            SwBnez = Sw + Bnez, SwBltu = Sw + Bltu, SbBltu = Sb + Bltu,
            AddiAddi = Addi + Addi, AddiAdd = Addi + Add, AddiLw = Addi + Lw, AddiLi = Addi + Li, AddiMv = Addi + Mv,
            AddiSw = Addi + Sw, AddiSb = Addi + Sb, AddiBeq = Addi + Beq, AddiBne = Addi + Bne,
            AddiBeqz = Addi + Beqz, AddiBnez = Addi + Bnez, AddiBltu = Addi + Bltu, AddiBgeu = Addi + Bgeu,
            AddiJalr = Addi + Jalr,
            LiAddi = Li + Addi, LiLi = Li + Li, LiLw = Li + Lw, LiSw = Li + Sw, LiAdd = Li + Add, LiMv = Li + Mv,
            LiBeq = Li + Beq, LiBne = Li + Bne,
            MvMv = Mv + Mv, MvLi = Mv + Li, MvLw = Mv + Lw, MvSw = Mv + Sw, MvAddi = Mv + Addi,
            AddAdd = Add + Add, AddAddi = Add + Addi, AddLi = Add + Li, AddLw = Add + Lw, AddLbu = Add + Lbu,
            AddSw = Add + Sw, AddBne = Add + Bne,
            AndiAdd = Andi + Add, AndiBeqz = Andi + Beqz, AndiBnez = Andi + Bnez,
            XorSw = Xor + Sw, XorAdd = Xor + Add, XorAndi = Xor + Andi,
            SlliAdd = Slli + Add, SlliSrli = Slli + Srli, SrliAndi = Srli + Andi,
            BeqzAddi = Beqz + Addi, BeqzAndi = Beqz + Andi, BeqzLw = Beqz + Lw, BeqzLbu = Beqz + Lbu, BeqzLi = Beqz + Li,
            BnezLw = Bnez + Lw, BgeuLw = Bgeu + Lw, BnezAddi = Bnez + Addi, BnezLi = Bnez + Li,
        }
    };
}
pub(super) use sequences;

/// Defines [`Code`]: operations, and sequences of them.
macro_rules! codes {
    ($($name:ident = $first:ident + $second:ident $(+ $third:ident $(+ $fourth:ident)?)?,)*) => {
        /// What to do. The operands are `rd`, `a`, `b` (registers) and `imm` of [`Op`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Code {
            /// rd = imm: `lui`, and `auipc` with the address already added.
            Li,
            /// rd = a.
            Mv,
            Addi, Slti, Sltiu, Xori, Ori, Andi, Slli, Srli, Srai,
            Add, Sub, Sll, Slt, Sltu, Xor, Srl, Sra, Or, And,
            Mul, Mulh, Mulhsu, Mulhu, Div, Divu, Rem, Remu,
            Lb, Lh, Lw, Lbu, Lhu, Sb, Sh, Sw,
            Nop,
            /// rd = cycle counter.
            Cycles,
            /// Branches jump to `imm`, an absolute address.
            Beq, Bne, Blt, Bge, Bltu, Bgeu,
            /// Branches that compare with zero.
            Beqz, Bnez,
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
                #[doc = concat!("`", stringify!($first), "`, then `", stringify!($second), "`",
                    $(", `", stringify!($third), "`", $(", `", stringify!($fourth), "`",)?)? ".")]
                $name,
            )*
        }

        impl Code {
            /// The sequence that `ops` begin with, if there is one, and how many of them it has.
            #[must_use]
            pub fn sequence(ops: &[Op]) -> Option<(Self, usize)> {
                match ops {
                    $([
                        Op { code: Self::$first, .. },
                        Op { code: Self::$second, .. },
                        $(Op { code: Self::$third, .. }, $(Op { code: Self::$fourth, .. },)?)?
                        ..
                    ] => Some((Self::$name, 2 $(+ count!($third) $(+ count!($fourth))?)?)),)*
                    _ => None,
                }
            }
        }

        /// Every sequence and its operations.
        #[cfg(test)]
        const SEQUENCES: &[(Code, &[Code])] = &[
            $((Code::$name, &[Code::$first, Code::$second, $(Code::$third, $(Code::$fourth)?)?]),)*
        ];
    };
}

/// 1, whatever it counts.
macro_rules! count {
    ($counted:ident) => {
        1
    };
}
sequences!(codes);

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
            Self::Beqz => Self::Bnez,
            Self::Bnez => Self::Beqz,
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

/// Operations in a sequence at most.
const LONGEST: usize = 4;

/// What is executed at once: an operation, or a sequence with the operands of all of its operations.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Immediates.
    pub imm: [u32; LONGEST],
    /// Destination registers.
    pub rd: [u8; LONGEST],
    /// First source registers.
    pub a: [u8; LONGEST],
    /// Second source registers.
    pub b: [u8; LONGEST],
    /// What to do.
    pub code: Code,
    /// Position of the (first) operation in its block.
    pub index: u8,
}

const _: () = assert!(size_of::<Step>() == 32);

impl Step {
    /// The step of one operation, which is at `index` in its block.
    #[must_use]
    pub const fn one(op: Op, index: u8) -> Self {
        let Op { code, rd, a, b, imm } = op;
        Self { imm: [imm, 0, 0, 0], rd: [rd, 0, 0, 0], a: [a, 0, 0, 0], b: [b, 0, 0, 0], code, index }
    }

    /// The step that does as many of `ops` as it can, the first of which is at `index` in its block; gives how many it does.
    #[must_use]
    pub fn most(ops: &[Op], index: u8) -> Option<(Self, usize)> {
        let mut step = Self::one(*ops.first()?, index);
        let Some((code, count)) = Code::sequence(ops) else { return Some((step, 1)) };
        step.code = code;
        for (i, op) in ops[..count].iter().enumerate() {
            (step.imm[i], step.rd[i], step.a[i], step.b[i]) = (op.imm, op.rd, op.a, op.b);
        }
        Some((step, count))
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
                | Beqz
                | Bnez
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

    /// The cheapest operation that does the same.
    #[must_use]
    pub fn simplified(self) -> Self {
        use Code::*;
        let Self { code, a, b, imm, .. } = self;
        match (code, a, b) {
            (Addi, 0, _) => Self { code: Li, ..self },
            (Addi, ..) if imm == 0 => Self { code: Mv, ..self },
            (Add, 0, _) => Self { code: Mv, a: b, ..self },
            (Add, _, 0) => Self { code: Mv, ..self },
            (Beq, _, 0) => Self { code: Beqz, ..self },
            (Bne, _, 0) => Self { code: Bnez, ..self },
            _ => self,
        }
    }

    /// Whether this is a conditional branch.
    #[must_use]
    pub fn is_branch(self) -> bool {
        use Code::*;
        matches!(self.code, Beq | Bne | Blt | Bge | Bltu | Bgeu | Beqz | Bnez)
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
            Lb | Lh | Lw | Lbu | Lhu | Beq | Bne | Blt | Bge | Bltu | Bgeu | Beqz | Bnez | Jal => 2,
            Jalr | Mret => 3,
            Div | Divu | Rem | Remu => 12,
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sequence_hides_a_longer_one() {
        for (i, (name, ops)) in SEQUENCES.iter().enumerate() {
            for (hidden, longer) in &SEQUENCES[i + 1..] {
                assert!(!longer.starts_with(ops), "{name:?} is tried before {hidden:?}");
            }
        }
    }
}
