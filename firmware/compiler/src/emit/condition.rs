//! Conditions: tests fused with the jump they decide.

use super::label::Label;
use super::viper::Type;
use super::{Emitted, Emitter, Reg};
use crate::ast::{Comparison, Item, Kind, Node, Ref};
use larch_bytecode::code::Singleton;
use larch_bytecode::op::{self, Op};

impl Emitter<'_, '_> {
    /// Jumps to `label` if the truth of `item` is `sense`; else goes on.
    pub(super) fn condition(&mut self, item: Ref, sense: bool, label: &mut Label) -> Emitted {
        if let Some(truth) = self.parser.truth(item) {
            return if truth == sense { self.jump(label) } else { Ok(()) };
        }
        let top = self.unit.top;
        match self.parser.ast.kind_of(item) {
            Some(kind @ (Kind::And | Kind::Or | Kind::Not | Kind::Compare)) => {
                self.condition_node(item, kind, sense, label)?;
            }
            _ => {
                let value = self.operand(item)?;
                self.need_truth()?;
                self.test(op::abc(Op::Test, sense.into(), value, 0), label)?;
            }
        }
        self.unit.top = top;
        Ok(())
    }

    fn test(&mut self, word: u32, label: &mut Label) -> Emitted {
        self.word(word)?;
        self.branch(label)
    }

    fn condition_node(&mut self, item: Ref, kind: Kind, sense: bool, label: &mut Label) -> Emitted {
        let Some(node) = item.node() else { return Ok(()) };
        self.at_line(self.parser.ast.line(node));
        match kind {
            Kind::Not => self.condition(self.parser.ast.part(node, 0), !sense, label),
            Kind::Compare => self.compare_and_branch(node, sense, label),
            _ => self.short_circuit(node, kind == Kind::Or, sense, label),
        }
    }

    /// `and` and `or`: operands before the last decide by being `decisive`.
    fn short_circuit(&mut self, node: Node, decisive: bool, sense: bool, label: &mut Label) -> Emitted {
        let mut skip = Label::NEW;
        let last = self.parser.ast.len(node) - 1;
        for index in 0..last {
            let operand = self.parser.ast.item(node, index);
            let target = if decisive == sense { &mut *label } else { &mut skip };
            self.condition(operand, decisive, target)?;
        }
        self.condition(self.parser.ast.item(node, last), sense, label)?;
        self.bind(skip);
        Ok(())
    }

    fn compare_and_branch(&mut self, node: Node, sense: bool, label: &mut Label) -> Emitted {
        let len = self.parser.ast.len(node);
        let mut skip = Label::NEW;
        let save = self.unit.top;
        let mut left = self.operand(self.parser.ast.item(node, 0))?;
        for index in (1..len).step_by(2) {
            let comparison = Comparison::ALL[self.parser.ast.at(node, index) as usize];
            let right = self.parser.ast.item(node, index + 1);
            let is_last = index + 2 == len;
            let (sense, target) = match (is_last, sense) {
                (true, _) => (sense, &mut *label),
                (false, false) => (false, &mut *label),
                (false, true) => (false, &mut skip),
            };
            let left_type = self.kind;
            let right = self.compare_pair(left, comparison, right, sense, is_last, target)?;
            let right_type = self.kind;
            self.typed_comparison(comparison, left_type)?;
            self.kind = right_type;
            left = if is_last { right } else { self.settle(right, save)? };
        }
        self.bind(skip);
        Ok(())
    }

    /// One comparison; returns the right operand's register.
    fn compare_pair(
        &mut self,
        left: Reg,
        comparison: Comparison,
        right: Ref,
        sense: bool,
        is_last: bool,
        label: &mut Label,
    ) -> Emitted<Reg> {
        let is_none = right == Ref::single(Singleton::None);
        match (comparison, right.item()) {
            (Comparison::Is | Comparison::IsNot, _) if is_none && is_last => {
                self.kind = Type::None;
                let sense = sense == (comparison == Comparison::Is);
                self.test(op::abc(Op::TestNone, sense.into(), left, 0), label)?;
                return Ok(left);
            }
            (_, Item::Int(value)) if is_last => {
                if let (Some(op), Ok(value)) = (testing_small(comparison), i8::try_from(value)) {
                    self.kind = Type::Int;
                    self.test(op::abi(op, sense.into(), left, value), label)?;
                    return Ok(left);
                }
            }
            _ => {}
        }
        let register = self.operand(right)?;
        let (op, same) = testing(comparison);
        self.test(op::abc(op, (sense == same).into(), left, register), label)?;
        Ok(register)
    }
}

/// The test of a comparison, and whether it is that or its opposite.
fn testing(comparison: Comparison) -> (Op, bool) {
    match comparison {
        Comparison::Eq => (Op::TestEq, true),
        Comparison::Ne => (Op::TestNe, true),
        Comparison::Lt => (Op::TestLt, true),
        Comparison::Le => (Op::TestLe, true),
        Comparison::Gt => (Op::TestGt, true),
        Comparison::Ge => (Op::TestGe, true),
        Comparison::In => (Op::TestIn, true),
        Comparison::NotIn => (Op::TestIn, false),
        Comparison::Is => (Op::TestIs, true),
        Comparison::IsNot => (Op::TestIs, false),
    }
}

/// The test of a comparison with a small constant.
fn testing_small(comparison: Comparison) -> Option<Op> {
    Some(match comparison {
        Comparison::Eq => Op::TestEqI,
        Comparison::Ne => Op::TestNeI,
        Comparison::Lt => Op::TestLtI,
        Comparison::Le => Op::TestLeI,
        Comparison::Gt => Op::TestGtI,
        Comparison::Ge => Op::TestGeI,
        _ => return None,
    })
}
