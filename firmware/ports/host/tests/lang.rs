//! The language suite: every `tests/lang/**/*.py` prints what the `.out` file beside it says. The expected outputs were
//! made by real MicroPython and read. With the feature `f32`, floats are those of boards; where that makes a difference, what is printed
//! then is in an `.f32.out` file, with which boards are compared (`cargo xtask conformance --language`).

use std::path::PathBuf;
use std::process::Command;

use rstest::rstest;

#[rstest]
fn language(#[files("tests/lang/**/*.py")] program: PathBuf) {
    let single = program.with_extension("f32.out");
    let is_single = cfg!(feature = "f32") && single.exists();
    let expected = if is_single { single } else { program.with_extension("out") };
    let expected = std::fs::read_to_string(expected).expect("the expected output");
    let folder = program.parent().expect("a folder");
    let run = Command::new(env!("CARGO_BIN_EXE_larch"))
        .arg(program.file_name().expect("a name"))
        .current_dir(folder)
        .output()
        .expect("larch starts");
    let printed = String::from_utf8_lossy(&run.stdout);
    assert_eq!(printed, expected, "\n{}", String::from_utf8_lossy(&run.stderr));
}
