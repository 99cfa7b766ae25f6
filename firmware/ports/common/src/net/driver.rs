//! What moves Ethernet frames, and one of them as a device of smoltcp.
//!
//! Frames are taken from the driver one at a time and looked at before the stack sees them (see [`super::interface`]), so the
//! stack's device holds at most one frame.

use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

/// Longest frame: an Ethernet header and 1500 bytes.
pub const FRAME_MAX: usize = 1514;
/// Frames in flight that a peer should count on.
const BURST: usize = 4;

/// A network card.
pub trait Driver {
    /// Its address.
    fn mac(&self) -> [u8; 6];

    /// Whether frames go through.
    fn is_up(&self) -> bool;

    /// Longest frame.
    fn frame_max(&self) -> usize {
        FRAME_MAX
    }

    /// How many bytes sockets may still take for their buffers; what the card itself needs is not among them.
    fn memory_left(&self) -> usize {
        usize::MAX
    }

    /// Shows the next received frame, with the driver to answer through; `false` if there is none.
    fn receive(&mut self, show: &mut dyn FnMut(&mut Self, &[u8])) -> bool;

    /// Whether [`Driver::transmit`] can send a frame now.
    fn can_transmit(&mut self) -> bool;

    /// Sends a frame of `len` bytes, which `fill` writes; `fill` is called once, whatever happens to the frame.
    fn transmit(&mut self, len: usize, fill: &mut dyn FnMut(&mut [u8]));
}

/// A driver, and perhaps a frame that it received.
pub(super) struct Wire<'a, D> {
    pub driver: &'a mut D,
    pub frame: Option<&'a [u8]>,
}

pub(super) struct Received<'a>(&'a [u8]);
pub(super) struct Sending<'a, D>(&'a mut D);

impl<D: Driver> Device for Wire<'_, D> {
    type RxToken<'t>
        = Received<'t>
    where
        Self: 't;
    type TxToken<'t>
        = Sending<'t, D>
    where
        Self: 't;

    fn receive(&mut self, _now: Instant) -> Option<(Received<'_>, Sending<'_, D>)> {
        Some((Received(self.frame.take()?), Sending(self.driver)))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Sending<'_, D>> {
        self.driver.can_transmit().then_some(Sending(self.driver))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = self.driver.frame_max();
        capabilities.max_burst_size = Some(BURST);
        capabilities
    }
}

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

impl<D: Driver> TxToken for Sending<'_, D> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let (mut fill, mut result) = (Some(f), None);
        self.0.transmit(len, &mut |frame| {
            if let Some(fill) = fill.take() {
                result = Some(fill(frame));
            }
        });
        result.expect("a driver lets a frame be written")
    }
}
