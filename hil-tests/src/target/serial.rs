//! A real board on a serial port of this machine, or on another machine's through RFC 2217 or TCP.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use larch_boards::{Board, Port, Power, Reset, TtyName};
use larch_loader::transport::Transport;
use larch_loader::{ports, reset};

use super::{labgrid, power};
use crate::session::Console;

/// Speed of every REPL.
const REPL_BAUD: u32 = 115_200;

/// A board on a port.
pub struct Serial {
    transport: Box<dyn Transport>,
    reset: Reset,
    /// To come back after the power was off: a USB board's port goes with its power.
    port: Port,
    power: Option<Power>,
}

/// How long a port may take to come back after the power is on.
const RETURN_LIMIT: Duration = Duration::from_secs(15);

impl Serial {
    /// Opens the board's port.
    ///
    /// # Errors
    /// There is no such port, it is in use, or it may not be opened; the message says which and what to do.
    pub fn open(board: &Board) -> io::Result<Self> {
        let port = port_name(&board.port)?;
        let transport = ports::open(&port, REPL_BAUD).map_err(io::Error::other)?;
        Ok(Self { transport, reset: board.reset, port: board.port.clone(), power: board.power.clone() })
    }

    /// Opens the board's port as soon as it is there.
    ///
    /// # Errors
    /// It is not there within the limit.
    pub fn open_within(board: &Board, limit: Duration) -> io::Result<Self> {
        let transport = wait_for_port(&board.port, limit)?;
        Ok(Self { transport, reset: board.reset, port: board.port.clone(), power: board.power.clone() })
    }
}

impl Console for Serial {
    fn port(&mut self) -> &mut dyn Transport {
        self.transport.as_mut()
    }

    fn hard_reset(&mut self) -> io::Result<()> {
        reset_by(self.transport.as_mut(), self.reset)
    }

    fn power(&mut self, on: bool) -> io::Result<()> {
        let Some(power) = &self.power else {
            return Err(io::Error::other(
                "nothing switches the power of this board (`power:` in boards.yaml)",
            ));
        };
        power::switch(power, on)?;
        if on {
            self.transport = wait_for_port(&self.port, RETURN_LIMIT)?;
            Ok(())
        } else {
            std::thread::sleep(power::OFF_TIME);
            Ok(())
        }
    }
}

/// Resets the board behind a port by the wires that it has.
///
/// # Errors
/// If the port is gone.
pub fn reset_by(port: &mut dyn Transport, wires: Reset) -> io::Result<()> {
    port.discard_input()?;
    match wires {
        Reset::DtrRts | Reset::Rts | Reset::UsbJtag => reset::run(port, reset::HARD),
        Reset::Manual => soft_reboot(port),
    }
}

/// Nobody presses a button between scenarios: interrupt what runs, leave the raw REPL, reboot softly.
fn soft_reboot(port: &mut dyn Transport) -> io::Result<()> {
    for keys in [b"\r\x03", b"\x03\x02"] {
        port.write_all(keys)?;
        port.sleep(Duration::from_millis(200));
    }
    port.discard_input()?;
    port.write_all(b"\x04")
}

fn wait_for_port(port: &Port, limit: Duration) -> io::Result<Box<dyn Transport>> {
    let start = Instant::now();
    loop {
        let opened = port_name(port).and_then(|port| ports::open(&port, REPL_BAUD).map_err(io::Error::other));
        match opened {
            Err(_) if start.elapsed() < limit => std::thread::sleep(Duration::from_millis(200)),
            ended => return ended,
        }
    }
}

/// The port as the loader names it: a device path or a URL.
///
/// # Errors
/// No connected device matches, or several do.
pub fn port_name(port: &Port) -> io::Result<String> {
    match port {
        Port::Tty(TtyName::Path(path)) => Ok(path.clone()),
        Port::Tty(TtyName::ById(name)) => Ok(format!("/dev/serial/by-id/{name}")),
        Port::Tty(TtyName::SerialNumber(wanted)) => {
            find_usb(port, |device| device.serial.as_deref() == Some(wanted.as_str()))
        }
        Port::Tty(TtyName::VidPid(vendor, product)) => {
            find_usb(port, |device| (device.vid, device.pid) == (*vendor, *product))
        }
        Port::Rfc2217(address) => Ok(format!("rfc2217://{address}")),
        Port::Socket(address) => Ok(format!("socket://{address}")),
        Port::Labgrid { place, coordinator } => {
            let address = labgrid::address(place, coordinator.as_deref())?;
            Ok(format!("rfc2217://{address}"))
        }
        Port::Emulator
        | Port::Rtt
        | Port::EmulatedRtt
        | Port::Command(_)
        | Port::Qemu(_)
        | Port::External(_) => Err(io::Error::other("this board has no port on this machine")),
    }
}

fn find_usb(port: &Port, wanted: impl Fn(&ports::UsbInfo) -> bool) -> io::Result<String> {
    let mut found: Vec<String> = ports::list()
        .into_iter()
        .filter(|known| known.usb.as_ref().is_some_and(&wanted))
        .map(|known| known.name)
        .collect();
    let not_found = |why: String| io::Error::new(io::ErrorKind::NotFound, why);
    match (found.pop(), found.is_empty()) {
        (Some(name), true) => Ok(name),
        (Some(name), false) => {
            let others = found.join(", ");
            Err(not_found(format!(
                "{port} is several devices ({name}, {others}); use by-id or serial-number"
            )))
        }
        (None, _) => Err(not_found(format!("no connected device has {port}; is the board plugged in?"))),
    }
}

/// Why the port cannot be there, as far as can be told without opening it.
#[must_use]
pub fn missing(port: &Port) -> Option<String> {
    if let Port::Labgrid { .. } = port {
        // Whether it is there is known once it is ours.
        return labgrid::missing();
    }
    match port_name(port) {
        Err(error) => Some(error.to_string()),
        Ok(name) if name.starts_with('/') && !Path::new(&name).exists() => {
            Some(format!("{name} does not exist; is the board plugged in?"))
        }
        Ok(_) => None,
    }
}
