//! The result: failures first, as a person would look at them, then board x topic.

use std::collections::BTreeMap;
use std::time::Duration;

use console::style;
use hil_tests::run::{Outcome, Report};
use larch_boards::Board;

use crate::progress::seconds;

/// Prints failures, listed differences, skips and the table.
pub(crate) fn show(boards: &[Board], reports: &[Report]) {
    for report in reports {
        match &report.outcome {
            Outcome::Failed(shown) => failure(report, shown),
            Outcome::DiffersAsListed(reason) => remark("differs", report, reason),
            Outcome::Skipped(reason) => remark("skipped", report, reason),
            Outcome::Passed => {}
        }
    }
    println!();
    let topics: Vec<&str> = topics(reports);
    let mut rows = vec![header(&topics)];
    rows.extend(boards.iter().map(|board| row(board, &topics, reports)));
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

fn topics(reports: &[Report]) -> Vec<&str> {
    let mut topics: Vec<&str> = reports.iter().map(|report| topic(&report.scenario)).collect();
    topics.sort_unstable();
    topics.dedup();
    topics
}

fn header(topics: &[&str]) -> Vec<String> {
    let names = ["board"].iter().chain(topics).chain(&["time"]);
    names.map(|name| (*name).to_owned()).collect()
}

fn row(board: &Board, topics: &[&str], reports: &[Report]) -> Vec<String> {
    let mine = || reports.iter().filter(|report| report.board == board.name);
    let mut row = vec![board.name.clone()];
    row.extend(topics.iter().map(|name| cell(mine().filter(|report| topic(&report.scenario) == *name))));
    row.push(seconds(mine().map(|report| report.time).sum::<Duration>()));
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
