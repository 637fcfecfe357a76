//! Asking for cover.

use crate::actions::messages::lookout::give_reason;
use crate::actions::oncall::who;
use crate::actions::overrides::news::{tell_decided, tell_requested};
use crate::actions::overrides::record;
use crate::actions::people::{find, roster};
use crate::actions::schedules::warnings;
use crate::app::{ActionError, Actor, App, Ctx, Result, Tx};
use crate::domain::Revision;
use crate::domain::audit::Action;
use crate::domain::ids::{OverrideId, UserId};
use crate::domain::invalid::Invalid;
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::domain::team::Team;
use crate::domain::token::Role;
use crate::store::{self, Reader};
use crate::wire::shift_override::{NewOverride, OverrideView};

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
        let replaced = who(tx.store, &team, row.start_date)?;
        give_reason(tx, &team, row.reason.as_deref())?;
        store::overrides::put(tx.store, &row)?;
        let action = match row.status {
            OverrideStatus::Pending => Action::OverrideRequested,
            _ => Action::Created,
        };
        record(tx, &team, replaced.as_ref(), action, None, &row)?;
        if row.status == OverrideStatus::Pending {
            tell_requested(tx, &team, &row)?;
        } else {
            tell_decided(tx, &team, &row, None)?;
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
    let waits = tx.settings.requires_approval(team);
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
        decision_reason: None,
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
