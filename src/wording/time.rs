//! Times as people read them: a day, a wall time in a zone, how far away something is.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

use crate::domain::zone::Zone;

/// A zone and the name to show with its times.
#[derive(Clone, Debug)]
pub struct LocalTime {
    zone: Zone,
    name: String,
}

impl LocalTime {
    /// The times of an IANA zone; of UTC where the rules here don't know it.
    pub fn new(timezone: &str) -> Self {
        let found = Zone::find(timezone).map(|zone| (zone, timezone));
        let (zone, name) = found.unwrap_or_else(|| (Zone::utc(), "UTC"));
        let name = name.to_owned();
        Self { zone, name }
    }

    /// The zone's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `Mon 30 Nov 2026 09:00`; the second of two that read the same bears its offset.
    pub fn short(&self, at: DateTime<Utc>) -> String {
        let wall = self.zone.local(at);
        let text = wall.format("%a %-d %b %Y %H:%M").to_string();
        if self.zone.instant(wall.date(), wall.time()) >= at - TimeDelta::seconds(1) {
            return text;
        }
        format!("{text} ({})", offset(wall, at))
    }

    /// `Mon 30 Nov 2026 09:00 Europe/Berlin`
    pub fn full(&self, at: DateTime<Utc>) -> String {
        format!("{} {}", self.short(at), self.name)
    }

    /// `Mon 30 Nov 2026 09:00 Europe/Berlin (in 3 h 55 min)`
    pub fn with_distance(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
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
pub fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `Mon 30 Nov 2026`
pub fn day(date: NaiveDate) -> String {
    date.format("%a %-d %b %Y").to_string()
}

/// `Mon 30 Nov 2026 to Sun 6 Dec 2026`, or the one day.
pub fn days(start: NaiveDate, end: NaiveDate) -> String {
    if start == end {
        day(start)
    } else {
        format!("{} to {}", day(start), day(end))
    }
}

/// How far away an instant is: `in 3 h 55 min`, `2 days ago`, `now`.
pub fn distance(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn local_times_name_their_zone() {
        let berlin = LocalTime::new("Europe/Berlin");
        let instant = at("2026-11-30T08:00:00Z");
        assert_eq!(berlin.full(instant), "Mon 30 Nov 2026 09:00 Europe/Berlin");
        assert_eq!(
            berlin.with_distance(instant, at("2026-11-30T04:05:00Z")),
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
    fn a_single_day_is_named_once() {
        let (first, last) = ("2026-11-30".parse().unwrap(), "2026-12-06".parse().unwrap());
        assert_eq!(days(first, first), "Mon 30 Nov 2026");
        assert_eq!(days(first, last), "Mon 30 Nov 2026 to Sun 6 Dec 2026");
    }
}
