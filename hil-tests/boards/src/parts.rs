//! The parts of a board's description that have a shape of their own: image, probe, power, wires, quarantine. Plain data, no
//! YAML.

use std::env;
use std::fmt;

/// A file that is flashed instead of our firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Path, relative to `boards.yaml`.
    pub file: String,
    /// Where in flash; `None`: where the chip's ROM looks for its bootloader.
    pub offset: Option<u32>,
}

/// A debug probe, as `probe-rs` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The chip in `probe-rs`'s words: `STM32F405RGTx`.
    pub chip: String,
    /// Which probe, as VID:PID or VID:PID:serial; `None`: the only one.
    pub selector: Option<String>,
    /// Speed of the debug wires; `None`: what `probe-rs` takes.
    pub speed_khz: Option<u32>,
    /// The chip is held in reset while the probe connects.
    pub connect_under_reset: bool,
    /// The whole flash is erased, files included, not only the sectors that are written.
    pub chip_erase: bool,
}

/// How a board's power is switched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Power {
    /// `uhubctl` switches this port of that hub.
    Uhubctl {
        /// Location of the hub, as `uhubctl -l` takes it: `1-1`.
        hub: String,
        /// Number of the port.
        port: u8,
    },
    /// A command, split at blanks; `{action}` becomes `on` or `off`.
    Command(Vec<String>),
    /// A person pulls the plug.
    Manual,
}

impl Power {
    /// True if nobody has to be at the desk.
    #[must_use]
    pub fn is_automatic(&self) -> bool {
        *self != Self::Manual
    }

    /// The command that switches on or off; `None` if a person does.
    #[must_use]
    pub fn command(&self, on: bool) -> Option<Vec<String>> {
        let action = if on { "on" } else { "off" };
        match self {
            Self::Uhubctl { hub, port } => {
                let port = port.to_string();
                Some(["uhubctl", "-l", hub, "-p", &port, "-a", action].map(String::from).to_vec())
            }
            Self::Command(words) => Some(words.iter().map(|word| word.replace("{action}", action)).collect()),
            Self::Manual => None,
        }
    }
}

/// Text that may come from the environment (`${LAB_PASSWORD}`) and is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// As written in `boards.yaml`.
    pub(crate) fn new(written: String) -> Self {
        Self(written)
    }

    /// Whether it comes from the environment; what stands in `boards.yaml` itself is known to everybody who has the file.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.variable().is_some()
    }

    fn variable(&self) -> Option<&str> {
        self.0.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'))
    }

    /// The text itself.
    ///
    /// # Errors
    /// The variable that is not set.
    pub fn reveal(&self) -> Result<String, String> {
        match self.variable() {
            None => Ok(self.0.clone()),
            Some(name) => env::var(name).map_err(|_| format!("the environment variable {name} is not set")),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(..)")
    }
}

/// A wire from a pin of this board to another pin, of this board or of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire {
    /// Number of the pin on this board.
    pub from: u8,
    /// The role of the other board; `None`: this one.
    pub peer: Option<String>,
    /// Number of the pin at the other end.
    pub to: u8,
}

impl Wire {
    /// Reads `4-5` or `4-second.5`.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad =
            || format!("bad wire '{text}': expected two pins, such as 4-5, or 4-second.5 to another board");
        let (from, end) = text.split_once('-').ok_or_else(bad)?;
        let (peer, to) = match end.rsplit_once('.') {
            Some((peer, to)) if !peer.is_empty() => (Some(peer.to_owned()), to),
            Some(_) => return Err(bad()),
            None => (None, end),
        };
        let pin = |digits: &str| digits.parse::<u8>().map_err(|_| bad());
        Ok(Self { from: pin(from)?, peer, to: pin(to)? })
    }

    /// What a scenario says to need it: `4-second.5`.
    #[must_use]
    pub fn capability(&self) -> String {
        let peer = self.peer.as_ref().map_or_else(String::new, |peer| format!("{peer}."));
        format!("{}-{peer}{}", self.from, self.to)
    }
}

