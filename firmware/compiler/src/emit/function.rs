//! Functions, lambdas and classes.

use super::variable::Place;
use super::{Emitted, Emitter, Reg, Signature};
use crate::ast::{Kind, Node, ParameterKind, Ref};
use crate::buffer::Buffer;
use crate::error::{Failure, Fault};
use crate::scopes::{ScopeId, Symbol, flag};
use larch_bytecode::code::Flags;
use larch_bytecode::op::Op;
use larch_bytecode::qstr::Qstr;

/// Most locals of a function, so that temporaries have room.
const MOST_LOCALS: u16 = 220;

impl Emitter<'_, '_> {
    pub(super) fn lambda(&mut self, node: Node, target: Reg) -> Emitted {
        let parameters = self.parser.ast.part(node, 0);
        let scope = self.parser.ast.word(node, 2) as ScopeId;
        self.closure(node, scope, parameters, target, false)
    }

    /// `def` without its name being bound.
    pub(super) fn definition(&mut self, node: Node, target: Reg, is_viper: bool) -> Emitted {
        let parameters = self.parser.ast.part(node, 1);
        let scope = self.parser.ast.word(node, 3) as ScopeId;
        self.closure(node, scope, parameters, target, is_viper)
    }

    fn closure(
        &mut self,
        node: Node,
        scope: ScopeId,
        parameters: Ref,
        target: Reg,
        is_viper: bool,
    ) -> Emitted {
        let Some(parameters) = parameters.node() else { return Ok(()) };
        if !self.has_defaults(parameters) && self.scopes.scope(scope).free == 0 {
            let code = self.function_code(node, scope, parameters, is_viper)?;
            return self.abx(Op::MakeFunction, target, code);
        }
        let base = self.last_or_new(target)?;
        self.defaults(parameters, base)?;
        let code = self.function_code(node, scope, parameters, is_viper)?;
        self.make_function(code, scope, Some(base), base)?;
        self.copy(target, base)
    }

    fn has_defaults(&self, parameters: Node) -> bool {
        let ast = &self.parser.ast;
        (0..ast.len(parameters)).any(|index| {
            let parameter = ast.item(parameters, index).node();
            parameter.is_some_and(|parameter| !ast.part(parameter, 1).is_nothing())
        })
    }

    /// The tuple of positional defaults into `base` and the dict of the others into the next register, None for none.
    fn defaults(&mut self, parameters: Node, base: Reg) -> Emitted {
        let (mut star, mut positional, mut keyword) = (false, 0u8, false);
        let named = self.temporary()?;
        let save = self.unit.top;
        for index in 0..self.parser.ast.len(parameters) {
            let Some(parameter) = self.parser.ast.item(parameters, index).node() else { continue };
            let detail = self.parser.ast.detail(parameter);
            if detail != ParameterKind::Plain as u8 {
                star |= detail != ParameterKind::DoubleStar as u8;
                continue;
            }
            let default = self.parser.ast.part(parameter, 1);
            match (default.is_nothing(), star) {
                (true, false) if positional > 0 => {
                    return self.fail(parameter, Fault::DefaultOrder);
                }
                (true, _) => {}
                (false, false) => {
                    self.new_operand(default)?;
                    positional = positional.checked_add(1).ok_or(TOO_MANY)?;
                }
                (false, true) => {
                    if !keyword {
                        self.positional_defaults(base, save, positional)?;
                        self.abx(Op::BuildDict, named, 0)?;
                        keyword = true;
                    }
                    let key = self.temporary()?;
                    self.abx(Op::LoadQstr, key, self.parser.ast.name(parameter, 0).0)?;
                    let value = self.operand(default)?;
                    self.abc(Op::DictSet, named, key, value)?;
                    self.unit.top = save;
                }
            }
        }
        if !keyword {
            self.positional_defaults(base, save, positional)?;
            self.abc(Op::LoadNone, named, 0, 0)?;
        }
        self.unit.top = save - 1;
        Ok(())
    }

    fn positional_defaults(&mut self, base: Reg, first: u16, count: u8) -> Emitted {
        self.unit.top = first;
        match count {
            0 => self.abc(Op::LoadNone, base, 0, 0),
            _ => self.abc(Op::BuildTuple, base, first as Reg, count),
        }
    }

