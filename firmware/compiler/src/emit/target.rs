//! Assignment and deletion.

use super::expression::in_place;
use super::variable::Place;
use super::viper::Type;
use super::{Emitted, Emitter, Reg};
use crate::ast::{Item, Kind, Node, Operator, Ref};
use crate::error::{Failure, Fault};
use larch_bytecode::op::{self, Op};

impl Emitter<'_, '_> {
    /// `target = value`
    pub(super) fn assign(&mut self, target: Ref, value: Ref) -> Emitted {
        if let Some(name) = target.as_name()
            && let Place::Register(register) = self.place(name)
        {
            self.assign_local(value, register)?;
            self.stored_type(name, register)?;
            self.unit.bound.insert(register);
            return Ok(());
        }
        if self.assign_in_parallel(target, value)? {
            return Ok(());
        }
        let value = self.operand(value)?;
        self.store(target, value)
    }

    /// `a, b = c, d` without a tuple. False if it is not of that form.
    fn assign_in_parallel(&mut self, target: Ref, value: Ref) -> Emitted<bool> {
        let ast = &self.parser.ast;
        let (Some(targets), Some(values)) = (target.node(), value.node()) else { return Ok(false) };
        let is_star = |node, index| ast.kind_of(ast.item(node, index)) == Some(Kind::Star);
        let len = ast.len(targets);
        let fits = ast.kind(targets) == Kind::Tuple
            && ast.kind(values) == Kind::Tuple
            && (2..=4).contains(&len)
            && ast.len(values) == len
            && !(0..len).any(|index| is_star(targets, index) || is_star(values, index));
        if !fits {
            return Ok(false);
        }
        let mut registers = [0; 4];
        let mut kinds = [self.kind; 4];
        for index in 0..len {
            let value = self.parser.ast.item(values, index);
            if is_leaf_constant(value) {
                continue;
            }
            let register = self.operand(value)?;
            kinds[index as usize] = self.kind;
            let is_overwritten =
                (0..index).any(|before| self.is_register(self.parser.ast.item(targets, before), register));
            registers[index as usize] = if is_overwritten {
                let copy = self.temporary()?;
                self.copy(copy, register)?;
                copy
            } else {
                register
            };
        }
        for index in 0..len {
            let (target, value) = (self.parser.ast.item(targets, index), self.parser.ast.item(values, index));
            match is_leaf_constant(value) {
                true => self.assign(target, value)?,
                false => {
                    self.kind = kinds[index as usize];
                    self.store(target, registers[index as usize])?;
                }
            }
        }
        Ok(true)
    }

    /// Whether a target is the local in `register`.
    fn is_register(&self, target: Ref, register: Reg) -> bool {
        target.as_name().is_some_and(|name| self.place(name) == Place::Register(register))
    }

    /// Stores a register in a target.
    pub(super) fn store(&mut self, target: Ref, value: Reg) -> Emitted {
        let top = self.unit.top;
        match target.item() {
            Item::Name(name) => self.store_name(name, value)?,
            Item::Node(node) => match self.parser.ast.kind(node) {
                Kind::Postfix => self.store_in(node, value)?,
                Kind::Tuple if self.parser.ast.len(node) == 0 => return self.not_a_target(target),
                Kind::Tuple | Kind::List => self.unpack(node, value)?,
                _ => return self.not_a_target(target),
            },
            _ => return self.not_a_target(target),
        }
        self.unit.top = top;
        Ok(())
    }

    fn not_a_target<T>(&self, target: Ref) -> Emitted<T> {
        let line = self.parser.ast.line_of(target).unwrap_or(0);
        Err(Failure::at(line, Fault::Assign))
    }

