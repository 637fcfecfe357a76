//! What people have to carry over some days: for comparing strategies.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate, Weekday};

use super::coverage::{Coverage, Source, Stretch};
use super::plan::{Plan, TeamState};
use crate::domain::ids::UserId;
use crate::domain::oncall_day::next_day;
use crate::domain::schedule::Schedule;

/// What some days bring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// By person; members without a day on call too.
    pub people: BTreeMap<UserId, Load>,
    /// How often somebody else comes on call.
    pub changes: u32,
    /// Days on which nobody is on call.
    pub uncovered: u32,
}

/// What one person has to carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Days on call.
    pub days: u32,
    /// Saturdays and Sundays among them.
    pub weekend_days: u32,
    /// The most days on end.
    pub longest: u32,
    /// How often they come on call.
    pub turns: u32,
}

impl Tally {
    /// What a team's plan brings from `from` to `to`, both included: its shifts, and the rows
    /// that stand.
    pub fn of(team: &TeamState<'_>, plan: &Plan, from: NaiveDate, to: NaiveDate) -> Self {
        let rows = team.schedules.iter();
        let standing = rows
            .filter(|row| !plan.deleted.contains(&row.id))
            .map(|row| {
                let cut = plan.cut.iter().find(|(id, _)| *id == row.id);
                let end_date = cut.map_or(row.end_date, |(_, end)| *end);
                Schedule {
                    end_date,
                    ..row.clone()
                }
            });
        let standing: Vec<_> = standing.collect();
        let mut coverage = Coverage::new(&standing, team.overrides);
        for shift in &plan.shifts {
            coverage.add(Stretch {
                user: shift.explanation.picked.clone(),
                source: Source::Auto,
                id: uuid::Uuid::nil(),
                start: shift.start,
                end: shift.end,
            });
        }
        let mut tally = Self::default();
        for member in team.members {
            tally.people.entry(member.user.clone()).or_default();
        }
        let mut running: Option<(UserId, u32)> = None;
        let mut day = from;
        while day <= to {
            let on_call = coverage.row_on(day).map(|row| row.user.clone());
            running = tally.count(day, on_call, running);
            day = next_day(day);
        }
        tally
    }

    /// Counts a day; `running` is who was on call the day before, and for how many days on end.
    fn count(
        &mut self,
        day: NaiveDate,
        on_call: Option<UserId>,
        running: Option<(UserId, u32)>,
    ) -> Option<(UserId, u32)> {
        let Some(user) = on_call else {
            self.uncovered += 1;
            return None;
        };
        let on_end = match running {
            Some((before, days)) if before == user => days + 1,
            before => {
                self.changes += u32::from(before.is_some());
                1
            }
        };
        let load = self.people.entry(user.clone()).or_default();
        load.days += 1;
        load.weekend_days += u32::from(matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
        load.longest = load.longest.max(on_end);
        load.turns += u32::from(on_end == 1);
        Some((user, on_end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotation::testing::{day, user};

    #[test]
    fn days_weekends_turns_and_stretches_are_counted() {
        // day(0) is a Monday.
        let mut tally = Tally::default();
        let mut running = None;
        for (number, who) in [
            (4, "UA"),
            (5, "UA"),
            (6, "UB"),
            (7, "UB"),
            (8, ""),
            (9, "UA"),
        ] {
            let on_call = (!who.is_empty()).then(|| user(who));
            running = tally.count(day(number), on_call, running);
        }
        let load = |days, weekend_days, longest, turns| Load {
            days,
            weekend_days,
            longest,
            turns,
        };
        assert_eq!(tally.people[&user("UA")], load(3, 1, 2, 2));
        assert_eq!(tally.people[&user("UB")], load(2, 1, 2, 1));
        assert_eq!((tally.changes, tally.uncovered), (1, 1));
    }
}
