//! Chains: attributes, subscripts, calls and method calls.

use super::viper::Type;
use super::{Emitted, Emitter, Reg};
use crate::ast::{Item, Kind, Node, Ref};
use crate::error::{Failure, Fault};
use crate::scopes::{ScopeKind, flag, is_super_call};
use larch_bytecode::op::{self, Op};
use larch_bytecode::qstr::Qstr;

/// Arguments that are passed in registers; more go through a list.
const MOST_ARGUMENTS: u32 = 100;

/// Arguments that may stand before a starred one: MicroPython's limit.
const MOST_BEFORE_STAR: u32 = 62;

/// How many arguments of each sort a call has in registers.
#[derive(Clone, Copy)]
pub(super) struct Arguments {
    pub(super) positional: u8,
    pub(super) keyword: u8,
}

impl Emitter<'_, '_> {
    /// A whole chain into `target`.
    pub(super) fn postfix(&mut self, node: Node, target: Reg) -> Emitted {
        let len = self.parser.ast.len(node);
        let result = self.chain(node, len, Some(target))?;
        self.copy(target, result)
    }

    /// The first `len` items of a chain. The result is in `target`, or in a register of its own: that of a local if
    /// the chain is one, else a temporary.
    pub(super) fn chain(&mut self, node: Node, len: u32, target: Option<Reg>) -> Emitted<Reg> {
        self.at_line(self.parser.ast.line(node));
        let atom = self.parser.ast.item(node, 0);
        if len == 1 {
            return self.operand(atom);
        }
        let base = match target {
            Some(target) => self.last_or_new(target)?,
            None => self.temporary()?,
        };
        let mut index = 1;
        let starts_with_call = self.cast(node, base)? || self.super_call(node, base)?;
        let mut value = match starts_with_call {
            true => {
                index = 2;
                base
            }
            false => self.chain_start(node, atom, base)?,
        };
        while index < len {
            let Some(trailer) = self.parser.ast.item(node, index).node() else { break };
            let is_last = index + 1 == len;
            let next = if is_last { None } else { self.plain_call(self.parser.ast.item(node, index + 1)) };
            let result = target.filter(|_| is_last).unwrap_or(base);
            self.unit.top = u16::from(base) + 1;
            match (self.parser.ast.kind(trailer), next) {
                (Kind::Attr, Some(call)) => {
                    self.method_call(trailer, call, value, base)?;
                    self.kind = Type::Object;
                    index += 1;
                    value = base;
                }
                (Kind::Attr, None) => {
                    self.at_line(self.parser.ast.line(trailer));
                    let name = self.short_name(self.parser.ast.name(trailer, 0))?;
                    self.abc(Op::GetAttr, result, value, name)?;
                    self.kind = Type::Object;
                    value = result;
                }
                (Kind::Index, _) => {
                    self.at_line(self.parser.ast.line(trailer));
                    self.subscript(trailer, value, result)?;
                    value = result;
                }
                _ => {
                    self.at_line(self.parser.ast.line(trailer));
                    self.copy(base, value)?;
                    self.call(trailer, base)?;
                    self.kind = Type::Object;
                    value = base;
                }
            }
            index += 1;
        }
        self.unit.top = u16::from(base) + 1;
        Ok(value)
    }

    /// What the chain starts with: a local where it is, else in `base`.
    fn chain_start(&mut self, node: Node, atom: Ref, base: Reg) -> Emitted<Reg> {
        let is_called = self.parser.ast.kind_of(self.parser.ast.item(node, 1)) == Some(Kind::Call);
        if let Some(name) = atom.as_name().filter(|_| !is_called && !self.unit.has_walrus)
            && let Some(register) = self.local(name)?
        {
            return Ok(register);
        }
        self.into(atom, base)?;
        Ok(base)
    }

