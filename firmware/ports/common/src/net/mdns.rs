//! The host's name in the local network: answers to those who ask all hosts for `name.local` (multicast DNS).
//!
//! Sans-IO, and without a socket: a frame in, a frame out. Only the address of this host is told, to the group, or to the one who asked
//! from another port than the group's; nobody is told without having asked.
//!
//! Source: RFC 6762; RFC 1035, section 4.1 (messages); RFC 791, RFC 768.

use larch_hal::Ipv4;
use smoltcp::wire::{EthernetFrame, EthernetProtocol, IpAddress, IpProtocol, Ipv4Packet, UdpPacket};

/// All who take part.
pub const GROUP: Ipv4 = [224, 0, 0, 251];
const GROUP_MAC: [u8; 6] = [1, 0, 0x5e, 0, 0, 251];
const PORT: u16 = 5353;
/// Longest answer: headers, a question and an answer with a name of 32 bytes.
pub const ANSWER_MAX: usize = 192;

const ETHERNET: usize = 14;
const IP: usize = 20;
const UDP: usize = 8;
const HEADER: usize = 12;
const TYPE_A: u16 = 1;
const TYPE_ANY: u16 = 255;
const CLASS_IN: u16 = 1;
/// Bit of a class: in a question, an answer to one's own address is good enough; in an answer, older ones are void.
const TOP_BIT: u16 = 0x8000;
/// Flag of an answer: it is that of the owner.
const AUTHORITATIVE_ANSWER: [u8; 2] = [0x84, 0];
const QUERY_MASK: u8 = 0xf8;
/// The name of the first question, as later ones refer to it.
const FIRST_NAME: [u8; 2] = [0xc0, HEADER as u8];
/// How long an answer holds, in seconds; less for who does not know that it may change.
const TTL: u32 = 120;
const LEGACY_TTL: u32 = 10;
const HOPS: u8 = 255;

/// This host.
#[derive(Clone, Copy)]
pub struct Host<'a> {
    /// Its name, without `.local`.
    pub name: &'a [u8],
    /// Its address.
    pub address: Ipv4,
    /// Its hardware address.
    pub mac: [u8; 6],
}

/// Whom to answer.
struct Asker<'a> {
    mac: [u8; 6],
    address: Ipv4,
    port: u16,
    id: [u8; 2],
    /// This host's name as they write it: some take no other answer.
    name: &'a [u8],
}

/// Writes the answer to a frame, if it asks for this host: its length.
pub fn answer(host: Host<'_>, frame: &[u8], answer: &mut [u8; ANSWER_MAX]) -> Option<usize> {
    let asker = asker(host.name, frame)?;
    // Who asks from another port knows only plain DNS.
    let is_legacy = asker.port != PORT;
    let mut writer = Writer { bytes: answer, len: ETHERNET + IP + UDP };
    writer.put(if is_legacy { &asker.id } else { &[0; 2] })?;
    writer.put(&AUTHORITATIVE_ANSWER)?;
    writer.put(&[0, u8::from(is_legacy), 0, 1, 0, 0, 0, 0])?;
    if is_legacy {
        writer.name(asker.name)?;
        writer.numbers(&[TYPE_A, CLASS_IN])?;
    }
    writer.name(asker.name)?;
    let (class, ttl) = if is_legacy { (CLASS_IN, LEGACY_TTL) } else { (CLASS_IN | TOP_BIT, TTL) };
    writer.numbers(&[TYPE_A, class])?;
    writer.put(&ttl.to_be_bytes())?;
    writer.numbers(&[4])?;
    writer.put(&host.address)?;
    let len = writer.len;
    let (mac, to) = match is_legacy {
        true => (asker.mac, (asker.address, asker.port)),
        false => (GROUP_MAC, (GROUP, PORT)),
    };
    address(&mut answer[..len], [mac, host.mac], [(host.address, PORT), to]);
    Some(len)
}

struct Writer<'a> {
    bytes: &'a mut [u8; ANSWER_MAX],
    len: usize,
}

impl Writer<'_> {
    fn put(&mut self, new: &[u8]) -> Option<()> {
        self.bytes.get_mut(self.len..self.len + new.len())?.copy_from_slice(new);
        self.len += new.len();
        Some(())
    }

    fn numbers(&mut self, numbers: &[u16]) -> Option<()> {
        numbers.iter().try_for_each(|number| self.put(&number.to_be_bytes()))
    }

    fn name(&mut self, name: &[u8]) -> Option<()> {
        for label in [name, b"local"] {
            self.put(&[label.len() as u8])?;
            self.put(label)?;
        }
        self.put(&[0])
    }
}

