//! From a port to a chip that answers: reset, synchronise, identify.

use crate::chip::ChipInfo;
use crate::dialect::Dialect;
use crate::error::Error;
use crate::event::{Event, Observer};
use crate::link::{DEFAULT_TIMEOUT, Link};
use crate::reach::reach;
use crate::reset::{self, Step};
use crate::transport::Transport;
use larch_chips::{Chip, MAGIC_ADDRESS};
use larch_image::stub::Stub;
use larch_protocol::{Command, Opcode, SecurityInfo};
use std::time::Duration;

/// Speed at which mask ROMs are spoken to first; they measure it.
pub const ROM_BAUD: u32 = 115_200;
/// How long reading or writing a register may take. A stub that is still writing answers only afterwards.
const REGISTER_TIMEOUT: Duration = DEFAULT_TIMEOUT;
/// How often a chip that answered and fell silent is reached again.
const CONNECT_TRIES: u32 = 3;
/// Resets before the loader gives up, as esptool's default.
pub const DEFAULT_ATTEMPTS: u32 = 7;

/// How to get the chip into its loader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    /// By the control lines, trying these sequences in turn.
    Reset(Vec<Vec<Step>>),
    /// Somebody does it by hand, or it is there already.
    NoReset,
    /// It is there already and synchronised: a stub that was left running.
    NoSync,
}

impl Before {
    /// By DTR and RTS through the usual circuit, for ports of this kind.
    pub fn default_reset(port: &str) -> Self {
        // Over a network and on Windows, both lines cannot change at once.
        let tight = !cfg!(windows) && !port.contains("://");
        let sequences: &[&[Step]] = if tight {
            &[reset::TIGHT, reset::TIGHT_SLOW, reset::CLASSIC, reset::CLASSIC_SLOW]
        } else {
            &[reset::CLASSIC, reset::CLASSIC_SLOW]
        };
        Self::Reset(sequences.iter().map(|steps| steps.to_vec()).collect())
    }

    /// Over the chip's own USB-Serial-JTAG port.
    pub fn usb_reset() -> Self {
        Self::Reset(vec![reset::USB_JTAG.to_vec()])
    }
}

/// How long to try to reach a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// So many resets; for scripts. 0 means without end.
    Attempts(u32),
    /// Until somebody at the desk has helped, told what to do; `Some`: at most so long.
    Person(Option<Duration>),
}

/// How to connect.
#[derive(Debug, Clone)]
pub struct Options {
    /// The chip that must answer; `None`: any.
    pub chip: Option<&'static Chip>,
    /// How to get it into its loader.
    pub before: Before,
    /// How long to try.
    pub patience: Patience,
    /// Speed to synchronise at.
    pub baud: u32,
    /// Times as long as usual to wait for answers: for slow networks and busy machines.
    pub timeout_factor: u32,
    /// Go on at a lower speed when the line damages too much.
    pub may_change_speed: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            chip: None,
            before: Before::default_reset(""),
            patience: Patience::Attempts(DEFAULT_ATTEMPTS),
            baud: ROM_BAUD,
            timeout_factor: 1,
            may_change_speed: true,
        }
    }
}

/// A chip whose loader answers.
pub struct Loader<'a> {
    pub(crate) link: Link<'a>,
    pub(crate) observer: Box<dyn Observer + 'a>,
    pub(crate) chip: &'static Chip,
    pub(crate) info: Option<ChipInfo>,
    pub(crate) security: Option<SecurityInfo>,
    pub(crate) dialect: Dialect,
    pub(crate) by_hand: bool,
    pub(crate) options: Options,
    pub(crate) baud: u32,
    pub(crate) flash: Option<crate::flash::FlashChip>,
    /// As SPI_ATTACH takes them; 0: the usual ones.
    pub(crate) flash_pins: u32,
    /// What runs on the chip instead of its ROM, to be loaded again if the chip is reset.
    pub(crate) stub: Option<Stub>,
}

