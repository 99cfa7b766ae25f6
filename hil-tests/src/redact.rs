//! Typed redactions: what may differ between two runs, two boards or two versions, replaced by its name.
//!
//! A scenario lists the kinds it uses; nothing is replaced that it did not ask for.

use std::sync::LazyLock;

use larch_boards::nearest;
use regex_lite::Regex;

macro_rules! redactions {
    ($($(#[$doc:meta])* $kind:ident = $word:literal: $pattern:literal => $replacement:literal),+ $(,)?) => {
        /// A kind of text that is not compared.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Redaction { $($(#[$doc])* $kind),+ }

        impl Redaction {
            /// Every word that `# redact:` knows.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            pub(crate) fn from_word(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$kind),)+
                    other => {
                        let meant = nearest(other, Self::WORDS)
                            .map_or_else(String::new, |near| format!(", did you mean '{near}'?"));
                        Err(format!("unknown redaction '{other}'{meant} (one of: {})", Self::WORDS.join(", ")))
                    }
                }
            }

            /// The text with every occurrence replaced.
            #[must_use]
            pub fn apply(self, text: &str) -> String {
                match self {
                    $(Self::$kind => {
                        static PATTERN: LazyLock<Regex> =
                            LazyLock::new(|| Regex::new($pattern).expect("the pattern is a constant"));
                        PATTERN.replace_all(text, $replacement).into_owned()
                    })+
                }
            }
        }
    };
}

redactions! {
    /// The whole first line of the banner.
    Banner = "banner": r"MicroPython [^\n]+ on [^\n]+; [^\n]+" => "[banner]",
    /// The version in the banner and in `os.uname()`: `v1.29.0-larch.0.1.0`.
    Version = "version": r"\bv\d+\.\d+[^\s;']*" => "[version]",
    /// The release without its `v`, in quotes: `'1.29.0'`.
    Release = "release": r"'\d+\.\d+[^']*'" => "'[release]'",
    /// A day: `2026-11-25`.
    Date = "date": r"\b\d{4}-\d\d-\d\d\b" => "[date]",
    /// Board and chip, after the date in the banner and in quotes in `os.uname()`.
    Machine = "machine": r"\b[^ ;'=]+[^;'\n=]* with [^\n']+" => "[machine]",
    /// An address in a `repr`: `at 0x3fc8a1b0` or a bare `0x3fc8a1b0`.
    Address = "address": r"0x[0-9a-f]{5,16}\b|\b[0-9a-f]{12}\b" => "[address]",
    /// A number of four digits or more: free bytes, blocks, ticks.
    Number = "number": r"\b\d{4,}\b" => "[number]",
    /// A time with its unit: `12 ms`.
    Milliseconds = "ms": r"\b\d+ ?ms\b" => "[ms]",
    /// An Ethernet address: `60:55:f9:00:00:01`.
    Mac = "mac": r"\b[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}\b" => "[mac]",
    /// An IPv4 address.
    Ip = "ip": r"\b\d{1,3}(\.\d{1,3}){3}\b" => "[ip]",
    /// The addresses and lengths in the boot log of ROM and bootloader.
    Load = "load": r"(load:|entry |paddr=)(0x)?[0-9a-f]+(,len:0x[0-9a-f]+| vaddr=[0-9a-f]+ size=[0-9a-f]+h \( *\d+\))?"
        => "$1[place]",
    /// The lines in which a second-stage bootloader lists the segments of an application: how many there are, and which are
    /// mapped, changes with the size of what is linked.
    Segments = "segments": r"(?:[^\n]*esp_image: segment \d+:[^\n]*\n)+" => "[segments]\n",
    /// The time in front of a second-stage bootloader's lines: `I (24) boot:`.
    LogTime = "log-time": r"([IWE]) \(\d+\)" => "$1 ([ms])",
}

#[cfg(test)]
mod tests {
    use super::Redaction;
    use rstest::rstest;

    #[rstest]
    #[case(
        "version",
        "MicroPython v1.29.0-larch.0.1.0 on 2026-11-25; x",
        "MicroPython [version] on 2026-11-25; x"
    )]
    #[case("date", "on 2026-11-25; x", "on [date]; x")]
    #[case("machine", "on d; ESP32C3 module with ESP32C3", "on d; [machine]")]
    #[case("machine", "machine='ESP32C3 module with ESP32C3')", "machine='[machine]')")]
    #[case("release", "release='1.29.0', version='v1'", "release='[release]', version='v1'")]
    #[case("address", "<function f at 0x3fc8a1b0>", "<function f at [address]>")]
    #[case("number", "(4096, 512, 12)", "([number], 512, 12)")]
    #[case("mac", "MAC 60:55:f9:00:00:01.", "MAC [mac].")]
    #[case("ip", "('192.168.0.187', 1)", "('[ip]', 1)")]
    #[case("load", "load:0x3fcd6100,len:0x121c\nentry 0x403ce000", "load:[place]\nentry [place]")]
    #[case("load", "paddr=00010020 vaddr=3c000020 size=1233ch ( 74556) map", "paddr=[place] map")]
    #[case(
        "segments",
        "a\nI (1) esp_image: segment 0: x map\nI (2) esp_image: segment 1: y\nb",
        "a\n[segments]\nb"
    )]
    #[case("version", "ESP-IDF v6.1-829\nI (1) boot", "ESP-IDF [version]\nI (1) boot")]
    #[case("log-time", "I (24) boot: x", "I ([ms]) boot: x")]
    fn a_kind_replaces_only_its_own(#[case] kind: &str, #[case] text: &str, #[case] expected: &str) {
        assert_eq!(Redaction::from_word(kind).unwrap().apply(text), expected);
    }
}
