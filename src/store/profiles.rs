//! What is known of people: what Slack says, which is a cache, and what was set.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::codec::{Record, decode, parse_body, unknown_version};
use super::error::StoreError;
use super::key::Key;
use super::tables::{MEMBERS_BY_USER, PROFILES, ROSTERS_BY_USER};
use super::tx::{Order, Reader, WriteTx};
use crate::domain::ids::UserId;
use crate::domain::profile::{Profile, SlackProfile};
use crate::domain::roster::Account;

impl Record for Profile {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, body: &[u8]) -> Result<Self, String> {
        match version {
            1 => parse_body::<ProfileV1>(body).map(Self::from),
            _ => Err(unknown_version::<Self>(version)),
        }
    }
}

/// A profile when nothing but Slack's names and accounts was kept.
#[derive(Deserialize)]
struct ProfileV1 {
    user: UserId,
    display_name: String,
    account: Account,
    #[serde(with = "chrono::serde::ts_milliseconds")]
    fetched_at: DateTime<Utc>,
}

impl From<ProfileV1> for Profile {
    fn from(old: ProfileV1) -> Self {
        let slack = SlackProfile {
            display_name: old.display_name,
            account: old.account,
            email: None,
            timezone: None,
            fetched_at: old.fetched_at,
        };
        Self {
            slack: Some(slack),
            ..Self::new(old.user)
        }
    }
}

fn key(user: &UserId) -> Key {
    Key::new().text(user.as_str())
}

/// What is known of a person.
pub fn find(tx: &impl Reader, user: &UserId) -> Result<Option<Profile>, StoreError> {
    tx.find(PROFILES, &key(user))
}

/// What is known of everybody of whom something is, by user id.
pub fn list(tx: &impl Reader) -> Result<Vec<Profile>, StoreError> {
    tx.list(PROFILES, &Key::new())
}

/// Writes what is known of a person.
pub fn put(tx: &WriteTx, profile: &Profile) -> Result<(), StoreError> {
    tx.put(PROFILES, &key(&profile.user), profile)
}

/// The people who have a row in a team, or are in a team's list, by user id.
pub fn list_in_teams(tx: &impl Reader) -> Result<BTreeSet<UserId>, StoreError> {
    let mut users = BTreeSet::new();
    for table in [MEMBERS_BY_USER, ROSTERS_BY_USER] {
        users.extend(tx.keys(table, Key::new().prefixed(), leading_user)?);
    }
    Ok(users)
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
        if profile.slack.is_some_and(|slack| slack.fetched_at > since) {
            fresh.insert(profile.user);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let mut stale = list_in_teams(tx)?;
    stale.retain(|user| !fresh.contains(user));
    Ok(stale.into_iter().take(limit).collect())
}

/// The user id that an index key begins with.
fn leading_user(key: &[u8]) -> Option<UserId> {
    let text = key.split(|byte| *byte == 0).next()?;
    std::str::from_utf8(text).ok()?.parse().ok()
}
