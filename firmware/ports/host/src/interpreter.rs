//! From the command line to an exit code.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;
use std::ptr::NonNull;

use larch_bytecode::qstr::Qstr;
use larch_heap::{Frame, Heap, Region, Root, Value};
use larch_repl::{History, Repl, VecBuffer};
use larch_stdlib::session::{self, Outcome};
use larch_vm::native::ModuleDef;
use larch_vm::{CompileMode, Hooks, Identity, Registry, Res, Vm};

use crate::args::{Arguments, Program};
use crate::board::Desktop;
use crate::console::RawMode;

/// What `--version` prints and the prompt begins with.
pub const VERSION_LINE: &str = concat!(
    "MicroPython v1.29.0-larch.",
    env!("CARGO_PKG_VERSION"),
    "; desktop [",
    env!("LARCH_TARGET"),
    "] version"
);

const STACK_SLOTS: usize = 16 * 1024;
const FRAMES: usize = 1024;
/// Native stack that Rust code working for a program may use.
const NATIVE_STACK: usize = 6 << 20;

/// What only the desktop has. Wi-Fi it has not.
const MODULES: &[&ModuleDef] = &[
    &crate::environ::ENVIRON,
    #[cfg(unix)]
    &larch_stdlib::net::socket_module::SOCKET,
];

static REGISTRY: Registry = Registry {
    types: [larch_vm::types::TYPES, larch_stdlib::ids::TYPES, larch_stdlib::net::TYPES],
    modules: [larch_vm::modules::MODULES, larch_stdlib::ids::MODULES, MODULES],
    aliases: larch_stdlib::ids::ALIASES,
    frozen: larch_stdlib::frozen::MODULES,
};

thread_local! {
    static STACK_START: usize = address_of_local();
}

#[inline(never)]
fn address_of_local() -> usize {
    let local = 0u8;
    std::ptr::addr_of!(local) as usize
}

fn stack_room() -> usize {
    let used = STACK_START.with(|start| start.saturating_sub(address_of_local()));
    NATIVE_STACK.saturating_sub(used)
}

const HOOKS: Hooks = Hooks {
    compile: larch_stdlib::compile::compile,
    poll: |_| Ok(()),
    import: larch_stdlib::import::import,
    execfile: larch_stdlib::import::execfile,
    open: larch_stdlib::files::open,
    input: larch_stdlib::stdio::input,
    stack_room,
    stream: larch_stdlib::stdio::stream,
    help: "Welcome to MicroPython!\n\n\
           For online docs please visit http://docs.micropython.org/\n\n\
           Control commands:\n  CTRL-A        -- on a blank line, enter raw REPL mode\n  \
           CTRL-B        -- on a blank line, enter normal REPL mode\n  \
           CTRL-C        -- interrupt a running program\n  \
           CTRL-D        -- on a blank line, exit or do a soft reset\n  \
           CTRL-E        -- on a blank line, enter paste mode\n\n\
           For further help on a specific object, type help(obj)\n",
    identity: Identity {
        version: concat!("3.4.0; MicroPython v1.29.0-larch.", env!("CARGO_PKG_VERSION")),
        release: [1, 29, 0],
        platform: "linux",
        machine: "desktop",
        build: "larch",
        mpy: larch_stdlib::import::MPY,
        detailed_errors: true,
        epoch_s: 0,
        os_release: "1.29.0",
        os_version: VERSION_LINE,
    },
};

/// Runs what the command line says.
pub fn main(arguments: Arguments) -> ExitCode {
    if let Some(answer) = &arguments.answer {
        print!("{answer}");
        return ExitCode::SUCCESS;
    }
    // The main thread's stack is of unknown size; the interpreter's is ours.
    let thread = std::thread::Builder::new().stack_size(NATIVE_STACK + (2 << 20));
    match thread.spawn(move || run(&arguments)).map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        _ => ExitCode::from(101),
    }
}

fn new_vm(heap_bytes: usize) -> Vm {
    let memory = Box::leak(vec![0u64; heap_bytes / 8].into_boxed_slice());
    let stack = Box::leak(vec![Value::UNBOUND; STACK_SLOTS].into_boxed_slice());
    let frames = Box::leak(vec![Frame::EMPTY; FRAMES].into_boxed_slice());
    let region = Region { start: NonNull::from(&mut *memory).cast(), len: heap_bytes };
    // SAFETY: leaked just now, so ours alone and alive for ever.
    let heap = unsafe { Heap::new(&[region], stack) };
    Vm::new(heap, frames, &REGISTRY, Box::leak(Box::new(Desktop::new())), HOOKS)
}

fn run(arguments: &Arguments) -> ExitCode {
    STACK_START.with(|_| ());
    let mut vm = new_vm(arguments.heap_bytes);
    vm.opt_level = arguments.opt_level;
    if vm.start().and_then(|()| set_up_sys(&mut vm, arguments)).is_err() {
        eprintln!("larch: the heap is too small; use a larger -X heapsize");
        return ExitCode::from(1);
    }
    vm.reset_stacks();
    let (outcome, inspect) = match &arguments.program {
        Program::Interactive if std::io::stdin().is_terminal() => (Outcome::Finished, true),
        Program::Interactive | Program::Stdin => (run_stdin(&mut vm), arguments.inspect),
        Program::Command(text) => {
            (session::run(&mut vm, text.as_bytes(), Qstr::STDIN, CompileMode::File), arguments.inspect)
        }
        Program::File(file) => match run_file(&mut vm, file, arguments) {
            Some(outcome) => (outcome, arguments.inspect),
            None => return ExitCode::from(1),
        },
        Program::Module(name) => (run_module(&mut vm, name), arguments.inspect),
    };
    if inspect || crate::environ::get("MICROPYINSPECT").is_some_and(|value| !value.is_empty()) {
        talk(&mut vm);
    }
    let code = exit_code(&mut vm, outcome);
    session::leave(&mut vm);
    code
}

