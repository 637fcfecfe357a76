//! Lists that Slack gives of a team's group: they come in here, whole or not at all.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::actions::people::find;
use crate::actions::people::roster::{in_force, members_of};
use crate::actions::rotation;
use crate::app::{ActionError, App, Ctx, Result, Tx};
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::{TeamId, UserId};
use crate::domain::roster::{Account, Roster, RosterUser};
use crate::domain::team::Team;
use crate::domain::token::Role;
use crate::store;
use crate::wire::member::SyncView;

/// Teams that are planned in one transaction.
const BATCH: usize = 250;

/// An active team and what it names in Slack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackTeam {
    /// The team.
    pub id: TeamId,
    /// Its slug.
    pub slug: String,
    /// The group that holds its members.
    pub group_id: Option<String>,
    /// When that group's members were last listed.
    pub synced_at: Option<DateTime<Utc>>,
    /// The channel that is told of its handoffs.
    pub channel_id: Option<String>,
}

/// The active teams, by slug.
pub fn slack_teams(app: &App) -> Result<Vec<SlackTeam>> {
    app.read(|tx| {
        let mut teams = Vec::new();
        for team in store::teams::list(tx)? {
            if team.is_active {
                let roster = in_force(tx, true, &team)?;
                teams.push(SlackTeam {
                    id: team.id,
                    slug: team.slug,
                    group_id: team.slack_group_id,
                    synced_at: roster.map(|roster| roster.fetched_at),
                    channel_id: team.slack_channel_id,
                });
            }
        }
        teams.sort_by(|a, b| a.slug.cmp(&b.slug));
        Ok(teams)
    })
}

/// A team and the Slack group that holds its members.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// The team.
    pub team: TeamId,
    /// Its slug.
    pub slug: String,
    /// The group.
    pub group_id: String,
}

/// The group whose members are asked for when somebody wants a team's list brought up to date.
///
/// # Errors
/// Less than an editor; the team is not there, or names no Slack group.
pub fn source(app: &App, ctx: &Ctx, team: &str) -> Result<Source> {
    ctx.require(Role::Editor)?;
    let team = app.read(|tx| find::active_team(tx, team))?;
    let Some(group_id) = team.slack_group_id else {
        return Err(ActionError::conflict(format!(
            "team `{}` has no Slack group: set its slack_group_id, or add members by hand",
            team.slug
        )));
    };
    Ok(Source {
        team: team.id,
        slug: team.slug,
        group_id,
    })
}

/// The groups of the teams whose lists are missing or as old as `interval`, the missing ones
/// first, then by age.
pub fn due(app: &App, interval: Duration) -> Result<Vec<Source>> {
    let until = app.now() - interval;
    let mut teams = slack_teams(app)?;
    teams.retain(|team| team.synced_at.is_none_or(|at| at <= until));
    teams.sort_by_key(|team| (team.synced_at, team.id));
    let source = |team: SlackTeam| {
        let group_id = team.group_id?;
        Some(Source {
            team: team.id,
            slug: team.slug,
            group_id,
        })
    };
    Ok(teams.into_iter().filter_map(source).collect())
}

/// The members of a group, all of them, as Slack has just listed them.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The group.
    pub group_id: String,
    /// Who is in it.
    pub users: Vec<UserId>,
    /// When Slack was asked.
    pub asked_at: DateTime<Utc>,
}

