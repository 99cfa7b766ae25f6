//! `cargo xtask report`: makes the page of a report again, or one report of the parts that several shards made.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use hil_tests::event::Status;
use hil_tests::report::{self, summary, trend};

use crate::workspace;

/// Make junit.xml and index.html of a report again, or one report of several.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask report target/night                      of a run that was killed, what it had seen
  cargo xtask report --merge target/all shard-*        one report of the parts of a run
  cargo xtask report target/night --summary            what came of it, as Markdown
Fails if something in the report failed or did not come to its end.")]
pub(crate) struct Arguments {
    /// Directories of --report
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// Put them together into this directory
    #[arg(long, value_name = "DIR")]
    merge: Option<PathBuf>,
    /// Print a summary in Markdown
    #[arg(long)]
    summary: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    let directory = match (&arguments.merge, arguments.directories.as_slice()) {
        (Some(whole), parts) => {
            report::merge(parts, whole)?;
            whole
        }
        (None, [only]) => only,
        (None, _) => bail!("several reports: name a directory for them with --merge"),
    };
    let started = report::read(directory)?.started.map(|started| started.run).unwrap_or_default();
    let past = trend::Past::load(&lab.directory()).before(&started);
    let night = report::render(directory, &past)?;
    if arguments.summary {
        print!("{}", summary::markdown(&night));
    } else {
        println!("   {}. Report: {}", summary::sentence(&night), directory.join(report::PAGE).display());
    }
    let failed = night.count(Status::Failed);
    match (night.complete(), failed) {
        (true, 0) => Ok(()),
        (true, _) => bail!("{failed} did not pass"),
        (false, _) => bail!("{} of {} parts came to their end", night.ended, night.parts),
    }
}
