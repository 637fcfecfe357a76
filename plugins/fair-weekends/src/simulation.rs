//! A team that is on call for years in a moment, asked as oncalld asks.

use crate::bindings::Context;
use crate::bindings::oncalld::plugin::types::Team;
use crate::bindings::rotation::{Candidate, Date, Period, Role, Shift, Source, Weekday};
use crate::calendar::day_number;
use crate::config::Config;
use crate::strategy::pick;

/// How many periods back a strategy sees.
const WINDOW: usize = 64;

/// A Monday to begin with.
pub const MONDAY: i32 = 20_780;

/// The date of a day number from 2020 on.
pub fn date(number: i32) -> Date {
    let weekdays = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];
    let year = (1..100)
        .map(|after| 2020 + after)
        .find(|&year| number < day_number(year, 1, 1))
        .unwrap()
        - 1;
    let month = (1..=12)
        .rev()
        .find(|&month| day_number(year, month, 1) <= number)
        .unwrap();
    let day = u8::try_from(number - day_number(year, month, 1) + 1).unwrap();
    let weekday = weekdays[usize::try_from((number - MONDAY).rem_euclid(7)).unwrap()];
    Date {
        year,
        month,
        day,
        weekday,
        number,
    }
}

/// Somebody in the team.
#[derive(Clone, Debug)]
pub struct Member {
    pub weight: f64,
    pub joined: i32,
    /// First and last day of a leave.
    pub away: Option<(i32, i32)>,
}

impl Member {
    /// Somebody who was there from the beginning.
    pub fn new(weight: f64) -> Self {
        Self {
            weight,
            joined: MONDAY - 1000,
            away: None,
        }
    }
}

/// A team of `U0`, `U1`, … and the shifts that they have served.
pub struct Simulation {
    pub config: Config,
    pub members: Vec<Member>,
    pub shifts: Vec<Shift>,
    last_pick: Option<String>,
    periods: u32,
    next_day: i32,
}

impl Simulation {
    pub fn new(config: &str, members: Vec<Member>) -> Self {
        Self {
            config: Config::parse(config).unwrap(),
            members,
            shifts: Vec::new(),
            last_pick: None,
            periods: 0,
            next_day: MONDAY,
        }
    }

    /// Fills the next period, and says who is on call and why.
    pub fn serve(&mut self, days: i32) -> (usize, String) {
        let (first, last) = (self.next_day, self.next_day + days - 1);
        let here = |member: &Member| {
            let away = member
                .away
                .is_some_and(|(from, to)| from <= last && first <= to);
            member.joined <= first && !away
        };
        let candidate = |(index, member): (usize, &Member)| Candidate {
            user: format!("U{index}"),
            role: Role::Member,
            weight: member.weight,
            target: 0.0,
            joined: date(member.joined),
            served: 0.0,
            credit: 0.0,
            last_served: None,
        };
        let mut candidates: Vec<_> = self
            .members
            .iter()
            .enumerate()
            .filter(|(_, member)| here(member))
            .map(candidate)
            .collect();
        candidates.sort_by_key(|c| c.joined.number);
        let context = Context {
            team: Team {
                id: String::new(),
                name: String::new(),
                slug: String::new(),
                timezone: "UTC".into(),
            },
            period: Period {
                number: self.periods + 1,
                first: date(first),
                last: date(last),
            },
            candidates,
            last_pick: self.last_pick.clone(),
            recent_shifts: self.shifts[self.shifts.len().saturating_sub(WINDOW)..].to_vec(),
            periods_counted: self.periods,
            config: String::new(),
            seed: 0,
        };
        let picked = pick(&context, &self.config).unwrap();
        self.last_pick = Some(picked.user.clone());
        let index = picked.user[1..].parse().unwrap();
        self.was_on_call(index, days, Source::Auto);
        (index, picked.reason)
    }

    /// Puts somebody on call for the next days.
    pub fn was_on_call(&mut self, member: usize, days: i32, source: Source) {
        let (first, last) = (date(self.next_day), date(self.next_day + days - 1));
        self.shifts.push(Shift {
            user: format!("U{member}"),
            first,
            last,
            source,
        });
        self.next_day += days;
        self.periods += 1;
    }

    /// How many of the days each member served were such days.
    pub fn count(&self, such: impl Fn(&Date) -> bool) -> Vec<usize> {
        let mut counts = vec![0; self.members.len()];
        for shift in &self.shifts {
            let days = (shift.first.number..=shift.last.number).map(date);
            counts[shift.user[1..].parse::<usize>().unwrap()] +=
                days.filter(|day| such(day)).count();
        }
        counts
    }

    /// The day after the last shift.
    pub fn next_day(&self) -> i32 {
        self.next_day
    }
}

/// How far apart the members are.
pub fn spread(counts: &[usize]) -> usize {
    counts.iter().max().unwrap() - counts.iter().min().unwrap()
}
