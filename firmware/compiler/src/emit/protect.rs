//! `try` and `with`.

use super::context::{Around, Context, Reason};
use super::label::Label;
use super::viper::Type;
use super::{Emitted, Emitter, Reg};
use crate::ast::{Node, Ref};
use crate::error::Fault;
use larch_bytecode::op::{self, Op};
use larch_bytecode::qstr::Qstr;

impl Emitter<'_, '_> {
    pub(super) fn try_statement(&mut self, node: Node) -> Emitted {
        let finally = self.parser.ast.item(node, 2);
        if finally.is_nothing() {
            return self.try_except(node);
        }
        let top = self.unit.top;
        let registers = self.temporaries(2)?;
        let (bound, was_reachable) = (self.unit.bound, self.unit.reachable);
        self.push_context(Around::Finally, registers, Qstr::EMPTY)?;
        self.try_except(node)?;
        let region = self.pop_context()?;
        let end = self.here();
        let mut reasons = region.reasons;
        let mut body = region.end;
        let after = self.unit.reachable.then_some(self.unit.bound);
        if self.unit.reachable {
            self.note_reason(registers, Reason::Normal)?;
            self.jump(&mut body)?;
        }
        self.resume(was_reachable, bound);
        if self.protect(region, end, registers + 1)? {
            self.note_reason(registers, Reason::Exception)?;
            reasons |= 1 << Reason::Exception as u8;
        } else {
            self.unit.reachable = false;
        }
        self.bind(body);
        self.push_context(Around::FinallyBody, registers, Qstr::EMPTY)?;
        self.statement(finally)?;
        self.pop_context()?;
        self.end_finally(registers, reasons, after.is_none())?;
        if let Some(mut after) = after {
            after.subtract(self.unit.deletable);
            self.unit.bound.unite(after);
        }
        self.unit.top = top;
        Ok(())
    }

    /// After a `finally` body: goes on as the reason says. `always`: control did not arrive normally.
    fn end_finally(&mut self, registers: Reg, reasons: u8, always: bool) -> Emitted {
        let all = [Reason::Exception, Reason::Return, Reason::Break, Reason::Continue];
        let met = |reason: &Reason| reasons & 1 << *reason as u8 != 0;
        let last = all.into_iter().rfind(met);
        for reason in all.into_iter().filter(met) {
            let mut skip = Label::NEW;
            if !(always && last == Some(reason)) {
                self.word(op::abi(Op::TestEqI, 0, registers, reason as i8))?;
                self.branch(&mut skip)?;
            }
            match reason {
                Reason::Exception => {
                    self.abc(Op::Reraise, registers + 1, 0, 0)?;
                    self.unit.reachable = false;
                }
                _ => self.leave(reason, registers + 1)?,
            }
            self.bind(skip);
        }
        Ok(())
    }

    /// `try` with handlers, or only its body if it has none.
    fn try_except(&mut self, node: Node) -> Emitted {
        let (block, other) = (self.parser.ast.item(node, 0), self.parser.ast.item(node, 1));
        let len = self.parser.ast.len(node);
        if len == 3 {
            return self.statement(block);
        }
        let (bound, was_reachable) = (self.unit.bound, self.unit.reachable);
        self.push_context(Around::Try, 0, Qstr::EMPTY)?;
        self.statement(block)?;
        let region = self.pop_context()?;
        let end = self.here();
        self.optional_block(other)?;
        let mut done = Label::NEW;
        if self.unit.reachable {
            self.jump(&mut done)?;
        }
        self.resume(was_reachable, bound);
        let top = self.unit.top;
        let exception = self.temporary()?;
        let is_protected = self.protect(region, end, exception)?;
        self.unit.reachable = is_protected;
        self.push_context(Around::Except, exception, Qstr::EMPTY)?;
        for index in 3..len {
            if let Some(clause) = self.parser.ast.item(node, index).node() {
                self.except_clause(clause, exception, index + 1 == len, &mut done)?;
            }
        }
        self.abc(Op::Reraise, exception, 0, 0)?;
        self.unit.reachable = false;
        self.pop_context()?;
        self.unit.top = top;
        self.bind(done);
        Ok(())
    }

    /// One handler; falls through if the exception is not its.
    fn except_clause(&mut self, clause: Node, exception: Reg, is_last: bool, done: &mut Label) -> Emitted {
        let ast = &self.parser.ast;
        let (class, name, block) = (ast.part(clause, 0), ast.part(clause, 1), ast.part(clause, 2));
        let mut next = Label::NEW;
        if !class.is_nothing() {
            let top = self.unit.top;
            let matches = self.temporary()?;
            let class = self.operand(class)?;
            self.abc(Op::ExcMatch, matches, exception, class)?;
            self.unit.top = top;
            self.abc(Op::Test, 0, matches, 0)?;
            self.branch(&mut next)?;
        } else if !is_last {
            return self.fail(clause, Fault::DefaultExcept);
        }
        match name.as_name() {
            None => self.statement(block)?,
            Some(name) => self.named_handler(name, block, exception)?,
        }
        if self.unit.reachable {
            self.jump(done)?;
        }
        self.bind(next);
        Ok(())
    }

