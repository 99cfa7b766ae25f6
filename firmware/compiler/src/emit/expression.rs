//! Values of expressions.

use super::label::Label;
use super::viper::Type;
use super::{Emitted, Emitter, Reg};
use crate::ast::{Comparison, Item, Kind, Node, Operator, Ref};
use crate::error::{Failure, Fault};
use crate::parser::cost;
use crate::scopes::ScopeKind;
use larch_bytecode::code::Singleton;
use larch_bytecode::op::{self, Op};

/// Items of a display that are built at once; longer displays append one by one.
const BUILT_AT_ONCE: u32 = 24;

impl Emitter<'_, '_> {
    /// The value in some register: that of a local, or a new temporary.
    pub(super) fn operand(&mut self, item: Ref) -> Emitted<Reg> {
        if let Some(register) = self.local_operand(item)? {
            return Ok(register);
        }
        self.new_operand(item)
    }

    /// The value in a new temporary.
    pub(super) fn new_operand(&mut self, item: Ref) -> Emitted<Reg> {
        let target = self.temporary()?;
        self.into(item, target)?;
        Ok(target)
    }

    /// The register of a local, if that is what `item` is and nothing can change it before it is used.
    fn local_operand(&mut self, item: Ref) -> Emitted<Option<Reg>> {
        match item.as_name() {
            Some(name) if !self.unit.has_walrus => self.local(name),
            _ => Ok(None),
        }
    }

    /// The value in some register; `hint` is used if it is a temporary.
    fn operand_near(&mut self, item: Ref, hint: Reg) -> Emitted<Reg> {
        if let Some(register) = self.local_operand(item)? {
            return Ok(register);
        }
        if !self.is_temporary(hint) {
            return self.new_operand(item);
        }
        self.into(item, hint)?;
        Ok(hint)
    }

    /// Computes for the effects only.
    pub(super) fn discard(&mut self, item: Ref) -> Emitted {
        let top = self.unit.top;
        let is_bare_constant = !matches!(item.item(), Item::Node(_) | Item::Name(_))
            || self.parser.ast.kind_of(item) == Some(Kind::Object)
            || self.parser.ast.kind_of(item) == Some(Kind::Int);
        if !is_bare_constant {
            self.operand(item)?;
        }
        self.unit.top = top;
        Ok(())
    }

    /// Stores the value in the register of a local, which keeps its old value if computing raises.
    pub(super) fn assign_local(&mut self, item: Ref, local: Reg) -> Emitted {
        if self.is_direct(item) {
            return self.into(item, local);
        }
        let top = self.unit.top;
        let value = self.operand(item)?;
        self.unit.top = top;
        self.copy(local, value)
    }

    /// Whether only the last instruction of the expression writes its target.
    fn is_direct(&self, item: Ref) -> bool {
        let ast = &self.parser.ast;
        let Some(node) = item.node() else { return true };
        match ast.kind(node) {
            Kind::Object
            | Kind::Int
            | Kind::Binary
            | Kind::Unary
            | Kind::Not
            | Kind::Lambda
            | Kind::Postfix
            | Kind::Slice
            | Kind::Yield => true,
            Kind::Compare => ast.len(node) == 3,
            Kind::Tuple | Kind::List | Kind::Set => ast.len(node) <= BUILT_AT_ONCE,
            Kind::IfExp => self.is_direct(ast.part(node, 1)) && self.is_direct(ast.part(node, 2)),
            _ => false,
        }
    }

    /// Computes the value into `target`. Temporaries above are free again afterwards.
    pub(super) fn into(&mut self, item: Ref, target: Reg) -> Emitted {
        let top = self.unit.top;
        match item.item() {
            Item::Node(node) => {
                self.parser.enter(cost::EXPRESSION)?;
                self.node_into(item, node, target)?;
                self.parser.exit(cost::EXPRESSION);
            }
            Item::Name(name) => self.load(name, target)?,
            Item::Str(text) => {
                self.kind = Type::Object;
                self.abx(Op::LoadQstr, target, text.0)?;
            }
            Item::Single(Singleton::None) | Item::Nothing => {
                self.kind = Type::None;
                self.abc(Op::LoadNone, target, 0, 0)?;
            }
            Item::Single(truth @ (Singleton::True | Singleton::False)) => {
                self.kind = Type::Bool;
                self.abc(Op::LoadBool, target, (truth == Singleton::True).into(), 0)?;
            }
            Item::Int(value) if i16::try_from(value).is_ok() => {
                self.kind = Type::Int;
                self.word(op::asx(Op::LoadInt, target, value as i16))?;
            }
            Item::Int(_) => {
                self.kind = Type::Int;
                self.load_constant(item, target)?;
            }
            Item::Single(Singleton::Ellipsis) => {
                self.kind = Type::Object;
                self.load_constant(item, target)?;
            }
        }
        self.unit.top = top;
        Ok(())
    }

