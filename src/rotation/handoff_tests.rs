//! What happens at handoffs without a candidate, with a failing strategy, after downtime, and
//! when the grid of periods changes.

use proptest::prelude::*;

use super::coverage::Source;
use super::plan::{OnFailure, Plan};
use super::strategy::{Pick, RoundRobin, Strategy as _};
use super::testing::*;
use crate::domain::ids::ScheduleId;
use crate::domain::oncall_day::each_day;
use crate::domain::schedule::Origin;
use crate::domain::team::{Interval, RotationType};

fn published(ids: &[&str]) -> Sim {
    let config = config(RotationType::RoundRobin, Interval::Weekly);
    let mut sim = Sim::new(config, named(ids));
    sim.regenerate();
    sim
}

fn all_ineligible(sim: &mut Sim) {
    for member in &mut sim.members {
        member.is_eligible = false;
    }
    sim.regenerate();
}

#[test]
fn without_a_candidate_whoever_was_on_call_stays_on_at_the_handoff() {
    let mut sim = published(&["UA", "UB"]);
    sim.advance_to(day(2));
    all_ineligible(&mut sim);
    assert_eq!(sim.rota(), ["UA 0..6"], "no hold is planned ahead");
    assert_eq!(sim.preview(4).shifts, []);
    sim.advance_to(day(6));
    sim.today = day(7);
    let plan = sim.handoff();
    assert!(plan.nobody_for_running);
    sim.advance_to(day(15));
    assert_eq!(sim.rota(), ["UA 0..6", "UA 7..13 hold", "UA 14..20 hold"]);
    let told = sim.explanation(day(14));
    assert!(told.is_hold && told.candidates.is_empty());
    assert_eq!(told.passed_over.len(), 2);
    // Run twice, a handoff is the same, and a hold is nobody's turn.
    let again = sim.handoff();
    assert_eq!((again.shifts.len(), again.nobody_for_running), (0, false));
    sim.set_eligible("UA", true);
    sim.set_eligible("UB", true);
    assert_eq!(sim.rota()[3..6], ["UB 21..27", "UA 28..34", "UB 35..41"]);
}

#[test]
fn a_hold_continues_an_overrides_substitute_and_needs_somebody_to_hold() {
    let mut sim = published(&["UA"]);
    sim.cover("UX", day(4), day(6));
    all_ineligible(&mut sim);
    sim.advance_to(day(7));
    assert_eq!(sim.on_call(day(7)), Some(("UX".into(), Source::Auto)));
    let mut sim = Sim::new(
        config(RotationType::RoundRobin, Interval::Weekly),
        Vec::new(),
    );
    let plan = sim.handoff();
    assert!(plan.nobody_for_running && plan.shifts.is_empty());
}

#[test]
fn a_hold_is_nobodys_turn_in_the_ring() {
    let mut sim = published(&["UA", "UB", "UC"]);
    sim.cover("UC", day(5), day(6));
    // The next week's pick fails, so UC stays on; then it is UB's turn as it was.
    sim.on_failure = OnFailure::Hold;
    sim.strategy = Some(Ok(Scripted::new(|context| match context.period.index {
        1 => Err("not today".into()),
        _ => RoundRobin.pick(context),
    })));
    sim.regenerate();
    let rota = ["UA 0..6", "UC 7..13 hold", "UB 14..20", "UC 21..27"];
    assert_eq!(sim.rota(), rota);
    sim.regenerate();
    assert_eq!(sim.rota(), rota);
    sim.advance_to(day(8));
    sim.regenerate();
    assert_eq!(sim.rota()[..4], rota);
}

#[test]
fn a_handoff_that_is_late_holds_whoever_was_on_call_before_it() {
    let mut sim = published(&["UA"]);
    all_ineligible(&mut sim);
    sim.today = day(9);
    let plan = sim.handoff();
    assert!(plan.nobody_for_running);
    assert_eq!(sim.rota(), ["UA 0..6", "UA 9..13 hold"]);
}

