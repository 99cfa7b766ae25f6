//! Every entry point on a fixed sample of inputs. `LARCH_FUZZ_ROUNDS` makes it longer, `LARCH_FUZZ_SEED` another one.

use std::path::Path;
use std::{env, fs};

use larch_fuzz::{Mutator, TARGETS};

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

/// The inputs in `corpus/TARGET`; for programs the language suite as well.
fn samples(target: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = match target {
        "mpy" => vec![root.join("../compiler/tests/mpy")],
        _ => vec![root.join("corpus").join(target)],
    };
    if target == "source" {
        let suite = root.join("../ports/host/tests/lang");
        folders.extend(fs::read_dir(suite).expect("the suite").map(|entry| entry.expect("an entry").path()));
    }
    let mut files: Vec<_> = folders
        .iter()
        .flat_map(|folder| {
            fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        })
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_none_or(|end| end == "mpy" || target != "mpy" && end != "out"))
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("a sample")).collect()
}

fn run(target: &str) {
    let (_, entry) = TARGETS.into_iter().find(|(name, _)| *name == target).expect("a target");
    let samples = samples(target);
    samples.iter().for_each(|sample| entry(sample));
    let mut mutator = Mutator::new(number("LARCH_FUZZ_SEED", 20_261_130), samples);
    for round in 0..number("LARCH_FUZZ_ROUNDS", 60) {
        let input = mutator.next_input();
        if env::var_os("LARCH_FUZZ_SHOW").is_some() {
            fs::write(env::temp_dir().join(format!("larch-fuzz-{target}")), &input)
                .expect("a place for the input");
        }
        let failed = std::panic::catch_unwind(|| entry(&input)).is_err();
        assert!(!failed, "{target}, round {round}: {:?}", String::from_utf8_lossy(&input));
    }
}

#[test]
fn source() {
    run("source");
}

#[test]
fn repl() {
    run("repl");
}

#[test]
fn raw_paste() {
    run("raw_paste");
}

#[test]
fn pattern() {
    run("pattern");
}

#[test]
fn json() {
    run("json");
}

#[test]
fn mpy() {
    run("mpy");
}

#[test]
fn frames() {
    run("frames");
}

#[test]
fn dhcp() {
    run("dhcp");
}

#[test]
fn dns() {
    run("dns");
}

#[test]
fn struct_format() {
    run("struct_format");
}
