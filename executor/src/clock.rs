//! Time, as a port: nothing else in this crate asks the host for it.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

/// Where the runner takes its times from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time of day, since 1970-01-01 UTC.
    fn wall(&self) -> Duration;

    /// A time that never goes back; only differences mean something.
    fn monotonic(&self) -> Duration;
}

/// The host's clocks.
#[derive(Debug, Clone)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// Bytes of a time written by [`write_rfc3339_nanos`].
pub const RFC3339_NANOS_BYTES: usize = 30;

/// Writes a time of day as `2006-01-02T15:04:05.000000000Z`, always [`RFC3339_NANOS_BYTES`] long.
pub fn write_rfc3339_nanos(wall: Duration, to: &mut [u8; RFC3339_NANOS_BYTES]) {
    let seconds = wall.as_secs();
    let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_from_days(days);
    let mut put = |at: usize, width: usize, mut value: u64| {
        for digit in to[at..at + width].iter_mut().rev() {
            *digit = b'0' + u8::try_from(value % 10).unwrap_or(0);
            value /= 10;
        }
    };
    put(0, 4, year.min(9_999));
    put(5, 2, month);
    put(8, 2, day);
    put(11, 2, second_of_day / 3_600);
    put(14, 2, second_of_day / 60 % 60);
    put(17, 2, second_of_day % 60);
    put(20, 9, u64::from(wall.subsec_nanos()));
    for (at, byte) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (29, b'Z')] {
        to[at] = byte;
    }
}

/// A time of day as `2006-01-02T15:04:05.000000000Z`.
pub fn rfc3339_nanos(wall: Duration) -> String {
    let mut text = [0; RFC3339_NANOS_BYTES];
    write_rfc3339_nanos(wall, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Year, month and day of a count of days since 1970-01-01, in the Gregorian calendar.
///
/// Eras of 400 years that begin in March make the leap day the last of its year.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339_with_nanoseconds() {
        for (seconds, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_400, 1, "2000-02-29T00:00:00.000000001Z"),
            (1_709_251_199, 999_999_999, "2024-02-29T23:59:59.999999999Z"),
            (4_102_444_800, 0, "2100-01-01T00:00:00.000000000Z"),
        ] {
            assert_eq!(rfc3339_nanos(Duration::new(seconds, nanos)), text);
        }
    }

    #[test]
    fn the_calendar_agrees_with_jiff_on_every_day_of_three_centuries() {
        for day in 0..110_000_u64 {
            let at = Duration::from_secs(day * 86_400 + 3_661);
            let theirs = jiff::Timestamp::from_second(i64::try_from(at.as_secs()).unwrap()).unwrap();
            assert_eq!(rfc3339_nanos(at)[..19], theirs.to_string()[..19]);
        }
    }
}
