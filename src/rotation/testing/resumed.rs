//! Plans each plan again from every checkpoint that still holds, and wants the very same.

use std::cell::RefCell;
use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::Sim;
use crate::domain::schedule::Schedule;
use crate::domain::shift_override::Override;
use crate::domain::team::RotationConfig;
use crate::rotation::checkpoint::{Checkpoint, Served};
use crate::rotation::credit::PeriodShares;
use crate::rotation::plan::{Plan, Published};

/// The checkpoints that the daemon would keep of a team, dropped as its store would.
#[derive(Default)]
pub struct Checkpoints(RefCell<Kept>);

#[derive(Default)]
struct Kept {
    checkpoints: BTreeMap<NaiveDate, Checkpoint>,
    seen: Seen,
    compared: usize,
}

/// What went into the checkpoints, as it was when it was last looked at.
#[derive(Default)]
struct Seen {
    periods: Option<(NaiveDate, RotationConfig)>,
    schedules: BTreeMap<uuid::Uuid, Schedule>,
    overrides: BTreeMap<uuid::Uuid, Override>,
    ledger: BTreeMap<NaiveDate, PeriodShares>,
}

impl Seen {
    fn of(sim: &Sim) -> Self {
        let schedules = sim.schedules.iter().cloned();
        let overrides = sim.overrides.iter().cloned();
        Self {
            periods: Some((sim.start_date, sim.config.clone())),
            schedules: schedules.map(|row| (row.id.uuid(), row)).collect(),
            overrides: overrides.map(|row| (row.id.uuid(), row)).collect(),
            ledger: sim.ledger.clone(),
        }
    }

    fn has_periods_of(&self, other: &Self) -> bool {
        match (&self.periods, &other.periods) {
            (Some((start, config)), Some((other_start, other))) => {
                start == other_start && config.has_periods_of(other)
            }
            _ => false,
        }
    }

    /// The first day of which something else is said by now.
    fn first_change(&self, now: &Self) -> Option<NaiveDate> {
        let schedules = changes(&self.schedules, &now.schedules, |row| {
            Some(Served::by_schedule(row))
        });
        let overrides = changes(&self.overrides, &now.overrides, |row| {
            Served::by_override(row)
        });
        let begun = now.ledger.iter();
        let begun = begun.filter(|(day, shares)| self.ledger.get(day) != Some(shares));
        let begun = begun.map(|(day, _)| *day);
        schedules.into_iter().chain(overrides).chain(begun).min()
    }
}

fn changes<T>(
    old: &BTreeMap<uuid::Uuid, T>,
    new: &BTreeMap<uuid::Uuid, T>,
    says: impl Fn(&T) -> Option<Served<'_>>,
) -> Option<NaiveDate> {
    let ids = old.keys().chain(new.keys());
    let first = ids.filter_map(|id| {
        let said = old.get(id).and_then(&says);
        Served::first_change(said.as_ref(), new.get(id).and_then(&says).as_ref())
    });
    first.min()
}

impl Checkpoints {
    /// How many plans were compared.
    pub fn compared(&self) -> usize {
        self.0.borrow().compared
    }

    /// Drops the checkpoints that no longer hold.
    pub fn look(&self, sim: &Sim) {
        let kept = &mut *self.0.borrow_mut();
        let now = Seen::of(sim);
        if !kept.seen.has_periods_of(&now) {
            kept.checkpoints.clear();
        } else if let Some(day) = kept.seen.first_change(&now) {
            kept.checkpoints.retain(|start, _| *start <= day);
        }
        kept.seen = now;
    }

    /// Keeps those of a plan that was written.
    pub fn keep(&self, sim: &Sim, plan: &Plan) {
        self.look(sim);
        let kept = &mut *self.0.borrow_mut();
        for new in &plan.checkpoints {
            if let Some(known) = kept.checkpoints.insert(new.start, new.clone()) {
                assert_eq!(known, *new, "a checkpoint that was not dropped holds");
            }
        }
        let newest = kept.checkpoints.keys().next_back().copied();
        kept.checkpoints
            .retain(|start, kept| kept.is_lasting() || Some(*start) == newest);
    }

    /// Compares a plan from the rotation's start with those from every checkpoint.
    pub fn compare(&self, sim: &Sim, plan: &Plan, wanted: (Published, u32, bool)) {
        self.look(sim);
        let kept = &mut *self.0.borrow_mut();
        let Some(running) = sim.running() else { return };
        for (_, checkpoint) in kept.checkpoints.range(..=running.start) {
            let resumed = sim.plan_from(Some(checkpoint), wanted);
            let mut expected = plan.clone();
            expected
                .checkpoints
                .retain(|later| later.index > checkpoint.index);
            assert_eq!(resumed, expected, "from period {}", checkpoint.index);
            kept.compared += 1;
        }
    }
}
