//! Micro-operations: what a RISC-V instruction becomes when its block is decoded.
//!
//! Invariants: eight bytes each; `rd` is [`SINK`] where the program named x0, so that execution never tests for x0;
//! compressed and full instructions decode to the same operations; each is the cheapest one that does the work.

/// Register number that absorbs writes to x0.
pub const SINK: u8 = 32;

/// Calls `$callback` with the table of sequences: operations that are so often next to each other that one step does them
/// all, the longest sequences first. Measured from power-on to prompt, and in scenarios that take long; a step costs the host as much for its dispatch as an
/// addition costs for its work.
macro_rules! sequences {
    ($callback:ident) => {
        $callback! {
            AddAddAddAdd = Add + Add + Add + Add, AddAddiLbuSw = Add + Addi + Lbu + Sw,
            AddSlliXorSrli = Add + Slli + Xor + Srli, AddSwAddiAddi = Add + Sw + Addi + Addi,
            AddiAddiSwBgeu = Addi + Addi + Sw + Bgeu, AddiBeqLwLw = Addi + Beq + Lw + Lw,
            AddiBgeuLwAdd = Addi + Bgeu + Lw + Add, AddiBgeuLwLw = Addi + Bgeu + Lw + Lw,
            AddiSwLwSw = Addi + Sw + Lw + Sw, AndiMvBnezAndi = Andi + Mv + Bnez + Andi,
            BeqzLwBnezAddi = Beqz + Lw + Bnez + Addi, LbuAddiAddiSb = Lbu + Addi + Addi + Sb,
            LbuBeqzNopLbu = Lbu + Beqz + Nop + Lbu, LiLiLwBeq = Li + Li + Lw + Beq, LiLwLiAddi = Li + Lw + Li + Addi,
            LiXorAndiAdd = Li + Xor + Andi + Add, LwAddLbuAdd = Lw + Add + Lbu + Add,
            LwAddSltuAdd = Lw + Add + Sltu + Add, LwAddiAddiSw = Lw + Addi + Addi + Sw,
            LwBeqzAndiBeqz = Lw + Beqz + Andi + Beqz, LwBeqzLwXor = Lw + Beqz + Lw + Xor,
            LwBnezAddiAddi = Lw + Bnez + Addi + Addi, LwLwAddiJalr = Lw + Lw + Addi + Jalr,
            LwLwLwLw = Lw + Lw + Lw + Lw, LwMvMvBnez = Lw + Mv + Mv + Bnez, LwXorAndAnd = Lw + Xor + And + And,
            MulhuMulAddSltu = Mulhu + Mul + Add + Sltu, MvMvLiJalr = Mv + Mv + Li + Jalr,
            MvMvMvLi = Mv + Mv + Mv + Li, MvMvMvMv = Mv + Mv + Mv + Mv, OrSlliOrSrli = Or + Slli + Or + Srli,
            SbBeqzAddiAddi = Sb + Beqz + Addi + Addi, SbSbSbSb = Sb + Sb + Sb + Sb,
            SlliAddAddiLw = Slli + Add + Addi + Lw, SlliAddLiLw = Slli + Add + Li + Lw,
            SlliAddLwLw = Slli + Add + Lw + Lw, SlliAddLwSrli = Slli + Add + Lw + Srli,
            SlliSrliSlliSrli = Slli + Srli + Slli + Srli, SltuSubSltuSub = Sltu + Sub + Sltu + Sub,
            SubLiLwAdd = Sub + Li + Lw + Add, SubSwAddiSltu = Sub + Sw + Addi + Sltu,
            SwAddiBgeuSw = Sw + Addi + Bgeu + Sw, SwLiBltuBltu = Sw + Li + Bltu + Bltu, SwLiLiSb = Sw + Li + Li + Sb,
            SwSwSwSw = Sw + Sw + Sw + Sw,
            AddAddiSb = Add + Addi + Sb, AddiLiJalr = Addi + Li + Jalr, AndAddXor = And + Add + Xor,
            AndiAddLbu = Andi + Add + Lbu, AndiAddiSlli = Andi + Addi + Slli, AndiLiAddi = Andi + Li + Addi,
            BeqAddLbu = Beq + Add + Lbu, BeqLwAddi = Beq + Lw + Addi, BeqzAndiBeqz = Beqz + Andi + Beqz,
            BeqzLiLi = Beqz + Li + Li, BgeLiLb = Bge + Li + Lb, BnezLiBgeu = Bnez + Li + Bgeu,
            LbuAddiAddi = Lbu + Addi + Addi, LhuBeqzLw = Lhu + Beqz + Lw, LiLiJalr = Li + Li + Jalr,
            LiSwAddi = Li + Sw + Addi, LwAddiJalr = Lw + Addi + Jalr, LwAndiBnez = Lw + Andi + Bnez,
            LwSrliBgeu = Lw + Srli + Bgeu, MvBeqzLw = Mv + Beqz + Lw, MvLiJalr = Mv + Li + Jalr,
            OrSlliOr = Or + Slli + Or, OrSwAddi = Or + Sw + Addi, OrSwLw = Or + Sw + Lw, SlliAddLw = Slli + Add + Lw,
            SubSubOr = Sub + Sub + Or, SwSwAddi = Sw + Sw + Addi, XorAndAnd = Xor + And + And,
            AddAdd = Add + Add, AddAddi = Add + Addi, AddBne = Add + Bne, AddLbu = Add + Lbu, AddLi = Add + Li,
            AddLw = Add + Lw, AddSltu = Add + Sltu, AddSw = Add + Sw, AddiAdd = Addi + Add, AddiAddi = Addi + Addi,
            AddiBeq = Addi + Beq, AddiBeqz = Addi + Beqz, AddiBgeu = Addi + Bgeu, AddiBltu = Addi + Bltu,
            AddiBne = Addi + Bne, AddiBnez = Addi + Bnez, AddiJalr = Addi + Jalr, AddiLi = Addi + Li,
            AddiLw = Addi + Lw, AddiMv = Addi + Mv, AddiSb = Addi + Sb, AddiSw = Addi + Sw, AndiAdd = Andi + Add,
            AndiAddi = Andi + Addi, AndiBeqz = Andi + Beqz, AndiBnez = Andi + Bnez, AndiSlli = Andi + Slli,
            BeqzAddi = Beqz + Addi, BeqzAndi = Beqz + Andi, BeqzLbu = Beqz + Lbu, BeqzLi = Beqz + Li,
            BeqzLw = Beqz + Lw, BgeuLi = Bgeu + Li, BgeuLw = Bgeu + Lw, BltuMv = Bltu + Mv, BnezAddi = Bnez + Addi,
            BnezLi = Bnez + Li, BnezLw = Bnez + Lw, BnezSrai = Bnez + Srai, LbuAddi = Lbu + Addi, LbuBeq = Lbu + Beq,
            LbuBeqz = Lbu + Beqz, LbuBne = Lbu + Bne, LbuBnez = Lbu + Bnez, LbuLbu = Lbu + Lbu, LiAdd = Li + Add,
            LiAddi = Li + Addi, LiBeq = Li + Beq, LiBne = Li + Bne, LiJalr = Li + Jalr, LiLi = Li + Li,
            LiLw = Li + Lw, LiMv = Li + Mv, LiSw = Li + Sw, LwAdd = Lw + Add, LwAddi = Lw + Addi, LwBeq = Lw + Beq,
            LwBeqz = Lw + Beqz, LwBne = Lw + Bne, LwBnez = Lw + Bnez, LwJalr = Lw + Jalr, LwLi = Lw + Li,
            LwLw = Lw + Lw, LwMv = Lw + Mv, LwSrli = Lw + Srli, LwSw = Lw + Sw, LwXor = Lw + Xor, MvAddi = Mv + Addi,
            MvBeqz = Mv + Beqz, MvJalr = Mv + Jalr, MvLi = Mv + Li, MvLw = Mv + Lw, MvMv = Mv + Mv, MvSw = Mv + Sw,
            SbBltu = Sb + Bltu, SlliAdd = Slli + Add, SlliOr = Slli + Or, SlliSrli = Slli + Srli,
            SrliAndi = Srli + Andi, SrliOr = Srli + Or, SwAdd = Sw + Add, SwAddi = Sw + Addi, SwBltu = Sw + Bltu,
            SwBnez = Sw + Bnez, SwLi = Sw + Li, SwLw = Sw + Lw, SwMv = Sw + Mv, SwSw = Sw + Sw, XorAdd = Xor + Add,
            XorAnd = Xor + And, XorAndi = Xor + Andi, XorSrli = Xor + Srli, XorSw = Xor + Sw, XorXor = Xor + Xor,
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
