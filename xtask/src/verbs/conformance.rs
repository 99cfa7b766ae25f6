//! `cargo xtask conformance`: MicroPython's own test suite on the desktop program or on a board; or our language suite on a board.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use hil_tests::conformance::board::Board as BoardTarget;
use hil_tests::conformance::exceptions::Exceptions;
use hil_tests::conformance::program::Desktop;
use hil_tests::conformance::suite::{self, Applicable, Test};
use hil_tests::conformance::{Outcome, Report, Target, Total, judge, totals};
use hil_tests::lab::Lab;
use larch_boards::Board;
use xshell::{Shell, cmd};

use crate::progress::{self, Watch};
use crate::{ready, workspace};

/// Run MicroPython's own tests, by their own rules
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask conformance --suite ../micropython/tests                      the desktop program, all its directories
  cargo xtask conformance --suite ../micropython/tests basics/gen float     tests whose name has one of these in it
  cargo xtask conformance --suite ../micropython/tests --board esp32c3-emu  a board, over its raw REPL
  cargo xtask conformance --suite ../micropython/tests --binary /usr/bin/micropython
  cargo xtask conformance --language --board stm32f405-emu                  our language suite: prints a board what the host does?

Expected output without an .exp file comes from CPython: python3, or what MICROPY_CPYTHON3 names.
Tests that may fail, each with its reason: hil-tests/src/conformance/exceptions.yaml.")]
pub(crate) struct Arguments {
    /// The `tests` folder of a MicroPython checkout
    #[arg(long, value_name = "DIR", required_unless_present = "language")]
    suite: Option<PathBuf>,
    /// Instead: our own language suite (firmware/ports/host/tests/lang), on a board
    #[arg(long, conflicts_with_all = ["suite", "binary"])]
    language: bool,
    /// A board of boards.yaml, or `host` for the desktop program
    #[arg(long, short, value_name = "BOARD", default_value = "host")]
    board: String,
    /// Another desktop program than larch
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Only tests whose `directory/name.py` has one of these in it
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    let is_board = arguments.board != "host";
    let (folder, tests) = collect(&lab, arguments, is_board)?;
    if tests.is_empty() {
        bail!("no test has {} in its name", arguments.filters.join(" or "));
    }
    let exceptions = Exceptions::ours().map_err(|message| anyhow!("exceptions.yaml: {message}"))?;
    let kind = if is_board { "board" } else { "host" };
    let runner =
        Runner { folder: &folder, tests: &tests, exceptions: &exceptions, kind, is_ours: arguments.language };
    let watch = Watch::start();
    let reports = if is_board {
        let board = workspace::board(&lab, Some(&arguments.board))?;
        ready::make_ready(&lab, &board, &|_| {})?;
        let copies = board.port.is_started();
        let workers = if copies { cores() } else { 1 };
        runner.run(workers, |worker| on_board(&lab, &board, worker))?
    } else {
        let binary = match &arguments.binary {
            Some(binary) => binary.clone(),
            None => build_larch(&lab)?,
        };
        let scratch = lab.directory().join("conformance");
        runner.run(cores(), |worker| {
            Ok(Opened::Desktop(Desktop::new(&binary, &scratch.join(worker.to_string()))))
        })?
    };
    progress::step("run", &format!("{:<20} {} tests", arguments.board, tests.len()), Some(watch.time()));
    conclude(&lab, &arguments.board, &reports)
}

/// The tests that were asked for, and the folder that they are in.
fn collect(lab: &Lab, arguments: &Arguments, is_board: bool) -> Result<(PathBuf, Vec<Test>)> {
    let found = match &arguments.suite {
        Some(suite) => {
            let folder =
                std::fs::canonicalize(suite).with_context(|| format!("--suite {}", suite.display()))?;
            let directories = if is_board { suite::BOARD_DIRECTORIES } else { suite::DIRECTORIES };
            suite::tests(&folder, directories, &arguments.filters).map(|tests| (folder, tests))
        }
        None if !is_board => bail!("on the desktop program: cargo test -p larch --test lang"),
        None => {
            let folder = lab.root.join("firmware/ports/host/tests/lang");
            suite::language(&folder, &arguments.filters).map(|tests| (folder, tests))
        }
    };
    found.map_err(|message| anyhow!(message))
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn build_larch(lab: &Lab) -> Result<PathBuf> {
    let shell = Shell::new()?;
    shell.change_dir(&lab.root);
    cmd!(shell, "cargo build --quiet --locked -p larch --release")
        .env("CARGO_TARGET_DIR", &lab.target)
        .run()?;
    Ok(lab.target.join("release/larch"))
}

fn on_board(lab: &Lab, board: &Board, worker: usize) -> Result<Opened> {
    let console =
        lab.open(board, &format!("conformance-{worker}")).with_context(|| format!("board {}", board.name))?;
    Ok(Opened::Board(console))
}

/// What one worker runs its tests on.
enum Opened {
    Desktop(Desktop),
    Board(Box<dyn hil_tests::session::Console>),
}

/// Work that the workers share.
struct Runner<'r> {
    folder: &'r Path,
    tests: &'r [Test],
    exceptions: &'r Exceptions,
    kind: &'r str,
    /// Our own suite: all of it applies, and nothing may fail.
    is_ours: bool,
}

