//! `[backup]`: backups by the clock.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::config::value::{Text, bounded, optional_text, text};

/// `[backup]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// The folder of the backups; none are made without one.
    #[serde(default, deserialize_with = "optional_text")]
    pub dir: Option<PathBuf>,
    /// When they are made.
    #[serde(deserialize_with = "text")]
    pub cron: Schedule,
    /// How many are kept.
    #[serde(deserialize_with = "bounded::<1, 10_000, _, _>")]
    pub keep: usize,
}

/// Times by a cron pattern of five fields, in UTC: minute, hour, day of the month, month, day of the week.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    text: String,
    cron: croner::Cron,
}

impl Schedule {
    /// The pattern.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The next time after `now`; none where there never is one.
    #[must_use]
    pub fn after(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.cron.find_next_occurrence(&now, false).ok()
    }
}

impl Text for Schedule {
    const EXPECTED: &'static str =
        "a cron pattern of five fields in UTC, such as \"0 3 * * *\" for 3:00 each day";

    fn from_text(text: &str) -> Option<Self> {
        let has_five_fields = text.split_whitespace().count() == 5;
        let cron = text.parse().ok().filter(|_| has_five_fields)?;
        let text = text.to_owned();
        Some(Self { text, cron })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_says_when_it_is_next() {
        let schedule = Schedule::from_text("30 3 * * 1").unwrap();
        let now = "2026-11-27T01:00:00Z".parse().unwrap();
        let next: DateTime<Utc> = "2026-11-30T03:30:00Z".parse().unwrap();
        assert_eq!(schedule.after(now), Some(next));
        assert_eq!(
            schedule.after(next),
            Some("2026-12-07T03:30:00Z".parse().unwrap())
        );
        for wrong in [
            "",
            "daily",
            "* * * *",
            "0 0 3 * * *",
            "61 3 * * *",
            "0 3 31 2",
        ] {
            assert_eq!(Schedule::from_text(wrong), None, "{wrong}");
        }
    }
}
