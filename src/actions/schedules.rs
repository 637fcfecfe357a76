//! Schedule rows made by people, and putting somebody on call now.

pub mod assign;
pub mod calendar;

use chrono::NaiveDate;

use super::rotation;
use crate::actions::messages::lookout::give_reason;
use crate::actions::oncall::who;
use crate::actions::people::absences::absences_of;
use crate::actions::people::{find, roster};
use crate::app::{ActionError, App, Ctx, Result, Tx, check_version};
use crate::domain::Revision;
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::{ScheduleId, UserId};
use crate::domain::invalid::Invalid;
use crate::domain::oncall_day::END_OF_TIME;
use crate::domain::roster::Presence;
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::team::Team;
use crate::domain::token::Role;
use crate::store::{self, Reader};
use crate::wire::schedule::{NewSchedule, ScheduleFilter, ScheduleInput, ScheduleView};
use crate::wire::{Page, Paging};

/// Refuses to put somebody on call, or to take them off, past a team that wants such a change to be
/// approved: there the rota of days that aren't over is its leads' to write, and others ask for an
/// override. `actor` is who acts, `last_day` the last one that would change.
fn require_approver(
    tx: &Tx<'_>,
    team: &Team,
    actor: Option<&UserId>,
    last_day: NaiveDate,
) -> Result<()> {
    let is_open = !tx.settings.requires_approval(team) || last_day < team.clock().day_at(tx.now);
    if is_open || tx.ctx.is_admin() {
        return Ok(());
    }
    match actor {
        Some(user) if roster::is_lead(tx.store, team, user)? => Ok(()),
        _ => Err(ActionError::Forbidden(format!(
            "changes of who is on call need a lead's approval in team `{}`: ask for an override, or \
             have a lead or an admin do this",
            team.slug
        ))),
    }
}

/// A team's schedule rows, by start.
///
/// # Errors
/// The team is not there; the filter is invalid.
pub fn list(
    app: &App,
    team: &str,
    filter: &ScheduleFilter,
    paging: &Paging,
) -> Result<Page<ScheduleView>> {
    let mut invalid = Invalid::default();
    let origin = filter
        .origin
        .as_deref()
        .and_then(|o| invalid.parse::<Origin>("origin", o));
    invalid.into_result(())?;
    let from = filter.from.unwrap_or(NaiveDate::MIN);
    let to = filter.to.unwrap_or(END_OF_TIME);
    Invalid::ordered(from, to)?;
    app.read(|tx| {
        let team = find::team(tx, team)?;
        let (skip, take) = (paging.skip(), paging.size());
        let (total, rows) =
            store::schedules::page_of_team(tx, team.id, origin, (from, to), skip, take)?;
        let items = rows.iter().map(|row| view(tx, &team, row));
        Ok(Page::new(items.collect::<Result<_>>()?, total, paging))
    })
}

/// A schedule row.
///
/// # Errors
/// Team or row are not there.
pub fn get(app: &App, team: &str, id: &str) -> Result<ScheduleView> {
    app.read(|tx| {
        let team = find::team(tx, team)?;
        let row = load(tx, &team, id)?;
        view(tx, &team, &row)
    })
}

pub(crate) fn view(tx: &impl Reader, team: &Team, row: &Schedule) -> Result<ScheduleView> {
    let explanation = match row.origin {
        Origin::Auto => store::schedules::find_explanation(tx, row.id)?,
        Origin::Manual => None,
    };
    Ok(ScheduleView::new(row, &team.clock(), explanation.as_ref()))
}

/// The answer to a change: the row, and what to look at.
fn accepted(tx: &Tx<'_>, team: &Team, row: &Schedule) -> Result<ScheduleView> {
    let warnings = warnings(tx, team, &row.engineer, row.start_date, row.end_date)?;
    Ok(ScheduleView {
        warnings: Some(warnings),
        ..view(tx.store, team, row)?
    })
}

fn load(tx: &impl Reader, team: &Team, id: &str) -> Result<Schedule> {
    let row = match id.parse::<ScheduleId>() {
        Ok(id) => store::schedules::find(tx, id)?,
        Err(_) => None,
    };
    row.filter(|row| row.team_id == team.id).ok_or_else(|| {
        ActionError::NotFound(format!("team `{}` has no schedule `{id}`", team.slug))
    })
}

