//! From boot to the prompt, again and again: each soft reset makes a new interpreter in the same memory.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

use larch_bytecode::qstr::Qstr;
use larch_hal::{Console, Port};
use larch_heap::{Frame, Heap, Region, Root, Value};
use larch_repl::{History, Mode, Repl, VecBuffer};
use larch_stdlib::import::read_file;
use larch_stdlib::path::Path;
use larch_stdlib::session::{self, Outcome};
use larch_vm::{CompileMode, Hooks, Identity, Registry, Res, Vm};

use crate::board::Esp32c3;
use crate::memory;

/// The board, as the banner and `os.uname()` name it.
const MACHINE: &str = "ESP32C3 module with ESP32C3";
const BANNER: &str = concat!(
    "MicroPython v1.29.0-larch.",
    env!("CARGO_PKG_VERSION"),
    " on ",
    env!("LARCH_BUILD_DATE"),
    "; ESP32C3 module with ESP32C3\nType \"help()\" for more information.\n"
);

/// Where MicroPython's time starts on this chip: 2000-01-01.
const EPOCH_2000_S: u64 = 946_684_800;

/// Registers of all calls in progress.
const STACK_SLOTS: usize = 2560;
/// Calls in progress.
const FRAMES: usize = 200;
/// The longest program at the prompt.
const SOURCE_MAX: usize = 32 * 1024;
/// Lines entered before.
const HISTORY_SIZE: usize = 512;

static REGISTRY: Registry = Registry {
    types: [larch_vm::types::TYPES, larch_stdlib::ids::TYPES, &[]],
    modules: [larch_vm::modules::MODULES, larch_stdlib::ids::MODULES, &[]],
    aliases: larch_stdlib::ids::ALIASES,
};

const HOOKS: Hooks = Hooks {
    compile: larch_stdlib::compile::compile,
    poll: |_| Ok(()),
    import: larch_stdlib::import::import,
    stack_room: memory::stack_room,
    stream: larch_stdlib::stdio::stream,
    open: larch_stdlib::files::open,
    input: larch_stdlib::stdio::input,
    help: "Welcome to MicroPython!\n\n\
           For online docs please visit http://docs.micropython.org/\n\n\
           Control commands:\n  CTRL-A        -- on a blank line, enter raw REPL mode\n  \
           CTRL-B        -- on a blank line, enter normal REPL mode\n  \
           CTRL-C        -- interrupt a running program\n  \
           CTRL-D        -- on a blank line, exit or do a soft reset\n  \
           CTRL-E        -- on a blank line, enter paste mode\n\n\
           For further help on a specific object, type help(obj)\n",
    identity: Identity {
        version: concat!(
            "3.4.0; MicroPython v1.29.0-larch.",
            env!("CARGO_PKG_VERSION"),
            " on ",
            env!("LARCH_BUILD_DATE")
        ),
        release: [1, 29, 0],
        os_release: "1.29.0",
        os_version: concat!("v1.29.0-larch.", env!("CARGO_PKG_VERSION"), " on ", env!("LARCH_BUILD_DATE")),
        platform: "esp32",
        detailed_errors: false,
        epoch_s: EPOCH_2000_S,
        machine: MACHINE,
        build: "ESP32_GENERIC_C3",
        mpy: 0,
    },
};

/// Memory that every interpreter in turn has to itself.
struct Stacks {
    values: UnsafeCell<MaybeUninit<[Value; STACK_SLOTS]>>,
    frames: UnsafeCell<MaybeUninit<[Frame; FRAMES]>>,
}

// SAFETY: only the one interpreter touches it, and there is one thread.
unsafe impl Sync for Stacks {}

static STACKS: Stacks =
    Stacks { values: UnsafeCell::new(MaybeUninit::uninit()), frames: UnsafeCell::new(MaybeUninit::uninit()) };

/// Runs interpreters, one after the other.
pub fn run(board: &'static mut Esp32c3) -> ! {
    if let Some(notice) = board.storage_notice() {
        board.write_text(notice.as_bytes());
    }
    let mut history = [0; HISTORY_SIZE];
    let mut repl = Repl::new(VecBuffer::new(SOURCE_MAX), History::new(&mut history));
    loop {
        live_once(board, &mut repl);
        board.write(b"MPY: soft reboot\r\n");
        board.soft_reset();
    }
}

/// The life of one interpreter: from the boot files until someone asks for a soft reset.
fn live_once(board: &mut Esp32c3, repl: &mut Repl<'_, VecBuffer>) {
    // SAFETY: the board outlives this function, which keeps no reference to it.
    let board: &'static mut Esp32c3 = unsafe { &mut *core::ptr::from_mut(board) };
    // SAFETY: the interpreter before this one is gone, and this one ends with the function.
    let mut vm = unsafe { new_vm(board) };
    if vm.start().and_then(|()| set_path(&mut vm)).is_err() {
        panic!("the Python heap is too small to start");
    }
    vm.reset_stacks();
    if run_boot_files(&mut vm, repl.mode()) {
        session::talk(&mut vm, repl, BANNER);
    }
}

/// Runs `boot.py`, and `main.py` unless a program talks to the board; `false` if one of them asks for a soft reset.
fn run_boot_files(vm: &mut Vm, mode: Mode) -> bool {
    match run_file(vm, b"/boot.py", "boot.py") {
        Outcome::Exit(_) => return false,
        Outcome::Failed => return true,
        Outcome::Finished => {}
    }
    mode == Mode::Raw || !matches!(run_file(vm, b"/main.py", "main.py"), Outcome::Exit(_))
}

/// Runs a file if it exists.
fn run_file(vm: &mut Vm, path: &[u8], name: &str) -> Outcome {
    let exists = vm.port.files().is_some_and(|files| files.info(path).is_ok_and(|info| !info.is_dir));
    let Some(path) = Path::ROOT.join(path).filter(|_| exists) else { return Outcome::Finished };
    let source = read_file(vm, &path).and_then(|source| Ok((source, vm.intern(name)?)));
    match source {
        Ok((source, name)) => {
            if let Some(globals) = vm.heap.root(Root::Main).as_cell() {
                // A program that does not ask for it runs without it, too.
                let _ = vm.dict_set_qstr(globals, Qstr::__file__, Value::qstr(name));
            }
            session::run(vm, &source, name, CompileMode::File)
        }
        Err(raised) => session::finish(vm, Err(raised)),
    }
}

/// `sys.path`, as MicroPython sets it.
fn set_path(vm: &mut Vm) -> Res<()> {
    let list = vm.new_list(&[])?;
    vm.heap.set_root(Root::Path, list);
    let cell = list.as_cell().expect("a list made just now");
    for folder in ["", ".frozen", "/lib"] {
        let text = vm.new_str(folder)?;
        vm.root(text)?;
        vm.list_append(cell, text)?;
    }
    Ok(())
}

/// An interpreter with empty memory.
///
/// # Safety
/// No other interpreter may be alive.
unsafe fn new_vm(board: &'static mut dyn Port) -> Vm {
    // SAFETY: promised by the caller.
    let ((start, len), values, frames) =
        unsafe { (memory::heap(), &mut *STACKS.values.get(), &mut *STACKS.frames.get()) };
    let stack = values.write([Value::UNBOUND; STACK_SLOTS]);
    let frames = frames.write([Frame::EMPTY; FRAMES]);
    // SAFETY: the memory is nobody else's, and there for ever.
    let heap = unsafe { Heap::new(&[Region { start, len }], stack) };
    Vm::new(heap, frames, &REGISTRY, board, HOOKS)
}
