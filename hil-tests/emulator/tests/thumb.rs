//! The Thumb processor against QEMU's: random instructions with random operands must leave the same registers, flags and memory.
//!
//! Both execute one program that is made here: for each case it loads all registers, executes a few random instructions, and
//! stores all registers. QEMU's results are in the board's PSRAM, which is a file of the host. Without `qemu-system-arm` (Debian:
//! `qemu-system-arm`) the test says so and passes.

mod thumb_support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use thumb_support::machine::{self, Machine};
use thumb_support::program::{CASE_BYTES, PSRAM, Program, RESULTS, SCRATCH};
use thumb_support::templates::{self, Group};

/// Cases in a program, and instructions in a case.
const CASES: usize = 400;
const LENGTH: usize = 6;
/// How long QEMU may take; it needs a second on an idle machine.
const LIMIT: Duration = Duration::from_secs(120);

/// QEMU, which ends with the test.
struct Qemu(Child);

impl Drop for Qemu {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn has_qemu() -> bool {
    Command::new("qemu-system-arm").arg("--version").stdout(Stdio::null()).status().is_ok()
}

/// The PSRAM after QEMU has executed the program.
fn execute_in_qemu(program: &Program, directory: &Path) -> Vec<u8> {
    let (image, memory) = (directory.join("program.bin"), directory.join("psram"));
    std::fs::write(&image, &program.code).unwrap();
    std::fs::File::create(&memory).unwrap().set_len(16 << 20).unwrap();
    let backend = format!("memory-backend-file,id=psram,size=16M,share=on,mem-path={}", memory.display());
    let child = Command::new("qemu-system-arm")
        .args(["-machine", "mps2-an386,memory-backend=psram", "-object", &backend])
        .args(["-display", "none", "-monitor", "none", "-serial", "none", "-kernel"])
        .arg(&image)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut qemu = Qemu(child);
    let start = Instant::now();
    loop {
        let bytes = std::fs::read(&memory).unwrap();
        if machine::is_done(&bytes) {
            return bytes;
        }
        let ended = qemu.0.try_wait().unwrap();
        assert!(
            ended.is_none() && start.elapsed() < LIMIT,
            "QEMU did not come to the end of {program:?} ({ended:?})"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn compare(group: Group, seed: u64) {
    let program = Program::random(format!("{group:?} {seed}"), templates::of(group), CASES, LENGTH, seed);
    let mut ours = Machine::new(&program.code);
    ours.run();
    let directory = tempfile::tempdir().unwrap();
    let theirs = execute_in_qemu(&program, directory.path());
    for case in 0..CASES {
        let at = (RESULTS - PSRAM) as usize + case * CASE_BYTES;
        let [ours, theirs] = [&ours.psram[at..at + CASE_BYTES], &theirs[at..at + CASE_BYTES]];
        assert!(ours == theirs, "{}", program.explain(case, ours, theirs));
    }
    let scratch = (SCRATCH - PSRAM) as usize..(RESULTS - PSRAM) as usize;
    assert!(ours.psram[scratch.clone()] == theirs[scratch], "{group:?}, seed {seed}: memory differs");
}

#[test]
fn instructions_do_what_qemus_do() {
    if !has_qemu() {
        println!("skipped: there is no qemu-system-arm (Debian: apt install qemu-system-arm)");
        return;
    }
    for group in Group::ALL {
        for seed in 1..=3 {
            compare(group, seed);
        }
    }
}
