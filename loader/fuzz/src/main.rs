//! `larch-fuzz TARGET [SECONDS] [SEED]`: one target on damaged input for so many seconds; `all` takes each
//! in turn. An input at which a target panics is left in `target/fuzz/TARGET`.
#![forbid(unsafe_code)]

use larch_loader_fuzz::{Run, TARGETS, Target, targets};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{fs, io};

/// Inputs between two looks at the clock.
const BATCH: u32 = 64;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [verb, folder] = &words[..]
        && verb == "examples"
    {
        return examples(Path::new(folder)).map_or_else(
            |error| {
                eprintln!("{folder}: {error}");
                ExitCode::FAILURE
            },
            |()| ExitCode::SUCCESS,
        );
    }
    let number = |index: usize, default| words.get(index).map_or(Some(default), |word| word.parse().ok());
    let (Some(seconds), Some(seed)) = (number(1, 60), number(2, 1)) else { return usage() };
    let chosen: Vec<&Target> = match words.first().map(String::as_str) {
        Some("all") => TARGETS.iter().collect(),
        Some(name) => targets::by_name(name).into_iter().collect(),
        None => Vec::new(),
    };
    if chosen.is_empty() {
        return usage();
    }
    let sound =
        chosen.into_iter().filter(|target| !run(target, Duration::from_secs(seconds), seed)).count() == 0;
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> ExitCode {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    eprintln!(
        "usage: larch-fuzz TARGET [SECONDS] [SEED]\n       larch-fuzz examples FOLDER\ntargets: all, {}",
        names.join(", ")
    );
    ExitCode::from(2)
}

/// A folder for each target, a file for each example.
fn examples(folder: &Path) -> io::Result<()> {
    for target in &TARGETS {
        let folder = folder.join(target.name);
        fs::create_dir_all(&folder)?;
        for (n, example) in (target.examples)().into_iter().enumerate() {
            fs::write(folder.join(format!("example-{n}")), example)?;
        }
    }
    Ok(())
}

/// Whether nothing panicked.
fn run(target: &Target, limit: Duration, seed: u64) -> bool {
    let (start, mut inputs) = (Instant::now(), 0_u64);
    let mut run = Run::new(target, seed);
    while start.elapsed() < limit {
        for _ in 0..BATCH {
            let input = run.next_input();
            inputs += 1;
            if catch_unwind(AssertUnwindSafe(|| run.run(input.clone()))).is_err() {
                eprintln!(
                    "{}: panicked at input {inputs} of seed {seed}: {}",
                    target.name,
                    keep(target, &input)
                );
                return false;
            }
        }
    }
    println!(
        "{}: {inputs} inputs, {} outcomes, seed {seed}, {} s",
        target.name,
        run.outcomes(),
        limit.as_secs()
    );
    true
}

/// Writes the input down; says where.
fn keep(target: &Target, input: &[u8]) -> String {
    let path = PathBuf::from("target/fuzz").join(target.name);
    match fs::create_dir_all("target/fuzz").and_then(|()| fs::write(&path, input)) {
        Ok(()) => path.display().to_string(),
        Err(error) => format!("{error}; the input was {input:02x?}"),
    }
}
