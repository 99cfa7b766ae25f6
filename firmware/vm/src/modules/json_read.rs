//! Reading JSON: one pass over bytes, with the containers being read on a list of their own, so that nesting is limited by
//! memory only.

use larch_heap::{Kind, Ref, Value};

use crate::native::{Raised, Res};
use crate::print::Sink;
use crate::text::Span;
use crate::types::float_parse::parse_float;
use crate::types::ids;
use crate::unicode;
use crate::vm::Vm;

struct Reader {
    text: Span,
    at: u32,
    /// The text is a str, so parts between ASCII characters are well-formed.
    checked: bool,
}

/// Reads one value, which must be all of the text, whose owner must be alive by itself.
///
/// # Errors
/// ValueError for what is no JSON.
pub(super) fn read(vm: &mut Vm, text: Span, checked: bool) -> Res {
    let mut reader = Reader { text, at: 0, checked };
    let scope = vm.scope();
    // What is open: container, key (unbound: none), container, key …
    let open = vm.new_list(&[])?;
    vm.root(open)?;
    let open = open.expect_cell("a list");
    let result = read_value(vm, &mut reader, open)?;
    let result_slot = vm.root(result)?;
    reader.skip_space(vm);
    if reader.peek(vm).is_some() {
        return Err(syntax(vm));
    }
    let result = vm.heap.stack(result_slot);
    vm.release(scope);
    Ok(result)
}

#[cold]
fn syntax(vm: &mut Vm) -> Raised {
    vm.raise(ids::ValueError, "syntax error in JSON")
}

fn read_value(vm: &mut Vm, reader: &mut Reader, open: Ref) -> Res {
    let scope = vm.scope();
    loop {
        vm.release(scope);
        let Some(first) = reader.next(vm) else { return Err(syntax(vm)) };
        let value = match first {
            b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => continue,
            b'n' => reader.word(vm, b"ull", Value::NONE)?,
            b'f' => reader.word(vm, b"alse", Value::FALSE)?,
            b't' => reader.word(vm, b"rue", Value::TRUE)?,
            b'"' => reader.string(vm)?,
            b'-' | b'0'..=b'9' => reader.number(vm)?,
            b'[' => vm.new_list(&[])?,
            b'{' => vm.new_dict(0)?,
            b']' | b'}' => {
                let len = vm.list_len(open);
                if len == 0 {
                    return Err(syntax(vm));
                }
                let value = vm.list_get(open, len - 2);
                vm.list_truncate(open, len - 2);
                if len == 2 {
                    return Ok(value);
                }
                continue;
            }
            _ => return Err(syntax(vm)),
        };
        vm.root(value)?;
        let enters = matches!(first, b'[' | b'{');
        let len = vm.list_len(open);
        if len == 0 && !enters {
            return Ok(value);
        }
        if len > 0 {
            add(vm, open, len, value, enters)?;
        }
        if enters {
            vm.list_append(open, value)?;
            vm.list_append(open, Value::UNBOUND)?;
        }
    }
}

/// Adds a value to the innermost container, or keeps it as the next key of a dict.
fn add(vm: &mut Vm, open: Ref, len: u32, value: Value, enters: bool) -> Res<()> {
    let (container, key) = (vm.list_get(open, len - 2), vm.list_get(open, len - 1));
    if let Some(list) = vm.heap.as_kind(container, Kind::List) {
        return vm.list_append(list, value);
    }
    let Some(dict) = vm.heap.as_kind(container, Kind::Dict) else { return Ok(()) };
    if !key.is_unbound() {
        vm.list_set(open, len - 1, Value::UNBOUND);
        vm.root(key)?;
        return vm.table_set(dict, key, value);
    }
    if enters {
        return Err(syntax(vm));
    }
    // A key that is a name already saves its own memory, and time later.
    let key = vm.find_qstr(value).map_or(value, Value::qstr);
    vm.list_set(open, len - 1, key);
    Ok(())
}

impl Reader {
    fn peek(&self, vm: &Vm) -> Option<u8> {
        vm.bytes_at(self.text).get(self.at as usize).copied()
    }

