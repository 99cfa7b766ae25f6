//! Calls: what is callable, how arguments reach parameters, frames, unwinding.
//!
//! A call's operands lie on the register stack: the callee at `slot`, positional arguments behind it, then pairs of
//! keyword name and value. A Python function's frame starts right there: its first registers are the arguments. The slot
//! before the frame keeps the function, so the frame roots its own code.
//!
//! Invariant: between a frame's start and the stack's top every slot holds a live value; a call never lowers the top
//! below that of its caller.

use larch_bytecode::code::Flags;
use larch_bytecode::qstr::Qstr;
use larch_heap::{Frame, FrameKind, Header, Immediate, Kind, Ref, Value};

use crate::attr::native_of;
use crate::code::{Code, Signature};
use crate::native::{Args, Native, Res, RomRef};
use crate::types::ids;
use crate::vm::{Part, Vm};

/// What became of a call.
pub(crate) enum Called {
    /// It is done.
    Value(Value),
    /// A frame was pushed; the loop goes on in it.
    Frame,
}

/// Function cell: code, globals, then (if any) defaults, keyword defaults and captured cells.
pub(crate) const FUNCTION_CODE: u32 = 0;
pub(crate) const FUNCTION_GLOBALS: u32 = 1;
pub(crate) const FUNCTION_DEFAULTS: u32 = 2;
pub(crate) const FUNCTION_KEYWORD_DEFAULTS: u32 = 3;
pub(crate) const FUNCTION_CELLS: u32 = 4;

impl Vm {
    /// Calls what is at stack index `slot` with the arguments behind it, to the end.
    ///
    /// # Errors
    /// Whatever it raises; TypeError if it is not callable.
    pub fn call_at(&mut self, slot: u32, positional: u16, keywords: u16) -> Res {
        match self.start_call(slot, positional, keywords, FrameKind::Entry, 0)? {
            Called::Value(value) => Ok(value),
            Called::Frame => self.deeper_run(),
        }
    }

    /// Runs the frame that was just pushed, one level deeper in Rust.
    pub(crate) fn deeper_run(&mut self) -> Res {
        let depth = self.depth;
        let result = self.deeper(Vm::run);
        if result.is_err() && self.depth >= depth {
            // The level was refused: the frame never ran.
            while self.close_generator_frame() {}
            self.pop_frame();
        }
        result
    }

    /// Starts a call. `kind` and `register` describe the frame, if one is pushed.
    pub(crate) fn start_call(
        &mut self,
        slot: u32,
        mut positional: u16,
        keywords: u16,
        kind: FrameKind,
        register: u8,
    ) -> Res<Called> {
        loop {
            let callee = self.heap.stack(slot);
            if let Some(at) = callee.as_cell() {
                match self.heap.kind(at) {
                    Kind::Function => {
                        return self.enter_function(at, slot, positional, keywords, kind, register);
                    }
                    Kind::BoundMethod => {
                        let (function, object) = (self.heap.value(at, 0), self.heap.value(at, 1));
                        self.insert_argument(slot + 1, positional, keywords, object)?;
                        self.heap.set_stack(slot, function);
                        positional += 1;
                        continue;
                    }
                    Kind::Class => return self.construct(at, slot, positional, keywords, kind, register),
                    Kind::Instance | Kind::GrownInstance => {
                        let class = self.class_of_instance(at);
                        if let Some(function) = self.class_lookup(class, Qstr::__call__) {
                            self.insert_argument(slot + 1, positional, keywords, callee)?;
                            self.heap.set_stack(slot, function);
                            positional += 1;
                            continue;
                        }
                    }
                    Kind::StaticMethod | Kind::ClassMethod => {
                        let function = self.heap.value(at, 0);
                        self.heap.set_stack(slot, function);
                        continue;
                    }
                    _ => {}
                }
            }
            return self.call_native(callee, slot, positional, keywords).map(Called::Value);
        }
    }

