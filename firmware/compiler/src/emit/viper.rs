//! The types of viper functions: of locals, and of the expression computed last.
//!
//! Ints are 32 bits with or without sign, pointers lead to memory. Their operations are [`Op::Typed`]; everything else a
//! viper function does is what other functions do, since a value of any type is also a Python object (see
//! [`larch_bytecode::typed`]). What MicroPython's viper refuses is refused in its words.
//!
//! Invariant: after an expression, [`Emitter::kind`] is its type; elsewhere than in viper functions nobody looks at it.
//!
//! Source: MicroPython's `py/emitnative.c` and `docs/develop/native_emitter` for the rules.

use super::variable::Place;
use super::{Emitted, Emitter, Reg};
use crate::ast::{Comparison, Item, Kind, Node, Operator, ParameterKind, Ref};
use crate::error::{Failure, Fault};
use larch_bytecode::op::{self, Op};
use larch_bytecode::qstr::Qstr;
use larch_bytecode::typed::Typed;

/// What is known about a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Object,
    Bool,
    Int,
    Uint,
    Ptr,
    Ptr8,
    Ptr16,
    Ptr32,
    /// The constant None.
    None,
    /// The name of a type that casts.
    Cast,
    /// A local that was not assigned yet.
    Unknown,
}

impl Type {
    /// The type that an annotation or cast names.
    fn named(name: Qstr) -> Option<Type> {
        Some(match name {
            Qstr::object => Type::Object,
            Qstr::bool => Type::Bool,
            Qstr::int => Type::Int,
            Qstr::uint => Type::Uint,
            Qstr::ptr => Type::Ptr,
            Qstr::ptr8 => Type::Ptr8,
            Qstr::ptr16 => Type::Ptr16,
            Qstr::ptr32 => Type::Ptr32,
            _ => return None,
        })
    }

    /// Its name in messages.
    const fn name(self) -> Qstr {
        match self {
            Type::Object | Type::Cast | Type::Unknown => Qstr::object,
            Type::Bool => Qstr::bool,
            Type::Int => Qstr::int,
            Type::Uint => Qstr::uint,
            Type::Ptr => Qstr::ptr,
            Type::Ptr8 => Qstr::ptr8,
            Type::Ptr16 => Qstr::ptr16,
            Type::Ptr32 => Qstr::ptr32,
            Type::None => Qstr::None,
        }
    }

    const fn is_int(self) -> bool {
        matches!(self, Type::Int | Type::Uint)
    }

    const fn is_pointer(self) -> bool {
        matches!(self, Type::Ptr | Type::Ptr8 | Type::Ptr16 | Type::Ptr32)
    }

    const fn is_object(self) -> bool {
        matches!(self, Type::Object | Type::Cast)
    }

    /// How memory of a pointer's type is read and written.
    const fn access(self) -> Option<(Typed, Typed)> {
        match self {
            Type::Ptr8 => Some((Typed::Load8, Typed::Store8)),
            Type::Ptr16 => Some((Typed::Load16, Typed::Store16)),
            Type::Ptr32 => Some((Typed::Load32, Typed::Store32)),
            _ => None,
        }
    }
}

impl Emitter<'_, '_> {
    /// A ViperTypeError; its text's `%` stand for `names`.
    pub(super) fn mistyped<T>(&mut self, fault: Fault, names: [Qstr; 3]) -> Emitted<T> {
        self.fault_names = names;
        Err(Failure::at(0, fault))
    }

    fn mistyped_one<T>(&mut self, fault: Fault, kind: Type) -> Emitted<T> {
        self.mistyped(fault, [kind.name(), Qstr::EMPTY, Qstr::EMPTY])
    }

    fn typed(&mut self, operation: Typed, unsigned: bool, a: Reg, b: Reg, c: Reg) -> Emitted {
        self.abc(Op::Typed, a, b, c)?;
        self.abx(Op::Ext, 0, operation.number(unsigned))
    }

    // ---- signatures and locals ----

    /// The type that an annotation names.
    fn annotated(&mut self, annotation: Ref) -> Emitted<Type> {
        if annotation.is_nothing() {
            return Ok(Type::Object);
        }
        let Some(name) = annotation.as_name() else { return Err(Failure::at(0, Fault::Annotation)) };
        match Type::named(name) {
            Some(kind) => Ok(kind),
            None => self.mistyped(Fault::UnknownType, [name, Qstr::EMPTY, Qstr::EMPTY]),
        }
    }