impl<'a> Loader<'a> {
    /// Resets the chip into its loader, synchronises, and reads what it is.
    ///
    /// # Errors
    /// If the port fails, nothing answers, or the wrong chip does.
    pub fn connect(
        transport: Box<dyn Transport + 'a>,
        observer: Box<dyn Observer + 'a>,
        options: &Options,
    ) -> Result<Self, Error> {
        let mut link = Link::new(transport);
        link.patience = options.timeout_factor.max(1);
        let mut observer = observer;
        let mut tries = 1;
        let (answer, chip, security) = loop {
            let answer = reach(&mut link, &mut *observer, options)?;
            match detect(&mut link, options.chip) {
                // It answered, and was reset or lost its power since.
                Err(Error::Silent { .. }) if tries < CONNECT_TRIES => tries += 1,
                other => break other.map(|(chip, security)| (answer, chip, security))?,
            }
        };
        observer.event(&Event::Connected);
        if let Some(wanted) = options.chip.filter(|wanted| wanted.name != chip.name) {
            return Err(Error::WrongChip { found: chip.name, wanted: wanted.name });
        }
        let mut loader = Self {
            link,
            observer,
            chip,
            info: None,
            security,
            dialect: if answer.by_stub { Dialect::espressif_stub() } else { Dialect::rom(chip) },
            by_hand: answer.by_hand,
            options: options.clone(),
            baud: options.baud,
            flash: None,
            flash_pins: 0,
            stub: None,
        };
        loader.identify()?;
        Ok(loader)
    }

    fn identify(&mut self) -> Result<(), Error> {
        if self.secure_download() {
            self.note("secure download mode: only writing is possible, nothing can be read");
            return Ok(());
        }
        let info = self.with_recovery(|loader, _| {
            let info = loader.certain_info()?;
            loader.disable_watchdogs()?;
            Ok(info)
        })?;
        self.observer.event(&Event::Chip(&info));
        self.info = Some(info);
        Ok(())
    }

    /// What the chip is, read until it comes twice the same: answers carry no checksum, and images are checked against it.
    pub(crate) fn certain_info(&mut self) -> Result<ChipInfo, Error> {
        const READINGS: u32 = 5;
        let (chip, baud) = (self.chip, self.options.baud);
        let mut info = ChipInfo::read(chip, baud, |address| self.read_register(address))?;
        for _ in 1..READINGS {
            let again = ChipInfo::read(chip, baud, |address| self.read_register(address))?;
            if again == info {
                break;
            }
            info = again;
        }
        Ok(info)
    }

