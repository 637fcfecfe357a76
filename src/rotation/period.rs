//! The grid of rotation periods.

use chrono::{Datelike, NaiveDate};
use serde::Serialize;

use crate::domain::oncall_day::{add_days, each_day};
use crate::domain::team::RotationConfig;

/// One period: a run of on-call days that one pick covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Period {
    /// Position since the rotation's start, from 0.
    pub index: i64,
    /// First on-call day.
    pub start: NaiveDate,
    /// Last on-call day.
    pub end: NaiveDate,
}

impl Period {
    /// Its days, in order.
    pub fn days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        each_day(self.start, self.end)
    }
}

/// All periods of a rotation: without end, without gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    anchor: NaiveDate,
    length: i64,
}

impl Periods {
    /// The periods of a config that counts from `start` (SPEC section 4): weekly and biweekly
    /// ones begin on the first `handoff_day` on or after it, or on itself where none is set.
    pub fn new(config: &RotationConfig, start: NaiveDate) -> Self {
        let length = config.interval.days();
        let wait = match config.handoff_day {
            Some(day) if length > 1 => {
                let weekday = i64::from(start.weekday().num_days_from_monday());
                (i64::from(day) - weekday).rem_euclid(7)
            }
            _ => 0,
        };
        Self {
            anchor: add_days(start, wait),
            length,
        }
    }

    /// First day of the first period.
    pub fn first_day(&self) -> NaiveDate {
        self.anchor
    }

    /// The period at a position; those before 0 are not part of the rotation.
    pub fn get(&self, index: i64) -> Period {
        let start = add_days(self.anchor, index.saturating_mul(self.length));
        Period {
            index,
            start,
            end: add_days(start, self.length - 1),
        }
    }

    /// The period that holds `day`; none before the first.
    pub fn at(&self, day: NaiveDate) -> Option<Period> {
        let distance = (day - self.anchor).num_days();
        (distance >= 0).then(|| self.get(distance / self.length))
    }

    /// The first period that begins after `day`.
    pub fn after(&self, day: NaiveDate) -> Period {
        self.at(day)
            .map_or_else(|| self.get(0), |running| self.get(running.index + 1))
    }

    /// True exactly on the first day of a period.
    pub fn should_rotate(&self, day: NaiveDate) -> bool {
        self.at(day).is_some_and(|period| period.start == day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::team::Interval;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn periods(interval: Interval, handoff_day: Option<u8>, start: &str) -> Periods {
        let config = RotationConfig {
            interval,
            handoff_day,
            ..RotationConfig::default()
        };
        Periods::new(&config, date(start))
    }

    #[test]
    fn weekly_periods_begin_on_the_first_handoff_day() {
        let weekly = periods(Interval::Weekly, Some(0), "2026-11-25");
        assert_eq!(weekly.first_day(), date("2026-11-30"));
        assert_eq!(weekly.at(date("2026-11-29")), None);
        assert_eq!(weekly.after(date("2026-11-26")).index, 0);
        let same_day = periods(Interval::Weekly, Some(2), "2026-11-25");
        assert_eq!(same_day.first_day(), date("2026-11-25"));
        let no_day = periods(Interval::Weekly, None, "2026-11-25");
        assert_eq!(no_day.get(1).start, date("2026-12-02"));
    }

    #[test]
    fn biweekly_periods_keep_their_anchor_across_the_years_end() {
        let biweekly = periods(Interval::Biweekly, Some(0), "2026-12-14");
        let starts: Vec<_> = (0..4).map(|n| biweekly.get(n).start.to_string()).collect();
        assert_eq!(
            starts,
            ["2026-12-14", "2026-12-28", "2027-01-11", "2027-01-25"]
        );
        // 2026 has 53 ISO weeks; counting week numbers would go wrong here.
        assert!(!biweekly.should_rotate(date("2027-01-04")));
        assert!(biweekly.should_rotate(date("2027-01-11")));
    }

    proptest::proptest! {
        #[test]
        fn periods_tile_the_days(
            start in 0i32..20_000, day in 0i64..5_000, handoff in proptest::option::of(0u8..7),
            interval in 0usize..3,
        ) {
            let start = NaiveDate::from_epoch_days(start).unwrap();
            let interval = Interval::ALL[interval];
            let config = RotationConfig { interval, handoff_day: handoff, ..Default::default() };
            let periods = Periods::new(&config, start);
            let day = add_days(periods.first_day(), day);
            let period = periods.at(day).unwrap();
            proptest::prop_assert!(period.start <= day && day <= period.end);
            proptest::prop_assert_eq!(period.days().count() as i64, interval.days());
            proptest::prop_assert_eq!(periods.should_rotate(day), day == period.start);
            proptest::prop_assert_eq!(periods.after(day).start, add_days(period.end, 1));
            proptest::prop_assert!((periods.first_day() - start).num_days() < 7);
        }
    }
}
