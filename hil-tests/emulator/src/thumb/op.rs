//! Decoded instructions, grouped as the manual groups them, so that few kinds of operation cover many encodings.

/// When an instruction sets the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flags {
    /// Never.
    Keep,
    /// Always.
    Set,
    /// Unless it is in an IT block: most 16-bit encodings.
    OutsideIt,
}

/// What a data processing instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the manual's mnemonics")]
pub enum Data {
    And,
    Bic,
    Orr,
    Orn,
    Eor,
    Add,
    Adc,
    Sbc,
    Sub,
    Rsb,
    Mov,
    Mvn,
    Tst,
    Teq,
    Cmn,
    Cmp,
}

/// How a register is shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the manual's mnemonics")]
pub enum Shift {
    Lsl,
    Lsr,
    Asr,
    Ror,
    Rrx,
}

/// The second operand of a data processing instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A constant, and the carry that its making leaves, if it leaves one.
    Constant(u32, Option<bool>),
    /// A register, shifted by a constant.
    Shifted(u8, Shift, u8),
    /// A register, shifted by another one.
    ByRegister(u8, Shift, u8),
}

/// Size and extension of a memory access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Width {
    /// 1, 2 or 4 bytes.
    pub bytes: u8,
    /// What is loaded is extended by its sign.
    pub signed: bool,
}

/// Which address a load or store means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// Base register and offset.
    Offset(u8, i32),
    /// The same, and the base becomes the address.
    PreIndexed(u8, i32),
    /// The base alone, which then becomes base and offset.
    PostIndexed(u8, i32),
    /// Base register, index register, by how much the index is shifted to the left.
    Register(u8, u8, u8),
    /// Relative to the program counter, rounded down to a word.
    Literal(i32),
}

/// How bytes and half-words are taken out of a register before they are extended and added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the manual's mnemonics")]
pub enum Extend {
    Sxtb,
    Sxth,
    Uxtb,
    Uxth,
    Sxtb16,
    Uxtb16,
}

/// Reordering and counting of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the manual's mnemonics")]
pub enum Reverse {
    Rev,
    Rev16,
    Revsh,
    Rbit,
    Clz,
}

/// Multiplications and divisions; `n`, `m` are factors, `a` is added, `d` (and `a` as the low word of the long ones) the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the manual's mnemonics")]
pub enum Multiply {
    Mul,
    Mla,
    Mls,
    Smla { top_n: bool, top_m: bool },
    Smul { top_n: bool, top_m: bool },
    Smlaw { top: bool },
    Smulw { top: bool },
    Smlad { exchange: bool },
    Smuad { exchange: bool },
    Smlsd { exchange: bool },
    Smusd { exchange: bool },
    Smmla { round: bool },
    Smmul { round: bool },
    Smmls { round: bool },
    Usada8,
    Usad8,
    Smull,
    Umull,
    Smlal,
    Umlal,
    Umaal,
    SmlalHalf { top_n: bool, top_m: bool },
    Smlald { exchange: bool },
    Smlsld { exchange: bool },
    Sdiv,
    Udiv,
}

/// What a parallel addition does with its lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the manual's mnemonics")]
pub enum Lanes {
    Add16,
    Asx,
    Sax,
    Sub16,
    Add8,
    Sub8,
}

/// What becomes of a lane that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// It wraps, and the GE flags tell.
    Wrap,
    /// It saturates.
    Saturate,
    /// The result is halved.
    Halve,
}

/// Bit fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the manual's mnemonics")]
pub enum Field {
    Sbfx,
    Ubfx,
    Bfi,
    Bfc,
}

/// Saturating addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the manual's mnemonics")]
pub enum Saturating {
    Qadd,
    Qdadd,
    Qsub,
    Qdsub,
}

/// What waits or hints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Nothing.
    Nop,
    /// Wait for an interrupt.
    Wfi,
    /// Wait for an event.
    Wfe,
    /// Send an event.
    Sev,
}

/// Arithmetic of single precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the manual's mnemonics")]
pub enum Float {
    Vmla,
    Vmls,
    Vnmla,
    Vnmls,
    Vmul,
    Vnmul,
    Vadd,
    Vsub,
    Vdiv,
    Vfma,
    Vfms,
    Vfnma,
    Vfnms,
    Vmov,
    Vabs,
    Vneg,
    Vsqrt,
}

/// Conversions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convert {
    /// From an integer, `signed`.
    FromInt {
        /// The integer has a sign.
        signed: bool,
    },
    /// To an integer.
    ToInt {
        /// The integer has a sign.
        signed: bool,
        /// Towards zero, not to the nearest.
        truncate: bool,
    },
    /// From a fixed-point number in the same register.
    FromFixed {
        /// The number has a sign.
        signed: bool,
        /// Its width.
        bits: u8,
        /// Bits behind the point.
        fraction: u8,
    },
    /// To a fixed-point number in the same register.
    ToFixed {
        /// The number has a sign.
        signed: bool,
        /// Its width.
        bits: u8,
        /// Bits behind the point.
        fraction: u8,
    },
    /// From a half-precision number in the upper or lower half.
    FromHalf {
        /// In the upper half.
        top: bool,
    },
    /// To a half-precision number in the upper or lower half.
    ToHalf {
        /// In the upper half.
        top: bool,
    },
}

