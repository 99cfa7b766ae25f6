//! The mask ROM's functions for the flash. While one of them works, the flash is no memory: what calls them is in RAM, and interrupts
//! are off.
//!
//! Source: data sheet chapter 2.8.3 (table of functions, by two letters).

use core::ptr::with_exposed_provenance;

use crate::boot2::BOOT2;

/// Where the ROM keeps the addresses of its table and of the function that searches it.
const TABLE: usize = 0x14;
const LOOK_UP: usize = 0x18;

type LookUp = unsafe extern "C" fn(*const u16, u32) -> *const ();
type Plain = unsafe extern "C" fn();
type Erase = unsafe extern "C" fn(u32, usize, u32, u8);
type Program = unsafe extern "C" fn(u32, *const u8, usize);

/// What is to be done, at an offset in the flash.
#[derive(Clone, Copy)]
pub enum Job<'b> {
    /// Erase a sector of 4096 bytes.
    Erase(u32),
    /// Program a page of 256 bytes.
    Program(u32, &'b [u8; 256]),
}

/// The functions, and the second stage as it can be called.
struct Functions {
    connect: Plain,
    exit_xip: Plain,
    erase: Erase,
    program: Program,
    flush_cache: Plain,
    boot2: [u32; 64],
}

/// The sector size and the erase command for blocks, of which there are none in a sector.
const BLOCK: u32 = 1 << 16;
const BLOCK_ERASE: u8 = 0xd8;
const SECTOR: usize = 4096;

fn look_up(name: [u8; 2]) -> *const () {
    // SAFETY: the ROM has them there, as 16-bit addresses.
    let [table, look_up] = [TABLE, LOOK_UP].map(|at| unsafe { with_exposed_provenance::<u16>(at).read() });
    let look_up = with_exposed_provenance::<()>(usize::from(look_up));
    // SAFETY: the ROM's function has this type.
    unsafe {
        let look_up: LookUp = core::mem::transmute(look_up);
        look_up(with_exposed_provenance(usize::from(table)), u32::from(u16::from_le_bytes(name)))
    }
}

impl Functions {
    fn find() -> Self {
        let words = BOOT2.as_chunks::<4>().0;
        let mut boot2 = [0; 64];
        for (word, bytes) in boot2.iter_mut().zip(words) {
            *word = u32::from_le_bytes(*bytes);
        }
        // SAFETY: the ROM's functions of these names have these types.
        unsafe {
            Self {
                connect: core::mem::transmute::<*const (), Plain>(look_up(*b"IF")),
                exit_xip: core::mem::transmute::<*const (), Plain>(look_up(*b"EX")),
                erase: core::mem::transmute::<*const (), Erase>(look_up(*b"RE")),
                program: core::mem::transmute::<*const (), Program>(look_up(*b"RP")),
                flush_cache: core::mem::transmute::<*const (), Plain>(look_up(*b"FC")),
                boot2,
            }
        }
    }
}

/// Does a job.
pub fn run(job: Job<'_>) {
    let functions = Functions::find();
    // The second stage returns to its caller, unless that is the ROM. It is Thumb code.
    let boot2 = functions.boot2.as_ptr().map_addr(|address| address | 1);
    // SAFETY: a copy of the code; it needs no place of its own.
    let boot2: Plain = unsafe { core::mem::transmute(boot2) };
    // What is programmed must not be in the flash itself: the caller's array is on the stack.
    // SAFETY: interrupts are off, and all that is used is in RAM or in the ROM.
    cortex_m::interrupt::free(|_| unsafe { without_flash(&functions, boot2, job) });
}

/// Runs from RAM. The functions are those of the ROM.
#[unsafe(link_section = ".data.without_flash")]
#[inline(never)]
unsafe fn without_flash(functions: &Functions, boot2: Plain, job: Job<'_>) {
    // SAFETY: the order is the data sheet's.
    unsafe {
        (functions.connect)();
        (functions.exit_xip)();
        match job {
            Job::Erase(at) => (functions.erase)(at, SECTOR, BLOCK, BLOCK_ERASE),
            Job::Program(at, page) => (functions.program)(at, page.as_ptr(), page.len()),
        }
        (functions.flush_cache)();
        boot2();
    }
}
