//! Teams: make, change, delete, restore.

pub(crate) mod input;
pub mod review;

use chrono::{DateTime, Utc};

use super::rotation;
use crate::actions::messages::lookout::give_reason;
use crate::actions::people::{find, roster};
use crate::actions::rotation::{handoff, planning};
use crate::app::{ActionError, App, Ctx, Result, Settings, Tx, check_version};
use crate::domain::Revision;
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::TeamId;
use crate::domain::team::{RotationConfig, Team, slug_from};
use crate::domain::token::Role;
use crate::store::{self, Reader};
use crate::wire::team::{TeamInput, TeamView};
use crate::wire::{ActiveFilter, Page, Paging};

/// Makes a team.
///
/// # Errors
/// Not an admin; the input is invalid; the slug is taken.
pub fn create(app: &App, ctx: &Ctx, input: &TeamInput) -> Result<TeamView> {
    ctx.require(Role::Admin)?;
    app.write_once(ctx, |tx| create_in(tx, input))
}

/// Makes a team, for an admin.
pub(crate) fn create_in(tx: &mut Tx<'_>, input: &TeamInput) -> Result<TeamView> {
    let blank = Team {
        id: TeamId::new(tx.now),
        name: String::new(),
        slug: String::new(),
        description: None,
        slack_group_id: None,
        slack_oncall_group_id: None,
        slack_channel_id: None,
        timezone: "UTC".to_owned(),
        overrides_require_approval: None,
        is_active: true,
        rotation: RotationConfig::default(),
        revision: Revision::first(tx.now),
    };
    if input.name.is_none() {
        return Err(ActionError::invalid(
            "name",
            "is required: 1 to 100 characters",
        ));
    }
    let mut team = input::apply(input, &blank, tx.now.date_naive(), &*tx.settings.plugins)?;
    match &input.slug {
        Some(slug) => refuse_taken_slug(tx.store, slug, team.id)?,
        None => team.slug = free_slug(tx.store, &team.name)?,
    }
    fill_in_start(&mut team, tx.now);
    refuse_group_of_both_kinds(tx.store, &team)?;
    store::teams::put(tx.store, &team)?;
    let view = view(tx.settings, &team);
    tx.record(EntityType::Team, Action::Created)
        .about_team(team.id)
        .diff(None, Some(&view))
        .write()?;
    rotation::reset(tx, &team)?;
    Ok(view)
}

/// Changes a team. A change that touches its rotation plans its future shifts again; setting
/// `is_active` deletes or restores it.
///
/// # Errors
/// Neither an admin nor, with an editor's token, a lead of the team; the team is not there;
/// the input is invalid; the slug is taken; another version.
pub fn update(app: &App, ctx: &Ctx, reference: &str, input: &TeamInput) -> Result<TeamView> {
    ctx.require(Role::Editor)?;
    app.write(ctx, |tx| {
        let old = find::team(tx.store, reference)?;
        update_in(tx, &old, input)
    })
}

/// Changes a team within a larger write.
pub(crate) fn update_in(tx: &mut Tx<'_>, old: &Team, input: &TeamInput) -> Result<TeamView> {
    roster::require_lead(tx, old, "changing the team")?;
    if input
        .is_active
        .is_some_and(|active| active != old.is_active)
    {
        tx.ctx.require(Role::Admin)?;
    }
    check_version(input.version, old.revision.version)?;
    let mut team = input::apply(input, old, tx.now.date_naive(), &*tx.settings.plugins)?;
    if team.slug != old.slug {
        refuse_taken_slug(tx.store, &team.slug, team.id)?;
    }
    fill_in_start(&mut team, tx.now);
    if team == *old {
        return Ok(view(tx.settings, &team));
    }
    let replans = team.rotation != old.rotation
        || team.timezone != old.timezone
        || team.is_active != old.is_active;
    let regroups = team.slack_group_id != old.slack_group_id;
    if regroups
        || team.slack_oncall_group_id != old.slack_oncall_group_id
        || team.is_active != old.is_active
    {
        refuse_group_of_both_kinds(tx.store, &team)?;
    }
    if replans {
        // What fell due under the old config is handed off under it.
        handoff::hand_off_if_due(tx, old)?;
        give_reason(tx, old, Some(why_replans(old, &team)))?;
    }
    team.revision = old.revision.next(tx.now);
    store::teams::put(tx.store, &team)?;
    record_update(tx, old, &team)?;
    if replans {
        rotation::reset(tx, &team)?;
    } else if regroups {
        rotation::replan(tx, &team, "the team has another Slack group")?;
    }
    Ok(view(tx.settings, &team))
}

/// Deletes a team, softly: it keeps its rows, and can be restored.
///
/// # Errors
/// Not an admin; the team is not there.
pub fn delete(app: &App, ctx: &Ctx, reference: &str) -> Result<()> {
    ctx.require(Role::Admin)?;
    let input = TeamInput {
        is_active: Some(false),
        ..TeamInput::default()
    };
    update(app, ctx, reference, &input).map(drop)
}