impl Runner<'_> {
    /// Runs all tests on `workers` targets at once.
    fn run(&self, workers: usize, open: impl Fn(usize) -> Result<Opened> + Sync) -> Result<Vec<Report>> {
        let bar = progress::bar(self.tests.len() as u64, self.kind);
        let next = AtomicUsize::new(0);
        let reports = Mutex::new(Vec::new());
        let failure = Mutex::new(None);
        thread::scope(|scope| {
            for worker in 0..workers {
                let (open, next, reports, failure, bar) = (&open, &next, &reports, &failure, &bar);
                scope.spawn(move || {
                    let done = self.work(worker, open, next, |report| {
                        bar.inc(1);
                        reports.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(report);
                    });
                    if let Err(error) = done {
                        *failure.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(error);
                    }
                });
            }
        });
        bar.finish_and_clear();
        if let Some(error) = failure.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
            return Err(error);
        }
        let mut reports = reports.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        reports.sort_by(|left: &Report, right| left.test.cmp(&right.test));
        Ok(reports)
    }

    fn work(
        &self,
        worker: usize,
        open: &impl Fn(usize) -> Result<Opened>,
        next: &AtomicUsize,
        mut done: impl FnMut(Report),
    ) -> Result<()> {
        let mut opened = open(worker)?;
        let mut on_board;
        let target: &mut dyn Target = match &mut opened {
            Opened::Desktop(desktop) => desktop,
            Opened::Board(console) => {
                on_board = BoardTarget::new(console.as_mut());
                &mut on_board
            }
        };
        let applicable = match self.is_ours {
            true => Applicable::default(),
            false => Applicable::ask(target, self.folder, self.kind == "board")
                .map_err(|message| anyhow!(message))?,
        };
        while let Some(test) = self.tests.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = match applicable.reason_against(test) {
                Some(reason) => Outcome::Skipped { reason },
                None => judge(
                    target,
                    test,
                    self.exceptions.reason(self.kind, &test.name).filter(|_| !self.is_ours),
                )
                .map_err(|message| anyhow!("{}: {message}", test.name))?,
            };
            done(Report { test: test.name.clone(), outcome });
        }
        Ok(())
    }
}

/// Prints totals and failures, writes the JSON, and fails if a test did.
fn conclude(lab: &Lab, board: &str, reports: &[Report]) -> Result<()> {
    for report in reports {
        match &report.outcome {
            Outcome::Failed { difference } => {
                println!("   FAILED  {}", report.test);
                difference.lines().for_each(|line| println!("       {line}"));
            }
            Outcome::UnexpectedPass => println!("   PASSES, though listed as an exception: {}", report.test),
            _ => {}
        }
    }
    let totals = totals(reports);
    println!("\n   {:<14} {:>6} {:>6} {:>8} {:>7}", "directory", "passed", "failed", "excepted", "skipped");
    let mut sum = Total::default();
    for (directory, total) in &totals {
        line(directory, *total);
        sum.passed += total.passed;
        sum.failed += total.failed;
        sum.excepted += total.excepted;
        sum.skipped += total.skipped;
    }
    line("all", sum);
    let path = lab.directory().join(format!("conformance-{board}.json"));
    std::fs::create_dir_all(lab.directory())?;
    let json = serde_json::json!({ "board": board, "totals": totals, "tests": reports });
    std::fs::write(&path, format!("{json:#}\n")).with_context(|| path.display().to_string())?;
    println!("   Report: {}", path.display());
    let unexpected = reports.iter().filter(|report| report.outcome == Outcome::UnexpectedPass).count();
    if sum.failed > 0 || unexpected > 0 {
        bail!("{} failed, {unexpected} pass though listed as exceptions", sum.failed);
    }
    Ok(())
}

fn line(name: &str, total: Total) {
    println!(
        "   {name:<14} {:>6} {:>6} {:>8} {:>7}",
        total.passed, total.failed, total.excepted, total.skipped
    );
}
