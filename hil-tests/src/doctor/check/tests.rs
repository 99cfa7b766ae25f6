//! The doctor at scripted lines.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use larch_boards::{Board, Boards, Reset};
use larch_loader::transport::{Lines, Transport};
use rstest::rstest;

use super::{Expected, examine};

/// A line that says one thing after the reset, and answers each `\r` with the next.
struct Script {
    now: Duration,
    out: VecDeque<u8>,
    boot: &'static [u8],
    answers: VecDeque<&'static [u8]>,
    endless: bool,
}

impl Transport for Script {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        if self.endless {
            buf.fill(b'x');
            return Ok(buf.len());
        }
        if self.out.is_empty() {
            self.now += timeout;
        }
        let count = buf.len().min(self.out.len());
        buf.iter_mut().zip(self.out.drain(..count)).for_each(|(place, byte)| *place = byte);
        Ok(count)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.contains(&b'\r') {
            self.out.extend(self.answers.pop_front().unwrap_or_default());
        }
        Ok(())
    }

    fn set_baud(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        if !lines.rts {
            self.out.extend(std::mem::take(&mut self.boot));
        }
        Ok(())
    }

    fn discard_input(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn sleep(&mut self, time: Duration) {
        self.now += time;
    }

    fn now(&self) -> Duration {
        self.now
    }
}

fn board(reset: Reset) -> Board {
    let text = "default: a\nboards:\n  a:\n    chip: esp32c3\n    port: /dev/ttyX\n";
    Board { reset, ..Boards::parse("b", text).unwrap().default_board().clone() }
}

const ANSWER: &[u8] = b"print('x|y|z')\r\n3.4.0; MicroPython v1|esp32|GENERIC-0123\r\n>>> ";
const BOOTED: &[u8] =
    b"ESP-ROM\r\nrst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\r\nMicroPython v1\r\n>>> ";

const OTHER: &[u8] = b"print('x|y|z')\r\n3.4.0; MicroPython v1|esp32|GENERIC-4567\r\n>>> ";
const PROMPT: &[u8] = b">>> ";

#[rstest]
#[case::fine(BOOTED, &[ANSWER], &[0, 0, 0])]
#[case::nothing(b"", &[], &[20])]
#[case::noise(b"\xf8\x80\x00\x78\xfe\x81", &[], &[22])]
#[case::brown_out(b"Brownout detector was triggered\r\n", &[], &[23])]
#[case::blank(b"rst:0x1\r\ninvalid header: 0xffffffff\r\n", &[], &[0, 24])]
#[case::jumper(b"rst:0x1 (POWERON),boot:0x4 (DOWNLOAD(USB/UART0))\r\nwaiting for download\r\n", &[], &[0, 29])]
#[case::stuck(b"rst:0x1 (POWERON)\r\nentry 0x403\r\nworking\r\n", &[], &[0, 21])]
#[case::lines_dead(b"", &[PROMPT, ANSWER], &[62, 0, 0])]
#[case::other(BOOTED, &[OTHER], &[0, 0, 61])]
#[case::deaf(BOOTED, &[], &[0, 64])]
fn findings(
    #[case] boot: &'static [u8],
    #[case] answers: &'static [&'static [u8]],
    #[case] codes: &'static [u8],
) {
    let answers = answers.iter().copied().collect();
    let mut line = Script { now: Duration::ZERO, out: VecDeque::new(), boot, answers, endless: false };
    let found = examine(&board(Reset::DtrRts), &mut line, &Expected { build: "-0123".into() });
    let found_codes: Vec<u8> = found.iter().map(|finding| finding.code).collect();
    assert_eq!(found_codes, codes, "{found:#?}");
    for finding in found.iter().filter(|finding| !finding.is_good()) {
        assert!(!finding.text.is_empty() && !finding.advice.is_empty(), "{finding:?}");
    }
}

#[test]
fn a_flood_is_named_and_bounded() {
    let (boot, answers) = (&[] as &[u8], VecDeque::from([ANSWER]));
    let mut line = Script { now: Duration::ZERO, out: VecDeque::new(), boot, answers, endless: true };
    let found = examine(&board(Reset::DtrRts), &mut line, &Expected::default());
    assert_eq!(found[0].code, super::FLOOD);
}