    pub(super) fn load_constant(&mut self, item: Ref, target: Reg) -> Emitted {
        let index = self.constant(item)?;
        self.abx(Op::LoadConst, target, index)
    }

    fn node_into(&mut self, item: Ref, node: Node, target: Reg) -> Emitted {
        let kind = self.parser.ast.kind(node);
        if !matches!(kind, Kind::Object | Kind::Int) {
            self.at_line(self.parser.ast.line(node));
        }
        match kind {
            Kind::Object | Kind::Int => {
                self.kind = self.constant_type(node, kind);
                return self.load_constant(item, target);
            }
            Kind::Binary | Kind::Unary | Kind::Not | Kind::And | Kind::Or | Kind::Compare => {
                return self.operator(node, kind, target);
            }
            Kind::IfExp => return self.conditional(node, target),
            Kind::Postfix => return self.postfix(node, target),
            Kind::Named => return self.named(node, target),
            Kind::Lambda => self.lambda(node, target),
            Kind::Slice => self.slice(node, target),
            Kind::Tuple | Kind::List | Kind::Set => self.display(node, kind, target),
            Kind::Dict => self.dict(node, target),
            Kind::Comprehension => self.comprehension(node, target),
            Kind::Yield | Kind::YieldFrom | Kind::Await => self.yielding(node, kind, target),
            Kind::Star => self.fail(node, Fault::Star),
            _ => self.fail(node, Fault::Syntax),
        }?;
        self.kind = Type::Object;
        Ok(())
    }

    fn operator(&mut self, node: Node, kind: Kind, target: Reg) -> Emitted {
        match kind {
            Kind::Binary if self.unit.is_viper => self.typed_binary(node, target),
            Kind::Binary => self.binary(node, target),
            Kind::Unary => self.unary(node, target),
            Kind::Not => {
                let operand = self.operand_near(self.parser.ast.part(node, 0), target)?;
                self.typed_not()?;
                self.abc(Op::Not, target, operand, 0)
            }
            Kind::And | Kind::Or => self.logical(node, kind, target),
            _ => self.compare(node, target),
        }
    }

    /// Small ints have a type of their own in viper functions.
    fn constant_type(&self, node: Node, kind: Kind) -> Type {
        let is_small = |value: i64| (-1 << 30..1 << 30).contains(&value);
        if kind == Kind::Int && is_small(self.parser.ast.int(node)) { Type::Int } else { Type::Object }
    }

    /// A SyntaxError at a node.
    pub(super) fn fail<T>(&self, node: Node, fault: Fault) -> Emitted<T> {
        Err(Failure::at(self.parser.ast.line(node), fault))
    }

    // ---- operators ----

    fn binary(&mut self, node: Node, target: Reg) -> Emitted {
        let save = self.unit.top;
        let len = self.parser.ast.len(node);
        let mut left = self.operand_near(self.parser.ast.item(node, 0), target)?;
        for index in (1..len).step_by(2) {
            let operator = Operator::ALL[self.parser.ast.at(node, index) as usize];
            let right = self.parser.ast.item(node, index + 1);
            let is_last = index + 2 == len;
            let immediate = immediate(operator, right);
            let register = match immediate {
                Some(_) => 0,
                None => self.operand(right)?,
            };
            self.unit.top = save;
            let result = if is_last || self.is_temporary(target) { target } else { self.temporary()? };
            match immediate {
                Some((op, value)) => self.word(op::abi(op, result, left, value))?,
                None => self.abc(operation(operator), result, left, register)?,
            }
            left = result;
        }
        Ok(())
    }

    fn unary(&mut self, node: Node, target: Reg) -> Emitted {
        let operator = Operator::ALL[usize::from(self.parser.ast.detail(node))];
        let operand = self.operand_near(self.parser.ast.part(node, 0), target)?;
        if self.typed_unary(operator, target, operand)? {
            return Ok(());
        }
        let op = match operator {
            Operator::Add => Op::Pos,
            Operator::Sub => Op::Neg,
            _ => Op::Invert,
        };
        self.abc(op, target, operand, 0)
    }

    /// `and`, `or`: `target` is a temporary.
    fn logical(&mut self, node: Node, kind: Kind, target: Reg) -> Emitted {
        let len = self.parser.ast.len(node);
        let mut end = Label::NEW;
        for index in 0..len {
            self.into(self.parser.ast.item(node, index), target)?;
            if index + 1 < len {
                self.need_truth()?;
                self.abc(Op::Test, (kind == Kind::Or).into(), target, 0)?;
                self.branch(&mut end)?;
            }
        }
        self.bind(end);
        Ok(())
    }

