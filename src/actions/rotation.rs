//! Preview and generate; and the new planning that other changes bring about.

pub mod fairness;
pub mod handoff;
pub(crate) mod planning;
#[cfg(test)]
mod planning_tests;
pub(crate) mod publish;
pub(crate) mod review;
pub mod shares;
pub(crate) mod snapshot;
pub mod zone_rules;

use chrono::NaiveDate;
use serde_json::json;

use crate::actions::messages::lookout::give_reason;
use crate::actions::people::find;
use crate::actions::rotation::planning::{Wanted, plan_to_show, plan_to_write};
use crate::actions::rotation::publish::{Applied, advance, apply, record_failures};
use crate::actions::rotation::snapshot::TeamSnapshot;
use crate::app::{ActionError, App, Ctx, Result, Tx};
use crate::domain::audit::{Action, EntityType};
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::team::Team;
use crate::domain::token::Role;
use crate::rotation::plan::{Plan, Published, Shift, first_shown_day, horizon, keeping, lookahead};
use crate::store::rotation::RotationState;
use crate::store::{self, Reader};
use crate::wire::rotation::{PlanRequest, PlanView, ShiftView};

/// The most weeks that can be planned ahead on request.
const MAX_WEEKS: u32 = 52;

/// The auto shifts that generating would leave, without writing anything. For a team whose
/// rotation is off: as if it were switched on today.
///
/// # Errors
/// The team is not there; the number of weeks is invalid.
pub fn preview(app: &App, team: &str, request: &PlanRequest) -> Result<PlanView> {
    let weeks = weeks_of(request)?;
    let (now, settings) = (app.now(), app.settings());
    app.read(|tx| {
        let team = find::active_team(tx, team)?;
        let snapshot = TeamSnapshot::new(tx, settings, &team, now)?;
        let until = horizon_of(&snapshot, weeks);
        let wanted = Wanted {
            published: Published::Replanned,
            horizon: until,
            hold_if_nobody: false,
        };
        let planned = plan_to_show(settings, &snapshot, wanted);
        view(tx, &snapshot, &planned, until)
    })
}

/// Plans the future auto shifts again and writes them.
///
/// # Errors
/// Less than an editor; the team is not there or does not rotate; the number of weeks is
/// invalid.
pub fn generate(app: &App, ctx: &Ctx, team: &str, request: &PlanRequest) -> Result<PlanView> {
    ctx.require(Role::Editor)?;
    let weeks = weeks_of(request)?;
    app.write_once(ctx, |tx| {
        let team = find::active_team(tx.store, team)?;
        if !team.rotates() {
            return Err(ActionError::conflict(format!(
                "the rotation of team `{}` is off; switch it on with rotation_enabled",
                team.slug
            )));
        }
        let snapshot = TeamSnapshot::new(tx.store, tx.settings, &team, tx.now)?;
        let planned = write_plan(tx, &snapshot, weeks, "on request")?;
        view(tx.store, &snapshot, &planned, horizon_of(&snapshot, weeks))
    })
}

/// Plans the future again after a change of who could be picked, or of which days are free. Whom that
/// puts on call at once is told why, unless the change has given a reason of its own.
pub(crate) fn replan(tx: &mut Tx<'_>, team: &Team, why: &str) -> Result<()> {
    if !team.rotates() {
        return Ok(());
    }
    give_reason(tx, team, Some(why))?;
    let snapshot = TeamSnapshot::new(tx.store, tx.settings, team, tx.now)?;
    write_plan(tx, &snapshot, 0, why).map(drop)
}

/// Fills days of the running period that a change has left to nobody; what is published
/// stands.
pub(crate) fn fill(tx: &mut Tx<'_>, team: &Team, why: &str) -> Result<()> {
    if !team.rotates() {
        return Ok(());
    }
    let snapshot = TeamSnapshot::new(tx.store, tx.settings, team, tx.now)?;
    let stands = Published::StandsUntil(snapshot.state.published_until.unwrap_or(snapshot.today));
    let until = lookahead_of(tx, &snapshot);
    plan_and_write(tx, &snapshot, stands, until, why).map(drop)
}

/// Brings the rotation in line with a config that has just changed: plans the future again,
/// or drops it where the team no longer rotates. A handoff that lay before the change is
/// not a missed one.
pub(crate) fn reset(tx: &mut Tx<'_>, team: &Team) -> Result<()> {
    let snapshot = TeamSnapshot::new(tx.store, tx.settings, team, tx.now)?;
    let running = snapshot.periods().at(snapshot.today);
    if !team.rotates() {
        let dropped = without_future(&snapshot);
        let shifts = apply(tx, &snapshot, &dropped)?;
        record(tx, &snapshot, &dropped, &shifts, "the rotation is off")?;
        return Ok(store::rotation::put_state(
            tx.store,
            team.id,
            &RotationState::default(),
        )?);
    }
    // A period that by the new config has yet to begin is still to be handed off.
    let handled = snapshot.state.handled.filter(|day| *day <= snapshot.today);
    let handled = handled.max(running.map(|period| period.start));
    let state = RotationState {
        handled,
        ..snapshot.state.clone()
    };
    let snapshot = TeamSnapshot { state, ..snapshot };
    write_plan(tx, &snapshot, 0, "the rotation was configured").map(drop)
}

