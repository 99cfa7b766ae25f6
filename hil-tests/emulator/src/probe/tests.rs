//! The protocol's layers without a socket.

use super::cobs;
use super::dap::{Answer, Dap, Register};
use super::glasgow::ProbeError;
use super::{Probe, SwdFaults, Target};
use rstest::rstest;
use std::time::Duration;

/// Four kilobytes of memory.
struct Memory(Vec<u8>);

impl Target for Memory {
    fn load(&mut self, address: u32, size: u32) -> Option<u32> {
        let bytes = self.0.get(address as usize..(address + size) as usize)?;
        Some(bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte)))
    }
    fn store(&mut self, address: u32, size: u32, value: u32) -> Option<()> {
        let bytes = self.0.get_mut(address as usize..(address + size) as usize)?;
        bytes.copy_from_slice(&value.to_le_bytes()[..size as usize]);
        Some(())
    }
    fn set_reset(&mut self, _: bool) {}
    fn pass(&mut self, _: Duration) {}
    fn now(&self) -> Duration {
        Duration::ZERO
    }
    fn is_running(&self) -> bool {
        false
    }
    fn answers(&self) -> bool {
        true
    }
}

#[rstest]
#[case(&[])]
#[case(&[0])]
#[case(&[1, 2, 0, 0, 3])]
#[case(&[7; 253])]
#[case(&[7; 254])]
#[case(&[7; 255])]
#[case(&[7; 600])]
fn packets_come_back(#[case] packet: &[u8]) {
    let mut bytes = Vec::new();
    cobs::encode(packet, &mut bytes);
    assert_eq!(bytes.pop(), Some(0));
    assert!(!bytes.contains(&0));
    assert_eq!(cobs::decode(&bytes).as_deref(), Some(packet));
}

#[test]
fn a_broken_packet_is_none() {
    assert_eq!(cobs::decode(&[5, 1, 2]), None);
    assert_eq!(cobs::decode(&[0]), None);
}

const DP: fn(u8) -> Register = |address| Register { ap: false, address };
const AP: fn(u8) -> Register = |address| Register { ap: true, address };

/// Ports with power, and CSW for words or bytes with auto-increment.
fn ports(target: &mut Memory, csw: u32) -> Dap {
    let mut dap = Dap::default();
    for (register, value) in [(DP(4), 0x5000_0000), (AP(0), csw)] {
        assert_eq!(dap.write(target, register, value), Answer::Ok(0));
    }
    dap
}

#[test]
fn reads_through_the_access_port_come_one_later() {
    let mut target = Memory((0..=255).cycle().take(4096).collect());
    let mut dap = ports(&mut target, 0x12);
    dap.write(&mut target, AP(4), 4);
    dap.read(&mut target, AP(12));
    assert_eq!(dap.read(&mut target, AP(12)), Answer::Ok(0x0706_0504));
    assert_eq!(dap.read(&mut target, DP(12)), Answer::Ok(0x0b0a_0908));
}

#[test]
fn bytes_are_in_their_lanes_and_the_address_wraps_in_a_kilobyte() {
    let mut target = Memory(vec![0; 4096]);
    let mut dap = ports(&mut target, 0x10);
    dap.write(&mut target, AP(4), 0x3ff);
    dap.write(&mut target, AP(12), 0x1200_0000);
    assert_eq!(target.0[0x3ff], 0x12);
    dap.read(&mut target, AP(4));
    assert_eq!(dap.read(&mut target, DP(12)), Answer::Ok(0));
}

#[test]
fn a_bus_fault_sticks_until_it_is_cleared() {
    let mut target = Memory(vec![0; 4096]);
    let mut dap = ports(&mut target, 0x12);
    dap.write(&mut target, AP(4), 0x8000_0000);
    dap.read(&mut target, AP(12));
    assert_eq!(dap.read(&mut target, DP(12)), Answer::Fault);
    assert!(matches!(dap.read(&mut target, DP(4)), Answer::Ok(status) if status & 0x20 != 0));
    dap.write(&mut target, DP(0), 4);
    assert!(matches!(dap.read(&mut target, DP(12)), Answer::Ok(_)));
}

fn packet(stream: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    cobs::encode(&[&[stream], data].concat(), &mut bytes);
    bytes
}

/// A line reset, the change to SWD, another line reset.
fn select() -> Vec<u8> {
    let ones = |count: u8| [vec![0x20 | count & 0x1f], vec![0xff; 4]].concat();
    let switch = [0x20 | 16, 0x9e, 0xe7, 0, 0];
    packet(1, &[ones(32), ones(20), switch.to_vec(), ones(32), ones(20)].concat())
}

const READ_DPIDR: &[u8] = &[0x02];

#[test]
fn the_debug_port_answers_after_the_change_to_swd() {
    let (mut probe, mut target) = (Probe::default(), Memory(vec![0; 4096]));
    assert_eq!(probe.feed(&mut target, &packet(1, READ_DPIDR)), Ok(packet(1, &[0x20])));
    probe.feed(&mut target, &select()).unwrap();
    let answer = packet(1, &[1, 0x77, 0x14, 0xa0, 0x2b]);
    assert_eq!(probe.feed(&mut target, &packet(1, READ_DPIDR)), Ok(answer));
    assert_eq!(probe.feed(&mut target, &packet(0, &[0])), Ok(packet(0, b"probe-rs,v01")));
}

#[test]
fn injected_faults_are_seen() {
    let mut faults = SwdFaults::default();
    faults.parity.insert(0);
    faults.wait.insert(1);
    faults.fault.insert(2);
    faults.vanish_at = Some(3);
    let (mut probe, mut target) = (Probe::new(faults), Memory(vec![0; 4096]));
    probe.feed(&mut target, &select()).unwrap();
    for answer in [0x20, 0x12, 0x14] {
        assert_eq!(probe.feed(&mut target, &packet(1, READ_DPIDR)), Ok(packet(1, &[answer])));
    }
    assert_eq!(probe.feed(&mut target, &packet(1, READ_DPIDR)), Err(ProbeError::Gone));
}

#[rstest]
#[case(&[9, 9, 0], ProbeError::Packet)]
#[case(&[3, 7, 7, 0], ProbeError::Stream(7))]
#[case(&[1, 2, 0x99, 0], ProbeError::Command(0x99))]
fn a_client_that_is_none_is_told_so(#[case] bytes: &[u8], #[case] expected: ProbeError) {
    let (mut probe, mut target) = (Probe::default(), Memory(vec![0; 4096]));
    assert_eq!(probe.feed(&mut target, bytes), Err(expected));
}
