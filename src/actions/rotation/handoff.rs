//! Handoffs: what happens at a period's first instant, once, whatever happens in between.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::planning::{Wanted, plan_to_write};
use super::publish::{Applied, advance, apply, record_failures};
use crate::actions::messages::announce::tell_leads;
use crate::actions::messages::lookout::note_handoff;
use crate::actions::oncall::who;
use crate::actions::rotation::lookahead_of;
use crate::actions::rotation::snapshot::TeamSnapshot;
use crate::app::{ActionError, App, Begun, Ctx, Entry, Result, Settings, Tx};
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::{TeamId, UserId};
use crate::domain::notification::Event;
use crate::domain::oncall_day::previous_day;
use crate::domain::team::{RotationType, Team};
use crate::rotation::coverage::Coverage;
use crate::rotation::period::Period;
use crate::rotation::plan::Published;
use crate::store::{self, Reader};

/// Teams that are handed off in one transaction.
const BATCH: usize = 250;
/// What the audit log says of the handoff of a period that began while the daemon was down.
const CATCH_UP: &str = "catch_up";

/// What a tick did.
#[derive(Debug, Default)]
pub struct Ticked {
    /// Teams that were handed off.
    pub handed_off: usize,
    /// Teams whose handoff failed, and why; tried again at the next tick.
    pub failed: BTreeMap<TeamId, String>,
}

/// Does all handoffs that are due, those missed while the daemon was down too. Called too often,
/// it does nothing.
///
/// # Errors
/// The store failed; a team whose handoff fails by itself is reported, and stops no other.
pub fn tick(app: &App) -> Result<Ticked> {
    let mut ticked = tick_without_plugins(app)?;
    let by_plugin = tick_of_plugins(app)?;
    ticked.handed_off += by_plugin.handed_off;
    ticked.failed.extend(by_plugin.failed);
    Ok(ticked)
}

/// As [`tick`], of the teams that wait for nobody's code.
pub fn tick_without_plugins(app: &App) -> Result<Ticked> {
    let (_, others) = app.read(|tx| due(tx, app.settings(), app.now()))?;
    let mut ticked = Ticked::default();
    for batch in others.chunks(BATCH) {
        ticked.hand_off(app, batch)?;
    }
    Ok(ticked)
}

/// As [`tick`], of the teams of plugins: one after the other, each as long as its plugin takes. What is
/// planned for them stands meanwhile.
pub fn tick_of_plugins(app: &App) -> Result<Ticked> {
    let (by_plugin, _) = app.read(|tx| due(tx, app.settings(), app.now()))?;
    let mut ticked = Ticked::default();
    for team in &by_plugin {
        ticked.hand_off(app, std::slice::from_ref(team))?;
    }
    Ok(ticked)
}

