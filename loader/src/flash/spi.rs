//! Commands of our own to the flash chip, through the registers of its SPI controller (SPI1).
//!
//! Source: "SPI controller" chapters of the TRMs (SPI_USER, SPI_USER1, SPI_USER2, SPI_MOSI_DLEN, SPI_MISO_DLEN, SPI_W0)
//! and the flash chips' data sheets (W25Q32: command table).

use crate::connect::Loader;
use crate::error::Error;

/// SPI_USER: a command phase.
const USER_COMMAND: u32 = 1 << 31;
/// SPI_USER: an address phase.
const USER_ADDR: u32 = 1 << 30;
/// SPI_USER: a dummy phase.
const USER_DUMMY: u32 = 1 << 29;
/// SPI_USER: the flash sends data.
const USER_MISO: u32 = 1 << 28;
/// SPI_USER: we send data.
const USER_MOSI: u32 = 1 << 27;
/// SPI_CMD: go.
const CMD_USR: u32 = 1 << 18;
/// The controller's data words hold this many bytes.
const MOST_DATA: usize = 64;

/// JEDEC id.
const READ_ID: u8 = 0x9F;
/// Serial Flash Discoverable Parameters.
const READ_SFDP: u8 = 0x5A;
/// Allow the next erase or write.
pub(super) const WRITE_ENABLE: u8 = 0x06;
/// Allow a write to the volatile status register.
const WRITE_ENABLE_VOLATILE: u8 = 0x50;
/// Erase everything.
pub(super) const CHIP_ERASE: u8 = 0xC7;
/// Status registers 1 to 3: commands to read them.
const READ_STATUS: [u8; 3] = [0x05, 0x35, 0x15];
/// Status registers 1 to 3: commands to write them.
const WRITE_STATUS: [u8; 3] = [0x01, 0x31, 0x11];
/// Status bit: busy.
pub(super) const STATUS_BUSY: u32 = 1;

/// A command to the flash chip.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SpiCommand<'d> {
    pub(super) opcode: u8,
    /// Address and its bits.
    pub(super) address: Option<(u32, u32)>,
    pub(super) dummy_bits: u32,
    pub(super) send: &'d [u8],
    /// Bits to read, at most 32.
    pub(super) receive_bits: u32,
}

