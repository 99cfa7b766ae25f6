//! Files as esptool and ESP-IDF make them: `larch-loader` must make the same, to the byte, and say the same of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use hil_tests::firmware::Firmware;
use hil_tests::lab::Lab;
use larch_boards::Board;
use larch_image::packages;
use xshell::{Shell, cmd};

use crate::clients::process::Tool;
use crate::progress::{self, Watch};

/// How long making a file may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Options of `elf2image`; the first set is its defaults.
const ELF2IMAGE: &[&[&str]] = &[
    &[],
    &["--flash-mode", "dio", "--flash-freq", "40m", "--flash-size", "4MB"],
    &["--min-rev-full", "3", "--max-rev-full", "199"],
    &["--dont-append-digest"],
    &["--use-segments"],
    &["--secure-pad-v2"],
    &["--pad-to-size", "4MB"],
    &["--elf-sha256-offset", "0xb0"],
    &["--flash-mmu-page-size", "64KB"],
];

/// Options of `merge-bin` that go before the files.
const MERGE_BIN: &[&[&str]] = &[
    &["--format", "raw"],
    &["--format", "raw", "--pad-to-size", "4MB"],
    &["--format", "raw", "--flash-mode", "dout", "--flash-freq", "20m", "--flash-size", "8MB"],
    &["--format", "hex"],
    &["--format", "hex", "--flash-size", "2MB"],
    &["--format", "uf2"],
    &["--format", "uf2", "--chunk-size", "256"],
    &["--format", "uf2", "--md5-disable"],
];

/// What both say of an image, by these names.
const FACTS: &[&str] = &[
    "Image size",
    "Detected image type",
    "Entry point",
    "Segments",
    "Flash size",
    "Flash freq",
    "Flash mode",
    "Checksum",
    "Validation hash",
    "Project name",
    "App version",
    "ELF file SHA256",
    "ESP-IDF",
    "MMU page size",
    "Secure version",
    "Bootloader version",
];

/// Tables that say much in few lines; ESP-IDF's generator reads them, too.
const TABLES: &[(&str, &str)] = &[
    (
        "MicroPython's",
        "nvs,data,nvs,0x9000,0x6000,\nphy_init,data,phy,0xf000,0x1000,\nfactory,app,factory,0x10000,0x1F0000,\nvfs,data,fat,0x200000,0x200000,\n",
    ),
    (
        "without offsets",
        "# Name, Type, SubType, Offset, Size, Flags\nnvs, data, nvs, , 16K\notadata, data, ota, , 8k\nphy_init,data,phy,,4K,\nota_0,app,ota_0,,1M,\nota_1, app, ota_1, , 1M, encrypted\nstorage,data,littlefs,,0x40000,encrypted:readonly\n",
    ),
    (
        "by numbers",
        "a, 0x40, 0x06, 0x110000, 64K,\nb, 64, 7, , 65536,\ncore,data,coredump,,64K,\nkeys,data,nvs_keys,,4K,encrypted\nlog,data,undefined,,4K,\ntest,app,test,,1M,\n",
    ),
];

/// ESP-IDF's partition table generator as published in PyPI: CSV to binary, and that back to CSV.
const GENERATOR: &str = "\
import sys
from esp_idf_defs.partitions import PartitionTable
csv, binary, back = sys.argv[1:4]
table = PartitionTable.from_csv(open(csv).read())
table.verify()
open(binary, 'wb').write(table.to_binary())
open(back, 'w').write(PartitionTable.from_binary(open(binary, 'rb').read()).to_csv())
";

/// Compares everything.
pub(super) fn compare(lab: &Lab, board: &Board, programs: &Path, directory: &Path) -> Result<()> {
    let watch = Watch::start();
    let shell = Shell::new()?;
    let target = &lab.target;
    cmd!(shell, "cargo build --quiet --locked -p larch-loader")
        .env("CARGO_TARGET_DIR", target)
        .quiet()
        .run()?;
    let firmware = Firmware::of(board.chip, target).map_err(|message| anyhow!(message))?;
    let files = Files {
        ours: Tool { program: target.join("debug/larch-loader"), limit: LIMIT },
        esptool: Tool { program: programs.join("esptool"), limit: LIMIT },
        python: Tool { program: programs.join("python"), limit: LIMIT },
        image: lab.image_directory(board.chip),
        elf: firmware.elf,
        directory: directory.to_owned(),
    };
    files.elf2image()?;
    files.merge_bin()?;
    files.image_info(&files.image.join("0x10000-app.bin"))?;
    files.image_info(&packages::bootloader("esp32c3")?)?;
    files.partition_tables()?;
    let text = format!(
        "{} images, {} merged files, {} partition tables are the same to the byte",
        ELF2IMAGE.len(),
        MERGE_BIN.len(),
        TABLES.len()
    );
    progress::step("files", &text, Some(watch.time()));
    Ok(())
}

struct Files {
    ours: Tool,
    esptool: Tool,
    python: Tool,
    /// Where bootloader, partition table and application are.
    image: PathBuf,
    elf: PathBuf,
    directory: PathBuf,
}

