//! Random walks: whatever happens to a team over two years, the invariants hold.

mod ops;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use proptest::prelude::*;

use super::coverage::Source;
use super::period::Period;
use super::strategy::Pick;
use super::testing::*;
use crate::domain::oncall_day::{add_days, each_day, next_day, previous_day};
use crate::domain::roster::Presence;
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::team::{Interval, RotationType};
use ops::{IDS, Op, op, perform};

fn candidates_of(sim: &Sim, period: &Period) -> Vec<String> {
    let may = sim.members.iter().filter(|m| {
        let is_off = |a: &super::candidate::Absence| {
            a.user == m.user && a.start <= period.end && period.start <= a.end
        };
        let is_custom = matches!(sim.config.kind, RotationType::Custom);
        matches!(m.presence, Presence::NotAsked)
            && m.is_eligible
            && (!is_custom || sim.config.order.contains(&m.user))
            && !sim.absences.iter().any(is_off)
    });
    may.map(|m| m.user.to_string()).collect()
}

/// What must hold at any time: at most one auto row on a day; and in planned periods, with a
/// candidate, exactly one row, auto or manual, by somebody who may be picked.
fn check(sim: &Sim) {
    let mut auto: BTreeMap<NaiveDate, &Schedule> = BTreeMap::new();
    let mut manual: BTreeMap<NaiveDate, &Schedule> = BTreeMap::new();
    for row in &sim.schedules {
        for day in each_day(row.start_date, row.end_date) {
            let layer = if row.origin == Origin::Auto {
                &mut auto
            } else {
                &mut manual
            };
            if let Some(other) = layer.insert(day, row) {
                panic!("{row:?} overlaps {other:?} on {day}");
            }
        }
    }
    let until = sim.published_until.unwrap();
    let beyond = auto.range(next_day(until)..).next();
    assert_eq!(beyond, None, "published beyond {until}");
    let mut period = sim.periods().after(sim.today);
    while period.start <= until {
        assert!(period.end <= until, "a period is published as a whole");
        let candidates = candidates_of(sim, &period);
        for day in period.days() {
            match (auto.get(&day), manual.contains_key(&day)) {
                (Some(_), true) => panic!("auto and manual on {day}"),
                (None, false) => assert!(candidates.is_empty(), "{day} is open to {candidates:?}"),
                (Some(row), false) => {
                    let who = row.engineer.to_string();
                    assert!(candidates.contains(&who), "{who} can't be picked for {day}");
                    assert!(row.start_date >= period.start && row.end_date <= period.end);
                }
                (None, true) => {}
            }
        }
        period = sim.periods().get(period.index + 1);
    }
}

/// Checks an operation by what it left of the rows before it. A handoff leaves all of them.
fn check_kept(before: &Sim0, after: &Sim, is_handoff: bool) {
    let next = if is_handoff {
        add_days(before.until, 1)
    } else {
        after.next_start()
    };
    for row in before
        .rows
        .iter()
        .filter(|row| row.origin == Origin::Auto && row.start_date < next)
    {
        let stands = after.schedules.iter().find(|other| other.id == row.id);
        let stands = stands.unwrap_or_else(|| panic!("{row:?} is gone"));
        assert_eq!(stands.end_date, row.end_date.min(previous_day(next)));
        assert_eq!(
            (&stands.engineer, stands.start_date),
            (&row.engineer, row.start_date)
        );
    }
    let old: Vec<_> = before.rows.iter().map(|row| row.id).collect();
    for row in after.schedules.iter().filter(|row| !old.contains(&row.id)) {
        let is_new_auto = row.origin == Origin::Auto;
        assert!(
            !is_new_auto || row.start_date >= after.today,
            "{row:?} rewrites the past"
        );
    }
}

/// What [`check_kept`] needs to know from before.
struct Sim0 {
    rows: Vec<Schedule>,
    until: NaiveDate,
}

impl Sim0 {
    fn of(sim: &Sim) -> Self {
        let until = sim.published_until.unwrap();
        Self {
            rows: sim.schedules.clone(),
            until,
        }
    }
}

