//! Several boards at once: `--port a --port b ...`.
//!
//! Each board gets a process of its own, this same program, so that one that fails cannot stop the others. What they report
//! (`--json`) is shown here as one line for each.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::process::{Command, ExitCode, Stdio};
use std::thread;

/// Exit code of a process that ended without one.
const KILLED: u8 = 1;

/// The ports that are named, and the other words.
pub fn ports(words: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut ports, mut rest) = (Vec::new(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let short = || word.strip_prefix("-p").filter(|port| !port.is_empty());
        let joined = word.strip_prefix("--port=").or_else(|| word.strip_prefix("-p=")).or_else(short);
        if matches!(word.as_str(), "--port" | "-p") {
            ports.extend(words.next().cloned());
        } else if let Some(port) = joined {
            ports.push(port.to_owned());
        } else {
            rest.push(word.clone());
        }
    }
    (ports, rest)
}

/// Does the same on all of them. The exit code is the first that is not 0.
pub fn run(ports: &[String], rest: &[String]) -> ExitCode {
    let bars = MultiProgress::new();
    let json = rest.iter().any(|word| word == "--json");
    let width = ports.iter().map(String::len).max().unwrap_or(0);
    let boards: Vec<Board> = ports.iter().map(|port| Board::new(port, width, json, &bars)).collect();
    let outcomes: Vec<(u8, String)> = thread::scope(|scope| {
        let running: Vec<_> = boards.iter().map(|board| scope.spawn(|| board.run(rest))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or((KILLED, "it panicked".to_owned())))
            .collect()
    });
    if !json {
        for (port, (code, error)) in ports.iter().zip(&outcomes) {
            let outcome =
                if *code == 0 { "done".to_owned() } else { format!("FAILED (code {code}): {error}") };
            print(&format!("{port:<width$}  {outcome}"));
        }
        let failed = outcomes.iter().filter(|(code, _)| *code != 0).count();
        print(&format!("{} of {} boards done.", ports.len() - failed, ports.len()));
    }
    ExitCode::from(outcomes.iter().map(|(code, _)| *code).find(|&code| code != 0).unwrap_or(0))
}

fn print(text: &str) {
    // A reader that has seen enough is no error.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// One of them.
struct Board<'b> {
    port: &'b str,
    json: bool,
    /// On a terminal.
    bar: Option<ProgressBar>,
}

impl<'b> Board<'b> {
    fn new(port: &'b str, width: usize, json: bool, bars: &MultiProgress) -> Self {
        let bar = (!json && std::io::stdout().is_terminal()).then(|| {
            let bar = bars.add(ProgressBar::new(0));
            let style = ProgressStyle::with_template("{prefix} {bar:30} {percent:>3} %  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(format!("{port:<width$}"));
            bar
        });
        Self { port, json, bar }
    }

    /// Exit code, and the last error.
    fn run(&self, rest: &[String]) -> (u8, String) {
        let mut error = String::new();
        let code = self.follow(rest, &mut error).unwrap_or_else(|problem| {
            error = problem.to_string();
            KILLED
        });
        if let Some(bar) = &self.bar {
            bar.abandon();
        }
        (code, error)
    }

    fn follow(&self, rest: &[String], error: &mut String) -> std::io::Result<u8> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(rest.iter().skip(1))
            .args(["--port", self.port, "--non-interactive"])
            .args((!self.json).then_some("--json"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let lines = child.stdout.take().map(BufReader::new);
        for line in lines.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
            if let Ok(event) = serde_json::from_str(&line) {
                self.show(event, error);
            }
        }
        let status = child.wait()?;
        Ok(status.code().map_or(KILLED, |code| u8::try_from(code).unwrap_or(KILLED)))
    }

    fn show(&self, mut event: Value, error: &mut String) {
        if self.json {
            if let Some(object) = event.as_object_mut() {
                object.insert("port".to_owned(), json!(self.port));
            }
            print(&event.to_string());
            return;
        }
        if let (Some(bar), Some(done), Some(total)) =
            (&self.bar, event["done"].as_u64(), event["total"].as_u64())
        {
            bar.set_length(total);
            bar.set_position(done);
            return;
        }
        let Some(text) = text(&event) else { return };
        if event["event"] == "error" {
            error.clone_from(&text);
        }
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None => print(&format!("{}: {text}", self.port)),
        }
    }
}

/// An event in a few words; none for those that only a program wants.
fn text(event: &Value) -> Option<String> {
    let word = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    Some(match event["event"].as_str()? {
        "waiting" => format!("{}: {}", word("finding"), word("advice")),
        "chip" => format!("{} {}", word("chip"), word("mac")),
        "baud" => format!("{} baud", event["baud"]),
        "write" => format!("writing {}", word("file")),
        "erase" => "erasing".to_owned(),
        "read" => "reading".to_owned(),
        "unchanged" => format!("{} is in flash already", word("file")),
        "verify" => format!("{} verified", word("file")),
        "retry" => format!("{} (trying again)", word("message")),
        "note" | "error" => word("message"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_told_from_other_words() {
        let words = ["x", "-p", "a", "--port=b", "-pc", "write-flash", "--port", "d", "--pad-to-size", "1MB"];
        let (ports, rest) = ports(&words.map(str::to_owned));
        assert_eq!(ports, ["a", "b", "c", "d"]);
        assert_eq!(rest, ["x", "write-flash", "--pad-to-size", "1MB"]);
    }

    #[test]
    fn events_are_told_in_a_few_words() {
        let event = json!({ "event": "error", "code": 41, "message": "gone" });
        assert_eq!(text(&event).as_deref(), Some("gone"));
        assert_eq!(text(&json!({ "event": "progress", "done": 1, "total": 2 })), None);
    }
}
