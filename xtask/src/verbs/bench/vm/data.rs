//! The figures: MicroPython's, ours, the baseline; and how they are shown.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// A number for each program or row.
pub(super) type Figures = BTreeMap<String, f64>;

/// `micropython.json`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Peer {
    #[serde(rename = "source")]
    _source: String,
    pub(super) rv32_million_instructions: Figures,
    pub(super) cortex_m3_million_instructions: Figures,
    pub(super) perf_bench_kilo_instructions: Figures,
    pub(super) collection_kilo_instructions: Figures,
    pub(super) memory_bytes: Figures,
}

impl Peer {
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        serde_json::from_str(&text).with_context(|| file.display().to_string())
    }
}

/// What one run measured; also the baseline.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Results {
    /// Million instructions.
    pub(super) rv32: Figures,
    /// Million instructions of a Cortex-M4F.
    pub(super) arm: Figures,
    /// Million instructions of this machine; they depend on its C library, so nothing is compared with them.
    #[serde(skip_serializing_if = "Figures::is_empty")]
    pub(super) host: Figures,
    /// Kilo-instructions.
    #[serde(skip_serializing_if = "Figures::is_empty")]
    pub(super) perf_bench: Figures,
    /// Kilo-instructions of `gc.collect()`.
    pub(super) collection: Figures,
    /// Bytes kept, and those in use at the prompt.
    pub(super) memory: Figures,
    /// Code, constants and initial data of the firmware.
    pub(super) flash_bytes: u32,
}

impl Results {
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        serde_json::from_str(&text).with_context(|| file.display().to_string())
    }

    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(file, text).with_context(|| file.display().to_string())
    }
}

/// A table of ours, theirs and the ratio; `bars` are the highest mean and the highest single ratio wanted.
pub(super) fn print_table(title: &str, ours: &Figures, theirs: &Figures, bars: (f64, f64)) {
    println!("   {title:<38} {:>10} {:>11} {:>6}", "Larch", "MicroPython", "ratio");
    let mut ratios = Vec::new();
    for (name, count) in ours {
        match theirs.get(name) {
            Some(other) if *other > 0.0 => {
                let ratio = count / other;
                ratios.push(ratio);
                let mark = if ratio > bars.1 { "  above the bar" } else { "" };
                println!("     {name:<36} {count:>10.1} {other:>11.1} {ratio:>6.2}{mark}");
            }
            _ => println!("     {name:<36} {count:>10.1}"),
        }
    }
    if let Some(mean) = geometric_mean(&ratios) {
        println!("     geometric mean {mean:>50.3} (bar: {:.2}, none above {:.2})", bars.0, bars.1);
    }
}

fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    if ratios.is_empty() || ratios.iter().any(|ratio| *ratio <= 0.0) {
        return None;
    }
    Some((ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_ratios_is_geometric() {
        assert_eq!(geometric_mean(&[]), None);
        assert_eq!(geometric_mean(&[0.5, -1.0]), None);
        let mean = geometric_mean(&[0.25, 1.0]).unwrap();
        assert!((mean - 0.5).abs() < 1e-9);
    }
}
