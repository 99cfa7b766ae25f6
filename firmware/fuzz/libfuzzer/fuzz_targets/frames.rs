#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| larch_fuzz::frames(data));
