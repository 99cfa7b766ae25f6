//! Statements.

use super::context::{Around, Reason};
use super::label::Label;
use super::viper::Type;
use super::{Emitted, Emitter};
use crate::Mode;
use crate::ast::{Kind, Node, Ref};
use crate::error::{Failure, Fault};
use crate::parser::cost;
use crate::scopes::ScopeKind;
use larch_bytecode::code::Singleton;
use larch_bytecode::op::{self, Op};
use larch_bytecode::qstr::Qstr;

impl Emitter<'_, '_> {
    pub(super) fn statement(&mut self, statement: Ref) -> Emitted {
        let Some(node) = statement.node() else { return Ok(()) };
        let kind = self.parser.ast.kind(node);
        if kind == Kind::Block {
            let around = self.error_line;
            for index in 0..self.parser.ast.len(node) {
                let statement = self.parser.ast.item(node, index);
                self.error_line = self.parser.ast.line_of(statement).unwrap_or(around);
                self.statement(statement)?;
            }
            self.error_line = around;
            return Ok(());
        }
        self.at_line(self.parser.ast.line(node));
        let top = self.unit.top;
        self.parser.enter(cost::STATEMENT)?;
        self.one_statement(node, kind)?;
        self.parser.exit(cost::STATEMENT);
        self.unit.top = top;
        Ok(())
    }

    fn one_statement(&mut self, node: Node, kind: Kind) -> Emitted {
        match kind {
            Kind::Expr => self.expression_statement(node),
            Kind::Assign => self.assignment(node),
            Kind::AugAssign => self.augment(node),
            Kind::Del => (0..self.parser.ast.len(node))
                .try_for_each(|index| self.delete(self.parser.ast.item(node, index))),
            Kind::Break => self.leave_loop(node, Reason::Break),
            Kind::Continue => self.leave_loop(node, Reason::Continue),
            Kind::Return => self.return_statement(node),
            Kind::Raise => self.raise_statement(node),
            Kind::Assert => self.assert_statement(node),
            Kind::Import => self.import_statement(node),
            Kind::ImportFrom => self.import_from(node),
            Kind::If => self.if_statement(node),
            Kind::While => self.while_loop(node),
            Kind::For => self.for_statement(node),
            Kind::Try => self.try_statement(node),
            Kind::With => self.with_statement(node),
            Kind::Def | Kind::Class => self.bind_definition(node, kind),
            Kind::Decorated => self.decorated(node),
            _ => Ok(()),
        }
    }

    fn leave_loop(&mut self, node: Node, reason: Reason) -> Emitted {
        let mut contexts = self.contexts[self.unit.contexts..].iter();
        if !contexts.any(|context| context.around == Around::Loop) {
            return self.fail(node, Fault::OutsideLoop);
        }
        self.leave(reason, 0)
    }

    fn expression_statement(&mut self, node: Node) -> Emitted {
        let value = self.parser.ast.part(node, 0);
        if self.mode != Mode::Single || self.unit.scope != 0 {
            return self.discard(value);
        }
        let print = self.temporary()?;
        self.abx(Op::LoadGlobal, print, Qstr::__repl_print__.0)?;
        self.new_operand(value)?;
        self.abc(Op::Call, print, 1, 0)
    }

    fn assignment(&mut self, node: Node) -> Emitted {
        let last = self.parser.ast.len(node) - 1;
        let value = self.parser.ast.item(node, last);
        if last == 1 {
            return self.assign(self.parser.ast.item(node, 0), value);
        }
        let value = self.operand(value)?;
        let kind = self.kind;
        (0..last).try_for_each(|index| {
            self.kind = kind;
            self.store(self.parser.ast.item(node, index), value)
        })
    }

    fn return_statement(&mut self, node: Node) -> Emitted {
        if self.scopes.scope(self.unit.scope).kind != ScopeKind::Function {
            return self.fail(node, Fault::ReturnOutside);
        }
        let value = self.parser.ast.part(node, 0);
        let is_none = value.is_nothing() || value == Ref::single(Singleton::None);
        if self.leaving_runs_code() || self.unit.is_viper {
            let value = self.new_operand(value)?;
            let value = self.returned(value)?;
            return self.leave(Reason::Return, value);
        }
        if is_none {
            self.abc(Op::ReturnNone, 0, 0, 0)?;
            self.unit.reachable = false;
            return Ok(());
        }
        if self.parser.ast.kind_of(value) == Some(Kind::IfExp) {
            return self.return_conditional(value);
        }
        let value = self.operand(value)?;
        self.leave(Reason::Return, value)
    }

