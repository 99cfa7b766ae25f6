//! Days of the calendar, as in quarantines: `2026-12-31`. Source of the algorithm: Howard Hinnant, "chrono-Compatible Low-Level Date
//! Algorithms" (`civil_from_days`).

use std::time::{SystemTime, UNIX_EPOCH};

/// Today in UTC.
#[must_use]
pub fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    day(seconds)
}

/// The day of a moment, given in seconds since 1970.
#[must_use]
pub fn day(unix_s: u64) -> String {
    let (year, month, day) = civil(unix_s);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of the month of a moment, given in seconds since 1970.
pub(crate) fn civil(unix_s: u64) -> (u64, u64, u64) {
    // Days since 0000-03-01, in eras of 400 years.
    let days = unix_s / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(951_782_400), "2000-02-29");
        assert_eq!(day(951_868_799), "2000-02-29");
        assert_eq!(day(1_798_675_200), "2026-12-31");
    }
}
