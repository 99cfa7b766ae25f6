//! A program that behaves like a board with a prompt, or like one that does not behave: `fake-board KIND`.
//!
//! Kinds: `fine`; `hang` and `vanish` after the first line; `flood` without end; `hostile` (escape sequences, invalid
//! UTF-8, forged prompts); `flaky FILE` (a wrong answer, once, as long as there is no FILE); `hold DIRECTORY` takes a lock and starts a
//! board of its own, for tests that kill it.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use hil_tests::lock::Lock;
use hil_tests::session::Console;
use hil_tests::target::program::Program;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let kind = arguments.first().map_or("fine", String::as_str);
    let with = arguments.get(1).map_or("", String::as_str);
    if kind == "hold" {
        return hold(Path::new(with));
    }
    // As a serial port: bytes as they come. Without a terminal there is nothing to set.
    if let Ok(mut modes) = tcgetattr(io::stdin()) {
        modes.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &modes)?;
    }
    let mut out = io::stdout().lock();
    out.write_all(b"MicroPython v1 on 2026-01-01; fake\r\n>>> ")?;
    out.flush()?;
    let mut line = Vec::new();
    for byte in io::stdin().lock().bytes() {
        match byte? {
            b'\r' | b'\n' => {
                out.write_all(b"\r\n")?;
                enter(&mut out, kind, with, &String::from_utf8_lossy(&std::mem::take(&mut line)))?;
                out.write_all(b">>> ")?;
            }
            0x7f if line.pop().is_some() => out.write_all(b"\x08\x1b[K")?,
            byte if byte >= b' ' => {
                line.push(byte);
                out.write_all(&[byte])?;
            }
            _ => {}
        }
        out.flush()?;
    }
    Ok(())
}

fn enter(out: &mut impl Write, kind: &str, with: &str, line: &str) -> io::Result<()> {
    match kind {
        "hang" => loop {
            std::thread::sleep(Duration::from_secs(3600));
        },
        "vanish" => std::process::exit(1),
        "flood" => loop {
            out.write_all(&[b'x'; 4096])?;
        },
        "hostile" => {
            out.write_all(b"\xff\xfe\x1b]0;owned\x07\x1b[2J\x1b[H\x1b[31m\x9b5n\x1bP+q544e\x1b\\\r\n")?;
            out.write_all(b">>> <script>alert(1)</script> ]]>\r\n>>> \r\n")?;
        }
        // Several of it run at once: only the one that makes the file is wrong.
        "flaky" if File::create_new(with).is_ok() => out.write_all(b"wrong\r\n")?,
        _ => write!(out, "{line}\r\n")?,
    }
    Ok(())
}

/// Says `ready PID-OF-THE-BOARD` and waits to be killed.
fn hold(directory: &Path) -> io::Result<()> {
    let lock = Lock::take(directory, "held", "held", Duration::ZERO, &|_| {}).map_err(io::Error::other)?;
    let me = std::env::current_exe()?.display().to_string();
    let mut board = Program::new(&[me, "hang".into()], &directory.join("board"))?;
    board.hard_reset()?;
    println!("ready {}", board.pid().unwrap_or(0));
    std::thread::sleep(Duration::from_secs(600));
    drop((lock, board));
    Ok(())
}
