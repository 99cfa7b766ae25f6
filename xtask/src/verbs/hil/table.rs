//! The result: failures first, as a person would look at them, then board x topic.

use std::collections::BTreeMap;
use std::time::Duration;

use console::{StyledObject, style};
use hil_tests::event::{ScenarioEnded, Status};
use hil_tests::history::Rate;

use super::collect::{Collected, Lane, printable};
use crate::progress::{say, seconds};

/// Boards from which on their rows are told together.
const MANY: usize = 40;

/// Prints failures, listed differences, skips and the table.
pub(super) fn show(run: &Collected, unreliable: &BTreeMap<(String, String), Rate>) {
    for ended in run.ended() {
        let reason = ended.reason.as_deref().unwrap_or_default();
        match ended.status {
            Status::Failed => failure(ended, reason),
            Status::Passed => {}
            Status::Flaky => {
                let first = reason.lines().last().unwrap_or_default();
                remark(ended, &format!("passed at attempt {}; before: {first}", ended.attempts));
            }
            _ => remark(ended, reason.lines().next().unwrap_or_default()),
        }
    }
    for lane in &run.lanes {
        if let Some(why) = &lane.given_up {
            say(&format!("   {}  {}", style("GIVEN UP").red().bold(), lane.board));
            why.lines().for_each(|line| say(&format!("     {}", printable(line))));
        }
    }
    flake_rates(run, unreliable);
    say("");
    rows(run).iter().for_each(|row| say(&format!("   {row}")));
    say("");
}

/// How reliable the boards of this run were lately, where they were not always.
fn flake_rates(run: &Collected, unreliable: &BTreeMap<(String, String), Rate>) {
    let mine = unreliable.iter().filter(|((board, _), _)| run.lanes.iter().any(|lane| lane.board == *board));
    for ((board, scenario), rate) in mine {
        let Rate { runs, flaky, failed } = rate;
        say(&format!(
            "   {}  {board}  {scenario}: {failed} failed, {flaky} flaky of the last {runs}",
            style("history").dim()
        ));
    }
}

fn rows(run: &Collected) -> Vec<String> {
    let topics = topics(run);
    let mut rows = vec![header(&topics)];
    if run.lanes.len() > MANY {
        let ms = run.lanes.iter().map(|lane| lane.ms).max().unwrap_or(0);
        rows.push(row(&format!("{} boards", run.lanes.len()), &run.ended().collect::<Vec<_>>(), ms, &topics));
    } else {
        let of = |lane: &Lane| row(&lane.board, &lane.ended.iter().collect::<Vec<_>>(), lane.ms, &topics);
        rows.extend(run.lanes.iter().map(of));
    }
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Every pair on a line of its own, with its time and, below, what a failure shows.
pub(super) fn every_pair(run: &Collected) -> String {
    let mut text = String::new();
    for ended in run.ended() {
        let word = if ended.status == Status::Failed { "FAILED" } else { ended.status.word() };
        let (board, scenario, time) =
            (&ended.board, &ended.scenario, seconds(Duration::from_millis(ended.ms)));
        text.push_str(&format!("{word:<11} {board:<20} {scenario:<28} {time:>8}\n"));
        for line in ended.reason.iter().flat_map(|reason| reason.lines()) {
            text.push_str(&format!("            {}\n", printable(line)));
        }
    }
    text
}

fn failure(ended: &ScenarioEnded, shown: &str) {
    let tries = if ended.attempts > 1 { format!(" ({} attempts)", ended.attempts) } else { String::new() };
    say(&format!("   {}  {}  {}{tries}", style("FAILED").red().bold(), ended.board, ended.scenario));
    shown.lines().for_each(|line| say(&format!("     {}", coloured(line))));
}

/// A line of a difference, harmless for a terminal.
pub(super) fn coloured(line: &str) -> StyledObject<String> {
    let line = printable(line);
    match line.as_bytes().first() {
        Some(b'-') => style(line).red(),
        Some(b'+') => style(line).green(),
        _ => style(line),
    }
}

fn remark(ended: &ScenarioEnded, reason: &str) {
    let word = style(ended.status.word()).dim();
    say(&format!("   {word}  {}  {}: {}", ended.board, ended.scenario, printable(reason)));
}

fn topic(scenario: &str) -> &str {
    scenario.split_once('/').map_or(scenario, |(topic, _)| topic)
}

fn topics(run: &Collected) -> Vec<&str> {
    let mut topics: Vec<&str> = run.ended().map(|ended| topic(&ended.scenario)).collect();
    topics.sort_unstable();
    topics.dedup();
    topics
}

fn header(topics: &[&str]) -> Vec<String> {
    let names = ["board"].iter().chain(topics).chain(&["time"]);
    names.map(|name| (*name).to_owned()).collect()
}

fn row(name: &str, ended: &[&ScenarioEnded], ms: u64, topics: &[&str]) -> Vec<String> {
    let mut row = vec![name.to_owned()];
    let of = |name: &&str| {
        cell(ended.iter().filter(|ended| topic(&ended.scenario) == *name).map(|ended| ended.status))
    };
    row.extend(topics.iter().map(of));
    row.push(seconds(Duration::from_millis(ms)));
    row
}

/// `6 passed, 1 failed`
fn cell(statuses: impl Iterator<Item = Status>) -> String {
    let mut counts = BTreeMap::new();
    for status in statuses {
        *counts.entry(status).or_insert(0) += 1;
    }
    let parts: Vec<String> =
        counts.iter().map(|(status, count): (&Status, &u32)| format!("{count} {}", status.word())).collect();
    parts.join(", ")
}
