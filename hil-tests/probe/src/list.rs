//! The probes that are plugged in.

use probe_rs::probe::list::{Accessibility, Lister};
use probe_rs::probe::{DebugProbeInfo, DebugProbeSelector};

use crate::choose::{Found, not_allowed};
use crate::event::{Event, tell};

/// Those that fit; without a selector all. A probe behind a TCP port is one of the list only if it is selected.
pub(crate) fn find(selector: Option<&DebugProbeSelector>) -> (Vec<DebugProbeInfo>, Vec<Found>) {
    let items = Lister::new().list_with_access(selector);
    items
        .into_iter()
        .map(|item| {
            let found = Found {
                name: item.info.identifier.clone(),
                selector: written(&item.info),
                accessible: item.accessibility == Accessibility::Accessible,
            };
            (item.info, found)
        })
        .unzip()
}

/// VID:PID, or VID:PID:serial.
fn written(probe: &DebugProbeInfo) -> String {
    let serial = probe.serial_number.as_ref().map_or_else(String::new, |serial| format!(":{serial}"));
    format!("{:04x}:{:04x}{serial}", probe.vendor_id, probe.product_id)
}

/// Tells all of them.
pub(crate) fn run() {
    for found in find(None).1 {
        let advice = (!found.accessible).then(|| not_allowed(&found));
        tell(&Event::Probe { name: &found.name, selector: &found.selector, advice });
    }
}
