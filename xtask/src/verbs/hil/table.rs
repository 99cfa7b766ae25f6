//! The result: failures first, as a person would look at them, then board x topic.

use std::collections::BTreeMap;

use console::style;
use hil_tests::run::{Outcome, Report};

use super::Run;
use crate::progress::seconds;

/// Prints failures, listed differences, skips and the table.
pub(super) fn show(runs: &[Run]) {
    for report in runs.iter().flat_map(|run| &run.reports) {
        match &report.outcome {
            Outcome::Failed(shown) => failure(report, shown),
            Outcome::DiffersAsListed(reason) => remark("differs", report, reason),
            Outcome::Skipped(reason) => remark("skipped", report, reason),
            Outcome::Passed => {}
        }
    }
    println!();
    let topics = topics(runs);
    let mut rows = vec![header(&topics)];
    rows.extend(runs.iter().map(|run| row(run, &topics)));
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0))
        .collect();
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        println!("   {}", cells.join("  ").trim_end());
    }
    println!();
}

/// Every pair on a line of its own, with its time and, below, what a failure shows.
pub(super) fn every_pair(runs: &[Run]) -> String {
    let mut text = String::new();
    for report in runs.iter().flat_map(|run| &run.reports) {
        let (word, more) = match &report.outcome {
            Outcome::Passed => ("passed", ""),
            Outcome::Failed(shown) => ("FAILED", shown.as_str()),
            Outcome::DiffersAsListed(reason) => ("differs", reason.as_str()),
            Outcome::Skipped(reason) => ("skipped", reason.as_str()),
        };
        let (board, scenario, time) = (&report.board, &report.scenario, seconds(report.time));
        text.push_str(&format!("{word:<8} {board:<20} {scenario:<28} {time:>8}\n"));
        for line in more.lines() {
            text.push_str(&format!("         {line}\n"));
        }
    }
    text
}

fn failure(report: &Report, shown: &str) {
    println!("   {}  {}  {}", style("FAILED").red().bold(), report.board, report.scenario);
    for line in shown.lines() {
        let line = match line.as_bytes().first() {
            Some(b'-') => style(line).red(),
            Some(b'+') => style(line).green(),
            _ => style(line),
        };
        println!("     {line}");
    }
}

fn remark(word: &str, report: &Report, reason: &str) {
    println!("   {}  {}  {}: {reason}", style(word).dim(), report.board, report.scenario);
}

fn topic(scenario: &str) -> &str {
    scenario.split_once('/').map_or(scenario, |(topic, _)| topic)
}

fn topics(runs: &[Run]) -> Vec<&str> {
    let mut topics: Vec<&str> =
        runs.iter().flat_map(|run| &run.reports).map(|report| topic(&report.scenario)).collect();
    topics.sort_unstable();
    topics.dedup();
    topics
}

fn header(topics: &[&str]) -> Vec<String> {
    let names = ["board"].iter().chain(topics).chain(&["time"]);
    names.map(|name| (*name).to_owned()).collect()
}

fn row(run: &Run, topics: &[&str]) -> Vec<String> {
    let mut row = vec![run.board.clone()];
    row.extend(
        topics.iter().map(|name| cell(run.reports.iter().filter(|report| topic(&report.scenario) == *name))),
    );
    row.push(seconds(run.time));
    row
}

/// `6 passed, 1 failed`
fn cell<'a>(reports: impl Iterator<Item = &'a Report>) -> String {
    let mut counts = BTreeMap::new();
    for report in reports {
        let word = match report.outcome {
            Outcome::Passed => (0, "passed"),
            Outcome::Failed(_) => (1, "failed"),
            Outcome::DiffersAsListed(_) => (2, "differ"),
            Outcome::Skipped(_) => (3, "skipped"),
        };
        *counts.entry(word).or_insert(0) += 1;
    }
    let parts: Vec<String> = counts.iter().map(|((_, word), count)| format!("{count} {word}")).collect();
    parts.join(", ")
}
