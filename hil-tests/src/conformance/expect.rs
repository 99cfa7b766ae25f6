//! What a test must print, and whether it did.

use std::process::{Command, Stdio};
use std::time::Duration;

use regex_lite::Regex;
use similar::{ChangeTag, TextDiff};

use super::Answer;
use super::program::run_limited;
use super::suite::Test;

/// A line of an `.exp` file that stands for any number of lines.
const ANY_LINES: &str = "########";
/// Tests outside `cmdline` whose expected lines are patterns.
const WITH_PATTERNS: &[&str] = &[
    "micropython/meminfo.py",
    "basics/bytes_compare3.py",
    "basics/builtin_help.py",
    "basics/weakref_callback_exception.py",
    "misc/sys_settrace_cov.py",
];
/// CPython's time limit.
const CPYTHON_LIMIT: Duration = Duration::from_secs(30);
/// Lines of a difference that are shown.
const SHOWN: usize = 40;

/// Whether the test said that it does not apply.
#[must_use]
pub fn says_skip(test: &Test, answer: &Answer) -> bool {
    matches!(answer.text.as_str(), "SKIP\n" | "SKIP-TOO-LARGE\n")
        || test.directory() == "cmdline" && answer.text.contains("\nSKIP\n")
}

/// The verdict of the summary that `unittest` prints at the end, if it was used.
#[must_use]
pub fn unittest_verdict(text: &str) -> Option<bool> {
    let lines: Vec<&str> = text.lines().collect();
    let [.., rule, ran, empty, verdict] = lines.as_slice() else { return None };
    let is_summary = rule.len() == 70 && rule.bytes().all(|byte| byte == b'-');
    let ran = ran.strip_prefix("Ran ").is_some_and(|rest| rest.ends_with(" tests"));
    (is_summary && ran && empty.is_empty()).then(|| verdict.starts_with("OK"))
}

/// How what was printed differs from what is expected, if it does.
///
/// # Errors
/// The expected output cannot be had.
pub fn difference(test: &Test, answer: &Answer) -> Result<Option<String>, String> {
    let expected = match std::fs::read(&test.output) {
        Ok(bytes) => unix_lines(&bytes),
        Err(_) => cpython(test)?,
    };
    let mut printed = answer.text.clone();
    if !answer.crashed && (test.directory() == "cmdline" || WITH_PATTERNS.contains(&test.name.as_str())) {
        printed = fit(&expected, &printed);
    }
    if answer.crashed {
        printed.push_str("CRASH");
    }
    Ok((printed != expected).then(|| shown(&expected, &printed)))
}

fn shown(expected: &str, printed: &str) -> String {
    let diff = TextDiff::from_lines(expected, printed);
    let changed = diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal);
    let mut text = String::new();
    for change in changed.take(SHOWN) {
        let sign = if change.tag() == ChangeTag::Delete { '-' } else { '+' };
        text.push(sign);
        text.push_str(change.value().trim_end_matches('\n'));
        text.push('\n');
    }
    text
}

/// Text with `\n` at the ends of lines; a terminal may have made `\r\r\n` of them.
#[must_use]
pub fn unix_lines(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\r\n", "\n").replace("\r\n", "\n")
}

/// What CPython prints.
fn cpython(test: &Test) -> Result<String, String> {
    let python = std::env::var("MICROPY_CPYTHON3").unwrap_or_else(|_| "python3".into());
    let mut command = Command::new(&python);
    command.arg("-BS").arg(&test.path).current_dir(test.path.parent().unwrap_or(&test.path));
    command.env("PYTHONIOENCODING", "utf-8").stdin(Stdio::null());
    let (bytes, success) =
        run_limited(&mut command, CPYTHON_LIMIT).map_err(|error| format!("{python}: {error}"))?;
    let text = unix_lines(&bytes);
    Ok(if success { text } else { format!("CPYTHON3 CRASH:\n{text}") })
}

/// A line of an `.exp` file as a pattern: a backslash makes the next character one of regular expressions, all others
/// stand for themselves.
fn pattern(line: &str) -> Option<Regex> {
    let mut text = String::from("^");
    let mut is_escaped = false;
    for character in line.chars() {
        if is_escaped {
            is_escaped = false;
            text.push(character);
        } else if character == '\\' {
            is_escaped = true;
        } else if "()[]{}.*+^$|?".contains(character) && !"|?".contains(character) {
            text.push('\\');
            text.push(character);
        } else {
            text.push(character);
        }
    }
    Regex::new(&text).ok()
}

/// Replaces printed lines by the patterns that they match, so that equal texts mean a match.
fn fit(expected: &str, printed: &str) -> String {
    let mut lines: Vec<String> = printed.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        // As in the suite's own runner: nothing printed is one empty line.
        lines.push(String::new());
    }
    let expected: Vec<&str> = expected.lines().collect();
    let matches = |line: &str, text: &str| pattern(line).is_some_and(|pattern| pattern.is_match(text));
    for (at, line) in expected.iter().enumerate() {
        if at >= lines.len() {
            break;
        }
        if *line == ANY_LINES {
            let next = expected.get(at + 1).copied().unwrap_or_default();
            let Some(skip) = lines[at..].iter().position(|text| matches(next, text)) else {
                lines[at] = format!("{ANY_LINES} FAIL");
                break;
            };
            lines.splice(at..at + skip, [ANY_LINES.to_owned()]);
        } else if matches(line, &lines[at]) {
            lines[at] = (*line).to_owned();
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_lines() {
        let expected = "MicroPython \\.\\+ version\n########\nend (1)\n";
        assert_eq!(fit(expected, "MicroPython v1 x version\na\nb\nend (1)\n"), expected);
        assert_ne!(fit(expected, "MicroPython v1 x version\na\nb\nend 1\n"), expected);
        assert_ne!(fit(expected, "Python v1 x version\nend (1)\n"), expected);
    }

    #[test]
    fn the_summary_of_unittest_is_understood() {
        let rule = "-".repeat(70);
        assert_eq!(unittest_verdict(&format!("x\n{rule}\nRan 3 tests\n\nOK\n")), Some(true));
        let failed = format!("x\n{rule}\nRan 3 tests\n\nFAILED (failures=1, errors=0)\n");
        assert_eq!(unittest_verdict(&failed), Some(false));
        assert_eq!(unittest_verdict("Ran 3 tests\n\nOK\n"), None);
    }
}
