//! The fairness report: who served how much of what they owed, over a range of days.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, Weekday};

use super::candidate::Absence;
use super::coverage::{Coverage, Source, Stretch};
use super::credit::{Credit, PeriodShares};
use super::period::Period;
use crate::domain::ids::UserId;
use crate::domain::oncall_day::each_day;

/// What one person did in the range.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemberFairness {
    /// Days on call.
    pub days: u32,
    /// Of these, by approved override.
    pub override_days: u32,
    /// Of these, by manual row.
    pub manual_days: u32,
    /// Of these, by the rotation.
    pub auto_days: u32,
    /// Of these, Saturdays and Sundays.
    pub weekend_days: u32,
    /// Share of the counted periods that they owed.
    pub target_share: f64,
    /// Share of the covered days that they served.
    pub actual_share: f64,
    /// Periods earned less periods served, in the range.
    pub credit: f64,
}

/// The report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fairness {
    /// Everybody who owed or served, by user id.
    pub members: BTreeMap<UserId, MemberFairness>,
    /// Days that somebody covered.
    pub covered_days: u32,
    /// Runs of days that nobody covers.
    pub gaps: Vec<(NaiveDate, NaiveDate)>,
    /// Stretches, and the time off of their engineer that touches them.
    pub conflicts: Vec<(Stretch, Absence)>,
}

/// Reports on `from..=to`. `periods` are the rotation's periods that begin in the range, each
/// with what its candidates earned; `members` appear even if they did nothing.
pub fn report(
    from: NaiveDate,
    to: NaiveDate,
    coverage: &Coverage,
    periods: &[(Period, PeriodShares)],
    members: &BTreeSet<UserId>,
    absences: &[Absence],
) -> Fairness {
    let mut report = Fairness {
        gaps: coverage.gaps(from, to),
        ..Fairness::default()
    };
    report.members = members
        .iter()
        .map(|u| (u.clone(), MemberFairness::default()))
        .collect();
    for stretch in coverage.stretches(from, to) {
        let of = report.members.entry(stretch.user.clone()).or_default();
        for day in each_day(stretch.start, stretch.end) {
            report.covered_days += 1;
            of.days += 1;
            of.weekend_days += u32::from(matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
            match stretch.source {
                Source::Override => of.override_days += 1,
                Source::Manual => of.manual_days += 1,
                Source::Auto | Source::None => of.auto_days += 1,
            }
        }
        let touching = |a: &&Absence| {
            a.user == stretch.user && a.start <= stretch.end && stretch.start <= a.end
        };
        let touched = absences.iter().filter(touching);
        let conflicts = touched.map(|absence| (stretch.clone(), absence.clone()));
        report.conflicts.extend(conflicts);
    }
    add_credit(&mut report, coverage, periods);
    for of in report.members.values_mut() {
        if report.covered_days > 0 {
            of.actual_share = f64::from(of.days) / f64::from(report.covered_days);
        }
    }
    report
}

fn add_credit(report: &mut Fairness, coverage: &Coverage, periods: &[(Period, PeriodShares)]) {
    let mut credit = Credit::default();
    for (period, shares) in periods {
        let stretches = coverage.stretches(period.start, period.end);
        credit.count(period, &shares.shares, &stretches);
    }
    for (user, account) in credit.accounts() {
        let of = report.members.entry(user.clone()).or_default();
        of.credit = account.credit;
        // Earned = credit + served; as a share of all that was there to earn.
        if credit.total() > 0.0 {
            of.target_share = (account.credit + account.served) / credit.total();
        }
    }
}

/// What each person's credit came to by the end of each of the periods, in order: as in the report,
/// counted from the first of them.
pub fn credit_over_time(
    coverage: &Coverage,
    periods: &[(Period, PeriodShares)],
    users: &BTreeSet<UserId>,
) -> BTreeMap<UserId, Vec<f64>> {
    let mut credit = Credit::default();
    let mut series: BTreeMap<UserId, Vec<f64>> = BTreeMap::new();
    for (period, shares) in periods {
        let stretches = coverage.stretches(period.start, period.end);
        credit.count(period, &shares.shares, &stretches);
        for user in users {
            let of = series.entry(user.clone()).or_default();
            of.push(credit.of(user).credit);
        }
    }
    series
}
