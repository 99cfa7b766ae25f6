//! What a port implements.
//!
//! The interpreter and the library reach the outside world through one `&mut dyn Port`. Every trait here is object-safe,
//! so that the interpreter needs no type parameters and is compiled once.
//!
//! Invariants:
//! - No method waits longer than its documentation says; waiting for events is [`Clock::idle`] and nothing else.
//! - [`Console::interrupt_flag`] is the only thing that an interrupt handler and the interpreter share.
#![no_std]
#![forbid(unsafe_code)]

mod block;
mod board;
mod clock;
mod console;
mod espnow;
mod files;
mod lan;
mod pins;
mod sockets;
mod tls;
mod wifi;

pub use block::{BlockDevice, BlockError};
pub use board::{Board, ResetCause};
pub use clock::Clock;
pub use console::Console;
pub use espnow::{Envelope, EspError, EspNow, KEY_LEN, Peer, Traffic};
pub use files::{FileError, FileHandle, FileInfo, FileMode, FileSystem, FileSystemUsage, Whence};
pub use lan::Lan;
pub use pins::{PinError, PinMode, Pins, Pull};
pub use sockets::{Endpoint, Ipv4, NetError, Readiness, SocketId, Sockets, Transport};
pub use tls::{SessionId, Tls, TlsError, TlsFile, TlsSetup, TlsStep, Verify};
pub use wifi::{
    Addresses, Found, Key, Link, Mac, OwnNetwork, Role, Setting, Short, Ssid, Target, Wifi, WifiError,
};

/// A board.
pub trait Port: Console + Clock + Pins + Board {
    /// The flash partition that holds the file system, if the board has one.
    fn storage(&mut self) -> Option<&mut dyn BlockDevice>;

    /// The file system behind `os` and `open`, if there is one.
    fn files(&mut self) -> Option<&mut dyn FileSystem> {
        None
    }

    /// Wi-Fi, if the board has it.
    fn wifi(&mut self) -> Option<&mut dyn Wifi> {
        None
    }

    /// ESP-NOW, if the board has it.
    fn espnow(&mut self) -> Option<&mut dyn EspNow> {
        None
    }

    /// A wired network, if the board has one.
    fn lan(&mut self) -> Option<&mut dyn Lan> {
        None
    }

    /// TLS, if the board has it.
    fn tls(&mut self) -> Option<&mut dyn Tls> {
        None
    }

    /// Sockets, if there is a network.
    fn sockets(&mut self) -> Option<&mut dyn Sockets> {
        None
    }
}
