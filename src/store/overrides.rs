//! Overrides.

use std::ops::ControlFlow;

use chrono::NaiveDate;
use uuid::Uuid;

use super::codec::Record;
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::tables::{OVERRIDES, OVERRIDES_BY_STATUS, OVERRIDES_BY_TEAM, OVERRIDES_BY_USER, Table};
use super::tx::{Order, Reader, WriteTx};
use crate::domain::ids::{OverrideId, TeamId, UserId};
use crate::domain::oncall_day::next_day;
use crate::domain::shift_override::{Override, OverrideStatus};

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

/// How many overrides of a team, of one state or of all, touch `from..=to`, and those of them
/// after the first `skip`, by start. Beside the page, keys alone are read, and what begins before
/// `from`.
pub fn page_of_team(
    tx: &impl Reader,
    team: TeamId,
    status: Option<OverrideStatus>,
    (from, to): (NaiveDate, NaiveDate),
    skip: usize,
    take: usize,
) -> Result<(usize, Vec<Override>), StoreError> {
    let (index, prefix) = match status {
        Some(status) => (OVERRIDES_BY_STATUS, status_prefix(status, team)),
        None => (OVERRIDES_BY_TEAM, Key::new().id(team.uuid())),
    };
    let at = prefix.clone().date(from).as_slice().to_vec();
    let before = (prefix.as_slice().to_vec(), at.clone());
    let before = tx.keys(index, before, trailing_id)?.into_iter();
    let before: Vec<Override> = tx.find_all(OVERRIDES, before.map(|id| Key::new().id(id)))?;
    let reaching = before.iter().filter(|row| row.end_date >= from);
    let mut ids: Vec<Uuid> = reaching.map(|row| row.id.uuid()).collect();
    let end = prefix.date(next_day(to)).as_slice().to_vec();
    ids.extend(tx.keys(index, (at, end), trailing_id)?);
    let page = ids.iter().skip(skip).take(take);
    let rows = tx.find_all(OVERRIDES, page.map(|id| Key::new().id(*id)))?;
    Ok((ids.len(), rows))
}

/// Of a team's approved overrides the last that begins by `day`, and the first that begins after
/// it: they don't overlap, so no other says anything of that day, or ends what does.
pub fn list_approved_beside(
    tx: &impl Reader,
    team: TeamId,
    day: NaiveDate,
) -> Result<[Option<Override>; 2], StoreError> {
    let prefix = status_prefix(OverrideStatus::Approved, team);
    let after = prefix.clone().date(next_day(day));
    let (from, at, to) = (prefix.as_slice(), after.as_slice(), prefix.end());
    let [last, next] = tx.keys_beside(OVERRIDES_BY_STATUS, from, at, &to)?;
    let row = |found: Option<Vec<u8>>| {
        let id = found.as_deref().and_then(trailing_id);
        id.map_or(Ok(None), |id| find(tx, OverrideId::from_uuid(id)))
    };
    Ok([row(last)?, row(next)?])
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
    if let Some(old) = find(tx, row.id)? {
        index_keys(&old)
            .iter()
            .try_for_each(|(table, key)| tx.remove(*table, key))?;
    }
    index_keys(row)
        .iter()
        .try_for_each(|(table, key)| tx.set(*table, key, &[]))?;
    tx.put(OVERRIDES, &key(row.id), row)
}
