//! What is watched of each team: who is on call, who was reminded, which gaps were told.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::codec::Record;
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::tables::{WATCHES, WATCHES_DUE};
use super::tx::{Reader, WriteTx};
use crate::domain::ids::{TeamId, UserId};

/// What was last seen and told of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Who was on call.
    pub on_call: Option<UserId>,
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

impl Record for Watch {}

fn team_key(team: TeamId) -> Key {
    Key::new().id(team.uuid())
}

fn due_key(at: DateTime<Utc>, team: TeamId) -> Key {
    Key::new().instant(at).id(team.uuid())
}

/// What is watched of a team; none before the first look.
pub fn find(tx: &impl Reader, team: TeamId) -> Result<Option<Watch>, StoreError> {
    tx.find(WATCHES, &team_key(team))
}

/// Writes what is watched of a team, or that nothing is.
pub fn put(tx: &WriteTx, team: TeamId, watch: Option<&Watch>) -> Result<(), StoreError> {
    let old = find(tx, team)?;
    if old.as_ref() == watch {
        return Ok(());
    }
    if let Some(old) = old {
        tx.remove(WATCHES_DUE, &due_key(old.due_at, team))?;
    }
    match watch {
        Some(watch) => {
            tx.set(WATCHES_DUE, &due_key(watch.due_at, team), &[])?;
            tx.put(WATCHES, &team_key(team), watch)
        }
        None => tx.remove(WATCHES, &team_key(team)),
    }
}

/// Removes what is watched of a team, readable or not.
pub fn forget(tx: &WriteTx, team: TeamId) -> Result<(), StoreError> {
    let all = (Vec::new(), Vec::from([u8::MAX; 32]));
    let of_team = |key: &[u8]| (trailing_id(key) == Some(team.uuid())).then(|| key.to_vec());
    for key in tx.keys(WATCHES_DUE, all, of_team)? {
        tx.remove(WATCHES_DUE, &Key::new().bytes(&key))?;
    }
    tx.remove(WATCHES, &team_key(team))
}

/// Makes what is watched of a team unreadable.
#[cfg(test)]
pub fn damage(tx: &WriteTx, team: TeamId) -> Result<(), StoreError> {
    tx.set(WATCHES, &team_key(team), &[u8::MAX; 3])
}

/// The teams that are to be looked at by `now`, those due longest first.
pub fn list_due(tx: &impl Reader, now: DateTime<Utc>) -> Result<Vec<TeamId>, StoreError> {
    let until = Key::new().instant(now).end();
    let all = (Key::new().as_slice().to_vec(), until);
    tx.keys(WATCHES_DUE, all, |key| {
        trailing_id(key).map(TeamId::from_uuid)
    })
}
