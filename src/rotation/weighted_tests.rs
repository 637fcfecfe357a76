//! What the weighted strategy promises for a team that does not change.

use proptest::prelude::*;

use super::testing::*;
use crate::domain::team::{Interval, RotationType};

/// Valid weights, with a liking for the ends, for equal ones and for nearly equal ones.
pub fn weight() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-3.0..3.0).prop_map(|exponent| 10f64.powf(exponent)),
        3 => (1u8..=10).prop_map(f64::from),
        2 => Just(1.0),
        1 => prop::sample::select(vec![0.001, 0.001_000_01, 1000.0, 1.000_000_001]),
    ]
}

fn weights() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(weight(), 2..=11)
}

fn team(kind: RotationType, weights: &[f64]) -> Sim {
    Sim::new(config(kind, Interval::Daily), weighing(weights))
}

/// The picks of the first periods, as places in the list of weights.
fn picks(sim: &Sim, weeks: u32) -> Vec<usize> {
    let plan = sim.preview(weeks);
    let place = |id: &str| sim.members.iter().position(|m| m.user.as_str() == id);
    picked(&plan)
        .into_iter()
        .map(|id| place(id).unwrap())
        .collect()
}

/// The rule as SPEC words it, with none of the engine's bookkeeping.
fn by_the_gap_rule(weights: &[f64], periods: usize) -> Vec<usize> {
    let sum: f64 = weights.iter().sum();
    let mut picks: Vec<usize> = Vec::new();
    for total in 0..periods {
        let gap = |i: usize| {
            let served = picks.iter().filter(|p| **p == i).count();
            let actual = if total == 0 {
                0.0
            } else {
                served as f64 / total as f64
            };
            weights[i] / sum - actual
        };
        let gaps: Vec<_> = (0..weights.len()).map(gap).collect();
        let largest = gaps.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let last = |i: &usize| picks.iter().rposition(|p| p == i);
        let tied = (0..weights.len()).filter(|i| gaps[*i] >= largest - 1e-9);
        // The first of those with the least key: ring order decides the rest.
        picks.push(tied.min_by_key(last).unwrap());
    }
    picks
}

/// Checks the promised bounds after each number of periods.
fn check_bounds(weights: &[f64], picks: &[usize]) -> Result<(), TestCaseError> {
    let sum: f64 = weights.iter().sum();
    let count = weights.len() as f64;
    let mut served = vec![0.0; weights.len()];
    let mut last_pick = vec![0; weights.len()];
    for (at, pick) in picks.iter().enumerate() {
        served[*pick] += 1.0;
        last_pick[*pick] = at;
        for (i, weight) in weights.iter().enumerate() {
            let target = weight / sum;
            let owed = (at + 1) as f64 * target - served[i];
            prop_assert!(owed > -1.0, "{i} is {owed} off after {} periods", at + 1);
            let below = if weights.len() == 2 { 1.0 } else { count - 1.0 };
            prop_assert!(owed < below + 1e-6, "{i} is {owed} below after {}", at + 1);
            // Less than a shift above just after a pick, so this long to the next at most.
            let wait = (at - last_pick[i]) as f64;
            prop_assert!(wait <= count / target, "{i} has waited {wait} periods");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn weighted_is_the_gap_rule_and_keeps_its_bounds(weights in weights()) {
        let picks = picks(&team(RotationType::Weighted, &weights), 8);
        prop_assert_eq!(picks.len(), 56);
        check_bounds(&weights, &picks)?;
        prop_assert_eq!(picks, by_the_gap_rule(&weights, 56));
    }

    #[test]
    fn equal_weights_give_the_order_of_round_robin(count in 1usize..=11, weight in weight()) {
        let weights = vec![weight; count];
        let weighted = picks(&team(RotationType::Weighted, &weights), 10);
        let round_robin = picks(&team(RotationType::RoundRobin, &weights), 10);
        prop_assert_eq!(weighted, round_robin);
    }

    #[test]
    fn a_pick_does_not_depend_on_the_order_of_the_list(
        members in prop::collection::vec((0i64..3, weight()), 2..=11)
            .prop_map(|parts| (0..).zip(parts)
                .map(|(n, (seniority, weight))| member(&format!("U{n}"), seniority, weight))
                .collect::<Vec<_>>())
            .prop_flat_map(|members| (Just(members.clone()), Just(members).prop_shuffle())),
        kind in prop::sample::select(vec![RotationType::RoundRobin, RotationType::Custom, RotationType::Weighted]),
    ) {
        let (given, shuffled) = members;
        let mut config = config(kind, Interval::Daily);
        config.order = given.iter().map(|m| m.user.clone()).collect();
        let one = Sim::new(config.clone(), given).preview(5);
        let other = Sim::new(config, shuffled).preview(5);
        prop_assert_eq!(one.shifts, other.shifts);
        prop_assert_eq!(one.begun, other.begun);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn weighted_keeps_its_bounds_over_a_thousand_periods(weights in weights()) {
        let picks = picks(&team(RotationType::Weighted, &weights), 150);
        prop_assert_eq!(picks.len(), 1050);
        check_bounds(&weights, &picks)?;
        prop_assert_eq!(picks, by_the_gap_rule(&weights, 1050));
    }
}

#[test]
fn ties_are_measured_on_the_gap_however_many_periods_have_passed() {
    // The last two targets are 1e-11 apart, a tie; a thousand periods don't break it.
    let weights = [1000.0, 0.001, 0.001_000_01];
    let picks = picks(&team(RotationType::Weighted, &weights), 150);
    assert_eq!(picks, by_the_gap_rule(&weights, 1050));
}

#[test]
fn weights_of_two_to_one_serve_two_of_three() {
    let sim = team(RotationType::Weighted, &[2.0, 1.0]);
    assert_eq!(picks(&sim, 1), [0, 1, 0, 1, 0, 0, 1]);
    let shifts = sim.preview(1).shifts;
    let reasons: Vec<_> = shifts
        .iter()
        .map(|s| s.explanation.reason.as_str())
        .collect();
    assert_eq!(
        reasons[0],
        "largest target of 2 candidates: 0.67 of the shifts"
    );
    assert_eq!(
        reasons[1],
        "largest credit of 2 candidates: +0.33 of a shift"
    );
    assert_eq!(
        reasons[3],
        "largest credit of 2 candidates: +0.00 of a shift; 2 tied, longest since on call (2026-01-06)"
    );
}
