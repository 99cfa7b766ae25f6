//! How much memory compiling some 500 lines takes at its peak, the code that comes out included: counted by an
//! allocator.
//!
//! MicroPython 1.29 (unix, 64 bits) needs a heap of 106 KB to compile the same text and 19 KB to hold it: 87 KB. Half of
//! that is what a port with 32-bit words can be expected to need, and is the limit here.

use larch_bytecode::code::{Backend, CodeParts, OutOfMemory, Singleton};
use larch_bytecode::qstr::{self, Qstr, STATIC_COUNT};
use larch_compiler::{Mode, Options, compile};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static NOW: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// Counts what the thread has allocated.
struct Counting;

fn count(change: isize) {
    let _ = NOW.try_with(|now| {
        now.set(now.get().wrapping_add_signed(change));
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(now.get())));
    });
}

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Keeps nothing. Constants are words, as on a board.
#[derive(Default)]
struct Nothing {
    /// Bytes of the code objects handed over.
    code_bytes: usize,
}

impl Backend for Nothing {
    type Const = u32;

    fn qstr(&mut self, text: &str) -> Result<Qstr, OutOfMemory> {
        let hash = qstr::hash(text.as_bytes());
        let number = STATIC_COUNT as u16 + hash % 20000;
        Ok(Qstr::find_static(text.as_bytes(), hash).unwrap_or(Qstr(number)))
    }

    fn int(&mut self, _: &str, _: u32) -> Result<u32, OutOfMemory> {
        Ok(0)
    }

    fn small_int(&mut self, value: i32) -> u32 {
        value as u32
    }

    fn float(&mut self, _: &str) -> Result<u32, OutOfMemory> {
        Ok(0)
    }

    fn imaginary(&mut self, _: &str) -> Result<u32, OutOfMemory> {
        Ok(0)
    }

    fn str(&mut self, _: &str) -> Result<u32, OutOfMemory> {
        Ok(0)
    }

    fn interned(&mut self, name: Qstr) -> u32 {
        name.0.into()
    }

    fn bytes(&mut self, _: &[u8]) -> Result<u32, OutOfMemory> {
        Ok(0)
    }

    fn tuple(&mut self, _: &[u32]) -> Result<u32, OutOfMemory> {
        Ok(0)
    }

    fn singleton(&mut self, which: Singleton) -> u32 {
        which as u32
    }

    fn code(&mut self, parts: &CodeParts<'_, u32>) -> Result<u32, OutOfMemory> {
        let names = 2 * (parts.names.len() + parts.parameters.len());
        let tables = 4 * parts.constants.len() + 8 * parts.handlers.len() + parts.lines.len();
        self.code_bytes += 24 + 4 * parts.words.len() + names + tables;
        Ok(0)
    }
}

/// Some 500 lines: nine classes with functions and statements between them.
fn module() -> String {
    let class = include_str!("memory/class.py");
    (0..9).map(|number| class.replace("NUMBER", &number.to_string())).collect()
}

#[test]
fn peak_is_below_micropythons() {
    let source = module();
    let file = Qstr::STRING;
    let before = NOW.get();
    PEAK.set(before);
    let mut backend = Nothing::default();
    compile(&source, file, Mode::File, Options::default(), &mut backend).unwrap();
    let (peak, left) = (PEAK.get() - before, NOW.get() - before);
    assert_eq!(left, 0, "something was not freed");
    println!(
        "peak {peak} bytes besides {} bytes of code for {} bytes of source",
        backend.code_bytes,
        source.len()
    );
    assert!(peak + backend.code_bytes < MICROPYTHON_PEAK, "{peak} + {}", backend.code_bytes);
}

/// Half of what MicroPython needs with 64-bit words, in bytes.
const MICROPYTHON_PEAK: usize = 87 * 1024 / 2;