    /// A comparison; in a chain, `target` is a temporary.
    fn compare(&mut self, node: Node, target: Reg) -> Emitted {
        let len = self.parser.ast.len(node);
        let mut end = Label::NEW;
        let save = self.unit.top;
        let first = self.parser.ast.item(node, 0);
        let mut left = if len == 3 { self.operand_near(first, target)? } else { self.operand(first)? };
        for index in (1..len).step_by(2) {
            let comparison = Comparison::ALL[self.parser.ast.at(node, index) as usize];
            let left_type = self.kind;
            let right = self.operand(self.parser.ast.item(node, index + 1))?;
            let right_type = self.kind;
            self.typed_comparison(comparison, left_type)?;
            let result_type = core::mem::replace(&mut self.kind, right_type);
            self.abc(comparing(comparison), target, left, right)?;
            if index + 2 < len {
                self.abc(Op::Test, 0, target, 0)?;
                self.branch(&mut end)?;
            } else {
                self.kind = result_type;
            }
            left = self.settle(right, save)?;
        }
        self.unit.top = save;
        self.bind(end);
        Ok(())
    }

    /// Frees the temporaries from `top` on but for `register`, which becomes the first of them.
    pub(super) fn settle(&mut self, register: Reg, top: u16) -> Emitted<Reg> {
        if u16::from(register) < top {
            self.unit.top = top;
            return Ok(register);
        }
        self.unit.top = top;
        let settled = self.temporary()?;
        self.copy(settled, register)?;
        Ok(settled)
    }

    fn conditional(&mut self, node: Node, target: Reg) -> Emitted {
        let (mut other, mut end) = (Label::NEW, Label::NEW);
        let ast = &self.parser.ast;
        let (condition, value, instead) = (ast.part(node, 0), ast.part(node, 1), ast.part(node, 2));
        self.condition(condition, false, &mut other)?;
        self.into(value, target)?;
        self.jump(&mut end)?;
        self.bind(other);
        self.into(instead, target)?;
        self.bind(end);
        Ok(())
    }

    fn named(&mut self, node: Node, target: Reg) -> Emitted {
        let Some(name) = self.parser.ast.part(node, 0).as_name() else {
            return self.fail(node, Fault::Assign);
        };
        self.into(self.parser.ast.part(node, 1), target)?;
        let current = self.unit.current;
        self.unit.current = self.unit.scope;
        self.store_name(name, target)?;
        self.unit.current = current;
        Ok(())
    }

    // ---- displays ----

    /// Items into registers in a row; the first.
    fn row(&mut self, node: Node, count: u32) -> Emitted<Reg> {
        let first = self.unit.top as Reg;
        for index in 0..count {
            self.new_operand(self.parser.ast.item(node, index))?;
        }
        Ok(first)
    }

    fn display(&mut self, node: Node, kind: Kind, target: Reg) -> Emitted {
        let len = self.parser.ast.len(node);
        if kind == Kind::Set && self.parser.ast.detail(node) == 1 {
            return self.fail(node, Fault::SetItem);
        }
        let at_once = len.min(BUILT_AT_ONCE);
        let op = match kind {
            Kind::Tuple if len <= BUILT_AT_ONCE => Op::BuildTuple,
            Kind::Set => Op::BuildSet,
            _ => Op::BuildList,
        };
        let save = self.unit.top;
        let first = self.row(node, at_once)?;
        self.unit.top = save;
        self.abc(op, target, first, at_once as u8)?;
        for index in at_once..len {
            let item = self.operand(self.parser.ast.item(node, index))?;
            let op = if kind == Kind::Set { Op::SetAdd } else { Op::ListAppend };
            self.abc(op, target, item, 0)?;
            self.unit.top = save;
        }
        if kind == Kind::Tuple && len > BUILT_AT_ONCE {
            self.abc(Op::ListToTuple, target, target, 0)?;
        }
        Ok(())
    }

    /// A dict display: `target` is a temporary. Values are evaluated before their keys, as in MicroPython.
    fn dict(&mut self, node: Node, target: Reg) -> Emitted {
        if self.parser.ast.detail(node) == 1 {
            return self.fail(node, Fault::DictItem);
        }
        let len = self.parser.ast.len(node);
        self.abx(Op::BuildDict, target, (len / 2).min(u16::MAX.into()) as u16)?;
        for index in (0..len).step_by(2) {
            let save = self.unit.top;
            let value = self.operand(self.parser.ast.item(node, index + 1))?;
            let key = self.operand(self.parser.ast.item(node, index))?;
            self.abc(Op::DictSet, target, key, value)?;
            self.unit.top = save;
        }
        Ok(())
    }