/// Makes a manual schedule row; auto shifts are planned around it.
///
/// # Errors
/// Less than an editor, or than a lead where the team wants changes to be approved; the team is not
/// there; the input is invalid; another manual row overlaps.
pub fn create(app: &App, ctx: &Ctx, team: &str, input: &NewSchedule) -> Result<ScheduleView> {
    ctx.require(Role::Editor)?;
    app.write_once(ctx, |tx| {
        let team = find::active_team(tx.store, team)?;
        let mut invalid = Invalid::default();
        let engineer = invalid.parse::<UserId>("engineer_slack_id", &input.engineer_slack_id);
        let creator = input.created_by.as_deref();
        let creator = creator.and_then(|user| invalid.parse::<UserId>("created_by", user));
        invalid.check_range(input.start_date, input.end_date);
        invalid.check_text("note", input.note.as_deref().unwrap_or_default(), 0, 2000);
        let Some(engineer) = engineer else {
            return Err(invalid.into());
        };
        invalid.into_result(())?;
        let creator = tx.ctx.acting_user("created_by", creator)?;
        require_approver(tx, &team, creator.as_ref(), input.end_date)?;
        let row = Schedule {
            id: ScheduleId::new(tx.now),
            team_id: team.id,
            engineer,
            start_date: input.start_date,
            end_date: input.end_date,
            origin: Origin::Manual,
            created_by: creator,
            note: input.note.clone().filter(|note| !note.is_empty()),
            is_hold: false,
            revision: Revision::first(tx.now),
        };
        refuse_overlap(tx.store, &row)?;
        let replaced = who(tx.store, &team, row.start_date)?;
        give_reason(tx, &team, row.note.as_deref())?;
        store::schedules::put(tx.store, &row)?;
        let reason = row.note.as_deref();
        record(tx, replaced.as_ref(), None, Some(&row), reason)?;
        rotation::replan(tx, &team, "a manual schedule was made")?;
        accepted(tx, &team, &row)
    })
}

/// Changes a schedule row. An auto row whose engineer or dates change becomes a manual one.
///
/// # Errors
/// Less than an editor, or than a lead where the team wants changes to be approved; team or row are
/// not there; the input is invalid; another manual row overlaps; another version.
pub fn update(
    app: &App,
    ctx: &Ctx,
    team: &str,
    id: &str,
    input: &ScheduleInput,
) -> Result<ScheduleView> {
    ctx.require(Role::Editor)?;
    app.write(ctx, |tx| {
        let team = find::active_team(tx.store, team)?;
        let old = load(tx.store, &team, id)?;
        check_version(input.version, old.revision.version)?;
        let mut row = apply(&old, input)?;
        let moved = (&row.engineer, row.start_date, row.end_date)
            != (&old.engineer, old.start_date, old.end_date);
        if moved {
            let last_day = old.end_date.max(row.end_date);
            require_approver(tx, &team, tx.ctx.user(), last_day)?;
        }
        if moved && old.origin == Origin::Auto {
            row.origin = Origin::Manual;
            row.is_hold = false;
            row.created_by = tx.ctx.user().cloned();
        }
        if row == old {
            return view(tx.store, &team, &row);
        }
        row.revision = old.revision.next(tx.now);
        let replaced = who(tx.store, &team, row.start_date)?;
        if moved {
            refuse_overlap(tx.store, &row)?;
        }
        let reason = row.note.as_deref();
        give_reason(tx, &team, reason)?;
        if row.origin != old.origin {
            // With its explanation: a person's row has none.
            store::schedules::delete(tx.store, &old)?;
        }
        store::schedules::put(tx.store, &row)?;
        record(tx, replaced.as_ref(), Some(&old), Some(&row), reason)?;
        if moved {
            rotation::replan(tx, &team, "a manual schedule was changed")?;
        }
        accepted(tx, &team, &row)
    })
}

