//! A backend that keeps what the compiler makes, verifies every code object and lists them.
#![allow(clippy::allow_attributes, dead_code, reason = "each test uses a part of it")]

use larch_bytecode::code::{Backend, CodeParts, OutOfMemory, Singleton};
use larch_bytecode::disasm::{Show, list};
use larch_bytecode::qstr::{Qstr, STATIC, STATIC_COUNT};
use larch_bytecode::verify;
use larch_compiler::{CompileError, ErrorKind, Mode, Options, compile};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write;

/// A constant.
pub enum Constant {
    /// Shown as it is.
    Text(String),
    /// A tuple of constants.
    Tuple(Vec<usize>),
    /// A code object: how it is shown, its listing, the cells it captures.
    Code(String, String, u8),
}

/// Keeps constants and names in lists.
#[derive(Default)]
pub struct Keeper {
    names: Vec<String>,
    numbers: HashMap<String, u16>,
    /// What has been made.
    pub constants: Vec<Constant>,
    /// Indices of the code objects, in the order they were made.
    pub codes: Vec<usize>,
    /// Allocations that still succeed; all do if there is none.
    budget: Option<u32>,
    /// Do not list, only verify.
    quiet: bool,
}

impl Keeper {
    /// One that makes no listings.
    pub fn quiet() -> Self {
        Keeper { quiet: true, ..Keeper::default() }
    }

    /// One whose memory is exhausted after so many requests.
    pub fn with_budget(budget: u32) -> Self {
        Keeper { budget: Some(budget), ..Keeper::quiet() }
    }

    fn keep(&mut self, constant: Constant) -> Result<usize, OutOfMemory> {
        if let Some(budget) = &mut self.budget {
            *budget = budget.checked_sub(1).ok_or(OutOfMemory)?;
        }
        self.constants.push(constant);
        Ok(self.constants.len() - 1)
    }

    /// The text of a name.
    pub fn name_text(&self, name: Qstr) -> &str {
        match usize::from(name.0).checked_sub(STATIC_COUNT) {
            None => STATIC[usize::from(name.0)],
            Some(index) => &self.names[index],
        }
    }

    fn text(&self, constant: usize) -> String {
        match &self.constants[constant] {
            Constant::Text(text) => text.clone(),
            Constant::Code(text, ..) => text.clone(),
            Constant::Tuple(items) => {
                let items: Vec<String> = items.iter().map(|item| self.text(*item)).collect();
                format!("({})", items.join(", "))
            }
        }
    }
}

impl Show<usize> for Keeper {
    fn name(&self, name: Qstr, out: &mut dyn Write) -> std::fmt::Result {
        write!(out, "{:?}", self.name_text(name))
    }

    fn constant(&self, constant: &usize, out: &mut dyn Write) -> std::fmt::Result {
        out.write_str(&self.text(*constant))
    }
}

impl Backend for Keeper {
    type Const = usize;

    fn qstr(&mut self, text: &str) -> Result<Qstr, OutOfMemory> {
        if let Some(number) = STATIC.iter().position(|name| *name == text) {
            return Ok(Qstr(number as u16));
        }
        if let Some(number) = self.numbers.get(text) {
            return Ok(Qstr(*number));
        }
        let number = (STATIC_COUNT + self.names.len()) as u16;
        self.names.push(text.to_string());
        self.numbers.insert(text.to_string(), number);
        Ok(Qstr(number))
    }

    fn int(&mut self, digits: &str, radix: u32) -> Result<usize, OutOfMemory> {
        self.keep(Constant::Text(format!("int {digits} radix {radix}")))
    }

    fn small_int(&mut self, value: i32) -> usize {
        self.constants.push(Constant::Text(format!("{value}")));
        self.constants.len() - 1
    }

    fn float(&mut self, text: &str) -> Result<usize, OutOfMemory> {
        assert!(text.parse::<f64>().is_ok(), "not a float: {text}");
        self.keep(Constant::Text(format!("float {text}")))
    }

    fn imaginary(&mut self, text: &str) -> Result<usize, OutOfMemory> {
        assert!(text.parse::<f64>().is_ok(), "not a float: {text}");
        self.keep(Constant::Text(format!("imaginary {text}")))
    }

