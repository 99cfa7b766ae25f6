//! `larch`: the interpreter as a desktop program, with the command line of `micropython`.
//!
//! Where to look: `args` (the command line), `console` (standard input and output as a board's terminal), `files`
//! (folders as a file system), `net` (the system's sockets), `environ` (environment variables), `board` (the rest of the port), `interpreter` (all
//! together).

mod args;
mod board;
mod console;
mod environ;
mod files;
mod interpreter;
#[cfg(unix)]
mod net;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match args::parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("larch: {error}");
            eprint!("{}", args::USAGE);
            return ExitCode::from(1);
        }
    };
    interpreter::main(arguments)
}
