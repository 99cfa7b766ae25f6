//! The probe's own protocol: two streams of commands, one for the probe and one for the wire, in packets.

use super::dap::Register;
use super::swd::{Outcome, Swd};
use super::{SwdFaults, Target, cobs};
use std::collections::VecDeque;
use std::time::Duration;

const IDENTIFIER: &[u8] = b"probe-rs,v01";
const REFERENCE_CLOCK_HZ: u32 = 48_000_000;
/// Clocks of a transfer: request, turnarounds, acknowledgement, data, parity, idle.
const TRANSFER_BITS: u32 = 50;
/// A packet that grows beyond this is none.
const PACKET_MAX: usize = 1 << 20;

const IDENTIFY: u8 = 0x00;
const GET_REFERENCE_CLOCK: u8 = 0x10;
const GET_DIVISOR: u8 = 0x11;
const SET_DIVISOR: u8 = 0x12;
const ASSERT_RESET: u8 = 0x20;
const CLEAR_RESET: u8 = 0x21;

const SEQUENCE: u8 = 0x20;
const LENGTH_MASK: u8 = 0x1f;
const AP: u8 = 1;
const READ: u8 = 2;
const ADDRESS_MASK: u8 = 0x0c;

const ACK_OK: u8 = 1;
const ACK_WAIT: u8 = 2;
const ACK_FAULT: u8 = 4;
const NO_DATA: u8 = 0x10;
const ERROR: u8 = 0x20;

/// Why a client must be let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// What came is no packet.
    #[error("the client does not speak COBS packets")]
    Packet,
    /// A stream that the probe does not have.
    #[error("the client addressed stream {0}, there are 0 (probe) and 1 (SWD)")]
    Stream(u8),
    /// A command that the probe does not have.
    #[error("the client sent the unknown probe command {0:#04x}")]
    Command(u8),
    /// The injected end.
    #[error("the probe is gone (injected)")]
    Gone,
}

/// The probe.
#[derive(Clone, Debug)]
pub struct Probe {
    swd: Swd,
    divisor: u16,
    packet: Vec<u8>,
    root: VecDeque<u8>,
    wire: VecDeque<u8>,
}

impl Default for Probe {
    fn default() -> Self {
        Self::new(SwdFaults::default())
    }
}

impl Probe {
    /// A probe whose wire has these faults.
    #[must_use]
    pub fn new(faults: SwdFaults) -> Self {
        Self {
            swd: Swd::new(faults),
            divisor: 11,
            packet: Vec::new(),
            root: VecDeque::new(),
            wire: VecDeque::new(),
        }
    }

    /// SWD transfers so far.
    #[must_use]
    pub fn transfers(&self) -> u64 {
        self.swd.transfers()
    }

    /// A client has gone, and with it what it had not finished.
    pub fn hang_up(&mut self) {
        self.packet.clear();
        self.root.clear();
        self.wire.clear();
    }

    /// Takes bytes of the client; gives the probe's.
    ///
    /// # Errors
    /// If the client is none, or the injected end has come.
    pub fn feed(&mut self, target: &mut dyn Target, bytes: &[u8]) -> Result<Vec<u8>, ProbeError> {
        for &byte in bytes {
            if byte != 0 {
                self.packet.push(byte);
                if self.packet.len() > PACKET_MAX {
                    return Err(ProbeError::Packet);
                }
                continue;
            }
            let packet = cobs::decode(&std::mem::take(&mut self.packet)).ok_or(ProbeError::Packet)?;
            match packet.split_first() {
                None => {}
                Some((0, data)) => self.root.extend(data),
                Some((1, data)) => self.wire.extend(data),
                Some((&other, _)) => return Err(ProbeError::Stream(other)),
            }
        }
        let mut out = Vec::new();
        for (stream, answers) in [(0, self.command_probe(target)?), (1, self.command_wire(target)?)] {
            if !answers.is_empty() {
                cobs::encode(&[&[stream], answers.as_slice()].concat(), &mut out);
            }
        }
        Ok(out)
    }

    fn command_probe(&mut self, target: &mut dyn Target) -> Result<Vec<u8>, ProbeError> {
        let mut out = Vec::new();
        while let Some(&command) = self.root.front() {
            if command == SET_DIVISOR && self.root.len() < 3 {
                break;
            }
            self.root.pop_front();
            match command {
                IDENTIFY => out.extend(IDENTIFIER),
                GET_REFERENCE_CLOCK => out.extend(REFERENCE_CLOCK_HZ.to_le_bytes()),
                GET_DIVISOR => out.extend(self.divisor.to_le_bytes()),
                SET_DIVISOR => {
                    let mut byte = || self.root.pop_front().unwrap_or_default();
                    self.divisor = u16::from_le_bytes([byte(), byte()]);
                }
                ASSERT_RESET => target.set_reset(true),
                CLEAR_RESET => target.set_reset(false),
                other => return Err(ProbeError::Command(other)),
            }
        }
        Ok(out)
    }

    fn command_wire(&mut self, target: &mut dyn Target) -> Result<Vec<u8>, ProbeError> {
        let mut out = Vec::new();
        while let Some(&command) = self.wire.front() {
            let reads = command & SEQUENCE == 0 && command & READ != 0;
            let length = if reads { 1 } else { 5 };
            if self.wire.len() < length {
                break;
            }
            let words: Vec<u8> = self.wire.drain(..length).skip(1).collect();
            let data = words.try_into().map_or(0, u32::from_le_bytes);
            if command & SEQUENCE != 0 {
                let bits = u32::from(command & LENGTH_MASK);
                // Thirty-two bits do not fit into the field, and are written as none.
                self.swd.sequence(if bits == 0 { 32 } else { bits }, data);
                continue;
            }
            if self.swd.is_gone(target) {
                return Err(ProbeError::Gone);
            }
            let register = Register { ap: command & AP != 0, address: command & ADDRESS_MASK };
            match self.swd.transfer(target, register, (!reads).then_some(data)) {
                Outcome::Ok(Some(value)) => {
                    out.push(ACK_OK);
                    out.extend(value.to_le_bytes());
                }
                Outcome::Ok(None) => out.push(NO_DATA | ACK_OK),
                Outcome::Wait => out.push(NO_DATA | ACK_WAIT),
                Outcome::Fault => out.push(NO_DATA | ACK_FAULT),
                Outcome::Error => out.push(ERROR),
            }
            target.pass(self.transfer_time());
        }
        Ok(out)
    }

    fn transfer_time(&self) -> Duration {
        let clock_hz = REFERENCE_CLOCK_HZ / (u32::from(self.divisor) + 1);
        Duration::from_nanos(u64::from(TRANSFER_BITS) * 1_000_000_000 / u64::from(clock_hz.max(1)))
    }
}
