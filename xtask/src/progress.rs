//! What a person sees while a verb works: short lines, and bars where something takes time.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use console::style;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Width of the text before the time of a step.
const TEXT_WIDTH: usize = 78;

/// Whether standard output is for a program: then people read standard error.
static FOR_A_PROGRAM: AtomicBool = AtomicBool::new(false);

/// Whether several boards are worked on at once: then every line names its board.
static SEVERAL_BOARDS: AtomicBool = AtomicBool::new(false);
/// Bars stay below the lines, each in its place.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// From now on every line names its board.
pub(crate) fn name_every_board() {
    SEVERAL_BOARDS.store(true, Ordering::Relaxed);
}

/// The column with the board's name in a line that follows one that had it.
fn same_board(board: &str) -> &str {
    if SEVERAL_BOARDS.load(Ordering::Relaxed) { board } else { "" }
}

/// From now on standard output is for a program.
pub(crate) fn talk_on_stderr() {
    FOR_A_PROGRAM.store(true, Ordering::Relaxed);
}

/// A line for people.
pub(crate) fn say(line: &str) {
    BARS.suspend(|| {
        if FOR_A_PROGRAM.load(Ordering::Relaxed) {
            eprintln!("{line}");
        } else {
            println!("{line}");
        }
    });
}

/// What goes wrong, and what a person is to do.
fn warn(board: &str, line: &str) {
    BARS.suspend(|| eprintln!("           {:<20} {line}", same_board(board)));
}

/// A step that follows one of the same board.
pub(crate) fn detail(board: &str, text: &str, time: Option<Duration>) {
    step("", &format!("{:<20} {text}", same_board(board)), time);
}

/// `   build   text                                     34.1 s`
pub(crate) fn step(word: &str, text: &str, time: Option<Duration>) {
    say(&step_line(word, text, time));
}

fn step_line(word: &str, text: &str, time: Option<Duration>) -> String {
    let word = style(format!("{word:<7}")).bold();
    match time {
        Some(time) => format!("   {word} {text:<TEXT_WIDTH$} {:>7}", seconds(time)),
        None => format!("   {word} {text}"),
    }
}

/// `34.1 s`
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// `412 KB`
pub(crate) fn kilobytes(bytes: u64) -> String {
    if bytes < 100 * 1024 {
        format!("{:.1} KB", bytes as f64 / 1024.0)
    } else {
        format!("{} KB", bytes.div_ceil(1024))
    }
}

/// A bar of `total` steps; invisible when nobody looks.
pub(crate) fn bar(total: u64, text: &str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let style = ProgressStyle::with_template("           {msg:<24} {bar:30} {pos}/{len} {elapsed}");
    if let Ok(style) = style {
        bar.set_style(style.progress_chars("##-"));
    }
    bar.set_message(text.to_owned());
    BARS.add(bar)
}

/// Measures a step.
pub(crate) struct Watch(Instant);

impl Watch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn time(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Shows what the loader does.
pub(crate) struct FlashBars {
    board: String,
    bar: Option<ProgressBar>,
    file: String,
}

impl FlashBars {
    pub(crate) fn new(board: &str) -> Self {
        Self { board: board.to_owned(), bar: None, file: String::new() }
    }

    pub(crate) fn event(&mut self, event: &larch_loader::Event<'_>) {
        use larch_loader::Event;
        match event {
            Event::Chip(info) => {
                let (chip, features) = (info.description(), info.features.join(", "));
                let (crystal, mac) = (info.crystal_mhz, info.mac);
                step(
                    "flash",
                    &format!("{:<20} {chip}, {features}, {crystal} MHz, MAC {mac}", self.board),
                    None,
                );
            }
            Event::Writing { name, size, .. } => {
                self.close();
                self.file = format!("{name} {}", kilobytes(*size));
                self.bar = Some(bar(*size, format!("{} {}", same_board(&self.board), self.file).trim()));
            }
            // Both count the image's bytes, however few go over the line.
            Event::Progress { done, total } => {
                if let Some(bar) = &self.bar {
                    bar.set_length(*total);
                    bar.set_position(*done);
                }
            }
            Event::Verified { .. } | Event::Unchanged { .. } => self.close(),
            Event::Waiting(diagnosis) => {
                warn(&self.board, &format!("{}: {}", diagnosis.finding(), diagnosis.advice()));
            }
            Event::Retry { what } => warn(&self.board, &format!("trying again: {what}")),
            Event::Note(note) => warn(&self.board, note),
            _ => {}
        }
    }

    fn close(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
            say(&format!("           {:<20} {}", same_board(&self.board), self.file));
        }
    }
}
