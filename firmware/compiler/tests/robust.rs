//! No text makes the compiler panic or hang, and whatever it accepts passes the verifier (which the backend runs).

mod support;

use larch_compiler::{ErrorKind, Mode, Options};
use proptest::prelude::*;

const MODES: [Mode; 3] = [Mode::File, Mode::Single, Mode::Eval];

/// Pieces that make up most of the grammar.
const PIECES: &[&str] = &[
    "if ",
    "else",
    "elif ",
    "while ",
    "for ",
    "in ",
    "not ",
    "is ",
    "and ",
    "or ",
    "def f(",
    "def ",
    "class A",
    "class ",
    "return ",
    "yield ",
    "yield from ",
    "await ",
    "async ",
    "with ",
    "as ",
    "try:",
    "except ",
    "except:",
    "finally:",
    "raise ",
    "from ",
    "import ",
    "global ",
    "nonlocal ",
    "del ",
    "pass",
    "break",
    "continue",
    "lambda ",
    "lambda: ",
    "assert ",
    "None",
    "True",
    "__debug__",
    "a",
    "b",
    "x",
    "self",
    "super()",
    "range(",
    "const(",
    "_X = const(",
    "1",
    "0",
    "-1",
    "1.5",
    "2j",
    "0xff",
    "99999999999999999999",
    "'s'",
    "b'b'",
    "f'{a}'",
    "f'{",
    "}'",
    "f'{a!r:{b}}'",
    "\"",
    "'''",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ":=",
    ";",
    ".",
    "...",
    "=",
    "==",
    "!=",
    "<",
    "<=",
    ">>",
    "+",
    "-",
    "*",
    "**",
    "/",
    "//",
    "%",
    "@",
    "&",
    "|",
    "^",
    "~",
    "+=",
    "**=",
    "->",
    "\n",
    "\n ",
    "\n  ",
    "\n    ",
    "\t",
    " ",
    "\\\n",
    "#c\n",
    "@a\n",
    "$",
    "?",
    "é",
    "\0",
    "\r",
];

fn any_mode(source: &str) {
    for mode in MODES {
        let mut keeper = support::Keeper::quiet();
        let result = support::compile_with(&mut keeper, source, mode, Options::default());
        if let Err(error) = result {
            support::describe(&keeper, source, &error);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_text(source in any::<String>()) {
        any_mode(&source);
    }

    #[test]
    fn any_pieces(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40)) {
        any_mode(&pieces.concat());
    }

    /// Real programs, cut off and with a piece in the middle replaced: most of them get far.
    #[test]
    fn damaged_programs(which in 0usize..8, cut in any::<proptest::sample::Index>(),
                        at in any::<proptest::sample::Index>(), piece in proptest::sample::select(PIECES)) {
        let programs = programs();
        let program = &programs[which % programs.len()];
        let chars: Vec<char> = program.chars().collect();
        let end = cut.index(chars.len() + 1);
        let start = at.index(end + 1);
        let mut damaged: String = chars[..start].iter().collect();
        damaged.push_str(piece);
        damaged.extend(&chars[(start + 1).min(end)..end]);
        any_mode(&damaged);
    }
}

fn programs() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/listing");
    let mut programs: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    programs.sort();
    programs
}

/// Everything that nests, nested far too deeply.
#[test]
fn deep_nesting_is_an_error() {
    let deep = |open: &str, close: &str| format!("{}x{}", open.repeat(5000), close.repeat(5000));
    let mut sources = vec![
        deep("(", ")"),
        deep("[", "]"),
        deep("{", "}"),
        deep("{1:", "}"),
        deep("f(", ")"),
        deep("x[", "]"),
        deep("lambda: ", ""),
        deep("not ", ""),
        deep("-", ""),
        deep("x**", ""),
        deep("x if y else ", ""),
        deep("f'{", "}'"),
        deep("f(*", ")"),
        deep("f(a=", ")"),
        deep("(yield ", ")"),
        deep("[await x for x in ", "]"),
        deep("(x := ", ")"),
        deep("x[1:", "]"),
    ];
    let blocks =
        ["if x:", "while x:", "for x in y:", "with x:", "try:", "def f():", "class A:", "async def f():"];
    for block in blocks {
        let lines = (0..3000).map(|level| format!("{}{block}\n", " ".repeat(level)));
        sources.push(lines.collect::<String>() + &" ".repeat(3000) + "pass\n");
    }
    let check = move || {
        for source in sources {
            let mut keeper = support::Keeper::quiet();
            let error =
                support::compile_with(&mut keeper, &source, Mode::File, Options::default()).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Limit, "{}", &source[..40]);
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(check).unwrap().join().unwrap();
}

/// What does not nest may be long.
#[test]
fn long_is_not_deep() {
    let sources = [
        "x = 1\n".repeat(3000),
        "x + ".repeat(3000) + "x\n",
        "x and ".repeat(3000) + "x\n",
        "x < ".repeat(3000) + "x\n",
        "x = ".repeat(3000) + "y\n",
        "x".to_string() + &".a".repeat(3000) + "\n",
        "x".to_string() + &"(1)".repeat(3000) + "\n",
        "x = [".to_string() + &"y, ".repeat(3000) + "]\n",
        "x = {".to_string() + &"y, ".repeat(3000) + "}\n",
        "x = {".to_string() + &"y: z, ".repeat(3000) + "}\n",
        "x = (".to_string() + &"y, ".repeat(3000) + ")\n",
        "f(".to_string() + &"y, ".repeat(3000) + ")\n",
        "f(".to_string() + &"y=1, ".repeat(300) + ")\n",
        "if x: pass\n".to_string() + &"elif y: pass\n".repeat(3000),
        "try: pass\n".to_string() + &"except x: pass\n".repeat(3000),
        "del x".to_string() + &", x".repeat(3000) + "\n",
        "import x".to_string() + &", x".repeat(3000) + "\n",
        "'a' ".repeat(3000) + "\n",
    ];
    for source in sources {
        let mut keeper = support::Keeper::quiet();
        let result = support::compile_with(&mut keeper, &source, Mode::File, Options::default());
        let described = result.map_err(|error| support::describe(&keeper, &source, &error));
        assert!(described.is_ok(), "{described:?} {}", &source[..20]);
    }
}

/// Memory that the backend refuses becomes a MemoryError, whichever request it is.
#[test]
fn every_refusal_is_a_memory_error() {
    for program in programs() {
        for budget in 0.. {
            let mut keeper = support::Keeper::with_budget(budget);
            match support::compile_with(&mut keeper, &program, Mode::File, Options::default()) {
                Ok(_) => break,
                Err(error) => assert_eq!(error.kind, ErrorKind::Memory),
            }
        }
    }
}
