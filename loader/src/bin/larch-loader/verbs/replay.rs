//! A record of the wire, decoded.

use crate::report::Reporter;
use larch_loader::Error;
use larch_loader::transport::trace::{self, Entry};
use larch_protocol::slip::{Decoder, Piece};
use larch_protocol::{Opcode, Response};
use serde_json::json;
use std::path::Path;

pub fn run(file: &Path, reporter: &Reporter) -> Result<(), Error> {
    let text = String::from_utf8_lossy(&super::read(file)?).into_owned();
    let entries =
        trace::parse(&text).map_err(|problem| Error::Argument(format!("{}: {problem}", file.display())))?;
    let (mut sent, mut received) = (Side::default(), Side::default());
    for (moment, entry) in entries {
        let seconds = moment.as_secs_f64();
        let lines = match entry {
            Entry::Sent(bytes) => {
                sent.frames(&bytes).iter().map(|frame| format!("> {}", command(frame))).collect()
            }
            Entry::Received(bytes) => {
                received.frames(&bytes).iter().map(|frame| format!("< {}", response(frame))).collect()
            }
            Entry::Baud(baud) => vec![format!("  {baud} baud")],
            Entry::Lines(lines) => vec![format!("  DTR {} RTS {}", u8::from(lines.dtr), u8::from(lines.rts))],
            Entry::Discarded => Vec::new(),
            Entry::Reset => vec!["  reset".into()],
            Entry::Mark(text) => vec![format!("  {}", text.escape_debug())],
            Entry::Closed(text) => vec![format!("  the port failed: {}", text.escape_debug())],
        };
        for line in lines {
            reporter.result(
                &format!("{seconds:10.4} {line}"),
                "frame",
                json!({ "seconds": seconds, "text": line }),
            );
        }
    }
    Ok(())
}

/// One direction of the wire.
#[derive(Default)]
struct Side {
    decoder: Decoder,
    frame: Vec<u8>,
}

impl Side {
    /// The frames that these bytes complete.
    fn frames(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for &byte in bytes {
            match self.decoder.push(byte) {
                Some(Piece::Byte(byte)) => self.frame.push(byte),
                Some(Piece::End) => frames.push(std::mem::take(&mut self.frame)),
                Some(Piece::Broken(_)) => self.frame.clear(),
                Some(Piece::Outside(_)) | None => {}
            }
        }
        frames
    }
}

fn name(opcode: u8) -> String {
    Opcode::from_byte(opcode).map_or_else(|| format!("0x{opcode:02x}"), |opcode| format!("{opcode:?}"))
}

fn command(frame: &[u8]) -> String {
    let &[0, opcode, _, _, _, _, _, _, ref body @ ..] = frame else {
        return format!("{} bytes", frame.len());
    };
    let words: Vec<String> = body
        .chunks_exact(4)
        .take(4)
        .map(|word| format!("0x{:x}", u32::from_le_bytes([word[0], word[1], word[2], word[3]])))
        .collect();
    format!("{} {} ({} bytes)", name(opcode), words.join(" "), body.len())
}

fn response(frame: &[u8]) -> String {
    match Response::parse(frame) {
        Ok(response) => {
            let tail: Vec<String> =
                response.body.iter().rev().take(4).rev().map(|byte| format!("{byte:02x}")).collect();
            format!(
                "{} value 0x{:x}, {} bytes ending in {}",
                name(response.opcode),
                response.value,
                response.body.len(),
                tail.join(" ")
            )
        }
        Err(_) => format!(
            "{} bytes: {}",
            frame.len(),
            String::from_utf8_lossy(&frame[..frame.len().min(60)]).escape_debug()
        ),
    }
}
