//! Who belongs to a team: its rows and the members of its Slack group, put together.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Revision;
use super::ids::{MembershipId, TeamId, UserId};
use super::member::{Membership, TeamRole};
use super::team::Team;
use super::text_enum::text_enum;

/// The members of a team's Slack group as Slack last listed them; kept until it lists others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// The group.
    pub group_id: String,
    /// Who is in it, by user id.
    pub users: Vec<RosterUser>,
    /// When Slack was asked for it.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub fetched_at: DateTime<Utc>,
    /// When the answer last differed from the one before.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub changed_at: DateTime<Utc>,
}

impl Roster {
    /// The list that follows `before`: whoever was in that one has been seen since then.
    pub fn after(
        before: Option<&Self>,
        group_id: &str,
        listed: BTreeSet<UserId>,
        asked_at: DateTime<Utc>,
    ) -> Self {
        let seen = |user: &UserId| before.and_then(|before| before.find(user));
        let users: Vec<_> = listed
            .into_iter()
            .map(|user| RosterUser {
                first_seen_at: seen(&user).map_or(asked_at, |known| known.first_seen_at),
                user,
            })
            .collect();
        let same = before.filter(|before| before.group_id == group_id && before.users == users);
        Self {
            group_id: group_id.to_owned(),
            users,
            fetched_at: asked_at,
            changed_at: same.map_or(asked_at, |same| same.changed_at),
        }
    }

    /// Whether it is a list of the very group that holds the members of `team`.
    pub fn counts_for(&self, team: &Team) -> bool {
        team.slack_group_id.as_ref() == Some(&self.group_id)
    }

    /// A user of the list.
    pub fn find(&self, user: &UserId) -> Option<&RosterUser> {
        let index = self.users.binary_search_by(|known| known.user.cmp(user));
        self.users.get(index.ok()?)
    }

    /// Those who are in this list and not in the other.
    pub fn without<'a>(&'a self, other: Option<&Self>) -> Vec<&'a RosterUser> {
        let is_new = |user: &&RosterUser| other.is_none_or(|o| o.find(&user.user).is_none());
        self.users.iter().filter(is_new).collect()
    }
}

/// A member of a Slack group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterUser {
    /// The person.
    pub user: UserId,
    /// When they were first listed, since when they have been without a break.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub first_seen_at: DateTime<Utc>,
}

text_enum! {
    /// What a Slack account is.
    Account {
        /// One of somebody who can be on call.
        Person = "person",
        /// A program's.
        Bot = "bot",
        /// One that nobody can use any more.
        Deactivated = "deactivated",
    }
}

/// What a team's Slack group says of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Presence {
    /// Nothing: the rows are the member list.
    NotAsked,
    /// They are in the group.
    Listed(Account),
    /// They are not, or no longer.
    Left,
}

impl Presence {
    /// Whether they are in the group; none where it is not the member list.
    pub const fn in_slack(self) -> Option<bool> {
        match self {
            Self::NotAsked => None,
            Self::Listed(_) => Some(true),
            Self::Left => Some(false),
        }
    }
}

/// A member of a team.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The person.
    pub user: UserId,
    /// What they may decide.
    pub role: TeamRole,
    /// Whether the rotation may pick them.
    pub is_eligible: bool,
    /// Share of the shifts relative to the others'.
    pub weight: f64,
    /// Since when they count.
    pub joined_at: DateTime<Utc>,
    /// Id and revision of their row; none for somebody known from Slack alone.
    pub row: Option<(MembershipId, Revision)>,
    /// What the team's Slack group says of them.
    pub presence: Presence,
}

impl Member {
    /// Somebody of whom nothing else is known.
    pub fn new(user: UserId, joined_at: DateTime<Utc>) -> Self {
        Self {
            user,
            role: TeamRole::Member,
            is_eligible: true,
            weight: 1.0,
            joined_at,
            row: None,
            presence: Presence::NotAsked,
        }
    }

    /// A first row that says the same.
    pub fn to_row(&self, team_id: TeamId, now: DateTime<Utc>) -> Membership {
        Membership {
            id: MembershipId::new(now),
            team_id,
            user: self.user.clone(),
            role: self.role,
            is_eligible: self.is_eligible,
            weight: self.weight,
            joined_at: self.joined_at,
            revision: Revision::first(now),
        }
    }
}

impl From<Membership> for Member {
    fn from(row: Membership) -> Self {
        Self {
            user: row.user,
            role: row.role,
            is_eligible: row.is_eligible,
            weight: row.weight,
            joined_at: row.joined_at,
            row: Some((row.id, row.revision)),
            presence: Presence::NotAsked,
        }
    }
}

/// The members of a team, by user id: of its rows and the list of its Slack group, where there
/// is one that counts. Without one the rows are the member list. With one it is: whoever it
/// lists without a row counts by the defaults since they were first listed, and whoever has a
/// row without being listed has left. An account that `accounts` doesn't know is a person's.
pub fn merge(
    rows: Vec<Membership>,
    roster: Option<&Roster>,
    accounts: &BTreeMap<UserId, Account>,
) -> Vec<Member> {
    let mut members: BTreeMap<UserId, Member> = rows
        .into_iter()
        .map(|row| (row.user.clone(), row.into()))
        .collect();
    if let Some(roster) = roster {
        for member in members.values_mut() {
            member.presence = Presence::Left;
        }
        for listed in &roster.users {
            let member = members
                .entry(listed.user.clone())
                .or_insert_with(|| Member::new(listed.user.clone(), listed.first_seen_at));
            let account = accounts.get(&listed.user).copied();
            member.presence = Presence::Listed(account.unwrap_or(Account::Person));
        }
    }
    members.into_values().collect()
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