    /// Gives parameters and result their types, and makes what callers pass of these types. Parameters have their
    /// registers already.
    pub(super) fn typed_signature(&mut self, parameters: Node, returns: Ref) -> Emitted {
        self.unit.returns = self.annotated(returns)?;
        for _ in 0..self.unit.top {
            self.types.push(Type::Object)?;
        }
        for index in 0..self.parser.ast.len(parameters) {
            let Some(parameter) = self.parser.ast.item(parameters, index).node() else { continue };
            if self.parser.ast.detail(parameter) != ParameterKind::Plain as u8 {
                continue;
            }
            let kind = self.annotated(self.parser.ast.part(parameter, 2))?;
            let name = self.parser.ast.name(parameter, 0);
            let Some(symbol) = self.scopes.find(self.unit.scope, name) else { continue };
            self.convert(Type::Object, kind, symbol.slot, symbol.slot)?;
            let index = self.unit.types + usize::from(symbol.slot);
            self.types[index] = kind;
        }
        Ok(())
    }

    /// The other locals have no type yet.
    pub(super) fn untyped_locals(&mut self) -> Emitted {
        while self.types.len() < self.unit.types + usize::from(self.unit.top) {
            self.types.push(Type::Unknown)?;
        }
        Ok(())
    }

    fn type_index(&self, register: Reg) -> Option<usize> {
        let index = self.unit.types + usize::from(register);
        (index < self.types.len()).then_some(index)
    }

    /// Notes the type of a name that is about to be read.
    pub(super) fn read_type(&mut self, name: Qstr) -> Emitted {
        self.kind = Type::Object;
        if !self.unit.is_viper {
            return Ok(());
        }
        match self.place(name) {
            Place::Register(register) => {
                if let Some(index) = self.type_index(register) {
                    self.kind = self.types[index];
                }
                if self.kind == Type::Unknown {
                    return self.mistyped(Fault::TypeUnknown, [name, Qstr::EMPTY, Qstr::EMPTY]);
                }
            }
            Place::Global if Type::named(name).is_some_and(|kind| kind != Type::Object) => {
                self.kind = Type::Cast;
            }
            _ => {}
        }
        Ok(())
    }

    /// Checks the type of what is stored in a local, which gets its type by the first store.
    pub(super) fn stored_type(&mut self, name: Qstr, register: Reg) -> Emitted {
        if !self.unit.is_viper {
            return Ok(());
        }
        let Some(index) = self.type_index(register) else { return Ok(()) };
        let (old, new) = (self.types[index], self.kind);
        if old == Type::Unknown {
            self.types[index] = new;
        } else if old != new {
            return self.mistyped(Fault::LocalType, [name, old.name(), new.name()]);
        }
        Ok(())
    }

    // ---- conversions ----

    /// `target = register` as another type.
    fn convert(&mut self, from: Type, to: Type, target: Reg, register: Reg) -> Emitted {
        self.kind = to;
        let unsigned = to != Type::Int;
        match to {
            Type::Bool if from == Type::None => self.abc(Op::LoadBool, target, 0, 0),
            _ if from == Type::None => self.word(op::asx(Op::LoadInt, target, 0)),
            Type::Bool if from == Type::Bool => self.copy(target, register),
            Type::Bool => self.typed(Typed::Bool, false, target, register, register),
            Type::Int | Type::Uint if from.is_pointer() => {
                self.typed(Typed::Address, unsigned, target, register, register)
            }
            Type::Int | Type::Uint if from != to => {
                self.typed(Typed::Word, unsigned, target, register, register)
            }
            Type::Ptr | Type::Ptr8 | Type::Ptr16 | Type::Ptr32 if !from.is_pointer() => {
                self.typed(Typed::Pointer, true, target, register, register)
            }
            _ => self.copy(target, register),
        }
    }

    /// A chain that starts with a cast, `int(x)` and its like, into `base`, the last temporary. False if it does not.
    pub(super) fn cast(&mut self, node: Node, base: Reg) -> Emitted<bool> {
        let ast = &self.parser.ast;
        let (atom, call) = (ast.item(node, 0), ast.item(node, 1).node());
        let (Some(name), Some(call)) = (atom.as_name().filter(|_| self.unit.is_viper), call) else {
            return Ok(false);
        };
        let is_call = ast.kind(call) == Kind::Call && ast.len(call) == 1 && self.is_plain(call);
        let Some(to) = Type::named(name).filter(|kind| is_call && *kind != Type::Object) else {
            return Ok(false);
        };
        if self.place(name) != Place::Global {
            return Ok(false);
        }
        let argument = self.parser.ast.item(call, 0);
        if self.parser.ast.kind_of(argument) == Some(Kind::Keyword) {
            return Ok(false);
        }
        self.into(argument, base)?;
        if self.kind == Type::Cast {
            return Err(Failure::at(0, Fault::Casting));
        }
        self.convert(self.kind, to, base, base)?;
        Ok(true)
    }