/// A team, deleted or not.
///
/// # Errors
/// The team is not there.
pub fn get(app: &App, reference: &str) -> Result<TeamView> {
    let team = app.read(|tx| find::team(tx, reference))?;
    Ok(view(app.settings(), &team))
}

/// Teams by name. `q` is a part of the name or slug, whatever the case.
pub fn list(
    app: &App,
    active: ActiveFilter,
    q: Option<&str>,
    paging: &Paging,
) -> Result<Page<TeamView>> {
    let filter = store::teams::TeamFilter {
        is_active: active.is_active(),
        part: q.unwrap_or_default().to_lowercase(),
    };
    let (skip, take) = (paging.skip(), paging.size());
    let (total, teams) = app.read(|tx| Ok(store::teams::page(tx, &filter, skip, take)?))?;
    let items = teams.iter().map(|team| view(app.settings(), team));
    Ok(Page::new(items.collect(), total, paging))
}

/// A team as the API shows it.
fn view(settings: &Settings, team: &Team) -> TeamView {
    let problem = planning::problem(settings, team);
    TeamView {
        problems: problem.into_iter().collect(),
        ..TeamView::new(team, settings.require_approval)
    }
}

/// Where a rotation that is switched on has no start yet, it starts today.
fn fill_in_start(team: &mut Team, now: DateTime<Utc>) {
    if team.rotation.enabled && team.rotation.start_date.is_none() {
        team.rotation.start_date = Some(team.clock().day_at(now));
    }
}

fn why_replans(old: &Team, new: &Team) -> &'static str {
    match (old.is_active, new.is_active) {
        (true, false) => "the team was deleted",
        (false, true) => "the team was restored",
        _ => "the team's rotation was configured",
    }
}

fn record_update(tx: &mut Tx<'_>, old: &Team, new: &Team) -> Result<()> {
    let only_rotation = Team {
        rotation: new.rotation.clone(),
        timezone: new.timezone.clone(),
        revision: new.revision.clone(),
        ..old.clone()
    } == *new;
    let (entity, action) = match (old.is_active, new.is_active) {
        (true, false) => (EntityType::Team, Action::Deleted),
        (false, true) => (EntityType::Team, Action::Restored),
        _ if only_rotation => (EntityType::RotationConfig, Action::Updated),
        _ => (EntityType::Team, Action::Updated),
    };
    let view = |team| TeamView::new(team, tx.settings.require_approval);
    let (was, is) = (view(old), view(new));
    tx.record(entity, action)
        .about_team(new.id)
        .diff(Some(&was), Some(&is))
        .write()
}

fn refuse_taken_slug(tx: &impl Reader, slug: &str, own: TeamId) -> Result<()> {
    match store::teams::find_by_slug(tx, slug)? {
        Some(other) if other.id != own => Err(ActionError::Conflict {
            detail: format!("slug `{slug}` is taken by team `{}`", other.name),
            with: Some(other.id.to_string()),
        }),
        _ => Ok(()),
    }
}

/// The name's slug, or with `-2`, `-3`… what is free.
fn free_slug(tx: &impl Reader, name: &str) -> Result<String> {
    let base = slug_from(name);
    let mut slug = base.clone();
    let mut number = 1;
    // One that reads as an id would be looked up as one.
    while uuid::Uuid::parse_str(&slug).is_ok() || store::teams::find_by_slug(tx, &slug)?.is_some() {
        number += 1;
        slug = format!("{base}-{number}");
    }
    Ok(slug)
}

/// Refuses a Slack group that would be set to who is on call and be the member list of a team:
/// everybody who isn't on call would drop out of the rotation.
fn refuse_group_of_both_kinds(tx: &impl Reader, team: &Team) -> Result<()> {
    let (members, on_call) = (&team.slack_group_id, &team.slack_oncall_group_id);
    if !team.is_active || (members.is_none() && on_call.is_none()) {
        return Ok(());
    }
    let field = "slack_oncall_group_id";
    if members == on_call {
        let message = "is also the slack_group_id: it would empty the team; give another group";
        return Err(ActionError::invalid(field, message));
    }
    let same = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
    for other in store::teams::list(tx)? {
        if !other.is_active || other.id == team.id {
            continue;
        }
        let (group, use_here, use_there) = if same(on_call, &other.slack_group_id) {
            (on_call, field, "slack_group_id")
        } else if same(members, &other.slack_oncall_group_id) {
            (members, "slack_group_id", field)
        } else {
            continue;
        };
        return Err(ActionError::Conflict {
            detail: format!(
                "{use_here} `{}` is the {use_there} of team `{}`: a group can't both hold members \
                 and be set to who is on call",
                group.as_deref().unwrap_or_default(),
                other.slug
            ),
            with: Some(other.id.to_string()),
        });
    }
    Ok(())
}
