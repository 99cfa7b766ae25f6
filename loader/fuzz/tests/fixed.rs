//! Each target on a few thousand inputs that are the same every time.

use larch_loader_fuzz::{Run, TARGETS, targets};
use rstest::rstest;

/// Inputs of each target, so that each takes about as long.
fn inputs(name: &str) -> u32 {
    match name {
        "session" => 200,
        "image" | "elf" | "inflate" => 1000,
        _ => 4000,
    }
}

#[rstest]
fn damaged_input_does_no_harm(
    #[values(
        "slip",
        "response",
        "session",
        "image",
        "partitions",
        "partition-csv",
        "elf",
        "uf2",
        "hex",
        "stub-file",
        "inflate",
        "record"
    )]
    name: &str,
) {
    let target = targets::by_name(name).unwrap();
    let mut run = Run::new(target, 1);
    let examples = run.outcomes();
    for _ in 0..inputs(name) {
        let input = run.next_input();
        run.run(input);
    }
    assert!(run.outcomes() > examples, "no input had another outcome than the examples: nothing is reached");
}

#[test]
fn every_target_is_run() {
    assert_eq!(TARGETS.len(), 12, "name new targets above, too");
}

/// Inputs that once did harm: `TARGET.WHAT` in `found`.
#[test]
fn what_was_found_stays_mended() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/found");
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let target = targets::by_name(name.split('.').next().unwrap()).unwrap();
        (target.run)(&std::fs::read(entry.path()).unwrap());
    }
}