    /// Calls a built-in function, a built-in type, or an object whose built-in type is callable.
    fn call_native(&mut self, callee: Value, slot: u32, positional: u16, keywords: u16) -> Res {
        let args = Args { base: slot + 1, positional, keywords };
        let end = slot + 1 + u32::from(positional) + 2 * u32::from(keywords);
        let top = self.heap.top();
        if end > top {
            self.heap.set_top(end);
        }
        let result = if let Some(rom) = callee.as_immediate(Immediate::Rom) {
            self.call_rom(RomRef(rom), args)
        } else if let Some(id) = self.as_type_id(callee).or_else(|| self.native_base(callee)) {
            match self.registry.type_def(id).make {
                Some(make) => make(self, callee, args),
                None => {
                    let name = self.registry.type_def(id).name;
                    let parts = [Part::Text("can't create '"), Part::Name(name), Part::Text("' instances")];
                    Err(self.raise_parts(ids::TypeError, &parts))
                }
            }
        } else {
            let class = self.type_of(callee);
            let inner = self.native_part(callee);
            match self.native_slot(class, |def| def.call) {
                Some(call) => call(self, inner, args),
                None => {
                    let parts =
                        [Part::Text("'"), Part::TypeOf(callee), Part::Text("' object isn't callable")];
                    Err(self.raise_parts(ids::TypeError, &parts))
                }
            }
        };
        self.heap.set_top(top);
        result
    }

    fn call_rom(&mut self, rom: RomRef, args: Args) -> Res {
        let (name, entry) = self.registry.entry(rom);
        let Some(native) = native_of(entry) else {
            return Err(self.raise(ids::TypeError, "object isn't callable"));
        };
        if let crate::native::Rom::Fn(_) = entry
            && rom.is_type_table()
        {
            self.check_receiver(rom, *name, args)?;
        }
        self.call_with(native, *name, args)
    }

    /// Makes sure that a method of a built-in type gets an object of that type, and the built-in part of it.
    fn check_receiver(&mut self, rom: RomRef, name: Qstr, args: Args) -> Res<()> {
        let id = rom.type_id();
        if args.positional == 0 {
            return Err(self.raise_count(name, 1, 0, args));
        }
        let object = self.arg(args, 0);
        if id == ids::object {
            return Ok(());
        }
        let inner = self.native_part(object);
        if self.is_a(inner, id) {
            self.heap.set_stack(args.base, inner);
            return Ok(());
        }
        if id == ids::type_ && self.is_class(object) {
            return Ok(());
        }
        let type_name = self.registry.type_def(id).name;
        let parts = [
            Part::Text("argument should be a '"),
            Part::Name(type_name),
            Part::Text("' not a '"),
            Part::TypeOf(object),
            Part::Text("'"),
        ];
        Err(self.raise_parts(ids::TypeError, &parts))
    }

    #[inline]
    fn call_with(&mut self, native: Native, name: Qstr, args: Args) -> Res {
        let count = args.positional;
        if args.keywords > 0 && !matches!(native, Native::Kw(..)) {
            return Err(self.raise(ids::TypeError, "function doesn't take keyword arguments"));
        }
        match native {
            Native::F1(function) if count == 1 => function(self, self.arg(args, 0)),
            Native::F2(function) if count == 2 => function(self, self.arg(args, 0), self.arg(args, 1)),
            Native::F0(function) if count == 0 => function(self),
            Native::F3(function) if count == 3 => {
                function(self, self.arg(args, 0), self.arg(args, 1), self.arg(args, 2))
            }
            Native::Var(min, max, function) | Native::Kw(min, max, function)
                if count >= u16::from(min) && (max == u8::MAX || count <= u16::from(max)) =>
            {
                function(self, args)
            }
            Native::F0(_) => Err(self.raise_count(name, 0, 0, args)),
            Native::F1(_) => Err(self.raise_count(name, 1, 1, args)),
            Native::F2(_) => Err(self.raise_count(name, 2, 2, args)),
            Native::F3(_) => Err(self.raise_count(name, 3, 3, args)),
            Native::Var(min, max, _) | Native::Kw(min, max, _) => Err(self.raise_count(name, min, max, args)),
        }
    }

