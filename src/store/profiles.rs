//! What Slack says of users: a cache, which nothing but names and account kinds come from.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use chrono::{DateTime, Utc};

use super::codec::{Record, decode};
use super::error::StoreError;
use super::key::Key;
use super::tables::{MEMBERS_BY_USER, PROFILES, ROSTERS_BY_USER};
use super::tx::{Order, Reader, WriteTx};
use crate::domain::ids::UserId;
use crate::domain::roster::Profile;

impl Record for Profile {}

fn key(user: &UserId) -> Key {
    Key::new().text(user.as_str())
}

/// What Slack last said of a user.
pub fn find(tx: &impl Reader, user: &UserId) -> Result<Option<Profile>, StoreError> {
    tx.find(PROFILES, &key(user))
}

/// Writes what Slack says of a user.
pub fn put(tx: &WriteTx, profile: &Profile) -> Result<(), StoreError> {
    tx.put(PROFILES, &key(&profile.user), profile)
}

/// Members of teams of whom Slack has said nothing since `since`, by user id, at most `limit`.
pub fn list_stale(
    tx: &impl Reader,
    since: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<UserId>, StoreError> {
    let mut fresh: BTreeSet<UserId> = BTreeSet::new();
    let (from, to) = Key::new().prefixed();
    tx.scan(PROFILES, &from, &to, Order::Ascending, &mut |_, bytes| {
        let profile: Profile = decode(PROFILES, bytes)?;
        if profile.fetched_at > since {
            fresh.insert(profile.user);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let mut stale = BTreeSet::new();
    for table in [MEMBERS_BY_USER, ROSTERS_BY_USER] {
        let users = tx.keys(table, Key::new().prefixed(), leading_user)?;
        stale.extend(users.into_iter().filter(|user| !fresh.contains(user)));
    }
    Ok(stale.into_iter().take(limit).collect())
}

/// The user id that an index key begins with.
fn leading_user(key: &[u8]) -> Option<UserId> {
    let text = key.split(|byte| *byte == 0).next()?;
    std::str::from_utf8(text).ok()?.parse().ok()
}
