//! Reaching the chip: by its reset lines, or with the help of the person at the desk.
//!
//! First the control lines are tried. If nothing answers within [`NOTICE`], what the chip printed meanwhile says what it is
//! doing, and the person is told what to do. From then on the lines rest, what the chip prints is followed, and the loader
//! goes on by itself the moment the chip answers.

use crate::connect::{Before, Options, Patience};
use crate::diagnosis::{Diagnosis, Situation};
use crate::error::Error;
use crate::event::{Event, Observer};
use crate::link::Link;
use crate::reset;
use crate::transport::Lines;
use larch_protocol::{Command, Opcode};
use std::time::Duration;

/// How long one SYNC may take to be answered.
const SYNC_TIMEOUT: Duration = Duration::from_millis(100);
/// SYNCs per reset.
const SYNCS: u32 = 5;
/// The ROM answers each SYNC this often.
const SYNC_ANSWERS: usize = 8;
/// After this long without an answer the person is told.
const NOTICE: Duration = Duration::from_millis(1300);
/// A new situation must last this long to be reported.
const SETTLED: Duration = Duration::from_millis(600);
/// How much of what the chip prints counts: what is older says nothing about now.
const RECENT: usize = 2048;

/// How the chip was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Answered {
    /// A stub answered that was left running.
    pub(crate) by_stub: bool,
    /// Somebody pressed a button: the control lines do not reset this board.
    pub(crate) by_hand: bool,
}

/// Tries until the chip answers SYNC.
pub(crate) fn reach(
    link: &mut Link<'_>,
    observer: &mut dyn Observer,
    options: &Options,
) -> Result<Answered, Error> {
    if options.before == Before::NoSync {
        return Ok(Answered { by_stub: true, by_hand: true });
    }
    let start = link.now();
    let mut attempt = 0;
    let mut printed = Vec::new();
    loop {
        attempt += 1;
        observer.event(&Event::Connecting { attempt });
        reset_into_loader(link, &options.before, attempt)?;
        if let Some(by_stub) = synchronise(link)? {
            return Ok(Answered { by_stub, by_hand: options.before == Before::NoReset });
        }
        printed.extend(link.take_printed());
        match options.patience {
            Patience::Attempts(0) => {}
            Patience::Attempts(most) if attempt >= most => {
                return Err(Error::NoAnswer(diagnosis(options, Situation::of(&printed))));
            }
            Patience::Attempts(_) => {}
            Patience::Person(limit) if link.now() - start >= NOTICE => {
                let desk = Desk { options, situation: None, changed: link.now(), printed };
                return desk.wait(link, observer, limit.map(|limit| start + limit));
            }
            Patience::Person(_) => {}
        }
    }
}

fn diagnosis(options: &Options, situation: Situation) -> Diagnosis {
    Diagnosis { situation, strap: options.chip.map(|chip| chip.boot_strap.pin) }
}

fn reset_into_loader(link: &mut Link<'_>, before: &Before, attempt: u32) -> Result<(), Error> {
    link.discard()?;
    let Before::Reset(sequences) = before else { return Ok(()) };
    if let Some(steps) = sequences.get((attempt as usize - 1) % sequences.len().max(1)) {
        reset::run(link.transport(), steps)?;
    }
    Ok(())
}

/// Sends SYNC a few times. If it is answered: whether by a stub. All answers are taken off the line.
fn synchronise(link: &mut Link<'_>) -> Result<Option<bool>, Error> {
    for _ in 0..SYNCS {
        if let Some(by_stub) = synchronise_once(link)? {
            return Ok(Some(by_stub));
        }
    }
    Ok(None)
}

fn synchronise_once(link: &mut Link<'_>) -> Result<Option<bool>, Error> {
    let opcode = Opcode::Sync as u8;
    link.send(&Command::Sync)?;
    let Some(first) = link.response(opcode, SYNC_TIMEOUT)? else { return Ok(None) };
    let mut answers = 1;
    while answers < SYNC_ANSWERS && link.response(opcode, SYNC_TIMEOUT)?.is_some() {
        answers += 1;
    }
    link.discard()?;
    link.take_printed();
    // The ROM's answers carry something in the value field, a stub's 0.
    Ok(Some(first.value == 0))
}

/// Waiting for the person.
struct Desk<'o> {
    options: &'o Options,
    /// What was reported last.
    situation: Option<Situation>,
    /// Since when the present situation differs from it.
    changed: Duration,
    printed: Vec<u8>,
}

impl Desk<'_> {
    fn wait(
        mut self,
        link: &mut Link<'_>,
        observer: &mut dyn Observer,
        deadline: Option<Duration>,
    ) -> Result<Answered, Error> {
        // With both lines released no circuit holds the chip in reset or its strap low.
        link.transport().set_lines(Lines::default())?;
        self.report(observer, Situation::of(&self.printed));
        loop {
            if let Some(by_stub) = synchronise_once(link)? {
                return Ok(Answered { by_stub, by_hand: true });
            }
            self.follow(link, observer);
            if deadline.is_some_and(|deadline| link.now() >= deadline) {
                let situation = self.situation.unwrap_or(Situation::Nothing);
                return Err(Error::NoAnswer(diagnosis(self.options, situation)));
            }
        }
    }

    /// Looks at what came, and reports a situation that has changed for good.
    fn follow(&mut self, link: &mut Link<'_>, observer: &mut dyn Observer) {
        let new = link.take_printed();
        self.printed.extend(new);
        let excess = self.printed.len().saturating_sub(RECENT);
        self.printed.drain(..excess);
        let situation = Situation::of(since_last_reset(&self.printed));
        if Some(situation) == self.situation {
            self.changed = link.now();
        } else if link.now() - self.changed >= SETTLED {
            self.report(observer, situation);
        }
    }

    fn report(&mut self, observer: &mut dyn Observer, situation: Situation) {
        self.situation = Some(situation);
        observer.event(&Event::Waiting(&diagnosis(self.options, situation)));
    }
}

/// What was printed from the last reset banner on; all of it if there is none.
pub(crate) fn since_last_reset(printed: &[u8]) -> &[u8] {
    const BANNER: &[u8] = b"rst:0x";
    let at = printed.windows(BANNER.len()).rposition(|window| window == BANNER);
    &printed[at.unwrap_or(0)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_followed_the_last_reset_counts() {
        let printed =
            b"rst:0x1 (POWERON),boot:0xc\r\nentry 0x1\r\nrst:0x1 (POWERON),boot:0x4\r\nwaiting for download";
        assert_eq!(Situation::of(since_last_reset(printed)), Situation::Deaf);
        assert_eq!(since_last_reset(b"abc"), b"abc");
    }
}