    /// Raises TypeError about a number of positional arguments.
    #[cold]
    #[inline(never)]
    pub fn raise_count(&mut self, _name: Qstr, min: u8, max: u8, args: Args) -> crate::native::Raised {
        let given = i32::from(args.positional);
        let (min_n, max_n) = (i32::from(min), i32::from(max));
        if min == max {
            let parts = [
                Part::Text("function takes "),
                Part::Int(min_n),
                Part::Text(" positional arguments but "),
                Part::Int(given),
                Part::Text(" were given"),
            ];
            return self.raise_parts(ids::TypeError, &parts);
        }
        if given < min_n {
            let parts = [
                Part::Text("function missing "),
                Part::Int(min_n - given),
                Part::Text(" required positional arguments"),
            ];
            return self.raise_parts(ids::TypeError, &parts);
        }
        let parts = [
            Part::Text("function expected at most "),
            Part::Int(max_n),
            Part::Text(" arguments, got "),
            Part::Int(given),
        ];
        self.raise_parts(ids::TypeError, &parts)
    }

    /// Moves a call's arguments up by one and puts `value` before them.
    fn insert_argument(&mut self, first: u32, positional: u16, keywords: u16, value: Value) -> Res<()> {
        let count = u32::from(positional) + 2 * u32::from(keywords);
        if first + count >= self.heap.top() {
            let room = self.heap.stack_room();
            if room < 2 {
                return Err(self.raise_recursion());
            }
            self.heap.set_top(first + count + 1);
        }
        for index in (0..count).rev() {
            let moved = self.heap.stack(first + index);
            self.heap.set_stack(first + index + 1, moved);
        }
        self.heap.set_stack(first, value);
        Ok(())
    }

    // ---- Python functions ----

    #[inline]
    fn enter_function(
        &mut self,
        function: Ref,
        slot: u32,
        positional: u16,
        keywords: u16,
        kind: FrameKind,
        register: u8,
    ) -> Res<Called> {
        let code =
            Code::new(self, self.heap.value(function, FUNCTION_CODE).expect_cell("a function has code"));
        let (signature, flags) = (code.signature(self), code.flags(self));
        let base = slot + 1;
        let simple = Flags::VAR_ARGS | Flags::VAR_KEYWORDS | Flags::GENERATOR;
        let plain = keywords == 0
            && positional == u16::from(signature.positional)
            && signature.keyword_only == 0
            && flags.0 & simple == 0;
        if plain {
            self.push_frame(code, base, signature, kind, register)?;
            return Ok(Called::Frame);
        }
        self.enter_slowly(function, code, slot, positional, keywords, kind, register)
    }

    /// The common call: a Python function that takes just these positional arguments. False, and nothing done, for
    /// everything else.
    #[inline(always)]
    pub(crate) fn enter_plainly(&mut self, callee: Value, slot: u32, positional: u8, register: u8) -> bool {
        let Some(function) = self.heap.as_kind(callee, Kind::Function) else { return false };
        let Some(at) = self.heap.value(function, FUNCTION_CODE).as_cell() else { return false };
        let code = Code::new(self, at);
        let signature = code.signature(self);
        let special = Flags::VAR_ARGS | Flags::VAR_KEYWORDS | Flags::GENERATOR;
        signature.positional == positional
            && signature.keyword_only == 0
            && code.flags(self).0 & special == 0
            && self.try_push_frame(code, slot + 1, signature, FrameKind::Call, register)
    }

    #[inline(never)]
    #[expect(clippy::too_many_arguments, reason = "a call's whole description")]
    fn enter_slowly(
        &mut self,
        function: Ref,
        code: Code,
        slot: u32,
        positional: u16,
        keywords: u16,
        kind: FrameKind,
        register: u8,
    ) -> Res<Called> {
        let top = self.heap.top();
        self.bind_arguments(function, code, slot + 1, positional, keywords)?;
        if code.flags(self).has(Flags::GENERATOR) {
            let generator = self.new_generator(function, code, slot + 1);
            self.heap.set_top(top);
            return generator.map(Called::Value);
        }
        let signature = code.signature(self);
        self.push_frame(code, slot + 1, signature, kind, register)?;
        let frame = &mut self.frames[self.depth - 1];
        frame.top = top as u16;
        Ok(Called::Frame)
    }

