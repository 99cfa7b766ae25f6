//! From boot to the prompt, again and again: each soft reset makes a new interpreter in the same memory.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

use larch_bytecode::qstr::Qstr;
use larch_hal::Port;
use larch_heap::{Frame, Heap, Region, Root, Value};
use larch_repl::{History, Mode, Repl, VecBuffer};
use larch_stdlib::import::read_file;
use larch_stdlib::path::Path;
use larch_stdlib::session::{self, Outcome};
use larch_vm::native::{ModuleDef, TypeDef};
use larch_vm::{CompileMode, Hooks, Identity, Registry, Res, Vm};

/// MicroPython's version and ours.
macro_rules! version {
    () => {
        concat!("v1.29.0-larch.", env!("CARGO_PKG_VERSION"), " on ", env!("LARCH_BUILD_DATE"))
    };
}

/// How a board is called.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// In the banner and in `os.uname()`.
    pub machine: &'static str,
    /// `sys.platform`
    pub platform: &'static str,
    /// `sys.implementation._build`
    pub build: &'static str,
}

/// What [`run`] needs to know of a board beyond its traits.
pub trait Machine: Port + 'static {
    /// How it is called.
    const NAME: Name;

    /// Types that only this board has (`larch_stdlib::net::TYPES`).
    const TYPES: &'static [&'static TypeDef] = &[];

    /// Modules that only this board has.
    const MODULES: &'static [&'static ModuleDef] = &[];

    /// Native stack that remains, in bytes.
    fn stack_room() -> usize;

    /// Called now and then while a program runs that was asked to look up.
    fn poll() {}

    /// The memory of the Python heap: the same at every call, without what an interpreter gave up at its end.
    fn heap() -> Region;

    /// `sys.implementation._build`: by it the harness knows that the board runs what was flashed.
    fn build(&self) -> &'static str {
        Self::NAME.build
    }

    /// What to tell the person at the prompt at the first start, if anything.
    fn notice(&self) -> Option<&'static str>;

    /// Brings everything back to how it was after boot, but for the clock, which goes on.
    fn soft_reset(&mut self);
}

/// Where MicroPython's time starts on boards: 2000-01-01.
const EPOCH_2000_S: u64 = 946_684_800;

/// Registers of all calls in progress.
const STACK_SLOTS: usize = 2560;
/// Calls in progress.
const FRAMES: usize = 200;
/// The longest program at the prompt.
const SOURCE_MAX: usize = 32 * 1024;
/// Lines entered before.
const HISTORY_SIZE: usize = 512;

const fn registry<M: Machine>() -> Registry {
    Registry {
        types: [larch_vm::types::TYPES, larch_stdlib::ids::TYPES, M::TYPES],
        modules: [larch_vm::modules::MODULES, larch_stdlib::ids::MODULES, M::MODULES],
        aliases: larch_stdlib::ids::ALIASES,
        frozen: larch_stdlib::frozen::MODULES,
    }
}

const fn hooks<M: Machine>() -> Hooks {
    Hooks {
        compile: larch_stdlib::compile::compile,
        poll: poll::<M>,
        import: larch_stdlib::import::import,
        execfile: larch_stdlib::import::execfile,
        stack_room: M::stack_room,
        stream: larch_stdlib::stdio::stream,
        open: larch_stdlib::files::open,
        input: larch_stdlib::stdio::input,
        help: HELP,
        identity: Identity {
            version: concat!("3.4.0; MicroPython ", version!()),
            release: [1, 29, 0],
            os_release: "1.29.0",
            os_version: version!(),
            platform: M::NAME.platform,
            detailed_errors: false,
            epoch_s: EPOCH_2000_S,
            machine: M::NAME.machine,
            build: M::NAME.build,
            mpy: larch_stdlib::import::MPY,
        },
    }
}

