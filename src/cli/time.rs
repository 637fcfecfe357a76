//! Times as people read them, and as they write them on the command line.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeDelta, Utc};

use crate::domain::zone::Zone;

/// A zone and the name to show with its times.
#[derive(Clone, Debug)]
pub(super) struct LocalTime {
    zone: Zone,
    name: String,
}

impl LocalTime {
    /// The times of an IANA zone; of UTC where the rules here don't know it.
    pub(super) fn new(timezone: &str) -> Self {
        let found = Zone::find(timezone).map(|zone| (zone, timezone));
        let (zone, name) = found.unwrap_or_else(|| (Zone::utc(), "UTC"));
        let name = name.to_owned();
        Self { zone, name }
    }

    /// The zone's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// `Mon 30 Nov 2026 09:00`; the second of two that read the same bears its offset.
    pub(super) fn short(&self, at: DateTime<Utc>) -> String {
        let wall = self.zone.local(at);
        let text = wall.format("%a %-d %b %Y %H:%M").to_string();
        if self.zone.instant(wall.date(), wall.time()) >= at - TimeDelta::seconds(1) {
            return text;
        }
        format!("{text} ({})", offset(wall, at))
    }

    /// `Mon 30 Nov 2026 09:00 Europe/Berlin`
    pub(super) fn full(&self, at: DateTime<Utc>) -> String {
        format!("{} {}", self.short(at), self.name)
    }

    /// `Mon 30 Nov 2026 09:00 Europe/Berlin (in 3 h 55 min)`
    pub(super) fn with_distance(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
        format!("{} ({})", self.full(at), distance(at, now))
    }
}

fn offset(wall: NaiveDateTime, at: DateTime<Utc>) -> String {
    let minutes = (wall - at.naive_utc()).num_minutes();
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.abs();
    format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// `2026-11-30 09:00:05 UTC`, for logs.
pub(super) fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `Mon 30 Nov 2026`
pub(super) fn day(date: NaiveDate) -> String {
    date.format("%a %-d %b %Y").to_string()
}

/// `Mon 30 Nov 2026 to Sun 6 Dec 2026`, or the one day.
pub(super) fn days(start: NaiveDate, end: NaiveDate) -> String {
    if start == end {
        day(start)
    } else {
        format!("{} to {}", day(start), day(end))
    }
}

/// How far away an instant is: `in 3 h 55 min`, `2 days ago`, `now`.
pub(super) fn distance(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let length = length((at - now).abs());
    match length {
        None => "now".to_owned(),
        Some(length) if at > now => format!("in {length}"),
        Some(length) => format!("{length} ago"),
    }
}

/// The two largest units; none below a minute.
fn length(length: TimeDelta) -> Option<String> {
    let minutes = length.num_minutes();
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let day = if days == 1 { "day" } else { "days" };
    match (days, hours, rest) {
        (0, 0, 0) => None,
        (0, 0, _) => Some(format!("{rest} min")),
        (0, _, 0) => Some(format!("{hours} h")),
        (0, _, _) => Some(format!("{hours} h {rest} min")),
        (1..7, 1.., _) => Some(format!("{days} {day} {hours} h")),
        _ => Some(format!("{days} {day}")),
    }
}

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
    fn local_times_name_their_zone() {
        let berlin = LocalTime::new("Europe/Berlin");
        let instant = at("2026-11-30T08:00:00Z");
        assert_eq!(berlin.full(instant), "Mon 30 Nov 2026 09:00 Europe/Berlin");
        assert_eq!(
            berlin.with_distance(instant, at("2026-11-30T04:05Z")),
            "Mon 30 Nov 2026 09:00 Europe/Berlin (in 3 h 55 min)"
        );
        assert_eq!(
            LocalTime::new("Mars/Olympus").full(instant),
            "Mon 30 Nov 2026 08:00 UTC"
        );
    }

    #[test]
    fn the_second_of_two_equal_times_bears_its_offset() {
        let berlin = LocalTime::new("Europe/Berlin");
        let first = at("2026-10-25T00:30:00Z");
        let second = at("2026-10-25T01:30:00Z");
        assert_eq!(berlin.short(first), "Sun 25 Oct 2026 02:30");
        assert_eq!(berlin.short(second), "Sun 25 Oct 2026 02:30 (UTC+01:00)");
        let fraction = DateTime::from_timestamp_millis(first.timestamp_millis() + 500).unwrap();
        assert_eq!(berlin.short(fraction), "Sun 25 Oct 2026 02:30");
    }

    #[test]
    fn distances_have_two_units_at_most() {
        let now = at("2026-11-30T08:00:00Z");
        let after = |minutes| distance(now + TimeDelta::minutes(minutes), now);
        assert_eq!(after(0), "now");
        assert_eq!(after(25), "in 25 min");
        assert_eq!(after(120), "in 2 h");
        assert_eq!(after(235), "in 3 h 55 min");
        assert_eq!(after(1440), "in 1 day");
        assert_eq!(after(1500), "in 1 day 1 h");
        assert_eq!(after(2 * 1440 + 59), "in 2 days");
        assert_eq!(after(7 * 1440 + 300), "in 7 days");
        assert_eq!(after(-61), "1 h 1 min ago");
        assert_eq!(distance(now - TimeDelta::seconds(59), now), "now");
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

    #[test]
    fn a_single_day_is_named_once() {
        let (first, last) = (
            parse_date("2026-11-30").unwrap(),
            parse_date("2026-12-06").unwrap(),
        );
        assert_eq!(days(first, first), "Mon 30 Nov 2026");
        assert_eq!(days(first, last), "Mon 30 Nov 2026 to Sun 6 Dec 2026");
    }
}
