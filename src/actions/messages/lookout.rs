//! Who is on call, whose shift is near, which days nobody covers: the one place that tells of it,
//! whatever brought it about, a change, a handoff or time alone.
//!
//! Every change that is audited has its team looked at in the same transaction, and so has a team
//! whose next event falls due. A look compares what holds with what was last told, so that each
//! thing is told once. Actions tell of none of this themselves: they leave the [`Cause`].

mod look;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde_json::{Value, json};

use self::look::Look;
use super::announce::{To, on_call_payload, tell, tell_leads};
use crate::actions::oncall::{around, who};
use crate::app::{ActionError, App, Begun, Cause, Change, Ctx, Part, Result, Tx};
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::{TeamId, UserId};
use crate::domain::notification::Event;
use crate::domain::team::Team;
use crate::store::told::Told;
use crate::store::{self, ReadTx};

/// Teams that are looked at in one transaction.
const BATCH: usize = 250;

/// Looks at all teams for which something falls due. Called too often, it does nothing. Returns
/// the teams that can't be looked at, and why; they stop no other.
pub fn tick(app: &App) -> Result<BTreeMap<TeamId, String>> {
    let now = app.now();
    let due = app.read(|tx| Ok(store::told::list_due(tx, now)?))?;
    let mut failed = BTreeMap::new();
    for batch in due.chunks(BATCH) {
        match look_at(app, batch) {
            Ok(()) => {}
            Err(ActionError::Store(error)) if error.is_of_disk() => return Err(error.into()),
            // One of them can't be looked at: each for itself, then.
            Err(_) => {
                for team in batch {
                    if let Err(error) = look_at(app, std::slice::from_ref(team)) {
                        failed.insert(*team, error.to_string());
                    }
                }
            }
        }
    }
    Ok(failed)
}

fn look_at(app: &App, teams: &[TeamId]) -> Result<()> {
    app.write(&Ctx::system(), |tx| {
        teams
            .iter()
            .try_for_each(|team| look_or_start_over(tx, *team))
    })
}

/// Looks at teams that were never looked at: those of a store that an older oncalld wrote. Nobody
/// is told of what was so before.
pub fn begin(app: &App) -> Result<()> {
    let unseen = |tx: &ReadTx| {
        let teams = store::teams::list(tx)?;
        let mut found = Vec::new();
        for team in teams.into_iter().filter(|team| team.is_active) {
            if store::told::find(tx, team.id)?.is_none() {
                found.push(team.id);
            }
        }
        Ok(found)
    };
    for batch in app.read(unseen)?.chunks(BATCH) {
        app.write(&Ctx::import(), |tx| {
            batch.iter().try_for_each(|team| look(tx, *team))
        })?;
    }
    Ok(())
}

/// Looks at every team that a write is about.
#[derive(Debug)]
pub(crate) struct Lookout;

impl Part for Lookout {
    fn before_commit(&self, tx: &mut Tx<'_>) -> Result<()> {
        let audited = tx.store.audited().iter();
        let teams: BTreeSet<TeamId> = audited.filter_map(|entry| entry.event.team_id).collect();
        teams
            .into_iter()
            .try_for_each(|team| look_or_start_over(tx, team))
    }
}

/// Notes, before rows of a team are changed, what those are to be told whom that puts on call or takes
/// off. The first reason of a write stands: what follows from a change has the change's.
pub(crate) fn give_reason(tx: &mut Tx<'_>, team: &Team, reason: Option<&str>) -> Result<()> {
    if tx
        .causes
        .get(&team.id)
        .is_some_and(|cause| cause.change.is_some())
    {
        return Ok(());
    }
    let before = if team.is_active {
        who(tx.store, team, team.clock().day_at(tx.now))?
    } else {
        None
    };
    let reason = reason.map(ToOwned::to_owned);
    tx.causes.entry(team.id).or_default().change = Some(Change { before, reason });
    Ok(())
}

/// Notes that a team was handed off.
pub(crate) fn note_handoff(tx: &mut Tx<'_>, team: TeamId, begun: Begun) {
    tx.causes.entry(team).or_default().begun = Some(begun);
}

/// Looks at a team. Where what was told of it can't be read, that is told, and started over: a change
/// shall not fail for it.
fn look_or_start_over(tx: &mut Tx<'_>, id: TeamId) -> Result<()> {
    let queued = tx.messages.len();
    let error = match look(tx, id) {
        Err(ActionError::Store(error)) if !error.is_of_disk() => error.to_string(),
        looked => return looked,
    };
    tracing::error!(team = %id, error, "the record of what a team was told can't be read; starting a new one");
    tx.messages.truncate(queued);
    store::told::forget(tx.store, id)?;
    tx.record(EntityType::System, Action::RecordsLost)
        .about_team(id)
        .reason(error.as_str())
        .write()?;
    let payload = json!({"error": error, "failed": "records"});
    if let Ok(Some(team)) = store::teams::find(tx.store, id) {
        for admin in tx.settings.admins.clone() {
            tell(
                tx,
                &team,
                Event::RotationFailed,
                To::Person(&admin),
                &payload,
            );
        }
    }
    match start_over(tx, id) {
        Err(ActionError::Store(error)) if !error.is_of_disk() => Ok(()),
        started => started,
    }
}