    /// `return a if c else b` returns at once in each branch.
    fn return_conditional(&mut self, value: Ref) -> Emitted {
        let Some(node) = value.node() else { return Ok(()) };
        let ast = &self.parser.ast;
        let (condition, value, instead) = (ast.part(node, 0), ast.part(node, 1), ast.part(node, 2));
        let mut other = Label::NEW;
        self.condition(condition, false, &mut other)?;
        let top = self.unit.top;
        let value = self.operand(value)?;
        self.leave(Reason::Return, value)?;
        self.unit.top = top;
        self.bind(other);
        let value = self.operand(instead)?;
        self.leave(Reason::Return, value)
    }

    fn raise_statement(&mut self, node: Node) -> Emitted {
        let (exception, cause) = (self.parser.ast.part(node, 0), self.parser.ast.part(node, 1));
        if self.unit.is_viper && (exception.is_nothing() || !cause.is_nothing()) {
            return Err(Failure::at(0, Fault::NativeRaise));
        }
        if exception.is_nothing() {
            return self.bare_raise();
        }
        let exception = self.operand(exception)?;
        self.raised_type()?;
        if cause.is_nothing() {
            self.abc(Op::Raise, exception, 0, 0)?;
        } else {
            let cause = self.operand(cause)?;
            self.abc(Op::RaiseFrom, exception, cause, 0)?;
        }
        self.unit.reachable = false;
        Ok(())
    }

    fn assert_statement(&mut self, node: Node) -> Emitted {
        if self.parser.options.level > 0 {
            return Ok(());
        }
        let (condition, message) = (self.parser.ast.part(node, 0), self.parser.ast.part(node, 1));
        let mut holds = Label::NEW;
        self.condition(condition, true, &mut holds)?;
        let error = self.temporary()?;
        self.abx(Op::LoadGlobal, error, Qstr::AssertionError.0)?;
        if !message.is_nothing() {
            self.new_operand(message)?;
            self.abc(Op::Call, error, 1, 0)?;
        }
        self.abc(Op::Raise, error, 0, 0)?;
        self.unit.reachable = false;
        self.bind(holds);
        Ok(())
    }

    fn if_statement(&mut self, node: Node) -> Emitted {
        let last = self.parser.ast.len(node) - 1;
        let other = self.parser.ast.item(node, last);
        let mut end = Label::NEW;
        for index in (0..last).step_by(2) {
            let condition = self.parser.ast.item(node, index);
            let block = self.parser.ast.item(node, index + 1);
            if self.jump_if(condition, block)? {
                continue;
            }
            let mut next = Label::NEW;
            self.condition(condition, false, &mut next)?;
            self.statement(block)?;
            let more = index + 2 < last || !other.is_nothing();
            if more && self.unit.reachable {
                self.jump(&mut end)?;
            }
            if self.parser.truth(condition) == Some(true) {
                self.bind(end);
                return Ok(());
            }
            self.bind(next);
        }
        self.optional_block(other)?;
        self.bind(end);
        Ok(())
    }

    /// `if condition: break` or `continue` in a loop itself: the test jumps where the statement would. False if it is
    /// something else.
    fn jump_if(&mut self, condition: Ref, block: Ref) -> Emitted<bool> {
        let kind = self.parser.ast.kind_of(block);
        let index = self.contexts.len().checked_sub(1).filter(|index| *index >= self.unit.contexts);
        let (Some(index), Some(kind @ (Kind::Break | Kind::Continue))) = (index, kind) else {
            return Ok(false);
        };
        if self.contexts[index].around != Around::Loop || self.parser.truth(condition).is_some() {
            return Ok(false);
        }
        let context = self.contexts[index];
        let mut label = if kind == Kind::Break { context.end } else { context.next };
        self.condition(condition, true, &mut label)?;
        let context = &mut self.contexts[index];
        *(if kind == Kind::Break { &mut context.end } else { &mut context.next }) = label;
        Ok(true)
    }

    // ---- imports ----

    fn import_module(&mut self, name: Qstr, level: u32) -> Emitted<u8> {
        let module = (self.unit.top - 1) as u8;
        let depth = self.temporary()?;
        self.word(op::asx(Op::LoadInt, depth, level.min(1000) as i16))?;
        self.unit.top -= 1;
        self.kind = Type::Object;
        let name = self.name_index(name)?;
        self.abx(Op::Import, module, name)?;
        Ok(module)
    }

    /// `import a.b.c` binds `a`; `import a.b.c as d` binds the last module.
    fn import_statement(&mut self, node: Node) -> Emitted {
        let ast = &self.parser.ast;
        let (whole, alias) = (Qstr(ast.at(node, 0) as u16), ast.at(node, 1));
        let from = self.temporary()?;
        self.abc(Op::LoadNone, from, 0, 0)?;
        let module = self.import_module(whole, 0)?;
        if alias == u32::MAX {
            let first = Qstr(self.parser.ast.at(node, 2) as u16);
            return self.store_name(first, module);
        }
        for index in 3..self.parser.ast.len(node) {
            let part = Qstr(self.parser.ast.at(node, index) as u16);
            let name = self.short_name(part)?;
            self.abc(Op::GetAttr, module, module, name)?;
        }
        self.store_name(Qstr(alias as u16), module)
    }

