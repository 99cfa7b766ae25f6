//! Every allocation of a program fails once: the program ends with MemoryError or goes on, and the interpreter lives.

use std::path::Path;
use std::process::Command;

/// More allocations than the program makes.
const MOST: u32 = 20_000;

/// Runs the program with allocation `number` failing; true if it failed.
fn run(number: u32) -> bool {
    let run = Command::new(env!("CARGO_BIN_EXE_larch"))
        .args(["-X", &format!("fail-alloc={number}"), "-X", "heapsize=256K", "memory_errors.py"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"))
        .output()
        .expect("larch starts");
    let (said, complaint) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(
        run.status.success() && said.ends_with("alive 45 ['0', '1', '2']\n"),
        "allocation {number}: {}\n{said}\n{complaint}",
        run.status
    );
    let went_through = said.contains("all done\n");
    assert!(went_through || said.contains("MemoryError"), "allocation {number}:\n{said}");
    !went_through
}

/// A sample of the sites; `every_allocation_fails_once` has them all.
#[test]
fn some_allocations_fail() {
    for number in (1..400).step_by(7) {
        run(number);
    }
}

#[test]
#[ignore = "a process for each allocation: minutes"]
fn every_allocation_fails_once() {
    let tried = (1..MOST).take_while(|number| run(*number)).count();
    assert!(tried > 400, "only {tried} allocations");
    println!("{tried} allocations failed, each once");
}
