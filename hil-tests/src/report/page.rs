//! `index.html`: everything about a run on one page that loads nothing.
//!
//! Built with `maud`, which escapes all text; a Content Security Policy names the digests of the page's own script and
//! style, so that even a mistake in escaping could not run anything or fetch anything. What is wrong is plain HTML and needs no
//! script; the sessions of all other pairs are HTML as well, compressed, one blob a scenario, so that 50 boards with
//! 200 scenarios stay a file that can be mailed.

mod attention;
mod boards;
mod detail;
mod matrix;
mod time;
mod trends;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::model::Night;
use super::summary;
use super::trend::Past;
use crate::event::Status;

pub(super) use self::time::{day, moment, took};

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");

/// Statuses in the order in which a person wants to see them.
const ORDER: [Status; 6] =
    [Status::Failed, Status::Flaky, Status::Quarantined, Status::Differs, Status::Passed, Status::Skipped];

/// The page of a run; serial logs are read from the report's directory.
#[must_use]
pub fn page(night: &Night, past: &Past, directory: &Path) -> String {
    let title = summary::sentence(night);
    let view = View { night, past, directory };
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Larch" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#matrix" { "Skip to all results" }
                (header(&view, &title))
                main {
                    (attention::sections(&view))
                    (matrix::section(&view))
                    (boards::section(&view))
                    (trends::section(&view))
                }
                (footer(&view))
                dialog #session aria-label="Session" {
                    form method="dialog" {
                        button #previous type="button" { "‹ Previous problem" }
                        button #next type="button" { "Next problem ›" }
                        button.close autofocus { "Close" kbd { "Esc" } }
                    }
                    div #session-body tabindex="-1" {}
                }
                (matrix::blobs(&view))
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    visible(&markup.into_string())
}

/// Text without characters that control a terminal or turn the direction of others; nothing else may stand in a page.
fn visible(text: &str) -> String {
    let steers = |letter: char| {
        letter.is_control() && !matches!(letter, '\n' | '\t')
            || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if steers(letter) { char::REPLACEMENT_CHARACTER } else { letter }).collect()
}

/// What a part of the page is made of.
struct View<'a> {
    night: &'a Night,
    past: &'a Past,
    directory: &'a Path,
}

fn policy() -> String {
    let digest = |text: &str| BASE64.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
}

fn header(view: &View<'_>, title: &str) -> Markup {
    let night = view.night;
    let verdict = if !night.complete() || night.count(Status::Failed) > 0 {
        "bad"
    } else if night.count(Status::Flaky) + night.count(Status::Quarantined) > 0 {
        "unsure"
    } else {
        "good"
    };
    html! {
        header.top {
            p.eyebrow { "Larch" @if let Some(started) = &night.started { " · " (moment(started.unix_s)) } }
            h1 class=(verdict) { (title) "." }
            @if !night.complete() {
                p.warning role="alert" {
                    "The run did not come to its end"
                    @if night.parts > 1 { ": " (night.ended) " of " (night.parts) " parts did" }
                    ". What follows is what was written until then."
                }
            }
            @if let Some(started) = &night.started {
                p.facts {
                    span { (summary::plural(night.boards.len(), "board")) " × " (summary::plural(night.scenarios.len(), "scenario")) }
                    @if night.ms > 0 { span { (took(night.ms)) } }
                    @if started.repeat > 1 { span { "each " (started.repeat) " times" } }
                    @if night.parts > 1 { span { (night.parts) " shards" } }
                    code { (started.command) }
                }
            }
            (tally(night))
        }
    }
}

fn tally(night: &Night) -> Markup {
    let open = night.open();
    html! {
        ul.tally aria-label="Results by status" {
            @for status in ORDER {
                @let count = night.count(status);
                @if count > 0 {
                    li class=(class(Some(status))) { span.sign aria-hidden="true" { (sign(Some(status))) } b { (summary::number(count)) } " " (status.word()) }
                }
            }
            @if open > 0 { li class="open" { span.sign aria-hidden="true" { "?" } b { (open) } " not ended" } }
        }
    }
}

fn footer(view: &View<'_>) -> Markup {
    html! {
        footer {
            p {
                "Beside this page: " a href="junit.xml" { "junit.xml" } ", " a href="events.ndjson" { "events.ndjson" }
                ", the serial logs in " code { "logs/" } "."
                @if let Some(started) = &view.night.started { " Run " code { (started.run) } "." }
                @if view.night.unread > 0 { " " (summary::plural(view.night.unread as usize, "line")) " of the events could not be read." }
            }
            p.keys {
                kbd { "n" } " " kbd { "p" } " next, previous problem   "
                kbd { "/" } " filter   " kbd { "↑" } kbd { "↓" } kbd { "←" } kbd { "→" } " walk the matrix   "
                kbd { "Enter" } " session"
            }
        }
    }
}

/// The class of a status in the style sheet.
fn class(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Passed) => "p",
        Some(Status::Failed) => "f",
        Some(Status::Flaky) => "y",
        Some(Status::Differs) => "d",
        Some(Status::Quarantined) => "q",
        Some(Status::Skipped) => "s",
        None => "o",
    }
}

/// A status without colours.
fn sign(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Passed) => "✓",
        Some(Status::Failed) => "✗",
        Some(Status::Flaky) => "~",
        Some(Status::Differs) => "≠",
        Some(Status::Quarantined) => "q",
        Some(Status::Skipped) => "–",
        None => "?",
    }
}

/// What the last runs of a pair came to, oldest first.
fn history(view: &View<'_>, board: &str, scenario: &str, now: Option<Status>) -> Markup {
    const SHOWN: usize = 20;
    let runs = &view.past.runs[view.past.runs.len().saturating_sub(SHOWN)..];
    let (trouble, of) = view.past.trouble(board, scenario);
    html! {
        @if !runs.is_empty() {
            span.history role="img" aria-label={ (trouble) " of the last " (of) " runs were not right at the first attempt" } {
                @for run in runs {
                    @let status = run.status(board, scenario);
                    @if let Some(status) = status {
                        i class=(class(Some(status))) title={ (day(run.unix_s)) ": " (status.word()) } {}
                    } @else {
                        i.none title={ (day(run.unix_s)) ": did not run" } {}
                    }
                }
                i.now.(class(now)) title="this run" {}
            }
        }
    }
}
