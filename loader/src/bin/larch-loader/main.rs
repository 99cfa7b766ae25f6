//! `larch-loader`: esptool's verbs for ESP chips on serial, network and emulated ports.
//!
//! Prints; everything else is in the library. One file per group of verbs.
#![forbid(unsafe_code)]

mod arguments;
mod fleet;
mod numbers;
mod report;
mod session;
mod speeds;
mod spelling;
mod verbs;

use arguments::Arguments;
use clap::Parser;
use report::Reporter;
use std::process::ExitCode;

fn main() -> ExitCode {
    let raw = match spelling::expand_files(std::env::args().collect()) {
        Ok(raw) => raw,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let raw = spelling::modern(raw);
    let (ports, rest) = fleet::ports(&raw);
    if ports.len() > 1 {
        return fleet::run(&ports, &rest);
    }
    let arguments = Arguments::parse_from(raw);
    let reporter = Reporter::new(&arguments.global);
    match verbs::run(&arguments, &reporter) {
        Ok(()) => {
            reporter.done();
            ExitCode::SUCCESS
        }
        Err(error) => {
            reporter.error(&error);
            ExitCode::from(error.code())
        }
    }
}
