//! Handoffs: what happens at a period's first instant, once, whatever happens in between.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::planning::{Wanted, plan_to_write};
use super::publish::{Applied, advance, apply, record_failures, upcoming};
use crate::actions::messages::announce::{on_call_payload, tell_change, tell_leads};
use crate::actions::rotation::lookahead_of;
use crate::actions::rotation::snapshot::TeamSnapshot;
use crate::app::{ActionError, App, Ctx, Result, Settings, Tx};
use crate::domain::audit::{Action, AuditEvent, EntityType};
use crate::domain::ids::{TeamId, UserId};
use crate::domain::json::Json;
use crate::domain::notification::Event;
use crate::domain::oncall_day::previous_day;
use crate::domain::team::{RotationType, Team};
use crate::domain::zone;
use crate::rotation::coverage::{Coverage, Source, Stretch};
use crate::rotation::period::Period;
use crate::rotation::plan::{Plan, Published};
use crate::store::{self, Reader};

/// Teams that are handed off in one transaction.
const BATCH: usize = 250;

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
            Err(ActionError::Store(error)) if error.is_fatal() => return Err(error.into()),
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
            let mut event = tx
                .ctx
                .event(EntityType::RotationConfig, Action::RotationFailed);
            event.team_id = Some(*id);
            event.entity_id = Some(id.to_string());
            event.change_reason = Some(error.clone());
            tx.audit(event)?;
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
    if first.index < running.index {
        let before = snapshot.coverage();
        for index in first.index..running.index {
            record_missed(tx, team, &periods.get(index), &before)?;
        }
    }
    let published_until = snapshot.state.published_until;
    let wanted = Wanted {
        published: Published::StandsUntil(published_until.unwrap_or(snapshot.today)),
        horizon: lookahead_of(tx, &snapshot),
        hold_if_nobody: true,
    };
    let planned = plan_to_write(tx, &snapshot, wanted);
    let applied = apply(tx, &snapshot, &planned)?;
    let handoff = Handoff::new(&snapshot, &planned, running);
    handoff.record(tx, &planned, &applied)?;
    handoff.tell(tx, planned.nobody_for_running)?;
    record_failures(tx, &snapshot, &planned)?;
    advance(tx, &snapshot, &planned, Some(running.start))?;
    Ok(true)
}

fn rotation_event(team: &Team, action: Action, period: &Period) -> AuditEvent {
    let mut event = Ctx::system().event(EntityType::RotationConfig, action);
    event.team_id = Some(team.id);
    event.entity_id = Some(team.id.to_string());
    event.change_type = Some("auto_rotation".to_owned());
    event.effective_date = Some(period.start);
    event
}

fn record_missed(tx: &mut Tx<'_>, team: &Team, period: &Period, coverage: &Coverage) -> Result<()> {
    let on_call = coverage.row_on(period.start).map(|row| row.user.clone());
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
    let mut event = rotation_event(team, action, period);
    event.engineer = on_call;
    event.previous_engineer = coverage
        .row_on(previous_day(period.start))
        .map(|row| row.user.clone());
    event.change_reason = Some(reason.to_owned());
    mark_caught_up(&mut event);
    tx.audit(event)
}

/// Marks the handoff of a period that began while the daemon was down.
fn mark_caught_up(event: &mut AuditEvent) {
    if let Some(metadata) = event.metadata.0.as_object_mut() {
        metadata.insert("catch_up".to_owned(), true.into());
    }
}

/// The handoff of one team to its running period.
struct Handoff<'a> {
    snapshot: &'a TeamSnapshot,
    period: Period,
    now: Option<Stretch>,
    next: Option<Stretch>,
    previous: Option<UserId>,
}

impl<'a> Handoff<'a> {
    fn new(snapshot: &'a TeamSnapshot, planned: &Plan, period: Period) -> Self {
        let mut coverage = snapshot.coverage();
        for shift in &planned.shifts {
            coverage.add(Stretch {
                user: shift.explanation.picked.clone(),
                source: Source::Auto,
                id: uuid::Uuid::nil(),
                start: shift.start,
                end: shift.end,
            });
        }
        let now = coverage.stretch_on(snapshot.today);
        let last = now.as_ref().map_or(snapshot.today, |stretch| stretch.end);
        Self {
            snapshot,
            period,
            next: coverage.next_after(last),
            now,
            previous: coverage
                .row_on(previous_day(period.start))
                .map(|row| row.user.clone()),
        }
    }

