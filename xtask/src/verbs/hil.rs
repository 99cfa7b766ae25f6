//! `cargo xtask hil`: build, flash, type every scenario, compare with the snapshots.

mod against;
mod collect;
pub(crate) mod select;
mod table;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use hil_tests::event::{Event, Observer, Stamped, Status};
use hil_tests::files::write_whole;
use hil_tests::history::{self, History, Run};
use hil_tests::lab::Lab;
use hil_tests::report::{self, Writer, summary, trend};
use hil_tests::run::Update;
use hil_tests::runner::{self, Plan, Shard};
use larch_boards::Board;

use self::collect::Collected;
use crate::progress;
use crate::{ready, workspace};

/// Run the REPL scenarios on boards and compare the transcripts with the snapshots.
#[derive(Args, Clone, Default)]
#[command(after_help = "\
Examples:
  cargo xtask hil                                          the default board, every scenario
  cargo xtask hil --board c3-devkit --board esp32c3-emu    these boards, at once
  cargo xtask hil --all --retries 2                        every board that is there
  cargo xtask hil --scenario errors/exit                   one scenario
  cargo xtask hil --scenario 'os/*' --update               accept what the board answers now
  cargo xtask hil --report target/report --record          a page for people, JUnit XML, sessions to replay
  cargo xtask hil --tag bench --shard 1/4                  the first quarter of the boards tagged bench
  cargo xtask hil --board esp32c3-emu --against micropython-unix    where do their answers differ?")]
pub(crate) struct Arguments {
    /// Board to use; may be given several times [default: the default of boards.yaml]
    #[arg(long, short, value_name = "BOARD")]
    pub(crate) board: Vec<String>,
    /// Every board of boards.yaml; those that are not there are skipped
    #[arg(long, conflicts_with = "board")]
    pub(crate) all: bool,
    /// Boards with this tag; may be given several times; those that are not there are skipped
    #[arg(long, short, value_name = "TAG", conflicts_with_all = ["board", "all"])]
    pub(crate) tag: Vec<String>,
    /// Scenarios to run: a name such as errors/exit, with `*` for anything; may be given several times
    #[arg(long, short, value_name = "GLOB")]
    pub(crate) scenario: Vec<String>,
    /// Run each scenario so often
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) repeat: u32,
    /// Run a part: I of N. Whole boards if there are at least N, otherwise scenarios
    #[arg(long, value_name = "I/N", value_parser = Shard::parse)]
    pub(crate) shard: Option<Shard>,
    /// Try a failed scenario so often again; if it then passes it is reported as flaky
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(crate) retries: u32,
    /// Make what the board answers the new snapshots (look at the difference before committing it)
    #[arg(long)]
    pub(crate) update: bool,
    /// Write junit.xml, events.ndjson, index.html and the raw serial logs into this directory
    #[arg(long, value_name = "DIR", conflicts_with = "against")]
    pub(crate) report: Option<PathBuf>,
    /// Keep the timed serial sessions of flashing and typing, in DIR/sessions or target/hil/sessions
    #[arg(long)]
    pub(crate) record: bool,
    /// Go on with a board that stays dead
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Write the events of the run to standard output, one JSON object a line; people read standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// Instead of comparing with snapshots, compare with what this board answers
    #[arg(long, value_name = "BOARD", conflicts_with = "update")]
    pub(crate) against: Option<String>,
    /// Disturb the timing of boards and lines, reproducibly
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Run so many copies of each board that is started (emulated boards, programs)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) copies: Option<u16>,
    /// Boards at once
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) jobs: u16,
    /// Wait so long for a board that another process uses
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) wait: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.json {
        progress::talk_on_stderr();
    }
    let mut lab = workspace::lab()?;
    lab.clean_up();
    let beside = || arguments.report.clone().unwrap_or_else(|| lab.directory());
    lab.record = arguments.record.then(|| beside().join("sessions"));
    let plan = plan(&lab, arguments)?;
    ready::install_programs(&lab, &plan.boards);
    if let Some(other) = &arguments.against {
        let other = workspace::board(&lab, Some(other))?;
        ready::install_programs(&lab, [&other]);
        return against::run(&lab, plan, other);
    }
    run_plan(&lab, &plan, arguments)
}