/// A decoded instruction. Registers are named as in the manual: `d` destination, `n` and `m` operands, `t` transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the manual's")]
pub enum Op {
    Undefined,
    Data {
        op: Data,
        flags: Flags,
        d: u8,
        n: u8,
        operand: Operand,
    },
    /// An address relative to the program counter.
    Adr {
        d: u8,
        offset: i32,
    },
    /// The upper half of a register.
    Movt {
        d: u8,
        half: u16,
    },
    Branch {
        condition: u8,
        offset: i32,
    },
    BranchLink {
        offset: i32,
    },
    BranchTo {
        m: u8,
        link: bool,
    },
    CompareBranch {
        n: u8,
        if_zero: bool,
        offset: i32,
    },
    TableBranch {
        n: u8,
        m: u8,
        half_words: bool,
    },
    Load {
        t: u8,
        width: Width,
        address: Address,
    },
    Store {
        t: u8,
        width: Width,
        address: Address,
    },
    LoadDual {
        t: u8,
        t2: u8,
        address: Address,
    },
    StoreDual {
        t: u8,
        t2: u8,
        address: Address,
    },
    LoadExclusive {
        t: u8,
        n: u8,
        offset: u16,
        bytes: u8,
    },
    StoreExclusive {
        d: u8,
        t: u8,
        n: u8,
        offset: u16,
        bytes: u8,
    },
    ClearExclusive,
    LoadMultiple {
        n: u8,
        list: u16,
        write_back: bool,
        before: bool,
    },
    StoreMultiple {
        n: u8,
        list: u16,
        write_back: bool,
        before: bool,
    },
    Extend {
        kind: Extend,
        d: u8,
        n: u8,
        m: u8,
        rotate: u8,
    },
    Field {
        kind: Field,
        d: u8,
        n: u8,
        low: u8,
        width: u8,
    },
    Saturate {
        signed: bool,
        d: u8,
        n: u8,
        bits: u8,
        shift: Shift,
        amount: u8,
    },
    Saturate16 {
        signed: bool,
        d: u8,
        n: u8,
        bits: u8,
    },
    Pack {
        top_bottom: bool,
        d: u8,
        n: u8,
        m: u8,
        amount: u8,
    },
    Reverse {
        kind: Reverse,
        d: u8,
        m: u8,
    },
    Multiply {
        kind: Multiply,
        flags: Flags,
        d: u8,
        n: u8,
        m: u8,
        a: u8,
    },
    Parallel {
        lanes: Lanes,
        overflow: Overflow,
        signed: bool,
        d: u8,
        n: u8,
        m: u8,
    },
    Saturating {
        kind: Saturating,
        d: u8,
        n: u8,
        m: u8,
    },
    Select {
        d: u8,
        n: u8,
        m: u8,
    },
    IfThen {
        state: u8,
    },
    Hint(Hint),
    Barrier,
    /// Sets or clears PRIMASK and FAULTMASK.
    ChangeState {
        disable: bool,
        primask: bool,
        faultmask: bool,
    },
    ReadSpecial {
        d: u8,
        special: u8,
    },
    WriteSpecial {
        n: u8,
        special: u8,
        mask: u8,
    },
    SupervisorCall,
    Breakpoint,
    FloatLoad {
        d: u8,
        double: bool,
        n: u8,
        offset: i32,
    },
    FloatStore {
        d: u8,
        double: bool,
        n: u8,
        offset: i32,
    },
    /// `count` words from single register `d` on.
    FloatLoadMultiple {
        d: u8,
        count: u8,
        n: u8,
        write_back: bool,
        before: bool,
    },
    FloatStoreMultiple {
        d: u8,
        count: u8,
        n: u8,
        write_back: bool,
        before: bool,
    },
    Float {
        op: Float,
        d: u8,
        n: u8,
        m: u8,
    },
    FloatConstant {
        d: u8,
        bits: u32,
    },
    /// `m` is `None` to compare with zero.
    FloatCompare {
        d: u8,
        m: Option<u8>,
        signal: bool,
    },
    Convert {
        kind: Convert,
        d: u8,
        m: u8,
    },
    /// Between a processor register and a single register.
    FloatMove {
        t: u8,
        s: u8,
        to_float: bool,
    },
    /// Between two processor registers and two single registers.
    FloatMovePair {
        t: u8,
        t2: u8,
        s: u8,
        to_float: bool,
    },
    ReadFloatStatus {
        t: u8,
    },
    WriteFloatStatus {
        t: u8,
    },
}
