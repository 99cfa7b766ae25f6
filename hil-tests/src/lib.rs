//! REPL scenarios, run against real and emulated boards.
//!
//! `scenario` (what is typed) and `session` (a person typing it) meet a board's serial port and give a transcript
//! (`terminal`), which is compared with its snapshot. Firmware is seen only through its serial port; nothing
//! here links it, so any firmware that speaks a MicroPython REPL can be tested.
#![forbid(unsafe_code)]

pub mod conformance;
pub mod date;
pub mod differences;
pub mod doctor;
pub mod event;
pub mod files;
pub mod firmware;
pub mod flash;
pub mod history;
pub mod lab;
pub mod lock;
pub mod probe;
pub mod record;
pub mod redact;
pub mod report;
pub mod run;
pub mod runner;
pub mod scenario;
pub mod secrets;
pub mod session;
#[cfg(unix)]
pub mod share;
pub mod snapshot;
pub mod soak;
pub mod stage;
pub mod target;
pub mod terminal;
