//! On-call days: day D of a team lasts from D at its handoff time to D+1 at its
//! handoff time, in its zone.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::zone::Zone;

/// No day lies later.
pub const END_OF_TIME: NaiveDate = NaiveDate::MAX;

/// Time of day at which shifts change, in minutes after midnight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HandoffTime(u16);

impl HandoffTime {
    fn time(self) -> NaiveTime {
        let (hour, minute) = (u32::from(self.0) / 60, u32::from(self.0) % 60);
        NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default()
    }
}

impl fmt::Display for HandoffTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// The text is not a time of day.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a time of day as HH:MM, 00:00 to 23:59")]
pub struct NotATime(String);

impl FromStr for HandoffTime {
    type Err = NotATime;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let minutes = || {
            let (hours, minutes) = text.split_once(':')?;
            let digits = |s: &str| s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
            if !digits(hours) || !digits(minutes) {
                return None;
            }
            let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
            (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
        };
        minutes().map(Self).ok_or_else(|| NotATime(text.to_owned()))
    }
}

/// Turns instants into a team's on-call days, and days into instants.
#[derive(Clone, Debug)]
pub struct OnCallClock {
    zone: Zone,
    handoff: NaiveTime,
}

impl OnCallClock {
    /// A clock for a zone and a handoff time. A zone name that the rules no longer know
    /// reads as UTC: names are checked when they are set, and IANA never drops one.
    pub fn new(timezone: &str, handoff: HandoffTime) -> Self {
        let zone = Zone::find(timezone).unwrap_or_else(Zone::utc);
        Self {
            zone,
            handoff: handoff.time(),
        }
    }

    /// First instant of on-call day `date`.
    pub fn starts_at(&self, date: NaiveDate) -> DateTime<Utc> {
        self.zone.instant(date, self.handoff)
    }

    /// First instant after on-call day `date`.
    pub fn ends_at(&self, date: NaiveDate) -> DateTime<Utc> {
        self.starts_at(next_day(date))
    }

    /// The on-call day at `at`: the local date, less one day before the handoff time.
    /// Where the clock repeats the handoff time, the first of the two counts.
    pub fn day_at(&self, at: DateTime<Utc>) -> NaiveDate {
        let local = self.zone.local(at);
        let date = local.date();
        let by_wall = if local.time() < self.handoff {
            previous_day(date)
        } else {
            date
        };
        if at >= self.ends_at(by_wall) {
            next_day(by_wall)
        } else if at < self.starts_at(by_wall) {
            previous_day(by_wall)
        } else {
            by_wall
        }
    }
}

/// The day after, or the same at the end of time.
pub fn next_day(date: NaiveDate) -> NaiveDate {
    add_days(date, 1)
}

/// The day before, or the same at the beginning of time.
pub fn previous_day(date: NaiveDate) -> NaiveDate {
    add_days(date, -1)
}

/// `date` moved by `days`, held within what a date can express.
pub fn add_days(date: NaiveDate, days: i64) -> NaiveDate {
    let distance = Days::new(days.unsigned_abs());
    if days < 0 {
        date.checked_sub_days(distance).unwrap_or(NaiveDate::MIN)
    } else {
        date.checked_add_days(distance).unwrap_or(NaiveDate::MAX)
    }
}

/// Each day from `start` to `end`, both included.
pub fn each_day(start: NaiveDate, end: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    start.iter_days().take_while(move |day| *day <= end)
}

#[cfg(test)]
#[path = "oncall_day_tests.rs"]
mod tests;
