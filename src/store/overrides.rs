//! Overrides.

use chrono::NaiveDate;

use super::codec::Record;
use super::error::StoreError;
use super::key::Key;
use super::spans;
use super::tables::{OVERRIDES, OVERRIDES_BY_STATUS, OVERRIDES_BY_TEAM, OVERRIDES_BY_USER, Table};
use super::tx::{Reader, WriteTx};
use crate::domain::ids::{OverrideId, TeamId, UserId};
use crate::domain::shift_override::{Override, OverrideStatus};

impl Record for Override {}

fn key(id: OverrideId) -> Key {
    Key::new().id(id.uuid())
}

fn team_prefix(team: TeamId) -> Key {
    Key::new().id(team.uuid())
}

fn user_prefix(substitute: &UserId) -> Key {
    Key::new().text(substitute.as_str())
}

fn status_prefix(status: OverrideStatus, team: TeamId) -> Key {
    Key::new().byte(status as u8).id(team.uuid())
}

/// The keys by which an override is found.
fn index_keys(row: &Override) -> [(Table, Key); 3] {
    let prefixes = [
        (OVERRIDES_BY_TEAM, team_prefix(row.team_id)),
        (OVERRIDES_BY_USER, user_prefix(&row.substitute)),
        (OVERRIDES_BY_STATUS, status_prefix(row.status, row.team_id)),
    ];
    prefixes.map(|(table, prefix)| {
        let key = spans::key(prefix, row.start_date, row.end_date, row.id.uuid());
        (table, key)
    })
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
    touching(tx, OVERRIDES_BY_TEAM, &team_prefix(team), from, to)
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
    touching(tx, OVERRIDES_BY_STATUS, &prefix, from, to)
}

/// The overrides in all teams for which a person is the substitute and that touch
/// `from..=to`, in any state, by start.
pub fn list_of_user(
    tx: &impl Reader,
    user: &UserId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Override>, StoreError> {
    touching(tx, OVERRIDES_BY_USER, &user_prefix(user), from, to)
}

fn touching(
    tx: &impl Reader,
    index: Table,
    prefix: &Key,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Override>, StoreError> {
    tx.find_all(OVERRIDES, spans::touching(tx, index, prefix, from, to)?)
}

/// A step of migration: overrides by last day.
pub(super) fn index_by_last_day(tx: &WriteTx) -> Result<(), StoreError> {
    let indexes = [OVERRIDES_BY_TEAM, OVERRIDES_BY_USER, OVERRIDES_BY_STATUS];
    spans::rebuild(tx, OVERRIDES, &indexes, index_keys)
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
