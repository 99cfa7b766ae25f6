//! A record of the wire, played to the program that made it: no board is needed to run loader and harness again.
//!
//! What the board said comes when it came, counted from the last thing that the program did; what the program does must be
//! what it did then, in the same order. How the bytes are cut into calls does not matter, and neither does how long
//! the program waits. Time is the record's: nothing sleeps.
//!
//! Invariants: every call ends; after the first difference every call fails, and [`Replayed::divergence`] keeps that
//! difference for whoever holds it, however the program reports its own failure.

use super::trace::Entry;
use super::{Lines, Transport};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Bytes of what was and what would have been sent that a difference shows.
const SHOWN: usize = 48;

/// The first difference between a record and what the program does now, if there is one.
#[derive(Debug, Clone, Default)]
pub struct Divergence(Arc<Mutex<Option<String>>>);

impl Divergence {
    /// The difference, in words.
    #[must_use]
    pub fn found(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, what: String) -> io::Error {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = found.get_or_insert(what);
        io::Error::new(io::ErrorKind::InvalidData, first.clone())
    }
}

/// A board that says what a record says.
pub struct Replayed {
    entries: Vec<(Duration, Entry)>,
    /// The first entry that has not been played whole.
    next: usize,
    /// Bytes of that entry, if it was sent, that have been sent again.
    sent: usize,
    /// What has come and was not read.
    ready: VecDeque<u8>,
    now: Duration,
    /// The moment of the program's last action, now and in the record.
    anchor: (Duration, Duration),
    divergence: Divergence,
}

impl Replayed {
    /// Plays these entries, as [`super::trace::parse`] gives them.
    #[must_use]
    pub fn new(entries: Vec<(Duration, Entry)>) -> Self {
        let start = entries.first().map_or(Duration::ZERO, |(moment, _)| *moment);
        Self {
            entries,
            next: 0,
            sent: 0,
            ready: VecDeque::new(),
            now: start,
            anchor: (start, start),
            divergence: Divergence::default(),
        }
    }

    /// Where the first difference will be found.
    #[must_use]
    pub fn divergence(&self) -> Divergence {
        self.divergence.clone()
    }

    /// What the record holds that the program did not do, if it has ended now.
    #[must_use]
    pub fn rest(&self) -> Option<String> {
        let left = self.entries.get(self.next..)?.iter();
        let (moment, entry) = left.into_iter().find(|(_, entry)| is_action(entry))?;
        Some(format!("at {:.3} s the record goes on: {}", moment.as_secs_f64(), short(entry)))
    }

    /// The board is reset by something other than its control lines.
    ///
    /// # Errors
    /// If the record does not say so.
    pub fn reset(&mut self) -> io::Result<()> {
        self.act(&Entry::Reset)
    }

    /// The next action of the record, with its moment; what the board said before it has come by now.
    fn next_action(&mut self) -> Option<(Duration, Entry)> {
        while let Some((moment, entry)) = self.entries.get(self.next) {
            match entry {
                Entry::Received(bytes) => self.ready.extend(bytes),
                // Throwing away is nothing that a board could notice.
                Entry::Mark(_) | Entry::Discarded => {}
                action => return Some((*moment, action.clone())),
            }
            self.next += 1;
        }
        None
    }

    fn differs(&self, recorded: Option<(Duration, Entry)>, now: &str) -> io::Error {
        let (moment, then) = match recorded {
            Some((moment, entry)) => (moment, short(&entry)),
            None => (self.entries.last().map_or(Duration::ZERO, |(moment, _)| *moment), "the end".into()),
        };
        self.divergence.set(format!("at {:.3} s the record has {then}; now: {now}", moment.as_secs_f64()))
    }

    fn check(&self) -> io::Result<()> {
        match self.divergence.found() {
            Some(found) => Err(io::Error::new(io::ErrorKind::InvalidData, found)),
            None => Ok(()),
        }
    }

    fn act(&mut self, wanted: &Entry) -> io::Result<()> {
        self.check()?;
        match self.next_action() {
            Some((moment, entry)) if entry == *wanted => self.done(moment),
            Some((_, Entry::Closed(text))) => Err(io::Error::other(text)),
            recorded => Err(self.differs(recorded, &short(wanted))),
        }
    }

