//! The console for a debugger: RTT channel 0. What nobody fetches is dropped.

use core::cell::RefCell;

use critical_section::Mutex;
use larch_board::receive;
use rtt_target::{ChannelMode, DownChannel, UpChannel, rtt_init};

static CHANNELS: Mutex<RefCell<Option<(UpChannel, DownChannel)>>> = Mutex::new(RefCell::new(None));

/// Starts. Called once.
pub fn set_up() {
    let channels = rtt_init! {
        up: { 0: { size: 1024, mode: ChannelMode::NoBlockTrim, name: "Terminal" } }
        down: { 0: { size: 64, name: "Terminal" } }
    };
    critical_section::with(|section| {
        CHANNELS.borrow_ref_mut(section).replace((channels.up.0, channels.down.0));
    });
}

/// Offers bytes to the debugger.
pub fn write(bytes: &[u8]) {
    critical_section::with(|section| {
        if let Some((up, _)) = CHANNELS.borrow_ref_mut(section).as_mut() {
            up.write(bytes);
        }
    });
}

/// Takes in what the debugger has written; there is no interrupt for it.
pub fn poll() {
    let mut bytes = [0; 16];
    critical_section::with(|section| {
        if let Some((_, down)) = CHANNELS.borrow_ref_mut(section).as_mut()
            && !receive::is_full()
        {
            let count = down.read(&mut bytes);
            bytes[..count].iter().copied().for_each(receive::push);
        }
    });
}
