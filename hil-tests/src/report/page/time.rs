//! Moments and durations as people read them; UTC, since a page is read anywhere.

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
    let (year, month, day) = civil(unix_s / 86_400);
    format!("{day} {} {year}", MONTHS[month as usize - 1])
}

/// Year, month and day of a day since 1970, in the Gregorian calendar (H. Hinnant, "chrono-compatible low-level date
/// algorithms", `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
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
