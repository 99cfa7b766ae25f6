//! Going on after the chip was lost: it was reset, lost its power, or its port vanished for a moment.
//!
//! Where the reset lines work the chip is brought back by them; elsewhere the person at the desk is told. The work is then
//! done again; what flash holds already is told by the chip's digests, so that only the rest is sent.

use crate::connect::{Loader, Patience};
use crate::dialect::Dialect;
use crate::error::Error;
use crate::event::Event;
use crate::reach::reach;
use larch_image::stub::Stub;
use larch_protocol::{Command, Opcode};

/// How often a chip may be lost within one piece of work.
const RECOVERIES: u32 = 8;
/// Resets that may bring it back, if nobody is asked.
const ATTEMPTS: u32 = 7;

/// Whether a piece of work is done for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Round {
    /// It is.
    First,
    /// The chip was lost meanwhile, and part of the work may be done.
    Again,
}

/// What the chip was doing before it was lost.
struct Goal {
    baud: u32,
    stub: Option<Stub>,
}

impl Loader<'_> {
    /// Does the work, again if the chip was lost meanwhile and came back.
    pub(crate) fn with_recovery<T>(
        &mut self,
        mut work: impl FnMut(&mut Self, Round) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let goal = Goal { baud: self.baud, stub: self.stub.clone() };
        let mut result = work(self, Round::First);
        for _ in 0..RECOVERIES {
            match result {
                Err(lost) if lost.is_lost_chip() && self.can_recover() => {
                    self.observer.event(&Event::Retry { what: &lost.to_string() });
                    result = match self.recover(&goal) {
                        Ok(true) => work(self, Round::Again),
                        Ok(false) => return Err(lost),
                        // On its way back, it is lost still.
                        Err(Error::Refused { what, .. }) => Err(Error::Silent { what }),
                        Err(error) => Err(error),
                    };
                }
                other => return other,
            }
        }
        result
    }

    /// Without reset lines and without a person nobody brings the chip back.
    fn can_recover(&self) -> bool {
        !self.by_hand || matches!(self.options.patience, Patience::Person(_))
    }

    /// Brings the chip back to where it was: its loader answers, at the speed and with the stub of before. False if it
    /// stays lost, or another board came back.
    fn recover(&mut self, goal: &Goal) -> Result<bool, Error> {
        let mut options = self.options.clone();
        if let Patience::Attempts(most) = options.patience {
            options.patience = Patience::Attempts(most.max(ATTEMPTS));
        }
        self.link.transport().set_baud(options.baud)?;
        self.baud = options.baud;
        self.flash = None;
        self.stub = None;
        let answer = match reach(&mut self.link, &mut *self.observer, &options) {
            Err(Error::NoAnswer(_)) => return Ok(false),
            other => other?,
        };
        self.dialect = if answer.by_stub { Dialect::espressif_stub() } else { Dialect::rom(self.chip) };
        self.observer.event(&Event::Connected);
        if !self.is_same_board()? {
            self.note("another board came back than the one that was lost");
            return Ok(false);
        }
        self.disable_watchdogs()?;
        if let Some(stub) = goal.stub.as_ref().filter(|_| !answer.by_stub) {
            self.run_stub_once(stub)?;
        }
        self.change_baud_once(goal.baud)?;
        Ok(true)
    }

    /// Whether the chip that answers has the MAC of the one that was lost.
    fn is_same_board(&mut self) -> Result<bool, Error> {
        let Some(before) = self.info().map(|info| info.mac) else { return Ok(true) };
        Ok(self.certain_info()?.mac == before)
    }

    /// Brings both sides into step; a chip that does not answer at all, or with its ROM instead of the stub, is lost.
    pub(crate) fn answers_sync(&mut self) -> Result<(), Error> {
        const TRIES: u32 = 5;
        const PATIENCE: std::time::Duration = std::time::Duration::from_millis(500);
        for _ in 0..TRIES {
            self.link.send(&Command::Sync)?;
            let Some(answer) = self.link.response(Opcode::Sync as u8, PATIENCE)? else { continue };
            // A stub answers 0, the mask ROM something else: then the chip was reset into its ROM.
            if self.dialect.is_rom() || answer.value == 0 {
                return Ok(());
            }
        }
        Err(Error::silent(Opcode::Sync))
    }
}