/// What the command line asks for.
fn plan(lab: &Lab, arguments: &Arguments) -> Result<Plan> {
    let (scenarios, positions) = select::scenarios(lab, &arguments.scenario)?;
    Ok(Plan {
        boards: select::boards(lab, arguments)?,
        scenarios,
        positions,
        update: if arguments.update { Update::Accept } else { Update::Propose },
        retries: arguments.retries,
        repeat: arguments.repeat,
        shard: arguments.shard,
        keep_going: arguments.keep_going,
        skip_missing: arguments.all || !arguments.tag.is_empty(),
        seed: arguments.seed,
        lock_limit: Duration::from_secs(arguments.wait),
        jobs: arguments.jobs.into(),
    })
}

fn run_plan(lab: &Lab, plan: &Plan, arguments: &Arguments) -> Result<()> {
    let collected = Mutex::new(Collected::new());
    let begin = |directory| Writer::begin(directory).with_context(|| format!("{}", directory.display()));
    let writer = arguments.report.as_deref().map(begin).transpose()?;
    let start = Instant::now();
    let observer = |event: &Event| {
        if let Some(writer) = &writer {
            writer.event(event);
        }
        if arguments.json {
            print_json(start, event);
        }
        collected.lock().unwrap_or_else(PoisonError::into_inner).event(event);
    };
    let counts = runner::run(lab, plan, &prepare(lab), &observer);
    let collected = collected.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut path = lab.directory().join("report.txt");
    write_whole(&path, table::every_pair(&collected).as_bytes())
        .with_context(|| path.display().to_string())?;
    let history = History::new(&lab.directory());
    history
        .add(&Run::of(&collected.night))
        .with_context(|| format!("{}: history", lab.directory().display()))?;
    table::show(&collected, &history::unreliable(&history.last(history::WINDOW)));
    if let (Some(writer), Some(directory)) = (writer, &arguments.report) {
        report(&lab.directory(), writer, directory).with_context(|| directory.display().to_string())?;
        path = directory.join(report::PAGE);
    }
    conclude(&collected, &counts, &path)
}

/// The files of the report, and the summary of the job in continuous integration.
fn report(kept: &Path, writer: Writer, directory: &Path) -> Result<()> {
    let started = report::read(directory)?.started.map(|started| started.run).unwrap_or_default();
    let night = writer.finish(&trend::Past::load(kept).before(&started))?;
    if let Some(summary) = std::env::var_os("GITHUB_STEP_SUMMARY") {
        let mut file = OpenOptions::new().create(true).append(true).open(summary)?;
        file.write_all(summary::markdown(&night).as_bytes())?;
    }
    Ok(())
}

/// Makes each board ready in its lane.
pub(crate) fn prepare<'a>(lab: &'a Lab) -> impl Fn(&Board, &Observer<'_>) -> Result<(), String> + Sync + 'a {
    |board, observer| ready::make_ready(lab, board, observer).map_err(|error| format!("{error:#}"))
}

fn print_json(start: Instant, event: &Event) {
    let at_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    match serde_json::to_string(&Stamped { at_ms, event: event.clone() }) {
        Ok(line) => println!("{line}"),
        Err(error) => eprintln!("   an event cannot be written as JSON: {error}"),
    }
}

type Counts = std::collections::BTreeMap<Status, u32>;

fn conclude(collected: &Collected, counts: &Counts, path: &Path) -> Result<()> {
    let count = |status| counts.get(&status).copied().unwrap_or(0);
    let words = [
        (Status::Failed, "failed"),
        (Status::Passed, "passed"),
        (Status::Flaky, "flaky"),
        (Status::Differs, "differ as listed"),
        (Status::Quarantined, "quarantined"),
        (Status::Skipped, "skipped"),
    ];
    let parts: Vec<String> = words
        .iter()
        .filter(|(status, _)| count(*status) > 0 || *status == Status::Passed)
        .map(|(status, word)| format!("{} {word}", count(*status)))
        .collect();
    let given_up: Vec<&str> = collected.given_up().collect();
    if runner::is_good(counts, given_up.len()) {
        progress::say(&format!("   {}. Report: {}", parts.join(", "), path.display()));
        return Ok(());
    }
    progress::say(&format!("   {}. Report: {}", parts.join(", "), path.display()));
    if let Some((board, scenario)) = collected.first_failed() {
        progress::say(&format!(
            "   Look: cargo insta review   Again: cargo xtask hil --board {board} --scenario {scenario}"
        ));
    }
    let failed = count(Status::Failed);
    match (failed, given_up.as_slice()) {
        (0, []) => bail!("nothing ran: every scenario was skipped"),
        (0, boards) => bail!("not tested to the end: {}", boards.join(", ")),
        (_, []) => bail!("{failed} of {} did not pass", counts.values().sum::<u32>()),
        (_, boards) => bail!("{failed} did not pass; not tested to the end: {}", boards.join(", ")),
    }
}