    fn str(&mut self, text: &str) -> Result<usize, OutOfMemory> {
        self.keep(Constant::Text(format!("{text:?}")))
    }

    fn interned(&mut self, name: Qstr) -> usize {
        let text = format!("{:?}", self.name_text(name));
        self.constants.push(Constant::Text(text));
        self.constants.len() - 1
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<usize, OutOfMemory> {
        self.keep(Constant::Text(format!("b\"{}\"", bytes.escape_ascii())))
    }

    fn tuple(&mut self, items: &[usize]) -> Result<usize, OutOfMemory> {
        self.keep(Constant::Tuple(items.to_vec()))
    }

    fn singleton(&mut self, which: Singleton) -> usize {
        self.constants.push(Constant::Text(format!("{which:?}")));
        self.constants.len() - 1
    }

    fn code(&mut self, parts: &CodeParts<'_, usize>) -> Result<usize, OutOfMemory> {
        let captured = |constant: &usize| match &self.constants[*constant] {
            Constant::Code(.., free) => Some(*free),
            _ => None,
        };
        let verdict = verify(parts, captured);
        let name = self.name_text(parts.name);
        let mut listing = String::new();
        if !self.quiet || verdict.is_err() {
            let names: Vec<&str> = parts.parameters.iter().map(|name| self.name_text(*name)).collect();
            write!(listing, "{name}({})", names.join(", ")).unwrap();
            let (positional, keyword_only) = (parts.positional, parts.keyword_only);
            write!(listing, " positional {positional}, keyword {keyword_only}").unwrap();
            write!(listing, ", flags {:#x}, free {}", parts.flags.0, parts.free).unwrap();
            writeln!(listing, ", registers {}", parts.registers).unwrap();
            list(parts, self, &mut listing).unwrap();
        }
        assert_eq!(verdict, Ok(()), "\n{listing}");
        let text = format!("code {name}");
        let index = self.keep(Constant::Code(text, listing, parts.free))?;
        self.codes.push(index);
        Ok(index)
    }
}

/// Compiles and verifies.
pub fn compile_with(
    keeper: &mut Keeper,
    source: &str,
    mode: Mode,
    options: Options,
) -> Result<usize, CompileError> {
    let file = keeper.qstr("test.py").unwrap();
    compile(source, file, mode, options, keeper)
}

/// The exception line and the place that MicroPython's traceback would show.
pub fn describe(keeper: &Keeper, source: &str, error: &CompileError) -> String {
    let kind = match error.kind {
        ErrorKind::Syntax => "SyntaxError",
        ErrorKind::Indentation => "IndentationError",
        ErrorKind::ViperType => "ViperTypeError",
        ErrorKind::NotImplemented => "NotImplementedError",
        ErrorKind::Limit => "RuntimeError",
        ErrorKind::Memory => "MemoryError",
    };
    let mut text = format!("line {}", error.line);
    if let Some(block) = error.block {
        write!(text, ", in {}", keeper.name_text(block)).unwrap();
    }
    write!(text, ": {kind}: ").unwrap();
    let keeper = RefCell::new(keeper);
    error.write_message(source, |name| keeper.borrow().name_text(name), &mut text).unwrap();
    text
}

/// The listings of all code objects, outermost first, or the error.
pub fn listing(source: &str, mode: Mode) -> String {
    let mut keeper = Keeper::default();
    match compile_with(&mut keeper, source, mode, Options::default()) {
        Err(error) => describe(&keeper, source, &error),
        Ok(_) => {
            let listings = keeper.codes.iter().rev().map(|code| match &keeper.constants[*code] {
                Constant::Code(_, listing, _) => listing.as_str(),
                _ => "",
            });
            listings.collect::<Vec<_>>().join("\n")
        }
    }
}

/// Compares what `show` makes of every `tests/FOLDER/*.py` with its snapshot.
pub fn each_input(folder: &str, show: impl Fn(&str) -> String) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut inputs: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
    inputs.sort();
    assert!(!inputs.is_empty(), "no inputs in {}", folder.display());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for input in inputs {
            let source = std::fs::read_to_string(&input).unwrap();
            let name = input.file_stem().unwrap().to_string_lossy().into_owned();
            insta::assert_snapshot!(name, show(&source));
        }
    });
}
