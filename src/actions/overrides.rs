//! Overrides: ask, decide, cancel.

pub mod news;

use chrono::NaiveDate;

use super::rotation::fill;
use super::schedules::warnings;
use crate::actions::messages::announce::Before;
use crate::actions::overrides::news::{tell_decided, tell_requested};
use crate::actions::people::{find, roster};
use crate::actions::schedules::assign::keep_served;
use crate::app::{ActionError, Actor, App, Ctx, Result, Tx, changes, check_version};
use crate::domain::Revision;
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::{OverrideId, UserId};
use crate::domain::invalid::Invalid;
use crate::domain::oncall_day::END_OF_TIME;
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::domain::team::Team;
use crate::domain::token::Role;
use crate::store::{self, Reader};
use crate::wire::shift_override::{Decision, NewOverride, OverrideFilter, OverrideView};
use crate::wire::{Page, Paging};

/// A team's overrides, by start.
///
/// # Errors
/// The team is not there; the filter is invalid.
pub fn list(
    app: &App,
    team: &str,
    filter: &OverrideFilter,
    paging: &Paging,
) -> Result<Page<OverrideView>> {
    let mut invalid = Invalid::default();
    let status = filter.status.as_deref();
    let status = status.and_then(|s| invalid.parse::<OverrideStatus>("status", s));
    invalid.into_result(())?;
    let from = filter.from.unwrap_or(NaiveDate::MIN);
    let to = filter.to.unwrap_or(END_OF_TIME);
    Invalid::ordered(from, to)?;
    app.read(|tx| {
        let team = find::team(tx, team)?;
        let rows = match status {
            Some(status) => store::overrides::list_of_status(tx, team.id, status, from, to)?,
            None => store::overrides::list_of_team(tx, team.id, from, to)?,
        };
        let clock = team.clock();
        let page = Page::of(rows, paging);
        let items = page
            .items
            .iter()
            .map(|row| OverrideView::new(row, &clock))
            .collect();
        Ok(Page::new(items, page.total, paging))
    })
}

/// An override.
///
/// # Errors
/// Team or override are not there.
pub fn get(app: &App, team: &str, id: &str) -> Result<OverrideView> {
    app.read(|tx| {
        let team = find::team(tx, team)?;
        Ok(OverrideView::new(&load(tx, &team, id)?, &team.clock()))
    })
}

pub(crate) fn load(tx: &impl Reader, team: &Team, id: &str) -> Result<Override> {
    let row = match id.parse::<OverrideId>() {
        Ok(id) => store::overrides::find(tx, id)?,
        Err(_) => None,
    };
    row.filter(|row| row.team_id == team.id).ok_or_else(|| {
        ActionError::NotFound(format!("team `{}` has no override `{id}`", team.slug))
    })
}

/// Asks for cover. It waits for a lead where the team wants that, else it is in force at once.
///
/// # Errors
/// Less than an editor; a person who isn't a member of the team, nor an admin; the team is not
/// there; the input is invalid or in the past; another override that is pending or approved
/// overlaps.
pub fn request(app: &App, ctx: &Ctx, team: &str, input: &NewOverride) -> Result<OverrideView> {
    ctx.require(Role::Editor)?;
    app.write_once(ctx, |tx| {
        let team = find::active_team(tx.store, team)?;
        check_may_ask(tx, &team)?;
        let row = new_row(tx, &team, input)?;
        refuse_overlap(tx.store, &row)?;
        let before = Before::of(tx, &team, row.start_date)?;
        store::overrides::put(tx.store, &row)?;
        let action = match row.status {
            OverrideStatus::Pending => Action::OverrideRequested,
            _ => Action::Created,
        };
        record(tx, &team, &before, action, None, &row)?;
        if row.status == OverrideStatus::Pending {
            tell_requested(tx, &team, &row)?;
        } else {
            tell_decided(tx, &team, &row, None)?;
            before.tell(tx, &team, row.reason.as_deref())?;
        }
        let (start, end) = (row.start_date, row.end_date);
        let warnings = Some(warnings(tx, &team, &row.substitute, start, end)?);
        Ok(OverrideView {
            warnings,
            ..OverrideView::new(&row, &team.clock())
        })
    })
}

