//! What the vendor does not document: the internal I2C bus to the analog blocks and the PHY's calibration answers.
//! Source: measured on the ROM, the bootloader and the Wi-Fi driver.

use super::io::Io;
use std::collections::BTreeMap;

/// Base address of the bus master.
pub const BASE: u32 = 0x6000_E000;
/// Base address of the RF front end.
pub const FRONT_END: u32 = 0x6000_6000;
const I2C0: u32 = 0x00;
const I2C1: u32 = 0x04;
const ANA_CONF0: u32 = 0x40;
const PHY_DONE: u32 = 0x4C;
const PHY_STATE: u32 = 0x50;
const IQ_ESTIMATE: u32 = 0x174;

/// Offsets of the bus master's registers that have behaviour.
pub const MODELLED: &[u32] = &[I2C0, I2C1, ANA_CONF0, PHY_DONE, PHY_STATE];
/// Offsets of the front end's registers that have behaviour.
pub const FRONT_END_MODELLED: &[u32] = &[IQ_ESTIMATE];

/// Slave and register of the PLL's calibration result.
const PLL_CALIBRATION: (u8, u8) = (0x62, 7);

/// The analog blocks' registers.
#[derive(Clone, Default)]
pub struct Analog {
    blocks: BTreeMap<(u8, u8), u8>,
}

impl Analog {
    /// Reads a register of the bus master.
    #[must_use]
    pub fn read(&self, io: &Io<'_>, offset: u32) -> u32 {
        let value = io.registers.get(BASE + offset);
        match offset {
            I2C0 | I2C1 => {
                let target = (value as u8, (value >> 8) as u8);
                let data = self.blocks.get(&target).copied().unwrap_or(0)
                    | if target == PLL_CALIBRATION { 2 } else { 0 };
                // Bit 25, busy, reads 0: the transfer is over before the program can look.
                value & 0x0100_FFFF | u32::from(data) << 16
            }
            // Calibration of the BBPLL is done.
            ANA_CONF0 => value | 1 << 24,
            PHY_DONE => value | 1 << 24,
            PHY_STATE => value | 7 << 24,
            0x168 => value & !(1 << 31),
            _ => value,
        }
    }

    /// Writes a register of the bus master.
    pub fn write(&mut self, io: &mut Io<'_>, offset: u32, value: u32) {
        io.registers.set(BASE + offset, value);
        if matches!(offset, I2C0 | I2C1) && value & 1 << 24 != 0 {
            self.blocks.insert((value as u8, (value >> 8) as u8), (value >> 16) as u8);
        }
    }
}

/// Reads a register of the front end.
#[must_use]
pub fn read_front_end(io: &Io<'_>, offset: u32) -> u32 {
    let value = io.registers.get(FRONT_END + offset);
    if offset == IQ_ESTIMATE { value | 1 << 16 } else { value }
}
