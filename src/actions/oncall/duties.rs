//! What one person has on call in all teams, past and to come, and what that sums up to in a year.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc, Weekday};

use super::coverage_of;
use super::shifts::active_teams;
use crate::actions::people::find;
use crate::app::{App, Result};
use crate::domain::oncall_day::{OnCallClock, add_days, each_day};
use crate::rotation::coverage::Stretch;
use crate::wire::duty::{Duties, Duty, DutyYear, Load, TeamLoad};

/// Days of the past that are shown at least.
const PAST_DAYS: i64 = 184;
/// Days of the future that are shown.
const FUTURE_DAYS: i64 = 366;

/// A person's shifts of the last half year, or of this year where that is longer, and of the year
/// to come.
///
/// # Errors
/// The user id is malformed.
pub fn of_person(app: &App, user: &str) -> Result<Duties> {
    let (user, now) = (find::user(user)?, app.now());
    app.read(|tx| {
        let today = now.date_naive();
        let (first, last) = year_of(today);
        let from = add_days(today, -PAST_DAYS).min(first);
        let to = add_days(today, FUTURE_DAYS);
        let (mut shifts, mut teams, mut all) = (Vec::new(), Vec::new(), Tally::default());
        for team in active_teams(tx, &user, from, to)? {
            let clock = team.clock();
            let mut tally = Tally::default();
            let stretches = coverage_of(tx, &team, from, to)?.stretches(from, to);
            for stretch in stretches.into_iter().filter(|it| it.user == user) {
                tally.add(&stretch, &clock, (first, last), now);
                shifts.push(Duty {
                    team_name: team.name.clone(),
                    team_slug: team.slug.clone(),
                    timezone: team.timezone.clone(),
                    today: clock.day_at(now),
                    source: stretch.source,
                    id: stretch.id,
                    start_date: stretch.start,
                    end_date: stretch.end,
                    starts_at: clock.starts_at(stretch.start),
                    ends_at: clock.ends_at(stretch.end),
                });
            }
            if !tally.runs.is_empty() {
                teams.push(TeamLoad {
                    team_name: team.name,
                    team_slug: team.slug,
                    load: tally.load(now),
                });
                all.merge(tally);
            }
        }
        shifts.sort_by_key(|shift| (shift.starts_at, shift.id));
        teams.sort_by_cached_key(|team| (team.team_name.to_lowercase(), team.team_slug.clone()));
        let year = DutyYear {
            year: today.year(),
            teams,
            total: all.load(now),
        };
        Ok(Duties { shifts, year })
    })
}

/// First and last day of the year of a day.
fn year_of(day: NaiveDate) -> (NaiveDate, NaiveDate) {
    let first = day.with_ordinal(1).unwrap_or(day);
    let next = NaiveDate::from_ymd_opt(day.year() + 1, 1, 1).unwrap_or(NaiveDate::MAX);
    (first, add_days(next, -1))
}

/// Time on call that is being summed up.
#[derive(Default)]
struct Tally {
    runs: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    begun: BTreeSet<NaiveDate>,
    to_come: BTreeSet<NaiveDate>,
}

impl Tally {
    /// Adds what of a stretch lies between two days.
    fn add(
        &mut self,
        stretch: &Stretch,
        clock: &OnCallClock,
        (first, last): (NaiveDate, NaiveDate),
        now: DateTime<Utc>,
    ) {
        let (start, end) = (stretch.start.max(first), stretch.end.min(last));
        if start > end {
            return;
        }
        self.runs.push((clock.starts_at(start), clock.ends_at(end)));
        let is_weekend = |day: &NaiveDate| matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let today = clock.day_at(now);
        for day in each_day(start, end).filter(is_weekend) {
            let days = if day <= today {
                &mut self.begun
            } else {
                &mut self.to_come
            };
            days.insert(day);
        }
    }

    fn merge(&mut self, other: Self) {
        self.runs.extend(other.runs);
        self.begun.extend(other.begun);
        self.to_come.extend(other.to_come);
    }

    /// The sum; what overlaps counts once.
    fn load(&self, now: DateTime<Utc>) -> Load {
        let mut runs = self.runs.clone();
        runs.sort_unstable();
        let (mut served, mut planned) = (TimeDelta::zero(), TimeDelta::zero());
        let mut counted_until = DateTime::<Utc>::MIN_UTC;
        for (start, end) in runs {
            let (start, end) = (start.max(counted_until), end.max(counted_until));
            served += (end.min(now) - start).max(TimeDelta::zero());
            planned += (end - start.max(now)).max(TimeDelta::zero());
            counted_until = end;
        }
        Load {
            hours_served: served.num_hours(),
            hours_planned: planned.num_hours(),
            weekend_days_served: self.begun.len(),
            weekend_days_planned: self.to_come.difference(&self.begun).count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::rotation::coverage::Source;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn tally(zone: &str, runs: &[(&str, &str)], now: DateTime<Utc>) -> Tally {
        let clock = OnCallClock::new(zone, "09:00".parse().unwrap());
        let mut tally = Tally::default();
        for (start, end) in runs {
            let stretch = Stretch {
                user: "UANN".parse().unwrap(),
                source: Source::Auto,
                id: Uuid::nil(),
                start: date(start),
                end: date(end),
            };
            tally.add(&stretch, &clock, year_of(now.date_naive()), now);
        }
        tally
    }

    #[test]
    fn a_running_shift_is_served_in_part() {
        let now = "2026-11-25T12:00:00Z".parse().unwrap();
        let load = tally("UTC", &[("2026-11-23", "2026-11-29")], now).load(now);
        assert_eq!((load.hours_served, load.hours_planned), (51, 117));
        assert_eq!(
            (load.weekend_days_served, load.weekend_days_planned),
            (0, 2)
        );
    }

    #[test]
    fn only_days_of_the_year_count_and_clocks_are_set_as_they_are() {
        let now = "2026-11-25T12:00:00Z".parse().unwrap();
        let runs = [("2025-12-31", "2026-01-01"), ("2026-12-31", "2027-01-05")];
        let load = tally("UTC", &runs, now).load(now);
        assert_eq!((load.hours_served, load.hours_planned), (24, 24));
        // On 2026-10-25 clocks in Berlin are set back.
        let load = tally("Europe/Berlin", &[("2026-10-24", "2026-10-25")], now).load(now);
        assert_eq!((load.hours_served, load.weekend_days_served), (49, 2));
    }

    #[test]
    fn two_teams_at_once_are_one_time_on_call() {
        let now = "2026-11-25T12:00:00Z".parse().unwrap();
        let mut all = tally("UTC", &[("2026-11-26", "2026-11-29")], now);
        all.merge(tally("UTC", &[("2026-11-28", "2026-11-30")], now));
        let load = all.load(now);
        assert_eq!((load.hours_planned, load.weekend_days_planned), (5 * 24, 2));
    }
}
