//! What chip and what flash.

use crate::arguments::Verb;
use crate::report::Reporter;
use larch_loader::{Error, Loader};
use serde_json::json;

pub fn run(loader: &mut Loader<'_>, verb: &Verb, reporter: &Reporter) -> Result<(), Error> {
    match verb {
        Verb::ReadMac | Verb::ChipId => identity(loader, reporter),
        Verb::FlashId { .. } => flash(loader, reporter),
        Verb::GetSecurityInfo => security(loader, reporter),
        _ => {
            identity(loader, reporter)?;
            flash(loader, reporter)?;
            if loader.chip().rom.security_info { security(loader, reporter) } else { Ok(()) }
        }
    }
}

fn identity(loader: &Loader<'_>, reporter: &Reporter) -> Result<(), Error> {
    let Some(info) = loader.info() else {
        let why = "in secure download mode".to_owned();
        return Err(Error::Unsupported { what: "reading the MAC".to_owned(), why });
    };
    let mac = info.mac.to_string();
    reporter.result(&format!("MAC: {mac}"), "mac", json!(mac));
    Ok(())
}

fn flash(loader: &mut Loader<'_>, reporter: &Reporter) -> Result<(), Error> {
    let flash = loader.flash()?;
    let size = flash.size.map_or("unknown", |size| size.name());
    reporter.result(
        &format!("Manufacturer: {:02x}", flash.manufacturer()),
        "manufacturer",
        json!(flash.manufacturer()),
    );
    reporter.result(&format!("Device: {:04x}", flash.device()), "device", json!(flash.device()));
    reporter.result(&format!("Detected flash size: {size}"), "flash_size", json!(size));
    Ok(())
}

/// Key blocks that have a purpose.
const KEY_BLOCKS: usize = 6;
/// Purposes by number. Source: ESP-IDF `components/efuse/<chip>/include/esp_efuse_chip.h`, `esp_efuse_purpose_t`.
const KEY_PURPOSES: [&str; 12] = [
    "USER/EMPTY",
    "RESERVED",
    "XTS_AES_256_KEY_1",
    "XTS_AES_256_KEY_2",
    "XTS_AES_128_KEY",
    "HMAC_DOWN_ALL",
    "HMAC_DOWN_JTAG",
    "HMAC_DOWN_DIGITAL_SIGNATURE",
    "HMAC_UP",
    "SECURE_BOOT_DIGEST0",
    "SECURE_BOOT_DIGEST1",
    "SECURE_BOOT_DIGEST2",
];

fn security(loader: &mut Loader<'_>, reporter: &Reporter) -> Result<(), Error> {
    let security = loader.security_info()?;
    let flags = security.flags.0;
    reporter.result(&format!("Flags: 0x{flags:08x}"), "flags", json!(flags));
    for (bit, name) in larch_protocol::SecurityFlags::NAMES {
        if flags >> bit & 1 != 0 {
            reporter.result(&format!("   {name}"), "flag", json!(name));
        }
    }
    let purposes = security.key_purposes;
    let named = purposes.map(|purpose| KEY_PURPOSES.get(usize::from(purpose)).copied().unwrap_or("RESERVED"));
    for (number, name) in named.iter().enumerate().take(KEY_BLOCKS) {
        reporter.result(
            &format!("BLOCK_KEY{number}: {name}"),
            "key_purpose",
            json!({ "block": number, "purpose": name }),
        );
    }
    let secure_boot = if security.flags.secure_boot() { "enabled" } else { "disabled" };
    reporter.result(&format!("Secure boot: {secure_boot}"), "secure_boot", json!(secure_boot));
    let count = security.flash_crypt_count;
    let state = if count.count_ones() % 2 == 1 { "enabled" } else { "disabled" };
    reporter.result(
        &format!("Flash encryption: {state} (counter 0x{count:x})"),
        "flash_encryption",
        json!(state),
    );
    if let Some((chip, version)) = security.chip {
        reporter.result(&format!("Chip id: {chip}, API version: {version}"), "chip_id", json!(chip));
    }
    Ok(())
}

/// Every eFuse field whose name contains `filter`.
pub fn efuses(loader: &mut Loader<'_>, filter: Option<&str>, reporter: &Reporter) -> Result<(), Error> {
    let wanted = filter.unwrap_or_default().to_ascii_uppercase();
    let fields = loader.efuse_summary(&wanted)?;
    if fields.is_empty() {
        return Err(Error::Argument(format!("no eFuse field of this chip has '{wanted}' in its name")));
    }
    for field in fields {
        let number =
            field.value.number().map_or_else(|| json!(field.value.to_string()), |number| json!(number));
        let text = format!(
            "{:<36} BLOCK{:<2} bit {:>3}, {:>3} bits = {}",
            field.name, field.block, field.bit, field.width, field.value
        );
        let value = json!({
            "name": field.name, "block": field.block, "bit": field.bit, "bits": field.width, "value": number,
        });
        reporter.result(&text, "efuse", value);
    }
    Ok(())
}
