//! Moments and durations as people read them; UTC, since a page is read anywhere.

use crate::date::civil;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// `Mon 23 Nov 2026, 04:09 UTC`
pub(in crate::report) fn moment(unix_s: u64) -> String {
    let weekday = WEEKDAYS[(unix_s / 86_400 % 7) as usize];
    let (hour, minute) = (unix_s / 3600 % 24, unix_s / 60 % 60);
    format!("{weekday} {}, {hour:02}:{minute:02} UTC", day(unix_s))
}

/// `23 Nov 2026`
pub(in crate::report) fn day(unix_s: u64) -> String {
    let (year, month, day) = civil(unix_s);
    format!("{day} {} {year}", MONTHS[month as usize - 1])
}

/// `840 ms`, `6.8 s`, `12 min 4 s`
pub(in crate::report) fn took(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..120_000 => format!("{:.1} s", ms as f64 / 1000.0),
        _ => format!("{} min {} s", ms / 60_000, ms / 1000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "Thu 1 Jan 1970, 00:00 UTC")]
    #[case(951_782_400, "Tue 29 Feb 2000, 00:00 UTC")]
    #[case(1_795_407_000, "Mon 23 Nov 2026, 04:10 UTC")]
    #[case(4_102_444_799, "Thu 31 Dec 2099, 23:59 UTC")]
    fn moments(#[case] unix_s: u64, #[case] shown: &str) {
        assert_eq!(moment(unix_s), shown);
    }

    #[rstest]
    #[case(7, "7 ms")]
    #[case(6_840, "6.8 s")]
    #[case(724_000, "12 min 4 s")]
    fn durations(#[case] ms: u64, #[case] shown: &str) {
        assert_eq!(took(ms), shown);
    }
}
