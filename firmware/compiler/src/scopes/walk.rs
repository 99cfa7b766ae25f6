//! The walk over the tree that finds scopes, bindings and uses.

use super::{ScopeFailure, ScopeId, ScopeKind, Scopes, flag};
use crate::ast::{Ast, Item, Kind, Made, Node, ParameterKind, Ref};
use crate::error::{Failure, Fault};
use larch_bytecode::qstr::Qstr;

struct Walker<'a> {
    ast: &'a mut Ast,
    scopes: &'a mut Scopes,
    current: ScopeId,
    /// Line of the statement.
    line: u32,
}

type Walked = Result<(), Failure>;

/// Walks `tree`, a statement or expression of the module.
pub(super) fn walk(ast: &mut Ast, scopes: &mut Scopes, tree: Ref) -> Result<(), ScopeFailure> {
    let mut walker = Walker { ast, scopes, current: 0, line: 1 };
    let result = walker.item(tree);
    let block = walker.current;
    result.map_err(|failure| (failure, scopes.scope(block).name))
}

impl Walker<'_> {
    fn item(&mut self, item: Ref) -> Walked {
        match item.item() {
            Item::Name(name) => self.uses(name),
            Item::Node(node) => self.node(node),
            _ => Ok(()),
        }
    }

    fn items(&mut self, node: Node, indices: impl Iterator<Item = u32>) -> Walked {
        for index in indices {
            self.item(self.ast.item(node, index))?;
        }
        Ok(())
    }

    fn parts(&mut self, node: Node, indices: impl IntoIterator<Item = u32>) -> Walked {
        for index in indices {
            self.item(self.ast.part(node, index))?;
        }
        Ok(())
    }

    fn node(&mut self, node: Node) -> Walked {
        let kind = self.ast.kind(node);
        if kind as u8 > Kind::Keyword as u8 {
            self.line = self.ast.line(node);
        }
        match kind {
            Kind::Object | Kind::Int | Kind::Attr | Kind::Pass | Kind::Break | Kind::Continue => Ok(()),
            Kind::Binary | Kind::Compare => self.items(node, (0..self.ast.len(node)).step_by(2)),
            Kind::Postfix => self.postfix(node),
            Kind::And
            | Kind::Or
            | Kind::Call
            | Kind::Tuple
            | Kind::List
            | Kind::Set
            | Kind::Dict
            | Kind::Block
            | Kind::If
            | Kind::Try
            | Kind::Parameters => self.items(node, 0..self.ast.len(node)),
            Kind::Decorated => {
                self.items(node, 1..self.ast.len(node))?;
                self.item(self.ast.item(node, 0))
            }
            Kind::Unary
            | Kind::Not
            | Kind::Index
            | Kind::Star
            | Kind::DoubleStar
            | Kind::Expr
            | Kind::Return
            | Kind::IfClause => self.parts(node, [0]),
            Kind::Keyword => self.parts(node, [1]),
            Kind::IfExp | Kind::Slice | Kind::While => self.parts(node, 0..3),
            Kind::Raise | Kind::Assert => self.parts(node, 0..2),
            Kind::Yield | Kind::YieldFrom | Kind::Await => {
                let frame = self.scopes.frame(self.current);
                self.scopes.scopes[frame as usize].is_generator = true;
                self.parts(node, [0])
            }
            Kind::Named => self.named(node),
            Kind::Lambda => self.function(node, ScopeKind::Lambda, Qstr::LAMBDA, 0),
            Kind::Comprehension => self.comprehension(node),
            Kind::ForClause | Kind::Parameter => Ok(()),
            _ => self.statement(node, kind),
        }
    }

    fn statement(&mut self, node: Node, kind: Kind) -> Walked {
        match kind {
            Kind::Assign => {
                let last = self.ast.len(node) - 1;
                self.item(self.ast.item(node, last))?;
                (0..last).try_for_each(|index| self.target(self.ast.item(node, index)))
            }
            Kind::AugAssign => {
                self.parts(node, 0..2)?;
                self.target(self.ast.part(node, 0))
            }
            Kind::Declare => match self.ast.part(node, 0).item() {
                Item::Name(name) => self.binds(name, 0),
                _ => Ok(()),
            },
            Kind::Del => {
                (0..self.ast.len(node)).try_for_each(|index| self.delete(self.ast.item(node, index)))
            }
            Kind::Global | Kind::Nonlocal => (0..self.ast.len(node)).try_for_each(|index| {
                let name = Qstr(self.ast.at(node, index) as u16);
                self.declare(kind, name)
            }),
            Kind::Import => {
                let name = match self.ast.at(node, 1) {
                    u32::MAX => self.ast.at(node, 2),
                    name => name,
                };
                self.binds(Qstr(name as u16), 0)
            }
            Kind::ImportFrom => {
                let bound = (3..self.ast.len(node)).step_by(2);
                bound.clone().try_for_each(|index| self.binds(Qstr(self.ast.at(node, index) as u16), 0))
            }
            Kind::For => {
                self.parts(node, [1])?;
                self.target(self.ast.part(node, 0))?;
                self.parts(node, [2, 3])
            }
            Kind::Except => {
                self.parts(node, [0])?;
                if let Some(name) = self.ast.part(node, 1).as_name() {
                    self.binds(name, flag::DELETED)?;
                }
                self.parts(node, [2])
            }
            Kind::With => {
                for index in (1..self.ast.len(node)).step_by(2) {
                    self.item(self.ast.item(node, index))?;
                    self.target(self.ast.item(node, index + 1))?;
                }
                self.item(self.ast.item(node, 0))
            }
            Kind::Def => {
                let name = self.ast.name(node, 0);
                self.binds(name, 0)?;
                self.function(node, ScopeKind::Function, name, 1)
            }
            Kind::Class => self.class(node),
            _ => Ok(()),
        }
    }

    // ---- names ----

    /// The name is read here. A name that an inline scope does not bind is a use of the scope around it.
    fn uses(&mut self, name: Qstr) -> Walked {
        let mut scope = self.current;
        while self.scopes.scope(scope).kind == ScopeKind::Inline {
            if self.scopes.find(scope, name).is_some() {
                return Ok(());
            }
            scope = self.scopes.scope(scope).parent;
        }
        if scope != 0 {
            self.scopes.intern(scope, name)?.flags |= flag::USED;
        }
        Ok(())
    }

    /// The name is bound here.
    fn binds(&mut self, name: Qstr, flags: u8) -> Walked {
        if self.current != 0 {
            self.scopes.intern(self.current, name)?.flags |= flag::ASSIGNED | flags;
        }
        Ok(())
    }

    fn target(&mut self, target: Ref) -> Walked {
        match target.item() {
            Item::Name(name) => self.binds(name, 0),
            Item::Node(node) => match self.ast.kind(node) {
                Kind::Tuple | Kind::List => {
                    (0..self.ast.len(node)).try_for_each(|index| self.target(self.ast.item(node, index)))
                }
                Kind::Star => self.target(self.ast.part(node, 0)),
                _ => self.node(node),
            },
            _ => Ok(()),
        }
    }

    fn delete(&mut self, target: Ref) -> Walked {
        match target.item() {
            Item::Name(name) => self.binds(name, flag::DELETED),
            Item::Node(node) if self.ast.kind(node) == Kind::Tuple => {
                (0..self.ast.len(node)).try_for_each(|index| self.delete(self.ast.item(node, index)))
            }
            _ => self.item(target),
        }
    }

    fn declare(&mut self, kind: Kind, name: Qstr) -> Walked {
        let line = self.line;
        if self.current == 0 {
            return match kind {
                Kind::Global => Ok(()),
                _ => Err(Failure::at(line, Fault::NonlocalOuter)),
            };
        }
        let current = self.current;
        let symbol = self.scopes.intern(current, name)?;
        let (own, text) = match kind {
            Kind::Global => (flag::GLOBAL, Fault::RedefinedGlobal),
            _ => (flag::NONLOCAL, Fault::RedefinedNonlocal),
        };
        if symbol.has(!own) && !symbol.has(own) {
            return Err(Failure::at(line, text));
        }
        symbol.flags |= own;
        if kind == Kind::Nonlocal {
            self.scopes.nonlocals.push((current, name, line))?;
        }
        Ok(())
    }

    /// `target := value`: binds in the function around comprehensions.
    fn named(&mut self, node: Node) -> Walked {
        self.parts(node, [1])?;
        let Some(name) = self.ast.part(node, 0).as_name() else { return Ok(()) };
        let frame = self.scopes.frame(self.current);
        self.scopes.scopes[frame as usize].has_walrus = true;
        self.check_named(name)?;
        let mut scope = frame;
        while matches!(self.scopes.scope(scope).kind, ScopeKind::Generator | ScopeKind::Inline) {
            scope = self.scopes.scope(scope).parent;
        }
        let in_namespace = matches!(self.scopes.scope(scope).kind, ScopeKind::Module | ScopeKind::Class);
        if scope != 0 {
            self.scopes.intern(scope, name)?.flags |= flag::ASSIGNED;
        }
        let is_global = in_namespace || self.scopes.find(scope, name).is_some_and(|s| s.has(flag::GLOBAL));
        if frame != scope {
            let flags = if is_global { flag::GLOBAL } else { flag::NONLOCAL };
            self.scopes.intern(frame, name)?.flags |= flags;
        }
        Ok(())
    }

    /// A comprehension's own variable is not assigned to in it.
    fn check_named(&self, name: Qstr) -> Walked {
        let scope = self.scopes.scope(self.current);
        let is_own = self.scopes.find(self.current, name).is_some_and(|symbol| symbol.is_local());
        if !is_own || !matches!(scope.kind, ScopeKind::Generator | ScopeKind::Inline) {
            return Ok(());
        }
        let text = match scope.parent {
            0 => Fault::RedefinedGlobal,
            _ => Fault::RedefinedNonlocal,
        };
        Err(Failure::at(self.line, text))
    }

    /// A chain; `super()` in a function uses `__class__` and the first parameter.
    fn postfix(&mut self, node: Node) -> Walked {
        let is_super = is_super_call(self.ast, node);
        let frame = self.scopes.frame(self.current);
        if is_super && self.scopes.scope(frame).kind == ScopeKind::Function {
            self.uses(Qstr::__class__)?;
        }
        self.items(node, 0..self.ast.len(node))
    }

    // ---- scopes ----

    /// A function or lambda whose parameters, body and scope number are the words from `first` on.
    fn function(&mut self, node: Node, kind: ScopeKind, name: Qstr, first: u32) -> Walked {
        let parameters = self.ast.part(node, first);
        if let Some(list) = parameters.node() {
            for index in 0..self.ast.len(list) {
                if let Some(parameter) = self.ast.item(list, index).node() {
                    self.parts(parameter, [1])?;
                }
            }
        }
        let outer = self.current;
        let scope = self.scopes.add(kind, outer, name)?;
        self.ast.set_word(node, first + 2, scope.into());
        if kind == ScopeKind::Function && self.ast.detail(node) == 1 {
            let scope = &mut self.scopes.scopes[scope as usize];
            (scope.is_async, scope.is_generator) = (true, true);
        }
        self.current = scope;
        if let Some(list) = parameters.node() {
            self.parameters(list)?;
        }
        self.parts(node, [first + 1])?;
        self.current = outer;
        Ok(())
    }

    fn parameters(&mut self, list: Node) -> Walked {
        let (mut star, mut double_star) = (false, false);
        for index in 0..self.ast.len(list) {
            let Some(parameter) = self.ast.item(list, index).node() else { continue };
            let detail = self.ast.detail(parameter);
            let is_star = detail == ParameterKind::Star as u8 || detail == ParameterKind::BareStar as u8;
            if double_star || (star && is_star) {
                return Err(Failure::at(self.ast.line(parameter), Fault::Syntax));
            }
            star |= is_star;
            double_star |= detail == ParameterKind::DoubleStar as u8;
            if detail == ParameterKind::BareStar as u8 {
                continue;
            }
            let name = self.ast.name(parameter, 0);
            let symbol = self.scopes.intern(self.current, name)?;
            if symbol.has(flag::PARAMETER) {
                return Err(Failure::at(self.ast.line(parameter), Fault::ArgumentReused));
            }
            symbol.flags |= flag::PARAMETER;
        }
        Ok(())
    }

    fn class(&mut self, node: Node) -> Walked {
        let name = self.ast.name(node, 0);
        self.parts(node, [1])?;
        self.binds(name, 0)?;
        let outer = self.current;
        let scope = self.scopes.add(ScopeKind::Class, outer, name)?;
        self.ast.set_word(node, 3, scope.into());
        self.current = scope;
        self.scopes.intern(scope, Qstr::__class__)?.flags |= flag::ASSIGNED;
        self.parts(node, [2])?;
        self.current = outer;
        Ok(())
    }

    /// The first source belongs to the scope around it; the rest is walked after all variables are bound.
    fn comprehension(&mut self, node: Node) -> Walked {
        let (kind, name) = match self.ast.detail(node) {
            made if made == Made::Generator as u8 => (ScopeKind::Generator, Qstr::GENEXPR),
            made if made == Made::Set as u8 => (ScopeKind::Inline, Qstr::SETCOMP),
            made if made == Made::Dict as u8 => (ScopeKind::Inline, Qstr::DICTCOMP),
            _ => (ScopeKind::Inline, Qstr::LISTCOMP),
        };
        let outer = self.current;
        let clauses = 3..self.ast.len(node);
        if let Some(first) = self.ast.item(node, 3).node() {
            self.parts(first, [1])?;
        }
        let scope = self.scopes.add(kind, outer, name)?;
        self.ast.set_at(node, 0, scope.into());
        self.scopes.scopes[scope as usize].is_generator = kind == ScopeKind::Generator;
        self.current = scope;
        for index in clauses.clone() {
            let Some(clause) = self.ast.item(node, index).node() else { continue };
            if self.ast.kind(clause) == Kind::ForClause {
                self.target(self.ast.part(clause, 0))?;
            }
        }
        for index in clauses {
            let Some(clause) = self.ast.item(node, index).node() else { continue };
            match self.ast.kind(clause) {
                Kind::ForClause if index == 3 => {}
                Kind::ForClause => self.parts(clause, [1])?,
                _ => self.parts(clause, [0])?,
            }
        }
        self.items(node, 1..3)?;
        self.current = outer;
        Ok(())
    }
}

/// Whether a chain begins with `super()`.
pub(crate) fn is_super_call(ast: &Ast, node: Node) -> bool {
    let call = ast.item(node, 1).node();
    ast.item(node, 0) == Ref::name(Qstr::super_)
        && call.is_some_and(|call| ast.kind(call) == Kind::Call && ast.len(call) == 0)
}
