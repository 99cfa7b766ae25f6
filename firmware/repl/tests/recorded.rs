//! What a real MicroPython sends, byte for byte: `recorded.txt`, written by `record.py`.

use larch_repl::{Action, History, Host, InputKind, Mode, Repl, Scope, SliceBuffer};
use proptest::prelude::*;

/// A terminal that remembers what was sent, and a `__main__` that knows the names that were assigned.
#[derive(Default)]
struct Terminal {
    sent: Vec<u8>,
    names: Vec<String>,
    executed: Vec<String>,
}

impl Host for Terminal {
    fn write(&mut self, bytes: &[u8]) {
        self.sent.extend(bytes);
    }

    fn write_banner(&mut self) {
        self.write(b"<banner>\r\n");
    }

    fn visit_names(&mut self, scope: Scope<'_>, visit: &mut dyn FnMut(&str)) {
        if scope == Scope::Attributes("") {
            self.names.iter().for_each(|name| visit(name));
        }
    }
}

impl Terminal {
    fn execute(&mut self, source: &[u8], kind: InputKind) {
        let source = String::from_utf8_lossy(source).into_owned();
        for statement in source.split([';', '\n', ':']) {
            if let Some((name, _)) = statement.trim().split_once('=')
                && !self.names.iter().any(|known| known == name)
            {
                self.names.push(name.to_owned());
            }
        }
        self.executed.push(format!("{kind:?} {source:?}"));
    }
}

/// Types `input`, and returns what was sent and what was executed.
fn session(input: &[u8], text_bytes: usize, history_bytes: usize) -> Terminal {
    let (mut text, mut lines) = (vec![0; text_bytes], vec![0; history_bytes]);
    let mut terminal = Terminal::default();
    let mut repl = Repl::new(SliceBuffer::new(&mut text), History::new(&mut lines));
    repl.start(&mut terminal);
    for &byte in input {
        let exception: &[u8] = match repl.push(byte, &mut terminal) {
            Action::Read => continue,
            Action::SoftReset => break,
            Action::Execute(kind) => {
                terminal.execute(repl.source(), kind);
                b""
            }
            Action::Interrupted => b"KeyboardInterrupt: \r\n",
            Action::OutOfMemory => b"MemoryError: \r\n",
        };
        repl.end_of_output(&mut terminal);
        terminal.write(exception);
        assert_eq!(repl.end_of_execution(false, &mut terminal), Action::Read);
    }
    terminal
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        bytes.push(match character {
            '\\' => match characters.next().expect("something follows a backslash") {
                'n' => b'\n',
                'r' => b'\r',
                't' => b'\t',
                'x' => {
                    let digits: String = characters.by_ref().take(2).collect();
                    u8::from_str_radix(&digits, 16).expect("two hexadecimal digits")
                }
                other => other as u8,
            },
            other => other as u8,
        });
    }
    bytes
}

#[test]
fn sends_what_micropython_sends() {
    let recorded = include_str!("recorded.txt");
    let mut cases = 0;
    let mut differences = String::new();
    let mut lines = recorded.lines();
    while let Some(line) = lines.next() {
        let Some(input) = line.strip_prefix("in:  ") else { continue };
        let expect = lines.next().and_then(|line| line.strip_prefix("out: ")).expect("an answer follows");
        let sent = session(&unescape(input), 512, 256).sent.escape_ascii().to_string();
        if sent != expect {
            differences.push_str(&format!("typed {input}\n  MicroPython {expect}\n  Larch       {sent}\n"));
        }
        cases += 1;
    }
    assert!(differences.is_empty(), "\n{differences}");
    assert!(cases > 50, "only {cases} cases found in recorded.txt");
}

