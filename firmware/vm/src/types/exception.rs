//! The built-in exceptions. An exception is a cell of type, arguments (a tuple) and traceback.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Value};

use super::ids;
use crate::code::Code;
use crate::native::{Args, AttrOp, Raised, Res, TypeDef, TypeId};
use crate::print::{PrintKind, Sink};
use crate::vm::{Part, Vm};

const ARGS: u32 = 1;
const TRACEBACK: u32 = 2;
/// Bytes of a traceback entry: file, name, line.
const ENTRY: u32 = 6;
/// Entries of a traceback: an exception that is raised again and again keeps the first ones.
const MAX_TRACEBACK: u32 = 256;

macro_rules! exceptions {
    ($($(#[$doc:meta])* $constant:ident $name:ident $base:expr;)*) => {$(
        $(#[$doc])*
        pub static $constant: TypeDef = TypeDef { base: $base, ..exception(Qstr::$name) };
    )*};
}

const fn exception(name: Qstr) -> TypeDef {
    TypeDef { make: Some(make), print: Some(print), attr: Some(attr), ..TypeDef::new(name) }
}

const fn under(base: TypeId) -> Option<TypeId> {
    Some(base)
}

exceptions! {
    /// `BaseException`
    BASEEXCEPTION BaseException None;
    /// `Exception`
    EXCEPTION Exception under(ids::BaseException);
    /// `SystemExit`
    SYSTEMEXIT SystemExit under(ids::BaseException);
    /// `KeyboardInterrupt`
    KEYBOARDINTERRUPT KeyboardInterrupt under(ids::BaseException);
    /// `GeneratorExit`
    GENERATOREXIT GeneratorExit under(ids::BaseException);
    /// `StopIteration`
    STOPITERATION StopIteration under(ids::Exception);
    /// `StopAsyncIteration`
    STOPASYNCITERATION StopAsyncIteration under(ids::Exception);
    /// `ArithmeticError`
    ARITHMETICERROR ArithmeticError under(ids::Exception);
    /// `OverflowError`
    OVERFLOWERROR OverflowError under(ids::ArithmeticError);
    /// `ZeroDivisionError`
    ZERODIVISIONERROR ZeroDivisionError under(ids::ArithmeticError);
    /// `AssertionError`
    ASSERTIONERROR AssertionError under(ids::Exception);
    /// `AttributeError`
    ATTRIBUTEERROR AttributeError under(ids::Exception);
    /// `EOFError`
    EOFERROR EOFError under(ids::Exception);
    /// `ImportError`
    IMPORTERROR ImportError under(ids::Exception);
    /// `LookupError`
    LOOKUPERROR LookupError under(ids::Exception);
    /// `IndexError`
    INDEXERROR IndexError under(ids::LookupError);
    /// `KeyError`
    KEYERROR KeyError under(ids::LookupError);
    /// `MemoryError`
    MEMORYERROR MemoryError under(ids::Exception);
    /// `NameError`
    NAMEERROR NameError under(ids::Exception);
    /// `OSError`
    OSERROR OSError under(ids::Exception);
    /// `RuntimeError`
    RUNTIMEERROR RuntimeError under(ids::Exception);
    /// `NotImplementedError`
    NOTIMPLEMENTEDERROR NotImplementedError under(ids::RuntimeError);
    /// `SyntaxError`
    SYNTAXERROR SyntaxError under(ids::Exception);
    /// `IndentationError`
    INDENTATIONERROR IndentationError under(ids::SyntaxError);
    /// `TypeError`
    TYPEERROR TypeError under(ids::Exception);
    /// `ValueError`
    VALUEERROR ValueError under(ids::Exception);
    /// `UnicodeError`
    UNICODEERROR UnicodeError under(ids::ValueError);
    /// `ViperTypeError`
    VIPERTYPEERROR ViperTypeError under(ids::TypeError);
}

fn make(vm: &mut Vm, class: Value, args: Args) -> Res {
    if args.keywords > 0 {
        return Err(vm.raise(ids::TypeError, "function doesn't take keyword arguments"));
    }
    vm.with_exception_memory(|vm| {
        let values = vm.new_tuple_from_stack(args.base, u32::from(args.positional))?;
        vm.alloc_values(Kind::Exception, &[class, values, Value::NONE])
    })
}

fn print(vm: &mut Vm, sink: Sink, value: Value, kind: PrintKind) -> Res<()> {
    let Some(at) = vm.heap.as_kind(value, Kind::Exception) else { return Ok(()) };
    let class = vm.heap.value(at, 0);
    let args = vm.heap.value(at, ARGS);
    let count = args.as_cell().map_or(0, |at| vm.heap.header(at).count());
    let first = args.as_cell().filter(|_| count > 0).map(|at| vm.heap.slot(at, 0));
    if kind == PrintKind::Repr {
        vm.print_type_name(sink, class)?;
        return vm.print_value(sink, args, PrintKind::Repr);
    }
    match (count, first) {
        (0, _) => Ok(()),
        (1 | 2, Some(first)) => {
            if vm.is_subclass(class, ids::OSError.value())
                && let Some(errno) = first.as_small()
                && let Some(name) = crate::modules::errno::name_of(errno)
            {
                vm.emit_str(sink, "[Errno ")?;
                vm.emit_int(sink, errno)?;
                vm.emit_str(sink, "] ")?;
                vm.print_value(sink, Value::qstr(name), PrintKind::Str)?;
                if count == 1 {
                    return Ok(());
                }
                vm.emit_str(sink, ": ")?;
                let detail = args.as_cell().map_or(Value::NONE, |at| vm.heap.slot(at, 1));
                return vm.print_value(sink, detail, PrintKind::Str);
            }
            match count {
                1 => vm.print_value(sink, first, PrintKind::Str),
                _ => vm.print_value(sink, args, PrintKind::Repr),
            }
        }
        _ => vm.print_value(sink, args, PrintKind::Repr),
    }
}

fn attr(vm: &mut Vm, value: Value, name: Qstr, op: AttrOp) -> Res {
    let Some(at) = vm.heap.as_kind(value, Kind::Exception) else { return Ok(Value::UNBOUND) };
    if op != AttrOp::Get {
        // Attributes such as __traceback__ may be set; all that is kept of them is that there is no traceback any more.
        if name == Qstr::__traceback__ && op == AttrOp::Set(Value::NONE) {
            vm.heap.set_value(at, TRACEBACK, Value::NONE);
        }
        let is_ignored = matches!(name, Qstr::__traceback__ | Qstr::__cause__ | Qstr::__context__);
        return Ok(if is_ignored { Value::NONE } else { Value::UNBOUND });
    }
    let class = vm.heap.value(at, 0);
    Ok(match name {
        Qstr::args => vm.heap.value(at, ARGS),
        Qstr::value => vm.exception_value(value),
        Qstr::errno if vm.is_subclass(class, ids::OSError.value()) => vm.exception_value(value),
        _ => Value::UNBOUND,
    })
}

impl Vm {
    /// An exception object of a built-in exception class with these arguments.
    ///
    /// # Errors
    /// MemoryError.
    pub fn new_exception(&mut self, class: Value, args: &[Value]) -> Res {
        self.with_exception_memory(|vm| {
            let values = vm.alloc_values(Kind::Tuple, args)?;
            vm.alloc_values(Kind::Exception, &[class, values, Value::NONE])
        })
    }

    /// An exception's first argument, None if it has none.
    pub fn exception_value(&self, exception: Value) -> Value {
        let inner = self.native_part(exception);
        let args = inner.as_cell().and_then(|at| self.heap.value(at, ARGS).as_cell());
        match args {
            Some(args) if self.heap.header(args).count() > 0 => self.heap.slot(args, 0),
            _ => Value::NONE,
        }
    }

    /// Raises what a `raise` statement names: an exception object, or a class, which is called.
    pub fn raise_object(&mut self, value: Value) -> Raised {
        let exception = self.exception_of(value);
        self.raise_value(exception)
    }

    /// The exception that raising `value` raises: itself, what calling the class gives, or a TypeError.
    pub(crate) fn exception_of(&mut self, value: Value) -> Value {
        let made = match self.is_class(value) && self.is_subclass(value, ids::BaseException.value()) {
            true => self.call(value, &[]),
            false => Ok(value),
        };
        match made {
            Ok(exception) if self.is_complete_exception(exception) => exception,
            Ok(_) => {
                self.raise(ids::TypeError, "exceptions must derive from BaseException");
                self.take_raised()
            }
            Err(Raised) => self.take_raised(),
        }
    }

    /// An instance of a Python class is an exception once `BaseException.__init__` ran.
    fn is_complete_exception(&self, value: Value) -> bool {
        self.is_instance(value, ids::BaseException.value()) && self.exception_cell(value).is_some()
    }

    /// Runs `work`, which makes or completes an exception: these may take memory even while the heap is locked, so
    /// that a scheduled call that fails can say why.
    fn with_exception_memory<T>(&mut self, work: impl FnOnce(&mut Vm) -> T) -> T {
        let locked = self.heap_locked;
        if locked == 0 {
            return work(self);
        }
        self.lock_heap(0);
        let done = work(self);
        self.lock_heap(locked);
        done
    }

    fn exception_cell(&self, exception: Value) -> Option<larch_heap::Ref> {
        self.heap.as_kind(self.native_part(exception), Kind::Exception)
    }

    /// Whether an exception is of a class, or of one in a tuple of classes.
    pub(crate) fn exception_matches(&mut self, exception: Value, class: Value) -> Res<bool> {
        if self.is_class(class) {
            return Ok(self.is_instance(exception, class));
        }
        if let Some(at) = self.heap.as_kind(class, Kind::Tuple) {
            let count = self.heap.header(at).count();
            for index in 0..count {
                let one = self.heap.slot(at, index);
                if self.deeper(|vm| vm.exception_matches(exception, one))? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        Err(self.raise(ids::TypeError, "exceptions must derive from BaseException"))
    }

    /// Notes that an exception passed a place. Without memory for it the traceback is shorter.
    pub(crate) fn add_traceback(&mut self, exception: Value, code: Code, position: u32) {
        self.with_exception_memory(|vm| vm.note_place(exception, code, position));
    }

    fn note_place(&mut self, exception: Value, code: Code, position: u32) {
        let Some(at) = self.exception_cell(exception) else { return };
        let old = self.heap.value(at, TRACEBACK).as_cell();
        let len = old.map_or(0, |old| self.heap.header(old).count());
        if len >= MAX_TRACEBACK * ENTRY {
            return;
        }
        let (file, name, line) = (code.file(self), code.name(self), code.line(self, position));
        let cell = match old {
            Some(old) if self.heap.resize(old, len + ENTRY) => old,
            _ => {
                let Some(new) = self.heap.alloc(Header::new(Kind::ByteBuffer, len + ENTRY)) else { return };
                if let Some(old) = old {
                    self.heap.copy(new, 0, old, 0, len);
                }
                self.heap.set_value(at, TRACEBACK, new.into());
                new
            }
        };
        let mut entry = [0; ENTRY as usize];
        entry[0..2].copy_from_slice(&file.0.to_le_bytes());
        entry[2..4].copy_from_slice(&name.0.to_le_bytes());
        entry[4..6].copy_from_slice(&(line as u16).to_le_bytes());
        self.heap.bytes_mut(cell, len, ENTRY).copy_from_slice(&entry);
    }

    /// Gives an exception (a SyntaxError) a traceback of one place.
    pub fn set_place(&mut self, exception: Value, file: Qstr, line: u32, block: Option<Qstr>) {
        let Some(at) = self.exception_cell(exception) else { return };
        let Some(cell) = self.heap.alloc(Header::new(Kind::ByteBuffer, ENTRY)) else { return };
        let mut entry = [0; ENTRY as usize];
        entry[0..2].copy_from_slice(&file.0.to_le_bytes());
        entry[2..4].copy_from_slice(&block.unwrap_or(Qstr::EMPTY).0.to_le_bytes());
        entry[4..6].copy_from_slice(&(line as u16).to_le_bytes());
        self.heap.bytes_mut(cell, 0, ENTRY).copy_from_slice(&entry);
        self.heap.set_value(at, TRACEBACK, cell.into());
    }

    /// Writes an exception with its traceback, as the prompt shows it.
    ///
    /// # Errors
    /// What writing to the sink raises.
    pub fn print_exception(&mut self, sink: Sink, exception: Value) -> Res<()> {
        let scope = self.root(exception)?;
        if let Some(at) = self.exception_cell(exception)
            && let Some(cell) = self.heap.value(at, TRACEBACK).as_cell()
        {
            let count = self.heap.header(cell).count() / ENTRY;
            let shown = crate::modules::sys::traceback_limit(self).min(count);
            if shown > 0 {
                self.emit_str(sink, "Traceback (most recent call last):\n")?;
            }
            for index in (count - shown..count).rev() {
                let entry = self.heap.bytes(cell, index * ENTRY, ENTRY);
                let half = |i: usize| u16::from_le_bytes([entry[i], entry[i + 1]]);
                let (file, name, line) = (Qstr(half(0)), Qstr(half(2)), half(4));
                self.emit_str(sink, "  File \"")?;
                self.print_value(sink, Value::qstr(file), PrintKind::Str)?;
                self.emit_str(sink, "\", line ")?;
                self.emit_int(sink, i32::from(line))?;
                if name != Qstr::EMPTY {
                    self.emit_str(sink, ", in ")?;
                    self.print_value(sink, Value::qstr(name), PrintKind::Str)?;
                }
                self.emit_str(sink, "\n")?;
            }
        }
        let class = self.type_of(exception);
        self.print_type_name(sink, class)?;
        let text = self.to_str(exception)?;
        self.root(text)?;
        self.emit_str(sink, ": ")?;
        self.print_value(sink, text, PrintKind::Str)?;
        self.emit_str(sink, "\n")?;
        self.release(scope);
        Ok(())
    }

    /// Raises TypeError "can't convert X to Y".
    pub fn raise_convert(&mut self, value: Value, to: &str) -> Raised {
        self.raise_parts(
            ids::TypeError,
            &[Part::Text("can't convert "), Part::TypeOf(value), Part::Text(" to "), Part::Text(to)],
        )
    }
}