    fn subscript(&mut self, trailer: Node, value: Reg, result: Reg) -> Emitted {
        let index = self.parser.ast.part(trailer, 0);
        if self.typed_subscript(value, index, result)? {
            return Ok(());
        }
        self.kind = Type::Object;
        if let Item::Int(number) = index.item()
            && let Ok(number) = i8::try_from(number)
        {
            return self.word(op::abi(Op::GetItemI, result, value, number));
        }
        let index = self.operand(index)?;
        self.kind = Type::Object;
        self.abc(Op::GetItem, result, value, index)
    }

    /// `super()` as the start of a chain in a method: the class and the first parameter are passed.
    fn super_call(&mut self, node: Node, base: Reg) -> Emitted<bool> {
        let is_method = self.scopes.scope(self.unit.scope).kind == ScopeKind::Function;
        if !is_method || !is_super_call(&self.parser.ast, node) {
            return Ok(false);
        }
        let first = self.scopes.symbols(self.unit.scope).next();
        let Some(first) = first.filter(|symbol| symbol.has(flag::PARAMETER)) else {
            return self.fail(node, Fault::Super);
        };
        let save = self.unit.top;
        self.load(Qstr::super_, base)?;
        for name in [Qstr::__class__, first.name] {
            let argument = self.temporary()?;
            self.load(name, argument)?;
        }
        self.unit.top = save;
        self.abc(Op::Call, base, 2, 0)?;
        Ok(true)
    }

    // ---- calls ----

    /// The call that `item` is, if it passes its arguments in registers.
    fn plain_call(&self, item: Ref) -> Option<Node> {
        let ast = &self.parser.ast;
        let call = item.node().filter(|call| ast.kind(*call) == Kind::Call)?;
        self.is_plain(call).then_some(call)
    }

    pub(super) fn is_plain(&self, call: Node) -> bool {
        let ast = &self.parser.ast;
        let is_star =
            |index| matches!(ast.kind_of(ast.item(call, index)), Some(Kind::Star | Kind::DoubleStar));
        ast.len(call) <= MOST_ARGUMENTS && !(0..ast.len(call)).any(is_star)
    }

    fn method_call(&mut self, attribute: Node, call: Node, value: Reg, base: Reg) -> Emitted {
        let name = self.short_name(self.parser.ast.name(attribute, 0))?;
        self.abc(Op::GetMethod, base, value, name)?;
        self.temporary()?;
        let arguments = self.arguments(call)?;
        match arguments.keyword {
            0 => self.abc(Op::CallMethod, base, arguments.positional, 0),
            keyword => self.abc(Op::CallMethodKw, base, arguments.positional, keyword),
        }
    }

    /// Calls what is in `base`, the last temporary; the result takes its place.
    pub(super) fn call(&mut self, call: Node, base: Reg) -> Emitted {
        if !self.is_plain(call) {
            return self.call_unpacked(call, base, None);
        }
        let arguments = self.arguments(call)?;
        match arguments.keyword {
            0 => self.abc(Op::Call, base, arguments.positional, 0),
            keyword => self.abc(Op::CallKw, base, arguments.positional, keyword),
        }
    }

    /// Arguments into the registers from the top on.
    pub(super) fn arguments(&mut self, call: Node) -> Emitted<Arguments> {
        let mut count = Arguments { positional: 0, keyword: 0 };
        for index in 0..self.parser.ast.len(call) {
            let argument = self.parser.ast.item(call, index);
            match self.keyword(argument)? {
                Some((name, value)) => {
                    let target = self.temporary()?;
                    self.abx(Op::LoadQstr, target, name.0)?;
                    let register = self.new_operand(value)?;
                    self.pass_object(value, register)?;
                    count.keyword += 1;
                }
                None if count.keyword > 0 => return self.misplaced(argument, Fault::AfterKeyword),
                None => {
                    let register = self.new_operand(argument)?;
                    self.pass_object(argument, register)?;
                    count.positional += 1;
                }
            }
        }
        Ok(count)
    }

