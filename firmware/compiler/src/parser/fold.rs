//! Constants: folding of operators, tuples, and `const`.
//!
//! As MicroPython: an operation is folded if all its operands are ints and the result is one that fits 64 bits; there
//! is no partial folding.

use super::{Known, Parsed, Parser, cost};
use crate::ast::{Item, Kind, Node, Operator, Ref};
use crate::buffer::Buffer;
use crate::erase::Const;
use crate::error::{Failure, Fault};
use larch_bytecode::code::Singleton;
use larch_bytecode::qstr::Qstr;

/// Decimal digits of an `i64`, sign included.
struct Digits {
    bytes: [u8; 20],
    start: usize,
}

impl Digits {
    fn new(value: i64) -> Self {
        let (mut bytes, mut start, mut rest) = ([0; 20], 20, value.unsigned_abs());
        loop {
            start -= 1;
            bytes[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            start -= 1;
            bytes[start] = b'-';
        }
        Digits { bytes, start }
    }

    fn text(&self) -> &str {
        core::str::from_utf8(&self.bytes[self.start..]).unwrap_or("0")
    }
}

impl Parser<'_, '_> {
    /// An int.
    pub(super) fn int(&mut self, value: i64, line: u32) -> Parsed {
        match Ref::int(value) {
            Some(leaf) => Ok(leaf),
            None => self.ast.add(Kind::Int, 0, line, &[value as u32, (value >> 32) as u32]),
        }
    }

    /// A constant that is no leaf.
    pub(super) fn object(&mut self, object: Const, line: u32) -> Parsed {
        let index = self.objects.len() as u32;
        self.objects.push(object)?;
        self.ast.add(Kind::Object, 0, line, &[index])
    }

    /// The float or long int of the token in force, which a minus before it may want to read again.
    pub(super) fn number(&mut self, object: Const) -> Parsed {
        let (index, now) = (self.objects.len() as u32, self.lexer.now);
        self.objects.push(object)?;
        self.ast.add(Kind::Object, 1, now.token_line, &[index, now.start, now.stop])
    }

    /// The negative of a literal that is no leaf.
    fn negative_literal(&mut self, operand: Ref, line: u32) -> Result<Option<Ref>, Failure> {
        let is_literal = |node: &Node| self.ast.kind(*node) == Kind::Object && self.ast.detail(*node) == 1;
        let Some(node) = operand.node().filter(is_literal) else { return Ok(None) };
        let mut text = Buffer::new();
        text.push(b'-')?;
        let literal = self.lexer.text_between(self.ast.word(node, 1), self.ast.word(node, 2));
        for byte in literal.bytes().filter(|byte| *byte != b'_') {
            text.push(byte)?;
        }
        let prefix = text.get(..3).map(|prefix| [prefix[1], prefix[2] | 0x20]);
        let radix = match prefix {
            Some([b'0', b'x']) => 16,
            Some([b'0', b'o']) => 8,
            Some([b'0', b'b']) => 2,
            _ => 10,
        };
        if radix != 10 {
            text.copy_within(3.., 1);
            text.truncate(text.len() - 2);
        }
        let Ok(digits) = core::str::from_utf8(&text) else { return Ok(None) };
        let is_int = radix != 10 || digits.bytes().skip(1).all(|byte| byte.is_ascii_digit());
        let object = if is_int { self.backend.int(digits, radix)? } else { self.backend.float(digits)? };
        self.object(object, line).map(Some)
    }

    /// The value of a constant int.
    fn as_int(&self, item: Ref) -> Option<i64> {
        match item.item() {
            Item::Int(value) => Some(value.into()),
            Item::Node(node) if self.ast.kind(node) == Kind::Int => Some(int_of(self, node)),
            _ => None,
        }
    }

    /// The truth of a constant, if it is one whose truth is known here.
    pub(crate) fn truth(&self, item: Ref) -> Option<bool> {
        Some(match item.item() {
            Item::Int(value) => value != 0,
            Item::Str(text) => text != Qstr::EMPTY,
            Item::Single(which) => matches!(which, Singleton::True | Singleton::Ellipsis),
            Item::Node(node) => match self.ast.kind(node) {
                Kind::Int => true,
                Kind::Tuple if self.ast.len(node) == 0 => false,
                _ => return None,
            },
            Item::Name(_) | Item::Nothing => return None,
        })
    }

    pub(super) fn fold_not(&mut self, operand: Ref, line: u32) -> Parsed {
        match self.truth(operand) {
            Some(true) => Ok(Ref::single(Singleton::False)),
            Some(false) => Ok(Ref::single(Singleton::True)),
            None => self.ast.add(Kind::Not, 0, line, &[operand.0]),
        }
    }

    pub(super) fn fold_unary(&mut self, operator: Operator, operand: Ref, line: u32) -> Parsed {
        let folded = self.as_int(operand).and_then(|value| match operator {
            Operator::Add => Some(value),
            Operator::Sub => value.checked_neg(),
            _ => Some(!value),
        });
        if operator == Operator::Sub
            && let Some(literal) = self.negative_literal(operand, line)?
        {
            return Ok(literal);
        }
        match folded {
            Some(value) => self.int(value, line),
            None => self.ast.add(Kind::Unary, operator as u8, line, &[operand.0]),
        }
    }

