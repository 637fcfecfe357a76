//! Overrides.

use std::ops::ControlFlow;

use chrono::NaiveDate;

use super::checkpoints;
use super::codec::Record;
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::tables::{OVERRIDES, OVERRIDES_BY_STATUS, OVERRIDES_BY_TEAM, OVERRIDES_BY_USER, Table};
use super::tx::{Order, Reader, WriteTx};
use crate::domain::ids::{OverrideId, TeamId, UserId};
use crate::domain::oncall_day::next_day;
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::rotation::checkpoint::Served;

impl Record for Override {}

fn key(id: OverrideId) -> Key {
    Key::new().id(id.uuid())
}

fn status_prefix(status: OverrideStatus, team: TeamId) -> Key {
    Key::new().byte(status as u8).id(team.uuid())
}

/// The keys by which an override is found.
fn index_keys(row: &Override) -> [(Table, Key); 3] {
    let end = |key: Key| key.date(row.start_date).id(row.id.uuid());
    [
        (OVERRIDES_BY_TEAM, end(Key::new().id(row.team_id.uuid()))),
        (
            OVERRIDES_BY_USER,
            end(Key::new().text(row.substitute.as_str())),
        ),
        (
            OVERRIDES_BY_STATUS,
            end(status_prefix(row.status, row.team_id)),
        ),
    ]
}

/// The override of an id.
pub fn find(tx: &impl Reader, id: OverrideId) -> Result<Option<Override>, StoreError> {
    tx.find(OVERRIDES, &key(id))
}

/// The overrides of a team that touch `from..=to`, in any state, by start.
pub fn list_of_team(
    tx: &impl Reader,
    team: TeamId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Override>, StoreError> {
    let prefix = Key::new().id(team.uuid());
    let start = prefix.as_slice().to_vec();
    touching(tx, OVERRIDES_BY_TEAM, start, &prefix, from, to)
}

/// The overrides of a team in one state that touch `from..=to`, by start.
pub fn list_of_status(
    tx: &impl Reader,
    team: TeamId,
    status: OverrideStatus,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Override>, StoreError> {
    let prefix = status_prefix(status, team);
    let mut start = prefix.as_slice().to_vec();
    if status.holds_days() {
        // These don't overlap each other: only the last one before `from` can reach into it.
        let at = prefix.clone().date(from);
        let (first, at) = (prefix.as_slice(), at.as_slice());
        start = at.to_vec();
        tx.scan(
            OVERRIDES_BY_STATUS,
            first,
            at,
            Order::Descending,
            &mut |key, _| {
                start = key.to_vec();
                Ok(ControlFlow::Break(()))
            },
        )?;
    }
    touching(tx, OVERRIDES_BY_STATUS, start, &prefix, from, to)
}

/// The overrides in all teams for which a person is the substitute and that touch
/// `from..=to`, in any state, by start.
pub fn list_of_user(
    tx: &impl Reader,
    user: &UserId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Override>, StoreError> {
    let prefix = Key::new().text(user.as_str());
    let start = prefix.as_slice().to_vec();
    touching(tx, OVERRIDES_BY_USER, start, &prefix, from, to)
}

/// The rows of an index from key `start` on, within `prefix`, that touch `from..=to`.
fn touching(
    tx: &impl Reader,
    index: Table,
    start: Vec<u8>,
    prefix: &Key,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Override>, StoreError> {
    let end = prefix.clone().date(next_day(to)).as_slice().to_vec();
    let ids = tx.keys(index, (start, end), trailing_id)?;
    let mut rows: Vec<Override> =
        tx.find_all(OVERRIDES, ids.into_iter().map(|id| Key::new().id(id)))?;
    rows.retain(|row| row.end_date >= from);
    Ok(rows)
}

/// Writes an override.
pub fn put(tx: &WriteTx, row: &Override) -> Result<(), StoreError> {
    let old = find(tx, row.id)?;
    if let Some(old) = &old {
        index_keys(old)
            .iter()
            .try_for_each(|(table, key)| tx.remove(*table, key))?;
    }
    let said = old.as_ref().and_then(Served::by_override);
    let says = Served::by_override(row);
    checkpoints::row_changed(tx, row.team_id, said.as_ref(), says.as_ref())?;
    index_keys(row)
        .iter()
        .try_for_each(|(table, key)| tx.set(*table, key, &[]))?;
    tx.put(OVERRIDES, &key(row.id), row)
}
