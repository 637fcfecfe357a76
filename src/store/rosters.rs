//! The members of teams' Slack groups, as Slack last listed them.

use super::catalog::Indexed;
use super::codec::Record;
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::tables::{ROSTERS, ROSTERS_BY_USER};
use super::tx::{Reader, WriteTx};
use crate::domain::ids::{TeamId, UserId};
use crate::domain::roster::Roster;

impl Record for Roster {}

fn key(team: TeamId) -> Key {
    Key::new().id(team.uuid())
}

fn user_key(user: &UserId, team: TeamId) -> Key {
    Key::new().text(user.as_str()).id(team.uuid())
}

/// The rows by which people's lists are found.
pub(super) fn indexed(team: TeamId, roster: &Roster) -> Vec<Indexed> {
    let members = roster.users.iter();
    members
        .map(|member| Indexed::key(ROSTERS_BY_USER, user_key(&member.user, team)))
        .collect()
}

/// The last good list of a team's Slack group, be it the group that the team names now or one
/// that it named before.
pub fn find(tx: &impl Reader, team: TeamId) -> Result<Option<Roster>, StoreError> {
    tx.find(ROSTERS, &key(team))
}

/// The teams in whose lists a person is.
pub fn list_teams_of(tx: &impl Reader, user: &UserId) -> Result<Vec<TeamId>, StoreError> {
    let range = Key::new().text(user.as_str()).prefixed();
    tx.keys(ROSTERS_BY_USER, range, |key| {
        trailing_id(key).map(TeamId::from_uuid)
    })
}

/// Writes a team's list in place of the one before.
pub fn put(tx: &WriteTx, team: TeamId, new: &Roster) -> Result<(), StoreError> {
    let old = find(tx, team)?;
    if let Some(old) = &old {
        for gone in old.without(Some(new)) {
            tx.remove(ROSTERS_BY_USER, &user_key(&gone.user, team))?;
        }
    }
    for added in new.without(old.as_ref()) {
        tx.set(ROSTERS_BY_USER, &user_key(&added.user, team), &[])?;
    }
    tx.put(ROSTERS, &key(team), new)
}
