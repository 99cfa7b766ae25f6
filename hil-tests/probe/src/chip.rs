//! Whether the chip can be flashed as it is, and is the one that was named: probe-rs flashes whatever answers.

use std::thread;
use std::time::Duration;

use probe_rs::architecture::arm::dp::DpAddress;
use probe_rs::architecture::arm::memory::ArmMemoryInterface;
use probe_rs::architecture::arm::sequences::DefaultArmSequence;
use probe_rs::architecture::arm::{ArmError, FullyQualifiedApAddress};
use probe_rs::probe::Probe;
use probe_rs::{Core, MemoryInterface, Session};

use crate::explain::{Problem, explain};

/// Halting control and status; set while the processor is in reset, and until it is read after one. Source: ARMv7-M C1.6.2.
const DHCSR: u64 = 0xe000_edf0;
const S_RESET_ST: u32 = 1 << 25;
/// The key, and C_DEBUGEN.
const DEBUG_ON: u32 = 0xa05f_0001;
/// How long a reset may last that somebody has just let go.
const RESET_ENDS: Duration = Duration::from_millis(50);

/// Where an STM32F4 says what it is (the lower 12 bits), and which are its numbers. Sources: DBGMCU_IDCODE in the chapter
/// "Debug support" of RM0090, RM0368, RM0383, RM0386, RM0390, RM0401, RM0402, RM0430.
const DBGMCU_IDCODE: u64 = 0xe004_2000;
const STM32F4: &[(u32, &[&str])] = &[
    (0x413, &["STM32F405", "STM32F407", "STM32F415", "STM32F417"]),
    (0x419, &["STM32F427", "STM32F429", "STM32F437", "STM32F439"]),
    (0x421, &["STM32F446"]),
    (0x423, &["STM32F401XB", "STM32F401XC"]),
    (0x431, &["STM32F411"]),
    (0x433, &["STM32F401XD", "STM32F401XE"]),
    (0x434, &["STM32F469", "STM32F479"]),
    (0x441, &["STM32F412"]),
    (0x458, &["STM32F410"]),
    (0x463, &["STM32F413", "STM32F423"]),
];
/// The option bytes of an STM32F4, of which the second is the protection against reading. Source: RM0090 3.9.10.
const FLASH_OPTCR: u64 = 0x4002_3c14;
const RDP_LEVEL_0: u32 = 0xaa;

/// Where an nRF52 says which one it is: INFO.PART of its FICR. Source: product specifications, chapter "FICR".
const NRF52_PART: u64 = 0x1000_0100;

/// Looks before anything is changed.
///
/// # Errors
/// What is the matter, and what to do.
pub(crate) fn check(session: &mut Session, name: &str) -> Result<(), Problem> {
    let mut core = session.core(0).map_err(|error| explain(&error))?;
    if name.to_uppercase().starts_with("STM32F4") {
        let code = read(&mut core, DBGMCU_IDCODE)? & 0xfff;
        is_stm32f4(code, name)?;
        let level = read(&mut core, FLASH_OPTCR)? >> 8 & 0xff;
        if level != RDP_LEVEL_0 {
            return Err(format!(
                "the flash is locked: its option bytes say RDP {level:#04x} (read protection, level 1); unlocking erases all of \
                 it: `STM32_Programmer_CLI -c port=SWD mode=UR -rdu`, then switch the board off and on"
            )
            .into());
        }
    }
    if name.to_uppercase().starts_with("NRF52") {
        is_nrf52(read(&mut core, NRF52_PART)?, name)?;
    }
    Ok(())
}

/// Compares the part's number, which is its name in hexadecimal digits, with the name.
fn is_nrf52(part: u32, name: &str) -> Result<(), String> {
    let found = format!("nRF{part:05X}");
    if name.to_uppercase().starts_with(&found.to_uppercase()) {
        return Ok(());
    }
    Err(format!(
        "this is no {name}: INFO.PART is {part:#x}, an {found}; correct `probe: {{ chip: ... }}` of the board in boards.yaml, or \
         take the other board"
    ))
}