/// While a program computes, the network goes on.
fn poll<M: Machine>(vm: &mut Vm) -> Res<()> {
    M::poll();
    if let Some(sockets) = vm.port.sockets() {
        sockets.poll();
    }
    if !M::TYPES.is_empty() {
        larch_stdlib::net::espnow::run(vm);
        larch_stdlib::net::watch::run(vm)?;
    }
    Ok(())
}

const HELP: &str = "Welcome to MicroPython!\n\n\
    For online docs please visit http://docs.micropython.org/\n\n\
    Control commands:\n  CTRL-A        -- on a blank line, enter raw REPL mode\n  \
    CTRL-B        -- on a blank line, enter normal REPL mode\n  \
    CTRL-C        -- interrupt a running program\n  \
    CTRL-D        -- on a blank line, exit or do a soft reset\n  \
    CTRL-E        -- on a blank line, enter paste mode\n\n\
    For further help on a specific object, type help(obj)\n";

/// Memory that every interpreter in turn has to itself.
struct Stacks {
    values: UnsafeCell<MaybeUninit<[Value; STACK_SLOTS]>>,
    frames: UnsafeCell<MaybeUninit<[Frame; FRAMES]>>,
}

#[expect(unsafe_code, reason = "the memory of the one interpreter")]
// SAFETY: only the one interpreter touches it, and there is one thread.
unsafe impl Sync for Stacks {}

static STACKS: Stacks =
    Stacks { values: UnsafeCell::new(MaybeUninit::uninit()), frames: UnsafeCell::new(MaybeUninit::uninit()) };

/// Runs interpreters, one after the other. Called once.
pub fn run<M: Machine>(board: &'static mut M) -> ! {
    if let Some(notice) = board.notice() {
        board.write_text(notice.as_bytes());
    }
    let banner = [
        concat!("MicroPython ", version!(), "; "),
        M::NAME.machine,
        "\nType \"help()\" for more information.\n",
    ]
    .concat();
    let mut history = [0; HISTORY_SIZE];
    let mut repl = Repl::new(VecBuffer::new(SOURCE_MAX), History::new(&mut history));
    loop {
        live_once(board, &banner, &mut repl);
        board.write(b"MPY: soft reboot\r\n");
        board.soft_reset();
    }
}

/// The life of one interpreter: from the boot files until someone asks for a soft reset.
#[expect(unsafe_code, reason = "the same memory serves one interpreter after the other")]
fn live_once<M: Machine>(board: &mut M, banner: &str, repl: &mut Repl<'_, VecBuffer>) {
    // SAFETY: the board outlives this function, which keeps no reference to it.
    let board: &'static mut M = unsafe { &mut *core::ptr::from_mut(board) };
    let mut hooks = hooks::<M>();
    hooks.identity.build = board.build();
    // SAFETY: the interpreter before this one is gone, and this one ends with the function.
    let mut vm = unsafe { new_vm(board, M::heap(), const { &registry::<M>() }, hooks) };
    if vm.start().and_then(|()| set_path(&mut vm)).is_err() {
        panic!("the Python heap is too small to start");
    }
    vm.reset_stacks();
    if run_boot_files(&mut vm, repl.mode()) {
        session::talk(&mut vm, repl, banner);
    }
    session::leave(&mut vm);
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
/// No other interpreter may be alive, and nobody else may use the region, ever.
#[expect(unsafe_code, reason = "the same memory serves one interpreter after the other")]
unsafe fn new_vm(
    board: &'static mut dyn Port,
    region: Region,
    registry: &'static Registry,
    hooks: Hooks,
) -> Vm {
    // SAFETY: promised by the caller.
    let (values, frames) = unsafe { (&mut *STACKS.values.get(), &mut *STACKS.frames.get()) };
    let stack = values.write([Value::UNBOUND; STACK_SLOTS]);
    let frames = frames.write([Frame::EMPTY; FRAMES]);
    // SAFETY: promised by the caller.
    let heap = unsafe { Heap::new(&[region], stack) };
    Vm::new(heap, frames, registry, board, hooks)
}
