//! What the translated code calls to reach the device.
//!
//! Invariant: while any of these functions can be called, `config.context` points to a `&mut dyn BlockDevice` that lives
//! until the call into the translated code returns.

use core::slice;

use larch_hal::{BlockDevice, BlockError};
use littlefs_rust_core::{LFS_ERR_INVAL, LFS_ERR_IO, LfsConfig};

type Device<'a> = &'a mut dyn BlockDevice;

/// # Safety
/// As the module's invariant says.
unsafe fn device<'a>(config: *const LfsConfig) -> &'a mut Device<'a> {
    // SAFETY: promised by the caller.
    unsafe { &mut *(*config).context.cast::<Device<'a>>() }
}

fn status(result: Result<(), BlockError>) -> i32 {
    match result {
        Ok(()) => 0,
        Err(BlockError::Hardware) => LFS_ERR_IO,
        Err(BlockError::OutOfRange) => LFS_ERR_INVAL,
    }
}

unsafe extern "C" fn read(config: *const LfsConfig, block: u32, offset: u32, to: *mut u8, len: u32) -> i32 {
    // SAFETY: the translated code passes its own buffer and the configuration it was given.
    unsafe { status(device(config).read(block, offset, slice::from_raw_parts_mut(to, len as usize))) }
}

unsafe extern "C" fn program(
    config: *const LfsConfig,
    block: u32,
    offset: u32,
    from: *const u8,
    len: u32,
) -> i32 {
    // SAFETY: the translated code passes its own buffer and the configuration it was given.
    unsafe { status(device(config).write(block, offset, slice::from_raw_parts(from, len as usize))) }
}

unsafe extern "C" fn erase(config: *const LfsConfig, block: u32) -> i32 {
    // SAFETY: the translated code passes the configuration it was given.
    unsafe { status(device(config).erase(block)) }
}

unsafe extern "C" fn sync(config: *const LfsConfig) -> i32 {
    // SAFETY: the translated code passes the configuration it was given.
    unsafe { status(device(config).sync()) }
}

/// Enters the functions of this module into a configuration.
pub(crate) fn connect(config: &mut LfsConfig) {
    config.read = Some(read);
    config.prog = Some(program);
    config.erase = Some(erase);
    config.sync = Some(sync);
}
