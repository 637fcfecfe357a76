//! Times and days as pages show them: the same everywhere, with the machine's form beside it.

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};

use crate::domain::zone::Zone;
use crate::wording::time::{LocalTime, distance};

/// An instant, in a team's zone; the script adds the viewer's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// RFC 3339, for `datetime`.
    pub machine: String,
    /// `Wed 25 Nov, 09:00`, with the year where it is another one.
    pub text: String,
    /// `in 3 h 55 min`
    pub distance: String,
    /// Name of the zone.
    pub zone: String,
}

impl When {
    /// An instant as seen from `now` in the zone of an IANA name.
    pub fn new(at: DateTime<Utc>, zone: &str, now: DateTime<Utc>) -> Self {
        let local = Zone::find(zone).unwrap_or_else(Zone::utc).local(at);
        let format = if local.year() == now.year() {
            "%a %-d %b, %H:%M"
        } else {
            "%a %-d %b %Y, %H:%M"
        };
        Self {
            machine: at.to_rfc3339_opts(SecondsFormat::Secs, true),
            text: local.format(format).to_string(),
            distance: distance(at, now),
            zone: LocalTime::new(zone).name().to_owned(),
        }
    }

    /// An instant in UTC, to the second: for logs.
    pub fn utc(at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self {
            text: at.format("%-d %b %Y, %H:%M:%S").to_string(),
            ..Self::new(at, "UTC", now)
        }
    }
}

/// `Mon 30 Nov`, with the year where it is another than `today`'s.
pub fn day(date: NaiveDate, today: NaiveDate) -> String {
    let format = if date.year() == today.year() {
        "%a %-d %b"
    } else {
        "%a %-d %b %Y"
    };
    date.format(format).to_string()
}

/// `30 Nov – 6 Dec`, `30 Nov` for one day; with years where one is another than `today`'s.
pub fn days(start: NaiveDate, end: NaiveDate, today: NaiveDate) -> String {
    let format = |date: NaiveDate, with_month: bool| {
        let is_far = date.year() != today.year();
        let pattern = match (with_month, is_far) {
            (_, true) => "%-d %b %Y",
            (true, false) => "%-d %b",
            (false, false) => "%-d",
        };
        date.format(pattern).to_string()
    };
    if start == end {
        return format(start, true);
    }
    let is_one_month = (start.year(), start.month()) == (end.year(), end.month());
    format!("{} – {}", format(start, !is_one_month), format(end, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_as_short_as_they_can_be() {
        let today = date("2026-11-26");
        let days = |start, end| super::days(date(start), date(end), today);
        assert_eq!(days("2026-11-23", "2026-11-29"), "23 – 29 Nov");
        assert_eq!(days("2026-11-30", "2026-12-06"), "30 Nov – 6 Dec");
        assert_eq!(days("2026-11-30", "2026-11-30"), "30 Nov");
        assert_eq!(days("2026-12-28", "2027-01-03"), "28 Dec – 3 Jan 2027");
        assert_eq!(day(date("2027-01-03"), today), "Sun 3 Jan 2027");
    }

    #[test]
    fn an_instant_is_shown_in_the_teams_zone() {
        let now = "2026-11-26T12:00:00Z".parse().unwrap();
        let at = "2026-11-27T08:00:00Z".parse().unwrap();
        let when = When::new(at, "Europe/Berlin", now);
        assert_eq!(when.text, "Fri 27 Nov, 09:00");
        assert_eq!(when.machine, "2026-11-27T08:00:00Z");
        assert_eq!(when.distance, "in 20 h");
    }
}
