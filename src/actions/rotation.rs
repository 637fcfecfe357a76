//! Preview and generate; and the planning anew that other changes bring about.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::app::{App, Tx};
use super::context::Ctx;
use super::error::{ActionError, Result};
use super::find;
use super::schedules::Before;
use super::team_state::Loaded;
use crate::domain::Revision;
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::ScheduleId;
use crate::domain::json::Json;
use crate::domain::notification::Event;
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::team::Team;
use crate::domain::token::Role;
use crate::rotation::plan::{
    OnFailure, Plan, PlanOptions, Published, Shift, first_shown_day, horizon, keeping, lookahead,
    plan,
};
use crate::rotation::strategy::built_in;
use crate::store::outbox::Message;
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
        let loaded = Loaded::new(tx, &team, now)?;
        let until = horizon_of(&loaded, weeks);
        let published = Published::Replanned;
        let planned = plan_team(&loaded, settings.on_failure, published, until, false);
        view(tx, &loaded, &planned, until)
    })
}

/// Plans the future auto shifts anew and writes them.
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
        let loaded = Loaded::new(tx.store, &team, tx.now)?;
        let before = Before::of(tx, &team, loaded.today)?;
        let planned = write_plan(tx, &loaded, weeks, "on request")?;
        before.tell(tx, &team, None)?;
        view(tx.store, &loaded, &planned, horizon_of(&loaded, weeks))
    })
}

/// Plans the future anew after a change of who could be picked, and tells whom it puts on
/// call at once.
pub(super) fn replan_and_tell(tx: &mut Tx<'_>, team: &Team, why: &str) -> Result<()> {
    let before = Before::of(tx, team, team.clock().day_at(tx.now))?;
    replan(tx, team, why)?;
    before.tell(tx, team, Some(why))
}

/// Plans the future anew; whoever calls tells of it.
pub(super) fn replan(tx: &mut Tx<'_>, team: &Team, why: &str) -> Result<()> {
    if !team.rotates() {
        return Ok(());
    }
    let loaded = Loaded::new(tx.store, team, tx.now)?;
    write_plan(tx, &loaded, 0, why).map(drop)
}

/// Fills days of the running period that a change has left to nobody; what is published
/// stands.
pub(super) fn fill(tx: &mut Tx<'_>, team: &Team, why: &str) -> Result<()> {
    if !team.rotates() {
        return Ok(());
    }
    let loaded = Loaded::new(tx.store, team, tx.now)?;
    let stands = Published::StandsUntil(loaded.state.published_until.unwrap_or(loaded.today));
    let until = lookahead_of(tx, &loaded);
    let planned = plan_team(&loaded, tx.settings.on_failure, stands, until, false);
    let shifts = apply(tx, &loaded, &planned)?;
    record(tx, &loaded, &planned, &shifts, why)?;
    advance(tx, &loaded, &planned, loaded.state.handled)
}

/// Brings the rotation in line with a config that has just changed: plans the future anew,
/// or drops it where the team no longer rotates. A handoff that lay before the change is
/// not a missed one.
pub(super) fn reset(tx: &mut Tx<'_>, team: &Team) -> Result<()> {
    let loaded = Loaded::new(tx.store, team, tx.now)?;
    let running = loaded.periods().at(loaded.today);
    if !team.rotates() {
        let boundary = loaded.periods().after(loaded.today).start;
        let future = |row: &&Schedule| row.origin == Origin::Auto && row.start_date >= boundary;
        let deleted = loaded
            .schedules
            .iter()
            .filter(future)
            .map(|row| row.id)
            .collect();
        let dropped = Plan {
            deleted,
            ..Plan::default()
        };
        let shifts = apply(tx, &loaded, &dropped)?;
        record(tx, &loaded, &dropped, &shifts, "the rotation is off")?;
        return Ok(store::rotation::put_state(
            tx.store,
            team.id,
            &RotationState::default(),
        )?);
    }
    // A period that by the new config has yet to begin is still to be handed off.
    let handled = loaded.state.handled.filter(|day| *day <= loaded.today);
    let handled = handled.max(running.map(|period| period.start));
    let state = RotationState {
        handled,
        ..loaded.state.clone()
    };
    let loaded = Loaded { state, ..loaded };
    write_plan(tx, &loaded, 0, "the rotation was configured").map(drop)
}