    #[inline]
    fn push_frame(
        &mut self,
        code: Code,
        base: u32,
        signature: Signature,
        kind: FrameKind,
        register: u8,
    ) -> Res<()> {
        if self.try_push_frame(code, base, signature, kind, register) {
            return Ok(());
        }
        Err(self.raise_recursion())
    }

    /// False, and nothing done, if there is no room.
    #[inline(always)]
    fn try_push_frame(
        &mut self,
        code: Code,
        base: u32,
        signature: Signature,
        kind: FrameKind,
        register: u8,
    ) -> bool {
        let top = self.heap.top();
        let end = base + u32::from(signature.registers);
        let pc = code.entry(self);
        if self.heap.window(base).is_none() {
            return false;
        }
        let Some(frame) = self.frames.get_mut(self.depth) else { return false };
        *frame = Frame { pc, base: base as u16, top: top as u16, kind, register };
        self.depth += 1;
        if end > top {
            self.heap.set_top(end);
        }
        true
    }

    /// Drops the running frame and cuts the stack back to where it was before the call.
    #[inline(always)]
    pub(crate) fn pop_frame(&mut self) -> Frame {
        self.depth -= 1;
        let frame = self.frames[self.depth];
        self.heap.set_top(u32::from(frame.top));
        frame
    }

    /// Puts a call's arguments into the registers of the parameters.
    fn bind_arguments(&mut self, function: Ref, code: Code, base: u32, given: u16, keywords: u16) -> Res<()> {
        let (signature, flags) = (code.signature(self), code.flags(self));
        let (positional, keyword_only) = (u32::from(signature.positional), u32::from(signature.keyword_only));
        let given = u32::from(given);
        // Arguments are moved out of the way, behind the registers of the parameters.
        let parameters = positional + keyword_only + 2;
        let count = given + 2 * u32::from(keywords);
        let moved = (base + parameters + u32::from(signature.registers)).max(self.heap.top());
        if self.heap.window(moved + count).is_none() {
            return Err(self.raise_recursion());
        }
        if moved + count > self.heap.top() {
            self.heap.set_top(moved + count);
        }
        for index in 0..count {
            let value = self.heap.stack(base + index);
            self.heap.set_stack(moved + index, value);
        }
        for index in 0..parameters {
            self.heap.set_stack(base + index, Value::UNBOUND);
        }
        for index in 0..given.min(positional) {
            let value = self.heap.stack(moved + index);
            self.heap.set_stack(base + index, value);
        }
        let mut next = base + positional + keyword_only;
        if flags.has(Flags::VAR_ARGS) {
            let extra = given.saturating_sub(positional);
            let tuple = self.new_tuple_from_stack(moved + given - extra, extra)?;
            self.heap.set_stack(next, tuple);
            next += 1;
        } else if given > positional {
            return Err(self.raise_python_count(code, u32::from(signature.positional), given));
        }
        let rest = match flags.has(Flags::VAR_KEYWORDS) {
            true => {
                let dict = self.new_dict(0)?;
                self.heap.set_stack(next, dict);
                dict.as_cell()
            }
            false => None,
        };
        for index in 0..u32::from(keywords) {
            let name = self.heap.stack(moved + given + 2 * index);
            let value = self.heap.stack(moved + given + 2 * index + 1);
            self.bind_keyword(code, base, name, value, rest)?;
        }
        self.fill_defaults(function, code, base, given, keywords > 0)
    }

