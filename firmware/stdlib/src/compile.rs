//! The compiler behind the machine's hook: makes its constants in the heap, and its errors Python exceptions.
//!
//! What is made during a compilation is kept alive by a list in [`Root::Compiling`].

use alloc::vec::Vec;
use core::fmt::{self, Write};

use larch_bytecode::code::{Backend, CodeParts, OutOfMemory, Singleton};
use larch_bytecode::qstr::Qstr;
use larch_compiler::mpy::MpyError;
use larch_compiler::{CompileError, ErrorKind, Mode, Options};
use larch_heap::{Root, Value};
use larch_vm::native::BinaryOp;
use larch_vm::text::Span;
use larch_vm::types::ids;
use larch_vm::{CompileMode, Part, Res, Vm};

/// Longest message of a compile error.
const MESSAGE: usize = 96;

/// Compiles a string or bytes-like value. The machine's hook.
///
/// # Errors
/// SyntaxError and its like, with the place; MemoryError; TypeError if the value holds no text.
pub fn compile(vm: &mut Vm, source: Value, file: Qstr, mode: CompileMode) -> Res {
    let span = match vm.str_span(source) {
        Some(span) => span,
        None => match vm.buffer(source) {
            Some(span) => span,
            None => return Err(vm.raise(ids::TypeError, "object with buffer protocol required")),
        },
    };
    vm.root(source)?;
    compile_span(vm, span, file, mode)
}

/// Compiles the text at a span. The text is copied out of the heap, which the compiler changes while it reads.
///
/// # Errors
/// As [`compile`].
pub fn compile_span(vm: &mut Vm, span: Span, file: Qstr, mode: CompileMode) -> Res {
    let mut copy = Vec::new();
    if copy.try_reserve_exact(span.len() as usize).is_err() {
        return Err(vm.raise_memory());
    }
    copy.extend_from_slice(vm.bytes_at(span));
    compile_bytes(vm, &copy, file, mode)
}

/// Compiles bytes that lie outside the heap.
///
/// # Errors
/// As [`compile`]; SyntaxError if they are not UTF-8.
pub fn compile_bytes(vm: &mut Vm, source: &[u8], file: Qstr, mode: CompileMode) -> Res {
    match core::str::from_utf8(source) {
        Ok(text) => compile_text(vm, text, file, mode),
        Err(_) => Err(vm.raise_syntax(ids::SyntaxError, &[Part::Text("invalid syntax")], file, 1, None)),
    }
}

/// Compiles a text that lies outside the heap.
///
/// # Errors
/// As [`compile`].
pub fn compile_text(vm: &mut Vm, source: &str, file: Qstr, mode: CompileMode) -> Res {
    let before = vm.heap.root(Root::Compiling);
    let mut result = attempt(vm, source, file, mode);
    if let Ok(Err(error)) = &result
        && error.kind == ErrorKind::Memory
    {
        vm.collect();
        result = attempt(vm, source, file, mode);
    }
    vm.heap.set_root(Root::Compiling, before);
    match result? {
        Ok(code) => Ok(code),
        Err(error) => Err(raise(vm, source, file, &error)),
    }
}

fn attempt(vm: &mut Vm, source: &str, file: Qstr, mode: CompileMode) -> Res<Result<Value, CompileError>> {
    let kept = vm.new_list(&[])?;
    vm.heap.set_root(Root::Compiling, kept);
    let mode = match mode {
        CompileMode::File => Mode::File,
        CompileMode::Single => Mode::Single,
        CompileMode::Eval => Mode::Eval,
    };
    let options = Options { level: vm.opt_level, ..Options::default() };
    Ok(larch_compiler::compile(
        source,
        file,
        mode,
        options,
        &mut Constants { vm, verifies: false, flaw: false },
    ))
}

fn raise(vm: &mut Vm, source: &str, file: Qstr, error: &CompileError) -> larch_vm::Raised {
    let class = match error.kind {
        ErrorKind::Syntax => ids::SyntaxError,
        ErrorKind::Indentation => ids::IndentationError,
        ErrorKind::ViperType => ids::ViperTypeError,
        ErrorKind::NotImplemented => ids::NotImplementedError,
        ErrorKind::Limit => ids::RuntimeError,
        ErrorKind::Memory => return vm.raise_memory(),
    };
    let mut message = Message { bytes: [0; MESSAGE], len: 0 };
    let _ = error.write_message(source, |name| vm.qstr_text(name), &mut message);
    let text = core::str::from_utf8(&message.bytes[..message.len]).unwrap_or("invalid syntax");
    vm.raise_syntax(class, &[Part::Text(text)], file, error.line, error.block)
}

/// A message of limited length.
struct Message {
    bytes: [u8; MESSAGE],
    len: usize,
}

impl Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let end = self.len + character.len_utf8();
            let Some(place) = self.bytes.get_mut(self.len..end) else { return Err(fmt::Error) };
            character.encode_utf8(place);
            self.len = end;
        }
        Ok(())
    }
}

