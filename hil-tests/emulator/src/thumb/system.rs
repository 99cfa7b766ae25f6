//! The private peripheral bus: system control block, NVIC registers, floating point control, cycle counter, and what tells a
//! debugger what there is. Source: ARM B3.2, B3.4, B4; CoreSight ids: ARM C1, appendix.

use super::exception::Exception;
use super::nvic::INTERRUPTS;
use super::{Bus, Cpu};

/// Registers that are no more than storage.
#[derive(Clone, Debug)]
pub(super) struct System {
    /// VTOR.
    pub vectors: u32,
    /// CFSR.
    pub fault_status: u32,
    /// HFSR.
    pub hard_fault_status: u32,
    /// BFAR.
    pub fault_address: u32,
    auxiliary_control: u32,
    system_control: u32,
    configuration: u32,
    coprocessors: u32,
    float_context: u32,
    float_address: u32,
    float_defaults: u32,
    reset_request: bool,
    /// The cycle at which the cycle counter was zero.
    counter_base: u64,
    counter_control: u32,
}

/// CCR after reset: the stack is aligned to double words at exceptions.
const STKALIGN: u32 = 1 << 9;
const DIV_0_TRP: u32 = 1 << 4;
const UNALIGN_TRP: u32 = 1 << 3;
/// SCR.
const SLEEPONEXIT: u32 = 2;
/// FPCCR after reset: automatic and lazy saving. Saving is not lazy here, which programs cannot see.
const ASPEN_LSPEN: u32 = 3 << 30;
const ASPEN: u32 = 1 << 31;
const AIRCR_KEY: u32 = 0x05fa;
const SYSRESETREQ: u32 = 4;
const VECTRESET: u32 = 1;
/// DWT_CTRL: four comparators.
const DWT_CTRL: u32 = 4 << 28;

impl Default for System {
    fn default() -> Self {
        Self {
            vectors: 0,
            fault_status: 0,
            hard_fault_status: 0,
            fault_address: 0,
            auxiliary_control: 0,
            system_control: 0,
            configuration: STKALIGN,
            coprocessors: 0,
            float_context: ASPEN_LSPEN,
            float_address: 0,
            float_defaults: 0,
            reset_request: false,
            counter_base: 0,
            counter_control: 0,
        }
    }
}

impl System {
    pub(super) fn take_reset_request(&mut self) -> bool {
        std::mem::take(&mut self.reset_request)
    }

    pub(super) fn traps_unaligned(&self) -> bool {
        self.configuration & UNALIGN_TRP != 0
    }

    pub(super) fn aligns_stack(&self) -> bool {
        self.configuration & STKALIGN != 0
    }

    pub(super) fn sleeps_on_exit(&self) -> bool {
        self.system_control & SLEEPONEXIT != 0
    }

    pub(super) fn allows_float(&self, privileged: bool) -> bool {
        match self.coprocessors >> 20 & 3 {
            1 => privileged,
            3 => true,
            _ => false,
        }
    }

    pub(super) fn tracks_float(&self) -> bool {
        self.float_context & ASPEN != 0
    }

    pub(super) fn float_defaults(&self) -> u32 {
        self.float_defaults
    }
}

/// What never changes: identification of processor, features and debug components.
const CONSTANTS: &[(u32, u32)] = &[
    (0xe000_e004, 2),           // ICTR: 96 interrupts
    (0xe000_e01c, 0),           // SYST_CALIB: no reference clock
    (0xe000_ed00, 0x410f_c241), // CPUID: Cortex-M4 r0p1
    (0xe000_ed3c, 0),           // AFSR
    (0xe000_ed40, 0x0000_0030),
    (0xe000_ed44, 0x0000_0200),
    (0xe000_ed48, 0x0010_0000),
    (0xe000_ed4c, 0),
    (0xe000_ed50, 0x0010_0030),
    (0xe000_ed54, 0),
    (0xe000_ed58, 0x0100_0000),
    (0xe000_ed5c, 0),
    (0xe000_ed60, 0x0110_1110),
    (0xe000_ed64, 0x0211_2000),
    (0xe000_ed68, 0x2123_2231),
    (0xe000_ed6c, 0x0111_1131),
    (0xe000_ed70, 0x0131_0132),
    (0xe000_ef40, 0x1011_0021), // MVFR0: single precision
    (0xe000_ef44, 0x1100_0011),
];

/// The identification registers at the end of a component's 4 KB: part number (DDI 0439, table 9-2), class.
const COMPONENTS: &[(u32, u32, u32)] = &[
    (0xe000_0000, 0x001, 0xe0),
    (0xe000_1000, 0x002, 0xe0),
    (0xe000_2000, 0x003, 0xe0),
    (0xe000_e000, 0x00c, 0xe0),
];