/// Writes the headers before a message.
fn address(frame: &mut [u8], [to_mac, from_mac]: [[u8; 6]; 2], [from, to]: [(Ipv4, u16); 2]) {
    let mut ethernet = EthernetFrame::new_unchecked(frame);
    ethernet.set_dst_addr(smoltcp::wire::EthernetAddress(to_mac));
    ethernet.set_src_addr(smoltcp::wire::EthernetAddress(from_mac));
    ethernet.set_ethertype(EthernetProtocol::Ipv4);
    let content = ethernet.payload_mut();
    let len = content.len() as u16;
    content[..IP].fill(0);
    let mut packet = Ipv4Packet::new_unchecked(content);
    packet.set_version(4);
    packet.set_header_len(IP as u8);
    packet.set_total_len(len);
    packet.set_hop_limit(HOPS);
    packet.set_next_header(IpProtocol::Udp);
    packet.set_src_addr(from.0.into());
    packet.set_dst_addr(to.0.into());
    packet.fill_checksum();
    let mut datagram = UdpPacket::new_unchecked(packet.payload_mut());
    datagram.set_src_port(from.1);
    datagram.set_dst_port(to.1);
    datagram.set_len(len - IP as u16);
    datagram.fill_checksum(&IpAddress::Ipv4(from.0.into()), &IpAddress::Ipv4(to.0.into()));
}

/// Who asks for the address of `name`, if the frame does.
fn asker<'a>(name: &[u8], frame: &'a [u8]) -> Option<Asker<'a>> {
    let frame =
        EthernetFrame::new_checked(frame).ok().filter(|frame| frame.ethertype() == EthernetProtocol::Ipv4)?;
    let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
    let is_for_all = packet.dst_addr().octets() == GROUP && packet.next_header() == IpProtocol::Udp;
    if !is_for_all || packet.frag_offset() != 0 || packet.more_frags() || !packet.verify_checksum() {
        return None;
    }
    let datagram =
        UdpPacket::new_checked(packet.payload()).ok().filter(|datagram| datagram.dst_port() == PORT)?;
    if !datagram.verify_checksum(&packet.src_addr().into(), &packet.dst_addr().into()) {
        return None;
    }
    let message = datagram.payload();
    Some(Asker {
        mac: frame.src_addr().0,
        address: packet.src_addr().octets(),
        port: datagram.src_port(),
        id: *message.first_chunk()?,
        name: asked_name(name, message)?,
    })
}

/// The name in a message that asks for the address of `name.local`, without `.local`.
fn asked_name<'a>(name: &[u8], message: &'a [u8]) -> Option<&'a [u8]> {
    let (header, mut rest) = message.split_at_checked(HEADER)?;
    if header[2] & QUERY_MASK != 0 {
        return None;
    }
    let mut first = None;
    for number in 0..u16::from_be_bytes([header[4], header[5]]) {
        let (ours, after) = match rest.strip_prefix(&FIRST_NAME) {
            Some(after) => (first, after),
            None => match_name(name, rest)?,
        };
        if number == 0 {
            first = ours;
        }
        let (numbers, after) = after.split_first_chunk::<4>()?;
        let [kind, class] = [[numbers[0], numbers[1]], [numbers[2], numbers[3]]].map(u16::from_be_bytes);
        if ours.is_some() && matches!(kind, TYPE_A | TYPE_ANY) && class & !TOP_BIT == CLASS_IN {
            return ours;
        }
        rest = after;
    }
    None
}

