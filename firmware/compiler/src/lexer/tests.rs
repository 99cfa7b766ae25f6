//! The tokens of each `tests/lexer/*.py`.

use super::Lexer;
use crate::support;
use crate::token::Token;
use std::fmt::Write;

/// One line per token: line, kind, text, and the fields of an f-string.
fn tokens(source: &str) -> String {
    let mut lexer = Lexer::new(source).unwrap();
    let mut shown = String::new();
    loop {
        let token = lexer.now.token;
        write!(shown, "{:3} {token:?}", lexer.now.token_line).unwrap();
        match token {
            Token::Name => write!(shown, " {}", lexer.name()).unwrap(),
            Token::Integer | Token::Float | Token::Imaginary | Token::Str | Token::Bytes => {
                write!(shown, " {:?}", String::from_utf8_lossy(&lexer.text)).unwrap();
            }
            _ => {}
        }
        for (start, stop) in lexer.fields.iter() {
            write!(shown, " {{{}}}", lexer.text_between(*start, *stop)).unwrap();
        }
        lexer.fields.clear();
        shown.push('\n');
        if token == Token::End {
            return shown;
        }
        if let Err(failure) = lexer.advance() {
            let error = failure.into_error(0, None, (lexer.now.start, lexer.now.stop));
            writeln!(shown, "{:3} {:?}", error.line, error.message).unwrap();
            return shown;
        }
    }
}

#[test]
fn listings() {
    support::each_input("lexer", tokens);
}
