//! The date of the last commit, for the banner.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LARCH_BUILD_DATE");
    let date =
        std::env::var("LARCH_BUILD_DATE").ok().or_else(commit_date).unwrap_or_else(|| "1970-01-01".into());
    println!("cargo:rustc-env=LARCH_BUILD_DATE={date}");
}

/// The day of the last commit; none in a source archive.
fn commit_date() -> Option<String> {
    let output = Command::new("git").args(["log", "-1", "--format=%cs"]).output().ok()?;
    let date = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !date.is_empty()).then_some(date)
}