/// PIDR4 to CIDR3 of a component of Arm's.
fn identification(address: u32) -> Option<u32> {
    let offset = address & 0xfff;
    let (_, part, class) = COMPONENTS.iter().find(|(base, ..)| *base == address & !0xfff)?;
    match offset {
        0xfd0 => Some(4),
        0xfd4..=0xfdc => Some(0),
        0xfe0 => Some(part & 0xff),
        0xfe4 => Some(0xb0 | part >> 8),
        0xfe8 => Some(0x0b),
        0xfec => Some(0),
        0xff0 => Some(0x0d),
        0xff4 => Some(*class),
        0xff8 => Some(0x05),
        0xffc => Some(0xb1),
        _ => None,
    }
}

impl Cpu {
    /// A load from the processor's own space; a part of a word is cut out.
    pub(super) fn load_private<B: Bus>(&mut self, bus: &mut B, address: u32, size: u32) -> Option<u32> {
        let word = address & !3;
        let value = self.load_word(word).or_else(|| {
            bus.at(self.place, self.now);
            bus.load(word, 4)
        })?;
        let shifted = value >> (8 * (address & 3));
        Some(if size == 4 { shifted } else { shifted & ((1 << (8 * size)) - 1) })
    }

    fn load_word(&mut self, address: u32) -> Option<u32> {
        let constant = CONSTANTS.iter().find(|(at, _)| *at == address).map(|(_, value)| *value);
        let bank = |bits: u128| (bits >> (16 + 32 * (address >> 2 & 7).min(2))) as u32;
        let many = |cpu: &Self, first: usize| {
            u32::from_le_bytes([0, 1, 2, 3].map(|lane| cpu.nvic.priority(first + lane)))
        };
        let system = &self.system;
        Some(match address {
            0xe000_1000 => DWT_CTRL | system.counter_control,
            0xe000_1004 => self.cycle_counter(),
            0xe000_2000..0xe000_2028 => return self.debug.load_breakpoint_unit(address & 0xfff),
            0xe000_e008 => system.auxiliary_control,
            0xe000_e010..=0xe000_e018 => self.systick.load(address & 0xf, self.cycles),
            0xe000_e100..=0xe000_e108 | 0xe000_e180..=0xe000_e188 => bank(self.nvic.enabled),
            0xe000_e200..=0xe000_e208 | 0xe000_e280..=0xe000_e288 => bank(self.nvic.pending),
            0xe000_e300..=0xe000_e308 => bank(self.nvic.active),
            0xe000_e400..0xe000_e460 => many(self, 16 + (address - 0xe000_e400) as usize),
            0xe000_ed04 => self.icsr(),
            0xe000_ed08 => system.vectors,
            0xe000_ed0c => 0xfa05 << 16 | u32::from(self.nvic.group) << 8,
            0xe000_ed10 => system.system_control,
            0xe000_ed14 => system.configuration,
            0xe000_ed18..=0xe000_ed20 => many(self, 4 + (address - 0xe000_ed18) as usize),
            0xe000_ed24 => self.shcsr(),
            0xe000_ed28 => system.fault_status,
            0xe000_ed2c => system.hard_fault_status,
            0xe000_ed34 => 0,
            0xe000_ed38 => system.fault_address,
            0xe000_ed88 => system.coprocessors,
            0xe000_ed30 | 0xe000_edf0..=0xe000_edfc => return self.load_debug(address),
            0xe000_ef34 => system.float_context,
            0xe000_ef38 => system.float_address,
            0xe000_ef3c => system.float_defaults,
            _ => return constant.or_else(|| identification(address)),
        })
    }

