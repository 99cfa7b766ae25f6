//! Flashes ESP chips over their serial port, as esptool does.
//!
//! Invariant: nothing here can tell an emulated board from a real one; all I/O and all time goes through
//! [`transport::Transport`].
//!
//! A session is: [`transport::open`], [`Loader::connect`], verbs ([`Loader::write_flash`] and so on),
//! [`Loader::finish`]. What happens is told to an [`Observer`].
#![forbid(unsafe_code)]

pub mod chip;
pub mod connect;
mod desk;
pub mod diagnosis;
mod dialect;
mod efuse;
mod error;
mod event;
mod finish;
pub mod flash;
mod link;
mod memory;
pub mod ports;
mod reach;
mod recover;
pub mod reset;
mod retry;
mod speed;
mod stub;
pub mod transport;

pub use chip::ChipInfo;
pub use connect::{Before, Loader, Options, Patience};
pub use dialect::{Dialect, Flavour};
pub use efuse::{EfuseReading, EfuseValue};
pub use error::Error;
pub use event::{Event, Observer};
pub use finish::After;
pub use larch_image::merge::Blob;
pub use larch_image::stub::Stub;
pub use stub::own_stub;