    fn import_from(&mut self, node: Node) -> Emitted {
        let ast = &self.parser.ast;
        let (whole, level, len) = (Qstr(ast.at(node, 0) as u16), ast.at(node, 1), ast.len(node));
        let is_star = len == 2;
        if is_star && self.scopes.scope(self.unit.scope).kind != ScopeKind::Module {
            return self.fail(node, Fault::ImportStar);
        }
        let names = self.imported_names(node, is_star)?;
        let from = self.temporary()?;
        self.abx(Op::LoadConst, from, names)?;
        let module = self.import_module(whole, level)?;
        if is_star {
            return self.abc(Op::ImportStar, module, 0, 0);
        }
        for index in (2..len).step_by(2) {
            let name = Qstr(self.parser.ast.at(node, index) as u16);
            let bound = Qstr(self.parser.ast.at(node, index + 1) as u16);
            let value = self.temporary()?;
            self.kind = Type::Object;
            let name = self.short_name(name)?;
            self.abc(Op::ImportFrom, value, module, name)?;
            self.store_name(bound, value)?;
            self.unit.top -= 1;
        }
        Ok(())
    }

    /// The tuple of names that `from` imports, as a constant.
    fn imported_names(&mut self, node: Node, is_star: bool) -> Emitted<u16> {
        let first = self.parser.objects.len();
        if is_star {
            let star = self.parser.backend.interned(Qstr::STAR)?;
            self.parser.objects.push(star)?;
        }
        for index in (2..self.parser.ast.len(node)).step_by(2) {
            let name = self.parser.backend.interned(Qstr(self.parser.ast.at(node, index) as u16))?;
            self.parser.objects.push(name)?;
        }
        let names = self.parser.backend.tuple(&self.parser.objects[first..])?;
        self.parser.objects.truncate(first);
        self.new_constant(names)
    }

    // ---- definitions ----

    fn bind_definition(&mut self, node: Node, kind: Kind) -> Emitted {
        let target = self.temporary()?;
        match kind {
            Kind::Def => self.definition(node, target, self.unit.is_viper)?,
            _ => self.class(node, target)?,
        }
        self.kind = Type::Object;
        self.store_name(self.parser.ast.name(node, 0), target)
    }

    fn decorated(&mut self, node: Node) -> Emitted {
        let Some(definition) = self.parser.ast.item(node, 0).node() else { return Ok(()) };
        let first = self.unit.top;
        let mut is_viper = self.unit.is_viper;
        for index in 1..self.parser.ast.len(node) {
            let decorator = self.parser.ast.item(node, index);
            match self.built_in(decorator)? {
                Some(name) => is_viper = name == Qstr::viper,
                None => drop(self.new_operand(decorator)?),
            }
        }
        let target = self.temporary()?;
        match self.parser.ast.kind(definition) {
            Kind::Def => self.definition(definition, target, is_viper)?,
            _ => self.class(definition, target)?,
        }
        let mut result = target;
        while u16::from(result) > first {
            result -= 1;
            self.abc(Op::Call, result, 1, 0)?;
        }
        self.kind = Type::Object;
        self.store_name(self.parser.ast.name(definition, 0), result)
    }

    /// `@micropython.native` and the like, which are no calls: which one.
    fn built_in(&mut self, decorator: Ref) -> Emitted<Option<Qstr>> {
        let ast = &self.parser.ast;
        let chain = decorator.node().filter(|node| ast.kind(*node) == Kind::Postfix);
        let first = chain.map_or(decorator, |node| ast.item(node, 0));
        if first != Ref::name(Qstr::micropython) {
            return Ok(None);
        }
        let is_short = |node: &Node| ast.len(*node) == 2;
        let attribute = chain.filter(is_short).and_then(|node| ast.item(node, 1).node());
        let attribute = attribute.filter(|node| ast.kind(*node) == Kind::Attr);
        let name = attribute.map(|attribute| ast.name(attribute, 0));
        match name {
            Some(Qstr::native | Qstr::viper) => Ok(name),
            name if name == Some(self.parser.backend.qstr("bytecode")?) => Ok(name),
            _ => Err(Failure::at(0, Fault::Decorator)),
        }
    }

    /// `async for` and `async with` stand in an `async def`.
    pub(super) fn need_async(&self, node: Node) -> Emitted {
        let frame = self.scopes.scope(self.unit.scope);
        if frame.is_generator && frame.kind == ScopeKind::Function {
            return Ok(());
        }
        self.fail(node, Fault::AsyncOutside)
    }
}
