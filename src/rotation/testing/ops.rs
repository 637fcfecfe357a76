//! What may happen to a team on a random walk.

use proptest::prelude::*;

use super::Sim;
use crate::domain::oncall_day::add_days;
use crate::domain::roster::Presence;
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::shift_override::OverrideStatus;
use crate::domain::team::{Interval, RotationType};
use crate::rotation::plan::Plan;

pub const IDS: [&str; 6] = ["UA", "UB", "UC", "UD", "UE", "UF"];

/// Something that happens to a team; days count from today.
#[derive(Clone, Debug)]
pub enum Op {
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

pub fn op() -> impl Strategy<Value = Op> {
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

/// Does it as the daemon does; the plan, where it planned again.
pub fn perform(sim: &mut Sim, op: &Op) -> Option<Plan> {
    let today = sim.today;
    let is_here = |sim: &Sim, who: usize| sim.members.iter().any(|m| m.user.as_str() == IDS[who]);
    match *op {
        Op::Generate(weeks) => Some(sim.generate(weeks)),
        Op::Join(who) if !is_here(sim, who) => Some(sim.join(IDS[who], 1.0)),
        Op::Leave(who) if is_here(sim, who) => Some(sim.leave(IDS[who])),
        Op::Weight(who, weight) if is_here(sim, who) => Some(sim.set_weight(IDS[who], weight)),
        Op::Eligible(who, is) if is_here(sim, who) => Some(sim.set_eligible(IDS[who], is)),
        Op::InGroup(who, is) if is_here(sim, who) => {
            let presence = if is {
                Presence::NotAsked
            } else {
                Presence::Left
            };
            sim.member_mut(IDS[who]).presence = presence;
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
            if !taken.all(|(from, to)| to < start || end < from) {
                return None;
            }
            sim.put_manual(IDS[who], start, end);
            (end > today).then(|| sim.regenerate())
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
