//! A board for measuring other programs: simulated time moves only for a reason.
//!
//! It moves while bytes are on the line to the chip, and while the chip works: sends, or commands its flash. What a client
//! waits for on its own (pauses, process start, a busy host) takes no simulated time. So a client's time here is line time
//! plus chip time, whatever machine it runs on. How long the chip idles before that is noticed is not counted either.

use super::{Endpoint, Event};
use crate::board::{Board, Input};
use crate::time::{TICKS_PER_US, Ticks, duration};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Simulated time between two looks at what the chip does.
const SLICE: Ticks = 500 * TICKS_PER_US;
/// So many of them before the client is listened to again.
const SLICES: usize = 40;
/// A chip that neither sent nor commanded its flash for so long waits for the client…
const IDLE: Ticks = 1_500_000 * TICKS_PER_US;
/// … unless the client has said nothing for this wall time: it waits for the chip then, which computes (digests of much flash).
const SILENCE: Duration = Duration::from_secs(1);
/// Wall time that a client gets to react before the chip works on without it.
const REACTION: Duration = Duration::from_millis(25);
/// What ends a frame of the loader's protocol (SLIP).
const FRAME_END: u8 = 0xC0;
/// Longest wait for the client.
const TURN: Duration = Duration::from_millis(1);

/// What a client used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Simulated time.
    pub time: Duration,
    /// Bytes sent to the chip.
    pub to_chip: u64,
    /// Bytes that the chip sent.
    pub from_chip: u64,
    /// Line time of the bytes sent to the chip.
    pub line: Duration,
}

/// Serves `board` until `stop` is set. The serial adapter garbles everything that is faster than `adapter_limit` bits per
/// second.
///
/// # Errors
/// If the endpoint fails, or the chip stopped in strict mode.
pub fn run(
    board: &mut Board,
    endpoint: &mut Endpoint,
    adapter_limit: u32,
    stop: &AtomicBool,
) -> io::Result<Usage> {
    let mut bench = Lockstep {
        board,
        endpoint,
        limit: adapter_limit,
        baud: 115_200,
        usage: Usage::default(),
        counted: 0,
        active_at: 0,
        started: false,
        patience: Instant::now(),
        heard: Instant::now(),
    };
    while !stop.load(Ordering::Relaxed) {
        bench.turn()?;
    }
    Ok(Usage { time: duration(bench.counted), ..bench.usage })
}

struct Lockstep<'b> {
    board: &'b mut Board,
    endpoint: &'b mut Endpoint,
    limit: u32,
    baud: u32,
    usage: Usage,
    /// Time that counts.
    counted: Ticks,
    /// When the chip or the line was last busy; what lies behind is not counted yet.
    active_at: Ticks,
    /// A client has acted: from then on the chip runs.
    started: bool,
    /// Until when the client may say more before the chip goes on.
    patience: Instant,
    /// When the client last did something.
    heard: Instant,
}

impl Lockstep<'_> {
    fn turn(&mut self) -> io::Result<()> {
        self.endpoint.link.wait(TURN)?;
        let events = self.endpoint.link.receive()?;
        if !events.is_empty() {
            self.started = true;
            self.heard = Instant::now();
            self.patience = self.heard + REACTION;
            // What was idle until now is forgotten.
            self.active_at = self.board.now_ticks();
        }
        for event in events {
            match event {
                Event::Input(input) => self.input(input)?,
                Event::Purge => drop(self.board.take_output()),
            }
        }
        if !self.started || Instant::now() < self.patience {
            return Ok(());
        }
        for _ in 0..SLICES {
            if self.board.now_ticks() - self.active_at >= IDLE && self.heard.elapsed() < SILENCE {
                break;
            }
            if self.slice()? {
                // While the chip sends it is not interrupted.
                while self.slice()? {}
                break;
            }
        }
        Ok(())
    }

    fn input(&mut self, input: Input) -> io::Result<()> {
        match input {
            Input::Bytes(bytes) => self.send(bytes)?,
            Input::Baud(baud) => {
                self.baud = baud;
                self.board.apply(Input::Baud(baud));
            }
            other => self.board.apply(other),
        }
        Ok(())
    }

    fn send(&mut self, mut bytes: Vec<u8>) -> io::Result<()> {
        self.usage.to_chip += bytes.len() as u64;
        let whole = bytes.last() == Some(&FRAME_END);
        self.usage.line += Duration::from_secs_f64(bytes.len() as f64 * 10.0 / f64::from(self.baud));
        self.garble(&mut bytes);
        self.board.queue(&bytes);
        while !self.board.backlog().is_zero() {
            let before = self.board.now_ticks();
            self.board.advance(before + SLICE.min(crate::time::ticks(self.board.backlog())).max(1));
            self.count(self.board.now_ticks());
            self.deliver()?;
        }
        if whole {
            // The client waits for an answer, or sends the next frame in a moment.
            self.patience = Instant::now();
        }
        Ok(())
    }

    /// Lets the chip work for a moment; says whether it sent something.
    fn slice(&mut self) -> io::Result<bool> {
        let commands = self.board.chip().flash_commands();
        self.board.advance(self.board.now_ticks() + SLICE);
        if let Some(access) = self.board.stopped_at() {
            return Err(io::Error::other(format!("the emulated chip stopped (strict mode): {access}")));
        }
        let busy = self.board.chip().flash_is_busy();
        let sent = self.deliver()?;
        if sent || busy || self.board.chip().flash_commands() != commands {
            self.count(self.board.now_ticks());
        }
        Ok(sent)
    }

    fn count(&mut self, until: Ticks) {
        self.counted += until - self.active_at;
        self.active_at = until;
    }

    fn deliver(&mut self) -> io::Result<bool> {
        let mut output = self.board.take_output();
        if output.is_empty() {
            return Ok(false);
        }
        self.usage.from_chip += output.len() as u64;
        self.garble(&mut output);
        self.endpoint.link.send(&output)?;
        self.patience = Instant::now() + REACTION;
        Ok(true)
    }

    fn garble(&self, bytes: &mut [u8]) {
        if self.baud > self.limit {
            bytes.iter_mut().for_each(|byte| *byte ^= 0x40);
        }
    }
}
