//! When a statement typed at the prompt is complete.
//!
//! Source: `mp_repl_continue_with_input` in MicroPython's `py/repl.c`.

const COMPOUND_KEYWORDS: [&[u8]; 8] = [b"if", b"while", b"for", b"try", b"with", b"def", b"class", b"async"];

/// Whether the user should be asked for another line: a bracket or a triple quote is open, the text ends in a backslash,
/// or it is a compound statement (or a decorator) and its last line is not empty.
#[must_use]
pub fn needs_more_input(input: &[u8]) -> bool {
    let Some(&last) = input.last() else { return false };
    let open = scan(input);
    open.quote.is_some_and(|quote| quote.triple)
        || (open.bracket && open.quote.is_none())
        || last == b'\\'
        || (is_compound(input) && last != b'\n')
}

fn is_compound(input: &[u8]) -> bool {
    input.first() == Some(&b'@')
        || COMPOUND_KEYWORDS.iter().any(|keyword| {
            input.strip_prefix(*keyword).is_some_and(|rest| {
                !rest.first().is_some_and(|&byte| byte.is_ascii_alphanumeric() || byte == b'_')
            })
        })
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Quote {
    character: u8,
    triple: bool,
}

struct Open {
    quote: Option<Quote>,
    bracket: bool,
}

/// What is still open at the end of the text. Comments are not recognised, as in MicroPython.
fn scan(input: &[u8]) -> Open {
    let mut depths = [0_i32; 3];
    let mut quote: Option<Quote> = None;
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        let rest = &input[at..];
        match byte {
            b'\'' | b'"' => {
                let triple = rest.starts_with(&[byte; 3]);
                match quote {
                    None => {
                        quote = Some(Quote { character: byte, triple });
                        at += if triple { 2 } else { 0 };
                    }
                    Some(open) if open.character == byte && open.triple && triple => {
                        quote = None;
                        at += 2;
                    }
                    Some(open) if open.character == byte && !open.triple => quote = None,
                    Some(_) => {}
                }
            }
            b'\\' if quote.is_some() && matches!(rest.get(1), Some(b'\'' | b'"' | b'\\')) => at += 1,
            b'(' | b'[' | b'{' | b')' | b']' | b'}' if quote.is_none() => {
                let (kind, step) = match byte {
                    b'(' => (0, 1),
                    b')' => (0, -1),
                    b'[' => (1, 1),
                    b']' => (1, -1),
                    b'{' => (2, 1),
                    _ => (2, -1),
                };
                depths[kind] += step;
            }
            _ => {}
        }
        at += 1;
    }
    Open { quote, bracket: depths.iter().any(|&depth| depth > 0) }
}

#[cfg(test)]
mod tests {
    use super::needs_more_input;
    use rstest::rstest;

    #[rstest]
    #[case("", false)]
    #[case("1", false)]
    #[case("f(", true)]
    #[case("f(]", true)]
    #[case("f()", false)]
    #[case("')'", false)]
    #[case("f('", false)]
    #[case("'''", true)]
    #[case("'''\n'''", false)]
    #[case("\"\"\" ''' ", true)]
    #[case("''", false)]
    #[case("'''''", true)]
    #[case("'\\'", false)]
    #[case("x = '\\\\'", false)]
    #[case("1 + \\", true)]
    #[case("if x:", true)]
    #[case("if x:\n  pass\n", false)]
    #[case("iffy = 1", false)]
    #[case("if", true)]
    #[case("@decorator", true)]
    #[case("async def f():", true)]
    #[case("[1, {2: (", true)]
    #[case("# (", true)]
    #[case(")", false)]
    #[case("class_ = 1", false)]
    fn asks_for_more(#[case] input: &str, #[case] expect: bool) {
        assert_eq!(needs_more_input(input.as_bytes()), expect);
    }
}
