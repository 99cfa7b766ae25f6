//! Writing values and text: to the console, into a string under construction, or to a Python stream.

use larch_heap::{Header, Kind, Value};

use crate::native::Res;
use crate::text::TEXT_START;
use crate::vm::Vm;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrintKind {
    /// As `str()` does.
    Str,
    /// As `repr()` does.
    Repr,
    /// An exception's arguments only.
    ExcArgs,
}

/// Where text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// The console (`sys.stdout` of the port).
    Console,
    /// A string under construction: stack index of its cell; the next slot holds its length. Made by
    /// [`Vm::begin_text`].
    Text(u32),
    /// An object with a `write` method: its stack index.
    Stream(u32),
}

impl Vm {
    /// Starts a string or bytes object of unknown length. The sink is valid until the enclosing [`Vm::release`] (or the
    /// return of the native function).
    pub fn begin_text(&mut self, kind: Kind, capacity: u32) -> Res<Sink> {
        let at = self.alloc_text(kind, capacity)?;
        let index = self.root(at.into())?;
        self.root(Value::small(0))?;
        Ok(Sink::Text(index))
    }

    /// Ends a string or bytes object started by [`Vm::begin_text`].
    ///
    /// # Panics
    /// If `sink` is not of that sort.
    pub fn end_text(&mut self, sink: Sink) -> Res {
        let Sink::Text(index) = sink else { panic!("not a text sink") };
        let at = self.heap.stack(index).as_cell().expect("a text cell");
        let len = self.heap.stack(index + 1).small_unchecked() as u32;
        self.heap.resize(at, len + TEXT_START);
        self.finish_text(at);
        Ok(at.into())
    }

    /// Length so far of a text under construction.
    pub fn text_len(&self, sink: Sink) -> u32 {
        match sink {
            Sink::Text(index) => self.heap.stack(index + 1).small_unchecked() as u32,
            _ => 0,
        }
    }

    /// Writes bytes.
    pub fn emit(&mut self, sink: Sink, bytes: &[u8]) -> Res<()> {
        match sink {
            Sink::Console => {
                (self.hooks.write)(bytes);
                Ok(())
            }
            Sink::Text(index) => {
                let at = self.text_room(index, bytes.len() as u32)?;
                let len = self.heap.stack(index + 1).small_unchecked() as u32;
                self.heap.bytes_mut(at, TEXT_START + len, bytes.len() as u32).copy_from_slice(bytes);
                self.heap.set_stack(index + 1, Value::small((len + bytes.len() as u32) as i32));
                Ok(())
            }
            Sink::Stream(index) => {
                let text = match core::str::from_utf8(bytes) {
                    Ok(text) => self.new_str(text)?,
                    Err(_) => self.new_bytes(bytes)?,
                };
                let stream = self.heap.stack(index);
                self.call_method(stream, larch_bytecode::qstr::Qstr::write, &[text]).map(|_| ())
            }
        }
    }

    /// Writes the bytes at a span, whose owner must be alive by itself.
    pub fn emit_span(&mut self, sink: Sink, span: crate::text::Span) -> Res<()> {
        use crate::text::Span;
        match (sink, span) {
            (_, Span::Static(bytes)) => self.emit(sink, bytes),
            (Sink::Console, _) => {
                (self.hooks.write)(self.bytes_at(span));
                Ok(())
            }
            (Sink::Text(index), Span::Cell { at: from, first, len: part }) => {
                let at = self.text_room(index, part)?;
                let len = self.heap.stack(index + 1).small_unchecked() as u32;
                self.heap.copy(at, TEXT_START + len, from, first, part);
                self.heap.set_stack(index + 1, Value::small((len + part) as i32));
                Ok(())
            }
            (Sink::Stream(index), _) => {
                let text = self.new_text_from(Kind::Str, span)?;
                let stream = self.heap.stack(index);
                self.call_method(stream, larch_bytecode::qstr::Qstr::write, &[text]).map(|_| ())
            }
        }
    }

    /// The cell of a text under construction, with room for `more` bytes.
    fn text_room(&mut self, index: u32, more: u32) -> Res<larch_heap::Ref> {
        let at = self.heap.stack(index).as_cell().expect("a text cell");
        let len = self.heap.stack(index + 1).small_unchecked() as u32;
        let capacity = self.heap.header(at).count() - TEXT_START;
        if len + more <= capacity {
            return Ok(at);
        }
        let wanted = (len + more).max(capacity + capacity / 2).next_multiple_of(16) - 8 + TEXT_START;
        let wanted = wanted.max(len + more + TEXT_START);
        if wanted > Header::MAX_COUNT {
            return Err(self.raise_memory());
        }
        if self.heap.resize(at, wanted) {
            return Ok(at);
        }
        let new = self.alloc(Header::new(self.heap.kind(at), wanted))?;
        self.heap.copy(new, TEXT_START, at, TEXT_START, len);
        self.heap.free(at);
        self.heap.set_stack(index, new.into());
        Ok(new)
    }

    /// Writes a text literal.
    pub fn emit_str(&mut self, sink: Sink, text: &str) -> Res<()> {
        self.emit(sink, text.as_bytes())
    }

    /// Writes a value as `str()` or `repr()` would.
    pub fn print_value(&mut self, sink: Sink, value: Value, kind: PrintKind) -> Res<()> {
        if let (PrintKind::Str, Some(span)) = (kind, self.str_span(value)) {
            return self.emit_span(sink, span);
        }
        self.deeper(|vm| vm.print_slowly(sink, value, kind))
    }

    fn print_slowly(&mut self, sink: Sink, value: Value, kind: PrintKind) -> Res<()> {
        let scope = self.scope();
        self.root(value)?;
        let class = self.type_of(value);
        let result = match self.native_slot(class, |def| def.print) {
            Some(print) => print(self, sink, value, kind),
            None => {
                self.emit_str(sink, "<")?;
                self.print_type_name(sink, class)?;
                self.emit_str(sink, ">")
            }
        };
        self.release(scope);
        result
    }

    /// Writes a class's name.
    pub fn print_type_name(&mut self, sink: Sink, class: Value) -> Res<()> {
        let name = self.type_name(class);
        self.print_value(sink, Value::qstr(name), PrintKind::Str)
    }

    /// `str(value)`
    pub fn to_str(&mut self, value: Value) -> Res {
        if self.is_str(value) { Ok(value) } else { self.to_text(value, PrintKind::Str) }
    }

    /// `repr(value)`
    pub fn to_repr(&mut self, value: Value) -> Res {
        self.to_text(value, PrintKind::Repr)
    }

    fn to_text(&mut self, value: Value, kind: PrintKind) -> Res {
        let scope = self.scope();
        self.root(value)?;
        let sink = self.begin_text(Kind::Str, 12)?;
        self.print_value(sink, value, kind)?;
        let text = self.end_text(sink);
        self.release(scope);
        text
    }

    /// Writes an int in decimal.
    pub fn emit_int(&mut self, sink: Sink, value: i32) -> Res<()> {
        self.print_value(sink, Value::small(value), PrintKind::Str)
    }
}