/// Generating again changes nothing, and preview says so.
fn check_idempotent(sim: &mut Sim, weeks: u32) {
    let before = (
        sim.schedules.clone(),
        sim.ledger.clone(),
        sim.published_until,
    );
    let again = sim.generate(weeks);
    assert!(
        again.shifts.iter().all(|shift| shift.id.is_some()),
        "{:?}",
        again.shifts
    );
    assert_eq!(
        (again.deleted.len(), again.cut.len(), again.begun.len()),
        (0, 0, 0)
    );
    let after = (
        sim.schedules.clone(),
        sim.ledger.clone(),
        sim.published_until,
    );
    assert_eq!(before, after);
}

fn walk(
    config: crate::domain::team::RotationConfig,
    strategy: Option<Scripted>,
    days: i64,
    ops: &BTreeMap<i64, Op>,
) {
    let mut sim = Sim::new(config, named(&IDS[..3]));
    sim.strategy = strategy.map(Ok);
    sim.config.order = users(&["UF", "UD", "UB", "UA", "UE"]);
    sim.regenerate();
    for n in 1..=days {
        sim.today = day(n);
        if sim.periods().should_rotate(sim.today) {
            let before = Sim0::of(&sim);
            sim.handoff();
            check_kept(&before, &sim, true);
            check(&sim);
            let (covered, _) = (sim.on_call(day(n)), sim.on_call(day(n - 1)));
            let nobody_before = sim.on_call(day(n - 1)).is_none();
            assert!(
                covered.is_some() || nobody_before,
                "day {n} is open after the handoff"
            );
        }
        let Some(op) = ops.get(&n) else { continue };
        let before = Sim0::of(&sim);
        if perform(&mut sim, op).is_some() {
            check_kept(&before, &sim, false);
            check(&sim);
            let weeks = if let Op::Generate(weeks) = op {
                *weeks
            } else {
                LOOKAHEAD_WEEKS
            };
            check_idempotent(&mut sim, weeks);
            assert!(
                sim.published_until.unwrap() >= before.until,
                "the horizon is kept"
            );
            check_running(&sim);
        } else {
            check(&sim);
        }
    }
}

/// From today on the running period has somebody for each day, if anybody may be picked.
fn check_running(sim: &Sim) {
    let Some(running) = sim.running() else { return };
    if candidates_of(sim, &running).is_empty() {
        return;
    }
    for day in each_day(sim.today, running.end) {
        let source = sim.on_call(day).map(|(_, source)| source);
        assert!(
            source.is_some_and(|s| s != Source::None),
            "{day} is open, today is {}",
            sim.today
        );
    }
}

fn kind() -> impl Strategy<Value = RotationType> {
    prop::sample::select(vec![
        RotationType::RoundRobin,
        RotationType::Custom,
        RotationType::Weighted,
    ])
}

/// What a plugin may say: the user at this place of all that there are, be it a candidate, a
/// member on leave or nobody at all; or that it failed.
fn answer() -> impl Strategy<Value = Option<usize>> {
    prop::option::weighted(0.8, 0..IDS.len() + 1)
}

/// A plugin that gives these answers, by the number of the period.
fn answering(answers: Vec<Option<usize>>) -> Scripted {
    Scripted::new(move |context| {
        let turn = usize::try_from(context.period.index).unwrap() % answers.len();
        let at = answers[turn].ok_or("it did not feel like it")?;
        let user = user(IDS.get(at).unwrap_or(&"UNOBODY"));
        Ok(Pick {
            user,
            reason: "because".to_owned(),
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn two_years_of_anything_keep_the_invariants(
        kind in kind(),
        interval in prop::sample::select(vec![Interval::Weekly, Interval::Biweekly]),
        ops in prop::collection::btree_map(1i64..730, op(), 10..60),
    ) {
        walk(config(kind, interval), None, 730, &ops);
    }

    #[test]
    fn a_quarter_of_daily_handoffs_and_anything_keeps_the_invariants(
        kind in kind(), ops in prop::collection::btree_map(1i64..90, op(), 5..40),
    ) {
        walk(config(kind, Interval::Daily), None, 90, &ops);
    }

    #[test]
    fn any_answer_of_any_plugin_leaves_the_schedule_valid(
        answers in prop::collection::vec(answer(), 1..20),
        interval in prop::sample::select(vec![Interval::Daily, Interval::Weekly, Interval::Biweekly]),
        ops in prop::collection::btree_map(1i64..180, op(), 5..40),
    ) {
        let kind = RotationType::Plugin("any".to_owned());
        walk(config(kind, interval), Some(answering(answers)), 180, &ops);
    }
}
