//! What the rotation's tests build teams from, [`Sim`], which plays them, and [`walk`], which
//! lets anything happen to them. Plugins are tried on them too.

mod ops;
mod resumed;
mod sim;
mod walk;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::candidate::RotationMember;
use super::plan::Plan;
use super::strategy::{Pick, PickContext, Strategy};
use crate::domain::ids::UserId;
use crate::domain::member::TeamRole;
use crate::domain::oncall_day::add_days;
use crate::domain::roster::Presence;
use crate::domain::team::{Interval, RotationConfig, RotationType};

pub use ops::{IDS, Op, op};
pub use resumed::Checkpoints;
pub use sim::Sim;
pub use walk::walk;

/// Weeks that the daemon publishes ahead.
pub const LOOKAHEAD_WEEKS: u32 = 4;

/// Monday 2026-01-05 and `n` days.
pub fn day(n: i64) -> NaiveDate {
    add_days(NaiveDate::from_ymd_opt(2026, 1, 5).unwrap(), n)
}

pub fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

pub fn users(ids: &[&str]) -> Vec<UserId> {
    ids.iter().map(|id| user(id)).collect()
}

fn noon(day: NaiveDate) -> DateTime<Utc> {
    day.and_hms_opt(12, 0, 0).unwrap().and_utc()
}

/// A member who joined before the rotation began; the lower `seniority`, the earlier.
pub fn member(id: &str, seniority: i64, weight: f64) -> RotationMember {
    let joined_at = noon(day(-100)) + TimeDelta::minutes(seniority);
    RotationMember {
        user: user(id),
        role: TeamRole::Member,
        weight,
        is_eligible: true,
        presence: Presence::NotAsked,
        joined_at,
        joined_date: joined_at.date_naive(),
    }
}

/// Members `U0`, `U1`, … of these weights, in that ring order.
pub fn weighing(weights: &[f64]) -> Vec<RotationMember> {
    (0i64..)
        .zip(weights)
        .map(|(n, weight)| member(&format!("U{n:X}"), n, *weight))
        .collect()
}

/// Members of weight 1 in ring order.
pub fn named(ids: &[&str]) -> Vec<RotationMember> {
    (0i64..)
        .zip(ids)
        .map(|(n, id)| member(id, n, 1.0))
        .collect()
}

pub fn config(kind: RotationType, interval: Interval) -> RotationConfig {
    RotationConfig {
        enabled: true,
        kind,
        interval,
        ..RotationConfig::default()
    }
}

/// A strategy that a test supplies.
pub struct Scripted(Script);

type Script = Box<dyn Fn(&PickContext<'_>) -> Result<Pick, String> + Send + Sync>;

impl Scripted {
    pub fn new(
        script: impl Fn(&PickContext<'_>) -> Result<Pick, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(script))
    }
}

impl Strategy for Scripted {
    fn pick(&self, context: &PickContext<'_>) -> Result<Pick, String> {
        (self.0)(context)
    }
}

/// Whom a plan's shifts fall to, in order.
pub fn picked(plan: &Plan) -> Vec<&str> {
    let shifts = plan.shifts.iter();
    shifts.map(|s| s.explanation.picked.as_str()).collect()
}