#[test]
fn the_rest_of_a_period_is_held_by_whoever_was_on_call_the_day_before() {
    let mut sim = published(&[]);
    sim.manual("UX", day(0), day(2));
    sim.advance_to(day(3));
    sim.on_failure = OnFailure::Hold;
    sim.strategy = Some(Err("broken".into()));
    sim.join("UA", 1.0);
    assert_eq!(sim.rota()[..2], ["UX 3..6 hold", "UX 7..13 hold"]);
}

#[test]
fn the_first_to_join_an_empty_team_is_on_call_at_once() {
    let mut sim = published(&[]);
    assert!(sim.rota().is_empty());
    sim.advance_to(day(3));
    sim.join("UA", 1.0);
    assert_eq!(sim.rota()[..2], ["UA 3..6", "UA 7..13"]);
}

#[test]
fn after_downtime_the_present_period_is_filled_and_the_missed_days_are_not() {
    let mut sim = published(&["UA", "UB", "UC"]);
    sim.today = day(7 * 6 + 2);
    let plan = sim.handoff();
    assert_eq!(sim.on_call(day(7 * 6 + 1)), None);
    let rota = sim.rota();
    // The fourth week was UA's; two that nobody served take no turn.
    assert_eq!(rota[3..6], ["UA 21..27", "UB 44..48", "UC 49..55"]);
    assert_eq!(plan.begun.len(), 6, "the missed periods are settled too");
}

#[test]
fn a_strategy_that_fails_falls_back_to_round_robin_and_is_reported() {
    let mut sim = published(&["UA", "UB", "UC"]);
    sim.config.kind = RotationType::Plugin("fair".into());
    let plan = sim.regenerate();
    assert_eq!(
        sim.rota(),
        ["UA 0..6", "UB 7..13", "UC 14..20", "UA 21..27"]
    );
    assert_eq!(plan.failures.len(), 3);
    let told = sim.explanation(day(7));
    assert_eq!(told.strategy_error.as_deref(), Some("no such plugin"));
    assert_eq!(told.strategy, "plugin:fair");
    assert!(!told.is_hold);
}

#[test]
fn a_strategy_that_picks_no_candidate_holds_where_that_is_configured() {
    let mut sim = published(&["UA", "UB", "UC"]);
    sim.config.kind = RotationType::Plugin("rogue".into());
    sim.on_failure = OnFailure::Hold;
    sim.strategy = Some(Ok(Scripted::new(|_| {
        let reason = "I say so".into();
        Ok(Pick {
            user: user("UX"),
            reason,
        })
    })));
    let plan = sim.generate(2);
    let rota = [
        "UA 0..6",
        "UA 7..13 hold",
        "UA 14..20 hold",
        "UA 21..27 hold",
    ];
    assert_eq!(sim.rota(), rota);
    let (period, error) = &plan.failures[0];
    assert_eq!(period.start, day(7));
    assert_eq!(error, "plugin:rogue picked UX, who is not a candidate");
    // Once it works again, the ring goes on after the last turn; holds were none.
    sim.strategy = None;
    sim.config.kind = RotationType::RoundRobin;
    sim.regenerate();
    assert_eq!(sim.rota()[1..3], ["UB 7..13", "UC 14..20"]);
}

#[test]
fn a_strategy_of_ones_own_sees_the_candidates_and_its_reason_is_kept() {
    let mut sim = published(&["UA", "UB", "UC"]);
    sim.config.kind = RotationType::Plugin("last".into());
    sim.strategy = Some(Ok(Scripted::new(|context| {
        let last = context.standings.last().ok_or("nobody")?;
        let reason = format!("period {}", context.period.index);
        Ok(Pick {
            user: last.user.clone(),
            reason,
        })
    })));
    let plan = sim.regenerate();
    assert_eq!(picked(&plan), ["UC", "UC", "UC"]);
    assert_eq!(sim.explanation(day(14)).reason, "period 2");
    assert!(plan.failures.is_empty());
}

#[test]
fn from_weekly_to_daily_the_running_week_becomes_a_running_day() {
    let mut sim = published(&["UA", "UB", "UC"]);
    sim.advance_to(day(9));
    sim.config.interval = Interval::Daily;
    sim.regenerate();
    assert_eq!(
        sim.rota()[..4],
        ["UA 0..6", "UB 7..9", "UC 10..10", "UA 11..11"]
    );
}