impl Files {
    fn elf2image(&self) -> Result<()> {
        let elf = text(&self.elf);
        for options in ELF2IMAGE {
            let words = |output: &str| {
                [&["--chip", "esp32c3", "elf2image"][..], options, &["-o", output, &elf]].concat().join("\n")
            };
            self.both_make(&words)?;
        }
        Ok(())
    }

    fn merge_bin(&self) -> Result<()> {
        let parts = [
            ("0x0", "0x0-bootloader.bin"),
            ("0x8000", "0x8000-partition-table.bin"),
            ("0x10000", "0x10000-app.bin"),
        ];
        let files: Vec<String> = parts
            .iter()
            .flat_map(|(offset, name)| [(*offset).to_owned(), text(&self.image.join(name))])
            .collect();
        for options in MERGE_BIN {
            let words = |output: &str| {
                let files = files.iter().map(String::as_str).collect::<Vec<_>>();
                [&["--chip", "esp32c3", "merge-bin", "-o", output][..], options, &files].concat().join("\n")
            };
            self.both_make(&words)?;
        }
        Ok(())
    }

    /// Both tools run with the same words but for the file that they make, one a line.
    fn both_make(&self, words: &dyn Fn(&str) -> String) -> Result<()> {
        let made = |tool: &Tool, name: &str| {
            let path = self.directory.join(name);
            // Whether it was there is of no interest; that it is there afterwards is.
            let _ = fs::remove_file(&path);
            tool.run(&words(&text(&path)).split('\n').collect::<Vec<_>>())?;
            fs::read(&path).with_context(|| path.display().to_string())
        };
        let (ours, theirs) = (made(&self.ours, "ours.bin")?, made(&self.esptool, "theirs.bin")?);
        same(&ours, &theirs)
            .with_context(|| format!("esptool makes another file: {}", words("FILE").replace('\n', " ")))
    }

    fn image_info(&self, file: &Path) -> Result<()> {
        let file = text(file);
        let (ours, theirs) =
            (self.ours.run(&["image-info", &file])?.text, self.esptool.run(&["image-info", &file])?.text);
        let (our_facts, their_facts) = (facts(&ours), facts(&theirs));
        ensure!(their_facts.len() >= 10, "esptool's image-info has another form:\n{theirs}");
        for (name, value) in &their_facts {
            let our_value = our_facts.get(name).copied();
            ensure!(
                our_value == Some(*value),
                "image-info {file}: {name} is {value:?} for esptool, {our_value:?} for us"
            );
        }
        let (our_segments, their_segments) = (segments(&ours), segments(&theirs));
        ensure!(!their_segments.is_empty(), "esptool's list of segments has another form:\n{theirs}");
        ensure!(
            our_segments == their_segments,
            "image-info {file}: segments {their_segments:x?} for esptool, {our_segments:x?} for us"
        );
        Ok(())
    }

    fn partition_tables(&self) -> Result<()> {
        let path = |name: &str| self.directory.join(name);
        for (name, csv) in TABLES {
            let [source, theirs, back, ours, ours_of_back] =
                ["p.csv", "theirs.bin", "back.csv", "ours.bin", "again.bin"].map(path);
            fs::write(&source, csv)?;
            self.python.run(&["-c", GENERATOR, &text(&source), &text(&theirs), &text(&back)])?;
            self.ours.run(&["partition-table", &text(&source), "-o", &text(&ours)])?;
            self.ours.run(&["partition-table", &text(&back), "-o", &text(&ours_of_back)])?;
            let theirs = fs::read(&theirs)?;
            same(&fs::read(&ours)?, &theirs)
                .with_context(|| format!("ESP-IDF makes another partition table of the one {name}"))?;
            same(&fs::read(&ours_of_back)?, &theirs)
                .with_context(|| format!("we read ESP-IDF's CSV otherwise: the one {name}"))?;
        }
        Ok(())
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn same(ours: &[u8], theirs: &[u8]) -> Result<()> {
    ensure!(!theirs.is_empty(), "the file to compare with is empty");
    let first = ours.iter().zip(theirs).position(|(a, b)| a != b);
    match first {
        Some(at) => Err(anyhow!("they differ from {at:#x} on")),
        None if ours.len() != theirs.len() => {
            Err(anyhow!("they have {} and {} bytes", ours.len(), theirs.len()))
        }
        None => Ok(()),
    }
}

/// `Entry point: 0x42020072`
fn facts(said: &str) -> BTreeMap<&str, &str> {
    let lines = said.lines().filter_map(|line| line.split_once(':'));
    lines.map(|(name, value)| (name.trim(), value.trim())).filter(|(name, _)| FACTS.contains(name)).collect()
}

/// Length, address and place in the file of each segment: the lines that begin with a number, whatever is between the numbers.
fn segments(said: &str) -> Vec<Vec<u64>> {
    let mut segments: Vec<Vec<u64>> = said
        .lines()
        .filter(|line| line.trim_start().starts_with(|c: char| c.is_ascii_digit()))
        .map(|line| {
            let numbers = line
                .split_whitespace()
                .filter_map(|word| word.trim_end_matches([',', ':']).strip_prefix("0x"));
            numbers.filter_map(|digits| u64::from_str_radix(digits, 16).ok()).collect()
        })
        .collect();
    segments.retain(|numbers| numbers.len() == 3);
    segments
}