    fn bind_keyword(
        &mut self,
        code: Code,
        base: u32,
        name: Value,
        value: Value,
        rest: Option<Ref>,
    ) -> Res<()> {
        let signature = code.signature(self);
        let count = u32::from(signature.positional) + u32::from(signature.keyword_only);
        let wanted = self.find_qstr(name);
        let found = (0..count).find(|index| Some(code.parameter(self, *index)) == wanted);
        match (found, rest) {
            (Some(index), _) => {
                if !self.heap.stack(base + index).is_unbound() {
                    let parts = [
                        Part::Text("function got multiple values for argument '"),
                        Part::Str(name),
                        Part::Text("'"),
                    ];
                    return Err(self.raise_parts(ids::TypeError, &parts));
                }
                self.heap.set_stack(base + index, value);
                Ok(())
            }
            (None, Some(dict)) => self.table_set(dict, name, value),
            (None, None) => {
                let parts = [Part::Text("unexpected keyword argument '"), Part::Str(name), Part::Text("'")];
                Err(self.raise_parts(ids::TypeError, &parts))
            }
        }
    }

    fn fill_defaults(
        &mut self,
        function: Ref,
        code: Code,
        base: u32,
        given: u32,
        has_keywords: bool,
    ) -> Res<()> {
        let signature = code.signature(self);
        let (positional, keyword_only) = (u32::from(signature.positional), u32::from(signature.keyword_only));
        let has_defaults = self.heap.header(function).count() > FUNCTION_DEFAULTS;
        let defaults =
            if has_defaults { self.heap.value(function, FUNCTION_DEFAULTS).as_cell() } else { None };
        let default_count = defaults.map_or(0, |at| self.heap.header(at).count());
        for index in 0..positional {
            if !self.heap.stack(base + index).is_unbound() {
                continue;
            }
            let from_end = positional - index;
            match defaults {
                Some(at) if from_end <= default_count => {
                    let value = self.heap.slot(at, default_count - from_end);
                    self.heap.set_stack(base + index, value);
                }
                _ if !has_keywords => {
                    return Err(self.raise_python_count(code, positional - default_count, given));
                }
                _ => {
                    let parts = [
                        Part::Text("function missing required positional argument #"),
                        Part::Int(index as i32 + 1),
                    ];
                    return Err(self.raise_parts(ids::TypeError, &parts));
                }
            }
        }
        let dict =
            if has_defaults { self.heap.value(function, FUNCTION_KEYWORD_DEFAULTS).as_cell() } else { None };
        for index in positional..positional + keyword_only {
            if !self.heap.stack(base + index).is_unbound() {
                continue;
            }
            let name = code.parameter(self, index);
            match dict.and_then(|dict| self.dict_get_qstr(dict, name)) {
                Some(value) => self.heap.set_stack(base + index, value),
                None if !has_keywords => {
                    return Err(self.raise(ids::TypeError, "function missing keyword-only argument"));
                }
                None => {
                    let parts = [
                        Part::Text("function missing required keyword argument '"),
                        Part::Name(name),
                        Part::Text("'"),
                    ];
                    return Err(self.raise_parts(ids::TypeError, &parts));
                }
            }
        }
        Ok(())
    }

    #[cold]
    fn raise_python_count(&mut self, code: Code, wanted: u32, given: u32) -> crate::native::Raised {
        let is_detailed = self.hooks.identity.detailed_errors;
        let parts = [
            if is_detailed { Part::Name(code.name(self)) } else { Part::Text("function") },
            Part::Text(if is_detailed { "() takes " } else { " takes " }),
            Part::Int(wanted as i32),
            Part::Text(" positional arguments but "),
            Part::Int(given as i32),
            Part::Text(" were given"),
        ];
        self.raise_parts(ids::TypeError, &parts)
    }

    /// Makes a function.
    ///
    /// # Errors
    /// MemoryError.
    pub fn new_function(&mut self, code: Value, globals: Value) -> Res {
        self.alloc_values(Kind::Function, &[code, globals])
    }

