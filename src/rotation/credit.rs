//! Fairness as credit: in each past period every candidate earned their target, and
//! whoever served spent it by the share of the days that they were on call.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::candidate::RotationMember;
use super::coverage::Stretch;
use super::period::Period;
use crate::domain::ids::UserId;

/// What a candidate of a begun period earned by it. Kept when the period begins, so that
/// later changes of the team act only from then on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// The candidate.
    pub user: UserId,
    /// Their seniority then; keeps their place in the ring when they leave.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub joined_at: DateTime<Utc>,
    /// Weight ÷ sum of the candidates' weights.
    pub target: f64,
}

/// The shares of one period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeriodShares {
    /// First day of the period.
    #[serde(with = "crate::domain::compact::date")]
    pub start: NaiveDate,
    /// Last day of the period.
    #[serde(with = "crate::domain::compact::date")]
    pub end: NaiveDate,
    /// Who earned what; sums to 1 unless empty.
    pub shares: Vec<Share>,
}

impl PeriodShares {
    /// The shares of `period` among its candidates.
    pub fn among(period: &Period, candidates: &[&RotationMember]) -> Self {
        let sum: f64 = candidates.iter().map(|m| m.weight).sum();
        let share = |m: &&RotationMember| Share {
            user: m.user.clone(),
            joined_at: m.joined_at,
            target: m.weight / sum,
        };
        let shares = candidates.iter().map(share).collect();
        Self {
            start: period.start,
            end: period.end,
            shares,
        }
    }
}

/// What everybody has earned and served so far.
#[derive(Clone, Debug, Default)]
pub struct Credit {
    by_user: BTreeMap<UserId, Account>,
    total: f64,
}

/// One person's account, in periods.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Account {
    /// Periods served.
    pub served: f64,
    /// Periods earned less periods served.
    pub credit: f64,
    /// Last day on call.
    pub last_served: Option<NaiveDate>,
}

impl Credit {
    /// Nothing earned yet; the last days on call are known from before the rotation began.
    pub fn starting(last_days: BTreeMap<UserId, NaiveDate>) -> Self {
        let account = |day| Account {
            last_served: Some(day),
            ..Account::default()
        };
        let by_user = last_days
            .into_iter()
            .map(|(user, day)| (user, account(day)))
            .collect();
        Self {
            by_user,
            total: 0.0,
        }
    }

    /// Goes on from what everybody had earned and served in `total` periods.
    pub const fn resumed(by_user: BTreeMap<UserId, Account>, total: f64) -> Self {
        Self { by_user, total }
    }

    /// Counts a period: by who covers its days, planned or past. One that nobody covers,
    /// without `stretches`, does not count.
    pub fn count(&mut self, period: &Period, shares: &[Share], stretches: &[Stretch]) {
        if stretches.is_empty() {
            return;
        }
        self.total += 1.0;
        for share in shares {
            self.account(&share.user).credit += share.target;
        }
        let length = as_share((period.end - period.start).num_days() + 1);
        for stretch in stretches {
            let days = as_share((stretch.end - stretch.start).num_days() + 1);
            let account = self.account(&stretch.user);
            account.served += days / length;
            account.credit -= days / length;
            account.last_served = Some(stretch.end);
        }
    }

    /// Periods counted.
    pub const fn total(&self) -> f64 {
        self.total
    }

    /// The account of a person; empty for somebody new.
    pub fn of(&self, user: &UserId) -> Account {
        self.by_user.get(user).copied().unwrap_or_default()
    }

    /// The accounts of everybody who has earned or served.
    pub fn accounts(&self) -> impl Iterator<Item = (&UserId, &Account)> {
        self.by_user.iter()
    }

    fn account(&mut self, user: &UserId) -> &mut Account {
        self.by_user.entry(user.clone()).or_default()
    }
}

/// A count of days as a number to divide; periods have at most 14 of them.
fn as_share(days: i64) -> f64 {
    i32::try_from(days).map_or(f64::MAX, f64::from)
}
