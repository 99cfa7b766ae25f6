//! The machine's state, and what built-in code uses of it: allocation, roots, raising, counting depth.
//!
//! Rules for built-in code (types, modules):
//! - Any call that can allocate can collect. A value that only a Rust variable holds is freed then. Arguments are on
//!   the stack and safe; what else must survive is put there with [`Vm::root`]. What a native function rooted is
//!   dropped when it returns; in loops, drop it with [`Vm::scope`] and [`Vm::release`].
//! - Python code is called with [`Vm::call`] and [`Vm::call_method`]; recursion through Rust goes through
//!   [`Vm::deeper`], which turns too much of it into RuntimeError.

use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};

use larch_bytecode::qstr::Qstr;
use larch_hal::Port;
use larch_heap::{Frame, Header, Heap, Kind, Ref, Root, Value};

use crate::attr::Method;
use crate::attr_cache::AttrCache;
use crate::native::{Args, Raised, Registry, Res, TypeId};
use crate::print::{PrintKind, Sink};
use crate::terminal::Terminal;
use crate::types::ids;

/// What the core needs from outside.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// Compiles source text (a string or bytes-like value) to a code object.
    pub compile: fn(&mut Vm, Value, Qstr, CompileMode) -> Res,
    /// Called when [`PENDING`] was set: scheduled work. Also called while built-in code waits.
    pub poll: fn(&mut Vm) -> Res<()>,
    /// Loads a module that is not built in, by its full dotted name; unbound if there is none.
    pub import: fn(&mut Vm, Qstr) -> Res,
    /// Native stack that remains, in bytes.
    pub stack_room: fn() -> usize,
    /// `open(…)`
    pub open: fn(&mut Vm, Args) -> Res,
    /// `execfile(path)`
    pub execfile: fn(&mut Vm, Value) -> Res,
    /// `input(…)`
    pub input: fn(&mut Vm, Args) -> Res,
    /// `sys.stdin`, `stdout`, `stderr`.
    pub stream: fn(&mut Vm, Qstr) -> Res,
    /// What `help()` writes.
    pub help: &'static str,
    /// Who we are.
    pub identity: Identity,
}

/// What `sys` says about the interpreter.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// `sys.version`
    pub version: &'static str,
    /// Major, minor, patch of the MicroPython version we are compatible with.
    pub release: [u8; 3],
    /// `sys.platform`
    pub platform: &'static str,
    /// `sys.implementation._machine`
    pub machine: &'static str,
    /// Error messages name functions and modules, as MicroPython's desktop program has them; boards have shorter ones.
    pub detailed_errors: bool,
    /// Where time starts, in seconds since 1970: 0 on desktops, 2000-01-01 on boards.
    pub epoch_s: u64,
    /// `os.uname().release`
    pub os_release: &'static str,
    /// `os.uname().version`
    pub os_version: &'static str,
    /// `sys.implementation._build`
    pub build: &'static str,
    /// `sys.implementation._mpy`
    pub mpy: i32,
}

/// What source text is compiled as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompileMode {
    /// A module.
    File,
    /// One statement at the prompt.
    Single,
    /// An expression.
    Eval,
}

/// Something waits for the interpreter loop: an interrupt or a scheduled call. Set from interrupt handlers; looked at on
/// every backward jump.
pub static PENDING: AtomicBool = AtomicBool::new(false);
/// Ctrl-C was received: KeyboardInterrupt is raised at the next look at [`PENDING`].
pub static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Asks the running program to stop with KeyboardInterrupt. May be called from an interrupt handler or another thread.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::Relaxed);
    PENDING.store(true, Ordering::Relaxed);
}

/// Part of an exception's message.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// Text.
    Text(&'a str),
    /// A name.
    Name(Qstr),
    /// The name of a value's type.
    TypeOf(Value),
    /// A number.
    Int(i32),
    /// `repr(value)`
    Repr(Value),
    /// `str(value)`
    Str(Value),
}

/// One interpreter. What every instruction uses comes first, where a short offset reaches it.
#[repr(C)]
pub struct Vm {
    pub(crate) depth: usize,
    pub(crate) frames: &'static mut [Frame],
    pub(crate) registry: &'static Registry,
    /// The board.
    pub port: &'static mut dyn Port,
    pub(crate) native_depth: u16,
    /// Nesting of `gc`-locking (`micropython.heap_lock`).
    pub heap_locked: u16,
    /// `micropython.opt_level`
    pub opt_level: u8,
    /// A scheduled call is running.
    pub(crate) scheduler_locked: bool,
    /// A MemoryError is being put together.
    pub(crate) saying_memory: bool,
    /// Its memory.
    pub heap: Heap,
    /// What the crates above provide.
    pub hooks: Hooks,
    /// The generator of `random`, once it is used.
    pub(crate) random: Option<crate::modules::random::Generator>,
    pub(crate) cache: AttrCache,
    pub(crate) terminal: Terminal,
}

