//! The flags and the special registers. Source: ARM B1.4.

use super::Cpu;

/// The flags of the program status register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the manual's")]
pub struct Flags {
    pub n: bool,
    pub z: bool,
    pub c: bool,
    pub v: bool,
    pub q: bool,
    pub ge: u8,
}

impl Flags {
    /// APSR.
    #[must_use]
    pub fn word(self) -> u32 {
        let bits = [self.q, self.v, self.c, self.z, self.n];
        let high = bits.iter().zip(27..).fold(0, |word, (&bit, at)| word | u32::from(bit) << at);
        high | u32::from(self.ge) << 16
    }

    /// N, Z, C, V of a word.
    pub(super) fn set_word(&mut self, word: u32) {
        [self.v, self.c, self.z, self.n] = [28, 29, 30, 31].map(|at| word >> at & 1 != 0);
    }
}

/// Thread mode is not privileged.
const UNPRIVILEGED: u8 = 1;
/// Thread mode uses the process stack.
const SPSEL: u8 = 2;
/// The floating point registers are in use.
pub(super) const FPCA: u8 = 4;

impl Cpu {
    /// Whether a condition holds. Source: ARM A7.3.
    pub(super) fn holds(&self, condition: u8) -> bool {
        let Flags { n, z, c, v, .. } = self.flags;
        let holds = match condition >> 1 {
            0 => z,
            1 => c,
            2 => n,
            3 => v,
            4 => c && !z,
            5 => n == v,
            6 => n == v && !z,
            _ => return true,
        };
        holds != (condition & 1 != 0)
    }

    /// xPSR.
    #[must_use]
    pub fn xpsr(&self) -> u32 {
        let it = u32::from(self.it);
        self.flags.word()
            | (it & 3) << 25
            | (it >> 2) << 10
            | u32::from(self.thumb) << 24
            | u32::from(self.ipsr)
    }

    pub(super) fn set_xpsr(&mut self, word: u32) {
        self.flags.set_word(word);
        self.flags.q = word >> 27 & 1 != 0;
        self.flags.ge = (word >> 16 & 15) as u8;
        self.it = (word >> 25 & 3 | (word >> 10 & 0x3f) << 2) as u8;
        self.thumb = word >> 24 & 1 != 0;
        self.ipsr = word as u8;
    }

    pub(super) fn is_handler(&self) -> bool {
        self.ipsr != 0
    }

    pub(super) fn is_privileged(&self) -> bool {
        self.is_handler() || self.control & UNPRIVILEGED == 0
    }

    /// Whether the process stack is the one in use.
    pub(super) fn uses_process_stack(&self) -> bool {
        !self.is_handler() && self.control & SPSEL != 0
    }

    /// Main and process stack pointer.
    #[must_use]
    pub fn stack_pointers(&self) -> [u32; 2] {
        let (used, other) = (self.r[13], self.other_sp);
        if self.uses_process_stack() { [other, used] } else { [used, other] }
    }

    /// Sets mode, stack selection and both stack pointers together.
    pub(super) fn with_stacks(&mut self, [main, process]: [u32; 2], change: impl FnOnce(&mut Self)) {
        change(self);
        (self.r[13], self.other_sp) =
            if self.uses_process_stack() { (process, main) } else { (main, process) };
    }

    pub(super) fn set_control(&mut self, value: u8) {
        let stacks = self.stack_pointers();
        self.with_stacks(stacks, |cpu| {
            let select = if cpu.is_handler() { cpu.control & SPSEL } else { value & SPSEL };
            cpu.control = value & (UNPRIVILEGED | FPCA) | select;
        });
    }

    /// Sets the stack selection whatever the mode is; for exceptions.
    pub(super) fn select_stack(&mut self, process: bool) {
        self.control = self.control & !SPSEL | if process { SPSEL } else { 0 };
    }

    /// A special register, as MRS numbers it.
    pub(super) fn read_special(&self, special: u8) -> u32 {
        match special {
            0..=7 => {
                let apsr = if special & 4 == 0 { self.flags.word() } else { 0 };
                let ipsr = if special & 1 != 0 { u32::from(self.ipsr) } else { 0 };
                apsr | ipsr
            }
            8 if self.is_privileged() => self.stack_pointers()[0],
            9 if self.is_privileged() => self.stack_pointers()[1],
            16 if self.is_privileged() => self.primask.into(),
            17 | 18 if self.is_privileged() => self.basepri.into(),
            19 if self.is_privileged() => self.faultmask.into(),
            20 => self.control.into(),
            _ => 0,
        }
    }

    /// Writes a special register as MSR does.
    pub(super) fn write_special(&mut self, special: u8, mask: u8, value: u32) {
        if special < 4 {
            if mask & 2 != 0 {
                self.flags.set_word(value);
                self.flags.q = value >> 27 & 1 != 0;
            }
            if mask & 1 != 0 {
                self.flags.ge = (value >> 16 & 15) as u8;
            }
        }
        if !self.is_privileged() {
            return;
        }
        let [main, process] = self.stack_pointers();
        match special {
            8 => self.with_stacks([value & !3, process], |_| {}),
            9 => self.with_stacks([main, value & !3], |_| {}),
            16 => self.primask = value & 1 != 0,
            17 => self.basepri = value as u8 & self.nvic.priority_mask(),
            18 => {
                let value = value as u8 & self.nvic.priority_mask();
                if value != 0 && (self.basepri == 0 || value < self.basepri) {
                    self.basepri = value;
                }
            }
            19 => self.faultmask = value & 1 != 0,
            20 => self.set_control(value as u8),
            _ => {}
        }
        self.attention = 0;
    }

    /// CPS.
    pub(super) fn change_state(&mut self, disable: bool, primask: bool, faultmask: bool) {
        if self.is_privileged() {
            self.primask = if primask { disable } else { self.primask };
            self.faultmask = if faultmask { disable } else { self.faultmask };
            self.attention = 0;
        }
    }

    /// Writes FPSCR; modes that are not modelled are reported.
    pub(super) fn write_fpscr(&mut self, value: u32) {
        if value & 0x07c0_0000 != 0 {
            tracing::warn!(
                place = format_args!("{:#010x}", self.place),
                "FPSCR modes {value:#x} are not modelled"
            );
        }
        self.fpscr = value & 0xf7c0_009f;
    }
}