#[test]
fn from_weekly_to_biweekly_the_running_fortnight_keeps_both_its_weeks() {
    let mut sim = published(&["UA", "UB", "UC"]);
    sim.advance_to(day(2));
    sim.config.interval = Interval::Biweekly;
    sim.regenerate();
    assert_eq!(sim.rota()[..3], ["UA 0..6", "UB 7..13", "UC 14..27"]);
}

#[test]
fn another_handoff_day_cuts_the_shift_that_reaches_over_it() {
    let mut sim = published(&["UA", "UB", "UC"]);
    sim.advance_to(day(9));
    sim.config.handoff_day = Some(4);
    sim.regenerate();
    // The first Friday is day 4, so the running period is Friday 4 to Thursday 10.
    assert_eq!(
        sim.rota()[..4],
        ["UA 0..6", "UB 7..10", "UC 11..17", "UA 18..24"]
    );
}

#[test]
fn a_start_date_to_come_keeps_what_was_published_until_then() {
    let mut sim = published(&["UA", "UB", "UC"]);
    sim.advance_to(day(2));
    sim.start_date = day(10);
    sim.regenerate();
    assert_eq!(
        sim.rota()[..4],
        ["UA 0..6", "UB 7..9", "UC 10..16", "UA 17..23"]
    );
}

/// The days before `until` that each row covers.
fn days_before(sim: &Sim, until: chrono::NaiveDate) -> Vec<(chrono::NaiveDate, ScheduleId)> {
    let rows = sim
        .schedules
        .iter()
        .flat_map(|row| each_day(row.start_date, row.end_date).map(|day| (day, row.id)));
    let mut days: Vec<_> = rows.filter(|(day, _)| *day < until).collect();
    days.sort();
    days
}

fn check_failures(plan: &Plan) {
    for (period, error) in &plan.failures {
        let mut shifts = plan.shifts.iter();
        let told = shifts.find(|s| s.explanation.period_start == period.start);
        assert_eq!(
            told.unwrap().explanation.strategy_error.as_ref(),
            Some(error)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_new_grid_never_leaves_overlaps_nor_holes(
        from in 0usize..3, to in 0usize..3, at in 0i64..60, handoff_day in prop::option::of(0u8..7),
        start in prop::option::of(-40i64..20), manual in prop::option::of((0i64..30, 0i64..30)),
        is_failing in any::<bool>(),
    ) {
        let mut sim = Sim::new(config(RotationType::Weighted, Interval::ALL[from]), named(&["UA", "UB", "UC"]));
        if is_failing {
            sim.strategy = Some(Err("broken".into()));
        }
        sim.regenerate();
        sim.advance_to(day(at));
        if let Some((from, length)) = manual {
            sim.manual("UX", day(at + from), day(at + from + length));
        }
        sim.config.interval = Interval::ALL[to];
        sim.config.handoff_day = handoff_day;
        if let Some(start) = start {
            sim.start_date = day(at + start);
        }
        let next = sim.next_start();
        let before = days_before(&sim, next);
        let plan = sim.regenerate();
        check_failures(&plan);
        // Manual rows may leave the strategy nothing to be asked for.
        let is_asked = !plan.shifts.is_empty();
        prop_assert_eq!(!plan.failures.is_empty(), is_failing && is_asked);
        let after = days_before(&sim, next);
        for kept in &before {
            prop_assert!(after.contains(kept), "{kept:?} was touched");
        }
        for (day, id) in after.iter().filter(|known| !before.contains(known)) {
            let is_free = before.iter().all(|(other, _)| other != day);
            prop_assert!(*day >= sim.today && is_free, "{day} {id} was added");
        }
        let until = sim.published_until.unwrap();
        for day in each_day(next, until) {
            let rows: Vec<_> = sim.schedules.iter().filter(|row| row.covers(day)).collect();
            prop_assert_eq!(rows.len(), 1, "{} {:?}", day, rows);
        }
        if let Some(running) = sim.running() {
            for day in each_day(sim.today, running.end) {
                prop_assert!(sim.on_call(day).is_some(), "{} is open", day);
            }
        }
        prop_assert!(sim.schedules.iter().filter(|r| r.origin == Origin::Auto).all(|r| r.end_date <= until));
    }
}