/// Takes what held before this write for told, and looks at what the write has brought.
fn start_over(tx: &mut Tx<'_>, id: TeamId) -> Result<()> {
    let queued = tx.messages.len();
    let cause = tx.causes.remove(&id);
    let looked = look(tx, id);
    tx.messages.truncate(queued);
    looked?;
    let (Some(cause), Some(told)) = (cause, store::told::find(tx.store, id)?) else {
        return Ok(());
    };
    let handed_over_by = cause.begun.as_ref().map(|begun| &begun.previous);
    let before = cause.change.as_ref().map(|change| &change.before);
    let on_call = handed_over_by.or(before).cloned().flatten();
    let told = Told {
        on_call,
        on_call_told_on: None,
        ..told
    };
    store::told::put(tx.store, id, Some(&told))?;
    tx.causes.insert(id, cause);
    look(tx, id)
}

fn look(tx: &mut Tx<'_>, id: TeamId) -> Result<()> {
    let Some(team) = store::teams::find(tx.store, id)? else {
        return Ok(store::told::put(tx.store, id, None)?);
    };
    let mut told = store::told::find(tx.store, id)?.unwrap_or_else(|| Told {
        on_call: None,
        on_call_told_on: None,
        reminded: Vec::new(),
        gaps: Vec::new(),
        seen_until: team.clock().day_at(tx.now),
        due_at: tx.now,
    });
    if !team.is_active {
        // Nobody is paged for it any more.
        tell_on_call(tx, &team, &mut told, None)?;
        return Ok(store::told::put(tx.store, id, None)?);
    }
    let look = Look::new(tx, &team)?;
    tell_on_call(tx, &team, &mut told, look.on_call())?;
    let reminded = look.remind(tx, told.reminded);
    let gaps = look.tell_gaps(tx, told.gaps, told.seen_until)?;
    let told = Told {
        due_at: look.due_at(tx, &reminded),
        seen_until: look.published.unwrap_or(look.until),
        reminded,
        gaps,
        ..told
    };
    Ok(store::told::put(tx.store, id, Some(&told))?)
}

/// Tells who is on call, where that is no longer what was told last, or a period has begun since.
fn tell_on_call(
    tx: &mut Tx<'_>,
    team: &Team,
    told: &mut Told,
    on_call: Option<UserId>,
) -> Result<()> {
    let today = team.clock().day_at(tx.now);
    let Cause { change, begun } = tx.causes.get(&team.id).cloned().unwrap_or_default();
    let is_skipped = begun.as_ref().is_some_and(|begun| begun.is_skipped);
    // Where nobody is planned, a handoff may still have whoever was on call stay on.
    let is_other = on_call != told.on_call && (on_call.is_some() || !is_handoff_due(tx, team)?);
    let is_turn = begun.is_some_and(|begun| {
        // The write may have moved the handoff time too, so that the period has yet to begin.
        let has_begun = begun.first_day <= today;
        let since = begun.first_day..=today;
        let was_told = told.on_call_told_on.is_some_and(|day| since.contains(&day));
        has_begun && !begun.is_skipped && !was_told
    });
    if is_skipped {
        let payload = payload(tx, team, today, told.on_call.as_ref())?;
        tell_leads(tx, team, Event::RotationSkipped, &payload)?;
    }
    if is_other || is_turn {
        let mut payload = payload(tx, team, today, told.on_call.as_ref())?;
        let change = change.filter(|change| change.before != on_call);
        payload["reason"] = change.and_then(|change| change.reason).into();
        tell(tx, team, Event::Handoff, To::Channel, &payload);
        if let Some(user) = &on_call {
            tell(tx, team, Event::ShiftStarted, To::Person(user), &payload);
        }
        if let Some(user) = told.on_call.as_ref().filter(|_| is_other) {
            tell(tx, team, Event::ShiftEnded, To::Person(user), &payload);
        }
        told.on_call = on_call;
        told.on_call_told_on = Some(today);
        tx.on_call_changed |= is_other;
    }
    Ok(())
}

fn payload(tx: &Tx<'_>, team: &Team, today: NaiveDate, previous: Option<&UserId>) -> Result<Value> {
    let (now, next) = if team.is_active {
        around(tx.store, team, today)?
    } else {
        (None, None)
    };
    let (now, next) = (now.as_ref(), next.as_ref());
    Ok(on_call_payload(&team.clock(), now, next, previous))
}

/// Whether a period has begun to which the team is still to be handed off: in a second, once its
/// plugin is loaded, or once what fails no longer does.
fn is_handoff_due(tx: &Tx<'_>, team: &Team) -> Result<bool> {
    let next = store::rotation::state(tx.store, team.id)?.next_period;
    Ok(team.rotates() && next.is_some_and(|day| team.clock().starts_at(day) <= tx.now))
}

#[cfg(test)]
#[path = "lookout_tests.rs"]
mod tests;
