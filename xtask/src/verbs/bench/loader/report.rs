//! The table, the bars, and the same as JSON.

use anyhow::{Result, bail};
use serde_json::{Value, json};

/// One run of one tool.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub work: &'static str,
    pub tool: &'static str,
    /// Line and chip, in seconds.
    pub simulated: f64,
    /// Processor time on this machine, in seconds.
    pub cpu: f64,
    /// Line time of the bytes sent, in seconds.
    pub line: f64,
    pub sent: u64,
    pub received: u64,
    /// Memory at most.
    pub memory_mb: f64,
}

impl Row {
    pub fn total(&self) -> f64 {
        self.simulated + self.cpu
    }

    fn json(&self) -> Value {
        json!({
            "work": self.work, "tool": self.tool, "simulated_s": self.simulated, "cpu_s": self.cpu,
            "total_s": self.total(), "line_s": self.line, "sent": self.sent, "received": self.received,
            "memory_mb": self.memory_mb,
        })
    }
}

/// What must hold.
pub(super) struct Bar {
    text: &'static str,
    value: f64,
    most: f64,
}

impl Bar {
    pub fn at_most(text: &'static str, value: f64, most: f64) -> Self {
        Self { text, value, most }
    }

    fn holds(&self) -> bool {
        self.value <= self.most
    }
}

/// Prints as it grows.
pub(super) struct Report {
    rows: Vec<Row>,
    bars: Vec<Bar>,
}

impl Report {
    pub fn new() -> Self {
        println!(
            "   {:<44} {:<9} {:>9} {:>7} {:>9} {:>9} {:>9} {:>7}",
            "work", "tool", "simulated", "CPU", "total", "sent", "received", "memory"
        );
        Self { rows: Vec::new(), bars: Vec::new() }
    }

    pub fn row(&mut self, row: &Row) {
        println!(
            "   {:<44} {:<9} {:>7.2} s {:>5.2} s {:>7.2} s {:>9} {:>9} {:>4.0} MB",
            row.work,
            row.tool,
            row.simulated,
            row.cpu,
            row.total(),
            row.sent,
            row.received,
            row.memory_mb
        );
        self.rows.push(row.clone());
    }

    pub fn bar(&mut self, bar: Bar) {
        let verdict = if bar.holds() { "holds" } else { "MISSED" };
        println!("   {:<44} {:<9} {:>9.3} (at most {})", bar.text, verdict, bar.value, bar.most);
        self.bars.push(bar);
    }

    pub fn find(&self, tool: &str, work: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.tool == tool && row.work == work)
    }

    pub fn json(&self) -> Value {
        let bars = self.bars.iter().map(
            |bar| json!({ "bar": bar.text.trim(), "value": bar.value, "most": bar.most, "holds": bar.holds() }),
        );
        json!({ "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>(), "bars": bars.collect::<Vec<_>>() })
    }

    pub fn conclude(&self) -> Result<()> {
        match self.bars.iter().filter(|bar| !bar.holds()).count() {
            0 => Ok(()),
            missed => bail!("{missed} of {} bars missed", self.bars.len()),
        }
    }
}
