//! How things develop over the kept runs: firmware size, flashing, booting, time, benchmarks.

use maud::{Markup, html};

use super::{View, day, took};
use crate::history::{BoardRun, Run};

/// Boards with a line of their own in a chart.
const LINES: usize = 5;
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 72.0;

/// A line in a chart: a name, and (seconds since 1970, value).
struct Line {
    name: String,
    points: Vec<(u64, f64)>,
}

/// The charts; none without earlier runs.
pub(super) fn section(view: &View<'_>) -> Markup {
    let mut runs: Vec<Run> = view.past.runs.clone();
    runs.push(Run::of(view.night));
    let megabytes = |value: f64| format!("{:.0} KB", value / 1024.0);
    let time = |value: f64| took(value.max(0.0) as u64);
    let charts = [
        chart("Firmware size", &of_boards(&runs, |board| board.firmware_bytes), &megabytes),
        chart("Free for Python", &of_boards(&runs, |board| board.free_bytes), &megabytes),
        chart("Flashing, on the board's clock", &of_boards(&runs, |board| board.flash_ms), &time),
        chart("Reset to prompt", &of_boards(&runs, |board| board.boot_ms), &time),
        chart("All scenarios", &of_boards(&runs, |board| board.ms), &time),
    ];
    let figures = view.past.figures.iter().map(|(name, figures)| {
        let unit = figures.last().map_or("", |figure| figure.unit.as_str()).to_owned();
        let points = figures.iter().map(|figure| (figure.unix_s, figure.value)).collect();
        chart(name, &[Line { name: String::new(), points }], &|value| format!("{value:.3} {unit}"))
    });
    html! {
        @if !view.past.runs.is_empty() || !view.past.figures.is_empty() {
            section #trends aria-labelledby="trends-title" {
                h2 #trends-title { "Trends" }
                div.charts {
                    @for chart in charts.into_iter().chain(figures).flatten() { (chart) }
                }
            }
        }
    }
}

/// A line for each of the first boards that have the number.
fn of_boards(runs: &[Run], value: impl Fn(&BoardRun) -> Option<u64>) -> Vec<Line> {
    let Some(now) = runs.last() else { return Vec::new() };
    let points = |name: &String| {
        let of_run = |run: &Run| Some((run.unix_s, value(run.boards.get(name)?)? as f64));
        runs.iter().filter_map(of_run).collect::<Vec<_>>()
    };
    let lines = now.boards.keys().map(|name| Line { name: name.clone(), points: points(name) });
    lines.filter(|line| !line.points.is_empty()).take(LINES).collect()
}

fn chart(title: &str, lines: &[Line], shown: &dyn Fn(f64) -> String) -> Option<Markup> {
    let all = || lines.iter().flat_map(|line| &line.points).map(|(_, value)| *value);
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let most = lines.iter().map(|line| line.points.len()).max()?;
    if most < 2 || !low.is_finite() || !high.is_finite() {
        return None;
    }
    // A line that hardly moves shall look so.
    let margin = ((high - low) / 10.0).max(high.abs() / 50.0).max(f64::MIN_POSITIVE);
    let (bottom, top) = (low - margin, high + margin);
    let y = |value: f64| HEIGHT - (value - bottom) / (top - bottom) * HEIGHT;
    let x = |at: usize, of: usize| 4.0 + (WIDTH - 8.0) * at as f64 / (of.max(2) - 1) as f64;
    let now: Vec<f64> = lines.iter().filter_map(|line| line.points.last()).map(|(_, value)| *value).collect();
    let label = format!("{title}: {} now, between {} and {}", shown(*now.first()?), shown(low), shown(high));
    Some(html! {
        figure {
            figcaption { b { (title) } span.of { (shown(*now.first()?)) } }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(label) preserveAspectRatio="none" {
                @for (index, line) in lines.iter().enumerate() {
                    @let of = line.points.len();
                    @let path = line.points.iter().enumerate()
                        .map(|(at, (_, value))| format!("{:.1},{:.1}", x(at, of), y(*value)))
                        .collect::<Vec<_>>().join(" ");
                    polyline class={ "l" (index) } points=(path) vector-effect="non-scaling-stroke" {}
                }
            }
            p.range {
                span { (shown(low)) @if high > low { " – " (shown(high)) } }
                @if let (Some((from, _)), Some((to, _))) = (lines[0].points.first(), lines[0].points.last()) {
                    span { (day(*from)) " – " (day(*to)) }
                }
            }
            @if lines.len() > 1 {
                p.names { @for (index, line) in lines.iter().enumerate() { span class={ "l" (index) } { (line.name) } } }
            }
        }
    })
}