fn apply(old: &Schedule, input: &ScheduleInput) -> Result<Schedule> {
    let mut invalid = Invalid::default();
    let mut row = old.clone();
    if let Some(engineer) = &input.engineer_slack_id
        && let Some(engineer) = invalid.parse("engineer_slack_id", engineer)
    {
        row.engineer = engineer;
    }
    row.start_date = input.start_date.unwrap_or(row.start_date);
    row.end_date = input.end_date.unwrap_or(row.end_date);
    invalid.check_range(row.start_date, row.end_date);
    if let Some(note) = &input.note {
        invalid.check_text("note", note.as_deref().unwrap_or_default(), 0, 2000);
        row.note = note.clone().filter(|note| !note.is_empty());
    }
    Ok(invalid.into_result(row)?)
}

/// Deletes a schedule row. After a manual one the rotation takes its days again; an auto one
/// leaves them to nobody until the next time that shifts are generated.
///
/// # Errors
/// Less than an editor, or than a lead where the team wants changes to be approved; team or row are
/// not there.
pub fn delete(app: &App, ctx: &Ctx, team: &str, id: &str) -> Result<()> {
    ctx.require(Role::Editor)?;
    app.write(ctx, |tx| {
        let team = find::active_team(tx.store, team)?;
        let old = load(tx.store, &team, id)?;
        require_approver(tx, &team, tx.ctx.user(), old.end_date)?;
        let replaced = who(tx.store, &team, old.start_date)?;
        give_reason(tx, &team, None)?;
        store::schedules::delete(tx.store, &old)?;
        record(tx, replaced.as_ref(), Some(&old), None, None)?;
        if old.origin == Origin::Manual {
            rotation::replan(tx, &team, "a manual schedule was deleted")?;
        }
        Ok(())
    })
}

pub(crate) fn overlapping(tx: &impl Reader, row: &Schedule) -> Result<Vec<Schedule>> {
    let mut rows = store::schedules::list_of_team(tx, row.team_id, row.start_date, row.end_date)?;
    rows.retain(|other| other.origin == Origin::Manual && other.id != row.id);
    Ok(rows)
}

fn refuse_overlap(tx: &impl Reader, row: &Schedule) -> Result<()> {
    match overlapping(tx, row)?.first() {
        Some(other) if row.origin == Origin::Manual => Err(ActionError::Conflict {
            detail: format!(
                "overlaps the manual schedule of {} from {} to {}",
                other.engineer, other.start_date, other.end_date
            ),
            with: Some(other.id.to_string()),
        }),
        _ => Ok(()),
    }
}

/// What was accepted, but should be looked at.
pub(crate) fn warnings(
    tx: &Tx<'_>,
    team: &Team,
    user: &UserId,
    start: NaiveDate,
    end: NaiveDate,
) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    let slug = &team.slug;
    match roster::find_member(tx.store, tx.settings, team, user)? {
        None => warnings.push(format!("{user} is not a member of team `{slug}`")),
        Some(member) if member.presence == Presence::Left => {
            warnings.push(format!("{user} is not in the Slack group of team `{slug}`"));
        }
        Some(_) => {}
    }
    for absence in absences_of(tx.store, user, start)? {
        if absence.start <= end {
            let (from, to) = (absence.start, absence.end);
            warnings.push(format!("{user} has time off from {from} to {to}"));
        }
    }
    Ok(warnings)
}

/// Audits a change of a row. `replaced` is who was on call before on its first day.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    replaced: Option<&UserId>,
    old: Option<&Schedule>,
    new: Option<&Schedule>,
    reason: Option<&str>,
) -> Result<()> {
    let Some(subject) = new.or(old) else {
        return Ok(());
    };
    let (action, change_type) = match (old, new) {
        (None, _) => (Action::Created, "schedule_created"),
        (_, None) => (Action::Deleted, "schedule_deleted"),
        _ => (Action::Updated, "schedule_updated"),
    };
    let clock = find::team_by_id(tx.store, subject.team_id)?.clock();
    let view = |row: Option<&Schedule>| row.map(|row| ScheduleView::new(row, &clock, None));
    tx.record(EntityType::Schedule, action)
        .team(subject.team_id)
        .entity(&subject.id)
        .diff(view(old).as_ref(), view(new).as_ref())
        .on_call(new.map(|row| &row.engineer), replaced)
        .change_type(change_type)
        .reason(reason)
        .effective(subject.start_date)
        .write()
}
