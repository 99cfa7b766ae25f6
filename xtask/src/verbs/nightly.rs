//! `cargo xtask nightly`: what each night does with the boards of this machine, with or without a workflow around it.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use clap::Args;
use hil_tests::event::Status;
use hil_tests::report;

use crate::verbs::hil;
use crate::workspace;

const DAY_S: u64 = 86_400;

/// Run every board of this machine, with retries, a report and recorded sessions.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask nightly                       every board that is there, report in target/nightly
  cargo xtask nightly --host lab-pi         the boards with the tag host:lab-pi
  cargo xtask nightly --at 02:17            each night at that time (UTC), without cron, until Ctrl-C
The last line of standard error is `outcome: WORD`: passed, flaky, failed, not-finished or not-run.
Fails unless it is passed or flaky.")]
pub(crate) struct Arguments {
    /// Boards with the tag host:NAME [default: every board of boards.yaml that is there]
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Further attempts after a failure
    #[arg(long, value_name = "N", default_value_t = 2)]
    retries: u32,
    /// Where the report goes [default: target/nightly]
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Scenarios to run, as for `cargo xtask hil`
    #[arg(long, short, value_name = "GLOB")]
    scenario: Vec<String>,
    /// Wait until this time of the day (UTC), run, and so again each day
    #[arg(long, value_name = "HH:MM", value_parser = time_of_day)]
    at: Option<u64>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let Some(at) = arguments.at else { return night(arguments) };
    loop {
        let wait = until(at, now());
        eprintln!("   the next run begins in {} h {} min", wait / 3600, wait / 60 % 60);
        std::thread::sleep(Duration::from_secs(wait));
        if let Err(error) = night(arguments) {
            eprintln!("error: {error:#}");
        }
    }
}

fn night(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    let directory = arguments.report.clone().unwrap_or_else(|| lab.target.join("nightly"));
    // Whatever is there is from another night.
    if directory.join(report::EVENTS).exists() {
        std::fs::remove_file(directory.join(report::EVENTS))
            .with_context(|| directory.display().to_string())?;
    }
    let ended = hil::run(&hil::Arguments {
        all: arguments.host.is_none(),
        tag: arguments.host.iter().map(|host| format!("host:{host}")).collect(),
        scenario: arguments.scenario.clone(),
        retries: arguments.retries,
        repeat: 1,
        report: Some(directory.clone()),
        record: true,
        jobs: 32,
        wait: 3600,
        ..hil::Arguments::default()
    });
    let word = match report::read(&directory) {
        Err(_) => "not-run",
        Ok(night) if !night.complete() => "not-finished",
        Ok(night) if night.count(Status::Failed) > 0 || ended.is_err() => "failed",
        Ok(night) if night.count(Status::Flaky) > 0 => "flaky",
        Ok(_) => "passed",
    };
    eprintln!("outcome: {word}");
    ended
}

/// Seconds since midnight.
fn time_of_day(text: &str) -> Result<u64, String> {
    let number = |digits: &str, below: u64| digits.parse::<u64>().ok().filter(|number| *number < below);
    let time = text
        .split_once(':')
        .and_then(|(hour, minute)| Some(number(hour, 24)? * 3600 + number(minute, 60)? * 60));
    time.ok_or_else(|| format!("'{text}' is no time of day such as 02:17"))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// Seconds from now until that time of the day.
fn until(at: u64, now: u64) -> u64 {
    (at + DAY_S - now % DAY_S - 1) % DAY_S + 1
}

#[cfg(test)]
mod tests {
    use super::{time_of_day, until};
    use rstest::rstest;

    #[rstest]
    #[case("02:17", Ok(8220))]
    #[case("00:00", Ok(0))]
    #[case("24:00", Err("'24:00' is no time of day such as 02:17".to_owned()))]
    #[case("2", Err("'2' is no time of day such as 02:17".to_owned()))]
    fn times(#[case] text: &str, #[case] expected: Result<u64, String>) {
        assert_eq!(time_of_day(text), expected);
    }

    #[rstest]
    #[case(100, 40, 60)]
    #[case(100, 100, 86_400)]
    #[case(100, 86_400 * 5 + 101, 86_399)]
    fn the_next_time(#[case] at: u64, #[case] now: u64, #[case] wait: u64) {
        assert_eq!(until(at, now), wait);
    }
}
