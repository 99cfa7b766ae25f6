//! The probe-rs library, unmodified, drives the emulated probe of the emulated STM32F405, and of the nRF52840.
//!
//! `larch-probe` is a program of its own, which `cargo xtask test` builds. Where it is not built, these tests are listed as
//! skipped, with the reason.

mod desk;
mod flash;
mod troubles;

use std::process::ExitCode;

use hil_tests::firmware::stale;
use libtest_mimic::{Arguments, Trial};

/// Each test, by its name.
const TESTS: &[(&str, fn())] = &[
    ("what_probe_rs_has_written_boots", flash::what_probe_rs_has_written_boots),
    ("an_nrf52840_boots_what_was_written", flash::an_nrf52840_boots_what_was_written),
    ("no_probe", troubles::no_probe),
    ("a_selector_that_is_none", troubles::a_selector_that_is_none),
    ("no_power", troubles::no_power),
    ("the_wrong_chip", troubles::the_wrong_chip),
    ("the_wrong_firmware", troubles::the_wrong_firmware),
    ("a_locked_flash", troubles::a_locked_flash),
    ("a_chip_held_in_reset", troubles::a_chip_held_in_reset),
    ("a_program_that_takes_the_debug_pins", troubles::a_program_that_takes_the_debug_pins),
    ("a_blank_chip_under_reset", troubles::a_blank_chip_under_reset),
    ("a_write_protected_sector", troubles::a_write_protected_sector),
    ("a_worn_sector", troubles::a_worn_sector),
    ("what_is_erased", troubles::what_is_erased),
    ("noise_on_the_wires", troubles::noise_on_the_wires),
    ("damage_without_end", troubles::damage_without_end),
    ("wait_without_end", troubles::wait_without_end),
    ("fault_without_end", troubles::fault_without_end),
    ("a_probe_that_vanishes", troubles::a_probe_that_vanishes),
    ("a_probe_that_vanishes_while_it_writes", troubles::a_probe_that_vanishes_while_it_writes),
    ("a_program_without_rtt", troubles::a_program_without_rtt),
];

/// Most of the time they wait for the library's time limits.
const AT_ONCE: usize = 8;

fn main() -> ExitCode {
    let skip = stale(&desk::larch_probe(), "larch-probe");
    let trials = TESTS.iter().map(|&(name, test)| {
        let trial = Trial::test(name, move || {
            test();
            Ok(())
        });
        match &skip {
            Some(reason) => trial.with_kind(reason).with_ignored_flag(true),
            None => trial,
        }
    });
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
