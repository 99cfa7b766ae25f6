//! The probes that are plugged in.

use probe_rs::probe::list::Lister;
use probe_rs::probe::{Accessibility, DebugProbeInfo};

use crate::event::{Event, tell};

/// VID:PID, or VID:PID:SERIAL.
pub(crate) fn selector(probe: &DebugProbeInfo) -> String {
    let serial = probe.serial_number.as_ref().map_or_else(String::new, |serial| format!(":{serial}"));
    format!("{:04x}:{:04x}{serial}", probe.vendor_id, probe.product_id)
}

/// Tells all of them.
pub(crate) fn run() {
    for item in Lister::new().list_all_with_access() {
        let accessible = !matches!(item.accessibility, Accessibility::PermissionDenied { .. });
        let name = item.info.identifier.as_str();
        tell(&Event::Probe { name, selector: selector(&item.info), accessible });
    }
}