    /// Makes a function with defaults and captured cells, which lie on the stack from `first` on.
    pub(crate) fn new_closure(&mut self, code: Value, globals: Value, first: u32) -> Res {
        let free = match code.as_cell() {
            Some(at) => u32::from(Code::new(self, at).signature(self).free),
            None => 0,
        };
        let at = self.alloc(Header::new(Kind::Function, FUNCTION_CELLS + free))?;
        self.heap.set_value(at, FUNCTION_CODE, code);
        self.heap.set_value(at, FUNCTION_GLOBALS, globals);
        for index in 0..2 + free {
            let value = self.heap.stack(first + index);
            let value = if value.is_none() { Value::UNBOUND } else { value };
            self.heap.set_value(at, FUNCTION_DEFAULTS + index, value);
        }
        Ok(at.into())
    }

    // ---- construction ----

    /// `Class(args…)`
    fn construct(
        &mut self,
        class: Ref,
        slot: u32,
        positional: u16,
        keywords: u16,
        kind: FrameKind,
        register: u8,
    ) -> Res<Called> {
        let new = self.class_lookup(class.into(), Qstr::__new__).filter(|f| f.is_cell());
        if let Some(new) = new {
            return self.construct_by_new(class, new, slot, positional, keywords).map(Called::Value);
        }
        if self.is_namedtuple_class(class) {
            return self.call_native(class.into(), slot, positional, keywords).map(Called::Value);
        }
        let init = self.class_lookup(class.into(), Qstr::__init__).filter(|f| f.is_cell());
        let native = self.native_base(class.into()).is_some();
        let instance = self.new_instance(class)?;
        if native || init.is_none() {
            return self
                .construct_plainly(class, instance, init, slot, positional, keywords)
                .map(Called::Value);
        }
        let init = init.expect("just checked");
        // slot: the instance, slot + 1: __init__, slot + 2: self, then the arguments.
        let instance = Value::cell(instance);
        self.heap.set_stack(slot, instance);
        self.insert_argument(slot + 1, positional, keywords, init)?;
        self.insert_argument(slot + 2, positional, keywords, instance)?;
        let is_function = self.heap.as_kind(init, Kind::Function).is_some();
        if kind == FrameKind::Call && is_function {
            return match self.start_call(slot + 1, positional + 1, keywords, FrameKind::Init, register)? {
                Called::Frame => Ok(Called::Frame),
                Called::Value(_) => {
                    Err(self.raise(ids::TypeError, "__init__() should return None, not 'generator'"))
                }
            };
        }
        let answer = self.call_at(slot + 1, positional + 1, keywords)?;
        self.finish_init(slot, answer).map(Called::Value)
    }

    /// After `__init__`: the instance that waits at stack index `slot`.
    pub(crate) fn finish_init(&mut self, slot: u32, answer: Value) -> Res {
        if !answer.is_none() {
            let parts =
                [Part::Text("__init__() should return None, not '"), Part::TypeOf(answer), Part::Text("'")];
            return Err(self.raise_parts(ids::TypeError, &parts));
        }
        let instance = self.heap.stack(slot);
        if let Some(at) = instance.as_cell().filter(|_| self.is_python_instance(instance)) {
            self.note_instance_size(at);
        }
        Ok(instance)
    }

    /// An instance of a class without `__init__`, or of one that derives from a built-in type.
    fn construct_plainly(
        &mut self,
        class: Ref,
        instance: Ref,
        init: Option<Value>,
        slot: u32,
        positional: u16,
        keywords: u16,
    ) -> Res {
        let top = self.heap.top();
        let args = Args { base: slot + 1, positional, keywords };
        let end = args.base + u32::from(positional) + 2 * u32::from(keywords);
        if end > top {
            self.heap.set_top(end);
        }
        let kept = self.root(instance.into())?;
        let (id, def) = self.native_def(class.into());
        if id != ids::object {
            // Exceptions and what cannot be changed later are made from the arguments even when __init__ takes over.
            let made_whole =
                [ids::BaseException, ids::tuple, ids::frozenset, ids::str, ids::bytes, ids::int, ids::float];
            let wants_args =
                init.is_none() || made_whole.iter().any(|of| self.is_subclass(id.value(), of.value()));
            let make_args =
                if wants_args { args } else { Args { base: kept + 1, positional: 0, keywords: 0 } };
            if let Some(make) = def.make {
                // An exception shows the class it was raised as; a named tuple's class knows the fields.
                let is_exception = self.is_subclass(id.value(), ids::BaseException.value());
                let made_as = if is_exception || id == ids::namedtuple { class.into() } else { id.value() };
                let made = make(self, made_as, make_args)?;
                self.root(made)?;
                self.set_inner_object(instance, made)?;
            }
        } else if init.is_none() && (positional > 0 || keywords > 0) {
            let count = i32::from(positional);
            let parts = [
                Part::Text("function takes 0 positional arguments but "),
                Part::Int(count),
                Part::Text(" were given"),
            ];
            return Err(self.raise_parts(ids::TypeError, &parts));
        }
        if let Some(init) = init {
            self.call_again(init, instance.into(), args)?;
        }
        self.heap.set_top(top);
        Ok(instance.into())
    }

