//! What the library wants of its surroundings: memory and randomness.

use alloc::alloc::{alloc_zeroed, dealloc};
use core::alloc::Layout;
use core::ffi::{c_int, c_uchar, c_void};
use core::ptr;

use esp_hal::rng::Rng;
use larch_hal::TlsError;
use mbedtls_rs_sys as mbed;

/// Before each piece of memory lies its length; this keeps the piece aligned for anything.
const HEAD: usize = 8;

/// Tells the library where memory comes from, and starts its arithmetic.
pub fn set_up() -> Result<(), TlsError> {
    // SAFETY: the functions keep the contract of `calloc` and `free`; nothing was allocated before.
    let begun = unsafe {
        mbed::mbedtls_platform_set_calloc_free(Some(calloc), Some(free));
        mbed::psa_crypto_init()
    };
    if begun == 0 { Ok(()) } else { Err(TlsError::NoMemory) }
}

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.checked_add(HEAD)?, HEAD).ok()
}

unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    let Some(layout) = count.checked_mul(size).and_then(layout) else { return ptr::null_mut() };
    // SAFETY: the layout is not empty; the length is written into memory that was given just now, and is aligned for it.
    unsafe {
        let start = alloc_zeroed(layout);
        if start.is_null() {
            return ptr::null_mut();
        }
        start.cast::<usize>().write(layout.size());
        start.add(HEAD).cast()
    }
}

unsafe extern "C" fn free(piece: *mut c_void) {
    if piece.is_null() {
        return;
    }
    // SAFETY: the library gives back what `calloc` gave it, once; the length is before it.
    unsafe {
        let start = piece.cast::<u8>().sub(HEAD);
        let size = start.cast::<usize>().read();
        dealloc(start, Layout::from_size_align_unchecked(size, HEAD));
    }
}

/// Randomness, for who has a context.
pub unsafe extern "C" fn random(_context: *mut c_void, bytes: *mut c_uchar, len: usize) -> c_int {
    // SAFETY: the library says where it wants `len` bytes.
    let bytes = unsafe { core::slice::from_raw_parts_mut(bytes, len) };
    Rng::new().read(bytes);
    0
}

/// Randomness for the library's own keys.
#[unsafe(no_mangle)]
unsafe extern "C" fn mbedtls_psa_external_get_random(
    context: *mut c_void,
    bytes: *mut c_uchar,
    len: usize,
    given: *mut usize,
) -> c_int {
    // SAFETY: as `random`; `given` is the library's.
    unsafe {
        random(context, bytes, len);
        given.write(len);
    }
    0
}
