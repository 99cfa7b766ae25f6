//! Comprehensions: list, set and dict ones in place, generator expressions as functions.

use super::context::Around;
use super::loops::{Body, Iteration};
use super::{Emitted, Emitter, Reg, Signature};
use crate::ast::{Kind, Made, Node, Ref};
use crate::error::{Failure, Fault};
use crate::parser::cost;
use crate::scopes::{ScopeId, ScopeKind, Symbol, flag};
use larch_bytecode::code::Flags;
use larch_bytecode::op::Op;
use larch_bytecode::qstr::Qstr;

impl Emitter<'_, '_> {
    /// A comprehension into `target`, a temporary.
    pub(super) fn comprehension(&mut self, node: Node, target: Reg) -> Emitted {
        let ast = &self.parser.ast;
        let scope = ast.at(node, 0) as ScopeId;
        let Some(clause) = ast.item(node, 3).node() else { return self.fail(node, Fault::Syntax) };
        let (variables, source) = (ast.part(clause, 0), ast.part(clause, 1));
        match ast.detail(node) {
            made if made == Made::Generator as u8 => {
                return self.generator_expression(node, scope, source, target);
            }
            made if made == Made::Set as u8 => self.abc(Op::BuildSet, target, target, 0)?,
            made if made == Made::Dict as u8 => self.abx(Op::BuildDict, target, 0)?,
            _ => self.abc(Op::BuildList, target, target, 0)?,
        }
        self.parser.enter(cost::COMPREHENSION)?;
        let iteration = self.begin_iteration(source)?;
        self.give_registers(scope)?;
        let outer = core::mem::replace(&mut self.unit.current, scope);
        self.push_context(Around::Loop, 0, Qstr::EMPTY)?;
        self.run_iteration(iteration, variables, Body::Clauses(node, 4, target))?;
        self.pop_context()?;
        self.unit.current = outer;
        self.parser.exit(cost::COMPREHENSION);
        Ok(())
    }

    /// Registers for the variables of an inline scope.
    fn give_registers(&mut self, scope: ScopeId) -> Emitted {
        let mut next = self.scopes.symbols(scope).next();
        while let Some(symbol) = next {
            let register = self.temporary()?;
            self.scopes.set_slot(scope, symbol.name, register);
            self.unit.bound.remove(register);
            if symbol.has(flag::CAPTURED) {
                self.abc(Op::LoadUnbound, register, 0, 0)?;
                self.abc(Op::MakeCell, register, 0, 0)?;
            }
            next = self.symbol_after(scope, symbol);
        }
        Ok(())
    }

    fn symbol_after(&self, scope: ScopeId, symbol: Symbol) -> Option<Symbol> {
        self.scopes.symbols(scope).skip_while(|other| other.name != symbol.name).nth(1)
    }

    /// The clauses from `index` on, then the item, which is added to `result` or yielded.
    pub(super) fn clauses(&mut self, node: Node, index: u32, result: Reg) -> Emitted {
        let top = self.unit.top;
        if index == self.parser.ast.len(node) {
            self.add_item(node, result)?;
            self.unit.top = top;
            return Ok(());
        }
        let Some(clause) = self.parser.ast.item(node, index).node() else { return Ok(()) };
        let rest = Body::Clauses(node, index + 1, result);
        if self.parser.ast.kind(clause) == Kind::IfClause {
            let depth = self.contexts.len() - 1;
            let mut next = self.contexts[depth].next;
            self.condition(self.parser.ast.part(clause, 0), false, &mut next)?;
            self.contexts[depth].next = next;
            return self.clauses(node, index + 1, result);
        }
        let (target, source) = (self.parser.ast.part(clause, 0), self.parser.ast.part(clause, 1));
        self.push_context(Around::Loop, 0, Qstr::EMPTY)?;
        self.iterate(target, source, rest)?;
        self.pop_context()?;
        self.unit.top = top;
        Ok(())
    }

    fn add_item(&mut self, node: Node, result: Reg) -> Emitted {
        let is_dict = self.parser.ast.detail(node) == Made::Dict as u8;
        let value = if is_dict { self.operand(self.parser.ast.item(node, 2))? } else { 0 };
        let item = self.operand(self.parser.ast.item(node, 1))?;
        match self.parser.ast.detail(node) {
            made if made == Made::Generator as u8 => {
                let sent = self.temporary()?;
                self.abc(Op::Yield, sent, item, 0)
            }
            made if made == Made::Set as u8 => self.abc(Op::SetAdd, result, item, 0),
            made if made == Made::Dict as u8 => self.abc(Op::DictSet, result, item, value),
            _ => self.abc(Op::ListAppend, result, item, 0),
        }
    }

    /// A generator function of one parameter, the iterator, and its call.
    fn generator_expression(&mut self, node: Node, scope: ScopeId, source: Ref, target: Reg) -> Emitted {
        let base = self.last_or_new(target)?;
        let code = self.generator_code(node, scope)?;
        self.make_function(code, scope, None, base)?;
        let argument = self.new_operand(source)?;
        self.abc(Op::YieldIter, argument, argument, 0)?;
        self.abc(Op::Call, base, 1, 0)?;
        self.copy(target, base)
    }

    fn generator_code(&mut self, node: Node, scope: ScopeId) -> Emitted<u16> {
        let line = self.parser.ast.line(node);
        let outer = self.begin_unit(scope, line)?;
        let parameter = self.temporary()?;
        self.give_locals(scope)?;
        let Some(clause) = self.parser.ast.item(node, 3).node() else {
            return Err(Failure::at(line, Fault::Syntax));
        };
        let variables = self.parser.ast.part(clause, 0);
        let iterator = self.temporaries(2)?;
        self.abc(Op::GetIter, iterator, parameter, 0)?;
        self.push_context(Around::Loop, 0, Qstr::EMPTY)?;
        self.run_iteration(Iteration::Iterator(iterator), variables, Body::Clauses(node, 4, parameter))?;
        self.pop_context()?;
        self.end_body()?;
        let signature = Signature {
            name: Qstr::GENEXPR,
            flags: Flags::GENERATOR,
            positional: 1,
            keyword_only: 0,
            free: self.scopes.scope(scope).free,
        };
        debug_assert_eq!(self.scopes.scope(scope).kind, ScopeKind::Generator);
        let code = self.end_unit(outer, signature, &[Qstr::EMPTY])?;
        self.new_constant(code)
    }
}