    /// `item`, computed last into a temporary, is passed as an object: pointers as their addresses.
    pub(super) fn pass_object(&mut self, item: Ref, register: Reg) -> Emitted {
        if !self.unit.is_viper || !self.kind.is_pointer() {
            return Ok(());
        }
        let ast = &self.parser.ast;
        let call = item.node().filter(|node| ast.kind(*node) == Kind::Postfix && ast.len(*node) == 2);
        let call = call.and_then(|chain| ast.item(chain, 1).node());
        let is_constant = |call: Node| matches!(ast.item(call, 0).item(), Item::Int(_));
        if call.is_some_and(|call| ast.kind(call) == Kind::Call && ast.len(call) == 1 && is_constant(call)) {
            return Err(Failure::at(0, Fault::ToObject));
        }
        self.kind = Type::Object;
        self.typed(Typed::Address, true, register, register, register)
    }

    /// What was computed last decides a jump.
    pub(super) fn need_truth(&mut self) -> Emitted {
        if self.unit.is_viper && (self.kind.is_pointer() || self.kind == Type::None) {
            return self.mistyped_one(Fault::ToBool, self.kind);
        }
        Ok(())
    }

    // ---- operators ----

    pub(super) fn typed_binary(&mut self, node: Node, target: Reg) -> Emitted {
        let save = self.unit.top;
        let len = self.parser.ast.len(node);
        let mut left = self.operand(self.parser.ast.item(node, 0))?;
        for index in (1..len).step_by(2) {
            let operator = Operator::ALL[self.parser.ast.at(node, index) as usize];
            let kind = self.kind;
            let right = self.operand(self.parser.ast.item(node, index + 1))?;
            self.unit.top = save;
            let is_last = index + 2 == len;
            let result = if is_last || self.is_temporary(target) { target } else { self.temporary()? };
            self.operate(operator, super::expression::operation(operator), (kind, left), right, result)?;
            left = result;
        }
        Ok(())
    }

    /// `result = left op right`, where `right` was computed last. `op` is for objects.
    pub(super) fn operate(
        &mut self,
        operator: Operator,
        op: Op,
        left: (Type, Reg),
        right: Reg,
        result: Reg,
    ) -> Emitted {
        let (left_type, left) = left;
        let right_type = self.kind;
        if left_type.is_object() && right_type.is_object() {
            self.kind = Type::Object;
            return self.abc(op, result, left, right);
        }
        if !left_type.is_int() || !right_type.is_int() {
            let names = [left_type.name(), right_type.name(), Qstr::EMPTY];
            return self.mistyped(Fault::Operands, names);
        }
        let operation = match operator {
            Operator::Or => Typed::Or,
            Operator::Xor => Typed::Xor,
            Operator::And => Typed::And,
            Operator::Add => Typed::Add,
            Operator::Sub => Typed::Sub,
            Operator::Mul => Typed::Mul,
            Operator::Shl => Typed::Shl,
            Operator::Shr => Typed::Shr,
            Operator::FloorDiv | Operator::Mod if left_type == Type::Uint => {
                return self.mistyped_one(Fault::UintDivision, left_type);
            }
            Operator::FloorDiv => Typed::FloorDiv,
            Operator::Mod => Typed::Mod,
            _ => {
                let name = match operator {
                    Operator::TrueDiv => Qstr::__truediv__,
                    Operator::Pow => Qstr::__pow__,
                    _ => Qstr::__matmul__,
                };
                return self.mistyped(Fault::Operation, [name, Qstr::EMPTY, Qstr::EMPTY]);
            }
        };
        self.kind = left_type;
        self.typed(operation, left_type == Type::Uint, result, left, right)
    }

    /// `-x`, `+x`, `~x` of an int; false for objects, and nothing done.
    pub(super) fn typed_unary(&mut self, operator: Operator, target: Reg, operand: Reg) -> Emitted<bool> {
        if !self.unit.is_viper || self.kind.is_object() {
            self.kind = Type::Object;
            return Ok(false);
        }
        if !self.kind.is_int() {
            return self.mistyped_one(Fault::Operand, self.kind);
        }
        let unsigned = self.kind == Type::Uint;
        match operator {
            Operator::Add => self.copy(target, operand)?,
            Operator::Sub => self.typed(Typed::Neg, unsigned, target, operand, operand)?,
            _ => self.typed(Typed::Invert, unsigned, target, operand, operand)?,
        }
        Ok(true)
    }

    /// The operand of `not`, computed last.
    pub(super) fn typed_not(&mut self) -> Emitted {
        if self.unit.is_viper && !self.kind.is_object() {
            let fault = if self.kind.is_int() { Fault::NotInt } else { Fault::Operand };
            return self.mistyped_one(fault, self.kind);
        }
        self.kind = Type::Object;
        Ok(())
    }