/// Makes the code object of a module from the content of a `.mpy` file, which is verified.
///
/// # Errors
/// ValueError if the file is not one that can be loaded, NotImplementedError, MemoryError.
pub fn load_mpy(vm: &mut Vm, bytes: &[u8], file: Qstr) -> Res {
    let before = vm.heap.root(Root::Compiling);
    let kept = vm.new_list(&[])?;
    vm.heap.set_root(Root::Compiling, kept);
    let mut constants = Constants { vm, verifies: true, flaw: false };
    let loaded = larch_compiler::mpy::load(bytes, file, &mut constants);
    let Constants { vm, flaw, .. } = constants;
    vm.heap.set_root(Root::Compiling, before);
    loaded.map_err(|error| match error {
        _ if flaw => vm.raise(ids::ValueError, MpyError::Incompatible.text()),
        MpyError::Memory => vm.raise_memory(),
        MpyError::AsyncWith | MpyError::TooLarge => vm.raise(ids::NotImplementedError, error.text()),
        MpyError::Incompatible | MpyError::Native => vm.raise(ids::ValueError, error.text()),
    })
}

/// The compiler's view of the heap.
struct Constants<'v> {
    vm: &'v mut Vm,
    /// Code objects are checked: they do not come from our compiler.
    verifies: bool,
    /// One was wrong.
    flaw: bool,
}

impl Constants<'_> {
    /// Keeps what was made alive until the compilation ends.
    fn keep(&mut self, made: Res) -> Result<Value, OutOfMemory> {
        let value = made.map_err(|_| OutOfMemory)?;
        if value.is_cell() {
            let scope = self.vm.root(value).map_err(|_| OutOfMemory)?;
            let list = self.vm.heap.root(Root::Compiling).as_cell().ok_or(OutOfMemory)?;
            self.vm.list_append(list, value).map_err(|_| OutOfMemory)?;
            self.vm.release(scope);
        }
        Ok(value)
    }
}

impl Backend for Constants<'_> {
    type Const = Value;

    fn qstr(&mut self, text: &str) -> Result<Qstr, OutOfMemory> {
        self.vm.intern(text).map_err(|_| OutOfMemory)
    }

    fn int(&mut self, digits: &str, radix: u32) -> Result<Value, OutOfMemory> {
        let made = self.vm.int_from_digits(digits, radix);
        self.keep(made)
    }

    fn small_int(&mut self, value: i32) -> Value {
        Value::small(value)
    }

    fn float(&mut self, text: &str) -> Result<Value, OutOfMemory> {
        let made = self.vm.float_from_text(text);
        self.keep(made)
    }

    fn imaginary(&mut self, text: &str) -> Result<Value, OutOfMemory> {
        let made = self.vm.imaginary_from_text(text);
        self.keep(made)
    }

    fn str(&mut self, text: &str) -> Result<Value, OutOfMemory> {
        let made = self.vm.new_str(text);
        self.keep(made)
    }

    fn interned(&mut self, name: Qstr) -> Value {
        Value::qstr(name)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<Value, OutOfMemory> {
        let made = self.vm.new_bytes(bytes);
        self.keep(made)
    }

    fn tuple(&mut self, items: &[Value]) -> Result<Value, OutOfMemory> {
        let made = self.vm.new_tuple(items);
        self.keep(made)
    }

    fn number_of_module(&mut self, module: Qstr, name: Qstr) -> Result<Option<Value>, OutOfMemory> {
        // The modules whose numbers never change.
        if !matches!(module, Qstr::math | Qstr::errno | Qstr::uctypes) {
            return Ok(None);
        }
        let Some(id) = self.vm.registry().find_module(module) else { return Ok(None) };
        let value = self.vm.find_in_rom_module(id, name).map_err(|_| OutOfMemory)?;
        match value.is_small() || self.vm.as_float(value).is_some() {
            true => self.keep(Ok(value)).map(Some),
            false => Ok(None),
        }
    }

    fn operate(&mut self, operator: u8, left: Value, right: Value) -> Result<Option<Value>, OutOfMemory> {
        const OPERATORS: [BinaryOp; 13] = [
            BinaryOp::Add,
            BinaryOp::Sub,
            BinaryOp::Mul,
            BinaryOp::MatMul,
            BinaryOp::TrueDiv,
            BinaryOp::Mod,
            BinaryOp::FloorDiv,
            BinaryOp::Pow,
            BinaryOp::And,
            BinaryOp::Or,
            BinaryOp::Xor,
            BinaryOp::Shl,
            BinaryOp::Shr,
        ];
        let is_number = |vm: &Vm, value| vm.is_int(value) || vm.as_float(value).is_some();
        let Some(operator) = OPERATORS.get(usize::from(operator)) else { return Ok(None) };
        if !is_number(self.vm, left) || !is_number(self.vm, right) {
            return Ok(None);
        }
        match self.vm.binary(*operator, left, right) {
            Ok(value) => self.keep(Ok(value)).map(Some),
            Err(_) => {
                let exception = self.vm.take_raised();
                if self.vm.is_a(exception, ids::MemoryError) { Err(OutOfMemory) } else { Ok(None) }
            }
        }
    }

    fn singleton(&mut self, which: Singleton) -> Value {
        match which {
            Singleton::None => Value::NONE,
            Singleton::True => Value::TRUE,
            Singleton::False => Value::FALSE,
            Singleton::Ellipsis => Value::ELLIPSIS,
        }
    }

    fn code(&mut self, parts: &CodeParts<'_, Value>) -> Result<Value, OutOfMemory> {
        if self.verifies && larch_bytecode::verify(parts, |value| self.vm.captured_by(*value)).is_err() {
            self.flaw = true;
            return Err(OutOfMemory);
        }
        let made = self.vm.new_code(parts);
        self.keep(made)
    }
}
