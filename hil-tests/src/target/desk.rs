//! Several emulated boards on one desk, with wires between their pins and one air, in one simulated time.
//!
//! Each seat is a board's console; whoever waits at one seat lets time pass for all of them, in slices short enough for
//! what a program does with pins. Invariant: no board is ever ahead of another by more than a slice, and the order in
//! which they run is fixed, so a run is reproducible. Edges faster than a slice (a UART's bits) do not pass.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use larch_emulator::Board;
use larch_emulator::board::share_air;
use larch_loader::transport::{Lines, Transport};

use super::air;
use super::emulated::{Emulated, drive, inject, press_reset, switch};
use crate::scenario::{AirChange, Fault};
use crate::session::Console;

/// How far a board runs before its pins are looked at.
const SLICE: Duration = Duration::from_micros(200);

/// A wire between pins of two boards on the desk, by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wire {
    /// Board and pin at one end.
    pub from: (usize, u8),
    /// Board and pin at the other.
    pub to: (usize, u8),
}

struct Desk {
    boards: Vec<Board>,
    wires: Vec<Wire>,
    /// What each wire carries now, so that a pin is driven only when that changes.
    carried: Vec<[Option<bool>; 2]>,
}

/// One board's place at the desk.
pub struct Seat {
    desk: Rc<RefCell<Desk>>,
    index: usize,
}

/// Puts boards on a desk; the seats are in the same order.
#[must_use]
pub fn seats(boards: Vec<Emulated>, wires: Vec<Wire>) -> Vec<Seat> {
    let count = boards.len();
    let boards = boards.into_iter().map(Emulated::into_board).collect();
    let carried = vec![[None; 2]; wires.len()];
    let desk = Rc::new(RefCell::new(Desk { boards, wires, carried }));
    (0..count).map(|index| Seat { desk: Rc::clone(&desk), index }).collect()
}

impl Desk {
    /// Lets all boards run for a slice, or less, and then passes levels along the wires.
    fn slice(&mut self, time: Duration) {
        for board in &mut self.boards {
            board.sleep(time);
        }
        share_air(&mut self.boards);
        for (wire, carried) in self.wires.iter().zip(&mut self.carried) {
            let ends = [wire.from, wire.to];
            for (side, (source, drain)) in [(ends[0], ends[1]), (ends[1], ends[0])].into_iter().enumerate() {
                let level = self.boards[source.0].chip().drives(source.1);
                if carried[side] != level {
                    carried[side] = level;
                    self.boards[drain.0].set_pin(drain.1, level);
                }
            }
        }
    }
}

impl Seat {
    /// Does something to the board, or looks at it.
    pub fn board<T>(&self, act: impl FnOnce(&mut Board) -> T) -> T {
        act(&mut self.desk.borrow_mut().boards[self.index])
    }

    /// Runs all boards, at most for `time`, until `done` says so.
    fn run(&self, time: Duration, mut done: impl FnMut(&mut Board) -> bool) {
        let mut left = time;
        loop {
            if self.board(&mut done) || left.is_zero() {
                return;
            }
            let slice = left.min(SLICE);
            self.desk.borrow_mut().slice(slice);
            left -= slice;
        }
    }
}

impl Transport for Seat {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        let mut came: io::Result<usize> = Ok(0);
        self.run(timeout, |board| {
            came = board.read(buf, Duration::ZERO);
            !matches!(came, Ok(0))
        });
        came
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        for chunk in bytes.chunks(32) {
            self.board(|board| board.queue(chunk));
            let line_time = self.board(|board| board.backlog());
            self.run(line_time, |_| false);
        }
        Ok(())
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.board(|board| board.set_baud(baud));
        Ok(())
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.board(|board| board.set_lines(lines.dtr, lines.rts));
        Ok(())
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.board(Board::take_output);
        Ok(())
    }

    fn sleep(&mut self, duration: Duration) {
        self.run(duration, |_| false);
    }

    fn now(&self) -> Duration {
        self.board(|board| board.now())
    }
}

impl Console for Seat {
    fn port(&mut self) -> &mut dyn Transport {
        self
    }

    fn hard_reset(&mut self) -> io::Result<()> {
        // Pressing the button lets its board run: the others follow.
        let before = self.board(|board| board.now());
        self.board(press_reset);
        let passed = self.board(|board| board.now()) - before;
        let mut desk = self.desk.borrow_mut();
        for (_, board) in desk.boards.iter_mut().enumerate().filter(|(index, _)| *index != self.index) {
            board.sleep(passed);
        }
        Ok(())
    }

    fn power(&mut self, on: bool) -> io::Result<()> {
        self.board(|board| switch(board, on));
        Ok(())
    }

    fn pin(&mut self, pin: u8, level: Option<bool>) -> io::Result<()> {
        self.board(|board| drive(board, pin, level))
    }

    fn air(&mut self, change: &AirChange) -> io::Result<()> {
        self.board(|board| air::change(board, change))
    }

    fn fault(&mut self, fault: &Fault) -> io::Result<()> {
        self.board(|board| inject(board, fault));
        Ok(())
    }
}