/// The teams that are due: those of plugins, and the others, longest due first. Those whose plugin
/// is still loading are left for later.
fn due(
    tx: &impl Reader,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<(Vec<TeamId>, Vec<TeamId>)> {
    let (mut by_plugin, mut others) = (Vec::new(), Vec::new());
    for id in store::rotation::list_due(tx, now, usize::MAX)? {
        let team = store::teams::find(tx, id)?;
        match team.map(|team| team.rotation.kind) {
            Some(RotationType::Plugin(name)) if settings.plugins.is_loading(&name) => {}
            Some(RotationType::Plugin(_)) => by_plugin.push(id),
            _ => others.push(id),
        }
    }
    Ok((by_plugin, others))
}

impl Ticked {
    /// Hands teams off, all at once if that goes.
    fn hand_off(&mut self, app: &App, teams: &[TeamId]) -> Result<()> {
        match hand_off_all(app, teams) {
            Ok(count) => self.handed_off += count,
            Err(ActionError::Store(error)) if error.is_of_disk() => return Err(error.into()),
            // One of them can't be handed off: each for itself, then.
            Err(_) => {
                for team in teams {
                    match hand_off_all(app, std::slice::from_ref(team)) {
                        Ok(count) => self.handed_off += count,
                        Err(error) => drop(self.failed.insert(*team, error.to_string())),
                    }
                }
            }
        }
        Ok(())
    }
}

/// Audits that teams could not be handed off, and tells their leads and channels.
pub fn record_failed(app: &App, failed: &BTreeMap<TeamId, String>) -> Result<()> {
    app.write(&Ctx::system(), |tx| {
        for (id, error) in failed {
            tx.record(EntityType::RotationConfig, Action::RotationFailed)
                .about_team(*id)
                .reason(error.as_str())
                .write()?;
            // The team itself may be what can't be read.
            if let Ok(Some(team)) = store::teams::find(tx.store, *id) {
                let payload = json!({"error": error, "failed": "handoff"});
                tell_leads(tx, &team, Event::RotationFailed, &payload)?;
            }
        }
        Ok(())
    })
}

fn hand_off_all(app: &App, teams: &[TeamId]) -> Result<usize> {
    app.write(&Ctx::system(), |tx| {
        let mut count = 0;
        for id in teams {
            if let Some(team) = store::teams::find(tx.store, *id)? {
                count += usize::from(hand_off_if_due(tx, &team)?);
            }
        }
        Ok(count)
    })
}

/// Hands a team off if a period has begun since the last time. Periods that passed while
/// nobody looked are audited as caught up; only the running one is told.
pub(crate) fn hand_off_if_due(tx: &mut Tx<'_>, team: &Team) -> Result<bool> {
    if !team.rotates() {
        return Ok(false);
    }
    let state = store::rotation::state(tx.store, team.id)?;
    let due = state
        .next_period
        .filter(|day| team.clock().starts_at(*day) <= tx.now);
    let Some(due) = due else {
        return Ok(false);
    };
    let snapshot = TeamSnapshot::new(tx.store, tx.settings, team, tx.now)?;
    let periods = snapshot.periods();
    let (Some(first), Some(running)) = (periods.at(due), periods.at(snapshot.today)) else {
        return Ok(false);
    };
    let before = snapshot.coverage();
    for index in first.index..running.index {
        record_missed(tx, team, &periods.get(index), &before)?;
    }
    let published_until = snapshot.state.published_until;
    let wanted = Wanted {
        published: Published::StandsUntil(published_until.unwrap_or(snapshot.today)),
        horizon: lookahead_of(tx, &snapshot),
        hold_if_nobody: true,
    };
    let planned = plan_to_write(tx, &snapshot, wanted);
    let applied = apply(tx, &snapshot, &planned)?;
    let begun = Begun {
        first_day: running.start,
        is_skipped: planned.nobody_for_running,
        previous: on_call_before(&before, &running),
    };
    record_begun(tx, &snapshot, &applied, &running, &begun)?;
    note_handoff(tx, team.id, begun);
    record_failures(tx, &snapshot, &planned)?;
    advance(tx, &snapshot, &planned, Some(running.start))?;
    Ok(true)
}

/// Begins the entry of a handoff, or of one that was skipped.
fn record_handoff<'t, 'c>(
    tx: &'t mut Tx<'c>,
    team: &Team,
    action: Action,
    period: &Period,
) -> Entry<'t, 'c> {
    tx.record(EntityType::RotationConfig, action)
        .by_daemon()
        .about_team(team.id)
        .change_type("auto_rotation")
        .effective(period.start)
}

fn record_missed(tx: &mut Tx<'_>, team: &Team, period: &Period, coverage: &Coverage) -> Result<()> {
    let on_call = coverage.row_on(period.start).map(|row| &row.user);
    let (action, reason) = match on_call {
        Some(_) => (
            Action::RotationTriggered,
            "the daemon was down at the handoff",
        ),
        None => (
            Action::RotationSkipped,
            "the daemon was down, and nobody was planned",
        ),
    };
    let previous = on_call_before(coverage, period);
    record_handoff(tx, team, action, period)
        .on_call(on_call, previous.as_ref())
        .reason(reason)
        .metadata(CATCH_UP, true)
        .write()
}

/// Who is on call by `coverage` on the day before a period.
fn on_call_before(coverage: &Coverage, period: &Period) -> Option<UserId> {
    let row = coverage.row_on(previous_day(period.start));
    row.map(|row| row.user.clone())
}

/// Audits the handoff to the running period.
fn record_begun(
    tx: &mut Tx<'_>,
    snapshot: &TeamSnapshot,
    applied: &Applied,
    running: &Period,
    begun: &Begun,
) -> Result<()> {
    let action = if begun.is_skipped {
        Action::RotationSkipped
    } else {
        Action::RotationTriggered
    };
    let is_missed = snapshot.clock.starts_at(running.start) < tx.started_at;
    let on_call = who(tx.store, &snapshot.team, snapshot.today)?;
    let mut entry = record_handoff(tx, &snapshot.team, action, running)
        .on_call(on_call.as_ref(), begun.previous.as_ref())
        .reason(begun.is_skipped.then_some("there is no candidate"));
    if is_missed {
        entry = entry.metadata(CATCH_UP, true);
    }
    if !(applied.added.is_empty() && applied.removed.is_empty()) {
        let shifts = json!({"old": applied.removed, "new": applied.added});
        entry = entry.changes(json!({"auto_schedules": shifts}));
    }
    entry.write()
}
