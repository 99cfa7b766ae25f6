//! smoltcp as the gateway: one interface that answers for every address that is let through to it.

use super::config::NetworkConfig;
use crate::air::Mac;
use crate::time::{NEVER, TICKS_PER_US, Ticks};
use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::phy::{self, ChecksumCapabilities, Device, DeviceCapabilities, Medium};
use smoltcp::time::Instant;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, HardwareAddress, Icmpv4DstUnreachable,
    Icmpv4Packet, Icmpv4Repr, IpCidr, IpProtocol, Ipv4Packet, Ipv4Repr,
};
use std::collections::VecDeque;

const MTU: usize = 1514;

/// The gateway's network card.
#[derive(Default)]
pub struct Card {
    /// Frames that arrived.
    pub received: VecDeque<Vec<u8>>,
    /// Frames to send.
    pub sent: Vec<Vec<u8>>,
}

/// A received frame.
pub struct Received(Vec<u8>);
/// The right to send one frame.
pub struct Sender<'a>(&'a mut Vec<Vec<u8>>);

impl phy::RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl phy::TxToken for Sender<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut frame = vec![0; length];
        let result = f(&mut frame);
        self.0.push(frame);
        result
    }
}

impl Device for Card {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sender<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received, Sender<'_>)> {
        Some((Received(self.received.pop_front()?), Sender(&mut self.sent)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sender<'_>> {
        Some(Sender(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = MTU;
        capabilities
    }
}

/// The gateway.
pub struct Stack {
    /// Its network card.
    pub device: Card,
    /// Its interface.
    pub interface: Interface,
    /// Its sockets.
    pub sockets: SocketSet<'static>,
    mac: Mac,
    next: Ticks,
}

fn instant(now: Ticks) -> Instant {
    Instant::from_micros((now / TICKS_PER_US) as i64)
}

impl Stack {
    /// A gateway without services.
    #[must_use]
    pub fn new(config: &NetworkConfig, mac: Mac) -> Self {
        let mut device = Card::default();
        let hardware = HardwareAddress::Ethernet(EthernetAddress(mac));
        let mut interface = Interface::new(Config::new(hardware), &mut device, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses
                .push(IpCidr::new(config.gateway.into(), config.prefix.clamp(8, 30)))
                .expect("the first address fits");
        });
        interface.set_any_ip(true);
        Self { device, interface, sockets: SocketSet::new(Vec::new()), mac, next: NEVER }
    }

    /// Works on what arrived and what timers demand.
    pub fn poll(&mut self, now: Ticks) {
        let at = instant(now);
        self.interface.poll(at, &mut self.device, &mut self.sockets);
        self.next = match self.interface.poll_at(at, &self.sockets) {
            None => NEVER,
            // Not at once again: what has not been done by now waits for a frame.
            Some(next) => (next.total_micros() as Ticks * TICKS_PER_US).max(now + 100 * TICKS_PER_US),
        };
    }

    /// When [`Stack::poll`] has something to do.
    #[must_use]
    pub fn next_event(&self) -> Ticks {
        self.next
    }

    /// Tells a station that its packet cannot be delivered.
    pub fn refuse(
        &mut self,
        frame: &EthernetFrame<&[u8]>,
        packet: &Ipv4Packet<&[u8]>,
        reason: Icmpv4DstUnreachable,
    ) {
        let checksums = ChecksumCapabilities::default();
        let Ok(header) = Ipv4Repr::parse(packet, &checksums) else { return };
        let quoted = packet.payload();
        let message = Icmpv4Repr::DstUnreachable { reason, header, data: &quoted[..quoted.len().min(8)] };
        let ip = Ipv4Repr {
            src_addr: packet.dst_addr(),
            dst_addr: packet.src_addr(),
            next_header: IpProtocol::Icmp,
            payload_len: message.buffer_len(),
            hop_limit: 64,
        };
        let ethernet = EthernetRepr {
            src_addr: EthernetAddress(self.mac),
            dst_addr: frame.src_addr(),
            ethertype: EthernetProtocol::Ipv4,
        };
        let mut bytes = vec![0; ethernet.buffer_len() + ip.buffer_len() + message.buffer_len()];
        let mut out = EthernetFrame::new_unchecked(&mut bytes[..]);
        ethernet.emit(&mut out);
        let mut out = Ipv4Packet::new_unchecked(out.payload_mut());
        ip.emit(&mut out, &checksums);
        message.emit(&mut Icmpv4Packet::new_unchecked(out.payload_mut()), &checksums);
        self.device.sent.push(bytes);
    }
}