/// Plans anew as far as asked for, as the lookahead wants, and as was published; writes it.
fn write_plan(tx: &mut Tx<'_>, loaded: &Loaded<'_>, weeks: u32, why: &str) -> Result<Plan> {
    let until = horizon_of(loaded, weeks).max(lookahead_of(tx, loaded));
    // No request publishes further than a year; a config that did is no reason to go on.
    let published_until = loaded.state.published_until;
    let until = keeping(until, published_until).min(until.max(horizon_of(loaded, MAX_WEEKS)));
    let planned = plan_team(
        loaded,
        tx.settings.on_failure,
        Published::Replanned,
        until,
        false,
    );
    let shifts = apply(tx, loaded, &planned)?;
    record(tx, loaded, &planned, &shifts, why)?;
    record_failures(tx, loaded, &planned)?;
    advance(tx, loaded, &planned, loaded.state.handled)?;
    Ok(planned)
}

/// The day up to which auto shifts are kept published.
pub(super) fn lookahead_of(tx: &Tx<'_>, loaded: &Loaded<'_>) -> NaiveDate {
    let weeks = tx.settings.lookahead_weeks;
    lookahead(
        &loaded.team.rotation,
        loaded.start_date,
        loaded.today,
        weeks,
    )
}

fn horizon_of(loaded: &Loaded<'_>, weeks: u32) -> NaiveDate {
    horizon(
        &loaded.team.rotation,
        loaded.start_date,
        loaded.today,
        weeks,
    )
}

pub(super) fn plan_team(
    loaded: &Loaded<'_>,
    on_failure: OnFailure,
    published: Published,
    horizon: NaiveDate,
    hold_if_nobody: bool,
) -> Plan {
    let kind = &loaded.team.rotation.kind;
    let strategy = built_in(kind).ok_or_else(|| format!("{kind} is not loaded"));
    let options = PlanOptions {
        strategy,
        on_failure,
        published,
        horizon,
        hold_if_nobody,
    };
    plan(&loaded.engine_view(), &options)
}

fn weeks_of(request: &PlanRequest) -> Result<u32> {
    let weeks = request.weeks.unwrap_or(4);
    let valid = u32::try_from(weeks)
        .ok()
        .filter(|weeks| (1..=MAX_WEEKS).contains(weeks));
    valid.ok_or_else(|| ActionError::invalid("weeks", format!("{weeks} is not 1 to 52")))
}

/// A shift in an audit entry.
pub(super) type ShiftNote = Value;

/// What a plan took away and added, for the audit log.
#[derive(Default)]
pub(super) struct Applied {
    pub removed: Vec<ShiftNote>,
    pub added: Vec<ShiftNote>,
}

fn note(engineer: &str, start: NaiveDate, end: NaiveDate) -> ShiftNote {
    json!({"engineer_slack_id": engineer, "start_date": start, "end_date": end})
}