    /// The function object of constant `code` into `base`, the last temporary. `defaults`, if they have been put
    /// there, are in `base` and the register after it.
    pub(super) fn make_function(
        &mut self,
        code: u16,
        scope: ScopeId,
        defaults: Option<Reg>,
        base: Reg,
    ) -> Emitted {
        let free = self.scopes.scope(scope).free;
        if defaults.is_none() && free == 0 {
            return self.abx(Op::MakeFunction, base, code);
        }
        let save = self.unit.top;
        let named = self.temporary()?;
        if defaults.is_none() {
            self.abc(Op::LoadNone, base, 0, 0)?;
            self.abc(Op::LoadNone, named, 0, 0)?;
        }
        for slot in 0..free {
            let cell = self.temporary()?;
            self.cell(scope, slot, cell)?;
        }
        self.unit.top = save;
        self.abx(Op::MakeClosure, base, code)
    }

    /// The cell that `scope` captures as number `slot` into `target`.
    fn cell(&mut self, scope: ScopeId, slot: u8, target: Reg) -> Emitted {
        let Some(name) = self.scopes.free(scope, slot) else { return Ok(()) };
        match self.place(name) {
            Place::Cell(register) => self.copy(target, register),
            Place::Free(slot) => self.abc(Op::FreeCell, target, slot, 0),
            _ => Err(Failure::at(0, Fault::Syntax)),
        }
    }

    // ---- code ----

    fn function_code(
        &mut self,
        node: Node,
        scope: ScopeId,
        parameters: Node,
        is_viper: bool,
    ) -> Emitted<u16> {
        let line = self.parser.ast.line(node);
        let is_lambda = self.parser.ast.kind(node) == Kind::Lambda;
        let outer = self.begin_unit(scope, line)?;
        let mut names = Buffer::new();
        let mut signature = self.parameters(parameters, &mut names)?;
        self.unit.is_viper = is_viper;
        if is_viper {
            self.typed_signature(parameters, self.parser.ast.part(node, 4))?;
        }
        self.give_locals(scope)?;
        if is_viper {
            self.untyped_locals()?;
        }
        if is_lambda {
            self.lambda_body(node, scope)?;
        } else {
            self.statement(self.parser.ast.part(node, 2))?;
            self.end_body()?;
        }
        let scope = self.scopes.scope(scope);
        signature.name = scope.name;
        signature.free = scope.free;
        signature.flags |= if scope.is_generator { Flags::GENERATOR } else { 0 };
        signature.flags |= if scope.is_async { Flags::ASYNC } else { 0 };
        let code = self.end_unit(outer, signature, &names)?;
        self.new_constant(code)
    }

    /// A lambda that yields returns None, others their value.
    fn lambda_body(&mut self, node: Node, scope: ScopeId) -> Emitted {
        let value = self.operand(self.parser.ast.part(node, 1))?;
        if self.scopes.scope(scope).is_generator {
            return self.end_body();
        }
        self.abc(Op::Return, value, 0, 0)?;
        self.unit.reachable = false;
        Ok(())
    }

    /// Registers for the parameters, in the order of [`larch_bytecode::code::CodeParts`], and the names of those that
    /// have one for callers.
    fn parameters(&mut self, list: Node, names: &mut Buffer<Qstr>) -> Emitted<Signature> {
        let mut signature =
            Signature { name: Qstr::EMPTY, flags: 0, positional: 0, keyword_only: 0, free: 0 };
        let mut star = false;
        for index in 0..self.parser.ast.len(list) {
            let Some(parameter) = self.parser.ast.item(list, index).node() else { continue };
            match self.parser.ast.detail(parameter) {
                detail if detail == ParameterKind::Plain as u8 => {
                    let count = if star { &mut signature.keyword_only } else { &mut signature.positional };
                    *count = count.checked_add(1).ok_or(TOO_MANY)?;
                    let name = self.give_parameter(parameter)?;
                    names.push(name)?;
                }
                detail => star |= detail != ParameterKind::DoubleStar as u8,
            }
        }
        let stars =
            [(ParameterKind::Star, Flags::VAR_ARGS), (ParameterKind::DoubleStar, Flags::VAR_KEYWORDS)];
        for (kind, flags) in stars {
            for index in 0..self.parser.ast.len(list) {
                let Some(parameter) = self.parser.ast.item(list, index).node() else { continue };
                if self.parser.ast.detail(parameter) == kind as u8 {
                    self.give_parameter(parameter)?;
                    signature.flags |= flags;
                }
            }
        }
        Ok(signature)
    }

