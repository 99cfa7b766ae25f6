//! Values of the directives about what is outside of the board: other boards, pins, power, faults.

use super::{Fault, Step, unknown_word};

/// A role of a board: `second`.
pub(super) fn role(value: &str) -> Result<&str, String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if value.is_empty() || !value.bytes().all(fits) {
        return Err(format!("bad role '{value}': a word of a-z, 0-9 and '-', such as second"));
    }
    Ok(value)
}

/// `4 = high`
pub(super) fn pin(value: &str) -> Result<Step, String> {
    let bad = || format!("bad pin '{value}': expected a number and high, low or open, such as 4 = high");
    let (pin, level) = value.split_once('=').ok_or_else(bad)?;
    let level = match level.trim() {
        "high" => Some(true),
        "low" => Some(false),
        "open" => None,
        _ => return Err(bad()),
    };
    Ok(Step::Pin { pin: pin.trim().parse().map_err(|_| bad())?, level })
}

/// `on`, `off` or `cycle`
pub(super) fn power(value: &str) -> Result<Vec<Step>, String> {
    match value {
        "cycle" => Ok(vec![Step::Power { on: false }, Step::Power { on: true }]),
        "on" => Ok(vec![Step::Power { on: true }]),
        "off" => Ok(vec![Step::Power { on: false }]),
        other => Err(unknown_word("power", other, &["on", "off", "cycle"])),
    }
}

/// `on` or `off`
pub(super) fn on_off(what: &str, value: &str) -> Result<bool, String> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(unknown_word(what, other, &["on", "off"])),
    }
}

/// `lose byte 3`, `damage byte 3`, `power cut at flash operation 3`
pub(super) fn fault(value: &str) -> Result<Fault, String> {
    const FAULTS: &[&str] = &["power cut at flash operation", "lose byte", "damage byte"];
    let (words, count) = value.rsplit_once(' ').unwrap_or((value, ""));
    let kind: fn(u64) -> Fault = match words.trim() {
        "power cut at flash operation" => Fault::PowerCut,
        "lose byte" => Fault::LoseByte,
        "damage byte" => Fault::DamageByte,
        other => return Err(unknown_word("fault", other, FAULTS)),
    };
    match count.parse() {
        Ok(count) if count > 0 => Ok(kind(count)),
        _ => Err(format!("bad fault '{value}': it ends with a number from 1 on")),
    }
}