impl Loader<'_> {
    /// Runs a command on the flash chip and returns what it sent, first byte lowest.
    pub(super) fn spi(&mut self, command: &SpiCommand<'_>) -> Result<u32, Error> {
        let registers = self.chip.spi;
        let at = |offset: u32| registers.base + offset;
        if command.send.len() > MOST_DATA || command.receive_bits > 32 {
            return Err(Error::Argument(
                "the SPI controller takes 64 bytes and gives 32 bits at a time".to_owned(),
            ));
        }
        let old_user = self.read_register(at(registers.user))?;
        let old_user2 = self.read_register(at(registers.user2))?;
        let send_bits = u32::try_from(command.send.len() * 8).unwrap_or(0);
        let (mut user, mut user1) = (USER_COMMAND, 0);
        if send_bits > 0 {
            user |= USER_MOSI;
            self.write_register(at(registers.mosi_dlen), send_bits - 1)?;
        }
        if command.receive_bits > 0 {
            user |= USER_MISO;
            self.write_register(at(registers.miso_dlen), command.receive_bits - 1)?;
        }
        if command.dummy_bits > 0 {
            user |= USER_DUMMY;
            user1 |= command.dummy_bits - 1;
        }
        if let Some((address, bits)) = command.address {
            user |= USER_ADDR;
            user1 |= (bits - 1) << 26;
            let aligned = if registers.address_from_msb { address << (32 - bits) } else { address };
            self.write_register(at(4), aligned)?;
        }
        self.write_register(at(registers.user1), user1)?;
        self.write_register(at(registers.user), user)?;
        self.write_register(at(registers.user2), 7 << 28 | u32::from(command.opcode))?;
        self.write_data(command.send)?;
        self.write_register(at(0), CMD_USR)?;
        self.wait_for_spi(at(0))?;
        let received = self.read_register(at(registers.w0))?;
        self.write_register(at(registers.user), old_user)?;
        self.write_register(at(registers.user2), old_user2)?;
        Ok(match command.receive_bits {
            0 => 0,
            bits => received & (u32::MAX >> (32 - bits)),
        })
    }

    fn write_data(&mut self, data: &[u8]) -> Result<(), Error> {
        let w0 = self.chip.spi.base + self.chip.spi.w0;
        if data.is_empty() {
            return self.write_register(w0, 0);
        }
        for (address, bytes) in (w0..).step_by(4).zip(data.chunks(4)) {
            let mut word = [0; 4];
            word[..bytes.len()].copy_from_slice(bytes);
            self.write_register(address, u32::from_le_bytes(word))?;
        }
        Ok(())
    }

    fn wait_for_spi(&mut self, cmd: u32) -> Result<(), Error> {
        const TRIES: u32 = 10;
        for _ in 0..TRIES {
            if self.read_register(cmd)? & CMD_USR == 0 {
                return Ok(());
            }
        }
        Err(Error::FlashBusy { what: "an SPI command", seconds: 0 })
    }

    fn spi_read(&mut self, opcode: u8, receive_bits: u32) -> Result<u32, Error> {
        self.spi(&SpiCommand { opcode, receive_bits, ..SpiCommand::default() })
    }

    pub(super) fn spi_write(&mut self, opcode: u8, send: &[u8]) -> Result<(), Error> {
        self.spi(&SpiCommand { opcode, send, ..SpiCommand::default() }).map(|_| ())
    }

    /// The JEDEC id.
    pub(super) fn flash_id(&mut self) -> Result<u32, Error> {
        self.spi_read(READ_ID, 24)
    }

    /// The first `count` status registers (1 to 3), register 1 in the low byte.
    ///
    /// # Errors
    /// If the chip does not answer.
    pub fn flash_status(&mut self, count: usize) -> Result<u32, Error> {
        self.flash()?;
        let mut status = 0;
        for (index, opcode) in READ_STATUS.into_iter().take(count).enumerate() {
            status |= self.spi_read(opcode, 8)? << (8 * index);
        }
        Ok(status)
    }

    /// Writes the first `count` status registers. Afterwards the write-enable latch is off again.
    ///
    /// # Errors
    /// If the chip does not answer.
    pub fn write_flash_status(&mut self, status: u32, count: usize, non_volatile: bool) -> Result<(), Error> {
        self.flash()?;
        let enable = if non_volatile { WRITE_ENABLE } else { WRITE_ENABLE_VOLATILE };
        let bytes = status.to_le_bytes();
        // Older parts take two bytes with 01H, newer ones a command for each register.
        if count >= 2 {
            self.spi_write(enable, &[])?;
            self.spi_write(WRITE_STATUS[0], &bytes[..2])?;
        }
        for (index, opcode) in WRITE_STATUS.into_iter().take(count).enumerate() {
            self.spi_write(enable, &[])?;
            self.spi_write(opcode, &bytes[index..=index])?;
        }
        Ok(())
    }

    /// `count` bytes (1 to 4) of the SFDP table.
    ///
    /// # Errors
    /// If the chip does not answer.
    pub fn read_sfdp(&mut self, address: u32, count: u32) -> Result<u32, Error> {
        self.flash()?;
        self.spi(&SpiCommand {
            opcode: READ_SFDP,
            address: Some((address, 24)),
            dummy_bits: 8,
            receive_bits: count.clamp(1, 4) * 8,
            ..SpiCommand::default()
        })
    }

    /// Status register 1.
    pub(super) fn flash_busy(&mut self) -> Result<bool, Error> {
        Ok(self.spi_read(READ_STATUS[0], 8)? & STATUS_BUSY != 0)
    }
}