    fn record(&self, tx: &mut Tx<'_>, planned: &Plan, applied: &Applied) -> Result<()> {
        let skipped = planned.nobody_for_running;
        let action = if skipped {
            Action::RotationSkipped
        } else {
            Action::RotationTriggered
        };
        let mut event = rotation_event(&self.snapshot.team, action, &self.period);
        if self.snapshot.clock.starts_at(self.period.start) < tx.started_at {
            mark_caught_up(&mut event);
        }
        event.engineer = self.now.as_ref().map(|stretch| stretch.user.clone());
        event.previous_engineer.clone_from(&self.previous);
        if skipped {
            event.change_reason = Some("there is no candidate".to_owned());
        }
        if !(applied.added.is_empty() && applied.removed.is_empty()) {
            let shifts = json!({"old": applied.removed, "new": applied.added});
            event.changes = Json(json!({"auto_schedules": shifts}));
        }
        tx.audit(event)
    }

    fn tell(&self, tx: &mut Tx<'_>, skipped: bool) -> Result<()> {
        let team = &self.snapshot.team;
        // After a downtime, that is not who was planned for the day before: whoever was last told
        // that they're on call is to know that they no longer are.
        let seen = store::watch::find(tx.store, team.id)?;
        let previous = seen.map_or_else(|| self.previous.clone(), |seen| seen.on_call);
        let payload = on_call_payload(
            &self.snapshot.clock,
            self.now.as_ref(),
            self.next.as_ref(),
            previous.as_ref(),
        );
        if skipped {
            return tell_leads(tx, team, Event::RotationSkipped, &payload);
        }
        tell_change(
            tx,
            team,
            self.now.as_ref().map(|s| &s.user),
            previous.as_ref(),
            &payload,
        );
        Ok(())
    }
}

/// Computes every team's handoffs anew if the zone rules are others than last time, and
/// audits and tells each team whose handoffs they move. Returns how many that were.
pub fn apply_zone_rules(app: &App) -> Result<usize> {
    let version = zone::rules().version();
    let known = app.read(|tx| Ok(store::meta::zone_rules(tx)?))?;
    if known.as_deref() == Some(version) {
        return Ok(0);
    }
    app.write(&Ctx::system(), |tx| {
        let mut moved = 0;
        for team in store::teams::list(tx.store)?
            .iter()
            .filter(|team| team.rotates())
        {
            moved += usize::from(move_handoffs(
                tx,
                team,
                known.as_deref().unwrap_or("unknown"),
            )?);
        }
        store::meta::set_zone_rules(tx.store, version)?;
        Ok(moved)
    })
}

fn move_handoffs(tx: &mut Tx<'_>, team: &Team, old_rules: &str) -> Result<bool> {
    let snapshot = TeamSnapshot::new(tx.store, tx.settings, team, tx.now)?;
    let Some(next) = snapshot.state.next_period else {
        return Ok(false);
    };
    let upcoming = upcoming(&snapshot, next, snapshot.state.published_until);
    let old = &snapshot.state.upcoming;
    let moves: Vec<_> = old
        .iter()
        .zip(&upcoming)
        .filter(|(old, new)| old != new)
        .collect();
    if moves.is_empty() {
        return Ok(false);
    }
    let mut event = Ctx::system().event(EntityType::RotationConfig, Action::HandoffMoved);
    event.team_id = Some(team.id);
    event.entity_id = Some(team.id.to_string());
    let (was, is): (Vec<DateTime<Utc>>, Vec<DateTime<Utc>>) = moves.into_iter().unzip();
    event.changes = Json(json!({"handoffs_at": {"old": was, "new": is}}));
    let reason = format!("zone rules {old_rules} → {}", zone::rules().version());
    event.change_reason = Some(reason.clone());
    let payload =
        json!({"old_handoff_at": was.first(), "handoff_at": is.first(), "reason": reason});
    tx.audit(event)?;
    tell_leads(tx, team, Event::HandoffMoved, &payload)?;
    let state = store::rotation::RotationState {
        upcoming,
        ..snapshot.state.clone()
    };
    store::rotation::put_state(tx.store, team.id, &state)?;
    Ok(true)
}
