//! A debug probe as a server: what unmodified probe-rs drives as a Glasgow over TCP.
//!
//! Layers, each knowing only those before it: [`cobs`] (packets), [`dap`] (debug port and memory access port), [`swd`] (the wire
//! and its faults), [`glasgow`] (the probe's protocol), [`serve`] (the socket). All but the last are functions of bytes.
//!
//! Sources: Arm Debug Interface Architecture Specification ADIv5.2 (IHI 0031); the Glasgow applet's protocol as probe-rs 0.32
//! speaks it (`probe-rs/src/probe/glasgow`).

pub mod cobs;
pub mod dap;
pub mod glasgow;
pub mod serve;
pub mod swd;
#[cfg(test)]
mod tests;

pub use glasgow::Probe;
pub use swd::SwdFaults;

use std::time::Duration;

/// What a probe is wired to.
pub trait Target {
    /// Loads `size` (1, 2, 4) bytes as the debug port does. `None` is a bus fault.
    fn load(&mut self, address: u32, size: u32) -> Option<u32>;
    /// Stores `size` bytes. `None` is a bus fault.
    fn store(&mut self, address: u32, size: u32, value: u32) -> Option<()>;
    /// Reads a register of a further access port, 1 and up; zero where there is none.
    fn load_port(&mut self, _port: u8, _register: u8) -> u32 {
        0
    }
    /// Writes a register of a further access port.
    fn store_port(&mut self, _port: u8, _register: u8, _value: u32) {}
    /// The reset line goes low, or high again.
    fn set_reset(&mut self, low: bool);
    /// Lets time pass.
    fn pass(&mut self, time: Duration);
    /// Simulated time.
    fn now(&self) -> Duration;
    /// Whether the processor executes, so that time that passes may change something.
    fn is_running(&self) -> bool;
    /// Whether its debug port is there: it has power, and no program has taken the port's pins.
    fn answers(&self) -> bool;
}

impl<T: Target + ?Sized> Target for Box<T> {
    fn load(&mut self, address: u32, size: u32) -> Option<u32> {
        (**self).load(address, size)
    }
    fn store(&mut self, address: u32, size: u32, value: u32) -> Option<()> {
        (**self).store(address, size, value)
    }
    fn load_port(&mut self, port: u8, register: u8) -> u32 {
        (**self).load_port(port, register)
    }
    fn store_port(&mut self, port: u8, register: u8, value: u32) {
        (**self).store_port(port, register, value);
    }
    fn set_reset(&mut self, low: bool) {
        (**self).set_reset(low);
    }
    fn pass(&mut self, time: Duration) {
        (**self).pass(time);
    }
    fn now(&self) -> Duration {
        (**self).now()
    }
    fn is_running(&self) -> bool {
        (**self).is_running()
    }
    fn answers(&self) -> bool {
        (**self).answers()
    }
}