/// What a rotation leaves that is switched off: nothing beyond the running period.
fn without_future(snapshot: &TeamSnapshot) -> Plan {
    let boundary = snapshot.periods().after(snapshot.today).start;
    let future = |row: &&Schedule| row.origin == Origin::Auto && row.start_date >= boundary;
    let rows = snapshot.schedules.iter().filter(future);
    Plan {
        deleted: rows.map(|row| row.id).collect(),
        ..Plan::default()
    }
}

/// Plans again as far as asked for, as the lookahead wants, and as was published; writes it.
fn write_plan(tx: &mut Tx<'_>, snapshot: &TeamSnapshot, weeks: u32, why: &str) -> Result<Plan> {
    let until = horizon_of(snapshot, weeks).max(lookahead_of(tx, snapshot));
    // No request publishes further than a year; a config that did is no reason to go on.
    let published_until = snapshot.state.published_until;
    let until = keeping(until, published_until).min(until.max(horizon_of(snapshot, MAX_WEEKS)));
    plan_and_write(tx, snapshot, Published::Replanned, until, why)
}

fn plan_and_write(
    tx: &mut Tx<'_>,
    snapshot: &TeamSnapshot,
    published: Published,
    horizon: NaiveDate,
    why: &str,
) -> Result<Plan> {
    let wanted = Wanted {
        published,
        horizon,
        hold_if_nobody: false,
    };
    let planned = plan_to_write(tx, snapshot, wanted);
    let shifts = apply(tx, snapshot, &planned)?;
    record(tx, snapshot, &planned, &shifts, why)?;
    record_failures(tx, snapshot, &planned)?;
    advance(tx, snapshot, &planned, snapshot.state.handled)?;
    Ok(planned)
}

/// The day up to which auto shifts are kept published.
pub(crate) fn lookahead_of(tx: &Tx<'_>, snapshot: &TeamSnapshot) -> NaiveDate {
    let weeks = tx.settings.lookahead_weeks;
    lookahead(
        &snapshot.team.rotation,
        snapshot.start_date,
        snapshot.today,
        weeks,
    )
}

fn horizon_of(snapshot: &TeamSnapshot, weeks: u32) -> NaiveDate {
    horizon(
        &snapshot.team.rotation,
        snapshot.start_date,
        snapshot.today,
        weeks,
    )
}

fn weeks_of(request: &PlanRequest) -> Result<u32> {
    let weeks = request.weeks.unwrap_or(4);
    let valid = u32::try_from(weeks)
        .ok()
        .filter(|weeks| (1..=MAX_WEEKS).contains(weeks));
    valid.ok_or_else(|| ActionError::invalid("weeks", format!("{weeks} is not 1 to 52")))
}

/// Audits what planning changed, if it changed anything.
fn record(
    tx: &mut Tx<'_>,
    snapshot: &TeamSnapshot,
    planned: &Plan,
    shifts: &Applied,
    why: &str,
) -> Result<()> {
    if shifts.removed.is_empty() && shifts.added.is_empty() {
        return Ok(());
    }
    tx.record(EntityType::RotationConfig, Action::RotationGenerated)
        .about_team(snapshot.team.id)
        .changes(json!({"auto_schedules": {"old": shifts.removed, "new": shifts.added}}))
        .metadata("trigger", why)
        .metadata("published_until", json!(planned.published_until))
        .write()
}

/// The auto shifts that stand once the plan is applied, from the running period to the last
/// one that begins before `until`.
fn view(
    tx: &impl Reader,
    snapshot: &TeamSnapshot,
    planned: &Plan,
    until: NaiveDate,
) -> Result<PlanView> {
    let first = first_shown_day(&snapshot.team.rotation, snapshot.start_date, snapshot.today);
    let mut items = Vec::new();
    for (row, end) in kept(snapshot, planned) {
        if row.origin == Origin::Auto && end >= first && row.start_date < until {
            let explanation = store::schedules::find_explanation(tx, row.id)?;
            let dates = (row.start_date, end);
            let who = row.engineer.as_str();
            items.push(ShiftView::new(
                who,
                dates,
                &snapshot.clock,
                explanation.as_ref(),
            ));
        }
    }
    let wanted = |shift: &&Shift| shift.explanation.period_start < until;
    items.extend(planned.shifts.iter().filter(wanted).map(|shift| {
        let why = &shift.explanation;
        ShiftView::new(
            why.picked.as_str(),
            (shift.start, shift.end),
            &snapshot.clock,
            Some(why),
        )
    }));
    items.sort_by_key(|item| item.start_date);
    for (item, number) in items.iter_mut().zip(1..) {
        item.week_number = number;
    }
    Ok(PlanView { items })
}

/// The rows that a plan leaves in place, each with its last day then.
fn kept<'a>(
    snapshot: &'a TeamSnapshot,
    planned: &'a Plan,
) -> impl Iterator<Item = (&'a Schedule, NaiveDate)> {
    snapshot.schedules.iter().filter_map(|row| {
        let replaced = planned.deleted.contains(&row.id)
            || planned.shifts.iter().any(|shift| shift.id == Some(row.id));
        let cut = planned.cut.iter().find(|(id, _)| *id == row.id);
        let end = cut.map_or(row.end_date, |(_, end)| *end);
        (!replaced).then_some((row, end))
    })
}