    /// Name and value of a keyword argument; none for others.
    fn keyword(&mut self, argument: Ref) -> Emitted<Option<(Qstr, Ref)>> {
        let Some(node) = argument.node().filter(|node| self.parser.ast.kind(*node) == Kind::Keyword) else {
            return Ok(None);
        };
        match self.parser.ast.part(node, 0).as_name() {
            Some(name) => Ok(Some((name, self.parser.ast.part(node, 1)))),
            None => self.fail(node, Fault::KeywordName),
        }
    }

    fn misplaced<T>(&self, argument: Ref, fault: Fault) -> Emitted<T> {
        Err(Failure::at(self.parser.ast.line_of(argument).unwrap_or(0), fault))
    }

    /// A call with `*` or `**` arguments, or very many: through a list and a dict. With `before`, two arguments come
    /// first: those in this register and the next one, which follow `base`.
    pub(super) fn call_unpacked(&mut self, call: Node, base: Reg, before: Option<Reg>) -> Emitted {
        self.unit.top = u16::from(base) + 1;
        let list = self.temporary()?;
        let dict = self.temporary()?;
        self.abc(Op::BuildList, list, list, if before.is_some() { 2 } else { 0 })?;
        let (mut keywords, mut has_double_star) = (0, false);
        for index in 0..self.parser.ast.len(call) {
            let save = self.unit.top;
            let argument = self.parser.ast.item(call, index);
            let kind = self.parser.ast.kind_of(argument);
            let node = argument.node().unwrap_or(call);
            match (kind, self.keyword(argument)?) {
                (Some(Kind::Star), _) => {
                    match (has_double_star, keywords > 0) {
                        (true, _) => return self.fail(node, Fault::StarAfterDouble),
                        (_, true) => return self.fail(node, Fault::StarAfterKeyword),
                        _ if index >= MOST_BEFORE_STAR => return self.fail(node, Fault::StarArgs),
                        _ => {}
                    }
                    let value = self.operand(self.parser.ast.part(node, 0))?;
                    self.abc(Op::ListExtend, list, value, 0)?;
                }
                (Some(Kind::DoubleStar), _) => {
                    self.first_keyword(keywords, dict)?;
                    let value = self.operand(self.parser.ast.part(node, 0))?;
                    self.abc(Op::DictUpdate, dict, value, 1)?;
                    (keywords, has_double_star) = (keywords + 1, true);
                }
                (_, Some((name, value))) => {
                    self.first_keyword(keywords, dict)?;
                    self.keyword_entry(name, value, dict, has_double_star)?;
                    keywords += 1;
                }
                _ if has_double_star => return self.misplaced(argument, Fault::AfterDoubleStar),
                _ if keywords > 0 => return self.misplaced(argument, Fault::AfterKeyword),
                _ => {
                    let value = self.operand(argument)?;
                    self.abc(Op::ListAppend, list, value, 0)?;
                }
            }
            self.unit.top = save;
        }
        if keywords == 0 {
            self.abc(Op::LoadNone, dict, 0, 0)?;
        }
        self.abc(Op::CallEx, base, 0, 0)
    }

    fn first_keyword(&mut self, keywords: u32, dict: Reg) -> Emitted {
        if keywords == 0 { self.abx(Op::BuildDict, dict, 0) } else { Ok(()) }
    }

    /// `name=value` into the dict; after a `**`, so that a name given twice is an error.
    fn keyword_entry(&mut self, name: Qstr, value: Ref, dict: Reg, checked: bool) -> Emitted {
        let entry = self.temporary()?;
        let key = self.temporary()?;
        self.abx(Op::LoadQstr, key, name.0)?;
        let value = self.operand(value)?;
        if !checked {
            return self.abc(Op::DictSet, dict, key, value);
        }
        self.abx(Op::BuildDict, entry, 1)?;
        self.abc(Op::DictSet, entry, key, value)?;
        self.abc(Op::DictUpdate, dict, entry, 1)
    }
}
