//! What the weighted strategy promises where the team changes.

use proptest::prelude::*;

use super::coverage::Source;
use super::testing::*;
use super::weighted_tests::weight;
use crate::domain::team::{Interval, RotationType};

fn weekly(weights: &[f64]) -> Sim {
    let config = config(RotationType::Weighted, Interval::Weekly);
    let mut sim = Sim::new(config, weighing(weights));
    sim.regenerate();
    sim
}

fn week(n: usize) -> chrono::NaiveDate {
    day(7 * n as i64)
}

/// The place of whoever is on call in each of the first weeks.
fn by_week(sim: &Sim, weeks: usize) -> Vec<Option<usize>> {
    let place = |(id, _): (String, Source)| usize::from_str_radix(&id[1..], 16).unwrap();
    (0..weeks)
        .map(|n| sim.on_call(week(n)).map(place))
        .collect()
}

/// Something that happens to the member of this place in the course of a week.
#[derive(Clone, Debug)]
enum Change {
    Weight(usize, f64),
    Eligible(usize, bool),
    Join(f64),
    Leave(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (0usize..5, weight()).prop_map(|(who, weight)| Change::Weight(who, weight)),
        3 => (0usize..5, any::<bool>()).prop_map(|(who, is)| Change::Eligible(who, is)),
        1 => weight().prop_map(Change::Join),
        1 => (0usize..5).prop_map(Change::Leave),
    ]
}

/// Credit as SPEC words it, for a team whose weights (`None`: no candidate) are known a week.
fn by_the_credit_rule(weights: &[Vec<Option<f64>>]) -> Vec<Option<usize>> {
    let count = weights.iter().map(Vec::len).max().unwrap_or(0);
    let mut credit = vec![0.0; count];
    let mut picks: Vec<Option<usize>> = Vec::new();
    let mut on_call: Option<usize> = None;
    for week in weights {
        let sum: f64 = week.iter().flatten().sum();
        let total = picks.iter().flatten().count();
        let target = |i: usize| week[i].map_or(0.0, |weight| weight / sum);
        let owed = |i: usize| {
            if total == 0 {
                target(i)
            } else {
                credit[i] / total as f64
            }
        };
        let there: Vec<_> = (0..week.len()).filter(|i| week[*i].is_some()).collect();
        let most = there
            .iter()
            .map(|i| owed(*i))
            .fold(f64::NEG_INFINITY, f64::max);
        let last = |i: &usize| picks.iter().rposition(|pick| *pick == Some(*i));
        let tied = there.iter().copied().filter(|i| owed(*i) >= most - 1e-9);
        // Without a candidate whoever was on call stays on.
        on_call = tied.min_by_key(last).or(on_call);
        picks.push(on_call);
        if on_call.is_some() {
            for i in there {
                credit[i] += target(i);
            }
        }
        if let Some(i) = on_call {
            credit[i] -= 1.0;
        }
    }
    picks
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_changing_team_follows_the_credit_rule(
        first in prop::collection::vec(weight(), 1..=5),
        changes in prop::collection::btree_map(0usize..40, (change(), 0i64..7), 0..12),
    ) {
        let mut sim = weekly(&first);
        let mut now: Vec<Option<f64>> = first.iter().copied().map(Some).collect();
        let mut weights = first.clone();
        let mut gone = vec![false; first.len()];
        let mut told = Vec::new();
        for n in 0..40 {
            sim.advance_to(week(n));
            told.push(now.clone());
            let Some((change, weekday)) = changes.get(&n) else { continue };
            sim.advance_to(week(n) + chrono::Days::new(weekday.unsigned_abs()));
            let here = |who: &usize| gone.get(*who) == Some(&false);
            match change {
                Change::Weight(who, weight) if here(who) => {
                    weights[*who] = *weight;
                    now[*who] = now[*who].map(|_| *weight);
                    sim.set_weight(&format!("U{who:X}"), *weight);
                }
                Change::Eligible(who, is) if here(who) => {
                    now[*who] = is.then_some(weights[*who]);
                    sim.set_eligible(&format!("U{who:X}"), *is);
                }
                Change::Leave(who) if here(who) => {
                    gone[*who] = true;
                    now[*who] = None;
                    sim.leave(&format!("U{who:X}"));
                }
                Change::Join(weight) => {
                    let id = format!("U{:X}", now.len());
                    now.push(Some(*weight));
                    weights.push(*weight);
                    gone.push(false);
                    sim.join(&id, *weight);
                }
                _ => {}
            }
        }
        prop_assert_eq!(by_week(&sim, 40), by_the_credit_rule(&told));
    }

    #[test]
    fn a_newcomer_is_neither_buried_nor_skipped(
        first in prop::collection::vec(weight(), 1..=8), newcomer in weight(), after in 1i64..200,
    ) {
        let mut sim = weekly(&first);
        sim.advance_to(day(after));
        let id = format!("U{:X}", first.len());
        sim.join(&id, newcomer);
        let joins = sim.next_start();
        let target = newcomer / (first.iter().sum::<f64>() + newcomer);
        sim.generate(61);
        let mut served = 0.0;
        for n in 0..60 {
            let start = joins + chrono::Days::new(7 * n);
            served += f64::from(u8::from(sim.on_call(start).unwrap().0 == id));
            let owed = (n + 1) as f64 * target - served;
            // So never two in a row, unless more than half of the shifts are theirs.
            prop_assert!(owed > -1.0, "buried: {owed} after {n} weeks");
            prop_assert!(owed < first.len() as f64, "skipped: {owed} after {n} weeks");
        }
    }

    #[test]
    fn leave_does_not_change_what_one_is_owed(
        weights in prop::collection::vec(1u8..=9, 2..=6), from in 5usize..30, length in 1usize..10,
    ) {
        let weights: Vec<_> = weights.into_iter().map(f64::from).collect();
        let mut sim = weekly(&weights);
        sim.advance_to(day(3));
        sim.time_off("U0", week(from), week(from + length) - chrono::Days::new(1));
        sim.advance_to(week(from + length));
        let before = sim.standing(week(from - 1), "U0").unwrap();
        let served = sim.on_call(week(from - 1)).unwrap().0 == "U0";
        let owed = before.credit + before.target - f64::from(u8::from(served));
        for n in from..from + length {
            prop_assert_eq!(sim.standing(week(n), "U0"), None);
        }
        let back = sim.standing(week(from + length), "U0").unwrap();
        prop_assert!((back.credit - owed).abs() < 1e-9, "{} came of {owed}", back.credit);
    }
}

