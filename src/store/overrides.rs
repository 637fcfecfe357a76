//! Overrides.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use super::catalog::Indexed;
use super::checkpoints;
use super::codec::{Record, parse_body, unknown_version};
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::spans;
use super::tables::{OVERRIDES, OVERRIDES_BY_STATUS, OVERRIDES_BY_TEAM, OVERRIDES_BY_USER, Table};
use super::tx::{Reader, WriteTx};
use crate::domain::Revision;
use crate::domain::ids::{OverrideId, TeamId, UserId};
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::rotation::checkpoint::Served;

impl Record for Override {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, body: &[u8]) -> Result<Self, String> {
        match version {
            1 => parse_body::<OverrideV1>(body).map(Self::from),
            _ => Err(unknown_version::<Self>(version)),
        }
    }
}

/// An override when nobody could say why they decided so.
#[derive(Deserialize)]
struct OverrideV1 {
    id: OverrideId,
    team_id: TeamId,
    substitute: UserId,
    #[serde(with = "crate::domain::compact::date")]
    start_date: NaiveDate,
    #[serde(with = "crate::domain::compact::date")]
    end_date: NaiveDate,
    reason: Option<String>,
    status: OverrideStatus,
    requested_by: Option<UserId>,
    approved_by: Option<UserId>,
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    decided_at: Option<DateTime<Utc>>,
    revision: Revision,
}

impl From<OverrideV1> for Override {
    fn from(old: OverrideV1) -> Self {
        Self {
            id: old.id,
            team_id: old.team_id,
            substitute: old.substitute,
            start_date: old.start_date,
            end_date: old.end_date,
            reason: old.reason,
            status: old.status,
            requested_by: old.requested_by,
            approved_by: old.approved_by,
            decided_at: old.decided_at,
            decision_reason: None,
            revision: old.revision,
        }
    }
}

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

/// The rows by which it is found.
pub(super) fn indexed(row: &Override) -> Vec<Indexed> {
    let keys = index_keys(row).into_iter();
    keys.map(|(table, key)| Indexed::key(table, key)).collect()
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

/// How many overrides of a team, of one state or of all, touch `from..=to`, and those of them
/// after the first `skip`, by start. Beside the page, keys alone are read.
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
        None => (OVERRIDES_BY_TEAM, team_prefix(team)),
    };
    let keys = spans::touching(tx, index, &prefix, from, to)?;
    let total = keys.len();
    let rows = tx.find_all(OVERRIDES, keys.into_iter().skip(skip).take(take))?;
    Ok((total, rows))
}

/// Of a team's approved overrides the last that begins by `day`, and the first that begins after
/// it: they don't overlap, so no other says anything of that day, or ends what does.
pub fn list_approved_beside(
    tx: &impl Reader,
    team: TeamId,
    day: NaiveDate,
) -> Result<[Option<Override>; 2], StoreError> {
    let prefix = status_prefix(OverrideStatus::Approved, team);
    let to = prefix.end();
    let row = |key: &[u8]| match trailing_id(key) {
        Some(id) => find(tx, OverrideId::from_uuid(id)),
        None => Ok(None),
    };
    let row_of = |found: Option<Vec<u8>>| found.as_deref().map_or(Ok(None), row);
    // The index is by last day: what is not over by then comes first, and may have begun.
    let at = prefix.clone().date(day);
    let beside = |at: &[u8]| tx.keys_beside(OVERRIDES_BY_STATUS, prefix.as_slice(), at, &to);
    let [over, first] = beside(at.as_slice())?;
    let Some(first) = first else {
        return Ok([row_of(over)?, None]);
    };
    match row(&first)? {
        Some(running) if running.start_date <= day => {
            let [_, next] = beside(&[first.as_slice(), &[0]].concat())?;
            Ok([Some(running), row_of(next)?])
        }
        next => Ok([row_of(over)?, next]),
    }
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
