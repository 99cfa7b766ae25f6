//! Serial ports of this machine, and which of them a board hangs on.

use crate::error::Error;
use crate::transport::{self, Returning, Transport};
use serialport::SerialPortType;
use std::io;

/// A serial port of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortInfo {
    /// `/dev/ttyUSB0`, `COM6`.
    pub name: String,
    /// What USB says of it.
    pub usb: Option<UsbInfo>,
}

/// What USB says of a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsbInfo {
    /// Vendor id.
    pub vid: u16,
    /// Product id.
    pub pid: u16,
    /// Serial number.
    pub serial: Option<String>,
    /// Product name.
    pub product: Option<String>,
}

/// Adapters that development boards have: vendor, product (0: any), what they are.
const ADAPTERS: [(u16, u16, &str); 7] = [
    (0x303A, 0x1001, "Espressif USB-Serial-JTAG"),
    (0x303A, 0, "Espressif USB"),
    (0x0403, 0, "FTDI"),
    (0x10C4, 0, "Silicon Labs CP210x"),
    (0x1A86, 0, "WCH CH34x"),
    (0x067B, 0, "Prolific PL2303"),
    (0x2341, 0, "Arduino"),
];

impl PortInfo {
    /// The adapter's make, if it is one that boards have.
    pub fn adapter(&self) -> Option<&'static str> {
        let usb = self.usb.as_ref()?;
        let known = ADAPTERS.iter().find(|(vid, pid, _)| usb.vid == *vid && (*pid == 0 || usb.pid == *pid));
        known.map(|(_, _, name)| *name)
    }

    /// Whether the chip's own USB-Serial-JTAG port.
    pub fn is_usb_jtag(&self) -> bool {
        self.usb.as_ref().is_some_and(|usb| (usb.vid, usb.pid) == (0x303A, 0x1001))
    }
}

/// Conditions on a port, from `--port-filter`: all kinds must hold, of one kind any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    vids: Vec<u16>,
    pids: Vec<u16>,
    names: Vec<String>,
    serials: Vec<String>,
}

impl Filter {
    /// Adds a condition: `vid=0x303a`, `pid=0x1001`, `name=USB`, `serial=A50`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let wrong =
            || format!("'{text}' is no port filter (as vid=0x303a, pid=0x1001, name=USB, serial=A50285BI)");
        let (key, value) = text.split_once('=').ok_or_else(wrong)?;
        let number = || {
            let digits = value.trim_start_matches("0x");
            let radix = if digits.len() < value.len() { 16 } else { 10 };
            u16::from_str_radix(digits, radix).map_err(|_| wrong())
        };
        match key {
            "vid" => self.vids.push(number()?),
            "pid" => self.pids.push(number()?),
            "name" => self.names.push(value.to_owned()),
            "serial" => self.serials.push(value.to_owned()),
            _ => return Err(wrong()),
        }
        Ok(())
    }

    /// Whether the port meets the conditions.
    pub fn allows(&self, port: &PortInfo) -> bool {
        let usb = port.usb.as_ref();
        let among = |wanted: &[u16], have: Option<u16>| {
            wanted.is_empty() || have.is_some_and(|id| wanted.contains(&id))
        };
        let contained = |wanted: &[String], have: Option<&str>| {
            wanted.is_empty()
                || have.is_some_and(|text| wanted.iter().any(|part| text.contains(part.as_str())))
        };
        among(&self.vids, usb.map(|usb| usb.vid))
            && among(&self.pids, usb.map(|usb| usb.pid))
            && contained(&self.names, Some(&port.name))
            && contained(&self.serials, usb.and_then(|usb| usb.serial.as_deref()))
    }
}

/// The serial ports of this machine.
pub fn list() -> Vec<PortInfo> {
    // The library panics where this is missing (containers).
    if cfg!(target_os = "linux") && !std::path::Path::new("/sys/class/tty").exists() {
        return Vec::new();
    }
    let found = serialport::available_ports().unwrap_or_default();
    let mut ports: Vec<PortInfo> = found
        .into_iter()
        .map(|port| PortInfo {
            name: port.port_name,
            usb: match port.port_type {
                SerialPortType::UsbPort(usb) => Some(UsbInfo {
                    vid: usb.vid,
                    pid: usb.pid,
                    serial: usb.serial_number,
                    product: usb.product,
                }),
                _ => None,
            },
        })
        .collect();
    ports.sort_by(|a, b| a.name.cmp(&b.name));
    ports
}

