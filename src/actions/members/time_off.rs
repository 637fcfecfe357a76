//! Time off: the rotation goes round it, in all of the person's teams.

use chrono::NaiveDate;

use crate::actions::people::{find, roster};
use crate::actions::rotation;
use crate::app::{ActionError, App, Ctx, Result, Tx};
use crate::domain::Revision;
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::{TimeOffId, UserId};
use crate::domain::invalid::Invalid;
use crate::domain::time_off::TimeOff;
use crate::domain::token::Role;
use crate::store::{self, Reader};
use crate::wire::time_off::{NewTimeOff, TimeOffView};
use crate::wire::{Page, Paging};

/// A person's time off, by start.
///
/// # Errors
/// The user id is malformed.
pub fn list(app: &App, user: &str, paging: &Paging) -> Result<Page<TimeOffView>> {
    let user = find::user(user)?;
    let rows = app.read(|tx| Ok(store::time_off::list_of(tx, &user, NaiveDate::MIN)?))?;
    Ok(Page::of(
        rows.iter().map(TimeOffView::from).collect(),
        paging,
    ))
}

/// Notes time off; the future shifts of the person's teams are planned again. Those that
/// stand all the same are warned of.
///
/// # Errors
/// Less than an editor; another person's, without leading them; the input is invalid.
pub fn create(app: &App, ctx: &Ctx, user: &str, input: &NewTimeOff) -> Result<TimeOffView> {
    ctx.require(Role::Editor)?;
    let user = find::user(user)?;
    app.write_once(ctx, |tx| {
        require_say(tx, &user)?;
        let mut invalid = Invalid::default();
        invalid.check_range(input.start_date, input.end_date);
        invalid.check_text(
            "reason",
            input.reason.as_deref().unwrap_or_default(),
            0,
            2000,
        );
        invalid.into_result(())?;
        let row = TimeOff {
            id: TimeOffId::new(tx.now),
            user: user.clone(),
            start_date: input.start_date,
            end_date: input.end_date,
            reason: input.reason.clone().filter(|reason| !reason.is_empty()),
            revision: Revision::first(tx.now),
        };
        store::time_off::put(tx.store, &row)?;
        record(tx, Action::Created, &row)?;
        replan_teams_of(tx, &row.user, "time off was added")?;
        let warnings = Some(conflicts(tx.store, &row)?);
        Ok(TimeOffView {
            warnings,
            ..TimeOffView::from(&row)
        })
    })
}

/// Takes time off back.
///
/// # Errors
/// Less than an editor; another person's, without leading them; the time off is not there.
pub fn delete(app: &App, ctx: &Ctx, user: &str, id: &str) -> Result<()> {
    ctx.require(Role::Editor)?;
    let user = find::user(user)?;
    app.write(ctx, |tx| {
        let row = match id.parse::<TimeOffId>() {
            Ok(id) => store::time_off::find(tx.store, id)?,
            Err(_) => None,
        };
        let row = row
            .filter(|row| row.user == user)
            .ok_or_else(|| ActionError::NotFound(format!("{user} has no time off `{id}`")))?;
        require_say(tx, &user)?;
        store::time_off::delete(tx.store, &row)?;
        record(tx, Action::Deleted, &row)?;
        replan_teams_of(tx, &row.user, "time off was deleted")
    })
}

/// Somebody's time off is their own to say, or a lead's of one of their teams; what is bound to no
/// person, such as the calendar of holidays, speaks for everybody.
fn require_say(tx: &Tx<'_>, user: &UserId) -> Result<()> {
    if tx.ctx.user().is_none() || roster::has_say_over(tx, user)? {
        return Ok(());
    }
    Err(ActionError::Forbidden(format!(
        "changing the time off of {user} takes an admin, {user} with the role editor, an editor who \
         leads one of their teams, or an editor's token that is bound to no person"
    )))
}

fn replan_teams_of(tx: &mut Tx<'_>, user: &UserId, why: &str) -> Result<()> {
    for id in roster::teams_of(tx.store, user)? {
        if let Some(team) = store::teams::find(tx.store, id)? {
            rotation::replan(tx, &team, why)?;
        }
    }
    Ok(())
}

/// Shifts that the time off touches.
fn conflicts(tx: &impl Reader, row: &TimeOff) -> Result<Vec<String>> {
    let (from, to) = (row.start_date, row.end_date);
    let mut conflicts = Vec::new();
    for shift in store::schedules::list_of_user(tx, &row.user, from, to)? {
        let team = find::team_by_id(tx, shift.team_id)?;
        let (start, end, origin) = (shift.start_date, shift.end_date, shift.origin);
        conflicts.push(format!(
            "{origin} shift for `{}` from {start} to {end}",
            team.slug
        ));
    }
    for shift in store::overrides::list_of_user(tx, &row.user, from, to)? {
        if shift.status.holds_days() {
            let team = find::team_by_id(tx, shift.team_id)?;
            let (start, end, status) = (shift.start_date, shift.end_date, shift.status);
            conflicts.push(format!(
                "{status} override for `{}` from {start} to {end}",
                team.slug
            ));
        }
    }
    Ok(conflicts)
}

fn record(tx: &mut Tx<'_>, action: Action, row: &TimeOff) -> Result<()> {
    let view = TimeOffView::from(row);
    let (old, new) = match action {
        Action::Deleted => (Some(&view), None),
        _ => (None, Some(&view)),
    };
    tx.record(EntityType::TimeOff, action)
        .entity(&row.id)
        .diff(old, new)
        .write()
}