    /// A store to the processor's own space.
    pub(super) fn store_private<B: Bus>(
        &mut self,
        bus: &mut B,
        address: u32,
        size: u32,
        value: u32,
    ) -> Option<()> {
        if size < 4 && self.store_bytes(address, size, value).is_some() {
            return Some(());
        }
        let bits = u128::from(value) << 16 << ((address >> 2 & 7).min(2) * 32) & INTERRUPTS;
        match address {
            0xe000_1000 => self.system.counter_control = value & 1,
            0xe000_1004 => self.system.counter_base = self.cycles.wrapping_sub(value.into()),
            0xe000_2000..0xe000_2028 => return self.debug.store_breakpoint_unit(address & 0xfff, value),
            0xe000_e008 => self.system.auxiliary_control = value,
            0xe000_e010..=0xe000_e018 => self.systick.store(address & 0xf, value, self.cycles),
            0xe000_e100..=0xe000_e108 => self.nvic.enabled |= bits,
            0xe000_e180..=0xe000_e188 => self.nvic.enabled &= !bits,
            0xe000_e200..=0xe000_e208 => self.nvic.pending |= bits,
            0xe000_e280..=0xe000_e288 => self.nvic.pending &= !bits,
            0xe000_e400..0xe000_e460 | 0xe000_ed18..=0xe000_ed20 => {
                for (lane, byte) in (0..).zip(value.to_le_bytes()) {
                    self.store_bytes(address + lane, 1, byte.into())?;
                }
            }
            0xe000_ed04 => self.write_icsr(value),
            0xe000_ed08 => self.system.vectors = value & 0xffff_ff80,
            0xe000_ed0c => self.write_aircr(value),
            0xe000_ed10 => self.system.system_control = value,
            0xe000_ed14 => self.system.configuration = value & 0x31b,
            0xe000_ed24 => self.write_shcsr(value),
            0xe000_ed28 => self.system.fault_status &= !value,
            0xe000_ed2c => self.system.hard_fault_status &= !value,
            0xe000_ed34 | 0xe000_ed3c => {}
            0xe000_ed38 => self.system.fault_address = value,
            0xe000_ed88 => self.system.coprocessors = value & 0x00f0_0000,
            0xe000_ed30 | 0xe000_edf0..=0xe000_edfc => return self.store_debug(address, value),
            0xe000_ef00 => self.nvic.pending |= 1 << 16 << (value & 0x1ff).min(100) & INTERRUPTS,
            0xe000_ef34 => self.system.float_context = value & 0xc000_0000,
            0xe000_ef38 => self.system.float_address = value & !7,
            0xe000_ef3c => self.system.float_defaults = value & 0x07c0_0000,
            _ => {
                bus.at(self.place, self.now);
                return bus.store(address & !3, 4, value);
            }
        }
        Some(())
    }

    /// The registers that are made of bytes: priorities, and the parts of CFSR.
    fn store_bytes(&mut self, address: u32, size: u32, value: u32) -> Option<()> {
        let first = match address {
            0xe000_e400..0xe000_e460 => 16 + address - 0xe000_e400,
            0xe000_ed18..0xe000_ed24 => 4 + address - 0xe000_ed18,
            0xe000_ed28..0xe000_ed2c => {
                self.system.fault_status &= !(value << (8 * (address & 3)));
                return Some(());
            }
            _ => return None,
        };
        for (lane, byte) in value.to_le_bytes().into_iter().enumerate().take(size as usize) {
            self.nvic.set_priority(first as usize + lane, byte);
        }
        Some(())
    }

    fn cycle_counter(&self) -> u32 {
        let counts = self.debug.traces() && self.system.counter_control & 1 != 0;
        if counts { self.cycles.wrapping_sub(self.system.counter_base) as u32 } else { 0 }
    }

    fn icsr(&self) -> u32 {
        let pending =
            |exception: Exception, at: u32| u32::from(self.nvic.pending & exception.bit() != 0) << at;
        let next = self.nvic.first().map_or(0, |number| number as u32);
        let alone = self.nvic.active.count_ones() <= 1;
        pending(Exception::Nmi, 31)
            | pending(Exception::PendSv, 28)
            | pending(Exception::SysTick, 26)
            | u32::from(self.nvic.pending & INTERRUPTS != 0) << 22
            | next << 12
            | u32::from(alone) << 11
            | u32::from(self.ipsr)
    }

    fn write_icsr(&mut self, value: u32) {
        for (at, exception) in [(31, Exception::Nmi), (28, Exception::PendSv), (26, Exception::SysTick)] {
            if value >> at & 1 != 0 {
                self.nvic.pend(exception);
            }
        }
        for (at, exception) in [(27, Exception::PendSv), (25, Exception::SysTick)] {
            if value >> at & 1 != 0 {
                self.nvic.pending &= !exception.bit();
            }
        }
    }

    fn write_aircr(&mut self, value: u32) {
        if value >> 16 == AIRCR_KEY {
            self.nvic.group = (value >> 8 & 7) as u8;
            self.system.reset_request |= value & (SYSRESETREQ | VECTRESET) != 0;
        }
    }

    /// The exceptions that SHCSR enables, with their bits there.
    const HANDLERS: [(u32, Exception); 3] =
        [(16, Exception::MemManage), (17, Exception::BusFault), (18, Exception::UsageFault)];

    fn shcsr(&self) -> u32 {
        let enabled = Self::HANDLERS.iter().filter(|(_, exception)| self.nvic.enabled & exception.bit() != 0);
        enabled.fold(0, |word, (at, _)| word | 1 << at)
    }

    fn write_shcsr(&mut self, value: u32) {
        for (at, exception) in Self::HANDLERS {
            if value >> at & 1 != 0 {
                self.nvic.enabled |= exception.bit();
            } else {
                self.nvic.enabled &= !exception.bit();
            }
        }
    }

    pub(super) fn traps_division(&self) -> bool {
        self.system.configuration & DIV_0_TRP != 0
    }
}