/// The first label of a name if that is `name.local`, and what follows it. A name that ends elsewhere in the message is another one.
fn match_name<'a>(name: &[u8], mut rest: &'a [u8]) -> Option<(Option<&'a [u8]>, &'a [u8])> {
    let mut wanted = [name, b"local", b""].into_iter();
    let (mut first, mut is_ours) = (None, true);
    loop {
        let (length, after) = rest.split_first()?;
        if length & 0xc0 != 0 {
            return Some((None, after.get(1..)?));
        }
        let (label, after) = after.split_at_checked((*length).into())?;
        is_ours &= wanted.next().is_some_and(|wanted| wanted.eq_ignore_ascii_case(label));
        first = first.or(Some(label));
        rest = after;
        if label.is_empty() {
            let is_whole = is_ours && wanted.next().is_none();
            return Some((first.filter(|_| is_whole), rest));
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    const HOST: Host<'static> = Host { name: b"board", address: [10, 0, 0, 2], mac: [2; 6] };
    const ASKER: ([u8; 6], Ipv4) = ([6; 6], [10, 0, 0, 9]);

    /// Questions: a name as it is in the message, and a type.
    fn asked(port: u16, questions: &[(&[u8], u16)]) -> Vec<u8> {
        let mut frame = std::vec![0; ETHERNET + IP + UDP];
        frame.extend([0x12, 0x34, 0, 0, 0, questions.len() as u8, 0, 0, 0, 0, 0, 0]);
        for (name, kind) in questions {
            frame.extend(*name);
            frame.extend(kind.to_be_bytes());
            frame.extend([0x80, 1]);
        }
        address(&mut frame, [GROUP_MAC, ASKER.0], [(ASKER.1, port), (GROUP, PORT)]);
        frame
    }

    fn answered(frame: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = [0; ANSWER_MAX];
        let len = answer(HOST, frame, &mut bytes)?;
        Some(bytes[..len].to_vec())
    }

    #[test]
    fn the_group_is_told_the_address() {
        let answer = answered(&asked(PORT, &[(b"\x05Board\x05local\0", TYPE_A)])).unwrap();
        assert_eq!(answer[..6], GROUP_MAC);
        let packet = Ipv4Packet::new_checked(&answer[ETHERNET..]).unwrap();
        assert!(
            packet.verify_checksum() && packet.dst_addr().octets() == GROUP && packet.hop_limit() == HOPS
        );
        let datagram = UdpPacket::new_checked(packet.payload()).unwrap();
        assert!(datagram.verify_checksum(&packet.src_addr().into(), &packet.dst_addr().into()));
        let message =
            b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x05Board\x05local\0\0\x01\x80\x01\0\0\0\x78\0\x04\x0a\0\0\x02";
        assert_eq!(datagram.payload(), message);
    }

    #[test]
    fn who_knows_only_plain_dns_is_told_alone() {
        let answer = answered(&asked(50_000, &[(b"\x05board\x05local\0", TYPE_ANY)])).unwrap();
        assert_eq!(answer[..6], ASKER.0);
        let packet = Ipv4Packet::new_checked(&answer[ETHERNET..]).unwrap();
        assert_eq!(packet.dst_addr().octets(), ASKER.1);
        let datagram = UdpPacket::new_checked(packet.payload()).unwrap();
        assert_eq!((datagram.src_port(), datagram.dst_port()), (PORT, 50_000));
        assert_eq!(datagram.payload()[..8], [0x12, 0x34, 0x84, 0, 0, 1, 0, 1]);
    }

    #[test]
    fn only_questions_for_this_host_are_answered() {
        const AAAA: u16 = 28;
        let both: &[(&[u8], u16)] = &[(b"\x05board\x05local\0", AAAA), (&FIRST_NAME, TYPE_A)];
        assert!(answered(&asked(PORT, both)).is_some(), "the second question refers to the first one's name");
        let others: [&[(&[u8], u16)]; 7] = [
            &[(b"\x05board\x05local\0", AAAA)],
            &[(b"\x05other\x05local\0", TYPE_A)],
            &[(b"\x05board\x03com\0", TYPE_A)],
            &[(b"\x05board\0", TYPE_A)],
            &[(b"\x05board\x05local\x01x\0", TYPE_A)],
            &[(b"\x05other\x05local\0", AAAA), (&FIRST_NAME, TYPE_A)],
            &[],
        ];
        for questions in others {
            assert_eq!(answered(&asked(PORT, questions)), None, "{questions:?}");
        }
    }

    #[test]
    fn damaged_frames_are_no_questions() {
        let good = asked(PORT, &[(b"\x05board\x05local\0", TYPE_A)]);
        for len in 0..good.len() {
            assert_eq!(answered(&good[..len]), None, "{len} bytes");
        }
        for at in 12..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert_eq!(answered(&bad), None, "byte {at}");
        }
    }

    #[test]
    fn the_longest_name_fits() {
        let name = [b'x'; 32];
        let host = Host { name: &name, ..HOST };
        let mut question = std::vec![32];
        question.extend(name);
        question.extend(b"\x05local\0");
        let frame = asked(50_000, &[(&question, TYPE_A)]);
        assert!(answer(host, &frame, &mut [0; ANSWER_MAX]).is_some());
    }
}
