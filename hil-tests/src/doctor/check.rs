//! The checks of a board whose port is open; everything is told from what the chip prints and answers.

use std::time::Duration;

use larch_boards::{Board, Reset};
use larch_loader::diagnosis::{Diagnosis, Situation};
use larch_loader::reset;
use larch_protocol::slip::{Decoder, Piece};
use larch_protocol::{Command, Opcode, Response};

use super::{
    DOWNLOAD_MODE, Expected, FLOOD, Finding, Line, NO_POWER_SWITCH, NO_PROMPT, NO_RESET, OTHER_FIRMWARE,
};
use crate::firmware::larch_chip;
use crate::session::Console;

/// How long a board may take from reset to prompt.
const BOOT_LIMIT: Duration = Duration::from_secs(6);
/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_millis(1500);
/// How long the ROM may take to answer the loader, and how often it is asked.
const SYNC_LIMIT: Duration = Duration::from_millis(100);
const SYNC_ATTEMPTS: u32 = 5;
/// Bytes after which a board counts as flooding.
const TOO_MUCH: usize = 256 * 1024;
/// What every chip's ROM prints first.
const ROM_BANNER: &str = "rst:0x";

/// Looks at a board behind an open port.
#[must_use]
pub fn examine(board: &Board, line: &mut Line<'_>, expected: &Expected) -> Vec<Finding> {
    let mut findings = Vec::new();
    let has_lines = board.reset != Reset::Manual;
    // What it said before must not be taken for what it says now.
    let pressed = |line: &mut Line<'_>| line.discard_input().and_then(|()| reset::run(line, reset::HARD));
    if has_lines && pressed(line).is_err() {
        findings.push(Finding::bad("reset lines", 14, "the port failed", "check the cable"));
        return findings;
    }
    let from = line.now();
    let heard = listen(line, BOOT_LIMIT, |text| text.ends_with(">>> "));
    let boot_time = line.now().saturating_sub(from);
    if heard.len() > TOO_MUCH {
        let advice = "a program prints without pause; interrupt it with Ctrl-C, or flash the board";
        findings.push(Finding::bad("bytes", FLOOD, "the board sends without end", advice));
        return findings;
    }
    let text = String::from_utf8_lossy(&heard).into_owned();
    let was_reset = has_lines && text.contains(ROM_BANNER);
    if was_reset {
        findings.push(Finding::good("reset lines", "reset the chip"));
    }
    let at_prompt = text.ends_with(">>> ");
    if !at_prompt {
        let bad = situation(board, &heard, was_reset);
        // A program that was interrupted by nobody may still answer.
        if !matches!(bad.code, 20 | 21) || !answers(line) {
            let waits = matches!(bad.code, 20 | 28) && in_download_mode(line);
            findings.push(if waits { download_mode(board) } else { bad });
            return findings;
        }
    }
    if has_lines && !was_reset {
        let advice = "check DTR and RTS wires, or say `reset: manual` in boards.yaml";
        findings.push(Finding::bad("reset lines", NO_RESET, "do not reset the chip", advice));
    }
    prompt(line, at_prompt.then_some(boot_time), expected, &mut findings);
    findings
}

/// What is the matter with a chip that came to no prompt.
fn situation(board: &Board, heard: &[u8], was_reset: bool) -> Finding {
    let strap = larch_chip(board.chip).ok().map(|chip| chip.boot_strap.pin);
    let mut situation = Situation::of(heard);
    // The lines have just released the strap: whatever pulls it is on the board.
    if situation == Situation::Deaf && was_reset {
        situation = Situation::JumperOn;
    }
    let diagnosis = Diagnosis { situation, strap };
    let advice = match situation {
        Situation::RunningProgram => "it prints, but shows no prompt; press Ctrl-C, or flash it".to_owned(),
        Situation::Deaf => "it waits for a download; press RESET".to_owned(),
        Situation::NoProgram => format!("flash it: cargo xtask flash --board {}", board.name),
        _ => diagnosis.advice(),
    };
    Finding::bad("bytes", diagnosis.code(), diagnosis.finding(), advice)
}

/// A chip in download mode says so once, and then only answers the loader.
fn download_mode(board: &Board) -> Finding {
    let advice = format!(
        "to start its program take the jumper off and press RESET; to write one: cargo xtask flash --board {}",
        board.name
    );
    Finding::bad("bytes", DOWNLOAD_MODE, "the chip is in download mode and waits for the loader", advice)
}

