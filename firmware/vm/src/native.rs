//! How built-in types, modules and functions are declared: as `static` tables that stay in flash. Nothing of them is in
//! the heap; a value refers to them by number.
//!
//! Invariant: a table never changes, so the number of an entry identifies it for the life of the program.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Immediate, Value};

use crate::print::{PrintKind, Sink};
use crate::vm::Vm;

/// Says that an exception is on its way; which one is kept by the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raised;

/// What operations return.
pub type Res<T = Value> = Result<T, Raised>;

const _: () = assert!(size_of::<Res>() <= 8);

/// The arguments of a call: they lie on the register stack, positional ones first, then pairs of name and value.
#[derive(Clone, Copy, Debug)]
pub struct Args {
    /// Stack index of the first.
    pub base: u32,
    /// Positional arguments.
    pub positional: u16,
    /// Keyword arguments.
    pub keywords: u16,
}

/// A built-in function, by how it wants its arguments. Those with fixed counts take no keyword arguments.
#[derive(Clone, Copy)]
pub enum Native {
    /// No argument.
    F0(fn(&mut Vm) -> Res),
    /// One argument.
    F1(fn(&mut Vm, Value) -> Res),
    /// Two arguments.
    F2(fn(&mut Vm, Value, Value) -> Res),
    /// Three arguments.
    F3(fn(&mut Vm, Value, Value, Value) -> Res),
    /// From the first to the second number of positional arguments ([`u8::MAX`]: any number), no keyword arguments.
    Var(u8, u8, fn(&mut Vm, Args) -> Res),
    /// As `Var`, and keyword arguments, which the function looks at itself.
    Kw(u8, u8, fn(&mut Vm, Args) -> Res),
}

/// What a name in a built-in table stands for.
#[derive(Clone, Copy)]
pub enum Rom {
    /// A function; in a type's table: a method, whose first argument is the object.
    Fn(Native),
    /// A method that gets the class instead of the object.
    ClassMethod(Native),
    /// A function that is not bound to the object.
    StaticMethod(Native),
    /// A constant.
    Value(Value),
    /// A type.
    Type(TypeId),
    /// An interned string.
    Str(Qstr),
    /// An attribute that is computed when it is asked for (types: from the object; modules: the argument is None).
    Getter(fn(&mut Vm, Value) -> Res),
}

/// A row of a built-in table.
pub type Entry = (Qstr, Rom);

/// The number of a built-in type: the table it is in (core, stdlib, port) in the high byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeId(pub u16);

/// The number of a built-in module, as [`TypeId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ModuleId(pub u16);

impl TypeId {
    /// The type as a value.
    pub const fn value(self) -> Value {
        Value::immediate(Immediate::Type, self.0 as u32)
    }
}

impl ModuleId {
    /// The module as a value.
    pub const fn value(self) -> Value {
        Value::immediate(Immediate::Module, self.0 as u32)
    }
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum UnaryOp {
    /// `-x`
    Neg,
    /// `+x`
    Pos,
    /// `~x`
    Invert,
    /// `bool(x)`; the answer is True or False
    Bool,
    /// `len(x)`
    Len,
    /// `hash(x)`; the answer is a small int
    Hash,
    /// `abs(x)`
    Abs,
}

/// Operators with two operands, in the order of the opcodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "named as the opcodes")]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    TrueDiv,
    FloorDiv,
    Mod,
    Pow,
    MatMul,
    And,
    Or,
    Xor,
    Shl,
    Shr,
    IAdd,
    ISub,
    IMul,
    ITrueDiv,
    IFloorDiv,
    IMod,
    IPow,
    IMatMul,
    IAnd,
    IOr,
    IXor,
    IShl,
    IShr,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    /// `right in left`: the container is the left operand.
    Contains,
}

/// What is asked of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemOp {
    /// `object[index]`
    Get,
    /// `object[index] = value`
    Set(Value),
    /// `del object[index]`
    Delete,
}

/// What is asked of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttrOp {
    /// `object.name`
    Get,
    /// `object.name = value`
    Set(Value),
    /// `del object.name`
    Delete,
}

/// A built-in type. Slots that are `None` mean "not supported", and the base type is asked instead.
#[expect(clippy::type_complexity, reason = "the signatures are the documentation")]
pub struct TypeDef {
    /// Its name.
    pub name: Qstr,
    /// The type it derives from.
    pub base: Option<TypeId>,
    /// Makes an object: called as `Type(args…)`; the value is the class that was called (a subclass perhaps).
    pub make: Option<fn(&mut Vm, Value, Args) -> Res>,
    /// Writes the object.
    pub print: Option<fn(&mut Vm, Sink, Value, PrintKind) -> Res<()>>,
    /// One-operand operators. [`Value::UNBOUND`] means "not supported".
    pub unary: Option<fn(&mut Vm, UnaryOp, Value) -> Res>,
    /// Two-operand operators; the object is the left operand. [`Value::UNBOUND`] means "not supported".
    pub binary: Option<fn(&mut Vm, BinaryOp, Value, Value) -> Res>,
    /// `object[index]` and its like.
    pub item: Option<fn(&mut Vm, Value, Value, ItemOp) -> Res>,
    /// Attributes beyond the table: [`Value::UNBOUND`] means "no such attribute"; for `Set`/`Delete` any other value
    /// means "done".
    pub attr: Option<fn(&mut Vm, Value, Qstr, AttrOp) -> Res>,
    /// `iter(object)`
    pub iter: Option<fn(&mut Vm, Value) -> Res>,
    /// `next(object)`: [`Value::UNBOUND`] at the end.
    pub next: Option<fn(&mut Vm, Value) -> Res>,
    /// `object(args…)`
    pub call: Option<fn(&mut Vm, Value, Args) -> Res>,
    /// Where the object's bytes are, if it has the buffer protocol.
    pub buffer: Option<fn(&mut Vm, Value) -> Option<crate::text::Span>>,
    /// Methods and constants.
    pub entries: &'static [Entry],
}

