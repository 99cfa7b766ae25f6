//! Exceptions: faults on their way to a handler, entry, return. Source: ARM B1.5.

use super::registers::FPCA;
use super::{Bus, Cpu, Halt};

/// The processor's own exceptions, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the manual's")]
pub enum Exception {
    Nmi = 2,
    HardFault = 3,
    MemManage = 4,
    BusFault = 5,
    UsageFault = 6,
    SupervisorCall = 11,
    DebugMonitor = 12,
    PendSv = 14,
    SysTick = 15,
}

impl Exception {
    pub(super) fn bit(self) -> u128 {
        1 << self as u8
    }
}

/// Why an instruction did not end as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The instruction is not defined.
    Undefined,
    /// There is no code at the address.
    Fetch,
    /// Nothing is at the address of a load or store.
    Data(u32),
    /// The address must be aligned.
    Unaligned(u32),
    /// The code is not Thumb code.
    InvalidState,
    /// An exception return with a value that cannot be one.
    InvalidReturn,
    /// The floating point unit is off.
    NoCoprocessor,
    /// A division by zero, and the program wants to know.
    DivideByZero,
    /// A breakpoint.
    Breakpoint,
    /// Not a fault: the instruction asks for an exception.
    Exception(Exception),
}

/// Bits of CFSR.
mod status {
    pub const IBUSERR: u32 = 1 << 8;
    pub const PRECISERR: u32 = 1 << 9;
    pub const BFARVALID: u32 = 1 << 15;
    pub const UNDEFINSTR: u32 = 1 << 16;
    pub const INVSTATE: u32 = 1 << 17;
    pub const INVPC: u32 = 1 << 18;
    pub const NOCP: u32 = 1 << 19;
    pub const UNALIGNED: u32 = 1 << 24;
    pub const DIVBYZERO: u32 = 1 << 25;
}
/// Bits of HFSR.
const VECTTBL: u32 = 1 << 1;
const FORCED: u32 = 1 << 30;
const DEBUGEVT: u32 = 1 << 31;

/// EXC_RETURN values, without the bit that says that the frame has no floating point registers.
const TO_HANDLER: u32 = 0xffff_ffe1;
const TO_MAIN: u32 = 0xffff_ffe9;
const TO_PROCESS: u32 = 0xffff_ffed;
const BASIC_FRAME: u32 = 0x10;
/// Words of the frame, and of one with floating point registers.
const FRAME: u32 = 8;
const LONG_FRAME: u32 = 26;
/// The bit of the stacked xPSR that says that the stack was realigned.
const REALIGNED: u32 = 1 << 9;

impl Cpu {
    /// The instruction at `place` ended so; `it` is the IT state it began with.
    pub(super) fn fault<B: Bus>(&mut self, bus: &mut B, fault: Fault, it: u8) {
        let back_to = if let Fault::Exception(_) = fault { self.pc } else { self.place };
        if back_to == self.place {
            self.it = it;
        }
        let exception = match fault {
            Fault::Breakpoint if self.debug.is_on() => {
                self.pc = self.place;
                self.halt(Halt::Breakpoint);
                return;
            }
            Fault::Breakpoint => {
                self.system.hard_fault_status |= DEBUGEVT;
                Exception::HardFault
            }
            Fault::Exception(exception) => exception,
            fault => self.note(fault),
        };
        self.pc = back_to;
        self.raise(bus, exception);
    }

    /// Sets the status bits of a fault; gives its exception.
    fn note(&mut self, fault: Fault) -> Exception {
        let (bits, exception) = match fault {
            Fault::Fetch => (status::IBUSERR, Exception::BusFault),
            Fault::Data(address) => {
                self.system.fault_address = address;
                (status::PRECISERR | status::BFARVALID, Exception::BusFault)
            }
            Fault::Unaligned(_) => (status::UNALIGNED, Exception::UsageFault),
            Fault::InvalidState => (status::INVSTATE, Exception::UsageFault),
            Fault::InvalidReturn => (status::INVPC, Exception::UsageFault),
            Fault::NoCoprocessor => (status::NOCP, Exception::UsageFault),
            Fault::DivideByZero => (status::DIVBYZERO, Exception::UsageFault),
            _ => (status::UNDEFINSTR, Exception::UsageFault),
        };
        self.system.fault_status |= bits;
        exception
    }

    /// Takes a synchronous exception now, as a hard fault if it cannot be taken; locks up if that cannot either.
    fn raise<B: Bus>(&mut self, bus: &mut B, exception: Exception) {
        let number = exception as usize;
        let can = self.nvic.enabled & exception.bit() != 0 && self.nvic.urgency(number) < self.priority();
        let exception = if can { exception } else { Exception::HardFault };
        if exception == Exception::HardFault {
            if !can {
                self.system.hard_fault_status |= FORCED;
            }
            if self.debug.catches_hard_fault() {
                self.halt(Halt::VectorCatch);
            }
            if self.priority() <= -1 {
                self.locked = true;
                self.attention = 0;
                return;
            }
        }
        self.enter(bus, exception as usize);
    }

    /// The priority at which the processor runs.
    fn priority(&self) -> i16 {
        let masked = match (self.faultmask, self.primask) {
            (true, _) => -1,
            (_, true) => 0,
            _ => 256,
        };
        self.nvic.running().min(masked).min(self.nvic.base(self.basepri))
    }