    /// Folds the operands and operators in `scratch` from `start` on, or makes the node.
    pub(super) fn fold_binary(&mut self, line: u32, start: usize) -> Parsed {
        let mut value = self.as_int(Ref(self.scratch[start]));
        for pair in self.scratch[start + 1..].chunks_exact(2) {
            let right = self.as_int(Ref(pair[1]));
            value = match (value, right) {
                (Some(left), Some(right)) => operate(Operator::ALL[pair[0] as usize], left, right),
                _ => None,
            };
        }
        match value {
            Some(value) => {
                self.scratch.truncate(start);
                self.int(value, line)
            }
            None => self.list(Kind::Binary, line, start),
        }
    }

    /// Drops constant operands of `and` and `or` that do not decide, and what follows one that does.
    pub(super) fn fold_logical(&mut self, kind: Kind, line: u32, start: usize) -> Parsed {
        let (mut kept, len) = (start, self.scratch.len());
        for index in start..len {
            let item = self.scratch[index];
            self.scratch[kept] = item;
            let truth = self.truth(Ref(item));
            let decides = truth == Some(kind == Kind::Or);
            if decides || truth.is_none() || index + 1 == len {
                kept += 1;
            }
            if decides {
                break;
            }
        }
        self.scratch.truncate(kept);
        if kept == start + 1 {
            let only = Ref(self.scratch[start]);
            self.scratch.truncate(start);
            return Ok(only);
        }
        self.list(kind, line, start)
    }

    /// A tuple of what stands in `scratch` from `start` on: a constant if all items are.
    pub(super) fn fold_tuple(&mut self, line: u32, start: usize) -> Parsed {
        let items = start..self.scratch.len();
        let is_kept = !self.folds_tuples && items.len() <= 4;
        if is_kept
            || items.is_empty()
            || !items.clone().all(|index| self.is_constant(Ref(self.scratch[index])))
        {
            return self.list(Kind::Tuple, line, start);
        }
        let first = self.objects.len();
        for index in items {
            let object = self.constant(Ref(self.scratch[index]))?;
            self.objects.push(object)?;
        }
        let tuple = self.backend.tuple(&self.objects[first..])?;
        self.objects.truncate(first);
        self.scratch.truncate(start);
        self.object(tuple, line)
    }

    fn is_constant(&self, item: Ref) -> bool {
        match item.item() {
            Item::Int(_) | Item::Str(_) | Item::Single(_) => true,
            Item::Name(_) | Item::Nothing => false,
            Item::Node(node) => match self.ast.kind(node) {
                Kind::Object | Kind::Int => true,
                Kind::Tuple => self.ast.len(node) == 0,
                _ => false,
            },
        }
    }

    /// The constant that a leaf, object, int or empty tuple is.
    pub(crate) fn constant(&mut self, item: Ref) -> Result<Const, Failure> {
        Ok(match item.item() {
            Item::Int(value) => self.backend.small_int(value)?,
            Item::Str(text) | Item::Name(text) => self.backend.interned(text)?,
            Item::Single(which) => self.backend.singleton(which)?,
            Item::Nothing => self.backend.singleton(Singleton::None)?,
            Item::Node(node) => match self.ast.kind(node) {
                Kind::Object => self.objects[self.ast.word(node, 0) as usize],
                Kind::Int => self.long_int(int_of(self, node))?,
                _ => self.backend.tuple(&[])?,
            },
        })
    }

    fn long_int(&mut self, value: i64) -> Result<Const, Failure> {
        const LIMIT: i64 = 1 << 30;
        if (-LIMIT..LIMIT).contains(&value) {
            return Ok(self.backend.small_int(value as i32)?);
        }
        Ok(self.backend.int(Digits::new(value).text(), 10)?)
    }

    /// `name = const(value)`: notes the constant and returns its value in place of the call. Other values are returned
    /// as they are.
    pub(super) fn fold_const(&mut self, name: Qstr, value: Ref) -> Result<(Ref, bool), Failure> {
        let Some(call) = self.const_call(value) else { return Ok((value, false)) };
        let line = self.ast.line_of(value).unwrap_or(0);
        let inner = if self.ast.len(call) == 1 { self.ast.item(call, 0) } else { Ref::NOTHING };
        let inner = match self.is_constant(inner) {
            true => inner,
            false => match self.evaluate(inner)? {
                Some(object) => self.object(object, line)?,
                None => return Err(Failure::at(line, Fault::NotConstant)),
            },
        };
        let known = match inner.item() {
            Item::Node(node) if self.ast.kind(node) == Kind::Int => Known::Int(int_of(self, node)),
            Item::Node(_) => {
                let object = self.constant(inner)?;
                self.keep(object)?
            }
            _ => Known::Leaf(inner),
        };
        self.known.push((name, known))?;
        Ok((inner, true))
    }

