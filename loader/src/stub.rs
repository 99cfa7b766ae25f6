//! Handing over from the mask ROM to a stub in RAM.

use crate::connect::Loader;
use crate::dialect::Dialect;
use crate::error::Error;
use crate::event::Event;
use crate::link::DEFAULT_TIMEOUT;
use larch_chips::Chip;
use larch_image::stub::{Kind, Stub};
use larch_protocol::Opcode;

/// What a stub says when it runs.
const GREETING: &[u8] = b"OHAI";

/// Our own stub for a chip, if there is one and it was built with this program.
pub fn own_stub(chip: &Chip) -> Option<Stub> {
    let elf: &[u8] = match chip.slug {
        "esp32c3" => include_bytes!(concat!(env!("OUT_DIR"), "/esp32c3.elf")),
        _ => &[],
    };
    Stub::from_elf(elf).ok()
}

impl Loader<'_> {
    /// Runs our own stub if it runs on this chip and over this port. Returns whether it does.
    ///
    /// # Errors
    /// As [`Loader::run_stub`].
    pub fn run_own_stub(&mut self) -> Result<bool, Error> {
        if self.chip.rom.security_info {
            // Our stub does not answer this; whoever asks later gets what the ROM said.
            if let Err(Error::PortLost(error)) = self.security_info() {
                return Err(Error::PortLost(error));
            }
        }
        match own_stub(self.chip) {
            Some(stub) if self.has_own_stub()? => self.run_stub(&stub).map(|()| true),
            _ => Ok(false),
        }
    }

    /// Whether our own stub runs on this chip and over this port.
    ///
    /// # Errors
    /// If the chip does not answer.
    pub fn has_own_stub(&mut self) -> Result<bool, Error> {
        Ok(own_stub(self.chip).is_some() && !self.with_recovery(|loader, _| loader.talks_over_usb_jtag())?)
    }

    /// Loads a flasher stub into RAM and runs it; from then on it answers instead of the ROM.
    ///
    /// # Errors
    /// If the chip refuses it, or the stub does not greet.
    pub fn run_stub(&mut self, stub: &Stub) -> Result<(), Error> {
        if self.secure_download() {
            let why = "in secure download mode; it goes without (--no-stub)".to_owned();
            return Err(Error::Unsupported { what: "a stub".to_owned(), why });
        }
        self.with_recovery(|loader, _| loader.run_stub_once(stub))
    }

    /// The same; a chip that is lost stays lost.
    pub(crate) fn run_stub_once(&mut self, stub: &Stub) -> Result<(), Error> {
        self.with_retries(|loader| loader.upload(stub))?;
        self.run_memory(stub.entry)?;
        self.wait_for_greeting()?;
        let (dialect, name) = match stub.kind {
            Kind::Espressif => (Dialect::espressif_stub(), "Espressif's flasher stub"),
            Kind::Larch => (Dialect::larch_stub(), "Larch's flasher stub"),
        };
        self.dialect = dialect;
        self.flash = None;
        self.stub = Some(stub.clone());
        self.observer.event(&Event::Stub { name });
        Ok(())
    }

    fn upload(&mut self, stub: &Stub) -> Result<(), Error> {
        for (address, bytes) in [&stub.text, &stub.data] {
            if !bytes.is_empty() {
                self.send_to_memory(*address, bytes)?;
            }
        }
        Ok(())
    }

    fn wait_for_greeting(&mut self) -> Result<(), Error> {
        let deadline = self.link.now() + DEFAULT_TIMEOUT * self.link.patience;
        while let Some(frame) = self.link.read_frame(deadline.saturating_sub(self.link.now()))? {
            if frame == GREETING {
                return Ok(());
            }
        }
        Err(Error::silent(Opcode::MemEnd))
    }
}
