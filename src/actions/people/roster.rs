//! Who belongs to a team: by its rows, and by its Slack group where that is the member list.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::find;
use crate::app::{ActionError, Result, Settings, Tx};
use crate::domain::ids::{TeamId, UserId};
use crate::domain::member::{Membership, TeamRole};
use crate::domain::roster::{self, Account, Member, Presence, Roster};
use crate::domain::team::Team;
use crate::store::{self, Reader};

/// A team's members, by user id, and when Slack last listed them where its list counts.
pub(crate) fn members_of(
    tx: &impl Reader,
    settings: &Settings,
    team: &Team,
) -> Result<(Vec<Member>, Option<DateTime<Utc>>)> {
    let rows = store::teams::list_members(tx, team.id)?;
    let roster = in_force(tx, settings.members_from_slack, team)?;
    let synced_at = roster.as_ref().map(|roster| roster.fetched_at);
    Ok((merge(tx, rows, roster.as_ref())?, synced_at))
}

fn merge(tx: &impl Reader, rows: Vec<Membership>, roster: Option<&Roster>) -> Result<Vec<Member>> {
    let mut accounts = BTreeMap::new();
    for listed in roster.iter().flat_map(|roster| &roster.users) {
        if let Some(profile) = store::profiles::find(tx, &listed.user)? {
            accounts.insert(listed.user.clone(), profile.account());
        }
    }
    Ok(roster::merge(rows, roster, &accounts))
}

/// The list that counts for a team.
pub(crate) fn in_force(tx: &impl Reader, from_slack: bool, team: &Team) -> Result<Option<Roster>> {
    if !from_slack || team.slack_group_id.is_none() {
        return Ok(None);
    }
    let stored = store::rosters::find(tx, team.id)?;
    Ok(stored.filter(|roster| roster.counts_for(team)))
}

/// A member of a team.
pub(crate) fn find_member(
    tx: &impl Reader,
    settings: &Settings,
    team: &Team,
    user: &UserId,
) -> Result<Option<Member>> {
    let row = store::teams::find_member(tx, team.id, user)?;
    let roster = in_force(tx, settings.members_from_slack, team)?;
    let members = merge(tx, Vec::from_iter(row), roster.as_ref())?;
    Ok(members.into_iter().find(|member| member.user == *user))
}

/// Whether a person belongs to a team: once they have left the group, a row alone is not
/// enough, but for those who lead.
pub(crate) fn belongs(
    tx: &impl Reader,
    settings: &Settings,
    team: &Team,
    user: &UserId,
) -> Result<bool> {
    let member = find_member(tx, settings, team, user)?;
    let is_there = member.is_some_and(|member| member.presence != Presence::Left);
    Ok(is_there || is_lead(tx, team, user)?)
}

/// Who leads a team: by their rows, in its Slack group or not, but for closed accounts.
pub(crate) fn leads_of(tx: &impl Reader, team: &Team) -> Result<Vec<UserId>> {
    let mut leads = Vec::new();
    for row in store::teams::list_members(tx, team.id)? {
        if row.role == TeamRole::Lead {
            let profile = store::profiles::find(tx, &row.user)?;
            if profile.is_none_or(|profile| profile.account() != Account::Deactivated) {
                leads.push(row.user);
            }
        }
    }
    Ok(leads)
}

/// Whether a person leads a team.
pub(crate) fn is_lead(tx: &impl Reader, team: &Team, user: &UserId) -> Result<bool> {
    Ok(leads_of(tx, team)?.contains(user))
}

/// Refuses whoever is neither an admin nor a lead of the team; `what` is what that takes.
pub(crate) fn require_lead(tx: &Tx<'_>, team: &Team, what: &str) -> Result<()> {
    if tx.ctx.is_admin() {
        return Ok(());
    }
    match tx.ctx.user() {
        Some(user) if is_lead(tx.store, team, user)? => Ok(()),
        _ => Err(ActionError::Forbidden(format!(
            "{what} requires an admin, or an editor who is a lead of team `{}`",
            team.slug
        ))),
    }
}

/// Whether who acts is an admin, that person, or a lead of one of their teams.
pub(crate) fn has_say_over(tx: &Tx<'_>, user: &UserId) -> Result<bool> {
    if tx.ctx.is_admin() || tx.ctx.user() == Some(user) {
        return Ok(true);
    }
    let Some(actor) = tx.ctx.user() else {
        return Ok(false);
    };
    for id in teams_of(tx.store, user)? {
        let team = find::team_by_id(tx.store, id)?;
        if team.is_active
            && is_lead(tx.store, &team, actor)?
            && belongs(tx.store, tx.settings, &team, user)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The teams that a person has a row in, or is listed for by Slack.
pub(crate) fn teams_of(tx: &impl Reader, user: &UserId) -> Result<BTreeSet<TeamId>> {
    let mut teams: BTreeSet<_> = store::teams::list_teams_of(tx, user)?.into_iter().collect();
    teams.extend(store::rosters::list_teams_of(tx, user)?);
    Ok(teams)
}
