//! Events for people (lines and progress bars) and for programs (one JSON object per line).

use crate::arguments::Global;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use larch_loader::{ChipInfo, Error, Event, Observer};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::rc::Rc;

/// How to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Bars that move.
    Terminal,
    /// Lines that stay.
    Plain,
    /// One JSON object per line.
    Json,
    /// Results and errors only.
    Silent,
}

#[derive(Debug)]
struct State {
    style: Style,
    bar: Option<ProgressBar>,
    /// The dots after "Connecting" need a line end.
    line_open: bool,
    next_percent: u64,
    offset: u32,
}

/// Takes events and prints them. Clones share their state.
#[derive(Debug, Clone)]
pub struct Reporter(Rc<RefCell<State>>);

impl Reporter {
    pub fn new(global: &Global) -> Self {
        let style = if global.json {
            Style::Json
        } else if global.silent {
            Style::Silent
        } else if std::io::stdout().is_terminal() {
            Style::Terminal
        } else {
            Style::Plain
        };
        Self(Rc::new(RefCell::new(State { style, bar: None, line_open: false, next_percent: 0, offset: 0 })))
    }

    /// A result: printed in every style but JSON, where `value` is.
    pub fn result(&self, text: &str, name: &str, value: Value) {
        let mut state = self.0.borrow_mut();
        if state.style == Style::Json {
            state.json(json!({ "event": "result", name: value }));
        } else {
            state.line(text);
        }
    }

    /// A result that people have seen already in other words.
    pub fn json_only(&self, name: &str, value: Value) {
        let mut state = self.0.borrow_mut();
        if state.style == Style::Json {
            state.json(json!({ "event": "result", name: value }));
        }
    }

    pub fn port(&self, name: &str, adapter: Option<&str>) {
        let mut state = self.0.borrow_mut();
        match state.style {
            Style::Json => state.json(json!({ "event": "port", "port": name, "adapter": adapter })),
            Style::Silent => {}
            _ => {
                let adapter = adapter.map(|adapter| format!(" ({adapter})")).unwrap_or_default();
                state.line(&format!("Serial port {name}{adapter}"));
            }
        }
    }

    pub fn note(&self, text: &str) {
        self.clone().event(&Event::Note(text));
    }

    pub fn done(&self) {
        let mut state = self.0.borrow_mut();
        state.end_bar();
        if state.style == Style::Json {
            state.json(json!({ "event": "done" }));
        }
    }

    pub fn error(&self, error: &Error) {
        let mut state = self.0.borrow_mut();
        state.end_bar();
        if state.style == Style::Json {
            state.json(json!({ "event": "error", "code": error.code(), "message": error.to_string() }));
            return;
        }
        if state.line_open {
            println!();
        }
        eprintln!("{} {error}", console::style("error:").red().bold().for_stderr());
    }
}

impl Observer for Reporter {
    fn event(&mut self, event: &Event<'_>) {
        let mut state = self.0.borrow_mut();
        match state.style {
            Style::Json => state.json_event(event),
            Style::Silent => {}
            Style::Terminal | Style::Plain => state.text_event(event),
        }
    }
}

impl State {
    fn json(&mut self, value: Value) {
        self.line(&value.to_string());
    }