/// Nesting of Rust code that works on Python values: enough for any sane structure, small enough for a board's stack.
/// The port's `stack_room` is the other limit.
const MAX_NATIVE_DEPTH: u16 = 400;
/// Calls that can wait in `micropython.schedule`.
const MAX_SCHEDULED: u32 = 8;
/// Native stack that must remain for one more level.
const NATIVE_STACK_MARGIN: usize = 2048;

impl Vm {
    /// An interpreter with empty memory.
    pub fn new(
        heap: Heap,
        frames: &'static mut [Frame],
        registry: &'static Registry,
        port: &'static mut dyn Port,
        hooks: Hooks,
    ) -> Vm {
        let cache = AttrCache::new();
        Vm {
            heap,
            port,
            hooks,
            registry,
            frames,
            depth: 0,
            cache,
            opt_level: 0,
            heap_locked: 0,
            native_depth: 0,
            scheduler_locked: false,
            saying_memory: false,
            random: None,
            terminal: Terminal::new(),
        }
    }

    /// Makes what must exist before any program: the `MemoryError` that needs no memory, and `__main__`.
    ///
    /// # Errors
    /// If the heap is too small even for that.
    pub fn start(&mut self) -> Res<()> {
        let error = self.new_exception(ids::MemoryError.value(), &[])?;
        self.heap.set_root(Root::MemoryError, error);
        let module = self.new_module(Qstr::__main__)?;
        let globals = self.module_globals(module).unwrap_or(Value::UNBOUND);
        self.heap.set_root(Root::Main, globals);
        Ok(())
    }

    /// After an exception reached the port: forgets what the interrupted program left on the stacks.
    pub fn reset_stacks(&mut self) {
        self.depth = 0;
        self.native_depth = 0;
        self.saying_memory = false;
        self.scheduler_locked = false;
        self.lock_heap(0);
        self.heap.reset_stack();
    }

