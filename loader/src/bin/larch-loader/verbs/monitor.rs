//! What the board prints; addresses in it are named, crashes explained.

use crate::arguments::Global;
use crate::report::Reporter;
use crate::session;
use larch_image::crash::Crash;
use larch_loader::transport::Transport;
use larch_loader::{Error, connect, ports, reset};
use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long one look at the port takes.
const LOOK: Duration = Duration::from_millis(20);

pub fn run(global: &Global, elf: Option<&Path>, no_reset: bool, reporter: &Reporter) -> Result<(), Error> {
    let (port, _) = session::port(global, reporter)?;
    let mut transport = ports::open(&port, global.baud.unwrap_or(connect::ROM_BAUD))?;
    if !no_reset {
        reset::run(&mut *transport, reset::HARD)?;
    }
    follow(&mut *transport, elf)
}

/// Shows what comes, sends what is typed, until the port or the input ends.
pub fn follow(transport: &mut dyn Transport, elf: Option<&Path>) -> Result<(), Error> {
    let mut crash = match elf {
        Some(path) => Crash::of_program(&super::read(path)?).map_err(super::files::in_file(path))?,
        None => Crash::default(),
    };
    let typed = typed_lines();
    let (mut line, mut buffer) = (Vec::new(), [0; 1024]);
    let mut out = std::io::stdout().lock();
    loop {
        while let Ok(text) = typed.try_recv() {
            transport.write_all(text.replace('\n', "\r\n").as_bytes())?;
        }
        let count = transport.read(&mut buffer, LOOK)?;
        out.write_all(&buffer[..count])?;
        for &byte in &buffer[..count] {
            if byte == b'\n' {
                for remark in crash.line(&String::from_utf8_lossy(&line)) {
                    writeln!(out, "    {remark}")?;
                }
                line.clear();
            } else if line.len() < 4096 {
                line.push(byte);
            }
        }
        out.flush()?;
    }
}

/// Lines from standard input, read beside the port.
fn typed_lines() -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        while matches!(std::io::stdin().lock().read_line(&mut line), Ok(1..)) {
            if sender.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    receiver
}
