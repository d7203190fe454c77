//! Times as the API writes and reads them: ISO 8601 in UTC without a zone, as the seed did.

use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use ww_wire::UtcMillis;

/// The last millisecond before the year 9999: calendars end there, and a later time is a broken
/// clock.
pub const LAST_MILLIS: u64 = 253_370_764_799_999;

/// `2025-06-19T16:52:26.093000`: UTC, microseconds, no zone.
#[must_use]
pub fn iso(time: UtcMillis) -> String {
    timestamp(time)
        .to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%S%.6f")
        .to_string()
}

/// `Thu, 19 Jun 2025 16:52:26 GMT`, as HTTP writes times (RFC 9110, section 5.6.7).
#[must_use]
pub fn http_date(time: UtcMillis) -> String {
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&timestamp(time))
        .expect("a timestamp has a year of four digits")
}

fn timestamp(time: UtcMillis) -> Timestamp {
    i64::try_from(time.get())
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .unwrap_or(Timestamp::MAX)
}

/// Reads ISO 8601: with `Z` or an offset, or without a zone, which then means UTC; a date alone
/// is its first moment. `None` for anything else and for times before 1970.
#[must_use]
pub fn parse_iso(text: &str) -> Option<UtcMillis> {
    // A `+` that was not escaped in a query string arrives as a blank.
    let mended = match text.rfind(' ') {
        Some(at) if at > 10 => format!("{}+{}", &text[..at], &text[at + 1..]),
        _ => text.to_owned(),
    };
    let time = mended.parse::<Timestamp>().ok().or_else(|| {
        let civil: civil::DateTime = mended.parse().ok()?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })?;
    UtcMillis::new(u64::try_from(time.as_millisecond()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(value: u64) -> Option<UtcMillis> {
        UtcMillis::new(value)
    }

    #[test]
    fn http_has_seconds_and_greenwich() {
        let time = UtcMillis::new(1_750_351_946_093).unwrap();
        assert_eq!(http_date(time), "Thu, 19 Jun 2025 16:52:26 GMT");
        let last = UtcMillis::new(u64::MAX - 1).unwrap();
        assert!(http_date(last).ends_with(" GMT"));
    }

    #[test]
    fn times_are_written_as_the_seed_wrote_them() {
        let time = millis(1_750_351_946_093).unwrap();
        assert_eq!(iso(time), "2025-06-19T16:52:26.093000");
        assert_eq!(
            iso(millis(LAST_MILLIS).unwrap()),
            "9998-12-31T23:59:59.999000"
        );
        assert_eq!(iso(UtcMillis::MAX).len(), 26);
    }

    #[test]
    fn times_are_read_with_and_without_a_zone() {
        let expected = millis(1_750_351_946_000);
        for text in [
            "2025-06-19T16:52:26Z",
            "2025-06-19T16:52:26",
            "2025-06-19T16:52:26.000000",
            "2025-06-19T18:52:26+02:00",
            "2025-06-19T18:52:26 02:00",
            "2025-06-19 16:52:26",
        ] {
            assert_eq!(parse_iso(text), expected, "{text}");
        }
        assert_eq!(parse_iso("2025-06-19"), millis(1_750_291_200_000));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "yesterday", "1969-12-31T23:59:59Z", "2025-13-01", "1e9"] {
            assert_eq!(parse_iso(text), None, "{text}");
        }
    }
}
