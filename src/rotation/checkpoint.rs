//! Where a rotation stood when a past period began: a walk may begin there, rather than at the
//! rotation's start, and comes to the very same.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::coverage::Source;
use super::credit::{Account, Credit, PeriodShares};
use crate::domain::ids::UserId;
use crate::domain::oncall_day::next_day;
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::shift_override::{Override, OverrideStatus};

/// Periods that the newest checkpoint stays behind the running one: who was on call in them may
/// still be corrected without a checkpoint being lost. Most such corrections come within days.
const LAG: i64 = 4;

/// Every so many periods a checkpoint is kept for good: what a later correction costs is to walk
/// from the one before it.
const SPACING: i64 = 64;

/// What a walk carries when it comes to a period: all of the past that later picks go by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Position of the first period that is not counted yet.
    pub index: i64,
    /// Its first day. Nothing from this day on has gone in.
    #[serde(with = "crate::domain::compact::date")]
    pub start: NaiveDate,
    /// Periods that count towards credit.
    pub total: f64,
    /// Everybody who has earned, served or been picked, by user id.
    pub people: Vec<Person>,
}

/// One person, as of a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub user: UserId,
    /// Periods served.
    pub served: f64,
    /// Periods earned less periods served.
    pub credit: f64,
    /// Last day on call.
    #[serde(with = "crate::domain::compact::date_option")]
    pub last_served: Option<NaiveDate>,
    /// First day of the last shift that the rotation picked them for.
    #[serde(with = "crate::domain::compact::date_option")]
    pub last_picked: Option<NaiveDate>,
    /// Their seniority when they were last a candidate of a begun period.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub joined_at: Option<DateTime<Utc>>,
}

impl Checkpoint {
    /// Whether a walk up to the period `running` makes a checkpoint at the period `index`.
    pub fn is_due(index: i64, running: i64) -> bool {
        let newest = running - LAG;
        index > 0 && (index == newest || index < newest && index % SPACING == 0)
    }

    /// Whether it is kept for good, and not only until there is a newer one.
    pub fn is_lasting(&self) -> bool {
        self.index % SPACING == 0
    }

    /// What everybody had earned and served.
    pub fn credit(&self) -> Credit {
        let account = |person: &Person| Account {
            served: person.served,
            credit: person.credit,
            last_served: person.last_served,
        };
        let accounts = self.people.iter();
        let accounts = accounts.map(|person| (person.user.clone(), account(person)));
        Credit::resumed(accounts.collect(), self.total)
    }

    /// Whom the rotation had picked last, of those who are `eligible`.
    pub fn last_picked(&self, eligible: impl Fn(&UserId) -> bool) -> Option<&UserId> {
        let picked = self.people.iter().filter(|p| p.last_picked.is_some());
        let last = picked.filter(|person| eligible(&person.user));
        last.max_by_key(|person| person.last_picked)
            .map(|person| &person.user)
    }

    /// Since when somebody counted who was a candidate of a begun period.
    pub fn joined_at(&self, user: &UserId) -> Option<DateTime<Utc>> {
        self.find(user)?.joined_at
    }

    fn find(&self, user: &UserId) -> Option<&Person> {
        let at = self.people.binary_search_by(|person| person.user.cmp(user));
        self.people.get(at.ok()?)
    }
}

/// A checkpoint under construction: the one before, and what has come since.
pub(super) struct Gathering(BTreeMap<UserId, Person>);

impl Gathering {
    pub fn after(before: Option<&Checkpoint>, credit: &Credit) -> Self {
        let mut gathering = Self(BTreeMap::new());
        for person in before.iter().flat_map(|before| &before.people) {
            gathering.0.insert(person.user.clone(), person.clone());
        }
        for (user, account) in credit.accounts() {
            let person = gathering.person(user);
            (person.served, person.credit) = (account.served, account.credit);
            person.last_served = account.last_served;
        }
        gathering
    }

    /// Takes in a pick; later ones come later.
    pub fn pick(&mut self, user: &UserId, day: NaiveDate) {
        self.person(user).last_picked = Some(day);
    }

    /// Takes in the shares of a begun period; later ones come later.
    pub fn shares(&mut self, period: &PeriodShares) {
        for share in &period.shares {
            self.person(&share.user).joined_at = Some(share.joined_at);
        }
    }

    pub fn finish(self, index: i64, start: NaiveDate, total: f64) -> Checkpoint {
        let people = self.0.into_values().collect();
        Checkpoint {
            index,
            start,
            total,
            people,
        }
    }

    fn person(&mut self, user: &UserId) -> &mut Person {
        if !self.0.contains_key(user) {
            let nothing = Person {
                user: user.clone(),
                served: 0.0,
                credit: 0.0,
                last_served: None,
                last_picked: None,
                joined_at: None,
            };
            self.0.insert(user.clone(), nothing);
        }
        self.0.get_mut(user).expect("invariant: it was put in")
    }
}

/// What a row says of who is on call: all of it that goes into a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served<'a> {
    user: &'a UserId,
    source: Source,
    is_hold: bool,
    start: NaiveDate,
    end: NaiveDate,
}

impl<'a> Served<'a> {
    /// What a schedule row says.
    pub fn by_schedule(row: &'a Schedule) -> Self {
        Self {
            user: &row.engineer,
            source: match row.origin {
                Origin::Auto => Source::Auto,
                Origin::Manual => Source::Manual,
            },
            is_hold: row.is_hold,
            start: row.start_date,
            end: row.end_date,
        }
    }

    /// What an override says: nothing, unless it is approved.
    pub fn by_override(row: &'a Override) -> Option<Self> {
        (row.status == OverrideStatus::Approved).then_some(Self {
            user: &row.substitute,
            source: Source::Override,
            is_hold: false,
            start: row.start_date,
            end: row.end_date,
        })
    }

    /// The first day of which something else is said, where a row says `new` that said `old`.
    /// Checkpoints that begin after it no longer hold.
    pub fn first_change(old: Option<&Self>, new: Option<&Self>) -> Option<NaiveDate> {
        let (old, new) = match (old, new) {
            (Some(old), Some(new)) => (old, new),
            (Some(row), None) | (None, Some(row)) => return Some(row.start),
            (None, None) => return None,
        };
        if old == new {
            return None;
        }
        let is_longer_or_shorter = *old
            == Self {
                end: old.end,
                ..new.clone()
            };
        Some(if is_longer_or_shorter {
            next_day(old.end.min(new.end))
        } else {
            old.start.min(new.start)
        })
    }
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
