//! Whether the chip is the one that was named: probe-rs flashes whatever answers.

use probe_rs::{MemoryInterface, Session};

/// Where chips say what they are: prefix of the name, address, mask, value, name of that register. Sources: RM0090 38.6.1;
/// nRF52840 Product Specification, FICR.
const IDENTITIES: &[(&str, u64, u32, u32, &str)] = &[
    ("STM32F405", 0xe004_2000, 0xfff, 0x413, "DBGMCU_IDCODE"),
    ("STM32F407", 0xe004_2000, 0xfff, 0x413, "DBGMCU_IDCODE"),
    ("STM32F415", 0xe004_2000, 0xfff, 0x413, "DBGMCU_IDCODE"),
    ("NRF52840", 0x1000_0100, u32::MAX, 0x52840, "FICR.INFO.PART"),
];

/// Compares the chip's identity with its name, where that is known.
///
/// # Errors
/// What it is, and what it should be.
pub(crate) fn check(session: &mut Session, name: &str) -> Result<(), String> {
    let name = name.to_uppercase();
    let Some((_, address, mask, expected, register)) =
        IDENTITIES.iter().find(|(prefix, ..)| name.starts_with(prefix))
    else {
        return Ok(());
    };
    let read = session.core(0).and_then(|mut core| core.read_word_32(*address));
    let found = read.map_err(|error| crate::explain::explain(&error))? & mask;
    if found == *expected {
        return Ok(());
    }
    Err(format!(
        "this is no {name}: {register} says {found:#x}, not {expected:#x}; correct `probe: chip` of the board in boards.yaml"
    ))
}
