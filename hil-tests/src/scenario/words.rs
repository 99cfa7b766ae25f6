//! Values of the directives about what is outside of the board: other boards, pins, power, faults.

use super::{AirChange, ApChange, Call, Fault, Step, duration, unknown_word};

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

/// What may be said of an access point; behind `=` stands what in [`ap`].
const AP_WORDS: &[&str] =
    &["on", "off", "deauthenticate", "password", "dhcp", "dns", "loss", "latency", "reorder", "call"];

/// `off`, `dhcp = off`, `loss = 10 %`, `latency = 50ms`; `2 off` is about the second access point.
pub(super) fn ap(value: &str) -> Result<AirChange, String> {
    let number = value.split(' ').next().filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    let (access_point, said) = match number.filter(|word| !word.is_empty()) {
        Some(word) => match word.parse::<usize>() {
            Ok(number) if number > 0 => (number - 1, value[word.len()..].trim()),
            _ => return Err(format!("bad access point '{word}': they count from 1")),
        },
        None => (0, value),
    };
    let (word, argument) = match said.split_once('=') {
        Some((word, argument)) => (word.trim(), Some(argument.trim())),
        None => (said, None),
    };
    let what = match (word, argument) {
        ("on", None) => ApChange::Up(true),
        ("off", None) => ApChange::Up(false),
        ("deauthenticate", None) => ApChange::Deauthenticate,
        ("password", Some(text)) if (8..=63).contains(&text.len()) => ApChange::Password(text.into()),
        ("password", _) => {
            return Err("a WPA2 password has 8 to 63 characters, such as password = correct horse".into());
        }
        ("dhcp", Some(text)) => ApChange::Dhcp(on_off("dhcp", text)?),
        ("dns", Some(text)) => ApChange::Dns(on_off("dns", text)?),
        ("loss", Some(text)) => ApChange::Loss(percent(text)?),
        ("reorder", Some(text)) => ApChange::Reorder(percent(text)?),
        ("latency", Some(text)) => ApChange::Latency(duration(text)?),
        ("call", Some(text)) => call(text)?,
        (word, None) if AP_WORDS[3..].contains(&word) => {
            return Err(format!("'{word}' needs a value, such as dhcp = off, loss = 10 % or latency = 50ms"));
        }
        (word, Some(_)) if AP_WORDS[..3].contains(&word) => return Err(format!("'{word}' takes no value")),
        (word, _) => return Err(unknown_word("ap", word, AP_WORDS)),
    };
    Ok(AirChange { access_point, what })
}

/// What [`ap`] read, for reports; a password is not shown.
pub(super) fn ap_text(what: &ApChange) -> String {
    let on_off = |on: &bool| if *on { "on" } else { "off" };
    match what {
        ApChange::Up(up) => on_off(up).into(),
        ApChange::Deauthenticate => "deauthenticate".into(),
        ApChange::Password(_) => "another password".into(),
        ApChange::Dhcp(answers) => format!("dhcp {}", on_off(answers)),
        ApChange::Dns(answers) => format!("dns {}", on_off(answers)),
        ApChange::Loss(percent) => format!("loss {percent} %"),
        ApChange::Reorder(percent) => format!("reorder {percent} %"),
        ApChange::Latency(time) => format!("latency {time:?}"),
        ApChange::Call(port, _) => format!("call port {port}"),
    }
}

/// `8080`, `8080, say hello`, `8443, tls say hello`
fn call(text: &str) -> Result<ApChange, String> {
    let bad = || format!("bad call '{text}': expected a port and perhaps words, such as 8080, say hello");
    let newline = |words: &str| words.replace("\\r", "\r").replace("\\n", "\n").into_bytes();
    let (port, call) = match text.split_once(',') {
        Some((port, said)) => {
            let (in_tls, said) = match said.trim().strip_prefix("tls ") {
                Some(said) => (true, said),
                None => (false, said.trim()),
            };
            let words = newline(said.strip_prefix("say ").ok_or_else(bad)?);
            (port, if in_tls { Call::Tls(words) } else { Call::Words(words) })
        }
        None => (text, Call::Echo),
    };
    let port = port.trim().parse().ok().filter(|port| *port > 0).ok_or_else(bad)?;
    Ok(ApChange::Call(port, call))
}

/// `10 %`
fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').and_then(|number| number.trim().parse().ok());
    number
        .filter(|percent| *percent <= 100)
        .ok_or_else(|| format!("bad share '{text}': expected such as 10 %"))
}

/// `on` or `off`
fn on_off(what: &str, value: &str) -> Result<bool, String> {
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
