//! Checkpoints of rotations. Whatever writes a row of the past drops those that it makes wrong:
//! the rows' own functions see to that, so that no use case can forget it.

use std::ops::ControlFlow;

use chrono::NaiveDate;

use super::codec::{Record, decode};
use super::error::StoreError;
use super::key::Key;
use super::tables::CHECKPOINTS;
use super::tx::{Order, Reader, WriteTx};
use crate::domain::ids::TeamId;
use crate::domain::oncall_day::next_day;
use crate::rotation::checkpoint::{Checkpoint, Served};

impl Record for Checkpoint {}

fn team_key(team: TeamId) -> Key {
    Key::new().id(team.uuid())
}

/// The last checkpoint of a team that begins on `day` or before.
pub fn find_last(
    tx: &impl Reader,
    team: TeamId,
    day: NaiveDate,
) -> Result<Option<Checkpoint>, StoreError> {
    let mut last = None;
    let (from, to) = (team_key(team), team_key(team).date(next_day(day)));
    tx.scan(
        CHECKPOINTS,
        from.as_slice(),
        to.as_slice(),
        Order::Descending,
        &mut |_, bytes| {
            last = Some(decode(CHECKPOINTS, bytes)?);
            Ok(ControlFlow::Break(()))
        },
    )?;
    Ok(last)
}

/// Every checkpoint of a team, oldest first.
pub fn list(tx: &impl Reader, team: TeamId) -> Result<Vec<Checkpoint>, StoreError> {
    tx.list(CHECKPOINTS, &team_key(team))
}

/// Writes a team's new checkpoints. `before`, from which they were reached, goes, unless it is
/// one of the lasting ones.
pub fn put(
    tx: &WriteTx,
    team: TeamId,
    before: Option<&Checkpoint>,
    new: &[Checkpoint],
) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    if let Some(before) = before.filter(|before| !before.is_lasting()) {
        tx.remove(CHECKPOINTS, &team_key(team).date(before.start))?;
    }
    new.iter().try_for_each(|checkpoint| {
        let key = team_key(team).date(checkpoint.start);
        tx.put(CHECKPOINTS, &key, checkpoint)
    })
}

/// Drops the checkpoints that no longer hold where a row of the team says `new` that said `old`.
pub(super) fn row_changed(
    tx: &WriteTx,
    team: TeamId,
    old: Option<&Served<'_>>,
    new: Option<&Served<'_>>,
) -> Result<(), StoreError> {
    match Served::first_change(old, new) {
        Some(day) => drop_after(tx, team, day),
        None => Ok(()),
    }
}

/// Drops a team's checkpoints that begin after `day`: those that it went into.
pub(super) fn drop_after(tx: &WriteTx, team: TeamId, day: NaiveDate) -> Result<(), StoreError> {
    drop_from(tx, &team_key(team).date(next_day(day)), team)
}

/// Drops all of a team's checkpoints.
pub(super) fn drop_all(tx: &WriteTx, team: TeamId) -> Result<(), StoreError> {
    drop_from(tx, &team_key(team), team)
}

fn drop_from(tx: &WriteTx, first: &Key, team: TeamId) -> Result<(), StoreError> {
    let range = (first.as_slice().to_vec(), team_key(team).end());
    let keys = tx.keys(CHECKPOINTS, range, |key| Some(Key::new().bytes(key)))?;
    keys.iter().try_for_each(|key| tx.remove(CHECKPOINTS, key))
}