    /// The number that an expression of `const` makes of floats and long ints; none if it is not constant.
    fn evaluate(&mut self, item: Ref) -> Result<Option<Const>, Failure> {
        if self.is_constant(item) {
            return self.constant(item).map(Some);
        }
        let Some(node) = item.node() else { return Ok(None) };
        self.enter(cost::EXPRESSION)?;
        let value = match self.ast.kind(node) {
            Kind::Unary => {
                let operator = match Operator::ALL[usize::from(self.ast.detail(node))] {
                    Operator::Add => None,
                    Operator::Sub => Some(Operator::Mul),
                    _ => Some(Operator::Xor),
                };
                // -x is -1 * x, and ~x is -1 ^ x.
                let minus_one = self.backend.small_int(-1)?;
                match (operator, self.evaluate(self.ast.part(node, 0))?) {
                    (Some(operator), Some(value)) => {
                        self.backend.operate(operator as u8, minus_one, value)?
                    }
                    (_, value) => value,
                }
            }
            Kind::Binary => self.evaluate_binary(node)?,
            Kind::Postfix => self.evaluate_attribute(node)?,
            _ => None,
        };
        self.exit(cost::EXPRESSION);
        Ok(value)
    }

    /// `module.name` of a built-in module.
    fn evaluate_attribute(&mut self, node: Node) -> Result<Option<Const>, Failure> {
        let is_attribute = |node: &Node| self.ast.kind(*node) == Kind::Attr;
        let attribute = self.ast.item(node, 1).node().filter(is_attribute);
        match (self.ast.item(node, 0).as_name(), attribute) {
            (Some(module), Some(attribute)) if self.ast.len(node) == 2 => {
                let name = self.ast.name(attribute, 0);
                Ok(self.backend.number_of_module(module, name)?)
            }
            _ => Ok(None),
        }
    }

    fn evaluate_binary(&mut self, node: Node) -> Result<Option<Const>, Failure> {
        let mut value = self.evaluate(self.ast.item(node, 0))?;
        for index in (1..self.ast.len(node)).step_by(2) {
            let operator = self.ast.at(node, index) as u8;
            let right = self.evaluate(self.ast.item(node, index + 1))?;
            value = match (value, right) {
                (Some(left), Some(right)) => self.backend.operate(operator, left, right)?,
                _ => None,
            };
        }
        Ok(value)
    }

    /// Keeps a constant, and with it those of the statement so far, until the end of the file.
    fn keep(&mut self, object: Const) -> Result<Known, Failure> {
        let index = self.objects.len();
        self.objects.push(object)?;
        self.kept_objects = self.objects.len();
        Ok(Known::Object(index as u32))
    }

    /// Whether an entry of the table of constants outlives the statement, and keeps its index.
    pub(crate) fn is_kept(&self, index: u32) -> bool {
        (index as usize) < self.kept_objects
    }

    /// The arguments of a call of `const`.
    fn const_call(&self, value: Ref) -> Option<Node> {
        let node = value.node().filter(|node| self.ast.kind(*node) == Kind::Postfix)?;
        let is_const = self.ast.len(node) == 2 && self.ast.item(node, 0) == Ref::name(Qstr::const_);
        let call = self.ast.item(node, 1).node().filter(|_| is_const)?;
        (self.ast.kind(call) == Kind::Call).then_some(call)
    }
}

fn int_of(parser: &Parser<'_, '_>, node: Node) -> i64 {
    parser.ast.int(node)
}

/// The result of an operation on ints, if it fits.
fn operate(operator: Operator, left: i64, right: i64) -> Option<i64> {
    match operator {
        Operator::Add => left.checked_add(right),
        Operator::Sub => left.checked_sub(right),
        Operator::Mul => left.checked_mul(right),
        Operator::FloorDiv => floor_divide(left, right).map(|(quotient, _)| quotient),
        Operator::Mod => floor_divide(left, right).map(|(_, remainder)| remainder),
        Operator::Pow => left.checked_pow(u32::try_from(right).ok()?),
        Operator::And => Some(left & right),
        Operator::Or => Some(left | right),
        Operator::Xor => Some(left ^ right),
        Operator::Shl => shift_left(left, right),
        Operator::Shr if right < 0 => None,
        Operator::Shr => Some(left >> right.min(63)),
        Operator::TrueDiv | Operator::MatMul | Operator::Invert => None,
    }
}

fn floor_divide(left: i64, right: i64) -> Option<(i64, i64)> {
    let (quotient, remainder) = (left.checked_div(right)?, left.checked_rem(right)?);
    let below = remainder != 0 && (remainder < 0) != (right < 0);
    Some(if below { (quotient - 1, remainder + right) } else { (quotient, remainder) })
}

fn shift_left(left: i64, right: i64) -> Option<i64> {
    let shift = u32::try_from(right).ok().filter(|shift| *shift < 63)?;
    left.checked_mul(1 << shift)
}
