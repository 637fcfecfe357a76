//! What the strategy promises, over years.

use proptest::prelude::*;

use crate::bindings::rotation::{Source, Weekday};
use crate::simulation::{MONDAY, Member, Simulation, spread};

const WEEKS: usize = 52;

fn team(size: usize) -> Vec<Member> {
    vec![Member::new(1.0); size]
}

#[test]
fn four_people_share_weekday_and_weekend_blocks_within_one() {
    // Round robin would hand two of them every weekend.
    let mut team = Simulation::new("{}", team(4));
    for week in 1..=3 * WEEKS {
        team.serve(5);
        team.serve(2);
        let weekends = team.count(|day| day.weekday == Weekday::Sunday);
        let weekdays = team.count(|day| day.weekday == Weekday::Monday);
        assert!(
            spread(&weekends) <= 1,
            "weekends after week {week}: {weekends:?}"
        );
        assert!(
            spread(&weekdays) <= 1,
            "weekdays after week {week}: {weekdays:?}"
        );
    }
}

#[test]
fn seven_people_with_daily_shifts_share_each_weekend_day() {
    // Round robin would hand everybody the same day of each week.
    let mut team = Simulation::new("{}", team(7));
    for _ in 0..7 * WEEKS {
        team.serve(1);
    }
    let weekend = team.count(|day| day.weekday >= Weekday::Saturday);
    assert!(spread(&weekend) <= 1, "{weekend:?}");
    assert!(
        spread(&team.count(|_| true)) <= 3,
        "{:?}",
        team.count(|_| true)
    );
}

#[test]
fn daily_shifts_in_blocks_change_hands_on_saturday_and_monday_only() {
    let mut team = Simulation::new(r#"{"blocks": true}"#, team(4));
    let mut before = None;
    for day in 0..7 * WEEKS {
        let (who, reason) = team.serve(1);
        if !matches!(day % 7, 0 | 5) {
            assert_eq!(before, Some(who), "day {day}: {reason}");
            assert!(
                reason.starts_with("stays on for the rest of the week"),
                "{reason}"
            );
        }
        before = Some(who);
    }
    let sundays = team.count(|day| day.weekday == Weekday::Sunday);
    assert!(spread(&sundays) <= 1, "{sundays:?}");
}

#[test]
fn a_block_goes_on_after_a_day_that_somebody_else_took_over() {
    let mut team = Simulation::new(r#"{"blocks": true}"#, team(4));
    let (who, _) = team.serve(1);
    team.was_on_call((who + 1) % 4, 1, Source::Override);
    assert_eq!(team.serve(1).0, who);
    // Days that a manual schedule covers are no part of a block.
    let mut team = Simulation::new(r#"{"blocks": true}"#, self::team(4));
    team.serve(1);
    team.was_on_call(3, 6, Source::Manual);
    let (_, reason) = team.serve(1);
    assert!(reason.starts_with("owed most"), "{reason}");
}

#[test]
fn a_christmas_week_counts_for_the_next_turns() {
    let config = r#"{"holidays": ["12-25", "12-26"], "holiday_points": 8}"#;
    let mut team = Simulation::new(config, team(3));
    let served: Vec<usize> = (0..12).map(|_| team.serve(7).0).collect();
    // Monday 21 December is the fifth week: U1 sits out the next turn.
    assert_eq!(served, [0, 1, 2, 0, 1, 2, 0, 2, 0, 2, 0, 2]);
}

#[test]
fn whoever_comes_back_from_leave_is_not_made_to_catch_up() {
    let mut members = team(4);
    members[2].away = Some((MONDAY, MONDAY + 7 * 30));
    let mut team = Simulation::new("{}", members);
    while team.next_day() <= MONDAY + 7 * 30 {
        team.serve(7);
    }
    let after: Vec<usize> = (0..12).map(|_| team.serve(7).0).collect();
    assert_eq!(after[0], 2, "first in line");
    assert!(
        after.iter().filter(|&&who| who == 2).count() <= 4,
        "{after:?}"
    );
    assert!(
        after[1..].windows(2).all(|pair| pair[0] != pair[1]),
        "{after:?}"
    );
}

#[test]
fn a_newcomer_is_owed_nothing_for_the_time_before() {
    let mut members = team(4);
    members[3].joined = MONDAY + 7 * 20;
    let mut team = Simulation::new("{}", members);
    for _ in 0..20 {
        team.serve(7);
    }
    let after: Vec<usize> = (0..12).map(|_| team.serve(7).0).collect();
    assert_eq!(
        after.iter().filter(|&&who| who == 3).count(),
        3,
        "{after:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn equal_weights_share_every_pattern_of_blocks_within_one(
        size in 1usize..13, weekday_blocks in 1i32..3, shift_weekend in any::<bool>(),
    ) {
        let config = if shift_weekend {
            r#"{"weekend_days": ["friday", "saturday", "sunday"]}"#
        } else {
            "{}"
        };
        let mut team = Simulation::new(config, team(size));
        let light = if shift_weekend { 4 } else { 5 };
        for _ in 0..WEEKS {
            let mut left = light;
            for block in (1..=weekday_blocks).rev() {
                team.serve(left / block);
                left -= left / block;
            }
            team.serve(7 - light);
        }
        let weekends = team.count(|day| day.weekday == Weekday::Sunday);
        prop_assert!(spread(&weekends) <= 1, "{:?}", weekends);
    }

    #[test]
    fn weekends_go_by_weight(weights in proptest::collection::vec(1u8..5, 2..7)) {
        let members = weights.iter().map(|&weight| Member::new(f64::from(weight))).collect();
        let mut team = Simulation::new("{}", members);
        for _ in 0..2 * WEEKS {
            team.serve(5);
            team.serve(2);
        }
        let weekends = team.count(|day| day.weekday == Weekday::Sunday);
        let sum: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
        for (count, &weight) in weekends.iter().zip(&weights) {
            let target = f64::from(weight) / sum * 104.0;
            let off = f64::from(u32::try_from(*count).unwrap()) - target;
            prop_assert!(off.abs() < 4.0, "{:?} for weights {:?}", weekends, weights);
        }
    }

    #[test]
    fn everybody_has_a_turn_and_the_answer_is_always_the_same(
        members in proptest::collection::vec((1u8..20, 0i32..300, proptest::option::of((0i32..300, 1i32..60))), 1..12),
        days in 1i32..15, blocks in any::<bool>(),
    ) {
        let mut members: Vec<Member> = members
            .into_iter()
            .map(|(weight, joined, away)| Member {
                weight: f64::from(weight) / 4.0,
                joined: MONDAY + joined,
                away: away.map(|(from, days)| (MONDAY + from, MONDAY + from + days)),
            })
            .collect();
        members.push(Member::new(1.0));
        let config = format!(r#"{{"blocks": {blocks}, "holidays": ["12-25", "2027-01-01"]}}"#);
        let play = || {
            let mut team = Simulation::new(&config, members.clone());
            (0..(700 / days)).map(|_| team.serve(days)).collect::<Vec<_>>()
        };
        let played = play();
        prop_assert_eq!(&played, &play());
        if days == 7 {
            for who in 0..members.len() {
                prop_assert!(played.iter().any(|(picked, _)| *picked == who), "{} has no turn", who);
            }
        }
        for (_, reason) in played {
            prop_assert!(reason.chars().count() <= 500);
        }
    }
}
