//! Writes what came of planning: rows, explanations, begun periods, and how far it has come.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::actions::messages::announce::tell_leads;
use crate::actions::rotation::snapshot::TeamSnapshot;
use crate::app::{Result, Tx};
use crate::domain::Revision;
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::ScheduleId;
use crate::domain::notification::Event;
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::team::Team;
use crate::rotation::plan::{Plan, Shift};
use crate::store;
use crate::store::rotation::RotationState;

/// A shift in an audit entry.
pub(crate) type ShiftNote = Value;

/// What a plan took away and added, for the audit log.
#[derive(Default)]
pub(crate) struct Applied {
    pub removed: Vec<ShiftNote>,
    pub added: Vec<ShiftNote>,
}

fn note(engineer: &str, start: NaiveDate, end: NaiveDate) -> ShiftNote {
    json!({"engineer_slack_id": engineer, "start_date": start, "end_date": end})
}

/// Writes a plan: rows, explanations, shares of begun periods.
pub(crate) fn apply(tx: &Tx<'_>, snapshot: &TeamSnapshot, planned: &Plan) -> Result<Applied> {
    let mut applied = Applied::default();
    let find = |id: ScheduleId| snapshot.schedules.iter().find(|row| row.id == id);
    for row in planned.deleted.iter().filter_map(|id| find(*id)) {
        store::schedules::delete(tx.store, row)?;
        applied
            .removed
            .push(note(row.engineer.as_str(), row.start_date, row.end_date));
    }
    for (id, end_date) in &planned.cut {
        let Some(row) = find(*id) else { continue };
        let revision = row.revision.next(tx.now);
        let cut = Schedule {
            end_date: *end_date,
            revision,
            ..row.clone()
        };
        store::schedules::put(tx.store, &cut)?;
        applied
            .removed
            .push(note(row.engineer.as_str(), row.start_date, row.end_date));
        applied
            .added
            .push(note(row.engineer.as_str(), row.start_date, *end_date));
    }
    for shift in &planned.shifts {
        if let Some(id) = shift.id {
            let known = store::schedules::find_explanation(tx.store, id)?;
            if known.as_ref() != Some(&shift.explanation) {
                store::schedules::put_explanation(tx.store, id, &shift.explanation)?;
            }
            continue;
        }
        let row = new_row(tx, &snapshot.team, shift);
        store::schedules::put(tx.store, &row)?;
        store::schedules::put_explanation(tx.store, row.id, &shift.explanation)?;
        applied
            .added
            .push(note(row.engineer.as_str(), row.start_date, row.end_date));
    }
    for shares in &planned.begun {
        store::rotation::put_shares(tx.store, snapshot.team.id, shares)?;
    }
    Ok(applied)
}

fn new_row(tx: &Tx<'_>, team: &Team, shift: &Shift) -> Schedule {
    Schedule {
        id: ScheduleId::new(tx.now),
        team_id: team.id,
        engineer: shift.explanation.picked.clone(),
        start_date: shift.start,
        end_date: shift.end,
        origin: Origin::Auto,
        created_by: None,
        note: None,
        is_hold: shift.explanation.is_hold,
        revision: Revision::first(tx.now),
    }
}

/// Audits and tells of a strategy that failed: once for all periods of a plan.
pub(crate) fn record_failures(
    tx: &mut Tx<'_>,
    snapshot: &TeamSnapshot,
    planned: &Plan,
) -> Result<()> {
    let Some((period, error)) = planned.failures.first() else {
        return Ok(());
    };
    tx.record(EntityType::RotationConfig, Action::RotationFailed)
        .by_daemon()
        .about_team(snapshot.team.id)
        .reason(error.as_str())
        .effective(period.start)
        .metadata("periods", planned.failures.len())
        .write()?;
    let payload = json!({
        "error": error,
        "effective_date": period.start,
        "falls_back_to": tx.settings.on_failure.as_str(),
    });
    tell_leads(tx, &snapshot.team, Event::RotationFailed, &payload)
}

/// Notes how far planning has come, where to begin the next time, and the instants of the handoffs to come after the
/// period that begins on `handled`.
pub(crate) fn advance(
    tx: &Tx<'_>,
    snapshot: &TeamSnapshot,
    planned: &Plan,
    handled: Option<NaiveDate>,
) -> Result<()> {
    let periods = snapshot.periods();
    let next = handled.map_or_else(|| periods.get(0), |day| periods.after(day));
    let published_until = planned.published_until;
    let (team, before) = (snapshot.team.id, snapshot.checkpoint.as_ref());
    store::checkpoints::put(tx.store, team, before, &planned.checkpoints)?;
    let state = RotationState {
        handled,
        next_period: Some(next.start),
        upcoming: upcoming(snapshot, next.start, published_until),
        published_until,
    };
    Ok(store::rotation::put_state(tx.store, team, &state)?)
}

/// The first instants of the periods from `next` to the last published one.
pub(crate) fn upcoming(
    snapshot: &TeamSnapshot,
    next: NaiveDate,
    published_until: Option<NaiveDate>,
) -> Vec<chrono::DateTime<chrono::Utc>> {
    let periods = snapshot.periods();
    let first = periods.at(next).unwrap_or_else(|| periods.get(0));
    let all = (first.index..).map(|index| periods.get(index).start);
    let wanted = all.take_while(|start| {
        *start == first.start || published_until.is_some_and(|until| *start <= until)
    });
    wanted
        .map(|start| snapshot.clock.starts_at(start))
        .collect()
}
