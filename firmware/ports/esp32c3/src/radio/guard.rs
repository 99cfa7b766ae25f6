//! Keeps damaged frames from functions of the vendor's library that do not look at lengths. Anybody in reach can send such frames,
//! and the board restarted.
//!
//! The linker's `--wrap` (`build.rs` has the list) leads whoever names one of them here, and `__real_…` to the vendor's. It does so for
//! callers in other files of the library only; all callers are:
//! - `sta_rx_cb`, `ap_rx_cb`: named in `ieee80211.o`, called with each frame that an interface gets. What they call takes a header of 24
//!   or 28 bytes from the length, without looking; the rest wraps to 65532 bytes, and beacons are read to the end of memory.
//! - `ieee80211_parse_rsn`, `ieee80211_parse_wpa`: called in `ieee80211_scan.o`, before joining. A count of suites may lead behind the
//!   element; then the number of key identifiers, from anywhere, is believed.
//! - `ieee80211_decap_amsdu`: called in `ieee80211_sta.o` and `ieee80211_hostap.o` with a frame that carries several packets, each of
//!   which says its length; so many bytes are copied.
//!
//! Invariant: what is refused is answered as the vendor's function answers what it refuses: a frame goes back to the driver's pool; an
//! element gives 0, and nothing is kept of it.
//!
//! Source: disassembly of `libnet80211.a` and `libpp.a` of esp-wifi-sys-esp32c3 0.3.0; to be looked at again with another version.

use core::ffi::{c_int, c_void};
use core::{ptr, slice};

use esp_wifi_sys_esp32c3::include::wifi_pkt_rx_ctrl_t as Reception;
use larch_board::ieee80211::{are_packets_whole, has_header, is_rsn_whole, is_wpa_whole};

/// What the driver makes of a frame's header: room for the header of an Ethernet frame.
const ETHERNET_HEADER: usize = 14;
/// Bytes of the check sequence, which the length of a frame includes.
const CHECK_SEQUENCE: usize = 4;

/// What the driver has of a received frame.
#[repr(C)]
struct Packet {
    _next: *const c_void,
    buffer: *const Buffer,
    _last: *const c_void,
    _buffers: u32,
    reception: *const Reception,
    _header: u16,
    length: u16,
}

#[repr(C)]
struct Buffer {
    _sizes: u32,
    frame: *const u8,
}

/// What was found in a beacon, as far as it is needed here.
#[repr(C)]
struct Beacon {
    _others: [u32; 13],
    wpa: *const u8,
}

unsafe extern "C" {
    fn __real_sta_rx_cb(packet: *mut Packet, rssi: c_int, noise: c_int) -> c_int;
    fn __real_ap_rx_cb(packet: *mut Packet, rssi: c_int, noise: c_int) -> c_int;
    fn __real_ieee80211_parse_rsn(beacon: *mut Beacon, element: *const u8) -> c_int;
    fn __real_ieee80211_parse_wpa(beacon: *mut Beacon) -> c_int;
    fn __real_ieee80211_decap_amsdu(interface: *mut c_void, packet: *mut Packet) -> *mut Packet;
    fn ic_ebuf_recycle_rx(packet: *mut Packet);
}

/// Whether a frame may go on; if not, it is given back.
///
/// # Safety
/// The driver's own received frame.
unsafe fn goes_on(packet: *mut Packet) -> bool {
    // SAFETY: as this function's; the receiver has written as many bytes as it says.
    let is_whole = unsafe {
        let length = usize::from((*(*packet).reception).sig_len() as u16);
        has_header(slice::from_raw_parts((*(*packet).buffer).frame, length.saturating_sub(CHECK_SEQUENCE)))
    };
    if !is_whole {
        // SAFETY: whoever gets a frame gives it back; nobody else has this one.
        unsafe { ic_ebuf_recycle_rx(packet) };
    }
    is_whole
}

/// What follows the length of an element.
///
/// # Safety
/// A whole element, as all are that the driver takes from a beacon.
unsafe fn value<'a>(element: *const u8) -> &'a [u8] {
    // SAFETY: as this function's.
    unsafe { slice::from_raw_parts(element.add(2), usize::from(*element.add(1))) }
}

/// A frame for the station.
///
/// # Safety
/// As the driver calls its own.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_sta_rx_cb(packet: *mut Packet, rssi: c_int, noise: c_int) -> c_int {
    // SAFETY: as this function's.
    unsafe { if goes_on(packet) { __real_sta_rx_cb(packet, rssi, noise) } else { 0 } }
}

/// A frame for the access point.
///
/// # Safety
/// As the driver calls its own.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_ap_rx_cb(packet: *mut Packet, rssi: c_int, noise: c_int) -> c_int {
    // SAFETY: as this function's.
    unsafe { if goes_on(packet) { __real_ap_rx_cb(packet, rssi, noise) } else { 0 } }
}

/// The RSN element of a network that is about to be joined; none is refused.
///
/// # Safety
/// As the driver calls its own.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_ieee80211_parse_rsn(beacon: *mut Beacon, element: *const u8) -> c_int {
    // SAFETY: as this function's.
    unsafe {
        if element.is_null() || !is_rsn_whole(value(element)) {
            return 0;
        }
        __real_ieee80211_parse_rsn(beacon, element)
    }
}

/// The WPA element of a network that is about to be joined; none is refused.
///
/// # Safety
/// As the driver calls its own.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_ieee80211_parse_wpa(beacon: *mut Beacon) -> c_int {
    // SAFETY: as this function's.
    unsafe {
        let element = (*beacon).wpa;
        if element.is_null() || !is_wpa_whole(value(element)) {
            return 0;
        }
        __real_ieee80211_parse_wpa(beacon)
    }
}

/// A frame that carries several packets; none of it is left afterwards, in any case.
///
/// # Safety
/// As the driver calls its own.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_ieee80211_decap_amsdu(
    interface: *mut c_void,
    packet: *mut Packet,
) -> *mut Packet {
    // SAFETY: as this function's; the length is that of the frame that the driver has before it, Ethernet header included.
    unsafe {
        let frame = slice::from_raw_parts((*(*packet).buffer).frame, usize::from((*packet).length));
        if frame.get(ETHERNET_HEADER..).is_some_and(are_packets_whole) {
            return __real_ieee80211_decap_amsdu(interface, packet);
        }
        ic_ebuf_recycle_rx(packet);
    }
    ptr::null_mut()
}