impl TypeDef {
    /// A type with a name and nothing else, to start from: `TypeDef { make: …, ..TypeDef::new(name) }`.
    pub const fn new(name: Qstr) -> TypeDef {
        TypeDef {
            name,
            base: None,
            make: None,
            print: None,
            unary: None,
            binary: None,
            item: None,
            attr: None,
            iter: None,
            next: None,
            call: None,
            buffer: None,
            entries: &[],
        }
    }
}

/// A built-in module.
pub struct ModuleDef {
    /// The name under which it is imported.
    pub name: Qstr,
    /// What is in it.
    pub entries: &'static [Entry],
    /// Attributes beyond the table (as [`TypeDef::attr`], the object is None).
    pub attr: Option<fn(&mut Vm, Qstr, AttrOp) -> Res>,
}

/// The built-in types and modules of a program: those of the core, of the standard library and of the port.
pub struct Registry {
    /// Types by table.
    pub types: [&'static [&'static TypeDef]; 3],
    /// Modules by table.
    pub modules: [&'static [&'static ModuleDef]; 3],
    /// Names that import another module's: `(alias, name)`.
    pub aliases: &'static [(Qstr, Qstr)],
    /// Modules written in Python that are part of the program.
    pub frozen: &'static [Frozen],
}

/// A module written in Python that is part of the program.
#[derive(Clone, Copy)]
pub struct Frozen {
    /// Its full dotted name.
    pub name: &'static str,
    /// Whether other modules may lie in it.
    pub is_package: bool,
    /// Its source.
    pub text: &'static str,
}

impl Frozen {
    /// Its file, as tracebacks show it, without suffix: in parts.
    pub fn path(&self) -> impl Iterator<Item = &'static str> {
        let slashes = self.name.split_inclusive('.').flat_map(|part| match part.strip_suffix('.') {
            Some(part) => [part, "/"],
            None => [part, ""],
        });
        slashes.chain(self.is_package.then_some("/__init__"))
    }
}

/// Table number of the core's types and modules.
pub const CORE: u16 = 0;
/// First number of the standard library's.
pub const STDLIB: u16 = 0x100;
/// First number of the port's.
pub const PORT: u16 = 0x200;

const MODULE_TABLE: u32 = 1 << 11;

/// A reference to a row of a type's or module's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RomRef(pub u32);

impl RomRef {
    /// Row `index` of a type's table.
    pub const fn of_type(id: TypeId, index: usize) -> RomRef {
        RomRef((id.0 as u32) << 12 | index as u32)
    }

    /// Row `index` of a module's table.
    pub const fn of_module(id: ModuleId, index: usize) -> RomRef {
        RomRef((id.0 as u32 | MODULE_TABLE) << 12 | index as u32)
    }

    /// As a value: a built-in function.
    pub const fn value(self) -> Value {
        Value::immediate(Immediate::Rom, self.0)
    }
}

impl Registry {
    /// A type's definition.
    #[inline(always)]
    pub fn type_def(&self, id: TypeId) -> &'static TypeDef {
        self.types[(id.0 >> 8) as usize][(id.0 & 0xff) as usize]
    }

    /// A module's definition.
    pub fn module_def(&self, id: ModuleId) -> &'static ModuleDef {
        self.modules[(id.0 >> 8) as usize][(id.0 & 0xff) as usize]
    }

    /// The row that a reference names.
    #[inline(always)]
    pub fn entry(&self, at: RomRef) -> &'static Entry {
        let (table, index) = (at.0 >> 12, (at.0 & 0xfff) as usize);
        if table & MODULE_TABLE != 0 {
            &self.module_def(ModuleId((table & !MODULE_TABLE) as u16)).entries[index]
        } else {
            &self.type_def(TypeId(table as u16)).entries[index]
        }
    }

    /// The module imported under `name`.
    pub fn find_module(&self, name: Qstr) -> Option<ModuleId> {
        let name = self.aliases.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, target)| *target);
        for (table, modules) in self.modules.iter().enumerate() {
            if let Some(index) = modules.iter().position(|module| module.name == name) {
                return Some(ModuleId((table << 8 | index) as u16));
            }
        }
        None
    }
}
