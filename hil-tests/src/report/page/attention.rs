//! What needs a person, first: failures, then what passed only after a retry, then what is in quarantine.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{View, day, detail, history, sign};
use crate::event::{Status, Verdict};
use crate::report::diff;
use crate::report::group::{Group, groups};
use crate::report::model::Pair;
use crate::report::summary::plural;

/// Groups with their sessions; what is beyond has a line each.
const IN_FULL: usize = 40;
/// Pairs of a group that are named.
const NAMED: usize = 24;
/// Equal lines around a difference.
const AROUND: usize = 3;

/// The sections before the matrix.
pub(super) fn sections(view: &View<'_>) -> Markup {
    let failures = groups(view.night, Status::Failed);
    let given_up: Vec<_> = view.night.boards.iter().filter(|board| board.given_up.is_some()).collect();
    html! {
        @if !failures.is_empty() || !given_up.is_empty() {
            section #failures aria-labelledby="failures-title" {
                h2 #failures-title { "What failed" }
                @for board in given_up {
                    p.warning { b { (board.name) } " was given up: " (board.given_up.as_deref().unwrap_or_default()) }
                }
                @for group in failures.iter().take(IN_FULL) { (card(view, group, Status::Failed)) }
                @if failures.len() > IN_FULL { (lines(view, &failures[IN_FULL..])) }
            }
        }
        (others(view, Status::Flaky, "Passed only after a retry"))
        (others(view, Status::Quarantined, "Failed, in quarantine"))
        (notes(view))
    }
}

fn others(view: &View<'_>, status: Status, title: &str) -> Markup {
    let groups = groups(view.night, status);
    html! {
        @if !groups.is_empty() {
            section {
                h2 { (title) }
                @for group in groups.iter().take(IN_FULL) { (card(view, group, status)) }
                @if groups.len() > IN_FULL { (lines(view, &groups[IN_FULL..])) }
            }
        }
    }
}

fn notes(view: &View<'_>) -> Markup {
    html! {
        @if !view.night.notes.is_empty() {
            section {
                h2 { "To know" }
                ul.notes {
                    @for (board, text) in view.night.notes.iter().take(200) {
                        li { @if let Some(board) = board { b { (board) } ": " } (text) }
                    }
                }
            }
        }
    }
}

fn card(view: &View<'_>, group: &Group, status: Status) -> Markup {
    let Some((scenario, board)) = group.pairs.first().copied() else { return html! {} };
    let (scenario_name, board_name) = (&view.night.scenarios[scenario], &view.night.boards[board].name);
    let pair = &view.night.pairs[&(scenario, board)];
    let name = if scenario_name.is_empty() { "?" } else { scenario_name };
    html! {
        article.card.(super::class(Some(status))) tabindex="-1" data-problem {
            h3 {
                span.sign aria-hidden="true" { (sign(Some(status))) }
                @if group.of_board {
                    b { (board_name) } span.of { (cause_in_words(&group.cause)) " in " (plural(group.pairs.len(), "scenario")) }
                } @else {
                    b { (name) } span.of { "on " (boards(view, group)) }
                }
                (since(view, board_name, name, status))
            }
            p.why {
                @if status == Status::Quarantined && let Some(reason) = pair.worst().and_then(|round| round.reason.as_deref()) {
                    span.reason { (first_line(reason)) ". " }
                }
                @if !group.of_board { (cause_in_words(&group.cause)) ". " }
                (history(view, board_name, name, Some(status)))
            }
            @if status == Status::Failed { (what_came(pair)) }
            @if group.pairs.len() > 1 { (named(view, group)) }
            p.again { "Again: " code { "cargo xtask hil --board " (board_name) " --scenario " (name) } }
            details {
                summary { "The whole session" @if group.pairs.len() > 1 { " on " (board_name) } }
                @if status != Status::Failed { (what_came(pair)) }
                (detail::body(view, scenario, board))
            }
        }
    }
}