    fn next(&mut self, vm: &Vm) -> Option<u8> {
        let byte = self.peek(vm)?;
        self.at += 1;
        Some(byte)
    }

    fn skip_space(&mut self, vm: &Vm) {
        let rest = &vm.bytes_at(self.text)[self.at as usize..];
        self.at += rest.iter().take_while(|byte| unicode::is_space(**byte)).count() as u32;
    }

    fn word(&mut self, vm: &mut Vm, rest: &[u8], value: Value) -> Res {
        if !vm.bytes_at(self.text)[self.at as usize..].starts_with(rest) {
            return Err(syntax(vm));
        }
        self.at += rest.len() as u32;
        Ok(value)
    }

    /// A number whose first character was taken.
    fn number(&mut self, vm: &mut Vm) -> Res {
        let start = self.at - 1;
        let rest = &vm.bytes_at(self.text)[self.at as usize..];
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let len = rest.iter().take_while(|byte| is_part(byte)).count() as u32;
        self.at += len;
        let number = self.text.part(start, len + 1);
        let bytes = vm.bytes_at(number);
        if !bytes.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            return vm.parse_int(number, 10);
        }
        match parse_float(bytes) {
            Some(value) => vm.new_float(value),
            None => Err(vm.raise(ids::ValueError, "invalid syntax for number")),
        }
    }

    /// A string whose opening quote was taken.
    fn string(&mut self, vm: &mut Vm) -> Res {
        let rest = &vm.bytes_at(self.text)[self.at as usize..];
        let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\')).count() as u32;
        if rest.get(plain as usize) == Some(&b'"') {
            let part = self.text.part(self.at, plain);
            self.at += plain + 1;
            if !self.checked && !unicode::is_valid(vm.bytes_at(part)) {
                return Err(vm.raise_empty(ids::UnicodeError));
            }
            return vm.new_text_from(Kind::Str, part);
        }
        let scope = vm.scope();
        let sink = vm.begin_text(Kind::Str, plain + 16)?;
        self.escaped_string(vm, sink)?;
        if !self.checked && !unicode::is_valid(vm.bytes_at(vm.text_so_far(sink))) {
            return Err(vm.raise_empty(ids::UnicodeError));
        }
        let text = vm.end_text(sink);
        vm.release(scope);
        text
    }

    fn escaped_string(&mut self, vm: &mut Vm, sink: Sink) -> Res<()> {
        loop {
            let rest = &vm.bytes_at(self.text)[self.at as usize..];
            let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\')).count() as u32;
            vm.emit_span(sink, self.text.part(self.at, plain))?;
            self.at += plain;
            match self.next(vm) {
                Some(b'"') => return Ok(()),
                Some(_) => {}
                None => return Err(syntax(vm)),
            }
            let byte = match self.next(vm) {
                Some(b'b') => 8,
                Some(b'f') => 12,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'u') => {
                    let code = self.code(vm)?;
                    let (bytes, len) = unicode::encode(code);
                    vm.emit(sink, &bytes[..len])?;
                    continue;
                }
                Some(other) => other,
                None => return Err(syntax(vm)),
            };
            vm.emit(sink, &[byte])?;
        }
    }

    /// The character of `\uXXXX`, or of two of them that are halves of one character.
    fn code(&mut self, vm: &mut Vm) -> Res<u32> {
        let Some(first) = self.four_digits(vm) else { return Err(syntax(vm)) };
        let rest = &vm.bytes_at(self.text)[self.at as usize..];
        if (0xd800..0xdc00).contains(&first) && rest.starts_with(b"\\u") {
            let before = self.at;
            self.at += 2;
            match self.four_digits(vm) {
                Some(second @ 0xdc00..0xe000) => {
                    return Ok(0x1_0000 + ((first & 0x3ff) << 10 | second & 0x3ff));
                }
                _ => self.at = before,
            }
        }
        Ok(first)
    }

    fn four_digits(&mut self, vm: &Vm) -> Option<u32> {
        let digits = vm.bytes_at(self.text).get(self.at as usize..self.at as usize + 4)?;
        let mut code = 0;
        for digit in digits {
            code = code << 4 | char::from(*digit).to_digit(16)?;
        }
        self.at += 4;
        Some(code)
    }
}