    fn done(&mut self, moment: Duration) -> io::Result<()> {
        self.next += 1;
        self.sent = 0;
        self.anchor = (self.now, moment);
        // An action of the program that failed then fails now.
        match self.entries.get(self.next) {
            Some((_, Entry::Closed(text))) => {
                let error = io::Error::other(text.clone());
                self.next += 1;
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// When this moment of the record is, on the clock of now.
    fn due(&self, moment: Duration) -> Duration {
        self.anchor.0 + moment.saturating_sub(self.anchor.1)
    }
}

impl Transport for Replayed {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.check()?;
        let deadline = self.now + timeout;
        while self.ready.is_empty() {
            let Some((moment, entry)) = self.entries.get(self.next) else { break };
            let due = self.due(*moment);
            match entry {
                Entry::Mark(_) | Entry::Discarded => self.next += 1,
                Entry::Received(bytes) if due <= deadline => {
                    self.now = self.now.max(due);
                    self.ready.extend(bytes);
                    self.next += 1;
                }
                Entry::Closed(text) if due <= deadline => {
                    self.now = self.now.max(due);
                    return Err(io::Error::other(text.clone()));
                }
                _ => break,
            }
        }
        let count = buf.len().min(self.ready.len());
        if count == 0 {
            self.now = deadline;
        }
        for (to, from) in buf.iter_mut().zip(self.ready.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.check()?;
        while !bytes.is_empty() {
            match self.next_action() {
                Some((moment, Entry::Sent(recorded))) => {
                    let rest = &recorded[self.sent.min(recorded.len())..];
                    let count = rest.len().min(bytes.len());
                    if rest[..count] != bytes[..count] {
                        let then = Entry::Sent(rest.to_vec());
                        return Err(self.differs(Some((moment, then)), &short(&Entry::Sent(bytes.to_vec()))));
                    }
                    bytes = &bytes[count..];
                    if count == rest.len() {
                        self.done(moment)?;
                    } else {
                        self.sent += count;
                    }
                }
                Some((_, Entry::Closed(text))) => return Err(io::Error::other(text)),
                recorded => return Err(self.differs(recorded, &short(&Entry::Sent(bytes.to_vec())))),
            }
        }
        Ok(())
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.act(&Entry::Baud(baud))
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.act(&Entry::Lines(lines))
    }

    /// What came before the record's own next discarding is gone, unless the program acted in between.
    fn discard_input(&mut self) -> io::Result<()> {
        self.check()?;
        self.ready.clear();
        let ahead = self.entries[self.next..].iter().position(|(_, entry)| is_action(entry));
        let until = ahead.map_or(self.entries.len(), |ahead| self.next + ahead);
        let discarded =
            self.entries[self.next..until].iter().position(|(_, entry)| *entry == Entry::Discarded);
        if let Some(at) = discarded {
            self.next += at + 1;
        }
        Ok(())
    }

    fn sleep(&mut self, duration: Duration) {
        self.now += duration;
    }

    fn now(&self) -> Duration {
        self.now
    }
}

/// True for what the program does, and for the failure of its port.
fn is_action(entry: &Entry) -> bool {
    !matches!(entry, Entry::Received(_) | Entry::Mark(_) | Entry::Discarded)
}

fn short(entry: &Entry) -> String {
    match entry {
        Entry::Sent(bytes) if bytes.len() > SHOWN => {
            format!("{} and {} bytes more", Entry::Sent(bytes[..SHOWN].to_vec()), bytes.len() - SHOWN)
        }
        entry => entry.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::trace::parse;
    use super::*;
    use proptest::prelude::*;

    const MS: Duration = Duration::from_millis(1);

    fn played(text: &str) -> Replayed {
        Replayed::new(parse(text).unwrap())
    }

    fn read(port: &mut Replayed, milliseconds: u32) -> String {
        let mut buf = [0; 64];
        let count = port.read(&mut buf, milliseconds * MS).unwrap();
        String::from_utf8_lossy(&buf[..count]).into_owned()
    }

    #[test]
    fn an_answer_comes_after_its_question_as_late_as_it_came() {
        let mut port = played("1 > \"ask\"\n1.5 < \"yes\"\n1.6 < \"!\"\n");
        assert_eq!(read(&mut port, 5000), "", "it says nothing before it is asked");
        port.write_all(b"a").unwrap();
        port.write_all(b"sk").unwrap();
        let asked = port.now();
        assert_eq!(read(&mut port, 499), "");
        assert_eq!(read(&mut port, 20), "yes");
        assert_eq!(port.now() - asked, 500 * MS);
        assert_eq!(read(&mut port, 100), "!");
        assert_eq!(port.rest(), None);
        assert_eq!(read(&mut port, 100), "");
    }

    #[test]
    fn cutting_differently_is_no_difference() {
        let mut port = played("0 > \"a\"\n0.1 < \"a\"\n0.2 > \"b\"\n0.3 < \"b\"\n");
        port.write_all(b"ab").unwrap();
        assert_eq!(read(&mut port, 0), "a");
        assert_eq!(read(&mut port, 100), "b");
    }

    #[test]
    fn another_byte_line_or_speed_is_told_and_stays_told() {
        let mut port = played("0 lines 1 0\n0.25 > \"abc\"\n");
        port.set_lines(Lines { dtr: true, rts: false }).unwrap();
        port.write_all(b"a").unwrap();
        let error = port.write_all(b"x").unwrap_err().to_string();
        assert_eq!(error, "at 0.250 s the record has > \"bc\"; now: > \"x\"");
        assert_eq!(port.set_baud(1).unwrap_err().to_string(), error);
        assert_eq!(port.read(&mut [0], MS).unwrap_err().to_string(), error);
        assert_eq!(port.divergence().found(), Some(error));
        let mut port = played("0 lines 1 0\n");
        let error = port.set_lines(Lines::default()).unwrap_err().to_string();
        assert_eq!(error, "at 0.000 s the record has lines 1 0; now: lines 0 0");
        assert_eq!(port.rest().unwrap(), "at 0.000 s the record goes on: lines 1 0");
        let error = played("").reset().unwrap_err().to_string();
        assert_eq!(error, "at 0.000 s the record has the end; now: reset");
    }

    #[test]
    fn a_port_that_failed_fails_again_where_it_did() {
        let mut port = played("0 > \"a\"\n0.5 closed \"gone\"\n");
        assert_eq!(port.write_all(b"a").unwrap_err().to_string(), "gone");
        let mut port = played("0 > \"a\"\n0.1 < \"a\"\n0.5 closed \"gone\"\n");
        port.write_all(b"a").unwrap();
        assert_eq!(read(&mut port, 200), "a");
        assert_eq!(read(&mut port, 200), "");
        assert_eq!(port.read(&mut [0], 300 * MS).unwrap_err().to_string(), "gone");
        assert_eq!(port.divergence().found(), None);
    }

    #[test]
    fn what_was_thrown_away_then_is_thrown_away_now() {
        let mut port = played("0 < \"old\"\n0.1 discard\n0.2 < \"new\"\n0.3 mark \"x\"\n0.3 reset\n");
        port.discard_input().unwrap();
        assert_eq!(read(&mut port, 300), "new");
        port.discard_input().unwrap();
        port.reset().unwrap();
        assert_eq!(port.rest(), None);
    }

    proptest! {
        #[test]
        fn any_record_under_any_use_ends(
            record in proptest::collection::vec((0u64..2000, 0u8..8, ".{0,5}"), 0..20),
            calls in proptest::collection::vec((0u8..6, ".{0,5}"), 0..20),
        ) {
            let entry = |kind, text: String| match kind {
                0 | 1 => Entry::Sent(text.into_bytes()),
                2 | 3 => Entry::Received(text.into_bytes()),
                4 => Entry::Discarded,
                5 => Entry::Reset,
                6 => Entry::Mark(text),
                _ => Entry::Closed(text),
            };
            let entries = record.into_iter().map(|(at, kind, text)| (Duration::from_millis(at), entry(kind, text)));
            let mut port = Replayed::new(entries.collect());
            for (call, text) in calls {
                let _ = match call {
                    0 | 1 => port.write_all(text.as_bytes()),
                    2 => port.read(&mut [0; 3], 500 * MS).map(drop),
                    3 => port.discard_input(),
                    4 => port.reset(),
                    _ => port.set_baud(1),
                };
            }
            let _ = port.rest();
        }
    }
}
