//! Everything of the loader that reads what others wrote, run on damaged input.
//!
//! A [`Target`] is a function of bytes that must neither panic nor run long, whatever the bytes; where there is a way back
//! (encoding what was decoded) it also checks that nothing is lost. The targets are driven in three ways: by a short run of
//! fixed seeds in the tests, by `larch-fuzz` for as long as one likes on the stable toolchain, and by libFuzzer
//! (`libfuzzer/`, with `cargo fuzz` and a nightly toolchain).
//!
//! Without a compiler's help nobody knows which code an input reached. A target tells as much as it can: a number that
//! differs where the outcome differs ([`way`]). An input with a new outcome is kept and mutated further.
#![forbid(unsafe_code)]

mod mutate;
mod session;
pub mod targets;

pub use mutate::Dice;
pub use targets::{TARGETS, Target};

use mutate::mutated;
use std::collections::HashSet;
use std::fmt::{Debug, Display};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Most inputs that are kept.
const MOST_KEPT: usize = 1 << 12;
/// Longest input.
pub const LONGEST: usize = 1 << 14;

/// A number for what came out: the kind of success or the wording of the error, without the numbers in it.
pub fn way<T: Debug, E: Display>(outcome: &Result<T, E>) -> u64 {
    let mut hasher = DefaultHasher::new();
    match outcome {
        // How the value is built, not what it holds.
        Ok(value) => format!("{value:?}")
            .chars()
            .filter(char::is_ascii_uppercase)
            .take(64)
            .for_each(|c| c.hash(&mut hasher)),
        Err(error) => {
            error.to_string().chars().filter(|c| c.is_ascii_alphabetic()).for_each(|c| c.hash(&mut hasher));
        }
    }
    hasher.finish()
}

/// A run on one target; it follows from the seed alone.
pub struct Run<'t> {
    target: &'t Target,
    dice: Dice,
    corpus: Vec<Vec<u8>>,
    seen: HashSet<u64>,
}

impl<'t> Run<'t> {
    /// Begins with the target's own examples.
    #[must_use]
    pub fn new(target: &'t Target, seed: u64) -> Self {
        let mut run = Self { target, dice: Dice::new(seed), corpus: Vec::new(), seen: HashSet::new() };
        for example in (target.examples)() {
            run.seen.insert((target.run)(&example));
            run.corpus.push(example);
        }
        run
    }

    /// The next input, to be run with [`Run::run`] (so that whoever watches has it when that panics).
    pub fn next_input(&mut self) -> Vec<u8> {
        mutated(&self.corpus, &mut self.dice)
    }

    /// Runs the target; keeps the input if its outcome is new.
    pub fn run(&mut self, input: Vec<u8>) {
        let outcome = (self.target.run)(&input);
        if self.corpus.len() < MOST_KEPT && self.seen.insert(outcome) {
            self.corpus.push(input);
        }
    }

    /// Outcomes that were seen.
    #[must_use]
    pub fn outcomes(&self) -> usize {
        self.seen.len()
    }
}
