//! A session: what was seen beside what was expected, the serial log with its steps, the boot log.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path};

use maud::{Markup, html};

use super::{View, class, history, sign, took};
use crate::event::{Attempt, SERIAL_KEPT, Status, Verdict};
use crate::report::diff::{self, Line, Tag};
use crate::report::serial::{Piece, pieces};

/// Characters of a transcript or boot log that are shown.
const TEXT_KEPT: usize = 64 * 1024;

/// The session of a pair as an article of its own, for the dialog.
pub(super) fn article(view: &View<'_>, scenario: usize, board: usize) -> Markup {
    let (scenario_name, board_name) = (&view.night.scenarios[scenario], &view.night.boards[board].name);
    let status = view.night.pairs.get(&(scenario, board)).and_then(|pair| pair.status());
    html! {
        article data-b=(board) {
            h2 {
                span.sign.(class(status)) aria-hidden="true" { (sign(status)) }
                (scenario_name) span.of { "on " (board_name) }
                span.badge.(class(status)) { (status.map_or("not ended", Status::word)) }
            }
            p { (history(view, board_name, scenario_name, status)) }
            (body(view, scenario, board))
        }
    }
}

/// The same without its heading.
pub(super) fn body(view: &View<'_>, scenario: usize, board: usize) -> Markup {
    let Some(pair) = view.night.pairs.get(&(scenario, board)) else { return html! {} };
    let reason = pair
        .worst()
        .and_then(|round| round.reason.as_deref())
        .filter(|_| pair.status() != Some(Status::Failed));
    html! {
        @if let Some(reason) = reason { p.reason { (cut(reason)) } }
        @for attempt in &pair.attempts {
            section.attempt {
                @if pair.attempts.len() > 1 || attempt.attempt > 1 {
                    h3 { "Attempt " (attempt.attempt) @if attempt.round > 1 { ", round " (attempt.round) } ": " (verdict(attempt)) }
                }
                p.facts {
                    span { (took(attempt.ms)) }
                    @if attempt.board_ms > 0 { span { (took(attempt.board_ms)) " on the board's clock" } }
                    @if let Some(log) = &attempt.serial_log { a href=(log) { "raw serial log" } }
                }
                (transcript(attempt))
                (serial(view.directory, attempt))
                @if !attempt.boot_log.trim().is_empty() {
                    details { summary { "Boot log" } pre tabindex="0" { (cut(attempt.boot_log.trim_end())) } }
                }
            }
        }
        @if pair.attempts.is_empty() && reason.is_none() { p { "It did not come to an end." } }
    }
}

fn verdict(attempt: &Attempt) -> &str {
    match &attempt.verdict {
        Verdict::Passed => "passed",
        Verdict::Differs { .. } => "differs as listed",
        Verdict::Failed { cause, .. } => cause,
    }
}

fn transcript(attempt: &Attempt) -> Markup {
    let seen = cut(&attempt.transcript);
    let lines = match (&attempt.verdict, &attempt.expected) {
        (Verdict::Passed, _) | (_, None) => Vec::new(),
        (_, Some(expected)) => diff::lines(&cut(expected), &seen),
    };
    let failed = matches!(&attempt.verdict, Verdict::Failed { .. });
    html! {
        @if lines.is_empty() {
            pre.transcript tabindex="0" { (seen) }
        } @else {
            p.legend { ins { "+ seen" } " " del { "- expected" } }
            pre.diff tabindex="0" { @for line in &lines { (diff_line(line)) } }
        }
        @if failed && let Verdict::Failed { cause, shown } = &attempt.verdict && cause != "differs" {
            pre.seen tabindex="0" { (cut(shown.trim_end())) }
        }
    }
}

/// A line with its mark; what differs within it stands out.
pub(super) fn diff_line(line: &Line) -> Markup {
    let text = &line.text;
    let parts = line.differs.map(|(from, to)| (&text[..from], &text[from..to], &text[to..]));
    let content = html! {
        (line.tag.sign()) " "
        @if let Some((before, different, after)) = parts { (before) b { (different) } (after) } @else { (text) }
        "\n"
    };
    match line.tag {
        Tag::Same => html! { span { (content) } },
        Tag::Expected => html! { del { (content) } },
        Tag::Seen => html! { ins { (content) } },
    }
}

fn serial(directory: &Path, attempt: &Attempt) -> Markup {
    let bytes = attempt.serial_log.as_deref().and_then(|log| read(directory, log)).unwrap_or_default();
    if bytes.is_empty() && attempt.marks.is_empty() {
        return html! {};
    }
    html! {
        details.serial {
            summary { "Serial log, " (attempt.marks.len()) " steps, " (bytes.len() as u64 + attempt.serial_dropped) " bytes" }
            pre tabindex="0" {
                @for piece in pieces(&bytes, attempt) {
                    @match piece {
                        Piece::Step(mark) => {
                            span.step {
                                span.at { (format!("{:>9.3}", mark.board_ms as f64 / 1000.0)) }
                                @if mark.line > 0 { span.line { (mark.line) } }
                                (mark.step) "\n"
                            }
                        }
                        Piece::Text(text) => { (text) }
                        Piece::Control(word) => { i { (word) } }
                        Piece::Left(count) => { span.gap { "⋯ " (count) " bytes ⋯\n" } }
                    }
                }
            }
        }
    }
}

/// A log below the report's directory, whatever the events claim.
fn read(directory: &Path, log: &str) -> Option<Vec<u8>> {
    let below = Path::new(log).components().all(|part| matches!(part, Component::Normal(_)));
    if !below {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(directory.join(log)).ok()?.take(SERIAL_KEPT as u64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Text of any length, shortened in its middle.
fn cut(text: &str) -> String {
    if text.len() <= TEXT_KEPT {
        return text.to_owned();
    }
    let head = floor(text, TEXT_KEPT * 3 / 4);
    let tail = floor(text, text.len() - TEXT_KEPT / 4);
    format!("{}\n⋯ {} bytes ⋯\n{}", &text[..head], tail - head, &text[tail..])
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
