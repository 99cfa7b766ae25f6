//! `cargo xtask replay`: harness and loader again, on recorded sessions, without a board.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use hil_tests::record::{EXTENSION, Replay, replay};

/// Run harness and loader again on recorded serial sessions, without a board.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask hil --record                                           record them
  cargo xtask replay target/hil/sessions/*.session                   and again
  cargo xtask replay hil-tests/sessions/*.session                    the sessions of the repository
Fails if harness or loader do something else now, or make something else of what the board said.")]
pub(crate) struct Arguments {
    /// Sessions of --record, or directories of them
    #[arg(required = true, value_name = "SESSION")]
    sessions: Vec<PathBuf>,
    /// Show the transcripts
    #[arg(long)]
    show: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let (mut different, mut count) = (0, 0);
    for path in files(&arguments.sessions)? {
        count += 1;
        match replay(&path) {
            Ok(again) => {
                show(&again, arguments.show);
                different += usize::from(!again.same());
            }
            Err(why) => {
                eprintln!("   {why}");
                different += 1;
            }
        }
    }
    match (count, different) {
        (0, _) => bail!("no file ends with .{EXTENSION}"),
        (_, 0) => {
            println!("   {count} as recorded");
            Ok(())
        }
        _ => bail!("{different} of {count} not as recorded"),
    }
}

fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in named {
        if !path.exists() {
            bail!("there is nothing at {}; `cargo xtask hil --record` makes sessions", path.display());
        }
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        for entry in std::fs::read_dir(path)? {
            let path = entry?.path();
            files.extend(path.extension().is_some_and(|extension| extension == EXTENSION).then_some(path));
        }
    }
    files.sort();
    Ok(files)
}

fn show(again: &Replay, transcript: bool) {
    let word = if again.same() { "same" } else { "DIFFERS" };
    println!("   {word:<8} {:<44} {}", again.what, again.now.escape_debug());
    if transcript {
        again.seen_now.lines().for_each(|line| println!("     {line}"));
    }
    if again.same() {
        return;
    }
    if let Some(divergence) = &again.divergence {
        println!("     {}", divergence.escape_debug());
    }
    if again.then != again.now {
        println!("     then: {}", again.then.escape_debug());
    }
    if again.seen_then != again.seen_now {
        println!("     then the transcript was:");
        again.seen_then.lines().for_each(|line| println!("     - {line}"));
        println!("     now it is:");
        again.seen_now.lines().for_each(|line| println!("     + {line}"));
    }
}
