//! The `larch-loader` command as people and scripts run it.

mod board;
mod desk;
mod files;
mod fleet;
mod wire;

use std::process::{Command, Output};

/// What a run printed and how it ended.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

fn larch_loader(arguments: &[&str]) -> Run {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_larch-loader"))
        .args(arguments)
        .env("NO_COLOR", "1")
        // What a run remembers is no business of the next one, nor of the person at this machine.
        .env("XDG_STATE_HOME", "/dev/null")
        .output()
        .expect("the command can be run");
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
