//! The loader against esptool and espflash, on the same emulated board, in simulated time.
//!
//! Line time and chip time are simulated ([`larch_emulator::serve::lockstep`]); what a tool waits for on its own takes no
//! time; the processor time that it uses on this machine is added. Every tool is a process of its own over the same kind of
//! port, every write is checked in the emulated flash.

mod image;
mod report;
mod tools;

use anyhow::{Result, ensure};
use clap::Args;
use hil_tests::lab::Lab;

use report::{Bar, Report, Row};
use tools::{Bench, Run};

/// Bytes of the image: that of the article which this project goes back to.
const IMAGE: usize = 1_445_632;
/// Where it is written.
const OFFSET: u32 = 0x1_0000;
/// What common adapters can do.
const ADAPTER: u32 = 921_600;
/// Bytes that are read back.
const READ: usize = 1 << 20;

/// How much to measure.
#[derive(Args)]
pub(super) struct Arguments {
    /// A small image, and this project's loader alone: whether anything got worse, in a minute
    #[arg(long)]
    quick: bool,
    /// Also 4 and 16 MB, for processor time and memory (takes many minutes)
    #[arg(long)]
    large: bool,
}

pub(super) fn run(lab: &Lab, arguments: &Arguments) -> Result<()> {
    let bench = Bench::new(lab, arguments.quick)?;
    let mut report = Report::new();
    let image = image::firmware(if arguments.quick { IMAGE / 8 } else { IMAGE })?;
    full_writes(&bench, &mut report, &image)?;
    reflashes(&bench, &mut report, &image)?;
    reading(&bench, &mut report, &image)?;
    if arguments.large {
        large(&bench, &mut report)?;
    }
    let path = lab.directory().join("bench-loader.json");
    std::fs::write(&path, report.json().to_string())?;
    println!("   as JSON: {}", path.display());
    report.conclude()
}

/// To blank flash, at one speed for all and with everybody's own settings.
fn full_writes(bench: &Bench, report: &mut Report, image: &[u8]) -> Result<()> {
    let same = |work: &'static str| Run { work, image, adapter: ADAPTER, ..Run::default() };
    let work = "full write, blank flash, 115200 baud";
    let ours = bench.larch(&Run { baud: Some(115_200), ..same(work) })?;
    report.row(&ours);
    let over = ours.simulated / ours.line - 1.0;
    report.bar(Bar::at_most("  above the line floor of the bytes sent", over, 0.03));
    if let Some(theirs) = bench.esptool(&Run { baud: Some(115_200), ..same(work) })? {
        report.row(&theirs);
        report.bar(Bar::at_most("  of esptool's time", ours.total() / theirs.total(), 1.0));
    }
    if let Some(theirs) = bench.espflash(&Run { baud: Some(115_200), ..same(work) })? {
        report.row(&theirs);
    }
    let work = "full write, blank flash, default settings";
    let ours = bench.larch(&same(work))?;
    report.row(&ours);
    if let Some(theirs) = report.find("esptool", "full write, blank flash, 115200 baud") {
        // Its default is 115200.
        let total = theirs.total();
        report.bar(Bar::at_most("  of esptool's time (default 115200)", ours.total() / total, 0.15));
    }
    Ok(())
}

/// Flash holds the image, or one that is nearly the same.
fn reflashes(bench: &Bench, report: &mut Report, image: &[u8]) -> Result<()> {
    let run = |work: &'static str, image| Run { work, image, adapter: ADAPTER, ..Run::default() };
    let held = Some(image);
    let same = Run { held, ..run("reflash, identical", image) };
    let ours = bench.larch(&same)?;
    report.row(&ours);
    report.bar(Bar::at_most("  seconds", ours.total(), 1.0));
    if let Some(theirs) = bench.esptool(&Run { skip: true, ..same })? {
        report.row(&theirs);
    }
    if let Some(theirs) = bench.espflash(&same)? {
        report.row(&theirs);
    }
    let changed = image::changed(image);
    let ours = bench.larch(&Run { held, ..run("reflash, a string of equal length changed", &changed) })?;
    report.row(&ours);
    report.bar(Bar::at_most("  seconds", ours.total(), 2.5));
    let inserted = image::inserted(image);
    let ours = bench.larch(&Run { held, ..run("reflash, a line inserted in the middle", &inserted) })?;
    report.row(&ours);
    Ok(())
}

fn reading(bench: &Bench, report: &mut Report, image: &[u8]) -> Result<()> {
    let size = READ.min(image.len());
    let run = Run {
        work: "read 1 MB",
        image: &image[..size],
        held: Some(image),
        read: true,
        baud: Some(ADAPTER),
        adapter: ADAPTER,
        ..Run::default()
    };
    let ours = bench.larch(&run)?;
    report.row(&ours);
    if let Some(theirs) = bench.esptool(&run)? {
        report.row(&theirs);
        report.bar(Bar::at_most("  of esptool's time", ours.total() / theirs.total(), 1.0));
    }
    Ok(())
}

/// Processor time in proportion to the size, memory with a limit.
fn large(bench: &Bench, report: &mut Report) -> Result<()> {
    let mut rows: Vec<Row> = Vec::new();
    // The last 64 KB are what lies before the image.
    for (work, size) in [("full write of 4 MB", 4 << 20), ("full write of 16 MB", 16 << 20)] {
        let image = image::firmware(size - OFFSET as usize)?;
        let run = Run { work, image: &image, baud: Some(3_000_000), adapter: u32::MAX, ..Run::default() };
        let row = bench.larch(&run)?;
        report.row(&row);
        rows.push(row);
    }
    ensure!(rows.len() == 2, "two sizes are compared");
    let per_byte = rows[1].cpu / rows[0].cpu / 4.0;
    report.bar(Bar::at_most("  processor time per byte, of that for 4 MB", per_byte, 1.25));
    report.bar(Bar::at_most("  memory, MB", rows[1].memory_mb, 100.0));
    Ok(())
}
