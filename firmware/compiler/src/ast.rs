//! The syntax tree: 32-bit words in one growing buffer, referred to by index.
//!
//! A [`Ref`] is a leaf (small int, name, short string, singleton) or the index of a node. A node is a header word
//! (kind, a byte of detail, line relative to the tree's first) and its words; what they are stands at each [`Kind`].
//! Kinds marked "list" have a count as their first word. Leaves know no line, as in MicroPython, whose tracebacks
//! show it.

use crate::buffer::Buffer;
use crate::error::Failure;
use larch_bytecode::code::Singleton;
use larch_bytecode::qstr::Qstr;

/// A leaf, or the index of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Ref(pub(crate) u32);

/// A [`Ref`], taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Nothing,
    Node(Node),
    Int(i32),
    Name(Qstr),
    Str(Qstr),
    Single(Singleton),
}

/// The index of a node's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node(pub(crate) u32);

const LEAF_INT_BITS: u32 = 30;

impl Ref {
    /// Nothing there: an absent part.
    pub(crate) const NOTHING: Ref = Ref(u32::MAX);

    /// A small int, if it fits a leaf.
    pub(crate) fn int(value: i64) -> Option<Ref> {
        let limit = 1i64 << (LEAF_INT_BITS - 1);
        (-limit..limit).contains(&value).then_some(Ref((value as u32) << 2 | 1))
    }

    pub(crate) const fn name(name: Qstr) -> Ref {
        Ref((name.0 as u32) << 2 | 2)
    }

    pub(crate) const fn str(text: Qstr) -> Ref {
        Ref((text.0 as u32) << 3 | 3)
    }

    pub(crate) const fn single(which: Singleton) -> Ref {
        Ref((which as u32) << 3 | 7)
    }

    pub(crate) fn is_nothing(self) -> bool {
        self == Ref::NOTHING
    }

    pub(crate) fn item(self) -> Item {
        const NONE: u32 = Singleton::None as u32;
        const TRUE: u32 = Singleton::True as u32;
        const FALSE: u32 = Singleton::False as u32;
        match (self, self.0 & 3) {
            (Ref::NOTHING, _) => Item::Nothing,
            (_, 0) => Item::Node(Node(self.0 >> 2)),
            (_, 1) => Item::Int((self.0 as i32) >> 2),
            (_, 2) => Item::Name(Qstr((self.0 >> 2) as u16)),
            _ if self.0 & 4 == 0 => Item::Str(Qstr((self.0 >> 3) as u16)),
            _ => Item::Single(match self.0 >> 3 {
                NONE => Singleton::None,
                TRUE => Singleton::True,
                FALSE => Singleton::False,
                _ => Singleton::Ellipsis,
            }),
        }
    }

    pub(crate) fn node(self) -> Option<Node> {
        match self.item() {
            Item::Node(node) => Some(node),
            _ => None,
        }
    }

    pub(crate) fn as_name(self) -> Option<Qstr> {
        match self.item() {
            Item::Name(name) => Some(name),
            _ => None,
        }
    }
}