    /// The built-in types and modules.
    pub fn registry(&self) -> &'static Registry {
        self.registry
    }

    // ---- memory ----

    /// Makes a cell.
    ///
    /// # Errors
    /// MemoryError.
    #[inline(always)]
    pub fn alloc(&mut self, header: Header) -> Res<Ref> {
        if cfg!(not(feature = "gc-stress"))
            && let Some(at) = self.heap.alloc(header)
        {
            return Ok(at);
        }
        self.alloc_after_collection(header)
    }

    #[cold]
    #[inline(never)]
    fn alloc_after_collection(&mut self, header: Header) -> Res<Ref> {
        if self.heap.is_enabled() && self.heap_locked == 0 {
            self.collect();
        }
        match self.heap.alloc(header) {
            Some(at) => Ok(at),
            None => Err(self.raise_memory_of(i64::from(header.size_bytes()))),
        }
    }

    /// Makes a cell whose content is these values (at most a few; they are kept alive meanwhile).
    pub fn alloc_values(&mut self, kind: Kind, values: &[Value]) -> Res {
        if cfg!(not(feature = "gc-stress"))
            && let Some(at) = self.heap.alloc(Header::new(kind, values.len() as u32))
        {
            self.heap.values_mut(at, 0, values.len() as u32).copy_from_slice(values);
            return Ok(at.into());
        }
        self.alloc_values_after_collection(kind, values)
    }

    #[cold]
    #[inline(never)]
    fn alloc_values_after_collection(&mut self, kind: Kind, values: &[Value]) -> Res {
        let scope = self.scope();
        for value in values {
            self.root(*value)?;
        }
        let at = self.alloc(Header::new(kind, values.len() as u32))?;
        self.heap.values_mut(at, 0, values.len() as u32).copy_from_slice(values);
        self.release(scope);
        Ok(at.into())
    }

    /// Sets how often the heap is locked; above zero nothing can be allocated.
    pub(crate) fn lock_heap(&mut self, times: u16) {
        if (times == 0) != (self.heap_locked == 0) {
            self.heap.set_locked(times > 0);
        }
        self.heap_locked = times;
    }

    /// Collects garbage now.
    pub fn collect(&mut self) {
        self.heap.collect();
        self.cache.clear();
        if self.heap.has_died() {
            PENDING.store(true, Ordering::Relaxed);
        }
    }

    /// Takes `bytes` away from the heap, for good; `None` if live objects are in the way.
    pub fn give_up_memory(&mut self, bytes: u32) -> Option<&'static mut [MaybeUninit<u8>]> {
        self.collect();
        self.heap.give_up(bytes)
    }

    /// Where the stack ends now; [`Vm::release`] returns to it.
    #[inline(always)]
    pub fn scope(&self) -> u32 {
        self.heap.top()
    }

    /// Drops what was rooted since `scope`.
    #[inline(always)]
    pub fn release(&mut self, scope: u32) {
        debug_assert!(scope <= self.heap.top());
        self.heap.set_top(scope);
    }

    /// Keeps a value alive until the enclosing scope is released; its stack index is returned, so that it can be
    /// replaced ([`Heap::set_stack`]).
    ///
    /// # Errors
    /// RuntimeError when the stack is full.
    #[inline(always)]
    pub fn root(&mut self, value: Value) -> Res<u32> {
        match self.heap.push(value) {
            Some(index) => Ok(index),
            None => Err(self.raise_recursion()),
        }
    }

    /// A positional argument.
    #[inline(always)]
    pub fn arg(&self, args: Args, index: u16) -> Value {
        debug_assert!(index < args.positional);
        self.heap.stack(args.base + u32::from(index))
    }

    /// A positional argument that may be absent.
    pub fn opt_arg(&self, args: Args, index: u16) -> Option<Value> {
        (index < args.positional).then(|| self.arg(args, index))
    }

    /// A keyword argument: name and value.
    pub fn keyword(&self, args: Args, index: u16) -> (Qstr, Value) {
        let at = args.base + u32::from(args.positional) + 2 * u32::from(index);
        (self.heap.stack(at).as_qstr().unwrap_or(Qstr::EMPTY), self.heap.stack(at + 1))
    }

    /// Reads keyword arguments into `values` by name, in the order of `names`. Positional ones from `first` on fill
    /// the same places.
    ///
    /// # Errors
    /// TypeError for an unknown name or too many arguments.
    pub fn named_args<const N: usize>(
        &mut self,
        args: Args,
        first: u16,
        names: [Qstr; N],
        mut values: [Value; N],
    ) -> Res<[Value; N]> {
        for index in first..args.positional {
            let at = usize::from(index - first);
            if at >= N {
                return Err(self.raise(ids::TypeError, "extra positional arguments given"));
            }
            values[at] = self.arg(args, index);
        }
        for index in 0..args.keywords {
            let (name, value) = self.keyword(args, index);
            match names.iter().position(|n| *n == name) {
                Some(at) => values[at] = value,
                None => return Err(self.raise(ids::TypeError, "extra keyword arguments given")),
            }
        }
        Ok(values)
    }

    // ---- calls ----

    /// Calls a Python or built-in function (or any callable) with positional arguments.
    ///
    /// # Errors
    /// Whatever it raises.
    pub fn call(&mut self, function: Value, args: &[Value]) -> Res {
        let scope = self.root(function)?;
        for arg in args {
            self.root(*arg)?;
        }
        let result = self.call_at(scope, args.len() as u16, 0);
        self.release(scope);
        result
    }

    /// Calls a method by name.
    ///
    /// # Errors
    /// AttributeError, or whatever it raises.
    pub fn call_method(&mut self, object: Value, name: Qstr, args: &[Value]) -> Res {
        let scope = self.root(Value::UNBOUND)?;
        self.root(object)?;
        for arg in args {
            self.root(*arg)?;
        }
        let Method { function, object: receiver } = self.find_method(object, name)?;
        if function.is_unbound() {
            return Err(self.raise_no_attr(object, name));
        }
        // The call starts where the receiver is, if there is one, else one slot further.
        let (slot, count) = match receiver.is_unbound() {
            true => (scope + 1, args.len() as u16),
            false => {
                self.heap.set_stack(scope + 1, receiver);
                (scope, args.len() as u16 + 1)
            }
        };
        self.heap.set_stack(slot, function);
        let result = self.call_at(slot, count, 0);
        self.release(scope);
        result
    }

    /// Runs `work` one level deeper in Rust.
    ///
    /// # Errors
    /// RuntimeError when that is too deep.
    #[inline(always)]
    pub fn deeper<T>(&mut self, work: impl FnOnce(&mut Vm) -> Res<T>) -> Res<T> {
        if self.native_depth >= MAX_NATIVE_DEPTH || (self.hooks.stack_room)() < NATIVE_STACK_MARGIN {
            return Err(self.raise_recursion());
        }
        self.native_depth += 1;
        let result = work(self);
        self.native_depth -= 1;
        result
    }

    // ---- raising ----

    /// Raises a built-in exception with a message.
    #[cold]
    #[inline(never)]
    pub fn raise(&mut self, class: TypeId, message: &str) -> Raised {
        self.raise_parts(class, &[Part::Text(message)])
    }

    /// Raises a built-in exception without arguments.
    #[cold]
    pub fn raise_empty(&mut self, class: TypeId) -> Raised {
        match self.new_exception(class.value(), &[]) {
            Ok(exception) => self.raise_value(exception),
            Err(raised) => raised,
        }
    }

    /// Raises a built-in exception whose message is put together from parts.
    #[cold]
    #[inline(never)]
    pub fn raise_parts(&mut self, class: TypeId, parts: &[Part<'_>]) -> Raised {
        let scope = self.scope();
        let locked = self.heap_locked;
        self.lock_heap(0);
        let raised =
            match self.format_parts(parts).and_then(|text| self.new_exception(class.value(), &[text])) {
                Ok(exception) => self.raise_value(exception),
                Err(raised) => raised,
            };
        self.lock_heap(locked);
        self.release(scope);
        raised
    }

    /// A string put together from parts.
    pub fn format_parts(&mut self, parts: &[Part<'_>]) -> Res {
        let scope = self.scope();
        for part in parts {
            if let Part::Repr(value) | Part::Str(value) = part {
                self.root(*value)?;
            }
        }
        let sink = self.begin_text(Kind::Str, 24)?;
        for part in parts {
            match *part {
                Part::Text(text) => self.emit_str(sink, text)?,
                Part::Name(name) => self.print_value(sink, Value::qstr(name), PrintKind::Str)?,
                Part::TypeOf(value) => {
                    let class = self.type_of(value);
                    self.print_type_name(sink, class)?;
                }
                Part::Int(value) => self.emit_int(sink, value)?,
                Part::Repr(value) => self.print_value(sink, value, PrintKind::Repr)?,
                Part::Str(value) => self.print_value(sink, value, PrintKind::Str)?,
            }
        }
        let text = self.end_text(sink);
        self.release(scope);
        text
    }

    /// Raises a built-in exception with one argument.
    #[cold]
    pub fn raise_arg(&mut self, class: TypeId, arg: Value) -> Raised {
        match self.new_exception(class.value(), &[arg]) {
            Ok(exception) => self.raise_value(exception),
            Err(raised) => raised,
        }
    }

    /// Raises an exception object.
    pub fn raise_value(&mut self, exception: Value) -> Raised {
        self.heap.set_root(Root::Raised, exception);
        Raised
    }

    /// Raises OSError with an errno.
    #[cold]
    pub fn raise_os(&mut self, errno: i32) -> Raised {
        self.raise_arg(ids::OSError, Value::small(errno))
    }

    /// Raises MemoryError that says how much could not be had, if there is memory for that text.
    #[cold]
    pub fn raise_memory_of(&mut self, bytes: i64) -> Raised {
        if self.saying_memory {
            return self.raise_memory();
        }
        // The text and the exception are small; if not even they fit, the exception made at the start will do.
        self.saying_memory = true;
        let (locked, top) = (self.heap_locked, self.heap.top());
        self.lock_heap(0);
        let exception = self.memory_error(bytes, locked > 0);
        self.heap.set_top(top);
        self.lock_heap(locked);
        self.saying_memory = false;
        match exception {
            Ok(exception) => self.raise_value(exception),
            Err(raised) => raised,
        }
    }

    fn memory_error(&mut self, bytes: i64, is_locked: bool) -> Res {
        if is_locked {
            let text = self.new_str("memory allocation failed, heap is locked")?;
            return self.new_exception(ids::MemoryError.value(), &[text]);
        }
        let shown = self.new_int_i64(bytes)?;
        self.root(shown)?;
        let parts =
            [Part::Text("memory allocation failed, allocating "), Part::Str(shown), Part::Text(" bytes")];
        let text = self.format_parts(&parts)?;
        self.new_exception(ids::MemoryError.value(), &[text])
    }

    /// Raises MemoryError. Needs no memory.
    #[cold]
    pub fn raise_memory(&mut self) -> Raised {
        let exception = self.heap.root(Root::MemoryError);
        if let Some(at) = exception.as_cell() {
            self.heap.set_value(at, 2, Value::NONE);
        }
        self.raise_value(exception)
    }

    /// Raises RuntimeError "maximum recursion depth exceeded".
    #[cold]
    pub fn raise_recursion(&mut self) -> Raised {
        // Unwinding frees what the message needs; the message itself is small.
        let top = self.heap.top();
        let room = self.heap.stack_room();
        if room < 16 {
            self.heap.set_top(top - (16 - room).min(top - 1));
        }
        let raised = self.raise(ids::RuntimeError, "maximum recursion depth exceeded");
        self.heap.set_top(top);
        raised
    }

    /// Does what [`PENDING`] announced.
    ///
    /// # Errors
    /// KeyboardInterrupt, or what scheduled work raises.
    #[cold]
    #[inline(never)]
    pub fn handle_pending(&mut self) -> Res<()> {
        PENDING.store(false, Ordering::Relaxed);
        self.tell_rest();
        if INTERRUPTED.load(Ordering::Relaxed) && !self.scheduler_locked {
            INTERRUPTED.store(false, Ordering::Relaxed);
            // Other work waits on.
            PENDING.store(!self.heap.root(Root::Scheduled).is_unbound(), Ordering::Relaxed);
            return Err(self.raise_empty(ids::KeyboardInterrupt));
        }
        if self.heap.has_died() && self.heap_locked == 0 {
            self.run_weak_callbacks()?;
        }
        self.run_scheduled()?;
        (self.hooks.poll)(self)
    }

    /// Notes a call to be made as soon as the running code allows (`micropython.schedule`).
    ///
    /// # Errors
    /// RuntimeError when too many wait; MemoryError.
    pub fn schedule(&mut self, function: Value, argument: Value) -> Res<()> {
        if function == crate::modules::micropython::kbd_intr_value() && argument.is_none() {
            interrupt();
            return Ok(());
        }
        let list = match self.heap.root(Root::Scheduled) {
            Value::UNBOUND => {
                let list = self.new_list(&[])?;
                self.heap.set_root(Root::Scheduled, list);
                list
            }
            list => list,
        };
        let list = list.expect_cell("a list");
        if self.list_len(list) >= 2 * MAX_SCHEDULED {
            return Err(self.raise(ids::RuntimeError, "schedule queue full"));
        }
        self.list_append(list, function)?;
        self.list_append(list, argument)?;
        PENDING.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Makes scheduled calls, one after the other; while one runs no other starts. What they raise is shown.
    fn run_scheduled(&mut self) -> Res<()> {
        let Some(list) = self.heap.root(Root::Scheduled).as_cell() else { return Ok(()) };
        if self.scheduler_locked {
            return Ok(());
        }
        // What these calls schedule waits for the next chance, so that the program goes on.
        for _ in 0..self.list_len(list) / 2 {
            let (function, argument) = (self.list_remove(list, 0), self.list_remove(list, 0));
            self.scheduler_locked = true;
            let done = self.call(function, &[argument]);
            self.scheduler_locked = false;
            if done.is_err() {
                let exception = self.take_raised();
                self.print_exception(Sink::Console, exception)?;
            }
        }
        // What they scheduled, and an interrupt that waited for them.
        if self.list_len(list) > 1 || INTERRUPTED.load(Ordering::Relaxed) {
            PENDING.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// As [`Vm::handle_pending`] at the prompt, where nothing can be interrupted.
    ///
    /// # Errors
    /// What scheduled work raises.
    pub fn handle_pending_quietly(&mut self) -> Res<()> {
        INTERRUPTED.store(false, Ordering::Relaxed);
        if PENDING.load(Ordering::Relaxed) { self.handle_pending() } else { Ok(()) }
    }

    /// Whether a scheduled call is running, or something that must not be disturbed by one.
    pub fn is_scheduler_locked(&self) -> bool {
        self.scheduler_locked
    }

    /// Takes the exception that was raised.
    pub fn take_raised(&mut self) -> Value {
        let exception = self.heap.root(Root::Raised);
        self.heap.set_root(Root::Raised, Value::UNBOUND);
        exception
    }

    // ---- console ----

    /// Tells the user about something that a program should not do.
    #[cold]
    pub fn warn(&mut self, category: &str, text: &str) {
        self.write(category.as_bytes());
        self.write(b": ");
        self.write(text.as_bytes());
        self.write(b"\n");
    }

    /// Writes the bytes at a span to the console, a piece at a time.
    pub(crate) fn write_span(&mut self, span: crate::text::Span) {
        let mut from = 0;
        while from < span.len() {
            let mut piece = [0; 64];
            let len = (span.len() - from).min(piece.len() as u32);
            piece[..len as usize].copy_from_slice(self.bytes_at(span.part(from, len)));
            self.write(&piece[..len as usize]);
            from += len;
        }
    }

    /// Writes a value to the console.
    pub fn print(&mut self, value: Value, kind: PrintKind) -> Res<()> {
        self.print_value(Sink::Console, value, kind)
    }
}