#[test]
fn a_weight_change_acts_only_from_then_on() {
    let mut sim = weekly(&[1.0, 1.0, 1.0]);
    sim.advance_to(day(10 * 7 + 2));
    let before = sim.standing(week(11), "U1").unwrap().clone();
    sim.set_weight("U1", 8.0);
    let after = sim.standing(week(11), "U1").unwrap();
    assert!((after.credit - before.credit).abs() < 1e-12);
    assert!((after.target - 0.8).abs() < 1e-12);
    // What the running week's candidates earned was settled when it began.
    assert!((sim.ledger[&week(10)].shares[1].target - 1.0 / 3.0).abs() < 1e-12);
}

#[test]
fn somebody_new_to_four_equals_serves_every_fifth_shift_at_once() {
    let mut sim = weekly(&[1.0; 4]);
    sim.advance_to(day(6 * 7 + 3));
    sim.join("U4", 1.0);
    sim.advance_to(week(18));
    let weeks: Vec<_> = by_week(&sim, 17).into_iter().skip(7).flatten().collect();
    assert_eq!(weeks, [3, 4, 0, 1, 2, 3, 4, 0, 1, 2]);
}

#[test]
fn a_partly_covered_period_counts_by_its_days() {
    let mut sim = weekly(&[1.0, 1.0]);
    sim.manual("U1", day(7), day(9));
    // U1 had the second week; four days of it are left.
    assert_eq!(sim.rota()[..3], ["U0 0..6", "U1 10..13", "U0 14..20"]);
    sim.manual("U0", day(14), day(15));
    sim.manual("UX", day(16), day(17));
    let next = sim.standing(week(3), "U0").unwrap();
    // Week 0, two days by hand; the rest of week 2 was U0's own turn.
    assert!((next.served - (1.0 + 5.0 / 7.0)).abs() < 1e-12, "{next:?}");
    assert!(
        (next.credit - (1.5 - 1.0 - 5.0 / 7.0)).abs() < 1e-12,
        "{next:?}"
    );
    let other = sim.standing(week(3), "U1").unwrap();
    assert!((other.served - 1.0).abs() < 1e-12, "{other:?}");
}

#[test]
fn an_overrides_substitute_is_who_served() {
    let mut sim = weekly(&[1.0, 1.0, 1.0]);
    assert_eq!(sim.on_call(week(1)), Some(("U1".into(), Source::Auto)));
    sim.cover("U2", week(1), week(2) - chrono::Days::new(1));
    sim.regenerate();
    // U1 is still owed a shift, U2 has had theirs.
    assert_eq!(
        sim.rota()[..4],
        ["U0 0..6", "U1 7..13", "U1 14..20", "U0 21..27"]
    );
    let next = sim.standing(week(2), "U2").unwrap();
    assert!((next.served - 1.0).abs() < 1e-12);
    assert_eq!(next.last_served, Some(day(13)));
    assert_eq!(sim.standing(week(2), "U1").unwrap().last_served, None);
}

#[test]
fn shifts_from_before_the_rotation_decide_ties_and_nothing_else() {
    let config = config(RotationType::Weighted, Interval::Weekly);
    let mut sim = Sim::new(config, weighing(&[1.0, 1.0, 1.0]));
    sim.manual("U0", day(-30), day(-20));
    sim.manual("U1", day(-19), day(-1));
    sim.regenerate();
    assert_eq!(sim.rota()[..3], ["U2 0..6", "U0 7..13", "U1 14..20"]);
    assert!(sim.standing(week(0), "U0").unwrap().served.abs() < 1e-12);
}

#[test]
fn a_period_that_nobody_served_does_not_count() {
    let mut sim = weekly(&[1.0, 1.0]);
    // The daemon is down for two weeks and two days after the fourth.
    sim.today = day(7 * 6 + 2);
    sim.handoff();
    let next = sim.standing(week(7), "U0").unwrap();
    assert!((next.served - (2.0 + 5.0 / 7.0)).abs() < 1e-12, "{next:?}");
    assert!(
        (next.credit - (2.5 - next.served)).abs() < 1e-12,
        "{next:?}"
    );
    assert!(
        (next.gap - (0.5 - next.served / 5.0)).abs() < 1e-12,
        "{next:?}"
    );
}
