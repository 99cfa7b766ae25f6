//! The session against scripted boards, hostile ones included.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use larch_loader::transport::{Lines, Transport};
use rstest::rstest;

use super::{Console, Failure, Session};
use crate::scenario::Scenario;

/// A board in simulated time: echoes a line, and answers Enter with what a table says.
struct Scripted {
    now: Duration,
    out: VecDeque<(Duration, Vec<u8>)>,
    line: String,
    answers: Vec<(&'static str, Vec<Piece>)>,
    echo: bool,
    gone: bool,
}

/// Part of an answer.
#[derive(Clone)]
enum Piece {
    Say(&'static [u8]),
    Wait(u64),
    Hang,
    Flood,
    Vanish,
}

impl Scripted {
    fn new(answers: Vec<(&'static str, Vec<Piece>)>) -> Self {
        let out = VecDeque::new();
        Self { now: Duration::ZERO, out, line: String::new(), answers, echo: true, gone: false }
    }

    fn say(&mut self, at: Duration, bytes: &[u8]) {
        self.out.push_back((at, bytes.to_vec()));
    }

    /// When the board has said everything it has to say, it goes on listening.
    fn free_at(&self) -> Duration {
        self.out.back().map_or(self.now, |(at, _)| *at).max(self.now)
    }

    fn answer(&mut self, line: &str) {
        let known = self.answers.iter().find(|(typed, _)| *typed == line);
        let pieces = known.map(|(_, pieces)| pieces.clone()).unwrap_or_default();
        let mut at = self.free_at();
        self.say(at, b"\r\n");
        for piece in pieces {
            match piece {
                Piece::Say(bytes) => self.say(at, bytes),
                Piece::Wait(ms) => at += Duration::from_millis(ms),
                Piece::Hang => {
                    self.echo = false;
                    return;
                }
                Piece::Flood => (0..3000).for_each(|_| self.say(at, &[b'x'; 1000])),
                Piece::Vanish => {
                    self.gone = true;
                    return;
                }
            }
        }
        self.say(at, b">>> ");
    }
}

impl Transport for Scripted {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        if self.gone {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "unplugged"));
        }
        match self.out.front_mut() {
            Some((at, bytes)) if *at <= self.now + timeout => {
                self.now = self.now.max(*at);
                let count = bytes.len().min(buf.len());
                buf[..count].copy_from_slice(&bytes[..count]);
                bytes.drain(..count);
                if bytes.is_empty() {
                    self.out.pop_front();
                }
                Ok(count)
            }
            _ => {
                self.now += timeout;
                Ok(0)
            }
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        for byte in bytes {
            let at = self.free_at();
            match byte {
                _ if !self.echo => {}
                b'\r' => {
                    let line = std::mem::take(&mut self.line);
                    self.answer(&line);
                }
                // A slow board.
                0x05 => self.say(at + Duration::from_millis(300), b"\r\npaste mode\r\n=== "),
                0x7f => {
                    self.line.pop();
                    self.say(at, b"\x08\x1b[K");
                }
                other => {
                    self.line.push(char::from(*other));
                    self.say(at, &[*other]);
                }
            }
        }
        Ok(())
    }

    fn set_baud(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn set_lines(&mut self, _: Lines) -> io::Result<()> {
        Ok(())
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.out.clear();
        Ok(())
    }

    fn sleep(&mut self, duration: Duration) {
        self.now += duration;
    }

    fn now(&self) -> Duration {
        self.now
    }
}

impl Console for Scripted {
    fn port(&mut self) -> &mut dyn Transport {
        self
    }

