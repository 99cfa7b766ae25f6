//! `cargo xtask hil`: build, flash, type every scenario, compare with the snapshots.

mod table;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use hil_tests::lab::Lab;
use hil_tests::run::{Outcome, Report, Update};
use hil_tests::scenario::Scenario;
use larch_boards::{Board, Port};

use crate::progress::{self, Watch};
use crate::{ready, workspace};

/// Run the REPL scenarios on boards and compare the transcripts with the snapshots.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask hil                                          the default board, every scenario
  cargo xtask hil --board c3-devkit --board esp32c3-emu    these boards
  cargo xtask hil --scenario errors/exit                   one scenario
  cargo xtask hil --scenario 'os/*' --update               accept what the board answers now
  cargo xtask hil --board micropython-unix                 what does real MicroPython answer?")]
pub(crate) struct Arguments {
    /// Board to use; may be given several times [default: the default of boards.yaml]
    #[arg(long, short, value_name = "BOARD")]
    board: Vec<String>,
    /// Scenarios to run: a name such as errors/exit, with `*` for anything; may be given several times
    #[arg(long, short, value_name = "GLOB")]
    scenario: Vec<String>,
    /// Make what the board answers the new snapshots (look at the difference before committing it)
    #[arg(long)]
    update: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    let boards = boards(&lab, &arguments.board)?;
    let scenarios = scenarios(&lab, &arguments.scenario)?;
    let update = if arguments.update { Update::Accept } else { Update::Propose };
    let mut runs = Vec::new();
    for board in &boards {
        ready::make_ready(&lab, board)?;
        progress::step("run", &format!("{:<20} {} scenarios", board.name, scenarios.len()), None);
        runs.push(run_board(&lab, board, &scenarios, update));
    }
    table::show(&runs);
    let path = lab.directory().join("report.txt");
    std::fs::create_dir_all(lab.directory())?;
    std::fs::write(&path, table::every_pair(&runs)).with_context(|| path.display().to_string())?;
    conclude(&runs, &path)
}

/// One board with all its scenarios.
struct Run {
    board: String,
    reports: Vec<Report>,
    /// By the clock on the wall; scenarios of an emulated board run side by side.
    time: Duration,
}

fn boards(lab: &Lab, names: &[String]) -> Result<Vec<Board>> {
    if names.is_empty() {
        return Ok(vec![workspace::board(lab, None)?]);
    }
    names.iter().map(|name| workspace::board(lab, Some(name))).collect()
}

fn scenarios<'a>(lab: &'a Lab, globs: &[String]) -> Result<Vec<&'a Scenario>> {
    for glob in globs {
        if !lab.suite.scenarios.iter().any(|scenario| matches(glob, &scenario.name)) {
            let names: Vec<&str> =
                lab.suite.scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
            let near = larch_boards::nearest(glob, &names);
            let hint = near.map_or_else(String::new, |near| format!(", did you mean '{near}'?"));
            bail!("no scenario '{glob}'{hint} (they are in hil-tests/scenarios)");
        }
    }
    let wanted =
        |scenario: &&Scenario| globs.is_empty() || globs.iter().any(|glob| matches(glob, &scenario.name));
    Ok(lab.suite.scenarios.iter().filter(wanted).collect())
}

/// `*` is any text, `?` any character.
fn matches(glob: &str, name: &str) -> bool {
    match glob.chars().next() {
        None => name.is_empty(),
        Some('*') => {
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.into_iter().any(|at| matches(&glob[1..], &name[at..]))
        }
        Some(letter) => {
            let mut rest = name.chars();
            rest.next().is_some_and(|first| letter == '?' || letter == first)
                && matches(&glob[letter.len_utf8()..], rest.as_str())
        }
    }
}

/// Emulated boards and programs are copied for each pair, so several pairs run at once; a board on a port is one.
fn run_board(lab: &Lab, board: &Board, scenarios: &[&Scenario], update: Update) -> Run {
    let watch = Watch::start();
    let copies = matches!(board.port, Port::Emulator | Port::Command(_));
    let workers = if copies { thread::available_parallelism().map_or(1, usize::from) } else { 1 };
    let bar = progress::bar(scenarios.len() as u64, &board.name);
    let next = AtomicUsize::new(0);
    let reports = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let report = lab.suite.run(board, scenario, update, || lab.open(board, &scenario.name));
                    bar.inc(1);
                    reports.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(report);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut reports = reports.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    reports.sort_by(|left, right| left.scenario.cmp(&right.scenario));
    Run { board: board.name.clone(), reports, time: watch.time() }
}

fn conclude(runs: &[Run], path: &Path) -> Result<()> {
    let reports: Vec<&Report> = runs.iter().flat_map(|run| &run.reports).collect();
    let count =
        |wanted: fn(&Outcome) -> bool| reports.iter().filter(|report| wanted(&report.outcome)).count();
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let passed = count(|outcome| matches!(outcome, Outcome::Passed));
    let differ = count(|outcome| matches!(outcome, Outcome::DiffersAsListed(_)));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let mut parts = vec![format!("{passed} passed")];
    if differ > 0 {
        parts.push(format!("{differ} differ as listed"));
    }
    if skipped > 0 {
        parts.push(format!("{skipped} skipped"));
    }
    let Some(first) = reports.iter().find(|report| matches!(report.outcome, Outcome::Failed(_))) else {
        if passed + differ == 0 {
            bail!("nothing ran: every scenario was skipped");
        }
        println!("   {}. Report: {}", parts.join(", "), path.display());
        return Ok(());
    };
    println!("   {failed} failed, {}.", parts.join(", "));
    println!(
        "   Look: cargo insta review   Again: cargo xtask hil --board {} --scenario {}",
        first.board, first.scenario
    );
    bail!("{failed} of {} did not pass", reports.len())
}

#[cfg(test)]
mod tests {
    use super::matches;
    use rstest::rstest;

    #[rstest]
    #[case("errors/exit", "errors/exit", true)]
    #[case("errors/*", "errors/exit", true)]
    #[case("*", "os/files", true)]
    #[case("*/f?les", "os/files", true)]
    #[case("os/*s", "os/listdir", false)]
    #[case("os", "os/files", false)]
    #[case("", "os/files", false)]
    fn globs(#[case] glob: &str, #[case] name: &str, #[case] expected: bool) {
        assert_eq!(matches(glob, name), expected);
    }
}