    fn line(&mut self, text: &str) {
        self.line_end();
        // A reader that has seen enough (`| head`) is no error.
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    fn end_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn json_event(&mut self, event: &Event<'_>) {
        let value = match *event {
            Event::Connecting { attempt } => json!({ "event": "connect", "attempt": attempt }),
            Event::Connected => json!({ "event": "connected" }),
            Event::Waiting(diagnosis) => json!({
                "event": "waiting", "code": diagnosis.code(), "finding": diagnosis.finding(), "advice": diagnosis.advice(),
            }),
            Event::Chip(info) => chip_json(info),
            Event::Note(text) => json!({ "event": "note", "message": text }),
            Event::Baud(baud) => json!({ "event": "baud", "baud": baud }),
            Event::Stub { name } => json!({ "event": "stub", "name": name }),
            Event::Erasing { offset, size } => json!({ "event": "erase", "offset": offset, "size": size }),
            Event::Erased => json!({ "event": "erased" }),
            Event::Writing { name, offset, size, of, compressed } => json!({
                "event": "write", "file": name, "offset": offset, "size": size, "of": of, "compressed": compressed,
            }),
            Event::Unchanged { name, offset } => {
                json!({ "event": "unchanged", "file": name, "offset": offset })
            }
            Event::Progress { done, total } => json!({ "event": "progress", "done": done, "total": total }),
            Event::Retry { what } => json!({ "event": "retry", "message": what }),
            Event::Written { size, compressed, offset, seconds } => json!({
                "event": "written", "offset": offset, "size": size, "compressed": compressed, "seconds": seconds,
            }),
            Event::Verified { name } => json!({ "event": "verify", "file": name, "matches": true }),
            Event::Reading { offset, size } => json!({ "event": "read", "offset": offset, "size": size }),
            Event::Resetting { how } => json!({ "event": "reset", "how": how }),
            _ => return,
        };
        self.json(value);
    }

    fn text_event(&mut self, event: &Event<'_>) {
        match *event {
            Event::Connecting { attempt } => self.dots(attempt),
            Event::Connected => self.line_end(),
            Event::Waiting(diagnosis) => {
                self.line(&format!("   {}: {}", diagnosis.finding(), diagnosis.advice()));
            }
            Event::Chip(info) => self.chip(info),
            Event::Note(text) => self.line(&format!("{} {text}", console::style("note:").yellow())),
            Event::Baud(baud) => self.line(&format!("Changed baud rate to {baud}.")),
            Event::Stub { name } => self.line(&format!("Stub running: {name}.")),
            Event::Erasing { offset, size } => {
                self.line(&format!("Erasing {size} bytes at 0x{offset:08x} (this may take a while)..."))
            }
            Event::Erased => self.line("Erased."),
            Event::Writing { name, offset, size, of, compressed } => {
                self.offset = offset;
                self.writing(name, size, of, compressed);
            }
            Event::Unchanged { name, offset } => {
                self.line(&format!("{name} at 0x{offset:08x} is in flash already, skipped."));
            }
            Event::Progress { done, total } => self.progress(done, total),
            Event::Retry { what } => {
                self.line(&format!("{} {what} (trying again)", console::style("retry:").yellow()))
            }
            Event::Written { size, compressed, offset, seconds } => {
                self.written(size, compressed, offset, seconds);
            }
            Event::Verified { .. } => self.line("Hash of data verified."),
            Event::Reading { offset, size } => {
                self.offset = offset;
                self.line(&format!("Reading {size} bytes from 0x{offset:08x}..."));
                self.start_bar();
            }
            Event::Resetting { how } => self.line(&format!("Hard resetting {how}...")),
            _ => {}
        }
    }

    fn dots(&mut self, attempt: u32) {
        if attempt == 1 {
            print!("Connecting...");
        }
        print!(".");
        self.line_open = true;
        // Nothing is lost if the terminal is gone.
        let _ = std::io::stdout().flush();
    }

    fn line_end(&mut self) {
        if std::mem::take(&mut self.line_open) {
            let _ = writeln!(std::io::stdout());
        }
    }

    fn chip(&mut self, info: &ChipInfo) {
        self.line(&format!("Detecting chip type... {}", info.name));
        self.line(&format!("Chip is {}", info.description()));
        self.line(&format!("Features: {}", info.features.join(", ")));
        self.line(&format!("Crystal is {}MHz", info.crystal_mhz));
        self.line(&format!("MAC: {}", info.mac));
    }

    fn writing(&mut self, name: &str, size: u64, of: u64, compressed: Option<u64>) {
        let differ =
            if size < of { format!("{size} of {of} bytes differ from flash, ") } else { String::new() };
        match compressed {
            Some(compressed) => {
                self.line(&format!("{name}: {differ}compressed {size} bytes to {compressed}..."));
            }
            None => self.line(&format!("{name}: {differ}{size} bytes...")),
        }
        self.start_bar();
    }

    fn start_bar(&mut self) {
        self.next_percent = 10;
        if self.style == Style::Terminal {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
            let template = "   {bar:40} {percent:>3} %  {bytes_per_sec}  {eta} left";
            bar.set_style(
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            self.bar = Some(bar);
        }
    }

    fn progress(&mut self, done: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
        } else if self.style == Style::Plain && total > 0 && done * 100 / total >= self.next_percent {
            let percent = done * 100 / total;
            self.next_percent = percent + 10;
            self.line(&format!("   {percent} % ({done} of {total} bytes)"));
        }
    }

    fn written(&mut self, size: u64, compressed: Option<u64>, offset: u32, seconds: f64) {
        self.end_bar();
        let compressed = compressed.map(|bytes| format!(" ({bytes} compressed)")).unwrap_or_default();
        let kbits = if seconds > 0.0 { size as f64 / seconds * 8.0 / 1000.0 } else { 0.0 };
        self.line(&format!(
            "Wrote {size} bytes{compressed} at 0x{offset:08x} in {seconds:.1} seconds ({kbits:.1} kbit/s)."
        ));
    }
}

fn chip_json(info: &ChipInfo) -> Value {
    json!({
        "event": "chip",
        "chip": info.name,
        "package": info.package,
        "revision": info.revision.to_string(),
        "features": info.features,
        "crystal_mhz": info.crystal_mhz,
        "mac": info.mac.to_string(),
    })
}
