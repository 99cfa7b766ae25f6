//! The network card: SMSC LAN9118, frames through its FIFOs. It is looked at whenever the program waits, at least every
//! millisecond, so it needs no interrupt.
//!
//! Invariant: whole frames are read and written, so both FIFOs always begin with the start of one.
//!
//! Source: LAN9118 data sheet (DS00002266), chapters 3 (FIFOs) and 5 (registers).

use alloc::boxed::Box;
use core::sync::atomic::{AtomicBool, Ordering};

use larch_board::net::driver::{Driver, FRAME_MAX};
use larch_cortex_m::mmio;

const BASE: usize = 0x4020_0000;
const RX_DATA: usize = BASE;
const TX_DATA: usize = BASE + 0x20;
const RX_STATUS: usize = BASE + 0x40;
const TX_STATUS: usize = BASE + 0x48;
const TX_CFG: usize = BASE + 0x70;
const HW_CFG: usize = BASE + 0x74;
const RX_DP_CTRL: usize = BASE + 0x78;
const RX_FIFO_INF: usize = BASE + 0x7c;
const TX_FIFO_INF: usize = BASE + 0x80;
const MAC_CSR_CMD: usize = BASE + 0xa4;
const MAC_CSR_DATA: usize = BASE + 0xa8;

/// HW_CFG: software reset; the bit that must be one; 5 KB for frames to send.
const SRST: u32 = 1;
const MBO_AND_SIZE: u32 = 1 << 20 | 5 << 16;
const TX_ON: u32 = 1 << 1;
/// RX_DP_CTRL: throw the rest of a frame away.
const RX_FFWD: u32 = 1 << 31;
/// RX status: the frame is damaged; its length, checksum included.
const ERROR: u32 = 1 << 15;
const LENGTH: u32 = 0x3fff;
const CHECKSUM_BYTES: usize = 4;
/// TX command A: the frame begins and ends in this buffer.
const WHOLE: u32 = 1 << 13 | 1 << 12;
/// Command words before a frame.
const TX_HEADER_BYTES: usize = 8;

/// MAC_CSR_CMD: busy; read.
const BUSY: u32 = 1 << 31;
const READ: u32 = 1 << 30;
/// Registers behind it.
const MAC_CR: u32 = 1;
const ADDRH: u32 = 2;
const ADDRL: u32 = 3;
const MII_ACC: u32 = 6;
const MII_DATA: u32 = 7;
/// MAC_CR: full duplex, receiver and transmitter on; all multicast frames.
const MAC_ON: u32 = 1 << 20 | 1 << 19 | 1 << 3 | 1 << 2;
/// MII_ACC: the transceiver on the chip; busy.
const PHY: u32 = 1 << 11;
const MII_BUSY: u32 = 1;
/// The transceiver's status register, and the bit that says that there is a link.
const PHY_STATUS: u32 = 1;
const PHY_LINK: u32 = 1 << 2;

/// How often a busy bit is looked at before the card is given up.
const PATIENCE: u32 = 100_000;

static ON: AtomicBool = AtomicBool::new(false);

/// Whether the card is on.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// A frame in words, as the FIFOs take and give it.
struct Frame([u32; FRAME_MAX.div_ceil(4)]);

impl Frame {
    fn new() -> Box<Self> {
        Box::new(Self([0; FRAME_MAX.div_ceil(4)]))
    }

    fn bytes(&mut self, len: usize) -> &mut [u8] {
        let start = self.0.as_mut_ptr().cast::<u8>();
        // SAFETY: bytes of words, which have no invalid values.
        let bytes = unsafe { core::slice::from_raw_parts_mut(start, size_of::<Self>()) };
        &mut bytes[..len]
    }
}

/// The card.
pub struct Lan9118 {
    /// Away while it is shown.
    received: Option<Box<Frame>>,
    sending: Box<Frame>,
}

fn wait_while(register: usize, bits: u32) {
    for _ in 0..PATIENCE {
        if mmio::read(register) & bits == 0 {
            return;
        }
    }
}

fn read_mac(register: u32) -> u32 {
    mmio::write(MAC_CSR_CMD, BUSY | READ | register);
    wait_while(MAC_CSR_CMD, BUSY);
    mmio::read(MAC_CSR_DATA)
}

fn write_mac(register: u32, value: u32) {
    mmio::write(MAC_CSR_DATA, value);
    mmio::write(MAC_CSR_CMD, BUSY | register);
    wait_while(MAC_CSR_CMD, BUSY);
}

/// The card's address, which it has from its EEPROM.
pub fn mac() -> [u8; 6] {
    let [a, b, c, d] = read_mac(ADDRL).to_le_bytes();
    let [e, f, ..] = read_mac(ADDRH).to_le_bytes();
    [a, b, c, d, e, f]
}

impl Lan9118 {
    /// Resets the card and switches it on.
    pub fn new() -> Self {
        mmio::write(HW_CFG, SRST);
        wait_while(HW_CFG, SRST);
        mmio::write(HW_CFG, MBO_AND_SIZE);
        mmio::write(TX_CFG, TX_ON);
        write_mac(MAC_CR, MAC_ON);
        ON.store(true, Ordering::Relaxed);
        Self { received: Some(Frame::new()), sending: Frame::new() }
    }
}

impl Drop for Lan9118 {
    fn drop(&mut self) {
        ON.store(false, Ordering::Relaxed);
        write_mac(MAC_CR, 0);
    }
}

impl Driver for Lan9118 {
    fn mac(&self) -> [u8; 6] {
        mac()
    }

    fn is_up(&self) -> bool {
        write_mac(MII_ACC, PHY | PHY_STATUS << 6 | MII_BUSY);
        read_mac(MII_DATA) & PHY_LINK != 0
    }

    fn receive(&mut self, show: &mut dyn FnMut(&mut Self, &[u8])) -> bool {
        while mmio::read(RX_FIFO_INF) >> 16 & 0xff != 0 {
            let status = mmio::read(RX_STATUS);
            let length = (status >> 16 & LENGTH) as usize;
            let payload = length.saturating_sub(CHECKSUM_BYTES);
            let frame = self.received.take();
            let Some(mut frame) = frame.filter(|_| status & ERROR == 0 && payload <= FRAME_MAX) else {
                mmio::write(RX_DP_CTRL, RX_FFWD);
                wait_while(RX_DP_CTRL, RX_FFWD);
                self.received = Some(Frame::new());
                continue;
            };
            for place in 0..length.div_ceil(4) {
                let word = mmio::read(RX_DATA);
                // The checksum may have no place.
                if let Some(kept) = frame.0.get_mut(place) {
                    *kept = word;
                }
            }
            show(self, frame.bytes(payload));
            self.received = Some(frame);
            return true;
        }
        false
    }

    fn can_transmit(&mut self) -> bool {
        // What became of frames is not asked, but its FIFO must not run over.
        while mmio::read(TX_FIFO_INF) >> 16 & 0xff != 0 {
            mmio::read(TX_STATUS);
        }
        (mmio::read(TX_FIFO_INF) & 0xffff) as usize >= FRAME_MAX.next_multiple_of(4) + TX_HEADER_BYTES
    }

    fn transmit(&mut self, len: usize, fill: &mut dyn FnMut(&mut [u8])) {
        let len = len.min(FRAME_MAX);
        fill(self.sending.bytes(len));
        let size = len as u32;
        mmio::write(TX_DATA, WHOLE | size);
        mmio::write(TX_DATA, size);
        for word in &self.sending.0[..len.div_ceil(4)] {
            mmio::write(TX_DATA, *word);
        }
    }
}