#[test]
fn executes_what_was_entered() {
    let typed =
        b"x = 1\rif x:\ry\rz\r\x08\r[1,\r2]\r\x05a\r\nb\x04\x01\xc3\xa9 = 2\x04\x05A\x01c\nd\x04\x02last\r";
    insta::assert_snapshot!(session(typed, 512, 256).executed.join("\n"), @r#"
    Single "x = 1"
    Single "if x:\n    y\n    z\n"
    Single "[1,\n2]"
    File "a\r\nb"
    File "é = 2"
    File "c\nd"
    Single "last"
    "#);
}

#[test]
fn carriage_return_newline_and_the_pair_of_both_end_a_line_once() {
    let terminal = session(b"a\rb\nc\r\nd\n\re\r\n\n", 64, 64);
    assert_eq!(
        terminal.sent.escape_ascii().to_string(),
        r"<banner>\r\n>>> a\r\n>>> b\r\n>>> c\r\n>>> d\r\n>>> e\r\n>>> \r\n>>> "
    );
}

#[test]
fn input_that_does_not_fit_raises_memory_error_and_the_prompt_comes_back() {
    let long = [b'1'; 40];
    let cases: [(&[u8], &[u8]); 3] =
        [(b"\x05", b"\x04x\r"), (b"\x01", b"\x04\x02x\r"), (b"\x01\x05A\x01", b"\x04\x02x\r")];
    let mut transcript = String::new();
    for (before, after) in cases {
        let terminal = session(&[before, &long, after].concat(), 16, 64);
        transcript.push_str(&format!("{}\n{:?}\n", terminal.sent.escape_ascii(), terminal.executed));
    }
    insta::assert_snapshot!(transcript);
}

#[test]
fn the_mode_outlives_a_soft_reset() {
    let (mut text, mut lines) = ([0; 64], [0; 64]);
    let mut terminal = Terminal::default();
    let mut repl = Repl::new(SliceBuffer::new(&mut text), History::new(&mut lines));
    repl.start(&mut terminal);
    assert_eq!(repl.push(1, &mut terminal), Action::Read);
    assert_eq!(repl.mode(), Mode::Raw);
    assert_eq!(repl.push(4, &mut terminal), Action::SoftReset);
    terminal.sent.clear();
    repl.start(&mut terminal);
    assert_eq!(terminal.sent, b"raw REPL; CTRL-B to exit\r\n>");
}

#[test]
fn system_exit_asks_for_a_soft_reset() {
    let (mut text, mut lines) = ([0; 64], [0; 64]);
    let mut terminal = Terminal::default();
    let mut repl = Repl::new(SliceBuffer::new(&mut text), History::new(&mut lines));
    repl.start(&mut terminal);
    for byte in *b"x\r" {
        let _ = repl.push(byte, &mut terminal);
    }
    repl.end_of_output(&mut terminal);
    assert_eq!(repl.end_of_execution(true, &mut terminal), Action::SoftReset);
}

/// Bytes as a user, a tool or a cat on the keyboard sends them.
fn keys() -> impl Strategy<Value = Vec<u8>> {
    let key = prop_oneof![
        8 => prop::sample::select(b"abc =:()[]{}'\"\\\n\r\t _.@".to_vec()).prop_map(|byte| vec![byte]),
        4 => (0_u8..32).prop_map(|byte| vec![byte]),
        2 => any::<u8>().prop_map(|byte| vec![byte]),
        4 => prop::sample::select(vec!["\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F", "\x1b[3~", "\x1b[1;5D",
            "\x1b[1;5C", "\x1bb", "\x1bd", "\x1b\x7f", "if x:\r", "import ", "\x01\x05A\x01", "    "])
            .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(key, 0..200).prop_map(|keys| keys.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_byte_stream_panics(input in keys(), text_bytes in 0_usize..100, history_bytes in 0_usize..40) {
        session(&input, text_bytes, history_bytes);
    }

    /// A screen that obeys what is sent shows what will be executed.
    #[test]
    fn the_screen_shows_the_line(input in keys()) {
        let line: Vec<u8> = input.into_iter().filter(|byte| !matches!(byte, 1..=5 | b'\r' | b'\n' | b'\t')).collect();
        let mut typed = line;
        typed.extend(b"\x1b\x1b\x05#\r\x03");
        let terminal = session(&typed, 4096, 64);
        let shown = screen(&terminal.sent);
        let executed = terminal.executed.last().cloned().unwrap_or_default();
        let expect = format!("Single {shown:?}");
        prop_assert!(executed.is_empty() || executed == expect, "shown {shown:?}, executed {executed}");
    }
}

/// What a VT100 shows on the line after the first prompt.
fn screen(sent: &[u8]) -> String {
    let start = b"<banner>\r\n>>> ".len();
    let mut line: Vec<u8> = Vec::new();
    let mut cursor = 0;
    let mut rest = sent[start..].iter().copied();
    while let Some(byte) = rest.next() {
        match byte {
            b'\r' => break,
            8 => cursor -= 1,
            27 => {
                assert_eq!(rest.next(), Some(b'['));
                let mut number = 0;
                match rest.by_ref().find(|byte| {
                    if byte.is_ascii_digit() {
                        number = number * 10 + usize::from(byte - b'0');
                    }
                    !byte.is_ascii_digit()
                }) {
                    Some(b'D') => cursor -= number,
                    Some(b'K') => line.truncate(cursor),
                    other => panic!("unexpected sequence {other:?}"),
                }
            }
            _ => {
                line.truncate(line.len().max(cursor));
                if cursor < line.len() {
                    line[cursor] = byte
                } else {
                    line.push(byte)
                }
                cursor += 1;
            }
        }
    }
    String::from_utf8(line).expect("only ASCII is shown")
}
