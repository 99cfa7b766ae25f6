//! A run in a few lines of Markdown, for the page of a job in continuous integration.

use std::fmt::Write as _;

use super::group::groups;
use super::model::Night;
use crate::event::{Status, Verdict};

/// Groups of failures that are shown in full.
const SHOWN: usize = 20;
/// Lines of a difference.
const LINES: usize = 30;

/// What came of it, in a sentence.
#[must_use]
pub fn sentence(night: &Night) -> String {
    let count = |status| night.count(status);
    let failed = count(Status::Failed);
    let boards: std::collections::BTreeSet<usize> = night
        .pairs
        .iter()
        .filter(|(_, pair)| pair.status() == Some(Status::Failed))
        .map(|((_, board), _)| *board)
        .collect();
    let passed = count(Status::Passed) + count(Status::Differs);
    let ran = passed + failed + count(Status::Flaky) + count(Status::Quarantined);
    let of_boards = |count: usize| {
        if night.boards.len() == 1 { String::new() } else { format!(" on {}", plural(count, "board")) }
    };
    match (failed, count(Status::Flaky)) {
        _ if ran == 0 => "Nothing ran".into(),
        (0, 0) if passed == ran => format!("All {} passed{}", number(ran), of_boards(night.boards.len())),
        (0, 0) => format!("{} of {} passed, the others are quarantined", number(passed), number(ran)),
        (0, flaky) => {
            format!("Nothing failed, {} of {} passed only after a retry", number(flaky), number(ran))
        }
        (failed, _) => format!("{} of {} failed{}", number(failed), number(ran), of_boards(boards.len())),
    }
}

/// `10 000`, with a narrow blank that does not break.
pub(super) fn number(count: usize) -> String {
    let digits = count.to_string();
    let first = digits.len() % 3;
    let mut groups = Vec::new();
    if first > 0 {
        groups.push(&digits[..first]);
    }
    groups.extend((first..digits.len()).step_by(3).map(|at| &digits[at..at + 3]));
    groups.join("\u{202f}")
}

pub(super) fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The whole text.
#[must_use]
pub fn markdown(night: &Night) -> String {
    let mut text = format!("### {}\n\n", sentence(night));
    if !night.complete() {
        text.push_str("**The run did not come to its end.**\n\n");
    }
    table(night, &mut text);
    let failures = groups(night, Status::Failed);
    for group in failures.iter().take(SHOWN) {
        let Some((scenario, board)) = group.pairs.first() else { continue };
        let (scenario_name, board_name) = (&night.scenarios[*scenario], &night.boards[*board].name);
        let more = match group.pairs.len() {
            1 => String::new(),
            count if group.of_board => format!(" and {} more scenarios", count - 1),
            count => format!(" and {}", plural(count - 1, "more board")),
        };
        let _ = writeln!(
            text,
            "\n**{}** on **{}**{more}: {}\n",
            plain(scenario_name),
            plain(board_name),
            plain(&group.cause)
        );
        if let Some(Verdict::Failed { shown, .. }) =
            night.pairs[&(*scenario, *board)].failure().map(|attempt| &attempt.verdict)
        {
            fence(shown, &mut text);
        }
    }
    if failures.len() > SHOWN {
        let _ = writeln!(text, "\n{} more kinds of failures are in the report.", failures.len() - SHOWN);
    }
    text
}

fn table(night: &Night, text: &mut String) {
    const COLUMNS: [Status; 6] = [
        Status::Failed,
        Status::Flaky,
        Status::Quarantined,
        Status::Differs,
        Status::Skipped,
        Status::Passed,
    ];
    text.push_str("| board | firmware |");
    COLUMNS.iter().for_each(|status| text.push_str(&format!(" {} |", status.word())));
    text.push_str(" time |\n|---|---|");
    text.push_str(&"---:|".repeat(COLUMNS.len() + 1));
    text.push('\n');
    for (index, board) in night.boards.iter().enumerate() {
        let build = board.booted.as_ref().map_or("", |booted| booted.banner.as_str());
        let _ = write!(text, "| {} | {} |", plain(&board.name), plain(build));
        for status in COLUMNS {
            let count = night
                .pairs
                .iter()
                .filter(|((_, board), pair)| *board == index && pair.status() == Some(status))
                .count();
            let _ = write!(text, " {} |", if count == 0 { String::new() } else { count.to_string() });
        }
        let _ = writeln!(text, " {:.1} s |", board.ms.unwrap_or(0) as f64 / 1000.0);
    }
}

/// A block of code that its content cannot end.
fn fence(shown: &str, text: &mut String) {
    let longest = shown.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(text, "{ticks}diff");
    for line in shown.lines().take(LINES) {
        let _ = writeln!(text, "{line}");
    }
    let _ = writeln!(text, "{ticks}");
}

/// Text without anything that Markdown would read.
fn plain(text: &str) -> String {
    let special =
        |letter: char| letter.is_ascii_punctuation() && !matches!(letter, '-' | '.' | ',' | ';' | ':' | '/');
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .flat_map(|letter| special(letter).then_some('\\').into_iter().chain([letter]))
        .collect()
}
