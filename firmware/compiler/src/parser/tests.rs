//! The trees of each `tests/parser/*.py`.

use super::Parser;
use crate::ast::{Comparison, Item, Kind, Made, Node, Operator, ParameterKind, Ref};
use crate::erase::Erased;
use crate::support::{self, Keeper};
use crate::{Mode, Options};
use larch_bytecode::disasm::Show;
use larch_bytecode::qstr::Qstr;
use std::fmt::Write;

/// A parser and what it has shown.
struct Tree<'p, 's, 'b> {
    parser: &'p Parser<'s, 'b>,
    shown: String,
}

impl Tree<'_, '_, '_> {
    fn item(&mut self, item: Ref, depth: usize) {
        let text = match item.item() {
            Item::Nothing => "-".to_string(),
            Item::Int(value) => value.to_string(),
            Item::Name(name) => placeholder('n', name.0.into()),
            Item::Str(text) => placeholder('s', text.0.into()),
            Item::Single(which) => format!("{which:?}"),
            Item::Node(node) => return self.node(node, depth),
        };
        self.line(&text, depth);
    }

    fn line(&mut self, text: &str, depth: usize) {
        writeln!(self.shown, "{:>width$}{text}", "", width = 2 * depth).unwrap();
    }

    fn node(&mut self, node: Node, depth: usize) {
        let ast = &self.parser.ast;
        let (kind, line) = (ast.kind(node), ast.line(node));
        let detail = self.detail(kind, ast.detail(node));
        self.line(&format!("{kind:?}{detail} @{line}"), depth);
        let parts = |count| (0..count).map(|index| ast.part(node, index)).collect::<Vec<_>>();
        let items = |from| (from..ast.len(node)).map(|index| ast.item(node, index)).collect::<Vec<_>>();
        let children = match kind {
            Kind::Object => {
                let object = self.parser.objects[ast.word(node, 0) as usize];
                return self.line(&placeholder('c', object), depth + 1);
            }
            Kind::Int => return self.line(&ast.int(node).to_string(), depth + 1),
            Kind::Binary | Kind::Compare => return self.operands(node, kind, depth + 1),
            Kind::Attr => return self.line(&placeholder('n', ast.word(node, 0)), depth + 1),
            Kind::Global | Kind::Nonlocal | Kind::Import | Kind::ImportFrom => {
                return self.names(node, kind, depth + 1);
            }
            Kind::Def | Kind::Class | Kind::Parameter => {
                self.line(&placeholder('n', ast.word(node, 0)), depth + 1);
                (1..3).map(|index| ast.part(node, index)).collect()
            }
            Kind::Comprehension => items(1),
            Kind::IfExp | Kind::Slice | Kind::While | Kind::Except => parts(3),
            Kind::Lambda | Kind::ForClause | Kind::Named | Kind::Keyword | Kind::AugAssign => parts(2),
            Kind::Raise | Kind::Assert => parts(2),
            Kind::For => parts(4),
            Kind::Pass | Kind::Break | Kind::Continue => parts(0),
            Kind::Unary | Kind::Not | Kind::Index | Kind::IfClause | Kind::Yield | Kind::YieldFrom => {
                parts(1)
            }
            Kind::Await | Kind::Star | Kind::DoubleStar | Kind::Expr | Kind::Declare | Kind::Return => {
                parts(1)
            }
            _ => items(0),
        };
        children.into_iter().for_each(|child| self.item(child, depth + 1));
    }

    fn detail(&self, kind: Kind, detail: u8) -> String {
        match kind {
            Kind::Unary | Kind::AugAssign => format!(" {:?}", Operator::ALL[usize::from(detail)]),
            Kind::Comprehension => {
                let made = [Made::List, Made::Set, Made::Dict, Made::Generator];
                format!(" {:?}", made[usize::from(detail)])
            }
            Kind::Parameter => {
                let kinds = [
                    ParameterKind::Plain,
                    ParameterKind::Star,
                    ParameterKind::DoubleStar,
                    ParameterKind::BareStar,
                ];
                format!(" {:?}", kinds[usize::from(detail)])
            }
            Kind::For | Kind::With | Kind::Def if detail == 1 => " async".to_string(),
            _ => String::new(),
        }
    }

    fn operands(&mut self, node: Node, kind: Kind, depth: usize) {
        let ast = &self.parser.ast;
        self.item(ast.item(node, 0), depth);
        for index in (1..ast.len(node)).step_by(2) {
            let operator = ast.at(node, index) as usize;
            match kind {
                Kind::Binary => self.line(&format!("{:?}", Operator::ALL[operator]), depth),
                _ => self.line(&format!("{:?}", Comparison::ALL[operator]), depth),
            }
            self.item(ast.item(node, index + 1), depth);
        }
    }

    fn names(&mut self, node: Node, kind: Kind, depth: usize) {
        let ast = &self.parser.ast;
        for index in 0..ast.len(node) {
            let word = ast.at(node, index);
            match (kind, index, word) {
                (Kind::Import, 1, u32::MAX) => self.line("-", depth),
                (Kind::ImportFrom, 1, level) => self.line(&format!("level {level}"), depth),
                _ => self.line(&placeholder('n', word), depth),
            }
        }
    }
}

/// Stands for a name, a string or a constant until the parser gives the backend back.
fn placeholder(kind: char, number: u32) -> String {
    format!("<{kind}{number}>")
}

/// The text with what its placeholders stand for.
fn resolved(text: &str, keeper: &Keeper, constant: impl Fn(u32) -> usize) -> String {
    let mut shown = String::new();
    for (index, part) in text.split(['<', '>']).enumerate() {
        let number = || part[1..].parse().unwrap();
        match part.chars().next().filter(|_| index % 2 == 1) {
            Some('n') => shown += keeper.name_text(Qstr(number() as u16)),
            Some('s') => write!(shown, "{:?}", keeper.name_text(Qstr(number() as u16))).unwrap(),
            Some('c') => keeper.constant(&constant(number()), &mut shown).unwrap(),
            _ => shown += part,
        }
    }
    shown
}

fn trees(source: &str) -> String {
    let mut keeper = Keeper::default();
    let mut erased = Erased::new(&mut keeper);
    let mut parser = Parser::new(source, Options::default(), &mut erased).unwrap();
    let mut shown = String::new();
    let error = loop {
        match parser.next_statement() {
            Ok(None) => break None,
            Ok(Some(statement)) => {
                let mut tree = Tree { parser: &parser, shown: std::mem::take(&mut shown) };
                tree.item(statement, 0);
                shown = tree.shown;
            }
            Err(failure) => break Some(parser.error(failure, parser.token_line(), None)),
        }
    };
    let constants: Vec<usize> = (0..).map_while(|number| erased.get(number)).collect();
    let mut shown = resolved(&shown, &keeper, |number| constants[number as usize]);
    if let Some(error) = error {
        shown += &(support::describe(&keeper, source, &error) + "\n");
    }
    shown
}

#[test]
fn listings() {
    support::each_input("parser", trees);
}

/// A statement, and a list in each of the four: what is counted does not change unnoticed.
#[test]
fn the_limit_of_depth_is_an_option() {
    let source = "x = [[[[1]]]]\n";
    let verdict = |depth| {
        let mut keeper = Keeper::quiet();
        let options = Options { depth, ..Options::default() };
        support::compile_with(&mut keeper, source, Mode::File, options).is_ok()
    };
    assert!(verdict(25) && !verdict(24));
}
