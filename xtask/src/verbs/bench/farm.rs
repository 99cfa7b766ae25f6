//! A farm in small: many emulated boards, cut into shards that run as processes of their own, and one report of them all.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use hil_tests::event::Status;
use hil_tests::lab::Lab;
use hil_tests::report::{self, summary, trend::Past};

use crate::progress::{self, seconds};
use crate::ready;

/// Between looks at the running shards.
const LOOK: Duration = Duration::from_millis(200);

/// How large the farm is.
#[derive(Args)]
pub(super) struct Arguments {
    /// Emulated boards
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=1000))]
    boards: u16,
    /// Shards, each a process as on a machine of its own
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=100))]
    shards: u16,
    /// Shards at once on this machine
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=100))]
    at_once: u16,
    /// Boards at once in a shard; an emulated board keeps a core busy
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    jobs: u16,
    /// Scenarios, as for `cargo xtask hil`
    #[arg(long, short, value_name = "GLOB")]
    scenario: Vec<String>,
    /// Fails if it takes longer
    #[arg(long, value_name = "MINUTES", default_value_t = 20)]
    limit: u64,
}

/// Runs the farm and checks that every board ran every scenario once.
pub(super) fn run(lab: &Lab, arguments: &Arguments) -> Result<()> {
    ready::make_ready(lab, lab.boards.default_board(), &|_| {})?;
    let directory = lab.directory().join("farm");
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
    let start = Instant::now();
    let parts = shards(lab, arguments, &directory, start)?;
    let whole = directory.join("all");
    report::merge(&parts, &whole)?;
    let merging = Instant::now();
    let night = report::render(&whole, &Past::default())?;
    let page = whole.join(report::PAGE);
    let size = fs::metadata(&page)?.len();
    progress::step(
        "farm",
        &format!("{} boards, {} shards", arguments.boards, arguments.shards),
        Some(start.elapsed()),
    );
    progress::step(
        "report",
        &format!("{} pairs, page {} KB", night.pairs.len(), size / 1024),
        Some(merging.elapsed()),
    );
    println!("   {}. Report: {}", summary::sentence(&night), page.display());
    let skipped = night.count(Status::Skipped);
    ensure!(night.complete(), "{} of {} shards came to their end", night.ended, night.parts);
    ensure!(night.boards.len() == usize::from(arguments.boards), "{} boards ran", night.boards.len());
    ensure!(
        night.pairs.len() == night.boards.len() * night.scenarios.len()
            && night.pairs.values().all(|pair| pair.rounds.len() == 1),
        "not every board ran every scenario once"
    );
    ensure!(night.count(Status::Passed) + skipped == night.pairs.len(), "not everything passed");
    ensure!(start.elapsed().as_secs() <= arguments.limit * 60, "it took {}", seconds(start.elapsed()));
    Ok(())
}

/// Runs every shard, a few at once; returns their reports.
fn shards(lab: &Lab, arguments: &Arguments, directory: &Path, start: Instant) -> Result<Vec<PathBuf>> {
    let mut waiting: VecDeque<u16> = (1..=arguments.shards).collect();
    let mut running: Vec<(u16, Shard)> = Vec::new();
    let part = |index: u16| directory.join(format!("shard-{index}"));
    while !waiting.is_empty() || !running.is_empty() {
        while running.len() < usize::from(arguments.at_once) {
            let Some(index) = waiting.pop_front() else { break };
            running.push((index, Shard::start(lab, arguments, index, &part(index))?));
        }
        thread::sleep(LOOK);
        let mut left = Vec::new();
        for (index, mut shard) in running {
            match shard.0.try_wait()? {
                None => left.push((index, shard)),
                Some(status) => {
                    let word = if status.success() { "passed" } else { "FAILED" };
                    progress::step(
                        "shard",
                        &format!("{index}/{} {word}", arguments.shards),
                        Some(start.elapsed()),
                    );
                }
            }
        }
        running = left;
        if start.elapsed().as_secs() > arguments.limit * 120 {
            bail!("given up after {}", seconds(start.elapsed()));
        }
    }
    Ok((1..=arguments.shards).map(part).collect())
}

/// A running shard; ended if this process gives up.
struct Shard(Child);

impl Shard {
    fn start(lab: &Lab, arguments: &Arguments, index: u16, report: &Path) -> Result<Self> {
        let log = fs::File::create(report.with_extension("log"))?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["hil", "--board", &lab.boards.default_board().name])
            .args(["--copies", &arguments.boards.to_string()])
            .args(["--shard", &format!("{index}/{}", arguments.shards)])
            .args(["--jobs", &arguments.jobs.to_string()])
            .arg("--report")
            .arg(report)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        for glob in &arguments.scenario {
            command.args(["--scenario", glob]);
        }
        Ok(Self(command.spawn().context("cannot start a shard")?))
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