/// A failure that is known and does not fail a run until its day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantine {
    /// Scenarios: a name, with `*` for any text.
    pub scenario: String,
    /// Why.
    pub reason: String,
    /// Who takes care.
    pub owner: String,
    /// Last day, as `2026-12-31`.
    pub until: String,
}

impl Quarantine {
    /// True if the entry is about this scenario.
    #[must_use]
    pub fn covers(&self, scenario: &str) -> bool {
        glob_matches(&self.scenario, scenario)
    }

    /// Checks a day: `2026-12-31`.
    ///
    /// # Errors
    /// What is expected.
    pub(crate) fn day(text: &str) -> Result<String, String> {
        let bad = || format!("bad day '{text}': expected year-month-day, such as 2026-12-31");
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts.as_slice() else { return Err(bad()) };
        let number = |part: &str, digits: usize| {
            let plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| part.parse::<u32>().ok()).flatten()
        };
        let (year, month, day) = match (number(year, 4), number(month, 2), number(day, 2)) {
            (Some(year), Some(month), Some(day)) => (year, month, day),
            _ => return Err(bad()),
        };
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return Err(bad()),
        };
        if (1..=last).contains(&day) { Ok(text.to_owned()) } else { Err(bad()) }
    }
}

/// `*` is any text, `?` any character.
#[must_use]
pub fn glob_matches(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    // Where to go on when the last `*` must take one character more.
    let (mut at, mut seen, mut star) = (0, 0, None);
    while seen < name.len() {
        match glob.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == name[seen] => {
                at += 1;
                seen += 1;
            }
            _ => match star.as_mut() {
                Some((star_at, taken)) => {
                    *taken += 1;
                    (at, seen) = (*star_at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    glob[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::{Power, Quarantine, Secret, Wire, glob_matches};
    use rstest::rstest;

    #[rstest]
    #[case("errors/exit", "errors/exit", true)]
    #[case("errors/*", "errors/exit", true)]
    #[case("*", "os/files", true)]
    #[case("*/f?les", "os/files", true)]
    #[case("os/*s", "os/listdir", false)]
    #[case("os", "os/files", false)]
    #[case("", "os/files", false)]
    #[case("*a*b*", "xxaxxbxx", true)]
    #[case("****************a", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", false)]
    fn globs(#[case] glob: &str, #[case] name: &str, #[case] expected: bool) {
        assert_eq!(glob_matches(glob, name), expected);
    }

    #[test]
    fn power_commands_are_what_uhubctl_takes() {
        let power = Power::Uhubctl { hub: "1-1".into(), port: 2 };
        assert_eq!(power.command(false).unwrap().join(" "), "uhubctl -l 1-1 -p 2 -a off");
        let power = Power::Command(vec!["relay".into(), "7={action}".into()]);
        assert_eq!(power.command(true).unwrap().join(" "), "relay 7=on");
        assert_eq!(Power::Manual.command(true), None);
    }

    #[test]
    fn a_secret_is_never_printed_and_names_its_variable() {
        let secret = Secret::new("${LARCH_NO_SUCH_VARIABLE}".into());
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert_eq!(
            secret.reveal().unwrap_err(),
            "the environment variable LARCH_NO_SUCH_VARIABLE is not set"
        );
        assert_eq!(Secret::new("open sesame".into()).reveal().unwrap(), "open sesame");
    }

    #[test]
    fn wires_are_read() {
        assert_eq!(Wire::parse("4-5").unwrap().capability(), "4-5");
        let wire = Wire::parse("4-second.5").unwrap();
        assert_eq!((wire.from, wire.peer.as_deref(), wire.to), (4, Some("second"), 5));
        assert!(Wire::parse("4").is_err() && Wire::parse("4-.5").is_err() && Wire::parse("4-x").is_err());
    }

    #[rstest]
    #[case("2026-12-31", true)]
    #[case("2028-02-29", true)]
    #[case("2026-02-29", false)]
    #[case("2026-13-01", false)]
    #[case("31.12.2026", false)]
    #[case("26-1-1", false)]
    fn days(#[case] text: &str, #[case] good: bool) {
        assert_eq!(Quarantine::day(text).is_ok(), good);
    }
}
