//! What `round_robin` and `custom` promise.

use proptest::prelude::*;

use super::explanation::PassedOverReason;
use super::testing::*;
use crate::domain::team::{Interval, RotationType};

fn round_robin(ids: &[&str]) -> Sim {
    let config = config(RotationType::RoundRobin, Interval::Weekly);
    let mut sim = Sim::new(config, named(ids));
    sim.regenerate();
    sim
}

fn custom(order: &[&str], members: &[&str]) -> Sim {
    let mut config = config(RotationType::Custom, Interval::Weekly);
    config.order = users(order);
    let mut sim = Sim::new(config, named(members));
    sim.regenerate();
    sim
}

/// Who is on call in each of `weeks`, `-` for nobody.
fn by_week(sim: &Sim, weeks: std::ops::Range<i64>) -> String {
    let who = |n| {
        sim.on_call(day(7 * n))
            .map_or_else(|| "-".to_owned(), |(id, _)| id)
    };
    weeks.map(who).collect::<Vec<_>>().join(" ")
}

#[test]
fn round_robin_goes_by_seniority_then_user_id() {
    let members = vec![
        member("UC", 2, 1.0),
        member("UB", 1, 9.0),
        member("UA", 2, 1.0),
        member("UD", 0, 1.0),
    ];
    let config = config(RotationType::RoundRobin, Interval::Weekly);
    let mut sim = Sim::new(config, members);
    sim.generate(5);
    assert_eq!(by_week(&sim, 0..5), "UD UB UA UC UD");
}

#[test]
fn round_robin_goes_on_after_the_place_of_one_who_has_left() {
    let mut sim = round_robin(&["UA", "UB", "UC", "UD"]);
    sim.advance_to(day(7 + 2));
    let running = sim.running().unwrap();
    sim.leave("UB");
    sim.advance_to(day(7 * 4));
    // Their running week is theirs to the end; the future is without them.
    assert_eq!(sim.on_call(running.end).unwrap().0, "UB");
    assert_eq!(by_week(&sim, 0..8), "UA UB UC UD UA UC UD UA");
}

#[test]
fn round_robin_goes_on_after_one_who_left_as_the_last_in_the_ring() {
    let mut sim = round_robin(&["UA", "UB", "UC"]);
    sim.advance_to(day(15));
    sim.leave("UC");
    assert_eq!(by_week(&sim, 2..6), "UC UA UB UA");
}

#[test]
fn a_newcomer_takes_their_turn_at_the_end_of_the_ring() {
    let mut sim = round_robin(&["UA", "UB", "UC"]);
    sim.advance_to(day(8));
    sim.join("U0", 1.0);
    assert_eq!(by_week(&sim, 0..5), "UA UB UC U0 UA");
}

#[test]
fn time_off_that_touches_a_period_passes_it_on() {
    let mut sim = round_robin(&["UA", "UB", "UC"]);
    sim.time_off("UB", day(13), day(13));
    assert_eq!(by_week(&sim, 0..4), "UA UC UA UB");
    let passed_over = &sim.explanation(day(7)).passed_over;
    assert_eq!(passed_over.len(), 1);
    assert_eq!(passed_over[0].user, user("UB"));
    assert_eq!(passed_over[0].reason.code(), "time_off");
    assert_eq!(sim.explanation(day(21)).passed_over, []);
}

#[test]
fn custom_goes_by_the_order_and_passes_over_who_is_no_candidate() {
    let mut sim = custom(&["UC", "UX", "UA", "UB"], &["UA", "UB", "UC", "UD"]);
    sim.set_eligible("UA", false);
    sim.generate(6);
    assert_eq!(by_week(&sim, 0..6), "UC UB UC UB UC UB");
    let passed_over = &sim.explanation(day(7)).passed_over;
    let reasons: Vec<_> = passed_over
        .iter()
        .map(|p| (p.user.as_str(), p.reason.clone()))
        .collect();
    assert_eq!(
        reasons,
        [
            ("UA", PassedOverReason::Ineligible),
            ("UD", PassedOverReason::NotInOrder),
            ("UX", PassedOverReason::NotAMember),
        ]
    );
}

