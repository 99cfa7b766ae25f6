//! What the harness itself costs: processor time per statement at the prompt, the emulated board's share taken out.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use hil_tests::event::Verdict;
use hil_tests::lab::Lab;
use hil_tests::run::{Suite, Update};
use hil_tests::scenario::{FIRST, Step};
use hil_tests::session::Console;
use hil_tests::target::air::Forwards;
use hil_tests::target::metered::{Metered, thread_time};

use crate::{ready, workspace};

/// The most that a statement may cost.
const LIMIT: Duration = Duration::from_millis(3);

/// Runs every scenario of one board on this thread, and divides.
pub(super) fn run(lab: &Lab) -> Result<()> {
    let board = workspace::board(lab, None)?;
    ready::make_ready(lab, &board, &|_| {})?;
    let (mut own, mut emulator, mut statements) = (Duration::ZERO, Duration::ZERO, 0_u32);
    for scenario in &lab.suite.scenarios {
        // One board on an empty desk.
        let wired = board.pins.iter().any(|wire| scenario.requires.contains(&wire.capability()));
        if Suite::skip_reason(&board, scenario).is_some() || wired || !scenario.peers().is_empty() {
            continue;
        }
        let mut emulated = lab.emulated_board(&board, false, Forwards::Ignore)?;
        emulated.board().load_flash(&lab.flashed(&board, &lab.image_digest(board.chip))).context("flash")?;
        let (metered, meter) = Metered::new(emulated);
        let mut console: Option<Box<dyn Console>> = Some(Box::new(metered));
        let before = thread_time();
        let open = || Ok(console.take().map(|console| (FIRST.to_owned(), console)).into_iter().collect());
        let attempt = lab.suite.attempt(&board, scenario, Update::Leave, open);
        let spent = thread_time().saturating_sub(before);
        if let Verdict::Failed { shown, .. } = attempt.verdict {
            bail!("{} does not pass; nothing is measured:\n{shown}", scenario.name);
        }
        own += spent.saturating_sub(meter.get());
        emulator += meter.get();
        statements += scenario.steps.iter().filter(|step| matches!(step, Step::Line(_))).count() as u32;
    }
    let each = own / statements.max(1);
    println!(
        "   {statements} statements: {:.1} ms of the harness, {:.1} ms of the board",
        ms(own),
        ms(emulator)
    );
    println!("   {:.3} ms a statement; at most {:.0} ms are allowed", ms(each), ms(LIMIT));
    if each > LIMIT { bail!("the harness costs more than that") } else { Ok(()) }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
