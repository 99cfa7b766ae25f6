//! The suite with a hundred seeds: no flakes are allowed, whatever else the machine does.

use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use hil_tests::event::{Event, ScenarioEnded, Status};
use hil_tests::lab::Lab;
use hil_tests::run::Update;
use hil_tests::runner::{self, Plan};
use larch_boards::Board;

use crate::progress::{self, Watch};
use crate::verbs::hil::{prepare, select};
use crate::workspace;

/// All scenarios, each run with another seed.
#[derive(Args)]
pub(super) struct Arguments {
    /// Board to use; may be given several times [default: the default of boards.yaml]
    #[arg(long, short, value_name = "BOARD")]
    board: Vec<String>,
    /// Scenarios to run, with `*` for anything
    #[arg(long, short, value_name = "GLOB")]
    scenario: Vec<String>,
    /// How often
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    runs: u32,
    /// Seed of the first run; the next ones follow
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep so many cores busy meanwhile
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=64))]
    load: u8,
}

pub(super) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    lab.clean_up();
    let (scenarios, positions) = select::scenarios(&lab, &arguments.scenario)?;
    let named: Result<Vec<Board>> = if arguments.board.is_empty() {
        workspace::board(&lab, None).map(|board| vec![board])
    } else {
        arguments.board.iter().map(|name| workspace::board(&lab, Some(name))).collect()
    };
    let mut plan = Plan {
        boards: named?,
        scenarios,
        positions,
        update: Update::Leave,
        retries: 0,
        repeat: 1,
        shard: None,
        keep_going: true,
        skip_missing: false,
        seed: None,
        lock_limit: Duration::from_secs(600),
        jobs: 32,
    };
    let _load = Load::start(arguments.load)?;
    soak(&lab, &mut plan, arguments)
}

fn soak(lab: &Lab, plan: &mut Plan, arguments: &Arguments) -> Result<()> {
    let watch = Watch::start();
    let (mut passed, mut bad) = (0_u32, Vec::new());
    for number in 0..arguments.runs {
        let seed = arguments.seed + u64::from(number);
        plan.seed = Some(seed);
        let (good, failures) = once(lab, plan);
        passed += good;
        for (board, why) in failures {
            progress::say(&format!("   seed {seed}: {board}: {}", why.trim_end()));
            bad.push(seed);
        }
        if (number + 1) % 10 == 0 || number + 1 == arguments.runs {
            let text = format!("{} runs: {passed} passed, {} did not", number + 1, bad.len());
            progress::step("soak", &text, Some(watch.time()));
        }
    }
    match bad.first() {
        None if passed > 0 => Ok(()),
        None => bail!("nothing ran: every scenario was skipped"),
        Some(seed) => bail!("{} failures; again: cargo xtask hil --seed {seed}", bad.len()),
    }
}

/// One run: how many passed, and what did not.
fn once(lab: &Lab, plan: &Plan) -> (u32, Vec<(String, String)>) {
    let failures = Mutex::new(Vec::new());
    let fail = |board: &str, why: String| {
        failures.lock().unwrap_or_else(PoisonError::into_inner).push((board.to_owned(), why));
    };
    let observer = |event: &Event| match event {
        Event::ScenarioEnded(ended) if ended.status == Status::Failed => fail(&ended.board, shown(ended)),
        Event::BoardEnded { board, given_up: Some(why), .. } => fail(board, why.clone()),
        _ => {}
    };
    let counts = runner::run(lab, plan, &prepare(lab), &observer);
    let good = [Status::Passed, Status::Differs].iter().filter_map(|status| counts.get(status)).sum();
    (good, failures.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn shown(ended: &ScenarioEnded) -> String {
    format!("{}: {}", ended.scenario, ended.reason.as_deref().unwrap_or_default())
}

/// Processes that do nothing as fast as they can.
struct Load(Vec<Child>);

impl Load {
    fn start(count: u8) -> Result<Self> {
        let mut load = Self(Vec::new());
        for _ in 0..count {
            let child = Command::new("timeout")
                .args(["7200", "sh", "-c", "while :; do :; done"])
                .stdin(Stdio::null())
                .spawn()
                .context("a process to load the machine cannot be started")?;
            load.0.push(child);
        }
        Ok(load)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // `timeout` passes the signal on; a failure means that it has ended.
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }
}
