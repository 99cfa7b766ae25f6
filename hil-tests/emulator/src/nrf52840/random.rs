//! The random number generator. Source: PS chapter 6.19. Its numbers follow from the chip's seed, so runs are repeatable, and are
//! there at once.

/// Base address.
pub const BASE: u32 = 0x4000_d000;
const TASKS_START: u32 = 0x000;
const TASKS_STOP: u32 = 0x004;
const EVENTS_VALRDY: u32 = 0x100;
const VALUE: u32 = 0x508;
/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[TASKS_START, TASKS_STOP, EVENTS_VALRDY, VALUE];

/// The generator.
#[derive(Clone)]
pub struct Random {
    on: bool,
    ready: bool,
    state: u32,
}

impl Default for Random {
    fn default() -> Self {
        Self { on: false, ready: false, state: 0x2545_f491 }
    }
}

impl Random {
    /// The chip is reset.
    pub fn reset(&mut self) {
        (self.on, self.ready) = (false, false);
    }

    fn generate(&mut self) {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        self.ready = true;
    }

    /// Reads a register that has behaviour.
    pub fn read(&mut self, offset: u32) -> u32 {
        if self.on && !self.ready {
            self.generate();
        }
        match offset {
            EVENTS_VALRDY => u32::from(self.ready),
            VALUE => self.state >> 24,
            _ => 0,
        }
    }

    /// Writes a register that has behaviour.
    pub fn write(&mut self, offset: u32, value: u32) {
        match offset {
            TASKS_START if value == 1 => self.on = true,
            TASKS_STOP if value == 1 => self.on = false,
            EVENTS_VALRDY => self.ready = value != 0,
            _ => {}
        }
    }
}