    /// Takes the most urgent pending exception if it may interrupt; ends sleep if it would but for PRIMASK.
    pub(super) fn take_pending<B: Bus>(&mut self, bus: &mut B) {
        let Some(number) = self.nvic.first() else { return };
        let urgency = self.nvic.urgency(number);
        if urgency < self.nvic.running().min(self.nvic.base(self.basepri)) {
            self.sleeping = false;
        }
        if urgency < self.priority() {
            self.locked = false;
            self.enter(bus, number);
        }
    }

    /// Saves the context and goes on with the handler. Source: ARM B1.5.6.
    fn enter<B: Bus>(&mut self, bus: &mut B, number: usize) {
        let long = self.control & FPCA != 0;
        let from_process = self.uses_process_stack();
        let words = if long { LONG_FRAME } else { FRAME };
        let sp = self.r[13];
        let realigns = sp & 4 != 0 && self.system.aligns_stack();
        let frame = sp.wrapping_sub(4 * words) & if self.system.aligns_stack() { !7 } else { !3 };
        let xpsr = self.xpsr() | if realigns { REALIGNED } else { 0 };
        let basic = [self.r[0], self.r[1], self.r[2], self.r[3], self.r[12], self.r[14], self.pc, xpsr];
        let floats = self.s.iter().take(16).copied().chain([self.fpscr, 0]).take(if long { 18 } else { 0 });
        let values: Vec<u32> = basic.into_iter().chain(floats).collect();
        let mut stacked = true;
        for (at, value) in (frame..).step_by(4).zip(values) {
            stacked &= bus.store(at, 4, value).is_some();
        }
        self.r[13] = frame;
        let return_to = match (self.is_handler(), from_process) {
            (true, _) => TO_HANDLER,
            (_, false) => TO_MAIN,
            (_, true) => TO_PROCESS,
        };
        let stacks = self.stack_pointers();
        self.with_stacks(stacks, |cpu| {
            cpu.ipsr = number as u8;
            cpu.select_stack(false);
        });
        self.control &= !FPCA;
        self.r[14] = return_to | if long { 0 } else { BASIC_FRAME };
        self.nvic.begin(number);
        (self.it, self.exclusive, self.sleeping, self.event) = (0, None, false, true);
        self.attention = 0;
        self.spend(12);
        if !stacked {
            self.system.fault_status |= 1 << 12;
        }
        let vector = bus.load(self.system.vectors.wrapping_add(4 * number as u32), 4);
        if let Some(vector) = vector {
            (self.pc, self.thumb) = (vector & !1, vector & 1 != 0);
        } else {
            self.system.hard_fault_status |= VECTTBL;
            self.locked = true;
        }
        if !stacked && number != Exception::HardFault as usize {
            // A derived fault; it is taken before the handler's first instruction.
            self.raise(bus, Exception::BusFault);
        }
    }

    /// Goes back to what an exception interrupted. Source: ARM B1.5.8.
    pub(super) fn return_from_exception<B: Bus>(&mut self, bus: &mut B, value: u32) -> Result<(), Fault> {
        let long = value & BASIC_FRAME == 0;
        let kind = value & !BASIC_FRAME;
        let number = usize::from(self.ipsr);
        let nested = (self.nvic.active & !(1 << number)) != 0;
        if !matches!(kind, TO_HANDLER | TO_MAIN | TO_PROCESS) || (kind == TO_HANDLER) != nested {
            return Err(Fault::InvalidReturn);
        }
        let [main, process] = self.stack_pointers();
        let mut sp = if kind == TO_PROCESS { process } else { main };
        let words = if long { LONG_FRAME } else { FRAME };
        let mut values = [0; LONG_FRAME as usize];
        for (at, value) in (sp..).step_by(4).zip(values.iter_mut().take(words as usize)) {
            *value = bus.load(at, 4).ok_or(Fault::Data(at))?;
        }
        let xpsr = values[7];
        sp = sp.wrapping_add(4 * words) | if xpsr & REALIGNED != 0 { 4 } else { 0 };
        self.nvic.end(number);
        if number != Exception::Nmi as usize {
            self.faultmask = false;
        }
        let stacks = if kind == TO_PROCESS { [main, sp] } else { [sp, process] };
        self.with_stacks(stacks, |cpu| {
            cpu.set_xpsr(xpsr);
            cpu.select_stack(kind == TO_PROCESS);
        });
        self.control = self.control & !FPCA | if long { FPCA } else { 0 };
        [self.r[0], self.r[1], self.r[2], self.r[3], self.r[12], self.r[14], self.pc] =
            [0, 1, 2, 3, 4, 5, 6].map(|index| values[index]);
        self.pc &= !1;
        if long {
            self.s[..16].copy_from_slice(&values[8..24]);
            self.fpscr = values[24];
        }
        self.exclusive = None;
        self.event = true;
        self.attention = 0;
        self.spend(10);
        if self.system.sleeps_on_exit() && !self.is_handler() {
            self.sleep();
        }
        Ok(())
    }

    /// A floating point instruction is about to execute.
    pub(super) fn use_float(&mut self) -> Result<(), Fault> {
        if !self.system.allows_float(self.is_privileged()) {
            return Err(Fault::NoCoprocessor);
        }
        if self.control & FPCA == 0 && self.system.tracks_float() {
            self.control |= FPCA;
            self.fpscr = self.system.float_defaults();
        }
        Ok(())
    }
}