    /// The next register is a parameter's.
    fn give_parameter(&mut self, parameter: Node) -> Emitted<Qstr> {
        let name = self.parser.ast.name(parameter, 0);
        let register = self.temporary()?;
        self.scopes.set_slot(self.unit.scope, name, register);
        self.unit.bound.insert(register);
        self.unit.parameters = self.unit.top;
        Ok(name)
    }

    /// Registers for the locals of a function after its parameters, and cells for what inner functions use.
    pub(super) fn give_locals(&mut self, scope: ScopeId) -> Emitted {
        let mut next = self.scopes.symbols(scope).next();
        while let Some(symbol) = next {
            if symbol.is_local() && !symbol.has(flag::FREE) {
                self.give_local(scope, symbol)?;
            }
            next = self.scopes.symbols(scope).skip_while(|other| other.name != symbol.name).nth(1);
        }
        self.unit.temporaries = self.unit.top;
        if self.unit.top > MOST_LOCALS {
            return Err(Failure::at(0, Fault::Locals));
        }
        Ok(())
    }

    fn give_local(&mut self, scope: ScopeId, symbol: Symbol) -> Emitted {
        let mut register = symbol.slot;
        let is_captured = symbol.has(flag::CAPTURED);
        if !symbol.has(flag::PARAMETER) {
            register = self.temporary()?;
            self.scopes.set_slot(scope, symbol.name, register);
            if is_captured {
                self.abc(Op::LoadUnbound, register, 0, 0)?;
            }
        }
        if symbol.has(flag::DELETED) {
            self.unit.deletable.insert(register);
        }
        if is_captured { self.abc(Op::MakeCell, register, 0, 0) } else { Ok(()) }
    }

    // ---- classes ----

    /// `class` without its name being bound, into `target`.
    pub(super) fn class(&mut self, node: Node, target: Reg) -> Emitted {
        let ast = &self.parser.ast;
        let name = ast.name(node, 0);
        let (arguments, scope) = (ast.part(node, 1).node(), ast.word(node, 3) as ScopeId);
        let base = self.last_or_new(target)?;
        let body = self.temporary()?;
        let code = self.class_code(node, scope, name)?;
        self.make_function(code, scope, None, body)?;
        self.abx(Op::LoadQstr, base, name.0)?;
        match arguments {
            None => self.abc(Op::MakeClass, base, 0, 0)?,
            Some(call) if self.is_plain(call) => {
                let count = self.arguments(call)?;
                self.abc(Op::MakeClass, base, count.positional, count.keyword)?;
            }
            Some(call) => {
                self.abx(Op::LoadQstr, body + 1, name.0)?;
                self.temporary()?;
                self.abx(Op::LoadGlobal, base, Qstr::__build_class__.0)?;
                self.call_unpacked(call, base, Some(body))?;
            }
        }
        self.copy(target, base)
    }

    fn class_code(&mut self, node: Node, scope: ScopeId, name: Qstr) -> Emitted<u16> {
        let line = self.parser.ast.line(node);
        let outer = self.begin_unit(scope, line)?;
        self.temporary()?;
        let cell = self.scopes.find(scope, Qstr::__class__).filter(|symbol| symbol.has(flag::CAPTURED));
        let mut cell_register = 0;
        if cell.is_some() {
            cell_register = self.temporary()?;
            self.scopes.set_slot(scope, Qstr::__class__, cell_register);
            self.abc(Op::LoadUnbound, cell_register, 0, 0)?;
            self.abc(Op::MakeCell, cell_register, 0, 0)?;
        }
        self.unit.temporaries = self.unit.top;
        let scratch = self.temporary()?;
        self.abx(Op::LoadName, scratch, Qstr::__name__.0)?;
        self.abx(Op::StoreName, scratch, Qstr::__module__.0)?;
        self.abx(Op::LoadQstr, scratch, name.0)?;
        self.abx(Op::StoreName, scratch, Qstr::__qualname__.0)?;
        self.unit.top = self.unit.temporaries;
        self.statement(self.parser.ast.part(node, 2))?;
        if cell.is_some() {
            self.abc(Op::Return, cell_register, 0, 0)?;
            self.unit.reachable = false;
        }
        self.end_body()?;
        let free = self.scopes.scope(scope).free;
        let signature = Signature { name, flags: Flags::NAMESPACE, positional: 0, keyword_only: 0, free };
        let code = self.end_unit(outer, signature, &[])?;
        self.new_constant(code)
    }
}

const TOO_MANY: Failure = Failure::at(0, Fault::Arguments);
