//! Every scenario on every board, and behind each cell its session.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use maud::{Markup, PreEscaped, html};

use super::{View, class, detail, sign};
use crate::event::Status;

/// Boards whose names stand upright above their column.
const WIDE: usize = 6;

/// The table.
pub(super) fn section(view: &View<'_>) -> Markup {
    let night = view.night;
    let mut topic = "";
    html! {
        section #matrix aria-labelledby="matrix-title" {
            h2 #matrix-title { "All results" }
            div.tools hidden {
                label { "Scenarios " input #find type="search" placeholder="errors/" autocomplete="off"; }
                label { "Boards " input #find-board type="search" placeholder="c3-" autocomplete="off"; }
                label { input #problems type="checkbox"; " only problems" }
                output #found {}
            }
            div.scroll tabindex="0" role="region" aria-labelledby="matrix-title" {
                table #grid role="grid" .narrow[night.boards.len() > WIDE] {
                    caption.unseen { "A row for each scenario, a column for each board. Enter opens the session." }
                    thead { tr {
                        th scope="col" { "scenario" }
                        @for board in &night.boards { th scope="col" { span { (board.name) } } }
                        @if !view.past.runs.is_empty() { th.trouble scope="col" title="runs of the last ones in which it failed or needed a retry, on any board" { "trouble" } }
                    } }
                    tbody {
                        @for scenario in night.sorted_scenarios() {
                            @let (before, name) = split(&night.scenarios[scenario]);
                            @let is_new = std::mem::replace(&mut topic, before) != before;
                            @if is_new {
                                tr.topic { th scope="rowgroup" colspan=(night.boards.len() + 2) { (before) } }
                            }
                            tr data-s=(scenario) {
                                th scope="row" title=(night.scenarios[scenario]) { span.unseen { (before) "/" } (name) }
                                @for board in 0..night.boards.len() { (cell(view, scenario, board)) }
                                @if !view.past.runs.is_empty() { (trouble(view, scenario)) }
                            }
                        }
                    }
                }
            }
            p.legend-signs {
                @for status in super::ORDER {
                    span { span.sign.(class(Some(status))) aria-hidden="true" { (sign(Some(status))) } " " (status.word()) }
                }
            }
        }
    }
}

fn split(scenario: &str) -> (&str, &str) {
    scenario.rsplit_once('/').unwrap_or(("", scenario))
}

fn cell(view: &View<'_>, scenario: usize, board: usize) -> Markup {
    let Some(pair) = view.night.pairs.get(&(scenario, board)) else { return html! { td {} } };
    let status = pair.status();
    match status {
        Some(Status::Passed) => html! { td.p tabindex="-1" { "✓" } },
        _ => html! {
            td class=(class(status)) tabindex="-1" aria-label=(status.map_or("not ended", Status::word)) { (sign(status)) }
        },
    }
}

/// In how many of the last runs a scenario was not right at once, on any board.
fn trouble(view: &View<'_>, scenario: usize) -> Markup {
    let name = &view.night.scenarios[scenario];
    let bad = |run: &&crate::history::Run| {
        run.boards.values().any(|board| {
            matches!(board.status(name), Some(Status::Failed | Status::Flaky | Status::Quarantined))
        })
    };
    let count = view.past.runs.iter().filter(bad).count();
    html! { td.trouble { @if count > 0 { (count) "/" (view.past.runs.len()) } } }
}

/// The sessions, a blob for each scenario: HTML, gzip, base64. The boards of a scenario say nearly the same, so together they
/// become small.
pub(super) fn blobs(view: &View<'_>) -> Markup {
    let mut of_scenario = vec![Vec::new(); view.night.scenarios.len()];
    for (scenario, board) in view.night.pairs.keys() {
        of_scenario[*scenario].push(*board);
    }
    html! {
        @for (scenario, boards) in of_scenario.iter().enumerate() {
            @if !boards.is_empty() {
                script type="application/gzip" id={ "z" (scenario) } { (PreEscaped(blob(view, scenario, boards))) }
            }
        }
    }
}

fn blob(view: &View<'_>, scenario: usize, boards: &[usize]) -> String {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    for board in boards {
        let article = super::visible(&detail::article(view, scenario, *board).into_string());
        // Writing to memory does not fail.
        let _ = packed.write_all(article.as_bytes());
    }
    BASE64.encode(packed.finish().unwrap_or_default())
}
