//! The report adds up.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, Weekday};
use proptest::prelude::*;

use super::credit::PeriodShares;
use super::fairness::{Fairness, report};
use super::period::Period;
use super::testing::*;
use crate::domain::ids::UserId;
use crate::domain::oncall_day::each_day;
use crate::domain::team::{Interval, RotationType};

/// The report on the days from `from` to `to`, as the daemon asks for it.
fn report_on(sim: &Sim, from: NaiveDate, to: NaiveDate) -> Fairness {
    let members: BTreeSet<UserId> = sim.members.iter().map(|m| m.user.clone()).collect();
    let begun = sim.ledger.range(from..=to);
    let periods: Vec<(Period, PeriodShares)> = begun
        .map(|(start, shares)| (sim.periods().at(*start).unwrap(), shares.clone()))
        .collect();
    report(from, to, &sim.coverage(), &periods, &members, &sim.absences)
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

#[test]
fn days_count_by_what_put_a_person_on_call() {
    let mut sim = Sim::new(
        config(RotationType::RoundRobin, Interval::Weekly),
        named(&["UA", "UB", "UC"]),
    );
    sim.regenerate();
    sim.manual("UC", day(8), day(9));
    sim.cover("UC", day(12), day(13));
    sim.advance_to(day(13));
    let report = report_on(&sim, day(0), day(13));
    assert_eq!(report.covered_days, 14);
    let (a, b, c) = (
        &report.members[&user("UA")],
        &report.members[&user("UB")],
        &report.members[&user("UC")],
    );
    assert_eq!((a.days, a.auto_days, a.weekend_days), (7, 7, 2));
    assert_eq!((b.days, b.auto_days, b.weekend_days), (3, 3, 0));
    assert_eq!(
        (c.days, c.manual_days, c.override_days, c.weekend_days),
        (4, 2, 2, 2)
    );
    assert!(close(a.target_share, 1.0 / 3.0) && close(a.actual_share, 0.5));
    assert!(close(a.credit, 2.0 / 3.0 - 1.0), "{a:?}");
    assert!(close(b.credit, 2.0 / 3.0 - 3.0 / 7.0), "{b:?}");
    assert!(close(c.credit, 2.0 / 3.0 - 4.0 / 7.0), "{c:?}");
}

#[test]
fn somebody_who_did_nothing_is_in_the_report() {
    let mut sim = Sim::new(
        config(RotationType::RoundRobin, Interval::Weekly),
        named(&["UA", "UB"]),
    );
    sim.member_mut("UB").is_eligible = false;
    sim.regenerate();
    let report = report_on(&sim, day(0), day(6));
    let idle = &report.members[&user("UB")];
    assert_eq!(idle.days, 0);
    assert!(close(idle.target_share, 0.0) && close(idle.credit, 0.0));
}

#[test]
fn gaps_and_every_conflict_are_named() {
    let mut sim = Sim::new(
        config(RotationType::RoundRobin, Interval::Weekly),
        named(&["UA", "UB"]),
    );
    sim.today = day(2);
    sim.regenerate();
    // UA is on call until day 6 and can't be taken off the running period by time off.
    sim.time_off("UA", day(1), day(3));
    sim.time_off("UA", day(6), day(8));
    sim.time_off("UB", day(20), day(21));
    let report = report_on(&sim, day(0), day(40));
    assert_eq!(report.gaps, [(day(0), day(1)), (day(35), day(40))]);
    let conflicts: Vec<_> = report
        .conflicts
        .iter()
        .map(|(stretch, absence)| (stretch.start, absence.start))
        .collect();
    assert_eq!(conflicts, [(day(2), day(1)), (day(2), day(6))]);
}

#[test]
fn a_substitute_ends_the_conflict_of_whom_they_stand_in_for() {
    let mut sim = Sim::new(
        config(RotationType::RoundRobin, Interval::Weekly),
        named(&["UA", "UB"]),
    );
    sim.regenerate();
    sim.time_off("UA", day(3), day(3));
    assert_eq!(report_on(&sim, day(0), day(6)).conflicts.len(), 1);
    sim.cover("UB", day(3), day(3));
    assert_eq!(report_on(&sim, day(0), day(6)).conflicts, []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn days_shares_and_credits_add_up(
        weights in prop::collection::vec(0.1f64..10.0, 1..6),
        manual in prop::collection::vec((0i64..20, 1i64..12), 0..4),
        covered in prop::collection::vec((0i64..20, 1i64..12), 0..4),
        eligible_from in 0i64..50, from in -10i64..40, length in 0i64..120,
    ) {
        let mut sim = Sim::new(config(RotationType::Weighted, Interval::Weekly), weighing(&weights));
        sim.member_mut("U0").is_eligible = false;
        sim.regenerate();
        let mut at = 0;
        for (gap, length) in manual {
            at += gap + length;
            sim.manual("UX", day(at - length), day(at - 1));
        }
        at = 0;
        for (gap, length) in covered {
            at += gap + length;
            sim.cover("U0", day(at - length), day(at - 1));
        }
        sim.advance_to(day(eligible_from));
        sim.set_eligible("U0", true);
        sim.advance_to(day(90));
        let (from, to) = (day(from), day(from + length));
        let report = report_on(&sim, from, to);
        let mut days = 0;
        let mut weekend_days = 0;
        for of in report.members.values() {
            prop_assert_eq!(of.days, of.override_days + of.manual_days + of.auto_days);
            days += of.days;
            weekend_days += of.weekend_days;
        }
        prop_assert_eq!(days, report.covered_days);
        let all: Vec<_> = each_day(from, to).collect();
        let open: usize = report.gaps.iter().map(|(from, to)| each_day(*from, *to).count()).sum();
        prop_assert_eq!(days as usize + open, all.len());
        let is_weekend = |d: &&NaiveDate| matches!(d.weekday(), Weekday::Sat | Weekday::Sun);
        let worked = all.iter().filter(is_weekend).filter(|d| sim.on_call(**d).is_some());
        prop_assert_eq!(weekend_days as usize, worked.count());
        let shares: f64 = report.members.values().map(|of| of.actual_share).sum();
        prop_assert!(days == 0 || close(shares, 1.0));
        // What a period's candidates earn is one period, what it is served at most one.
        let mut owed = 0.0;
        for (start, earned) in sim.ledger.range(from..=to) {
            let days = each_day(*start, earned.end).filter(|d| sim.on_call(*d).is_some()).count();
            if days > 0 {
                let earns = if earned.shares.is_empty() { 0.0 } else { 1.0 };
                owed += earns - days as f64 / 7.0;
            }
        }
        let credit: f64 = report.members.values().map(|of| of.credit).sum();
        prop_assert!(close(credit, owed), "{credit} is not {owed}");
    }
}
