//! Approving, rejecting and cancelling.

use crate::actions::messages::lookout::give_reason;
use crate::actions::oncall::who;
use crate::actions::overrides::news::tell_decided;
use crate::actions::overrides::query::load;
use crate::actions::overrides::record;
use crate::actions::people::{find, roster};
use crate::actions::rotation::fill;
use crate::actions::schedules::assign::keep_served;
use crate::app::{ActionError, Actor, App, Ctx, Result, Tx, check_version};
use crate::domain::audit::Action;
use crate::domain::ids::UserId;
use crate::domain::invalid::Invalid;
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::domain::team::Team;
use crate::domain::token::Role;
use crate::store;
use crate::wire::shift_override::{Decision, OverrideView};

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
        let reason = decision.reason.as_deref().unwrap_or_default().trim();
        invalid.check_text("reason", reason, 0, 2000);
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
            decision_reason: (!reason.is_empty()).then(|| reason.to_owned()),
            revision: old.revision.next(tx.now),
            ..old.clone()
        };
        let replaced = who(tx.store, &team, row.start_date)?;
        give_reason(tx, &team, row.reason.as_deref())?;
        store::overrides::put(tx.store, &row)?;
        let action = match status {
            OverrideStatus::Approved => Action::OverrideApproved,
            OverrideStatus::Rejected => Action::OverrideRejected,
            OverrideStatus::Cancelled | OverrideStatus::Pending => Action::OverrideCancelled,
        };
        record(tx, &team, replaced.as_ref(), action, Some(&old), &row)?;
        if old.status == OverrideStatus::Approved {
            keep_served(tx, &team, &old, today)?;
            fill(tx, &team, "an override was cancelled")?;
        }
        tell_decided(tx, &team, &row, Some(old.status))?;
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
        reason: None,
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
    // Such a token speaks for the people whom it names; where it names one, nobody else was asked.
    if status == OverrideStatus::Approved && row.requested_by.is_none() && tx.ctx.user().is_none() {
        let detail = "nobody is named who asked for this override (requested_by), so a token that is \
                      bound to no person can't approve it: a lead or an admin has to";
        return Err(ActionError::Forbidden(detail.to_owned()));
    }
    Ok(())
}
