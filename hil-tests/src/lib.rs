//! REPL scenarios, run against real and emulated boards.