    /// The block of a handler with a name, which is unbound at its end however it ends.
    fn named_handler(&mut self, name: Qstr, block: Ref, exception: Reg) -> Emitted {
        self.kind = Type::Object;
        self.store_name(name, exception)?;
        let (bound, was_reachable) = (self.unit.bound, self.unit.reachable);
        self.push_context(Around::Named, 0, name)?;
        self.statement(block)?;
        let region = self.pop_context()?;
        let end = self.here();
        let mut done = Label::NEW;
        if self.unit.reachable {
            self.unbind(name)?;
            self.jump(&mut done)?;
        }
        self.resume(was_reachable, bound);
        let top = self.unit.top;
        let second = self.temporary()?;
        if self.protect(region, end, second)? {
            self.unbind(name)?;
            self.abc(Op::Reraise, second, 0, 0)?;
        }
        self.unit.top = top;
        self.unit.reachable = false;
        self.bind(done);
        Ok(())
    }

    /// `raise` without an exception: the one being handled.
    pub(super) fn bare_raise(&mut self) -> Emitted {
        let contexts = &self.contexts[self.unit.contexts..];
        let handling = |context: &&Context| matches!(context.around, Around::Except | Around::FinallyBody);
        match contexts.iter().rfind(handling).copied() {
            None => self.abc(Op::ReraiseNone, 0, 0, 0)?,
            Some(context) if context.around == Around::Except => {
                self.abc(Op::Reraise, context.register, 0, 0)?;
            }
            Some(context) => {
                let mut none = Label::NEW;
                self.word(op::abi(Op::TestEqI, 0, context.register, Reason::Exception as i8))?;
                self.branch(&mut none)?;
                self.abc(Op::Reraise, context.register + 1, 0, 0)?;
                self.unit.reachable = false;
                self.bind(none);
                self.abc(Op::ReraiseNone, 0, 0, 0)?;
            }
        }
        self.unit.reachable = false;
        Ok(())
    }

    // ---- with ----

    pub(super) fn with_statement(&mut self, node: Node) -> Emitted {
        if self.parser.ast.detail(node) == 1 {
            self.need_async(node)?;
        }
        self.with_items(node, 1)
    }

    /// The contexts from item `index` on, then the block.
    fn with_items(&mut self, node: Node, index: u32) -> Emitted {
        if index == self.parser.ast.len(node) {
            return self.statement(self.parser.ast.item(node, 0));
        }
        let is_async = self.parser.ast.detail(node) == 1;
        let (manager, target) = (self.parser.ast.item(node, index), self.parser.ast.item(node, index + 1));
        let top = self.unit.top;
        let exception = self.temporary()?;
        let method = self.temporaries(2)?;
        self.enter_context(manager, method, is_async)?;
        let (bound, was_reachable) = (self.unit.bound, self.unit.reachable);
        let around = if is_async { Around::AsyncWith } else { Around::With };
        self.push_context(around, method, Qstr::EMPTY)?;
        if !target.is_nothing() {
            self.unit.top += 1;
            self.kind = Type::Object;
            self.store(target, method + 2)?;
            self.unit.top -= 1;
        }
        self.with_items(node, index + 2)?;
        let region = self.pop_context()?;
        self.exit_context(region, exception, is_async, bound, was_reachable)?;
        self.unit.top = top;
        Ok(())
    }

    /// The manager's exit method into `method` and the next register; the result of its enter method into the one
    /// after them.
    fn enter_context(&mut self, manager: Ref, method: Reg, is_async: bool) -> Emitted {
        let (enter, exit) = match is_async {
            true => (Qstr::__aenter__, Qstr::__aexit__),
            false => (Qstr::__enter__, Qstr::__exit__),
        };
        let object = self.operand(manager)?;
        let name = self.short_name(exit)?;
        self.abc(Op::GetMethod, method, object, name)?;
        self.unit.top = u16::from(method) + 2;
        let result = self.temporary()?;
        self.call_without_arguments(result, object, enter)?;
        if is_async {
            self.await_in(result)?;
        }
        self.unit.top = u16::from(result);
        Ok(())
    }

    /// The end of a `with` body: the exit method is called, and can swallow an exception.
    fn exit_context(
        &mut self,
        region: Context,
        exception: Reg,
        is_async: bool,
        bound: super::label::Bits,
        was_reachable: bool,
    ) -> Emitted {
        let end = self.here();
        let method = region.register;
        let mut done = Label::NEW;
        self.unit.top = u16::from(method) + 2;
        self.temporaries(3)?;
        if self.unit.reachable {
            self.exit_call(method, is_async)?;
            self.jump(&mut done)?;
        }
        self.resume(was_reachable, bound);
        if self.protect(region, end, exception)? {
            self.abc(Op::TypeOf, method + 2, exception, 0)?;
            self.copy(method + 3, exception)?;
            self.abc(Op::LoadNone, method + 4, 0, 0)?;
            self.abc(Op::CallMethod, method, 3, 0)?;
            if is_async {
                self.await_in(method)?;
            }
            self.abc(Op::Test, 1, method, 0)?;
            self.branch(&mut done)?;
            self.abc(Op::Reraise, exception, 0, 0)?;
        }
        self.unit.reachable = false;
        self.bind(done);
        Ok(())
    }
}
