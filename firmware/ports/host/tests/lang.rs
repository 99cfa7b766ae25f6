//! The language suite: every `tests/lang/**/*.py` prints what the `.out` file beside it says. The expected outputs were
//! made by real MicroPython and read; `cargo xtask test --judge` makes sure of that again.

use std::path::PathBuf;
use std::process::Command;

use rstest::rstest;

#[rstest]
fn language(#[files("tests/lang/**/*.py")] program: PathBuf) {
    let expected = std::fs::read_to_string(program.with_extension("out")).expect("the expected output");
    let folder = program.parent().expect("a folder");
    let run = Command::new(env!("CARGO_BIN_EXE_larch"))
        .arg(program.file_name().expect("a name"))
        .current_dir(folder)
        .output()
        .expect("larch starts");
    let printed = String::from_utf8_lossy(&run.stdout);
    assert_eq!(printed, expected, "\n{}", String::from_utf8_lossy(&run.stderr));
}