    fn hard_reset(&mut self) -> io::Result<()> {
        self.out.clear();
        let at = self.now + Duration::from_millis(50);
        self.say(at, b"ESP-ROM:x\r\nMicroPython v1\r\n>>> ");
        Ok(())
    }
}

fn run(answers: Vec<(&'static str, Vec<Piece>)>, text: &str) -> (String, Result<(), Failure>) {
    let mut board = Scripted::new(answers);
    let scenario = Scenario::parse("t/x", text).unwrap();
    let mut session = Session::new(&mut board);
    let outcome = session.boot().and_then(|()| session.run(&scenario));
    (session.transcript(), outcome)
}

#[test]
fn the_transcript_is_what_a_person_sees() {
    let (shown, outcome) = run(vec![("1+1", vec![Piece::Wait(300), Piece::Say(b"2\r\n")])], "1+1\n");
    outcome.unwrap();
    assert_eq!(shown, ">>> 1+1\n2\n>>>");
}

#[test]
fn the_prompt_of_before_is_no_answer_to_a_key() {
    let mut board = Scripted::new(vec![]);
    let scenario = Scenario::parse("t/x", "# press: Ctrl-E\n").unwrap();
    let mut session = Session::new(&mut board);
    session.boot().unwrap();
    session.perform(&scenario, 0).unwrap();
    assert_eq!(session.transcript(), ">>>\npaste mode\n===");
}

#[test]
fn a_boot_log_is_shown_on_demand_only() {
    let (shown, outcome) = run(vec![], "# reset: hard\n# reset: hard, show boot log\n");
    outcome.unwrap();
    assert_eq!(shown, ">>>\nESP-ROM:x\nMicroPython v1\n>>>");
}

#[rstest]
#[case::without_a_line_end(b">>> ")]
#[case::on_its_own_line(b"\r\n>>> \r\n")]
#[case::with_more_behind(b">>> fake\r\n>>> ")]
fn a_forged_prompt_does_not_end_a_line(#[case] forged: &'static [u8]) {
    let answer = vec![Piece::Say(forged), Piece::Wait(900), Piece::Say(b"\r\nlate\r\n")];
    let (shown, outcome) = run(vec![("f()", answer), ("1", vec![Piece::Say(b"1\r\n")])], "f()\n1\n");
    outcome.unwrap();
    assert!(shown.ends_with("late\n>>> 1\n1\n>>>"), "{shown}");
}

#[test]
fn output_after_a_forged_last_prompt_is_not_lost() {
    let answer = vec![Piece::Say(b">>> "), Piece::Wait(500), Piece::Say(b"\r\nlate\r\n")];
    let (shown, outcome) = run(vec![("f()", answer)], "f()\n");
    outcome.unwrap();
    assert_eq!(shown, ">>> f()\n>>>\nlate\n>>>");
}

#[test]
fn a_board_that_hangs_is_named() {
    let (shown, outcome) = run(vec![("loop()", vec![Piece::Say(b"working\r\n"), Piece::Hang])], "loop()\n");
    let message = outcome.unwrap_err().to_string();
    assert_eq!(message, "no prompt after \"loop()\" within 10s; the last line is \"\"");
    assert_eq!(shown, ">>> loop()\nworking");
}

#[test]
fn a_board_without_echo_is_named() {
    let (_, outcome) = run(vec![("x", vec![Piece::Hang])], "# timeout: 1s\nx\n");
    assert!(matches!(outcome, Err(Failure::NoPrompt { .. })), "{outcome:?}");
    let forged_hang = vec![Piece::Say(b">>> "), Piece::Hang];
    let (_, outcome) = run(vec![("x", forged_hang)], "x\ny\n");
    assert_eq!(outcome.unwrap_err().to_string(), "typed \"y\", but the board shows \">>> \"");
}

#[test]
fn a_flood_ends_the_run_with_bounded_memory() {
    let (shown, outcome) = run(vec![("f()", vec![Piece::Flood])], "f()\n");
    assert!(matches!(outcome, Err(Failure::Flood { .. })), "{outcome:?}");
    assert!(shown.len() < 1_000_000);
}

#[test]
fn a_board_that_vanishes_is_named() {
    let (_, outcome) = run(vec![("f()", vec![Piece::Vanish])], "f()\n");
    assert_eq!(outcome.unwrap_err().to_string(), "the board's port closed after \"f()\": unplugged");
}

#[test]
fn invalid_utf8_and_escapes_are_harmless() {
    let answer = vec![Piece::Say(b"\xff\xfe\x1b]0;owned\x07\x1b[2J\x1b[999Cx\r\n")];
    let (shown, outcome) = run(vec![("f()", answer)], "f()\n");
    outcome.unwrap();
    assert!(shown.starts_with(">>> f()\n\u{fffd}\u{fffd}"), "{shown}");
}

#[test]
fn wait_until_leaves_no_trace() {
    let (shown, outcome) = run(
        vec![("print(bool(ready()))", vec![Piece::Say(b"True\r\n")])],
        "# wait-until: ready()  (2 s)\n1\n",
    );
    outcome.unwrap();
    assert_eq!(shown, ">>> 1\n>>>");
    let (_, outcome) =
        run(vec![("print(bool(ready()))", vec![Piece::Say(b"False\r\n")])], "# wait-until: ready()  (2 s)\n");
    assert_eq!(outcome.unwrap_err().to_string(), "'ready()' was not true within 2s");
}
