//! How far the next line is indented.
//!
//! Source: `readline_auto_indent` in MicroPython's `shared/readline/readline.c`.

/// How many levels of four spaces to put at the start of the line that follows `text`, which ends in a newline.
/// The levels of the line above are copied, plus one after a colon; none after two lines of spaces only.
pub(crate) fn levels(text: &[u8]) -> usize {
    let Some(body) = text.strip_suffix(b"\n").filter(|body| !body.is_empty()) else { return 0 };
    let (before, line) = match body.iter().rposition(|&byte| byte == b'\n') {
        Some(newline) => (&body[..newline], &body[newline + 1..]),
        None => (&[][..], body),
    };
    let is_first_line = before.is_empty();
    let spaces = line.iter().take_while(|&&byte| byte == b' ').count();
    if !is_first_line && spaces == line.len() {
        let blanks = before.iter().rev().take_while(|&&byte| byte == b' ').count();
        if before.len() > blanks && before[before.len() - blanks - 1] == b'\n' {
            return 0;
        }
    }
    spaces / 4 + usize::from(body.ends_with(b":"))
}

#[cfg(test)]
mod tests {
    use super::levels;
    use rstest::rstest;

    #[rstest]
    #[case("", 0)]
    #[case("\n", 0)]
    #[case("if x:\n", 1)]
    #[case("if x:\n    y\n", 1)]
    #[case("if x:\n    for y in z:\n", 2)]
    #[case("if x:\n      y\n", 1)]
    #[case("f(\n", 0)]
    #[case("if x:\n    y\n    \n", 1)]
    #[case("if x:\n    y\n    \n    \n", 0)]
    #[case("if x:\n    \n", 1)]
    fn indents(#[case] text: &str, #[case] expect: usize) {
        assert_eq!(levels(text.as_bytes()), expect);
    }
}