/// Whether the ROM answers the loader's first command.
fn in_download_mode(line: &mut Line<'_>) -> bool {
    let frame: Vec<u8> = Command::Sync.frame().collect();
    (0..SYNC_ATTEMPTS).any(|_| {
        // What was typed before may have begun a frame.
        if line.write_all(&frame).is_err() {
            return false;
        }
        let heard = listen(line, SYNC_LIMIT, |_| false);
        let (mut decoder, mut frame) = (Decoder::new(), Vec::new());
        heard.into_iter().any(|byte| {
            match decoder.push(byte) {
                Some(Piece::Byte(byte)) => frame.push(byte),
                Some(Piece::End) => {
                    let frame = std::mem::take(&mut frame);
                    return Response::parse(&frame)
                        .is_ok_and(|response| response.opcode == Opcode::Sync as u8);
                }
                Some(Piece::Outside(_) | Piece::Broken(_)) | None => frame.clear(),
            }
            false
        })
    })
}

/// Interrupts whatever runs, and looks for a prompt.
fn answers(line: &mut Line<'_>) -> bool {
    let sent = line.write_all(b"\r\x03").and_then(|()| {
        line.sleep(Duration::from_millis(100));
        line.write_all(b"\x03\x02")
    });
    sent.is_ok() && ends_with_prompt(&listen(line, ANSWER_LIMIT, |text| text.ends_with(">>> ")))
}

fn ends_with_prompt(heard: &[u8]) -> bool {
    heard.ends_with(b">>> ")
}

fn prompt(
    line: &mut Line<'_>,
    boot_time: Option<Duration>,
    expected: &Expected,
    findings: &mut Vec<Finding>,
) {
    let ask = "import sys; print('%s|%s|%s' % (sys.version, sys.platform, getattr(sys.implementation, '_build', '')))\r";
    let answered = line.write_all(ask.as_bytes()).is_ok();
    let heard = listen(line, ANSWER_LIMIT, |text| text.matches('|').count() >= 4 && text.ends_with(">>> "));
    let text = String::from_utf8_lossy(&heard).into_owned();
    let answer = text.lines().rev().find(|line| line.matches('|').count() == 2 && !line.contains("print("));
    let Some(answer) = answer.filter(|_| answered) else {
        let advice =
            "it shows a prompt and does not answer: is TX of the adapter connected to RX of the chip?";
        return findings.push(Finding::bad("prompt", NO_PROMPT, "no answer at the prompt", advice));
    };
    let time =
        boot_time.map_or_else(String::new, |time| format!(", {} ms after the reset", time.as_millis()));
    findings.push(Finding::good("prompt", format!("answers{time}")));
    let mut parts = answer.trim().split('|').map(printable);
    let (version, platform, build) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
    let who = format!("{} on {} {build}", version.unwrap_or_default(), platform.unwrap_or_default());
    if !expected.build.is_empty() && !build.ends_with(&expected.build) {
        let advice = "not ours as it is built now; `cargo xtask hil` flashes it";
        return findings.push(Finding::bad("firmware", OTHER_FIRMWARE, who.trim_end(), advice));
    }
    findings.push(Finding::good("firmware", who.trim_end()));
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

/// What comes until `done`, the limit, or too much.
fn listen(line: &mut Line<'_>, limit: Duration, done: impl Fn(&str) -> bool) -> Vec<u8> {
    let end = line.now() + limit;
    let mut heard = Vec::new();
    let mut bytes = [0; 1024];
    while line.now() < end && heard.len() <= TOO_MUCH {
        match line.read(&mut bytes, Duration::from_millis(50)) {
            Ok(0) if done(&String::from_utf8_lossy(tail(&heard))) => break,
            Ok(count) => heard.extend_from_slice(&bytes[..count]),
            Err(_) => break,
        }
    }
    heard
}

/// Enough to recognise an answer; a flood is not looked through again and again.
fn tail(heard: &[u8]) -> &[u8] {
    &heard[heard.len().saturating_sub(1024)..]
}

/// After the power came back something must be heard.
pub(super) fn power_on_is_seen(console: &mut dyn Console, by_hand: bool) -> Finding {
    let heard = listen(console.port(), BOOT_LIMIT, |text| text.ends_with(">>> "));
    if String::from_utf8_lossy(&heard).contains(ROM_BANNER) || ends_with_prompt(&heard) {
        return Finding::good("power", "switched off and on; the chip booted");
    }
    let advice =
        if by_hand { "or the port opened too late to see it" } else { "does the switch feed this board?" };
    Finding::bad("power", NO_POWER_SWITCH, "switched, but the chip did not boot", advice)
}

#[cfg(test)]
mod tests;
