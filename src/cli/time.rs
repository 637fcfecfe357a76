//! Times as people write them on the command line; how they read them is `wording`'s.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

pub(super) use crate::wording::time::{LocalTime, day, days, distance, stamp};

/// Reads an instant from the command line.
///
/// # Errors
/// What was expected.
pub(super) fn parse_instant(text: &str) -> Result<DateTime<Utc>, String> {
    let with_zone = |format| DateTime::parse_from_str(text, format).ok();
    let parsed = DateTime::parse_from_rfc3339(text).ok();
    let parsed = parsed.or_else(|| with_zone("%Y-%m-%dT%H:%M%#z"));
    let parsed = parsed.or_else(|| with_zone("%Y-%m-%d %H:%M%#z"));
    parsed.map(|at| at.to_utc()).ok_or_else(|| {
        "expected a time with its offset (RFC 3339), such as 2026-11-30T09:00:00+01:00 or \
         2026-11-30T08:00Z"
            .to_owned()
    })
}

/// Reads a date from the command line.
///
/// # Errors
/// What was expected.
pub(super) fn parse_date(text: &str) -> Result<NaiveDate, String> {
    let shape = text.len() == 10 && text.is_ascii();
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    date.filter(|_| shape)
        .ok_or_else(|| "expected a date as YYYY-MM-DD".to_owned())
}

/// An instant as the API takes it.
pub(super) fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        parse_instant(text).unwrap()
    }

    #[test]
    fn dates_and_times_are_read_strictly() {
        assert_eq!(at("2026-11-30T09:00:00+01:00"), at("2026-11-30 08:00Z"));
        for bad in ["2026-11-30", "2026-11-30T09:00", "09:00", "tomorrow", ""] {
            assert!(parse_instant(bad).is_err(), "{bad}");
        }
        assert_eq!(day(parse_date("2026-11-30").unwrap()), "Mon 30 Nov 2026");
        for bad in ["2026-1-5", "30.11.2026", "2026-02-30", "2026-11-30T"] {
            assert!(parse_date(bad).is_err(), "{bad}");
        }
        assert_eq!(
            rfc3339(at("2026-11-30T09:00+01:00")),
            "2026-11-30T08:00:00Z"
        );
    }
}