    /// A chain's last item as a target.
    fn store_in(&mut self, node: Node, value: Reg) -> Emitted {
        let last = self.parser.ast.len(node) - 1;
        let Some(trailer) = self.parser.ast.item(node, last).node() else { return Ok(()) };
        match self.parser.ast.kind(trailer) {
            Kind::Attr => {
                let object = self.chain(node, last, None)?;
                let name = self.short_name(self.parser.ast.name(trailer, 0))?;
                self.abc(Op::SetAttr, object, name, value)
            }
            Kind::Index => {
                let value_type = self.kind;
                let object = self.chain(node, last, None)?;
                let base = (self.kind, object);
                let item = self.parser.ast.part(trailer, 0);
                let index = self.operand(item)?;
                match self.typed_store(base, (item, index), (value_type, value))? {
                    true => Ok(()),
                    false => self.abc(Op::SetItem, object, index, value),
                }
            }
            _ => self.fail(node, Fault::Assign),
        }
    }

    /// `a, b = value`, `[a, *b] = value`.
    fn unpack(&mut self, node: Node, value: Reg) -> Emitted {
        let len = self.parser.ast.len(node);
        let count = u8::try_from(len).map_err(|_| Failure::at(0, Fault::Targets))?;
        let mut star = None;
        for index in 0..len {
            let item = self.parser.ast.item(node, index);
            if self.parser.ast.kind_of(item) == Some(Kind::Star) {
                if star.is_some() {
                    return self.fail(item.node().unwrap_or(node), Fault::Stars);
                }
                star = Some(index as u8);
            }
        }
        let in_place = if star.is_none() { self.targets_in_a_row(node, len) } else { None };
        let first = match in_place {
            Some(first) => first,
            None => self.temporaries(count.into())?,
        };
        match star {
            None => self.abc(Op::Unpack, first, value, count)?,
            Some(before) => {
                self.abc(Op::UnpackEx, first, value, before)?;
                self.abx(Op::Ext, 0, u16::from(count - before - 1))?;
            }
        }
        for index in 0..len {
            let mut item = self.parser.ast.item(node, index);
            if star == Some(index as u8)
                && let Some(star) = item.node()
            {
                item = self.parser.ast.part(star, 0);
            }
            self.kind = Type::Object;
            self.store(item, first + index as u8)?;
        }
        Ok(())
    }

    /// The first register of targets that are locals in neighbouring registers.
    fn targets_in_a_row(&self, node: Node, len: u32) -> Option<Reg> {
        let mut first = None;
        for index in 0..len {
            let name = self.parser.ast.item(node, index).as_name()?;
            let Place::Register(register) = self.place(name) else { return None };
            let start = *first.get_or_insert(register);
            if u32::from(register) != u32::from(start) + index {
                return None;
            }
        }
        first
    }

    /// `target op= value`
    pub(super) fn augment(&mut self, node: Node) -> Emitted {
        let operator = Operator::ALL[usize::from(self.parser.ast.detail(node))];
        let (target, value) = (self.parser.ast.part(node, 0), self.parser.ast.part(node, 1));
        match target.item() {
            Item::Name(name) => {
                let place = self.place(name);
                let target = match self.local(name)? {
                    Some(register) if !self.unit.has_walrus => register,
                    _ => {
                        let register = self.temporary()?;
                        self.load(name, register)?;
                        register
                    }
                };
                let result = match place {
                    Place::Register(register) => register,
                    _ => target,
                };
                self.augmented(operator, result, target, value)?;
                self.store_name(name, result)
            }
            Item::Node(chain) if self.parser.ast.kind(chain) == Kind::Postfix => {
                self.augment_in(chain, operator, value)
            }
            _ => self.not_a_target(target),
        }
    }

    fn augment_in(&mut self, chain: Node, operator: Operator, value: Ref) -> Emitted {
        let last = self.parser.ast.len(chain) - 1;
        let Some(trailer) = self.parser.ast.item(chain, last).node() else { return Ok(()) };
        match self.parser.ast.kind(trailer) {
            Kind::Attr => {
                let object = self.chain(chain, last, None)?;
                let attribute = self.parser.ast.name(trailer, 0);
                let current = self.temporary()?;
                let name = self.short_name(attribute)?;
                self.kind = Type::Object;
                self.abc(Op::GetAttr, current, object, name)?;
                self.augmented(operator, current, current, value)?;
                let name = self.short_name(attribute)?;
                self.abc(Op::SetAttr, object, name, current)
            }
            Kind::Index => {
                let object = self.chain(chain, last, None)?;
                if self.unit.is_viper {
                    return self.typed_augment(object, self.parser.ast.part(trailer, 0), operator, value);
                }
                let index = self.operand(self.parser.ast.part(trailer, 0))?;
                let current = self.temporary()?;
                self.abc(Op::GetItem, current, object, index)?;
                self.augmented(operator, current, current, value)?;
                self.abc(Op::SetItem, object, index, current)
            }
            _ => self.fail(chain, Fault::Assign),
        }
    }