    /// The chip's table.
    pub fn chip(&self) -> &'static Chip {
        self.chip
    }

    /// What the chip is; `None` in secure download mode, where it cannot be read.
    pub fn info(&self) -> Option<&ChipInfo> {
        self.info.as_ref()
    }

    /// Whether somebody at the desk resets the chip, because the control lines do not.
    pub fn is_reset_by_hand(&self) -> bool {
        self.by_hand
    }

    /// Whether the mask ROM answers, not a stub.
    pub fn is_rom(&self) -> bool {
        self.dialect.is_rom()
    }

    /// The port, given back.
    pub fn into_transport(self) -> Box<dyn Transport + 'a> {
        self.link.into_transport()
    }

    /// Whether the chip lets only writing through.
    pub fn secure_download(&self) -> bool {
        self.security.is_some_and(|security| security.flags.secure_download())
    }

    pub(crate) fn note(&mut self, text: &str) {
        self.observer.event(&Event::Note(text));
    }

    pub(crate) fn command(&mut self, command: &Command<'_>, timeout: Duration) -> Result<(), Error> {
        self.link.command(command, 0, timeout).map(|_| ())
    }

    /// Reads a register or a word of memory.
    ///
    /// # Errors
    /// If the chip refuses or does not answer.
    pub fn read_register(&mut self, address: u32) -> Result<u32, Error> {
        self.with_retries(|loader| {
            let (value, _) = loader.link.command(&Command::ReadReg(address), 0, REGISTER_TIMEOUT)?;
            Ok(value)
        })
    }

    /// Writes a register or a word of memory.
    ///
    /// # Errors
    /// If the chip refuses or does not answer.
    pub fn write_register(&mut self, address: u32, value: u32) -> Result<(), Error> {
        let write = Command::WriteReg { address, value, mask: u32::MAX, delay_us: 0 };
        self.with_retries(|loader| loader.command(&write, REGISTER_TIMEOUT))
    }

    /// Secure boot and flash encryption state, where the ROM tells.
    ///
    /// # Errors
    /// If the chip does not know the command.
    pub fn security_info(&mut self) -> Result<SecurityInfo, Error> {
        if let Some(security) = self.security {
            return Ok(security);
        }
        if !self.chip.rom.security_info {
            let why = "with this chip's ROM; it has no such command".to_owned();
            return Err(Error::Unsupported { what: "get-security-info".to_owned(), why });
        }
        let security = self.with_retries(|loader| security_info(&mut loader.link))?;
        self.security = Some(security);
        Ok(security)
    }

    /// In download mode over USB the watchdogs were not stopped by a reset and would bite.
    pub(crate) fn disable_watchdogs(&mut self) -> Result<(), Error> {
        let Some(watchdogs) = self.chip.watchdogs else { return Ok(()) };
        if !self.talks_over_usb_jtag()? {
            return Ok(());
        }
        self.write_register(watchdogs.protect, watchdogs.key)?;
        self.write_register(watchdogs.config0, 0)?;
        self.write_register(watchdogs.protect, 0)?;
        self.write_register(watchdogs.super_protect, watchdogs.super_key)?;
        let config = self.read_register(watchdogs.super_config)?;
        self.write_register(watchdogs.super_config, config | watchdogs.super_auto_feed)?;
        self.write_register(watchdogs.super_protect, 0)
    }

    /// Whether the ROM talks to us over the chip's own USB-Serial-JTAG port.
    pub(crate) fn talks_over_usb_jtag(&mut self) -> Result<bool, Error> {
        let usb = &self.chip.usb;
        let (Some(number), false) = (usb.serial_jtag, usb.buffer_number.is_empty()) else { return Ok(false) };
        let magic = self.read_register(MAGIC_ADDRESS)?;
        let Some((_, address)) = usb.buffer_number.iter().find(|(known, _)| *known == magic || *known == 0)
        else {
            return Ok(false);
        };
        let word = self.read_register(address & !3)?;
        Ok(word.to_le_bytes()[(address & 3) as usize] == number)
    }
}

/// Which chip answers: by the word in its ROM, or by what it says of itself where that may not be read.
fn detect(
    link: &mut Link<'_>,
    wanted: Option<&'static Chip>,
) -> Result<(&'static Chip, Option<SecurityInfo>), Error> {
    // Answers carry no checksum: a word that is none of the known ones may come right the second time.
    const READINGS: u32 = 3;
    let mut magic = 0;
    for _ in 0..READINGS {
        magic = match link.command(&Command::ReadReg(MAGIC_ADDRESS), 0, DEFAULT_TIMEOUT) {
            Ok((magic, _)) => magic,
            Err(Error::Refused { .. } | Error::Silent { .. }) => 0,
            Err(other) => return Err(other),
        };
        if let Some(chip) = Chip::by_magic(magic).filter(|_| magic != 0) {
            return Ok((chip, None));
        }
    }
    let security = match security_info(link) {
        Ok(security) => Some(security),
        Err(Error::Refused { .. }) => None,
        Err(other) => return Err(other),
    };
    let id = security.and_then(|security| security.chip).and_then(|(id, _)| u16::try_from(id).ok());
    match id.and_then(Chip::by_chip_id).or(wanted) {
        Some(chip) => Ok((chip, security)),
        None => Err(Error::UnknownChip { magic }),
    }
}

fn security_info(link: &mut Link<'_>) -> Result<SecurityInfo, Error> {
    let answer = link.exchange(&Command::GetSecurityInfo, DEFAULT_TIMEOUT)?;
    let long = answer.body.len() >= SecurityInfo::LEN + 2;
    let len = if long { SecurityInfo::LEN } else { SecurityInfo::LEN_WITHOUT_CHIP };
    let response =
        larch_protocol::Response { opcode: Opcode::GetSecurityInfo as u8, value: 0, body: &answer.body };
    let data = response.data(len).map_err(|error| Error::refused(Opcode::GetSecurityInfo, error))?;
    let parsed = SecurityInfo::parse(data);
    parsed.ok_or(Error::refused(Opcode::GetSecurityInfo, larch_protocol::ChipError::SHORT))
}
