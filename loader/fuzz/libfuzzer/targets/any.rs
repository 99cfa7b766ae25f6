//! The target that LARCH_FUZZ names.

#![no_main]

use larch_loader_fuzz::{Target, targets};
use std::sync::LazyLock;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("LARCH_FUZZ").unwrap_or_default();
    targets::by_name(&name).unwrap_or_else(|| panic!("LARCH_FUZZ={name:?} names no target"))
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (TARGET.run)(bytes);
});