    /// `result = (target op= value)`
    fn augmented(&mut self, operator: Operator, result: Reg, target: Reg, value: Ref) -> Emitted {
        if self.unit.is_viper {
            let left = (self.kind, target);
            let top = self.unit.top;
            let right = self.operand(value)?;
            self.unit.top = top;
            return self.operate(operator, in_place(operator), left, right, result);
        }
        if let Item::Int(value) = value.item()
            && let Ok(value) = i8::try_from(value)
        {
            match operator {
                Operator::Add if value >= 0 => {
                    return self.word(op::abi(Op::IAddI, result, target, value));
                }
                Operator::Sub if value > 0 => {
                    return self.word(op::abi(Op::IAddI, result, target, -value));
                }
                _ => {}
            }
        }
        let top = self.unit.top;
        let value = self.operand(value)?;
        self.unit.top = top;
        self.abc(in_place(operator), result, target, value)
    }

    /// `base[index] op= value` in a viper function; `base` was computed last.
    fn typed_augment(&mut self, base: Reg, index: Ref, operator: Operator, value: Ref) -> Emitted {
        let base_type = self.kind;
        let register = self.operand(index)?;
        let index_type = self.kind;
        let current = self.temporary()?;
        self.kind = base_type;
        if !self.typed_subscript(base, index, current)? {
            self.kind = Type::Object;
            self.abc(Op::GetItem, current, base, register)?;
        }
        self.augmented(operator, current, current, value)?;
        let result = (self.kind, current);
        self.kind = index_type;
        match self.typed_store((base_type, base), (index, register), result)? {
            true => Ok(()),
            false => self.abc(Op::SetItem, base, register, current),
        }
    }

    /// `del target`
    pub(super) fn delete(&mut self, target: Ref) -> Emitted {
        let top = self.unit.top;
        match target.item() {
            Item::Name(name) => self.delete_name(name)?,
            Item::Node(node) => match self.parser.ast.kind(node) {
                Kind::Tuple if self.parser.ast.len(node) > 0 => {
                    for index in 0..self.parser.ast.len(node) {
                        self.delete(self.parser.ast.item(node, index))?;
                    }
                }
                Kind::Postfix => self.delete_in(node)?,
                _ => return self.fail(node, Fault::Delete),
            },
            _ => return Err(Failure::at(0, Fault::Delete)),
        }
        self.unit.top = top;
        Ok(())
    }

    fn delete_in(&mut self, node: Node) -> Emitted {
        let last = self.parser.ast.len(node) - 1;
        let Some(trailer) = self.parser.ast.item(node, last).node() else { return Ok(()) };
        match self.parser.ast.kind(trailer) {
            Kind::Attr => {
                let object = self.chain(node, last, None)?;
                let name = self.short_name(self.parser.ast.name(trailer, 0))?;
                self.abc(Op::DelAttr, object, name, 0)
            }
            Kind::Index => {
                let object = self.chain(node, last, None)?;
                let index = self.operand(self.parser.ast.part(trailer, 0))?;
                self.abc(Op::DelItem, object, index, 0)
            }
            _ => self.fail(node, Fault::Delete),
        }
    }
}

/// Whether the value is a constant that needs no node, so that it can as well be loaded late.
fn is_leaf_constant(value: Ref) -> bool {
    matches!(value.item(), Item::Int(_) | Item::Str(_) | Item::Single(_))
}
