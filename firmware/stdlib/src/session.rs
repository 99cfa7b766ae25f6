//! Running programs and the prompt: what every port does between boot and the next soft reset.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Root, Value};
use larch_repl::{Action, CTRL_C, Host, InputKind, LineBuffer, Prompt, Repl, Scope};
use larch_vm::types::ids;
use larch_vm::{CompileMode, Res, Sink, Vm};

use crate::compile::compile_bytes;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// By itself.
    Finished,
    /// With an exception, which was printed.
    Failed,
    /// With SystemExit; its argument.
    Exit(Value),
}

/// Compiles and runs a program in `__main__`, and prints the exception it ends with.
pub fn run(vm: &mut Vm, source: &[u8], file: Qstr, mode: CompileMode) -> Outcome {
    let result = run_source(vm, source, file, mode);
    finish(vm, result)
}

fn run_source(vm: &mut Vm, source: &[u8], file: Qstr, mode: CompileMode) -> Res {
    let code = compile_bytes(vm, source, file, mode)?;
    let globals = vm.heap.root(Root::Main);
    vm.set_interrupt_byte(Some(CTRL_C));
    vm.run_code(code, globals, globals)
}

/// What follows a program: the stacks are emptied, and an exception is printed.
pub fn finish(vm: &mut Vm, result: Res) -> Outcome {
    vm.set_interrupt_byte(None);
    vm.reset_stacks();
    if result.is_ok() {
        return Outcome::Finished;
    }
    let exception = vm.take_raised();
    if vm.is_a(exception, ids::SystemExit) {
        return Outcome::Exit(vm.exception_value(exception));
    }
    if vm.print_exception(Sink::Console, exception).is_err() {
        // Printing itself failed (out of memory, most likely): at least the class is shown.
        let second = vm.take_raised();
        let class = vm.type_of(second);
        let name = vm.type_name(class);
        let _ = vm.print(Value::qstr(name), larch_vm::PrintKind::Str);
        vm.write(b"\n");
    }
    vm.reset_stacks();
    Outcome::Failed
}

/// The end of a program or a prompt: calls what `sys.atexit` was told.
pub fn leave(vm: &mut Vm) {
    let function = larch_vm::modules::sys::at_exit(vm);
    if !function.is_none() {
        let result = vm.call(function, &[]);
        finish(vm, result);
    }
}

/// What the prompt needs of the machine.
struct Console<'v> {
    vm: &'v mut Vm,
    banner: &'v str,
}

impl Host for Console<'_> {
    fn write(&mut self, bytes: &[u8]) {
        self.vm.write_raw(bytes);
    }

    fn write_banner(&mut self) {
        self.vm.write(self.banner.as_bytes());
    }

    fn write_prompt(&mut self, prompt: Prompt) {
        let name = if prompt == Prompt::Primary { Qstr::ps1 } else { Qstr::ps2 };
        let shown = larch_vm::modules::sys::prompt(self.vm, name)
            .and_then(|text| self.vm.print(text, larch_vm::PrintKind::Str));
        if shown.is_err() {
            self.vm.take_raised();
            self.vm.write_raw(if prompt == Prompt::Primary { b">>> " } else { b"... " });
        }
        self.vm.reset_stacks();
    }

    fn visit_names(&mut self, scope: Scope<'_>, visit: &mut dyn FnMut(&str)) {
        if larch_vm::modules::visit_names(self.vm, scope_path(scope), visit).is_err() {
            self.vm.take_raised();
        }
        self.vm.reset_stacks();
    }
}

fn scope_path(scope: Scope<'_>) -> Option<&str> {
    match scope {
        Scope::Attributes(path) => Some(path),
        Scope::Modules => None,
    }
}

/// Talks at the prompt until a soft reset is asked for. `banner` is two lines, each ending in a line feed.
pub fn talk<B: LineBuffer>(vm: &mut Vm, repl: &mut Repl<'_, B>, banner: &str) {
    repl.start(&mut Console { vm, banner });
    loop {
        let Some(byte) = vm.read_typed() else {
            // What waits to be told the terminal's duplicate goes first.
            vm.tell_rest();
            vm.port.idle(None);
            if vm.handle_pending_quietly().is_err() {
                vm.take_raised();
            }
            continue;
        };
        let mut action = repl.push(byte, &mut Console { vm, banner });
        loop {
            let outcome = match action {
                Action::Read => break,
                Action::SoftReset => return,
                Action::Execute(kind) => {
                    let mode =
                        if kind == InputKind::Single { CompileMode::Single } else { CompileMode::File };
                    vm.set_interrupt_byte(Some(CTRL_C));
                    let result = run_source(vm, repl.source(), Qstr::STDIN, mode);
                    vm.set_interrupt_byte(None);
                    // The exception, if there is one, is a root; nothing else of the program's is needed.
                    vm.reset_stacks();
                    repl.end_of_output(&mut Console { vm, banner });
                    finish(vm, result)
                }
                Action::OutOfMemory => {
                    let raised = vm.raise_memory();
                    repl.end_of_output(&mut Console { vm, banner });
                    finish(vm, Err(raised))
                }
                Action::Interrupted => {
                    let raised = vm.raise_empty(ids::KeyboardInterrupt);
                    repl.end_of_output(&mut Console { vm, banner });
                    finish(vm, Err(raised))
                }
            };
            let exit = matches!(outcome, Outcome::Exit(_));
            action = repl.end_of_execution(exit, &mut Console { vm, banner });
        }
    }
}
