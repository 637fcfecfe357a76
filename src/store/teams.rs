//! Teams and their members.

use std::ops::ControlFlow;

use serde::Deserialize;

use super::catalog::Indexed;
use super::checkpoints;
use super::codec::{Record, parse_body, unknown_version};
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::lists::{self, Row};
use super::tables::{MEMBERS, MEMBERS_BY_USER, TEAM_SLUGS, TEAMS, TEAMS_BY_PLUGIN, TEAMS_LISTED};
use super::tx::{Order, Reader, WriteTx};
use crate::domain::Revision;
use crate::domain::ids::{TeamId, UserId};
use crate::domain::member::Membership;
use crate::domain::team::{RotationConfig, RotationType, Team};

impl Record for Team {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, body: &[u8]) -> Result<Self, String> {
        match version {
            1 => parse_body::<TeamV1>(body).map(Self::from),
            _ => Err(unknown_version::<Self>(version)),
        }
    }
}

impl Record for Membership {}

/// A team before it could name a Slack group of who is on call.
#[derive(Deserialize)]
struct TeamV1 {
    id: TeamId,
    name: String,
    slug: String,
    description: Option<String>,
    slack_group_id: Option<String>,
    slack_channel_id: Option<String>,
    timezone: String,
    overrides_require_approval: Option<bool>,
    is_active: bool,
    rotation: RotationConfig,
    revision: Revision,
}

impl From<TeamV1> for Team {
    fn from(old: TeamV1) -> Self {
        Self {
            id: old.id,
            name: old.name,
            slug: old.slug,
            description: old.description,
            slack_group_id: old.slack_group_id,
            slack_oncall_group_id: None,
            slack_channel_id: old.slack_channel_id,
            timezone: old.timezone,
            overrides_require_approval: old.overrides_require_approval,
            is_active: old.is_active,
            rotation: old.rotation,
            revision: old.revision,
        }
    }
}

fn team_key(id: TeamId) -> Key {
    Key::new().id(id.uuid())
}

fn slug_key(slug: &str) -> Key {
    Key::new().bytes(slug.as_bytes())
}

/// The team of an id.
pub fn find(tx: &impl Reader, id: TeamId) -> Result<Option<Team>, StoreError> {
    tx.find(TEAMS, &team_key(id))
}

/// The team of a slug.
pub fn find_by_slug(tx: &impl Reader, slug: &str) -> Result<Option<Team>, StoreError> {
    let id = tx
        .get(TEAM_SLUGS, slug_key(slug).as_slice())?
        .and_then(|id| trailing_id(&id));
    id.map_or(Ok(None), |id| find(tx, TeamId::from_uuid(id)))
}

/// Every team, deleted ones too, by id.
pub fn list(tx: &impl Reader) -> Result<Vec<Team>, StoreError> {
    tx.list(TEAMS, &Key::new())
}

/// Which teams a list shows.
#[derive(Clone, Debug, Default)]
pub struct TeamFilter {
    /// Active ones, or deleted ones; both if not given.
    pub is_active: Option<bool>,
    /// In lower case, a part of the name or the slug.
    pub part: String,
}

/// How many teams pass a filter, and those of them after the first `skip`, by name.
pub fn page(
    tx: &impl Reader,
    filter: &TeamFilter,
    skip: usize,
    take: usize,
) -> Result<(usize, Vec<Team>), StoreError> {
    let list = Key::new().byte(lists::of_activity(filter.is_active));
    let part = filter.part.as_str();
    let passes = |name: &str, slug: &[u8]| {
        name.contains(part) || std::str::from_utf8(slug).is_ok_and(|slug| slug.contains(part))
    };
    let passes: Option<lists::Passes<'_>> = (!part.is_empty()).then_some(&passes);
    let (total, ids) = lists::page(tx, TEAMS_LISTED, &list, passes, skip, take)?;
    let teams = tx.find_all(TEAMS, ids.into_iter().map(|id| Key::new().id(id)))?;
    Ok((total, teams))
}

