//! The command line: `larch [-h] [-i] [-O[N]] [-v] [-X option] [-c CMD | -m MODULE | FILE | -] [ARG…]`.

use lexopt::prelude::*;

/// What `-h` prints.
pub const USAGE: &str = "\
usage: larch [<opts>] [-X <implopt>] [-c <command> | -m <module> | <filename> | -] [<arg>...]
Options:
--version : show version information
-h : print this help message
-i : enable inspection via REPL after running command/module/file
-v : verbose (trace various operations); can be multiple
-O[N] : apply bytecode optimizations of level N
Implementation specific options (-X):
  emit=bytecode -- the only code emitter there is
  compile-only -- compile the file and do not run it
  heapsize=<n>[K|M] -- set the heap size for the GC (default 2M)
  fail-alloc=<n> -- make the n-th allocation and all after it fail, then show that the interpreter is alive (for tests)
";

/// What to run.
#[derive(Debug, PartialEq, Eq)]
pub enum Program {
    /// The prompt, or a program from standard input if that is no terminal.
    Interactive,
    /// `-c`: this text.
    Command(String),
    /// `-m`: this module.
    Module(String),
    /// This file.
    File(String),
    /// `-`: standard input.
    Stdin,
}

/// The command line, understood.
#[derive(Debug)]
pub struct Arguments {
    /// What to run.
    pub program: Program,
    /// `sys.argv` after the program.
    pub rest: Vec<String>,
    /// `-i`: the prompt afterwards.
    pub inspect: bool,
    /// `-O` level.
    pub opt_level: u8,
    /// Bytes of Python heap.
    pub heap_bytes: usize,
    /// `-X compile-only`
    pub compile_only: bool,
    /// `-X fail-alloc`: the allocation that fails; 0 is none.
    pub fail_alloc: u32,
    /// `--version` or `-h` was asked for: print this and leave.
    pub answer: Option<String>,
}

/// Smallest heap that can hold its own tables and a prompt.
const MIN_HEAP: usize = 16 * 1024;
/// Largest: offsets are 32 bits, with room to spare for arithmetic on them.
const MAX_HEAP: usize = 1 << 30;

/// Reads the command line of this process.
///
/// # Errors
/// What is wrong with it.
pub fn parse() -> Result<Arguments, lexopt::Error> {
    parse_from(lexopt::Parser::from_env())
}

fn parse_from(mut parser: lexopt::Parser) -> Result<Arguments, lexopt::Error> {
    let mut arguments = Arguments {
        program: Program::Interactive,
        rest: Vec::new(),
        inspect: false,
        opt_level: 0,
        heap_bytes: 2 << 20,
        compile_only: false,
        fail_alloc: 0,
        answer: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => arguments.answer = Some(USAGE.into()),
            Long("version") => arguments.answer = Some(format!("{}\n", crate::interpreter::VERSION_LINE)),
            Short('i') => arguments.inspect = true,
            Short('v') => {}
            Short('O') => {
                arguments.opt_level = match parser.optional_value() {
                    Some(level) => level.parse()?,
                    None => arguments.opt_level + 1,
                }
            }
            Short('X') => implementation_option(&mut arguments, &parser.value()?.string()?)?,
            Short('c') => arguments.program = Program::Command(parser.value()?.string()?),
            Short('m') => arguments.program = Program::Module(parser.value()?.string()?),
            Value(file) if file == "-" => arguments.program = Program::Stdin,
            Value(file) => arguments.program = Program::File(file.string()?),
            _ => return Err(argument.unexpected()),
        }
        if arguments.program != Program::Interactive {
            arguments.rest = parser.raw_args()?.map(|arg| arg.string()).collect::<Result<_, _>>()?;
            break;
        }
    }
    Ok(arguments)
}

fn implementation_option(arguments: &mut Arguments, option: &str) -> Result<(), lexopt::Error> {
    if option == "emit=bytecode" {
        return Ok(());
    }
    if option == "compile-only" {
        arguments.compile_only = true;
        return Ok(());
    }
    if let Some(number) = option.strip_prefix("fail-alloc=") {
        arguments.fail_alloc =
            number.parse().map_err(|_| format!("'{number}' is no number of an allocation"))?;
        return Ok(());
    }
    let Some(size) = option.strip_prefix("heapsize=") else {
        return Err(format!("unknown -X option '{option}' (one of: emit=bytecode, compile-only, heapsize=N[K|M], fail-alloc=N)").into());
    };
    let (digits, unit) = match size.as_bytes().last() {
        Some(b'k' | b'K') => (&size[..size.len() - 1], 1 << 10),
        Some(b'm' | b'M') => (&size[..size.len() - 1], 1 << 20),
        _ => (size, 1),
    };
    let bytes = digits.parse::<usize>().ok().and_then(|n| n.checked_mul(unit));
    match bytes {
        Some(bytes) if (MIN_HEAP..=MAX_HEAP).contains(&bytes) => {
            arguments.heap_bytes = bytes;
            Ok(())
        }
        _ => Err(format!("heap size '{size}' is not between 16K and 1024M").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Arguments, lexopt::Error> {
        parse_from(lexopt::Parser::from_args(args))
    }

    #[test]
    fn the_program_ends_the_options() {
        let arguments = parse(&["-X", "heapsize=64K", "-O2", "-i", "file.py", "-c", "x"]).unwrap();
        assert_eq!(arguments.program, Program::File("file.py".into()));
        assert_eq!(arguments.rest, ["-c", "x"]);
        assert_eq!((arguments.heap_bytes, arguments.opt_level, arguments.inspect), (65536, 2, true));
        assert_eq!(parse(&["-c", "print(1)", "a"]).unwrap().program, Program::Command("print(1)".into()));
    }

    #[test]
    fn wrong_options_are_refused() {
        for wrong in [&["-X", "heapsize=1"][..], &["-X", "heapsize=x"], &["-X", "nope"], &["-q"], &["-c"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
