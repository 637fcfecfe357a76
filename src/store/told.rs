//! What people were last told of each team: who is on call, whose shift is near, which days
//! nobody covers; and when to look again.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::catalog::Indexed;
use super::codec::{Record, parse_body, unknown_version};
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::tables::{LOOKS_DUE, TOLD};
use super::tx::{Reader, WriteTx};
use crate::domain::ids::{TeamId, UserId};

/// What people were last told of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Who is on call, by what was told last.
    pub on_call: Option<UserId>,
    /// The on-call day on which that was told; none where it was before this was kept.
    #[serde(with = "crate::domain::compact::date_option")]
    pub on_call_told_on: Option<NaiveDate>,
    /// Coming shifts whose engineer was reminded.
    pub reminded: Vec<Reminded>,
    /// Runs of days without anybody that were told.
    pub gaps: Vec<Gap>,
    /// The last day that was looked at.
    #[serde(with = "crate::domain::compact::date")]
    pub seen_until: NaiveDate,
    /// When to look again. The index holds it.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub due_at: DateTime<Utc>,
}

/// A shift whose engineer was reminded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminded {
    /// Its first day.
    #[serde(with = "crate::domain::compact::date")]
    pub start: NaiveDate,
    /// Its engineer.
    pub user: UserId,
}

/// Days without anybody; both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// First day.
    #[serde(with = "crate::domain::compact::date")]
    pub start: NaiveDate,
    /// Last day.
    #[serde(with = "crate::domain::compact::date")]
    pub end: NaiveDate,
}

impl Record for Told {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, body: &[u8]) -> Result<Self, String> {
        match version {
            1 => Ok(parse_body::<ToldV1>(body)?.into()),
            _ => Err(unknown_version::<Self>(version)),
        }
    }
}

/// As it was before it told on which day who is on call was told.
#[derive(Deserialize)]
struct ToldV1 {
    on_call: Option<UserId>,
    reminded: Vec<Reminded>,
    gaps: Vec<Gap>,
    #[serde(with = "crate::domain::compact::date")]
    seen_until: NaiveDate,
    #[serde(with = "chrono::serde::ts_milliseconds")]
    due_at: DateTime<Utc>,
}

impl From<ToldV1> for Told {
    fn from(old: ToldV1) -> Self {
        Self {
            on_call: old.on_call,
            on_call_told_on: None,
            reminded: old.reminded,
            gaps: old.gaps,
            seen_until: old.seen_until,
            due_at: old.due_at,
        }
    }
}

fn team_key(team: TeamId) -> Key {
    Key::new().id(team.uuid())
}

fn due_key(at: DateTime<Utc>, team: TeamId) -> Key {
    Key::new().instant(at).id(team.uuid())
}

/// The row by which it falls due.
pub(super) fn indexed(team: TeamId, told: &Told) -> Indexed {
    Indexed::key(LOOKS_DUE, due_key(told.due_at, team))
}

/// What was last told of a team; none before the first look.
pub fn find(tx: &impl Reader, team: TeamId) -> Result<Option<Told>, StoreError> {
    tx.find(TOLD, &team_key(team))
}

/// Writes what was told of a team, or that nothing was.
pub fn put(tx: &WriteTx, team: TeamId, told: Option<&Told>) -> Result<(), StoreError> {
    let old = find(tx, team)?;
    if old.as_ref() == told {
        return Ok(());
    }
    if let Some(old) = old {
        tx.remove(LOOKS_DUE, &due_key(old.due_at, team))?;
    }
    match told {
        Some(told) => {
            tx.index(&indexed(team, told))?;
            tx.put(TOLD, &team_key(team), told)
        }
        None => tx.remove(TOLD, &team_key(team)),
    }
}

/// Removes what was told of a team, readable or not.
pub fn forget(tx: &WriteTx, team: TeamId) -> Result<(), StoreError> {
    let all = (Vec::new(), Vec::from([u8::MAX; 32]));
    let of_team = |key: &[u8]| (trailing_id(key) == Some(team.uuid())).then(|| key.to_vec());
    for key in tx.keys(LOOKS_DUE, all, of_team)? {
        tx.remove(LOOKS_DUE, &Key::new().bytes(&key))?;
    }
    tx.remove(TOLD, &team_key(team))
}

/// Makes what was told of a team unreadable.
#[cfg(test)]
pub fn damage(tx: &WriteTx, team: TeamId) -> Result<(), StoreError> {
    tx.set(TOLD, &team_key(team), &[u8::MAX; 3])
}

/// The teams that are to be looked at by `now`, those due longest first.
pub fn list_due(tx: &impl Reader, now: DateTime<Utc>) -> Result<Vec<TeamId>, StoreError> {
    let until = Key::new().instant(now).end();
    let all = (Key::new().as_slice().to_vec(), until);
    tx.keys(LOOKS_DUE, all, |key| {
        trailing_id(key).map(TeamId::from_uuid)
    })
}
