//! `while`, `for`, `async for`, and the loops of comprehensions.

use super::context::Around;
use super::label::Label;
use super::variable::Place;
use super::viper::Type;
use super::{Emitted, Emitter, Reg};
use crate::ast::{Kind, Node, Ref};
use larch_bytecode::op::{self, Op};
use larch_bytecode::qstr::Qstr;

/// What a loop repeats.
#[derive(Clone, Copy)]
pub(super) enum Body {
    Block(Ref),
    /// The clauses of a comprehension from this one on; what it makes is in the register.
    Clauses(Node, u32, Reg),
}

/// What a loop fetches its items from, and the first of its registers.
#[derive(Clone, Copy)]
pub(super) enum Iteration {
    Iterator(Reg),
    /// Of values of this type.
    Range(Reg, Type),
}

impl Emitter<'_, '_> {
    pub(super) fn while_loop(&mut self, node: Node) -> Emitted {
        let ast = &self.parser.ast;
        let (condition, block, other) = (ast.part(node, 0), ast.part(node, 1), ast.part(node, 2));
        if self.parser.truth(condition) == Some(false) {
            return self.optional_block(other);
        }
        self.push_context(Around::Loop, 0, Qstr::EMPTY)?;
        let is_endless = self.parser.truth(condition) == Some(true);
        let (mut exit, mut entry) = (Label::NEW, Label::NEW);
        let bound = self.unit.bound;
        let top_tested = self.unit.has_walrus && !is_endless;
        if !is_endless && !top_tested {
            self.jump(&mut entry)?;
            self.resume(entry.chain != 0, bound);
        }
        self.unit.bound.subtract(self.unit.deletable);
        let start = self.here();
        if top_tested {
            self.condition(condition, false, &mut exit)?;
        }
        self.statement(block)?;
        let context = self.pop_context()?;
        self.bind(context.next);
        self.bind(entry);
        if is_endless || top_tested {
            self.branch_back(start)?;
            self.unit.reachable = false;
        } else {
            self.condition_back(condition, start)?;
        }
        self.bind(exit);
        self.optional_block(other)?;
        self.bind(context.end);
        Ok(())
    }

    /// Jumps back to `start` if the condition is true.
    fn condition_back(&mut self, condition: Ref, start: u32) -> Emitted {
        let mut again = Label::NEW;
        self.condition(condition, true, &mut again)?;
        self.bind_back(again, start);
        Ok(())
    }

    pub(super) fn optional_block(&mut self, block: Ref) -> Emitted {
        if block.is_nothing() { Ok(()) } else { self.statement(block) }
    }

    pub(super) fn for_statement(&mut self, node: Node) -> Emitted {
        let ast = &self.parser.ast;
        let (target, source) = (ast.part(node, 0), ast.part(node, 1));
        let (block, other) = (ast.part(node, 2), ast.part(node, 3));
        self.push_context(Around::Loop, 0, Qstr::EMPTY)?;
        let top = self.unit.top;
        if self.parser.ast.detail(node) == 1 {
            self.async_loop(node, target, source, block)?;
        } else {
            self.iterate(target, source, Body::Block(block))?;
        }
        self.unit.top = top;
        let context = self.pop_context()?;
        self.optional_block(other)?;
        self.bind(context.end);
        Ok(())
    }

    /// `for target in source: body`. A loop context is the innermost.
    pub(super) fn iterate(&mut self, target: Ref, source: Ref, body: Body) -> Emitted {
        let iteration = self.begin_iteration(source)?;
        self.run_iteration(iteration, target, body)
    }

    /// Evaluates what is iterated over.
    pub(super) fn begin_iteration(&mut self, source: Ref) -> Emitted<Iteration> {
        if let Some(call) = self.range_arguments(source) {
            return self.begin_range(call);
        }
        let top = self.unit.top;
        let value = self.operand(source)?;
        self.unit.top = top;
        let iterator = self.temporaries(2)?;
        self.abc(Op::GetIter, iterator, value, 0)?;
        Ok(Iteration::Iterator(iterator))
    }

    /// The loop itself.
    pub(super) fn run_iteration(&mut self, iteration: Iteration, target: Ref, body: Body) -> Emitted {
        let kind = match iteration {
            Iteration::Iterator(_) => Type::Object,
            Iteration::Range(_, kind) => kind,
        };
        self.counted_loop(target, kind, body, |item| match iteration {
            Iteration::Iterator(iterator) => op::abc(Op::IterNext, item, iterator, 0),
            Iteration::Range(state, _) => op::abc(Op::RangeNext, state, item, 0),
        })
    }