/// 0, 1 for an exception, and what SystemExit says.
fn exit_code(vm: &mut Vm, outcome: Outcome) -> ExitCode {
    match outcome {
        Outcome::Finished => ExitCode::SUCCESS,
        Outcome::Failed => ExitCode::from(1),
        Outcome::Exit(Value::NONE) => ExitCode::SUCCESS,
        Outcome::Exit(value) => match value.as_small() {
            Some(code) => ExitCode::from(code as u8),
            None => {
                let _ = vm.print(value, larch_vm::PrintKind::Str);
                vm.write(b"\n");
                ExitCode::from(1)
            }
        },
    }
}

fn set_up_sys(vm: &mut Vm, arguments: &Arguments) -> Res<()> {
    let folder = match &arguments.program {
        Program::File(file) => {
            let full = std::fs::canonicalize(file).unwrap_or_else(|_| file.into());
            full.parent().map_or(String::new(), |folder| folder.to_string_lossy().into())
        }
        _ => String::new(),
    };
    if let Ok(folder) = std::env::current_dir()
        && let Some(path) = larch_stdlib::path::Path::ROOT.join(folder.to_string_lossy().as_bytes())
    {
        larch_stdlib::path::set_working_directory(vm, &path)?;
    }
    let home = std::env::var("HOME").unwrap_or_default();
    let path = match std::env::var("MICROPYPATH") {
        Ok(path) => path,
        Err(_) => format!(".frozen:{home}/.micropython/lib:/usr/lib/micropython"),
    };
    set_list(vm, Root::Path, std::iter::once(folder.as_str()).chain(path.split(':')))?;
    let name = match &arguments.program {
        Program::File(file) => Some(file.as_str()),
        Program::Command(_) => Some("-c"),
        Program::Module(module) => Some(module.as_str()),
        Program::Stdin => Some("-"),
        Program::Interactive => Some(""),
    };
    set_list(vm, Root::Argv, name.into_iter().chain(arguments.rest.iter().map(String::as_str)))
}

fn set_list<'t>(vm: &mut Vm, root: Root, texts: impl Iterator<Item = &'t str>) -> Res<()> {
    let list = vm.new_list(&[])?;
    vm.heap.set_root(root, list);
    let cell = list.as_cell().expect("a list made just now");
    for text in texts {
        let scope = vm.scope();
        let text = vm.new_str(text)?;
        vm.root(text)?;
        vm.list_append(cell, text)?;
        vm.release(scope);
    }
    Ok(())
}

fn run_stdin(vm: &mut Vm) -> Outcome {
    let mut source = Vec::new();
    if let Err(error) = std::io::stdin().read_to_end(&mut source) {
        eprintln!("larch: standard input: {error}");
        return Outcome::Failed;
    }
    session::run(vm, &source, Qstr::STDIN, CompileMode::File)
}

fn run_file(vm: &mut Vm, file: &str, arguments: &Arguments) -> Option<Outcome> {
    let source = match std::fs::read(file) {
        Ok(source) => source,
        Err(error) => {
            eprintln!("larch: can't open file '{file}': {error}");
            return None;
        }
    };
    let name = vm.intern(file).unwrap_or(Qstr::STDIN);
    if let Some(globals) = vm.heap.root(Root::Main).as_cell() {
        let _ = vm.dict_set_qstr(globals, Qstr::__file__, Value::qstr(name));
    }
    if arguments.compile_only {
        let compiled = larch_stdlib::compile::compile_bytes(vm, &source, name, CompileMode::File);
        return Some(session::finish(vm, compiled));
    }
    vm.heap.fail_after(arguments.fail_alloc);
    let outcome = session::run(vm, &source, name, CompileMode::File);
    vm.heap.fail_after(0);
    if arguments.fail_alloc > 0 {
        let alive = b"import gc\ngc.collect()\nprint('alive', sum(range(10)), [str(i) for i in range(3)])\n";
        return Some(session::run(vm, alive, Qstr::STDIN, CompileMode::File));
    }
    Some(outcome)
}

fn run_module(vm: &mut Vm, name: &str) -> Outcome {
    let source = format!("import {name}");
    session::run(vm, source.as_bytes(), Qstr::STDIN, CompileMode::File)
}

/// The prompt, until Ctrl-D.
fn talk(vm: &mut Vm) {
    let _raw = RawMode::enter();
    let mut storage = [0; 4096];
    let mut repl = Repl::new(VecBuffer::new(1 << 20), History::new(&mut storage));
    let banner = format!("{VERSION_LINE}\nType \"help()\" for more information.\n");
    session::talk(vm, &mut repl, &banner);
}