    fn slice(&mut self, node: Node, target: Reg) -> Emitted {
        let first = self.unit.top as Reg;
        for index in 0..3 {
            self.new_operand(self.parser.ast.part(node, index))?;
        }
        self.abc(Op::BuildSlice, target, first, 0)
    }

    // ---- generators ----

    fn yielding(&mut self, node: Node, kind: Kind, target: Reg) -> Emitted {
        let frame = self.scopes.scope(self.unit.scope);
        if !matches!(frame.kind, ScopeKind::Function | ScopeKind::Lambda | ScopeKind::Generator) {
            let text = match kind {
                Kind::Await => Fault::AwaitOutside,
                _ => Fault::YieldOutside,
            };
            return self.fail(node, text);
        }
        if self.unit.current != self.unit.scope && kind != Kind::Await {
            return self.fail(node, Fault::YieldOutside);
        }
        let value = self.operand(self.parser.ast.part(node, 0))?;
        if self.unit.is_viper {
            return Err(Failure::at(0, Fault::NativeYield));
        }
        if kind == Kind::Yield {
            return self.abc(Op::Yield, target, value, 0);
        }
        let iterator = self.temporary()?;
        self.abc(Op::YieldIter, iterator, value, (kind == Kind::Await).into())?;
        self.delegate(iterator, target)
    }

    /// Awaits what is in `register`; the result takes its place.
    pub(super) fn await_in(&mut self, register: Reg) -> Emitted {
        let save = self.unit.top;
        let iterator = self.temporary()?;
        self.abc(Op::YieldIter, iterator, register, 1)?;
        self.delegate(iterator, register)?;
        self.unit.top = save;
        Ok(())
    }

    fn delegate(&mut self, iterator: Reg, target: Reg) -> Emitted {
        self.abc(Op::LoadNone, target, 0, 0)?;
        self.abc(Op::YieldFrom, target, iterator, 0)
    }
}

/// The form of an operation with a small constant on the right.
fn immediate(operator: Operator, right: Ref) -> Option<(Op, i8)> {
    let Item::Int(value) = right.item() else { return None };
    let value = i8::try_from(value).ok()?;
    match operator {
        Operator::Add if value >= 0 => Some((Op::AddI, value)),
        Operator::Sub if value > 0 => Some((Op::AddI, -value)),
        Operator::Mul => Some((Op::MulI, value)),
        Operator::FloorDiv => Some((Op::FloorDivI, value)),
        Operator::Mod => Some((Op::ModI, value)),
        Operator::And => Some((Op::AndI, value)),
        Operator::Shl => Some((Op::ShlI, value)),
        Operator::Shr => Some((Op::ShrI, value)),
        _ => None,
    }
}

pub(super) fn operation(operator: Operator) -> Op {
    match operator {
        Operator::Add => Op::Add,
        Operator::Sub => Op::Sub,
        Operator::Mul => Op::Mul,
        Operator::MatMul => Op::MatMul,
        Operator::TrueDiv => Op::TrueDiv,
        Operator::Mod => Op::Mod,
        Operator::FloorDiv => Op::FloorDiv,
        Operator::Pow => Op::Pow,
        Operator::And => Op::And,
        Operator::Or => Op::Or,
        Operator::Xor => Op::Xor,
        Operator::Shl => Op::Shl,
        Operator::Shr | Operator::Invert => Op::Shr,
    }
}

/// The in-place form of an operation.
pub(super) fn in_place(operator: Operator) -> Op {
    match operator {
        Operator::Add => Op::IAdd,
        Operator::Sub => Op::ISub,
        Operator::Mul => Op::IMul,
        Operator::MatMul => Op::IMatMul,
        Operator::TrueDiv => Op::ITrueDiv,
        Operator::Mod => Op::IMod,
        Operator::FloorDiv => Op::IFloorDiv,
        Operator::Pow => Op::IPow,
        Operator::And => Op::IAnd,
        Operator::Or => Op::IOr,
        Operator::Xor => Op::IXor,
        Operator::Shl => Op::IShl,
        Operator::Shr | Operator::Invert => Op::IShr,
    }
}

fn comparing(comparison: Comparison) -> Op {
    match comparison {
        Comparison::Eq => Op::Eq,
        Comparison::Ne => Op::Ne,
        Comparison::Lt => Op::Lt,
        Comparison::Le => Op::Le,
        Comparison::Gt => Op::Gt,
        Comparison::Ge => Op::Ge,
        Comparison::In => Op::In,
        Comparison::NotIn => Op::NotIn,
        Comparison::Is => Op::Is,
        Comparison::IsNot => Op::IsNot,
    }
}