    /// A comparison of something of type `left` with what was computed last.
    pub(super) fn typed_comparison(&mut self, comparison: Comparison, left: Type) -> Emitted {
        if !self.unit.is_viper {
            return Ok(());
        }
        let right = self.kind;
        let is_identity = matches!(comparison, Comparison::Is | Comparison::IsNot);
        let is_plain = |kind: Type| kind.is_object() || is_identity && kind == Type::None;
        if left.is_int() && right.is_int() {
            let is_order = !is_identity && !matches!(comparison, Comparison::In | Comparison::NotIn);
            if !is_order {
                return self.mistyped(Fault::Operation, [Qstr::EMPTY; 3]);
            }
            if left != right {
                return self.mistyped_one(Fault::IntAndUint, left);
            }
            self.kind = Type::Bool;
        } else if is_plain(left) && is_plain(right) {
            self.kind = Type::Object;
        } else {
            return self.mistyped(Fault::Operands, [left.name(), right.name(), Qstr::EMPTY]);
        }
        Ok(())
    }

    // ---- memory ----

    /// `result = base[index]`, if `base`, computed last, is no object.
    pub(super) fn typed_subscript(&mut self, base: Reg, index: Ref, result: Reg) -> Emitted<bool> {
        if !self.unit.is_viper || self.kind.is_object() {
            return Ok(false);
        }
        let kind = self.kind;
        let index_register = self.operand(index)?;
        let is_constant = matches!(index.item(), Item::Int(_));
        if !is_constant && !self.kind.is_int() {
            // What is wrong with the base is said first where the index is a global, as in MicroPython.
            let fault = if kind.access().is_some() { Fault::LoadIndex } else { Fault::Load };
            let named = if kind.access().is_some() { self.kind } else { kind };
            return self.mistyped_one(fault, named);
        }
        let Some((load, _)) = kind.access() else { return self.mistyped_one(Fault::Load, kind) };
        self.kind = Type::Int;
        self.typed(load, false, result, base, index_register)?;
        Ok(true)
    }

    /// `base[index] = value`, where `index` was computed last, if `base` is no object.
    pub(super) fn typed_store(
        &mut self,
        base: (Type, Reg),
        index: (Ref, Reg),
        value: (Type, Reg),
    ) -> Emitted<bool> {
        if !self.unit.is_viper || base.0.is_object() {
            return Ok(false);
        }
        let is_constant = matches!(index.0.item(), Item::Int(_));
        let Some((_, store)) = base.0.access() else { return self.mistyped_one(Fault::Store, base.0) };
        if !value.0.is_int() && value.0 != Type::Bool {
            return self.mistyped_one(Fault::StoreValue, value.0);
        }
        if !is_constant && !self.kind.is_int() {
            return self.mistyped_one(Fault::StoreIndex, self.kind);
        }
        self.typed(store, false, base.1, index.1, value.1)?;
        Ok(true)
    }

    // ---- control ----

    /// What was computed last, in `register`, is returned: checks its type and makes an object of it.
    pub(super) fn returned(&mut self, register: Reg) -> Emitted<Reg> {
        let wanted = self.unit.returns;
        if !self.unit.is_viper || self.kind == wanted && !wanted.is_pointer() {
            return Ok(register);
        }
        let result = self.temporary()?;
        if self.kind == Type::None {
            match wanted {
                Type::Object => self.abc(Op::LoadNone, result, 0, 0)?,
                Type::Bool => self.abc(Op::LoadBool, result, 0, 0)?,
                _ => self.word(op::asx(Op::LoadInt, result, 0))?,
            }
        } else if self.kind != wanted {
            return self.mistyped(Fault::Returned, [wanted.name(), self.kind.name(), Qstr::EMPTY]);
        } else {
            self.typed(Typed::Address, true, result, register, register)?;
        }
        Ok(result)
    }

    /// What was computed last is raised.
    pub(super) fn raised_type(&mut self) -> Emitted {
        if self.unit.is_viper && !self.kind.is_object() {
            return self.mistyped_one(Fault::RaiseObject, self.kind);
        }
        Ok(())
    }

    /// Whether the function returns something else than None where its text ends.
    pub(super) fn ends_with_value(&self) -> bool {
        self.unit.is_viper && self.unit.returns != Type::Object
    }

    /// The type of the variable of `for … in range(…)`, whose arguments have these types. Objects: any iteration.
    pub(super) fn range_type(&mut self, kinds: [Type; 3], step: Option<Ref>) -> Emitted<Type> {
        let is_constant = step.is_none_or(|step| matches!(step.item(), Item::Int(_)));
        if !self.unit.is_viper || !is_constant {
            return Ok(Type::Object);
        }
        self.kind = kinds[1];
        self.typed_comparison(Comparison::Lt, kinds[0])?;
        Ok(kinds[0])
    }
}
