//! Random walks of a team, and what must hold on each day of them.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::ops::{Op, perform};
use super::*;
use crate::domain::oncall_day::{add_days, each_day, next_day, previous_day};
use crate::domain::roster::Presence;
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::team::RotationType;
use crate::rotation::candidate::Absence;
use crate::rotation::coverage::Source;
use crate::rotation::period::Period;
use crate::rotation::plan::{OnFailure, Plan};

fn candidates_of(sim: &Sim, period: &Period) -> Vec<String> {
    let may = sim.members.iter().filter(|m| {
        let is_off =
            |a: &Absence| a.user == m.user && a.start <= period.end && period.start <= a.end;
        let is_custom = matches!(sim.config.kind, RotationType::Custom);
        matches!(m.presence, Presence::NotAsked)
            && m.is_eligible
            && (!is_custom || sim.config.order.contains(&m.user))
            && !sim.absences.iter().any(is_off)
    });
    may.map(|m| m.user.to_string()).collect()
}

/// Whether a failed strategy is nobody's turn: who was on call stays on, if anybody was.
fn may_hold(sim: &Sim) -> bool {
    sim.strategy.is_some() && sim.on_failure == OnFailure::Hold
}

/// What must hold at any time: at most one auto row on a day; and in planned periods, with a
/// candidate, exactly one row, auto or manual, by somebody who may be picked; or else a hold
/// where those are asked for.
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
                (None, false) => assert!(
                    candidates.is_empty() || may_hold(sim),
                    "{day} is open to {candidates:?}"
                ),
                (Some(row), false) => {
                    let who = row.engineer.to_string();
                    assert!(
                        candidates.contains(&who) || row.is_hold && may_hold(sim),
                        "{who} can't be picked for {day}"
                    );
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
fn check_idempotent(sim: &mut Sim, weeks: u32) -> Plan {
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
    again
}

/// From today on the running period has somebody for each day, if anybody may be picked.
fn check_running(sim: &Sim) {
    let Some(running) = sim.running() else { return };
    if candidates_of(sim, &running).is_empty() || may_hold(sim) {
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

/// Plays a team for so many days, with what happens on some of them; `look` gets each plan.
/// The team as it then is.
pub fn walk(mut sim: Sim, days: i64, ops: &BTreeMap<i64, Op>, mut look: impl FnMut(&Plan)) -> Sim {
    sim.config.order = users(&["UF", "UD", "UB", "UA", "UE"]);
    look(&sim.regenerate());
    for n in 1..=days {
        sim.today = day(n);
        if sim.periods().should_rotate(sim.today) {
            let before = Sim0::of(&sim);
            look(&sim.handoff());
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
        if let Some(plan) = perform(&mut sim, op) {
            look(&plan);
            check_kept(&before, &sim, false);
            check(&sim);
            let weeks = if let Op::Generate(weeks) = op {
                *weeks
            } else {
                LOOKAHEAD_WEEKS
            };
            look(&check_idempotent(&mut sim, weeks));
            assert!(
                sim.published_until.unwrap() >= before.until,
                "the horizon is kept"
            );
            check_running(&sim);
        } else {
            check(&sim);
        }
    }
    sim
}