/// The difference, or the last lines and what went wrong.
fn what_came(pair: &Pair) -> Markup {
    let Some(attempt) = pair.failure() else { return html! {} };
    match (&attempt.verdict, &attempt.expected) {
        (Verdict::Failed { cause, .. }, Some(expected)) if cause == "differs" => {
            short_diff(expected, &attempt.transcript)
        }
        (Verdict::Failed { shown, .. }, _) => html! { pre.seen tabindex="0" { (shown.trim_end()) } },
        _ => html! {},
    }
}

fn boards(view: &View<'_>, group: &Group) -> String {
    match group.pairs.as_slice() {
        [only] => view.night.boards[only.1].name.clone(),
        pairs => plural(pairs.len(), "board"),
    }
}

fn named(view: &View<'_>, group: &Group) -> Markup {
    let names: BTreeSet<(&str, usize, usize)> = group
        .pairs
        .iter()
        .map(|(scenario, board)| {
            let name = if group.of_board {
                &view.night.scenarios[*scenario]
            } else {
                &view.night.boards[*board].name
            };
            (name.as_str(), *scenario, *board)
        })
        .collect();
    html! {
        p.named {
            @for (name, scenario, board) in names.iter().take(NAMED) {
                a href={ "#s" (scenario) "b" (board) } { (name) } " "
            }
            @if names.len() > NAMED { "and " (names.len() - NAMED) " more, in the matrix" }
        }
    }
}

fn lines(view: &View<'_>, groups: &[Group]) -> Markup {
    html! {
        h3 { "and " (groups.len()) " more" }
        ul.more {
            @for group in groups {
                @if let Some((scenario, board)) = group.pairs.first() {
                    li {
                        a href={ "#s" (scenario) "b" (board) } { (view.night.scenarios[*scenario]) }
                        " on " (boards(view, group)) ": " (cause_in_words(&group.cause))
                    }
                }
            }
        }
    }
}

/// Since when it fails; with no kept history nobody can tell.
fn since(view: &View<'_>, board: &str, scenario: &str, status: Status) -> Markup {
    let runs = &view.past.runs;
    let failing = view.past.failing_for(board, scenario);
    let known = runs.iter().any(|run| run.status(board, scenario).is_some());
    html! {
        @if status == Status::Failed && known {
            @if failing == 0 { span.badge.new { "new" } }
            @else {
                span.badge {
                    "fails for " (plural(failing + 1, "run"))
                    @if let Some(first) = runs.iter().rev().filter(|run| run.status(board, scenario).is_some()).nth(failing - 1) {
                        ", since " (day(first.unix_s))
                    }
                }
            }
        }
    }
}

/// Only what differs, with a few lines around it.
fn short_diff(expected: &str, seen: &str) -> Markup {
    let lines = diff::lines(expected, seen);
    let near = |at: usize| {
        let from = at.saturating_sub(AROUND);
        lines[from..lines.len().min(at + AROUND + 1)].iter().any(|line| line.tag != diff::Tag::Same)
    };
    let kept: Vec<bool> = (0..lines.len()).map(near).collect();
    html! {
        pre.diff tabindex="0" {
            @for (at, line) in lines.iter().enumerate() {
                @if kept[at] { (detail::diff_line(line)) }
                @else if at > 0 && kept[at - 1] { span.gap { "⋯\n" } }
            }
        }
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn cause_in_words(cause: &str) -> String {
    match cause {
        "differs" => "The transcript differs from its snapshot".into(),
        "silent" => "The board says nothing".into(),
        "no-prompt" => "No prompt came".into(),
        "no-echo" => "What was typed did not appear".into(),
        "flood" => "The board floods the line".into(),
        "closed" => "The port closed".into(),
        "reset" => "The board could not be reset".into(),
        "open" => "The port could not be opened".into(),
        "raw-paste" => "Raw paste went wrong".into(),
        "never-true" => "A condition never came true".into(),
        "outside" => "Something beside the board could not be done".into(),
        "too-long" => "The scenario took too long".into(),
        "unlisted" => "A listed difference is gone".into(),
        "other" => "It failed".into(),
        other => other.to_owned(),
    }
}