/// A token may ask on any team's behalf. In Slack everybody has the command, so there a team asks
/// for itself.
fn check_may_ask(tx: &Tx<'_>, team: &Team) -> Result<()> {
    let Actor::Person { user, .. } = &tx.ctx.actor else {
        return Ok(());
    };
    if tx.ctx.is_admin() || roster::belongs(tx.store, tx.settings, team, user)? {
        return Ok(());
    }
    let detail = format!(
        "{user} is not a member of team `{}`: one of its members, or an admin, has to ask",
        team.slug
    );
    Err(ActionError::Forbidden(detail))
}

fn new_row(tx: &Tx<'_>, team: &Team, input: &NewOverride) -> Result<Override> {
    let today = team.clock().day_at(tx.now);
    let mut invalid = Invalid::default();
    let substitute = invalid.parse::<UserId>("substitute_slack_id", &input.substitute_slack_id);
    let requester = input.requested_by.as_deref();
    let requester = requester.and_then(|user| invalid.parse::<UserId>("requested_by", user));
    let end_date = input.end_date.unwrap_or(input.start_date);
    invalid.check_range(input.start_date, end_date);
    let message = format!(
        "`{}` is in the past; the team's on-call day is {today}",
        input.start_date
    );
    invalid.check(input.start_date >= today, "start_date", message);
    invalid.check_text(
        "reason",
        input.reason.as_deref().unwrap_or_default(),
        0,
        2000,
    );
    let Some(substitute) = substitute else {
        return Err(invalid.into());
    };
    invalid.into_result(())?;
    let waits = team
        .overrides_require_approval
        .unwrap_or(tx.settings.require_approval);
    Ok(Override {
        id: OverrideId::new(tx.now),
        team_id: team.id,
        substitute,
        start_date: input.start_date,
        end_date,
        reason: input.reason.clone().filter(|reason| !reason.is_empty()),
        status: if waits {
            OverrideStatus::Pending
        } else {
            OverrideStatus::Approved
        },
        requested_by: tx.ctx.acting_user("requested_by", requester)?,
        approved_by: None,
        decided_at: None,
        revision: Revision::first(tx.now),
    })
}

fn refuse_overlap(tx: &impl Reader, row: &Override) -> Result<()> {
    let rows = store::overrides::list_of_team(tx, row.team_id, row.start_date, row.end_date)?;
    match rows
        .iter()
        .find(|other| other.status.holds_days() && other.id != row.id)
    {
        Some(other) => Err(ActionError::Conflict {
            detail: format!(
                "overlaps the {} override for {} from {} to {}",
                other.status, other.substitute, other.start_date, other.end_date
            ),
            with: Some(other.id.to_string()),
        }),
        None => Ok(()),
    }
}