    /// Calls `function(object, *args)` with arguments that lie elsewhere on the stack.
    fn call_again(&mut self, function: Value, object: Value, args: Args) -> Res {
        let slot = self.root(function)?;
        self.root(object)?;
        for index in 0..u32::from(args.positional) + 2 * u32::from(args.keywords) {
            let value = self.heap.stack(args.base + index);
            self.root(value)?;
        }
        let result = self.call_at(slot, args.positional + 1, args.keywords);
        self.release(slot);
        result
    }

    fn construct_by_new(&mut self, class: Ref, new: Value, slot: u32, positional: u16, keywords: u16) -> Res {
        let top = self.heap.top();
        let args = Args { base: slot + 1, positional, keywords };
        let end = args.base + u32::from(positional) + 2 * u32::from(keywords);
        if end > top {
            self.heap.set_top(end);
        }
        let new = match self.heap.as_kind(new, Kind::StaticMethod) {
            Some(at) => self.heap.value(at, 0),
            None => new,
        };
        let made = self.call_again(new, class.into(), args)?;
        let kept = self.root(made)?;
        if self.is_instance(made, class.into())
            && let Some(init) = self.class_lookup(class.into(), Qstr::__init__).filter(|f| f.is_cell())
        {
            let answer = self.call_again(init, made, args)?;
            self.finish_init(kept, answer)?;
        }
        self.heap.set_top(top);
        Ok(made)
    }

    /// A call with a sequence of arguments and a dict of keywords: `R[a](*R[a+1], **R[a+2])`. The callee and its
    /// arguments are laid out above the stack's top.
    pub(crate) fn start_spread_call(&mut self, at: u32) -> Res {
        let scope = self.scope();
        let callee = self.heap.stack(at);
        let slot = self.root(callee)?;
        let positional = self.push_items(self.heap.stack(at + 1))?;
        let mut keywords = 0;
        if let Some(dict) = self.heap.stack(at + 2).as_cell() {
            let mut position = 0;
            while let Some((found, key, value)) = self.table_next(dict, position) {
                let Some(name) = self.intern_value(key)? else {
                    return Err(self.raise(ids::TypeError, "keywords must be strings"));
                };
                self.root(Value::qstr(name))?;
                self.root(value)?;
                keywords += 1;
                position = found + 1;
            }
        }
        let result = self.call_at(slot, positional, keywords);
        self.release(scope);
        result
    }

    fn push_items(&mut self, items: Value) -> Res<u16> {
        let Some((at, first, len)) = self.sequence_items(items) else {
            let list = self.list_of(items)?;
            return self.push_items(list);
        };
        for index in 0..len {
            let value = self.heap.slot(at, first + index);
            self.root(value)?;
        }
        u16::try_from(len).map_err(|_| self.raise_recursion())
    }
}

impl RomRef {
    /// Whether the row is of a type's table.
    pub(crate) fn is_type_table(self) -> bool {
        self.0 >> 12 & 1 << 11 == 0
    }

    /// The type whose table the row is in.
    pub(crate) fn type_id(self) -> crate::native::TypeId {
        crate::native::TypeId((self.0 >> 12) as u16)
    }
}
