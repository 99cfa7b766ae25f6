//! The console for a debugger: RTT channel 0.
//!
//! A program never waits for a debugger that is not there. One that is attached gets everything, as long as it makes room within
//! [`PATIENCE_US`]; if it does not, what it does not fetch is dropped until it fetches again.

use core::cell::RefCell;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicBool, Ordering};

use cortex_m::asm;
use cortex_m::peripheral::DCB;
use critical_section::Mutex;
use larch_board::receive;
use rtt_target::{ChannelMode, DownChannel, UpChannel, rtt_init};

use crate::Line;

static CHANNELS: Mutex<RefCell<Option<(UpChannel, DownChannel)>>> = Mutex::new(RefCell::new(None));
/// The debugger has fetched what it was last waited for.
static FETCHES: AtomicBool = AtomicBool::new(true);

/// How long a full buffer is waited for; as MicroPython waits for a USB terminal.
const PATIENCE_US: u32 = 500_000;
/// Debuggers look every few milliseconds.
const LOOK_US: u32 = 20_000;
/// Bytes received at a time: every millisecond.
const RECEIVED: usize = 16;

/// Starts. Called once.
pub fn set_up() {
    let channels = rtt_init! {
        up: { 0: { size: 1024, mode: ChannelMode::NoBlockTrim, name: "Terminal" } }
        down: { 0: { size: 64, name: "Terminal" } }
    };
    critical_section::with(|section| {
        CHANNELS.borrow_ref_mut(section).replace((channels.up.0, channels.down.0));
    });
}

/// A line with RTT beside it: what is written goes to both, what either receives is read. The processor runs at this speed.
pub struct Beside<L, const FREQUENCY_HZ: u32>(PhantomData<L>);

impl<L: Line, const FREQUENCY_HZ: u32> Line for Beside<L, FREQUENCY_HZ> {
    fn write(bytes: &[u8]) {
        write(bytes, FREQUENCY_HZ);
        L::write(bytes);
    }

    fn flush() {
        L::flush();
    }

    fn before_reset() {
        L::before_reset();
        flush(FREQUENCY_HZ);
    }

    fn receive() {
        L::receive();
    }

    fn on_interrupt(number: i16) {
        L::on_interrupt(number);
    }

    fn on_turn() {
        L::on_turn();
        poll();
    }
}

/// Sends bytes to the debugger, if there is one; the processor runs at this speed.
fn write(mut bytes: &[u8], frequency_hz: u32) {
    let listens = DCB::is_debugger_attached() && FETCHES.load(Ordering::Relaxed);
    let mut patience_us = if listens { PATIENCE_US } else { 0 };
    loop {
        let count = offer(bytes);
        bytes = &bytes[count..];
        if count > 0 {
            FETCHES.store(true, Ordering::Relaxed);
        }
        if bytes.is_empty() {
            return;
        }
        if patience_us == 0 {
            FETCHES.store(false, Ordering::Relaxed);
            return;
        }
        patience_us -= 1;
        asm::delay(frequency_hz / 1_000_000);
    }
}

/// Puts into the buffer what there is room for.
fn offer(bytes: &[u8]) -> usize {
    critical_section::with(|section| {
        CHANNELS.borrow_ref_mut(section).as_mut().map_or(bytes.len(), |(up, _)| up.write(bytes))
    })
}

/// Lets a debugger fetch what was written last: a reset empties the buffer.
fn flush(frequency_hz: u32) {
    if DCB::is_debugger_attached() {
        asm::delay(frequency_hz / 1_000_000 * LOOK_US);
    }
}

/// Takes in what the debugger has written; there is no interrupt for it. At the prompt, which reads on, nothing is lost; a
/// running program must see the byte that interrupts it, so then what does not fit is dropped.
fn poll() {
    let mut bytes = [0; RECEIVED];
    let wanted = if receive::has_interrupt_byte() { RECEIVED } else { receive::room().min(RECEIVED) };
    critical_section::with(|section| {
        if let Some((_, down)) = CHANNELS.borrow_ref_mut(section).as_mut() {
            let count = down.read(&mut bytes[..wanted]);
            bytes[..count].iter().copied().for_each(receive::push);
        }
    });
}
