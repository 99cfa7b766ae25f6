//! `cargo xtask soak`: the same work many times with random faults; what must never happen is counted.

mod hil;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use hil_tests::soak::{Soak, Tally};

use crate::progress::{self, Watch};

/// Run something many times with random faults, and count.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask soak loader                               1000 flashes of 64 KB and 20 of 1.4 MB (an hour)
  cargo xtask soak loader --flashes 20 --large 0        a minute
  cargo xtask soak loader --seed 137 --flashes 1 --large 0 --verbose   one of them again, told in full
  cargo xtask soak hil                                  the suite a hundred times, each with other timing
  cargo xtask soak hil --runs 5 --load 2                five times, while two processes keep cores busy")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The loader flashes an emulated board on a bad line: flips, drops, duplicates, stalls, resets, power cuts
    Loader(LoaderArguments),
    /// All scenarios, each run with another seed for start-up and line timing; any failure counts
    Hil(hil::Arguments),
}

#[derive(Args)]
struct LoaderArguments {
    /// Flashes of 64 KB
    #[arg(long, default_value_t = 1000)]
    flashes: u64,
    /// Flashes of 1.4 MB
    #[arg(long, default_value_t = 20)]
    large: u64,
    /// Seed of the first flash; the next has the next
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print what the loader told in every run
    #[arg(long)]
    verbose: bool,
}

const SMALL: usize = 64 << 10;
/// The image of the story that the project comes from.
const LARGE: usize = 1_445_632;

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.what {
        What::Loader(arguments) => loader(arguments),
        What::Hil(arguments) => hil::run(arguments),
    }
}

fn loader(arguments: &LoaderArguments) -> Result<()> {
    let soak = Soak::new()?;
    let small = many(&soak, arguments, arguments.flashes, SMALL)?;
    let large = many(&soak, arguments, arguments.large, LARGE)?;
    ensure!(
        small.is_sound() && large.is_sound(),
        "not every flash ended well; run one again with --seed N --flashes 1 --large 0 --verbose"
    );
    Ok(())
}

fn many(soak: &Soak, arguments: &LoaderArguments, flashes: u64, size: usize) -> Result<Tally> {
    let mut tally = Tally::default();
    if flashes == 0 {
        return Ok(tally);
    }
    let watch = Watch::start();
    let bar = progress::bar(flashes, "flashes");
    for seed in arguments.seed..arguments.seed + flashes {
        let outcome = soak.run(seed, size)?;
        if arguments.verbose {
            println!(
                "seed {seed}, {}, {:?}\n{}{:?}",
                outcome.way, outcome.faults, outcome.events, outcome.ending
            );
        }
        tally.add(&outcome);
        bar.inc(1);
    }
    bar.finish_and_clear();
    progress::step("soak", &format!("{flashes} flashes of {size} bytes"), Some(watch.time()));
    let Tally { good, wrong, good_later, lost, collateral, retries, .. } = tally;
    println!(
        "           good {good}, reported good but wrong {wrong}, good in a second run {good_later}, lost {lost}"
    );
    println!("           flash outside the image changed {collateral}, retries {retries}");
    let faults: Vec<String> = tally.faults.iter().map(|(name, count)| format!("{count} {name}")).collect();
    println!("           {}; {:.0} s simulated", faults.join(", "), tally.time.as_secs_f64());
    for remark in &tally.remarks {
        println!("           {remark}");
    }
    Ok(tally)
}