/// Decides an override, or cancels it.
///
/// # Errors
/// A token of less than an editor; team or override are not there; the status is unknown, or
/// can't follow the present one; the actor may not decide; another version.
pub fn decide(
    app: &App,
    ctx: &Ctx,
    team: &str,
    id: &str,
    decision: &Decision,
) -> Result<OverrideView> {
    // Who asked in Slack may take it back, also once they belong to no team any more.
    let is_person = matches!(ctx.actor, Actor::Person { .. });
    ctx.require(if is_person {
        Role::Viewer
    } else {
        Role::Editor
    })?;
    app.write(ctx, |tx| {
        let team = find::active_team(tx.store, team)?;
        let old = load(tx.store, &team, id)?;
        let mut invalid = Invalid::default();
        let status = invalid.parse::<OverrideStatus>("status", &decision.status);
        let decider = decision.approved_by.as_deref();
        let decider = decider.and_then(|user| invalid.parse::<UserId>("approved_by", user));
        let Some(status) = status else {
            return Err(invalid.into());
        };
        invalid.into_result(())?;
        check_version(decision.version, old.revision.version)?;
        let decider = tx.ctx.acting_user("approved_by", decider)?;
        check_may_decide(tx, &team, &old, status, decider.as_ref())?;
        if !old.status.may_become(status) {
            let was = old.status;
            let detail = format!("the override is {was} and can't become {status}");
            return Err(ActionError::BadTransition(detail));
        }
        let today = team.clock().day_at(tx.now);
        let takes_effect =
            status == OverrideStatus::Approved || old.status == OverrideStatus::Approved;
        if takes_effect && old.end_date < today {
            let detail = format!(
                "its days ended on {}: the past can't be changed",
                old.end_date
            );
            return Err(ActionError::BadTransition(detail));
        }
        let row = Override {
            status,
            // Days that have passed meanwhile were served by whoever was on call.
            start_date: match status {
                OverrideStatus::Approved => old.start_date.max(today),
                _ => old.start_date,
            },
            approved_by: decider,
            decided_at: Some(tx.now),
            revision: old.revision.next(tx.now),
            ..old.clone()
        };
        let before = Before::of(tx, &team, row.start_date)?;
        store::overrides::put(tx.store, &row)?;
        let action = match status {
            OverrideStatus::Approved => Action::OverrideApproved,
            OverrideStatus::Rejected => Action::OverrideRejected,
            OverrideStatus::Cancelled | OverrideStatus::Pending => Action::OverrideCancelled,
        };
        record(tx, &team, &before, action, Some(&old), &row)?;
        if old.status == OverrideStatus::Approved {
            keep_served(tx, &team, &old, today)?;
            fill(tx, &team, "an override was cancelled")?;
        }
        tell_decided(tx, &team, &row, Some(old.status))?;
        before.tell(tx, &team, row.reason.as_deref())?;
        Ok(OverrideView::new(&row, &team.clock()))
    })
}

/// Cancels an override.
///
/// # Errors
/// As [`decide`].
pub fn cancel(app: &App, ctx: &Ctx, team: &str, id: &str) -> Result<()> {
    let status = OverrideStatus::Cancelled.to_string();
    let decision = Decision {
        status,
        approved_by: None,
        version: None,
    };
    decide(app, ctx, team, id, &decision).map(drop)
}

/// Deciding takes a lead of the team or an admin, and nobody but an admin approves what they
/// asked for themselves; cancelling is also the requester's.
fn check_may_decide(
    tx: &Tx<'_>,
    team: &Team,
    row: &Override,
    status: OverrideStatus,
    decider: Option<&UserId>,
) -> Result<()> {
    if tx.ctx.is_admin() {
        return Ok(());
    }
    let Some(decider) = decider else {
        let detail = "only a lead of the team or an admin can decide, and this token is bound to \
                      no person: decide by PATCH, and name the lead in approved_by";
        return Err(ActionError::Forbidden(detail.to_owned()));
    };
    let is_requester = row.requested_by.as_ref() == Some(decider);
    if status == OverrideStatus::Cancelled && is_requester {
        return Ok(());
    }
    if !roster::is_lead(tx.store, team, decider)? {
        let detail = format!(
            "{decider} is neither a lead of team `{}` nor an admin",
            team.slug
        );
        return Err(ActionError::Forbidden(detail));
    }
    if status == OverrideStatus::Approved && is_requester {
        let detail = format!("{decider} asked for this override: another lead has to approve it");
        return Err(ActionError::Forbidden(detail));
    }
    Ok(())
}

fn record(
    tx: &mut Tx<'_>,
    team: &Team,
    before: &Before,
    action: Action,
    old: Option<&Override>,
    new: &Override,
) -> Result<()> {
    let clock = team.clock();
    let view = |row: &Override| OverrideView::new(row, &clock);
    let mut event = tx.ctx.event(EntityType::Override, action);
    event.team_id = Some(team.id);
    event.entity_id = Some(new.id.to_string());
    event.changes = changes::between(old.map(view).as_ref(), Some(&view(new)));
    event.engineer = Some(new.substitute.clone());
    event.previous_engineer = before.on_first_day().cloned();
    event.change_type = match action {
        Action::Created | Action::OverrideRequested => Some("override_created".to_owned()),
        Action::OverrideRejected | Action::OverrideCancelled => Some("override_deleted".to_owned()),
        _ => Some("override_approved".to_owned()),
    };
    event.change_reason.clone_from(&new.reason);
    event.effective_date = Some(new.start_date);
    tx.audit(event)
}