    /// A loop with its test at the end: `next` is the word that fetches the next item, followed by the jump back.
    fn counted_loop(&mut self, target: Ref, kind: Type, body: Body, next: impl Fn(Reg) -> u32) -> Emitted {
        let line = self.unit.line;
        let bound = self.unit.bound;
        let mut entry = Label::NEW;
        self.jump(&mut entry)?;
        self.resume(entry.chain != 0, bound);
        let start = self.here();
        let local = target.as_name().and_then(|name| match self.place(name) {
            Place::Register(register) => Some(register),
            _ => None,
        });
        let item = match local {
            Some(register) => register,
            None => self.temporary()?,
        };
        self.kind = kind;
        self.store(target, item)?;
        self.repeat(body)?;
        let context = self.contexts.last().copied();
        if let Some(context) = context {
            self.bind(context.next);
        }
        self.bind(entry);
        let after = self.unit.line;
        self.unit.line = line;
        self.word(next(item))?;
        self.branch_back(start)?;
        self.unit.line = after;
        Ok(())
    }

    fn repeat(&mut self, body: Body) -> Emitted {
        match body {
            Body::Block(block) => self.statement(block),
            Body::Clauses(node, index, result) => self.clauses(node, index, result),
        }
    }

    /// The call of `range` with one to three plain arguments that `source` is.
    fn range_arguments(&self, source: Ref) -> Option<Node> {
        let ast = &self.parser.ast;
        let chain = source.node().filter(|node| ast.kind(*node) == Kind::Postfix)?;
        let is_range = ast.len(chain) == 2 && ast.item(chain, 0) == Ref::name(Qstr::range);
        let call = ast.item(chain, 1).node().filter(|_| is_range)?;
        let is_special = |index| {
            matches!(ast.kind_of(ast.item(call, index)), Some(Kind::Star | Kind::DoubleStar | Kind::Keyword))
        };
        let fits = ast.kind(call) == Kind::Call && (1..=3).contains(&ast.len(call));
        (fits && !(0..ast.len(call)).any(is_special)).then_some(call)
    }

    fn begin_range(&mut self, call: Node) -> Emitted<Iteration> {
        let count = self.parser.ast.len(call);
        let mut kinds = [Type::Int; 3];
        let state = self.temporaries(4)?;
        self.load(Qstr::range, state + 3)?;
        if count == 1 {
            self.word(op::asx(Op::LoadInt, state, 0))?;
        }
        for index in 0..count {
            let place = index as u8 + u8::from(count == 1);
            self.into(self.parser.ast.item(call, index), state + place)?;
            kinds[usize::from(place)] = self.kind;
        }
        if count < 3 {
            self.word(op::asx(Op::LoadInt, state + 2, 1))?;
        }
        self.abc(Op::RangePrep, state, count as u8, 0)?;
        let step = (count == 3).then(|| self.parser.ast.item(call, 2));
        let kind = self.range_type(kinds, step)?;
        Ok(Iteration::Range(state, kind))
    }

    /// `async for`: awaits `__anext__` until it raises StopAsyncIteration.
    fn async_loop(&mut self, node: Node, target: Ref, source: Ref, block: Ref) -> Emitted {
        self.need_async(node)?;
        let iterator = self.temporary()?;
        self.into(source, iterator)?;
        self.call_without_arguments(iterator, iterator, Qstr::__aiter__)?;
        self.unit.bound.subtract(self.unit.deletable);
        let (bound, was_reachable) = (self.unit.bound, self.unit.reachable);
        let start = self.here();
        self.push_context(Around::Try, 0, Qstr::EMPTY)?;
        let item = self.temporary()?;
        self.call_without_arguments(item, iterator, Qstr::__anext__)?;
        self.await_in(item)?;
        let region = self.pop_context()?;
        let end = self.here();
        let (mut run, mut exit) = (Label::NEW, Label::NEW);
        self.jump(&mut run)?;
        self.resume(was_reachable, bound);
        let exception = self.temporary()?;
        if self.protect(region, end, exception)? {
            let class = self.temporary()?;
            self.abx(Op::LoadGlobal, class, Qstr::StopAsyncIteration.0)?;
            self.abc(Op::ExcMatch, class, exception, class)?;
            self.abc(Op::Test, 1, class, 0)?;
            self.branch(&mut exit)?;
            self.abc(Op::Reraise, exception, 0, 0)?;
        }
        self.unit.reachable = false;
        self.bind(run);
        self.kind = Type::Object;
        self.store(target, item)?;
        self.statement(block)?;
        if let Some(context) = self.contexts.last().copied() {
            self.bind(context.next);
        }
        self.branch_back(start)?;
        self.unit.reachable = false;
        self.bind(exit);
        Ok(())
    }

    /// `target = object.name()`; `target` is a temporary.
    pub(super) fn call_without_arguments(&mut self, target: Reg, object: Reg, name: Qstr) -> Emitted {
        let top = self.unit.top;
        let call = self.last_or_new(target)?;
        self.temporary()?;
        let name = self.short_name(name)?;
        self.abc(Op::GetMethod, call, object, name)?;
        self.abc(Op::CallMethod, call, 0, 0)?;
        self.unit.top = top;
        self.copy(target, call)
    }
}
