//! The driver's interfaces as network cards, and the flag that says that they have work.

use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, RawWaker, RawWakerVTable, Waker};

use embassy_net_driver::{Driver as RadioDriver, RxToken, TxToken};
use esp_alloc::HEAP;
use esp_radio::wifi::Interface;
use larch_board::net::driver::{Driver, FRAME_MAX};
use larch_hal::Mac;

/// What the driver needs for frames, and the compiler for a program of a few hundred lines.
const RESERVE: usize = 24 * 1024;

/// A frame arrived, or there is room for one to be sent: set by the driver's tasks.
static WORK: AtomicBool = AtomicBool::new(false);

/// A waker that sets [`WORK`]; it has no data.
static BELL: RawWakerVTable =
    RawWakerVTable::new(|_| RawWaker::new(core::ptr::null(), &BELL), |_| ring(), |_| ring(), |_| ());

/// There is work.
pub fn ring() {
    WORK.store(true, Ordering::Release);
}

/// The cards are about to be looked at.
pub fn clear_work() {
    WORK.store(false, Ordering::Release);
}

/// Whether cards may have work.
pub fn has_work() -> bool {
    WORK.load(Ordering::Acquire)
}

/// One of the driver's interfaces.
pub struct Card {
    interface: Interface,
    waker: Waker,
    /// Whether its network is there: the driver's events say so.
    pub up: bool,
    /// Its address.
    pub mac: Mac,
}

impl Card {
    /// A card whose network is not there yet.
    pub fn new(interface: Interface, mac: Mac) -> Self {
        // SAFETY: the functions of the table keep their contract: there is no data that they could get wrong.
        let waker = unsafe { Waker::new(core::ptr::null(), &BELL) };
        Self { interface, waker, up: false, mac }
    }
}

impl Driver for Card {
    fn mac(&self) -> [u8; 6] {
        self.mac
    }

    fn is_up(&self) -> bool {
        self.up
    }

    fn memory_left(&self) -> usize {
        HEAP.free().saturating_sub(RESERVE)
    }

    fn receive(&mut self, show: &mut dyn FnMut(&mut Self, &[u8])) -> bool {
        let mut cx = Context::from_waker(&self.waker);
        let Some((frame, _)) = RadioDriver::receive(&mut self.interface, &mut cx) else {
            return false;
        };
        frame.consume(|bytes| show(self, bytes));
        true
    }

    fn can_transmit(&mut self) -> bool {
        RadioDriver::transmit(&mut self.interface, &mut Context::from_waker(&self.waker)).is_some()
    }

    fn transmit(&mut self, len: usize, fill: &mut dyn FnMut(&mut [u8])) {
        match RadioDriver::transmit(&mut self.interface, &mut Context::from_waker(&self.waker)) {
            Some(room) => room.consume(len, fill),
            // The network went away just now, and the frame with it.
            None => fill(&mut [0; FRAME_MAX][..len.min(FRAME_MAX)]),
        }
    }
}
