//! Overrides.

use chrono::NaiveDate;

use super::codec::Record;
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::tables::{OVERRIDES, OVERRIDES_BY_STATUS, OVERRIDES_BY_TEAM, OVERRIDES_BY_USER, Table};
use super::tx::{Reader, WriteTx};
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
///
/// # Errors
/// The store failed.
pub fn find(tx: &impl Reader, id: OverrideId) -> Result<Option<Override>, StoreError> {
    tx.find(OVERRIDES, &key(id))
}

/// The overrides of a team that touch `from..=to`, in any state, by start.
///
/// # Errors
/// The store failed.
pub fn list_of_team(
    tx: &impl Reader,
    team: TeamId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Override>, StoreError> {
    touching(tx, OVERRIDES_BY_TEAM, &Key::new().id(team.uuid()), from, to)
}

/// The overrides of a team in one state that touch `from..=to`, by start.
///
/// # Errors
/// The store failed.
pub fn list_of_status(
    tx: &impl Reader,
    team: TeamId,
    status: OverrideStatus,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Override>, StoreError> {
    touching(
        tx,
        OVERRIDES_BY_STATUS,
        &status_prefix(status, team),
        from,
        to,
    )
}

/// The overrides in all teams for which a person is the substitute and that touch
/// `from..=to`, in any state, by start.
///
/// # Errors
/// The store failed.
pub fn list_of_user(
    tx: &impl Reader,
    user: &UserId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Override>, StoreError> {
    touching(
        tx,
        OVERRIDES_BY_USER,
        &Key::new().text(user.as_str()),
        from,
        to,
    )
}

fn touching(
    tx: &impl Reader,
    index: Table,
    prefix: &Key,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Override>, StoreError> {
    let end = prefix.clone().date(next_day(to)).as_slice().to_vec();
    let ids = tx.keys(index, (prefix.as_slice().to_vec(), end), trailing_id)?;
    let mut rows: Vec<Override> =
        tx.find_all(OVERRIDES, ids.into_iter().map(|id| Key::new().id(id)))?;
    rows.retain(|row| row.end_date >= from);
    Ok(rows)
}

/// Writes an override.
///
/// # Errors
/// The store failed.
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