macro_rules! kinds {
    ($( $(#[$doc:meta])* $name:ident ),* $(,)?) => {
        /// What a node is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Kind { $($(#[$doc])* $name),* }

        impl Kind {
            const ALL: &[Kind] = &[$(Kind::$name),*];
        }
    };
}

kinds! {
    // ---- expressions ----
    /// An entry of the table of constants: `index`. Detail 1: a float or long int, with `start, stop` of its text.
    Object,
    /// An int too long for a leaf: `low, high`.
    Int,
    /// A list of operands and operators of one precedence: `first, (operator, operand)…`. Detail 1: the source had
    /// it in parentheses.
    Binary,
    /// Detail: the operator. `operand`.
    Unary,
    /// `operand`
    Not,
    /// List of operands.
    And,
    /// List of operands.
    Or,
    /// A list `first, (operator, operand)…`.
    Compare,
    /// `condition, then, else`
    IfExp,
    /// `parameters, body, scope`
    Lambda,
    /// A list: what is at the start, then [`Kind::Attr`], [`Kind::Call`], [`Kind::Index`] nodes.
    Postfix,
    /// `name`
    Attr,
    /// List of arguments.
    Call,
    /// `index`
    Index,
    /// `start, stop, step`
    Slice,
    /// List of items. Detail 1: the source had it in parentheses.
    Tuple,
    /// List of items.
    List,
    /// List of items.
    Set,
    /// List of key, value.
    Dict,
    /// Detail: what is made, see [`Made`]. List `scope, item, value (dict only), clauses…`
    Comprehension,
    /// `target, source`
    ForClause,
    /// `condition`
    IfClause,
    /// `value`
    Yield,
    /// `value`
    YieldFrom,
    /// `value`
    Await,
    /// `target name or expression, value`
    Named,
    /// `value`: an argument, display item or target after `*`
    Star,
    /// `value`: an argument after `**`
    DoubleStar,
    /// `name or expression, value`: a keyword argument
    Keyword,
    // ---- statements ----
    /// List of statements.
    Block,
    /// `value`
    Expr,
    /// List of targets, the value last.
    Assign,
    /// Detail: the operator. `target, value`
    AugAssign,
    /// `target`: an annotation without a value
    Declare,
    /// List of targets.
    Del,
    Pass,
    Break,
    Continue,
    /// `value`
    Return,
    /// `exception, cause`
    Raise,
    /// List of names.
    Global,
    /// List of names.
    Nonlocal,
    /// `condition, message`
    Assert,
    /// List: the module's whole name, the name after `as`, then the parts of the whole name.
    Import,
    /// List: the module's name, the level, then name and name to bind of each; nothing more for `*`.
    ImportFrom,
    /// List of condition and block, and last the `else` block or nothing.
    If,
    /// `condition, block, else`
    While,
    /// Detail 1: `async`. `target, source, block, else`
    For,
    /// List: `block, else, finally`, then [`Kind::Except`]s.
    Try,
    /// `class, name, block`
    Except,
    /// Detail 1: `async`. List: block, then context and target of each.
    With,
    /// Detail 1: `async`. `name, parameters, block, scope, annotation of the result` (its name, or an ellipsis)
    Def,
    /// `name, arguments (a Call) or nothing, block, scope`
    Class,
    /// List: the definition, then its decorators.
    Decorated,
    /// List of parameters.
    Parameters,
    /// Detail: see [`ParameterKind`]. `name, default, annotation`
    Parameter,
}

/// What a comprehension makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Made {
    List,
    Set,
    Dict,
    Generator,
}

/// How a parameter is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ParameterKind {
    Plain,
    Star,
    DoubleStar,
    BareStar,
}

/// Operators, in the order of the tokens from `Plus` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Operator {
    Add,
    Sub,
    Mul,
    MatMul,
    TrueDiv,
    Mod,
    FloorDiv,
    Pow,
    And,
    Or,
    Xor,
    Shl,
    Shr,
    Invert,
}

impl Operator {
    pub(crate) const ALL: [Operator; 14] = [
        Operator::Add,
        Operator::Sub,
        Operator::Mul,
        Operator::MatMul,
        Operator::TrueDiv,
        Operator::Mod,
        Operator::FloorDiv,
        Operator::Pow,
        Operator::And,
        Operator::Or,
        Operator::Xor,
        Operator::Shl,
        Operator::Shr,
        Operator::Invert,
    ];
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
    Is,
    IsNot,
}

impl Comparison {
    pub(crate) const ALL: [Comparison; 10] = [
        Comparison::Eq,
        Comparison::Ne,
        Comparison::Lt,
        Comparison::Le,
        Comparison::Gt,
        Comparison::Ge,
        Comparison::In,
        Comparison::NotIn,
        Comparison::Is,
        Comparison::IsNot,
    ];
}

/// The tree of one top-level statement.
pub(crate) struct Ast {
    words: Buffer<u32>,
    /// Line that the nodes' lines are relative to.
    first_line: u32,
}

impl Ast {
    pub(crate) const fn new() -> Self {
        Ast { words: Buffer::new(), first_line: 1 }
    }