/// Makes a list the one that counts for a team. Who has joined and who has left is audited,
/// and the future shifts are planned again if that changes who can be picked. Where nothing
/// has changed, only the list's age is written; where Slack was asked again meanwhile, and that
/// answer is in already, nothing is.
///
/// # Errors
/// The team is not there, or names another group by now.
pub fn apply(app: &App, ctx: &Ctx, team: TeamId, listed: &Listed) -> Result<SyncView> {
    app.write(ctx, |tx| {
        let team = find::team_by_id(tx.store, team)?;
        if !team.is_active || team.slack_group_id.as_ref() != Some(&listed.group_id) {
            return Err(ActionError::conflict(format!(
                "team `{}` has a different Slack group by now",
                team.slug
            )));
        }
        let (before, _) = members_of(tx.store, tx.settings, &team)?;
        let old = store::rosters::find(tx.store, team.id)?;
        // A list of the future is one from before the clock was put right: any other is better.
        let is_newer = |old: &&Roster| {
            old.counts_for(&team) && listed.asked_at < old.fetched_at && old.fetched_at <= tx.now
        };
        if let Some(newer) = old.as_ref().filter(is_newer) {
            return Ok(view(newer, &[], &[]));
        }
        let users = listed.users.iter().cloned().collect();
        let new = Roster::after(old.as_ref(), &listed.group_id, users, listed.asked_at);
        store::rosters::put(tx.store, team.id, &new)?;
        let view = record(tx, &team, old.as_ref(), &new)?;
        let (after, _) = members_of(tx.store, tx.settings, &team)?;
        if before != after {
            rotation::replan(tx, &team, "the team's Slack group has changed")?;
        }
        Ok(view)
    })
}

/// Audits who joined and who left.
fn record(tx: &mut Tx<'_>, team: &Team, old: Option<&Roster>, new: &Roster) -> Result<SyncView> {
    let joined = new.without(old);
    for user in &joined {
        let changes = json!({"in_slack": {"old": old.map(|_| false), "new": true}});
        note(tx, team, &user.user, Action::JoinedSlackGroup, changes)?;
    }
    let left = old.map_or_else(Vec::new, |old| old.without(Some(new)));
    for user in &left {
        let changes = json!({"in_slack": {"old": true, "new": false}});
        note(tx, team, &user.user, Action::LeftSlackGroup, changes)?;
    }
    Ok(view(new, &joined, &left))
}

fn view(list: &Roster, joined: &[&RosterUser], left: &[&RosterUser]) -> SyncView {
    let ids = |users: &[&RosterUser]| users.iter().map(|user| user.user.to_string()).collect();
    SyncView {
        synced_at: list.fetched_at,
        joined: ids(joined),
        left: ids(left),
        members: list.users.len(),
    }
}

fn note(
    tx: &mut Tx<'_>,
    team: &Team,
    user: &UserId,
    action: Action,
    changes: serde_json::Value,
) -> Result<()> {
    let row = store::teams::find_member(tx.store, team.id, user)?;
    let entry = tx
        .record(EntityType::TeamMembership, action)
        .team(team.id)
        .changes(changes)
        .metadata("slack_user_id", user.as_str())
        .metadata("slack_group_id", team.slack_group_id.as_deref());
    match row {
        Some(row) => entry.entity(&row.id).write(),
        None => entry.write(),
    }
}

/// What follows from an account having become something else: the teams whose Slack group
/// lists it are planned again.
pub(crate) fn account_changed(
    tx: &mut Tx<'_>,
    user: &UserId,
    old: Account,
    new: Account,
) -> Result<()> {
    for id in store::rosters::list_teams_of(tx.store, user)? {
        let team = find::team_by_id(tx.store, id)?;
        if in_force(tx.store, tx.settings.members_from_slack, &team)?.is_some() {
            let changes = json!({"slack_account": {"old": old, "new": new}});
            note(tx, &team, user, Action::Updated, changes)?;
            rotation::replan(tx, &team, "a Slack account has changed")?;
        }
    }
    Ok(())
}

/// Plans again for every team whose members change by Slack having been configured, or no longer,
/// since the daemon last ran.
pub fn settle_source(app: &App) -> Result<()> {
    let from_slack = app.settings().members_from_slack;
    if app.read(|tx| Ok(store::meta::members_from_slack(tx)?))? == from_slack {
        return Ok(());
    }
    let why = if from_slack {
        "Slack was configured"
    } else {
        "Slack is no longer configured"
    };
    let teams = app.read(|tx| Ok(store::teams::list(tx)?))?;
    for batch in teams.chunks(BATCH) {
        app.write(&Ctx::system(), |tx| {
            for team in batch {
                if in_force(tx.store, true, team)?.is_some() {
                    rotation::replan(tx, team, why)?;
                }
            }
            Ok(())
        })?;
    }
    app.write(&Ctx::system(), |tx| {
        Ok(store::meta::set_members_from_slack(tx.store, from_slack)?)
    })
}