fn read(core: &mut Core<'_>, address: u64) -> Result<u32, Problem> {
    core.read_word_32(address).map_err(|error| explain(&error))
}

/// Whether the reset line of a chip stays low to which the library could not attach.
pub(crate) fn is_held_in_reset(mut probe: Probe) -> bool {
    let look = || {
        probe.attach_to_unspecified().ok()?;
        with_memory(probe, |memory| {
            // The first read tells of a reset that is over.
            memory.read_word_32(DHCSR)?;
            thread::sleep(RESET_ENDS);
            memory.read_word_32(DHCSR)?;
            memory.read_word_32(DHCSR)
        })
    };
    look().is_some_and(|status| status & S_RESET_ST != 0)
}

/// Enables halting debug while the reset line is low; it stays so until the power goes. The library sets the trap at the reset
/// vector, which needs it, but enables it only after the reset: a chip that has seen no debugger yet runs past the trap.
pub(crate) fn enable_debug_under_reset(mut probe: Probe) {
    if probe.attach_to_unspecified_under_reset().is_ok() {
        // Where this fails, attaching fails as well, and says why.
        let _ = with_memory(probe, |memory| memory.write_word_32(DHCSR, DEBUG_ON));
    }
}

/// Does something with the memory behind the first access port.
fn with_memory<T>(
    probe: Probe,
    work: impl FnOnce(&mut dyn ArmMemoryInterface) -> Result<T, ArmError>,
) -> Option<T> {
    let mut port = probe.try_into_arm_debug_interface(DefaultArmSequence::create()).ok()?;
    port.select_debug_port(DpAddress::Default).ok()?;
    let mut memory = port.memory_interface(&FullyQualifiedApAddress::v1_with_default_dp(0)).ok()?;
    work(memory.as_mut()).ok()
}

/// Compares the chip's number with its name, where both are known.
fn is_stm32f4(code: u32, name: &str) -> Result<(), String> {
    let is = |pattern: &str| {
        let fits = |(at, wanted): (usize, char)| {
            wanted == 'X' || name.to_uppercase().chars().nth(at) == Some(wanted)
        };
        pattern.chars().enumerate().all(fits)
    };
    let known = STM32F4.iter().any(|(_, names)| names.iter().any(|pattern| is(pattern)));
    let found = STM32F4.iter().find(|(number, _)| *number == code);
    match found {
        Some((_, names)) if names.iter().any(|pattern| is(pattern)) => Ok(()),
        None if !known => Ok(()),
        _ => {
            let what = found.map_or_else(|| "another chip".into(), |(_, names)| names.join(" or "));
            Err(format!(
                "this is no {name}: DBGMCU_IDCODE is {code:#x}, which is {what}; correct `probe: {{ chip: ... }}` of the board in \
                 boards.yaml, or take the other board"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_nrf52, is_stm32f4};

    #[test]
    fn a_part_is_its_name() {
        assert_eq!(is_nrf52(0x52840, "nRF52840_xxAA"), Ok(()));
        assert!(is_nrf52(0x52833, "nRF52840_xxAA").unwrap_err().contains("0x52833, an nRF52833"));
    }

    #[test]
    fn a_number_must_fit_the_name() {
        assert_eq!(is_stm32f4(0x413, "STM32F405RGTx"), Ok(()));
        assert_eq!(is_stm32f4(0x433, "stm32f401ret6"), Ok(()));
        assert!(is_stm32f4(0x423, "STM32F401RETx").is_err());
        let message = is_stm32f4(0x413, "STM32F446RETx").unwrap_err();
        assert!(message.contains("0x413, which is STM32F405 or STM32F407"), "{message}");
        assert!(is_stm32f4(0x000, "STM32F405RGTx").unwrap_err().contains("another chip"));
    }
}
