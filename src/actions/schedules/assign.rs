//! Putting somebody on call now, and the manual rows that give way.

use chrono::NaiveDate;

use crate::actions::messages::lookout::give_reason;
use crate::actions::oncall::who;
use crate::actions::people::find;
use crate::actions::rotation;
use crate::actions::schedules::{overlapping, record, require_approver, view, warnings};
use crate::app::{App, Ctx, Result, Tx};
use crate::domain::Revision;
use crate::domain::ids::{ScheduleId, UserId};
use crate::domain::invalid::Invalid;
use crate::domain::oncall_day::{next_day, previous_day};
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::domain::team::Team;
use crate::domain::token::Role;
use crate::rotation::period::Periods;
use crate::store;
use crate::wire::schedule::{AssignNow, ScheduleView};

/// Puts a person on call now, by a manual row to the end of the running period, or to
/// `end_date`. Manual rows of others give way for these days.
///
/// # Errors
/// Less than an editor, or than a lead where the team wants changes to be approved; the team is not
/// there; the input is invalid.
pub fn assign_now(app: &App, ctx: &Ctx, team: &str, input: &AssignNow) -> Result<ScheduleView> {
    ctx.require(Role::Editor)?;
    app.write_once(ctx, |tx| {
        let team = find::active_team(tx.store, team)?;
        let today = team.clock().day_at(tx.now);
        let mut invalid = Invalid::default();
        let engineer = invalid.parse::<UserId>("engineer_slack_id", &input.engineer_slack_id);
        let creator = input.created_by.as_deref();
        let creator = creator.and_then(|user| invalid.parse::<UserId>("created_by", user));
        let end_date = input
            .end_date
            .unwrap_or_else(|| end_of_period(&team, today));
        invalid.check_range(today, end_date);
        invalid.check_text(
            "reason",
            input.reason.as_deref().unwrap_or_default(),
            0,
            2000,
        );
        let Some(engineer) = engineer else {
            return Err(invalid.into());
        };
        invalid.into_result(())?;
        let creator = tx.ctx.acting_user("created_by", creator)?;
        require_approver(tx, &team, creator.as_ref(), end_date)?;
        let row = Schedule {
            id: ScheduleId::new(tx.now),
            team_id: team.id,
            engineer,
            start_date: today,
            end_date,
            origin: Origin::Manual,
            created_by: creator,
            note: input.reason.clone().filter(|reason| !reason.is_empty()),
            is_hold: false,
            revision: Revision::first(tx.now),
        };
        let replaced = who(tx.store, &team, today)?;
        let reason = row.note.as_deref();
        give_reason(tx, &team, reason)?;
        make_room(tx, replaced.as_ref(), &row)?;
        store::schedules::put(tx.store, &row)?;
        record(tx, replaced.as_ref(), None, Some(&row), reason)?;
        rotation::replan(tx, &team, "somebody was put on call")?;
        let mut warnings = warnings(tx, &team, &row.engineer, today, end_date)?;
        let approved = OverrideStatus::Approved;
        for other in store::overrides::list_of_status(tx.store, team.id, approved, today, end_date)?
        {
            warnings.push(format!(
                "an approved override puts {} on call from {} to {}; it takes precedence",
                other.substitute, other.start_date, other.end_date
            ));
        }
        Ok(ScheduleView {
            warnings: Some(warnings),
            ..view(tx.store, &team, &row)?
        })
    })
}

fn end_of_period(team: &Team, today: NaiveDate) -> NaiveDate {
    let start = team.rotation.start_date.filter(|_| team.rotation.enabled);
    let running = start.and_then(|start| Periods::new(&team.rotation, start).at(today));
    running.map_or(today, |period| period.end)
}

/// Cuts the manual rows that overlap `row`, so that it can take its days.
fn make_room(tx: &mut Tx<'_>, replaced: Option<&UserId>, row: &Schedule) -> Result<()> {
    for old in overlapping(tx.store, row)? {
        store::schedules::delete(tx.store, &old)?;
        let revision = old.revision.next(tx.now);
        let head = Schedule {
            end_date: previous_day(row.start_date),
            revision: revision.clone(),
            ..old.clone()
        };
        let tail = Schedule {
            start_date: next_day(row.end_date),
            revision,
            ..old.clone()
        };
        let keeps_head = head.start_date <= head.end_date;
        let keeps_tail = tail.start_date <= tail.end_date;
        if keeps_head {
            store::schedules::put(tx.store, &head)?;
        }
        record(tx, replaced, Some(&old), keeps_head.then_some(&head), None)?;
        if keeps_tail {
            let id = ScheduleId::new(tx.now);
            let tail = Schedule {
                id,
                revision: Revision::first(tx.now),
                ..tail
            };
            store::schedules::put(tx.store, &tail)?;
            record(tx, replaced, None, Some(&tail), None)?;
        }
    }
    Ok(())
}

/// Keeps the days that a substitute has served of an override that is cancelled while it
/// runs, as a manual row: served counts who really did it.
pub(crate) fn keep_served(
    tx: &mut Tx<'_>,
    team: &Team,
    cancelled: &Override,
    today: NaiveDate,
) -> Result<()> {
    if cancelled.start_date >= today {
        return Ok(());
    }
    let row = Schedule {
        id: ScheduleId::new(tx.now),
        team_id: team.id,
        engineer: cancelled.substitute.clone(),
        start_date: cancelled.start_date,
        end_date: previous_day(today),
        origin: Origin::Manual,
        created_by: tx.ctx.user().cloned(),
        note: Some("served by an override that was cancelled later".to_owned()),
        is_hold: false,
        revision: Revision::first(tx.now),
    };
    let replaced = who(tx.store, team, row.start_date)?;
    make_room(tx, replaced.as_ref(), &row)?;
    store::schedules::put(tx.store, &row)?;
    record(tx, replaced.as_ref(), None, Some(&row), row.note.as_deref())
}