/// The plugins that decide rotations of active teams, by name, and the slugs of those teams.
pub fn list_by_plugin(tx: &impl Reader) -> Result<Vec<(String, Vec<String>)>, StoreError> {
    let mut plugins: Vec<(String, Vec<String>)> = Vec::new();
    let (from, to) = Key::new().prefixed();
    tx.scan(
        TEAMS_BY_PLUGIN,
        &from,
        &to,
        Order::Ascending,
        &mut |key, slug| {
            let plugin = text(key.split(|byte| *byte == 0).next().unwrap_or_default());
            match plugins.last_mut() {
                Some((last, slugs)) if *last == plugin => slugs.push(text(slug)),
                _ => plugins.push((plugin, vec![text(slug)])),
            }
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(plugins)
}

/// The plugins that decide rotations of active teams, by name, and of how many.
pub fn count_by_plugin(tx: &impl Reader) -> Result<Vec<(String, u64)>, StoreError> {
    let counts = lists::counts(tx, TEAMS_BY_PLUGIN)?.into_iter();
    let named =
        |(name, count): (Vec<u8>, u64)| (text(name.strip_suffix(&[0]).unwrap_or(&name)), count);
    Ok(counts.map(named).collect())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A team's rows in lists.
pub(super) fn listed(team: &Team) -> Vec<Row> {
    let place = lists::by_name(&team.name.to_lowercase(), team.id.uuid());
    let slug = team.slug.as_bytes();
    let mut rows: Vec<Row> = lists::by_activity(team.is_active)
        .map(|list| Row::new(TEAMS_LISTED, Key::new().byte(list), &place, slug))
        .into();
    if let (true, RotationType::Plugin(plugin)) = (team.is_active, &team.rotation.kind) {
        let (list, place) = (Key::new().text(plugin), team_key(team.id));
        rows.push(Row::new(TEAMS_BY_PLUGIN, list, &place, slug));
    }
    rows
}

/// Writes a team. The caller has made sure that its slug is free.
pub fn put(tx: &WriteTx, team: &Team) -> Result<(), StoreError> {
    let old = find(tx, team.id)?;
    if let Some(old) = &old
        && !old.rotation.has_periods_of(&team.rotation)
    {
        checkpoints::drop_all(tx, team.id)?;
    }
    if let Some(old) = old.as_ref().filter(|old| old.slug != team.slug) {
        tx.remove(TEAM_SLUGS, &slug_key(&old.slug))?;
    }
    let old = old.as_ref().map(listed).unwrap_or_default();
    lists::replace(tx, &old, &listed(team))?;
    tx.index(&slug_row(team))?;
    tx.put(TEAMS, &team_key(team.id), team)
}

/// The row by which a team's slug is found.
pub(super) fn slug_row(team: &Team) -> Indexed {
    let id = team.id.uuid();
    Indexed::with(TEAM_SLUGS, slug_key(&team.slug), id.as_bytes())
}

fn member_key(team: TeamId, user: &UserId) -> Key {
    team_key(team).text(user.as_str())
}

fn by_user_key(user: &UserId, team: TeamId) -> Key {
    Key::new().text(user.as_str()).id(team.uuid())
}

/// A person's membership of a team.
pub fn find_member(
    tx: &impl Reader,
    team: TeamId,
    user: &UserId,
) -> Result<Option<Membership>, StoreError> {
    tx.find(MEMBERS, &member_key(team, user))
}

/// The members of a team, by user id.
pub fn list_members(tx: &impl Reader, team: TeamId) -> Result<Vec<Membership>, StoreError> {
    tx.list(MEMBERS, &team_key(team))
}

/// The teams that a person has a membership of.
pub fn list_teams_of(tx: &impl Reader, user: &UserId) -> Result<Vec<TeamId>, StoreError> {
    let range = Key::new().text(user.as_str()).prefixed();
    tx.keys(MEMBERS_BY_USER, range, |key| {
        trailing_id(key).map(TeamId::from_uuid)
    })
}

/// The row by which a person's membership is found.
pub(super) fn member_row(member: &Membership) -> Indexed {
    Indexed::key(MEMBERS_BY_USER, by_user_key(&member.user, member.team_id))
}

/// Writes a membership.
pub fn put_member(tx: &WriteTx, member: &Membership) -> Result<(), StoreError> {
    tx.index(&member_row(member))?;
    tx.put(MEMBERS, &member_key(member.team_id, &member.user), member)
}

/// Removes a membership.
pub fn delete_member(tx: &WriteTx, member: &Membership) -> Result<(), StoreError> {
    tx.remove(MEMBERS_BY_USER, &by_user_key(&member.user, member.team_id))?;
    tx.remove(MEMBERS, &member_key(member.team_id, &member.user))
}
