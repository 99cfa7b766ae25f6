//! What str, bytes and bytearray have in common: one value of the three, parts of it, new ones of the same type.

use larch_heap::{Header, Kind, Ref, Value};

use super::ids;
use crate::native::{Raised, Res};
use crate::text::{ASCII, Span, TEXT_START};
use crate::vm::{Part, Vm};

/// Which of the three types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextType {
    /// `str`
    Str,
    /// `bytes`
    Bytes,
    /// `bytearray`
    ByteArray,
}

/// A str, bytes or bytearray and where its bytes are. It is good until a bytearray changes its length.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// Its type.
    pub ty: TextType,
    /// The object itself, not of a Python class.
    pub value: Value,
    /// Its bytes.
    pub span: Span,
}

impl TextType {
    /// The kind of cell that is built for such a value; [`Vm::wrap_text`] turns it into the value.
    pub fn kind(self) -> Kind {
        if self == TextType::Str { Kind::Str } else { Kind::Bytes }
    }
}

impl Vm {
    /// A value as text, if it is one of the three types (or of a class derived from one).
    #[inline]
    pub fn as_text(&self, value: Value) -> Option<Text> {
        if let Some(span) = self.str_span(value) {
            return Some(Text { ty: TextType::Str, value, span });
        }
        let value = self.native_part(value);
        match self.heap.kind_of(value) {
            Some(Kind::Bytes) => Some(Text { ty: TextType::Bytes, value, span: self.bytes_span(value)? }),
            Some(Kind::ByteArray) => {
                Some(Text { ty: TextType::ByteArray, value, span: self.array_span(value.as_cell()?) })
            }
            _ => Some(Text { ty: TextType::Str, value, span: self.str_span(value)? }),
        }
    }

    /// The object of a method of str, bytes or bytearray; also str or bytes arguments of functions that take both.
    ///
    /// # Errors
    /// TypeError if it is none of them.
    pub fn text_self(&mut self, value: Value) -> Res<Text> {
        match self.as_text(value) {
            Some(text) => Ok(text),
            None => Err(self.raise_implicit(value)),
        }
    }

    /// An argument that must be of the same sort of text: str for str, bytes or bytearray for these two.
    ///
    /// # Errors
    /// TypeError if it is not.
    pub fn text_arg(&mut self, like: TextType, value: Value) -> Res<Text> {
        match self.as_text(value) {
            Some(text) if (text.ty == TextType::Str) == (like == TextType::Str) => Ok(text),
            _ => Err(self.raise_implicit(value)),
        }
    }

    /// A str argument.
    ///
    /// # Errors
    /// TypeError if it is not one.
    pub fn str_arg(&mut self, value: Value) -> Res<Span> {
        self.text_arg(TextType::Str, value).map(|text| text.span)
    }

    /// A str or bytes argument.
    ///
    /// # Errors
    /// TypeError if it is neither.
    pub fn str_or_bytes_arg(&mut self, value: Value) -> Res<Text> {
        match self.as_text(value) {
            Some(text) if text.ty != TextType::ByteArray => Ok(text),
            _ => Err(self.raise_implicit(value)),
        }
    }

    /// Raises TypeError for a value that is no text where text is needed.
    #[cold]
    pub fn raise_implicit(&mut self, value: Value) -> Raised {
        let wanted = if self.is_a(value, ids::str) { "bytes" } else { "str" };
        let parts = [
            Part::Text("can't convert '"),
            Part::TypeOf(value),
            Part::Text("' object to "),
            Part::Text(wanted),
            Part::Text(" implicitly"),
        ];
        self.raise_parts(ids::TypeError, &parts)
    }

    /// Part of a text, as a new value of its type (itself, if that is all of it and it cannot change). The text must be
    /// alive by itself.
    pub fn text_part(&mut self, text: Text, from: u32, len: u32) -> Res {
        if len == text.span.len() && text.ty != TextType::ByteArray {
            return Ok(text.value);
        }
        self.text_like(text.ty, text.span.part(from, len))
    }

    /// A new value of a text type with the bytes of a span, whose owner must be alive by itself.
    pub fn text_like(&mut self, ty: TextType, span: Span) -> Res {
        let value = self.new_text_from(ty.kind(), span)?;
        match (ty, value.as_cell()) {
            (TextType::ByteArray, Some(at)) => self.bytearray_around(at),
            _ => Ok(value),
        }
    }

    /// Turns a cell from [`Vm::alloc_text`] (of [`TextType::kind`]), now filled, into a value of the type. `ascii`: all
    /// its bytes are known to be ASCII.
    pub fn wrap_text(&mut self, ty: TextType, at: Ref, ascii: bool) -> Res {
        match ty {
            TextType::Bytes => Ok(at.into()),
            TextType::ByteArray => self.bytearray_around(at),
            TextType::Str => {
                let len = self.heap.header(at).count() - TEXT_START;
                if len <= 1 {
                    return self.new_text_from(Kind::Str, Span::Cell { at, first: TEXT_START, len });
                }
                match ascii {
                    true => self.heap.set_word(at, 0, ASCII),
                    false => self.finish_text(at),
                }
                Ok(at.into())
            }
        }
    }

    /// The value of a text type of what a text sink of its kind holds.
    pub fn end_text_like(&mut self, ty: TextType, sink: crate::print::Sink) -> Res {
        let value = self.end_text(sink)?;
        match (ty, value.as_cell()) {
            (TextType::ByteArray, Some(at)) => self.bytearray_around(at),
            _ => Ok(value),
        }
    }

    /// A bytearray whose storage is a bytes cell that nothing else refers to.
    pub fn bytearray_around(&mut self, storage: Ref) -> Res {
        let len = self.heap.header(storage).count() - TEXT_START;
        let at = self.alloc_keeping(Header::new(Kind::ByteArray, 2), storage.into())?;
        self.heap.set_word(at, 0, len);
        self.heap.set_value(at, 1, storage.into());
        Ok(at.into())
    }
}

/// Where `needle` first (or, `last`, last) is in `text`.
pub fn find(text: &[u8], needle: &[u8], last: bool) -> Option<usize> {
    let Some((first, rest)) = needle.split_first() else {
        return Some(if last { text.len() } else { 0 });
    };
    let room = (text.len() + 1).checked_sub(needle.len())?;
    let starts = &text[..room];
    let matches = |at: usize| text[at + 1..at + needle.len()] == *rest;
    if last {
        return (0..room).rev().find(|at| starts[*at] == *first && matches(*at));
    }
    let mut at = 0;
    loop {
        at += starts[at..].iter().position(|byte| byte == first)?;
        if matches(at) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn find_agrees_with_the_standard_library() {
        let texts = ["", "a", "ab", "abab", "aab", "xaxbxab", "bbbb"];
        for text in texts {
            for needle in ["", "a", "b", "ab", "aab", "abab", "zz"] {
                let (t, n) = (text.as_bytes(), needle.as_bytes());
                assert_eq!(find(t, n, false), text.find(needle), "{text} {needle}");
                assert_eq!(find(t, n, true), text.rfind(needle), "{text} {needle}");
            }
        }
    }
}