    /// Forgets the tree; the next one begins at `line`.
    pub(crate) fn restart(&mut self, line: u32) {
        self.words.clear();
        self.first_line = line;
    }

    /// Where the next node goes; give it to [`Ast::rewind`] to forget nodes made since.
    pub(crate) fn mark(&self) -> u32 {
        self.words.len() as u32
    }

    pub(crate) fn rewind(&mut self, mark: u32) {
        self.words.truncate(mark as usize);
    }

    /// A node of a fixed number of words.
    pub(crate) fn add(&mut self, kind: Kind, detail: u8, line: u32, words: &[u32]) -> Result<Ref, Failure> {
        let index = self.header(kind, detail, line)?;
        self.words.extend(words)?;
        Ok(Ref(index << 2))
    }

    /// A list node of the words of `scratch` from `start` on, which are taken out of it.
    pub(crate) fn add_list(
        &mut self,
        kind: Kind,
        detail: u8,
        line: u32,
        scratch: &mut Buffer<u32>,
        start: usize,
    ) -> Result<Ref, Failure> {
        let index = self.header(kind, detail, line)?;
        self.words.push((scratch.len() - start) as u32)?;
        scratch.take_tail(start, &mut self.words)?;
        Ok(Ref(index << 2))
    }

    fn header(&mut self, kind: Kind, detail: u8, line: u32) -> Result<u32, Failure> {
        let index = self.words.len() as u32;
        let line = line.saturating_sub(self.first_line).min(u16::MAX.into());
        self.words.push(kind as u32 | u32::from(detail) << 8 | line << 16)?;
        if index >= 1 << 29 { Err(Failure::MEMORY) } else { Ok(index) }
    }

    pub(crate) fn kind(&self, node: Node) -> Kind {
        Kind::ALL[(self.words[node.0 as usize] & 0xff) as usize]
    }

    /// The kind of a node; none for leaves.
    pub(crate) fn kind_of(&self, item: Ref) -> Option<Kind> {
        item.node().map(|node| self.kind(node))
    }

    pub(crate) fn detail(&self, node: Node) -> u8 {
        (self.words[node.0 as usize] >> 8) as u8
    }

    pub(crate) fn set_detail(&mut self, node: Node, detail: u8) {
        let word = &mut self.words[node.0 as usize];
        *word = *word & !0xff00 | u32::from(detail) << 8;
    }

    pub(crate) fn line(&self, node: Node) -> u32 {
        self.first_line + (self.words[node.0 as usize] >> 16)
    }

    /// The node's line, or nothing for a leaf.
    pub(crate) fn line_of(&self, item: Ref) -> Option<u32> {
        item.node().map(|node| self.line(node))
    }

    /// Word `index` of a node that is no list.
    pub(crate) fn word(&self, node: Node, index: u32) -> u32 {
        self.words[(node.0 + 1 + index) as usize]
    }

    pub(crate) fn set_word(&mut self, node: Node, index: u32, word: u32) {
        self.words[(node.0 + 1 + index) as usize] = word;
    }

    /// Part `index` of a node that is no list.
    pub(crate) fn part(&self, node: Node, index: u32) -> Ref {
        Ref(self.word(node, index))
    }

    pub(crate) fn name(&self, node: Node, index: u32) -> Qstr {
        Qstr(self.word(node, index) as u16)
    }

    /// How many words a list node has.
    pub(crate) fn len(&self, node: Node) -> u32 {
        self.words[node.0 as usize + 1]
    }

    /// Word `index` of a list node.
    pub(crate) fn at(&self, node: Node, index: u32) -> u32 {
        self.words[(node.0 + 2 + index) as usize]
    }

    pub(crate) fn set_at(&mut self, node: Node, index: u32, word: u32) {
        self.words[(node.0 + 2 + index) as usize] = word;
    }

    /// Item `index` of a list node.
    pub(crate) fn item(&self, node: Node, index: u32) -> Ref {
        Ref(self.at(node, index))
    }
}

impl Ast {
    /// The value of a [`Kind::Int`].
    pub(crate) fn int(&self, node: Node) -> i64 {
        i64::from(self.word(node, 0)) | i64::from(self.word(node, 1) as i32) << 32
    }
}
