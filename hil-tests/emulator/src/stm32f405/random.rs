//! The random number generator. Source: RM0090 chapter 24. Its numbers follow from the chip's seed, so runs are repeatable.

/// Base address.
pub const BASE: u32 = 0x5006_0800;
const CR: u32 = 0x00;
const SR: u32 = 0x04;
const DR: u32 = 0x08;
const RNGEN: u32 = 1 << 2;
const DRDY: u32 = 1;

/// The generator.
#[derive(Clone)]
pub struct Random {
    control: u32,
    state: u32,
}

impl Default for Random {
    fn default() -> Self {
        Self { control: 0, state: 0x2545_f491 }
    }
}

impl Random {
    /// The chip is reset.
    pub fn reset(&mut self) {
        self.control = 0;
    }

    /// Reads a register; `None` if there is none.
    pub fn read(&mut self, address: u32) -> Option<u32> {
        let on = self.control & RNGEN != 0;
        match address.checked_sub(BASE)? {
            CR => Some(self.control),
            SR => Some(if on { DRDY } else { 0 }),
            DR if on => {
                self.state ^= self.state << 13;
                self.state ^= self.state >> 17;
                self.state ^= self.state << 5;
                Some(self.state)
            }
            DR => Some(0),
            _ => None,
        }
    }

    /// Writes a register; `None` if there is none.
    pub fn write(&mut self, address: u32, value: u32) -> Option<()> {
        match address.checked_sub(BASE)? {
            CR => self.control = value & 0xc,
            SR => {}
            _ => return None,
        }
        Some(())
    }
}
