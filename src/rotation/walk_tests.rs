//! Random walks: whatever happens to a team over two years, the invariants hold.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use proptest::prelude::*;

use super::coverage::Source;
use super::period::Period;
use super::plan::Plan;
use super::testing::*;
use crate::domain::oncall_day::{add_days, each_day, next_day, previous_day};
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::shift_override::OverrideStatus;
use crate::domain::team::{Interval, RotationType};

const IDS: [&str; 6] = ["UA", "UB", "UC", "UD", "UE", "UF"];

#[derive(Clone, Debug)]
enum Op {
    Generate(u32),
    Join(usize),
    Leave(usize),
    Weight(usize, f64),
    Eligible(usize, bool),
    InGroup(usize, bool),
    TimeOff(usize, i64, i64),
    Manual(usize, i64, i64),
    DropManual,
    Cover(usize, i64, i64),
    CancelCover,
    Kind(u8),
    Interval(usize),
    HandoffDay(Option<u8>),
    StartDate(i64),
}

fn op() -> impl Strategy<Value = Op> {
    let who = 0..IDS.len();
    prop_oneof![
        1 => (0u32..16).prop_map(Op::Generate),
        3 => who.clone().prop_map(Op::Join),
        2 => who.clone().prop_map(Op::Leave),
        2 => (who.clone(), 0.1f64..9.0).prop_map(|(who, weight)| Op::Weight(who, weight)),
        2 => (who.clone(), any::<bool>()).prop_map(|(who, is)| Op::Eligible(who, is)),
        1 => (who.clone(), any::<bool>()).prop_map(|(who, is)| Op::InGroup(who, is)),
        3 => (who.clone(), -5i64..40, 0i64..30).prop_map(|(who, at, days)| Op::TimeOff(who, at, days)),
        4 => (who.clone(), -20i64..40, 0i64..20).prop_map(|(who, at, days)| Op::Manual(who, at, days)),
        1 => Just(Op::DropManual),
        3 => (who, 0i64..30, 0i64..20).prop_map(|(who, at, days)| Op::Cover(who, at, days)),
        1 => Just(Op::CancelCover),
        2 => (0u8..3).prop_map(Op::Kind),
        2 => (0usize..3).prop_map(Op::Interval),
        2 => prop::option::of(0u8..7).prop_map(Op::HandoffDay),
        2 => (-60i64..30).prop_map(Op::StartDate),
    ]
}

fn perform(sim: &mut Sim, op: &Op) -> Option<Plan> {
    let today = sim.today;
    let is_here = |sim: &Sim, who: usize| sim.members.iter().any(|m| m.user.as_str() == IDS[who]);
    match *op {
        Op::Generate(weeks) => Some(sim.generate(weeks)),
        Op::Join(who) if !is_here(sim, who) => Some(sim.join(IDS[who], 1.0)),
        Op::Leave(who) if is_here(sim, who) => Some(sim.leave(IDS[who])),
        Op::Weight(who, weight) if is_here(sim, who) => Some(sim.set_weight(IDS[who], weight)),
        Op::Eligible(who, is) if is_here(sim, who) => Some(sim.set_eligible(IDS[who], is)),
        Op::InGroup(who, is) if is_here(sim, who) => {
            sim.member_mut(IDS[who]).in_group = is;
            Some(sim.regenerate())
        }
        Op::TimeOff(who, at, days) => {
            let start = add_days(today, at);
            Some(sim.time_off(IDS[who], start, add_days(start, days)))
        }
        Op::Manual(who, at, days) => {
            let (start, end) = (add_days(today, at), add_days(today, at + days));
            let manual = sim
                .schedules
                .iter()
                .filter(|row| row.origin == Origin::Manual);
            let mut taken = manual.map(|row| (row.start_date, row.end_date));
            if taken.all(|(from, to)| to < start || end < from) {
                sim.manual(IDS[who], start, end);
            }
            None
        }
        Op::DropManual => {
            let future = |row: &Schedule| row.origin == Origin::Manual && row.end_date > today;
            sim.schedules.retain(|row| !future(row));
            Some(sim.regenerate())
        }
        Op::Cover(who, at, days) => {
            let (start, end) = (add_days(today, at), add_days(today, at + days));
            let held = sim.overrides.iter().filter(|row| row.status.holds_days());
            let mut taken = held.map(|row| (row.start_date, row.end_date));
            if taken.all(|(from, to)| to < start || end < from) {
                sim.cover(IDS[who], start, end);
            }
            None
        }
        Op::CancelCover => {
            if let Some(row) = sim.overrides.last_mut() {
                row.status = OverrideStatus::Cancelled;
            }
            Some(sim.regenerate())
        }
        Op::Kind(n) => {
            let kinds = [
                RotationType::RoundRobin,
                RotationType::Custom,
                RotationType::Weighted,
            ];
            sim.config.kind = kinds[usize::from(n)].clone();
            Some(sim.regenerate())
        }
        Op::Interval(n) => {
            sim.config.interval = Interval::ALL[n];
            Some(sim.regenerate())
        }
        Op::HandoffDay(day) => {
            sim.config.handoff_day = day;
            Some(sim.regenerate())
        }
        Op::StartDate(at) => {
            sim.start_date = add_days(today, at);
            Some(sim.regenerate())
        }
        _ => None,
    }
}

fn candidates_of(sim: &Sim, period: &Period) -> Vec<String> {
    let may = sim.members.iter().filter(|m| {
        let is_off = |a: &super::candidate::Absence| {
            a.user == m.user && a.start <= period.end && period.start <= a.end
        };
        let is_custom = matches!(sim.config.kind, RotationType::Custom);
        m.in_group
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

fn walk(config: crate::domain::team::RotationConfig, days: i64, ops: BTreeMap<i64, Op>) {
    let mut sim = Sim::new(config, named(&IDS[..3]));
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn two_years_of_anything_keep_the_invariants(
        kind in kind(),
        interval in prop::sample::select(vec![Interval::Weekly, Interval::Biweekly]),
        ops in prop::collection::btree_map(1i64..730, op(), 10..60),
    ) {
        walk(config(kind, interval), 730, ops);
    }

    #[test]
    fn a_quarter_of_daily_handoffs_and_anything_keeps_the_invariants(
        kind in kind(), ops in prop::collection::btree_map(1i64..90, op(), 5..40),
    ) {
        walk(config(kind, Interval::Daily), 90, ops);
    }
}
