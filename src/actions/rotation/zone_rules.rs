//! Handoffs that new zone rules move.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::actions::messages::announce::tell_leads;
use crate::actions::rotation::publish::upcoming;
use crate::actions::rotation::snapshot::TeamSnapshot;
use crate::app::{App, Ctx, Result, Tx};
use crate::domain::audit::{Action, EntityType};
use crate::domain::notification::Event;
use crate::domain::team::Team;
use crate::domain::zone;
use crate::store;

/// Recomputes every team's handoffs if the zone rules have changed since last time, and
/// audits and tells each team whose handoffs they move. Returns how many that were.
pub fn apply(app: &App) -> Result<usize> {
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
    let (was, is): (Vec<DateTime<Utc>>, Vec<DateTime<Utc>>) = moves.into_iter().unzip();
    let reason = format!("zone rules {old_rules} → {}", zone::rules().version());
    let payload =
        json!({"old_handoff_at": was.first(), "handoff_at": is.first(), "reason": reason});
    tx.record(EntityType::RotationConfig, Action::HandoffMoved)
        .by_daemon()
        .about_team(team.id)
        .changes(json!({"handoffs_at": {"old": was, "new": is}}))
        .reason(reason.as_str())
        .write()?;
    tell_leads(tx, team, Event::HandoffMoved, &payload)?;
    let state = store::rotation::RotationState {
        upcoming,
        ..snapshot.state.clone()
    };
    store::rotation::put_state(tx.store, team.id, &state)?;
    Ok(true)
}