#[test]
fn custom_goes_on_after_the_place_of_one_who_has_left() {
    let mut sim = custom(&["UC", "UA", "UB"], &["UA", "UB", "UC"]);
    sim.advance_to(day(8));
    sim.leave("UA");
    assert_eq!(by_week(&sim, 0..5), "UC UA UB UC UB");
}

#[test]
fn custom_goes_on_where_it_was_when_the_last_one_is_taken_off_the_order() {
    let mut sim = custom(&["UA", "UB", "UC", "UD"], &["UA", "UB", "UC", "UD"]);
    sim.advance_to(day(15));
    assert_eq!(by_week(&sim, 2..3), "UC");
    sim.config.order = users(&["UA", "UB", "UD"]);
    sim.regenerate();
    // UC has no place any more; after UB, the last one who has, comes UD.
    assert_eq!(by_week(&sim, 2..6), "UC UD UA UB");
}

#[test]
fn an_empty_order_has_no_candidates() {
    let sim = custom(&[], &["UA"]);
    assert_eq!(by_week(&sim, 0..4), "- - - -");
}

#[test]
fn nobody_is_planned_while_all_are_ineligible_and_the_ring_goes_on_after() {
    let mut sim = round_robin(&["UA", "UB", "UC"]);
    sim.advance_to(day(3));
    for id in ["UA", "UB", "UC"] {
        sim.set_eligible(id, false);
    }
    assert_eq!(by_week(&sim, 0..4), "UA - - -");
    for id in ["UA", "UB", "UC"] {
        sim.set_eligible(id, true);
    }
    assert_eq!(by_week(&sim, 0..4), "UA UB UC UA");
}

#[test]
fn one_member_has_every_period() {
    for kind in [
        RotationType::RoundRobin,
        RotationType::Custom,
        RotationType::Weighted,
    ] {
        let mut config = config(kind, Interval::Weekly);
        config.order = users(&["UA"]);
        let mut sim = Sim::new(config, named(&["UA"]));
        sim.regenerate();
        sim.advance_to(day(70));
        assert_eq!(by_week(&sim, 0..12), ["UA"; 12].join(" "));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Each pick is the first candidate met on the way round from the last pick.
    #[test]
    fn every_pick_is_the_next_candidate_in_the_ring(
        is_custom in any::<bool>(),
        changes in prop::collection::btree_map(0i64..150, (0usize..6, 0u8..4), 0..20),
    ) {
        let mut order = ["UA", "UB", "UC", "UD", "UE", "UF"];
        let mut config = config(RotationType::RoundRobin, Interval::Weekly);
        let members = named(&order);
        if is_custom {
            config.kind = RotationType::Custom;
            order.reverse();
            config.order = users(&order);
        }
        let mut sim = Sim::new(config, members);
        sim.regenerate();
        for (at, (who, what)) in changes {
            sim.advance_to(day(at));
            let id = ["UA", "UB", "UC", "UD", "UE", "UF"][who];
            let is_here = sim.members.iter().any(|m| m.user.as_str() == id);
            match what {
                0 if is_here => drop(sim.leave(id)),
                1 if is_here => {
                    let is_eligible = sim.member_mut(id).is_eligible;
                    sim.set_eligible(id, !is_eligible);
                }
                2 => drop(sim.time_off(id, day(at + 5), day(at + 12))),
                _ => {}
            }
        }
        let rows: Vec<_> = sim.auto_rows().into_iter().filter(|row| !row.is_hold).collect();
        let place = |id: &str| order.iter().position(|other| *other == id).unwrap();
        for pair in rows.windows(2) {
            let picked = place(pair[1].engineer.as_str());
            let mut at = place(pair[0].engineer.as_str());
            let candidates = &sim.explanations[&pair[1].id].candidates;
            loop {
                at = (at + 1) % order.len();
                if candidates.iter().any(|s| place(s.user.as_str()) == at) {
                    break;
                }
            }
            prop_assert_eq!(at, picked, "{:?}", pair);
        }
    }
}
