//! What is accepted, what is refused, with which words and at which line: `errors/cases.txt`.
//!
//! The verdicts in that file are MicroPython's own; `errors/oracle.py` asks it for them. The ignored test asks again:
//! `MICROPYTHON=path cargo test -p larch-compiler --test errors -- --ignored`.

mod support;

use larch_compiler::{Mode, Options};
use std::fmt::Write;
use std::process::Command;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/errors");

/// Where we differ on purpose: the literal (without its end), our verdict, the reason.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    (r#""f\"{(x:=5)}"#, "line 1: SyntaxError: invalid syntax", "fields are read in place: no line is added"),
    (r#""f\"{#}"#, "line 1: SyntaxError: invalid syntax", "fields are read in place: no line is added"),
    (
        r#""f\"{*x}"#,
        "line 1: SyntaxError: *x must be assignment target",
        "found by the parser, which knows no block",
    ),
    (r#""X = const(1 << 100)"#, "line 1: SyntaxError: not a constant", "ints are folded up to 64 bits"),
];

/// The text of a string literal with `\n`, `\t`, `\r`, `\\`, `\"`, `\xNN`, `\uNNNN`.
fn unquote(literal: &str) -> String {
    let mut text = String::new();
    let mut chars = literal[1..literal.len() - 1].chars();
    while let Some(char) = chars.next() {
        let escape = if char == '\\' { chars.next() } else { None };
        let digits = match escape {
            Some('x') => 2,
            Some('u') => 4,
            _ => 0,
        };
        let code: String = chars.by_ref().take(digits).collect();
        text.push(match escape {
            None => char,
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('x' | 'u') => char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap(),
            Some(other) => other,
        });
    }
    text
}

fn verdict(source: &str) -> String {
    let mut keeper = support::Keeper::default();
    match support::compile_with(&mut keeper, source, Mode::File, Options::default()) {
        Ok(_) => "ok".to_string(),
        Err(error) => support::describe(&keeper, source, &error),
    }
}

#[test]
fn verdicts_are_those_of_micropython() {
    let cases = std::fs::read_to_string(format!("{FOLDER}/cases.txt")).unwrap();
    let lines: Vec<&str> = cases.lines().collect();
    let (mut differences, mut count) = (String::new(), 0);
    for pair in lines.chunks_exact(2) {
        let literal = pair[0].strip_prefix("source ").unwrap();
        let ours = verdict(&unquote(literal));
        let known = DIFFERENCES.iter().find(|(part, ..)| literal.starts_with(part));
        if ours != known.map_or(pair[1], |(_, verdict, _)| verdict) {
            count += 1;
            writeln!(differences, "{literal}\n  MicroPython  {}\n  Larch        {ours}", pair[1]).unwrap();
        }
    }
    assert!(lines.len() > 1000, "the table is cut short");
    assert!(count == 0, "{count} of {} differ\n{differences}", lines.len() / 2);
}

#[test]
#[ignore = "needs MicroPython: set MICROPYTHON to its path"]
fn the_table_is_what_micropython_says() {
    let micropython = std::env::var("MICROPYTHON").expect("set MICROPYTHON to the path of the interpreter");
    let output =
        Command::new(micropython).args(["oracle.py", "cases.txt"]).current_dir(FOLDER).output().unwrap();
    let cases = std::fs::read_to_string(format!("{FOLDER}/cases.txt")).unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), cases);
}