/// The one port that a board hangs on.
///
/// # Errors
/// If there is none, or more than one.
pub fn choose(filter: &Filter) -> Result<PortInfo, Error> {
    let ports: Vec<PortInfo> = list().into_iter().filter(|port| filter.allows(port)).collect();
    let known: Vec<&PortInfo> = ports.iter().filter(|port| port.adapter().is_some()).collect();
    match (known.as_slice(), ports.as_slice()) {
        ([only], _) => Ok((*only).clone()),
        ([], [only]) if *filter != Filter::default() => Ok(only.clone()),
        ([], _) => Err(Error::PortMissing { port: "a serial port with a board".to_owned() }),
        (several, _) => {
            let names: Vec<&str> = several.iter().map(|port| port.name.as_str()).collect();
            Err(Error::Argument(format!(
                "several boards are connected; choose one with --port ({})",
                names.join(", ")
            )))
        }
    }
}

/// Opens a port, with an error that says what to do.
///
/// # Errors
/// If it does not exist, is in use, may not be opened, or does not answer.
pub fn open(port: &str, baud: u32) -> Result<Box<dyn Transport>, Error> {
    let name = port.to_owned();
    let opened = if port.contains("://") { transport::open(port, baud) } else { open_tty(port, baud) };
    opened.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound if !port.contains("://") => Error::PortMissing { port: name },
        io::ErrorKind::ResourceBusy => Error::PortBusy { port: name },
        io::ErrorKind::PermissionDenied => Error::PortDenied { port: name },
        _ => Error::PortOpen { port: name, source },
    })
}

/// A port of this machine, found again by what USB says of it if it comes back under another name.
fn open_tty(port: &str, baud: u32) -> io::Result<Box<dyn Transport>> {
    let name = port.to_owned();
    let usb = list().into_iter().find(|known| known.name == name).and_then(|known| known.usb);
    let open = move |baud| {
        let first = transport::open(&name, baud);
        match (&first, &usb) {
            (Err(error), Some(usb)) if error.kind() == io::ErrorKind::NotFound => {
                match list().into_iter().find(|known| known.usb.as_ref() == Some(usb)) {
                    Some(renamed) => transport::open(&renamed.name, baud),
                    None => first,
                }
            }
            _ => first,
        }
    };
    Ok(Box::new(Returning::new(Box::new(open), baud)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(vid: u16, pid: u16, serial: &str) -> PortInfo {
        let usb = UsbInfo { vid, pid, serial: Some(serial.to_owned()), product: None };
        PortInfo { name: "/dev/ttyUSB0".to_owned(), usb: Some(usb) }
    }

    #[test]
    fn adapters_are_known_by_their_ids() {
        assert_eq!(port(0x0403, 0x6001, "").adapter(), Some("FTDI"));
        assert_eq!(port(0x1234, 1, "").adapter(), None);
        assert!(port(0x303A, 0x1001, "").is_usb_jtag());
    }

    #[test]
    fn filters_are_and_across_kinds_and_or_within() {
        let mut filter = Filter::default();
        for text in ["vid=0x0403", "vid=0x10c4", "serial=A502"] {
            filter.add(text).unwrap();
        }
        assert!(filter.allows(&port(0x0403, 0x6001, "A50285BI")));
        assert!(!filter.allows(&port(0x0403, 0x6001, "B1")));
        assert!(!filter.allows(&port(0x303A, 0x1001, "A50285BI")));
        assert!(filter.add("colour=red").is_err() && filter.add("vid=x").is_err());
    }

    #[test]
    fn a_missing_port_says_so() {
        let error = open("/dev/larch-no-such-port", 115_200).err().expect("no such port");
        assert_eq!(error.code(), 10, "{error}");
        let error = open("socket://127.0.0.1:1", 115_200).err().expect("nobody listens");
        assert_eq!(error.code(), 13, "{error}");
    }
}
