//! Flashing through a debug probe: 256 KB are erased, programmed and verified by probe-rs on the emulated STM32F405.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use hil_tests::lab::Lab;
use hil_tests::probe::{self, Connection, elf};
use hil_tests::target::rtt::selector_of;
use larch_boards::Probe;
use larch_emulator::mcu::AnyBoard as _;
use larch_emulator::probe::serve::Served;
use larch_emulator::stm32f405::Stm32Board;

use crate::ready;

const FLASH: u32 = 0x0800_0000;
const SIZE: usize = 256 * 1024;
/// The most that it may take: the best of some runs, because other programs run here, too.
const LIMIT: Duration = Duration::from_secs(5);
const RUNS: usize = 3;

pub(super) fn run(lab: &Lab) -> Result<()> {
    let program = ready::probe::program(lab)?;
    let mut state = 1_u32;
    let bytes: Vec<u8> = (0..SIZE)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    let directory = lab.directory().join("bench");
    std::fs::create_dir_all(&directory)?;
    let file = directory.join("probe.elf");
    std::fs::write(&file, elf(FLASH, &bytes)).with_context(|| file.display().to_string())?;
    let wanted = Probe {
        chip: "STM32F405RGTx".into(),
        selector: None,
        speed_khz: None,
        connect_under_reset: false,
        chip_erase: false,
    };
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let mut board = Stm32Board::new(false);
        board.power_on();
        let served = Served::start(board, Default::default())?;
        let selector = selector_of(served.address());
        let start = Instant::now();
        let connection = Connection {
            program: &program,
            wanted: &wanted,
            selector: Some(&selector),
            patience: probe::PATIENCE,
        };
        let written = connection.flash(&file, &mut |_| {}).map_err(|message| anyhow!(message))?;
        let time = start.elapsed();
        let (board, transfers) = served.stop()?;
        ensure!(written == SIZE as u64, "{written} bytes were written");
        ensure!(board.chip().flash_contents().starts_with(&bytes), "the flash holds something else");
        println!(
            "   256 KB erased, programmed, verified: {:.2} s, {transfers} transfers",
            time.as_secs_f64()
        );
        times.push(time);
    }
    let best = times.into_iter().min().unwrap_or_default();
    println!("   best {:.2} s; at most {:.0} s are allowed", best.as_secs_f64(), LIMIT.as_secs_f64());
    if best > LIMIT { bail!("flashing takes longer than that") } else { Ok(()) }
}
