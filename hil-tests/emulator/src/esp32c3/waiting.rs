//! Tells when a program that reads the status of a UART again and again does nothing but wait.
//!
//! Whether it does is found out by the processor, which costs time; so it is asked only after some reads between which nothing
//! happened to the devices, and more rarely where that was of no use.

/// Reads in vain before the processor is asked; the second time it is asked it can skip.
const FIRST: u32 = 4;
const TRIES: u32 = 3;
const LAST: u32 = 1 << 12;

/// Reads of the status so far.
#[derive(Clone)]
pub struct Waiting {
    effects: u64,
    reads: u32,
    patience: u32,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { effects: 0, reads: 0, patience: FIRST }
    }
}

impl Waiting {
    /// The status was read; `effects` is a number that changes when something happens to the devices. Says whether to find
    /// out if the program waits.
    pub fn read(&mut self, effects: u64) -> bool {
        if self.effects != effects {
            self.effects = effects;
            self.reads = 0;
        }
        self.reads += 1;
        if self.reads >= self.patience + TRIES {
            self.patience = (2 * self.patience).min(LAST);
            self.reads = 0;
        }
        self.reads >= self.patience
    }

    /// The program polls something else.
    pub fn begin_anew(&mut self) {
        self.reads = 0;
    }

    /// The program did wait: turns of it were skipped.
    pub fn skipped(&mut self) {
        *self = Self { effects: self.effects, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_after_some_reads_and_less_often_in_vain() {
        let mut waiting = Waiting::default();
        let mut asked = |count: u32, effects| (0..count).filter(|_| waiting.read(effects)).count();
        assert_eq!(asked(6, 1), 3);
        assert_eq!(asked(8, 1), 0, "it was of no use");
        assert_eq!(asked(3, 1), 3);
        assert_eq!(asked(7, 2), 0);
        waiting.skipped();
        assert!((0..4).any(|_| waiting.read(2)));
    }
}