/// Writes a plan: rows, explanations, shares of begun periods.
pub(super) fn apply(tx: &Tx<'_>, loaded: &Loaded<'_>, planned: &Plan) -> Result<Applied> {
    let mut applied = Applied::default();
    let find = |id: ScheduleId| loaded.schedules.iter().find(|row| row.id == id);
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
        let row = new_row(tx, loaded.team, shift);
        store::schedules::put(tx.store, &row)?;
        store::schedules::put_explanation(tx.store, row.id, &shift.explanation)?;
        applied
            .added
            .push(note(row.engineer.as_str(), row.start_date, row.end_date));
    }
    for shares in &planned.begun {
        store::rotation::put_shares(tx.store, loaded.team.id, shares)?;
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

/// Audits what planning changed, if it changed anything.
fn record(
    tx: &mut Tx<'_>,
    loaded: &Loaded<'_>,
    planned: &Plan,
    shifts: &Applied,
    why: &str,
) -> Result<()> {
    if shifts.removed.is_empty() && shifts.added.is_empty() {
        return Ok(());
    }
    let mut event = tx
        .ctx
        .event(EntityType::RotationConfig, Action::RotationGenerated);
    event.team_id = Some(loaded.team.id);
    event.entity_id = Some(loaded.team.id.to_string());
    event.changes = Json(json!({"auto_schedules": {"old": shifts.removed, "new": shifts.added}}));
    if let Some(metadata) = event.metadata.0.as_object_mut() {
        metadata.insert("trigger".to_owned(), why.into());
        metadata.insert("published_until".to_owned(), json!(planned.published_until));
    }
    tx.audit(event)
}

/// Audits and tells of a strategy that failed: once for all periods of a plan.
pub(super) fn record_failures(tx: &mut Tx<'_>, loaded: &Loaded<'_>, planned: &Plan) -> Result<()> {
    let Some((period, error)) = planned.failures.first() else {
        return Ok(());
    };
    let mut event = Ctx::system().event(EntityType::RotationConfig, Action::RotationFailed);
    event.team_id = Some(loaded.team.id);
    event.entity_id = Some(loaded.team.id.to_string());
    event.change_reason = Some(error.clone());
    event.effective_date = Some(period.start);
    if let Some(metadata) = event.metadata.0.as_object_mut() {
        metadata.insert("periods".to_owned(), planned.failures.len().into());
    }
    tx.audit(event)?;
    let payload = json!({"error": error, "effective_date": period.start});
    tell_leads(tx, loaded.team, Event::RotationFailed, &payload)
}

/// Tells the team's leads and its channel.
pub(super) fn tell_leads(
    tx: &mut Tx<'_>,
    team: &Team,
    event: Event,
    payload: &Value,
) -> Result<()> {
    let members = store::teams::list_members(tx.store, team.id)?;
    let is_lead =
        |m: &&crate::domain::member::Membership| m.role == crate::domain::member::TeamRole::Lead;
    let leads = members.iter().filter(is_lead).map(|m| m.user.to_string());
    for recipient in team.slack_channel_id.iter().cloned().chain(leads) {
        tell(tx, team, event, recipient, payload)?;
    }
    Ok(())
}

/// Tells one recipient; the payload is completed by what every text about a team needs.
pub(super) fn tell(
    tx: &mut Tx<'_>,
    team: &Team,
    event: Event,
    recipient: String,
    payload: &Value,
) -> Result<()> {
    let mut payload = payload.clone();
    payload["team"] = json!({
        "id": team.id, "name": team.name, "slug": team.slug, "timezone": team.timezone,
    });
    let payload = Json(payload);
    tx.notify(&Message {
        event,
        recipient,
        team_id: Some(team.id),
        payload,
    })
}

/// Notes how far planning has come, and the instants of the handoffs to come after the
/// period that begins on `handled`.
pub(super) fn advance(
    tx: &Tx<'_>,
    loaded: &Loaded<'_>,
    planned: &Plan,
    handled: Option<NaiveDate>,
) -> Result<()> {
    let periods = loaded.periods();
    let next = handled.map_or_else(|| periods.get(0), |day| periods.after(day));
    let published_until = planned.published_until.max(loaded.state.published_until);
    let state = RotationState {
        handled,
        next_period: Some(next.start),
        upcoming: upcoming(loaded, next.start, published_until),
        published_until,
    };
    Ok(store::rotation::put_state(
        tx.store,
        loaded.team.id,
        &state,
    )?)
}

/// The first instants of the periods from `next` to the last published one.
pub(super) fn upcoming(
    loaded: &Loaded<'_>,
    next: NaiveDate,
    published_until: Option<NaiveDate>,
) -> Vec<chrono::DateTime<chrono::Utc>> {
    let periods = loaded.periods();
    let first = periods.at(next).unwrap_or_else(|| periods.get(0));
    let all = (first.index..).map(|index| periods.get(index).start);
    let wanted = all.take_while(|start| {
        *start == first.start || published_until.is_some_and(|until| *start <= until)
    });
    wanted.map(|start| loaded.clock.starts_at(start)).collect()
}

/// The auto shifts that stand once the plan is applied, from the running period to the last
/// one that begins before `until`.
fn view(
    tx: &impl Reader,
    loaded: &Loaded<'_>,
    planned: &Plan,
    until: NaiveDate,
) -> Result<PlanView> {
    let first = first_shown_day(&loaded.team.rotation, loaded.start_date, loaded.today);
    let mut items = Vec::new();
    for row in &loaded.schedules {
        let replaced = planned.deleted.contains(&row.id)
            || planned.shifts.iter().any(|shift| shift.id == Some(row.id));
        let cut = planned.cut.iter().find(|(id, _)| *id == row.id);
        let end = cut.map_or(row.end_date, |(_, end)| *end);
        if row.origin == Origin::Auto && !replaced && end >= first && row.start_date < until {
            let explanation = store::schedules::find_explanation(tx, row.id)?;
            let dates = (row.start_date, end);
            let who = row.engineer.as_str();
            items.push(ShiftView::new(
                who,
                dates,
                &loaded.clock,
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
            &loaded.clock,
            Some(why),
        )
    }));
    items.sort_by_key(|item| item.start_date);
    for (item, number) in items.iter_mut().zip(1..) {
        item.week_number = number;
    }
    Ok(PlanView { items })
}
