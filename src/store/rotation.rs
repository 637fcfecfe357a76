//! How far each team's rotation has come: its next handoff, and what past periods earned.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::catalog::Indexed;
use super::checkpoints;
use super::codec::{Record, decode};
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::tables::{HANDOFFS, LEDGER, ROTATION_STATES};
use super::tx::{Order, Reader, WriteTx};
use crate::domain::ids::TeamId;
use crate::rotation::credit::PeriodShares;

/// How far a team's rotation has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationState {
    /// First day of the last period whose handoff was handled, or that was running when the
    /// rotation was switched on. A handoff is due only for a later period.
    #[serde(with = "crate::domain::compact::date_option")]
    pub handled: Option<NaiveDate>,
    /// First day of the period that is handed off next.
    #[serde(with = "crate::domain::compact::date_option")]
    pub next_period: Option<NaiveDate>,
    /// Its first instant and those of the published periods after it, by the zone rules that
    /// were in force when this was written. The index of handoffs holds the first.
    #[serde(with = "crate::domain::compact::instants")]
    pub upcoming: Vec<DateTime<Utc>>,
    /// Last day of the last published period.
    #[serde(with = "crate::domain::compact::date_option")]
    pub published_until: Option<NaiveDate>,
}

impl Record for RotationState {}
impl Record for PeriodShares {}

fn team_key(team: TeamId) -> Key {
    Key::new().id(team.uuid())
}

fn handoff_key(at: DateTime<Utc>, team: TeamId) -> Key {
    Key::new().instant(at).id(team.uuid())
}

/// The row of a team's next handoff, if one is planned.
pub(super) fn indexed(team: TeamId, state: &RotationState) -> Vec<Indexed> {
    let next = state.upcoming.first().into_iter();
    next.map(|at| Indexed::key(HANDOFFS, handoff_key(*at, team)))
        .collect()
}

/// How far a team's rotation has come.
pub fn state(tx: &impl Reader, team: TeamId) -> Result<RotationState, StoreError> {
    Ok(tx
        .find(ROTATION_STATES, &team_key(team))?
        .unwrap_or_default())
}

/// Writes how far a team's rotation has come, and moves its place in the index of handoffs.
pub fn put_state(tx: &WriteTx, team: TeamId, new: &RotationState) -> Result<(), StoreError> {
    let old = state(tx, team)?;
    let (was, is) = (old.upcoming.first(), new.upcoming.first());
    if was != is {
        if let Some(at) = was {
            tx.remove(HANDOFFS, &handoff_key(*at, team))?;
        }
        if let Some(at) = is {
            tx.set(HANDOFFS, &handoff_key(*at, team), &[])?;
        }
    }
    tx.put(ROTATION_STATES, &team_key(team), new)
}

/// The first `limit` teams whose next handoff is due at `now`, those due longest first.
pub fn list_due(
    tx: &impl Reader,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<TeamId>, StoreError> {
    let mut due = Vec::new();
    let end = Key::new().instant(now).end();
    tx.scan(HANDOFFS, &[], &end, Order::Ascending, &mut |key, _| {
        due.extend(trailing_id(key).map(TeamId::from_uuid));
        Ok(if due.len() < limit {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        })
    })?;
    Ok(due)
}

/// What the candidates of a team's begun periods earned, by the periods' first day, from the
/// one that `from` may lie in.
pub fn ledger(
    tx: &impl Reader,
    team: TeamId,
    from: NaiveDate,
) -> Result<BTreeMap<NaiveDate, PeriodShares>, StoreError> {
    let start = crate::domain::oncall_day::add_days(from, -14);
    let mut ledger = BTreeMap::new();
    let (first, end) = (team_key(team).date(start), team_key(team).end());
    tx.scan(
        LEDGER,
        first.as_slice(),
        &end,
        Order::Ascending,
        &mut |_, bytes| {
            let shares: PeriodShares = decode(LEDGER, bytes)?;
            ledger.insert(shares.start, shares);
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(ledger)
}

/// Writes what the candidates of a begun period earned.
pub fn put_shares(tx: &WriteTx, team: TeamId, shares: &PeriodShares) -> Result<(), StoreError> {
    checkpoints::drop_after(tx, team, shares.start)?;
    tx.put(LEDGER, &team_key(team).date(shares.start), shares)
}
