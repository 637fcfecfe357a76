//! What is told of an override, and to whom.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::actions::messages::announce::{To, tell, tell_asked, tell_leads, with_team};
use crate::actions::overrides::query::load;
use crate::actions::people::find;
use crate::app::{App, Result, Tx};
use crate::domain::ids::UserId;
use crate::domain::notification::Event;
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::domain::team::Team;
use crate::rotation::coverage::Coverage;
use crate::store::{self, Reader};

/// An override as it is told of: the payload of its notifications as it stands now.
///
/// # Errors
/// Team or override are not there.
pub fn describe(app: &App, team: &str, id: &str) -> Result<Value> {
    app.read(|tx| {
        let team = find::team(tx, team)?;
        let row = load(tx, &team, id)?;
        Ok(with_team(&team, payload(tx, &team, &row, None)?))
    })
}

/// Asks channel and leads to decide.
pub(crate) fn tell_requested(tx: &mut Tx<'_>, team: &Team, row: &Override) -> Result<()> {
    let payload = payload(tx.store, team, row, None)?;
    tell_leads(tx, team, Event::OverrideRequested, &payload)
}

/// Tells requester and substitute, once where they are the same; and whoever was asked to decide,
/// for the message that asked them to be updated.
pub(crate) fn tell_decided(
    tx: &mut Tx<'_>,
    team: &Team,
    row: &Override,
    was: Option<OverrideStatus>,
) -> Result<()> {
    let mut payload = payload(tx.store, team, row, was)?;
    let requester = row.requested_by.as_ref();
    let requester = requester.filter(|user| **user != row.substitute);
    for user in requester.into_iter().chain([&row.substitute]) {
        tell(tx, team, Event::OverrideDecided, To::Person(user), &payload);
    }
    payload["updates_request"] = true.into();
    tell_asked(tx, team, Event::OverrideDecided, row.id, &payload)
}

/// `was` is where it stood before; none for one that has just been made.
fn payload(
    tx: &impl Reader,
    team: &Team,
    row: &Override,
    was: Option<OverrideStatus>,
) -> Result<Value> {
    let clock = team.clock();
    let replaced = scheduled(tx, team, row.start_date)?;
    Ok(json!({
        "override_id": row.id,
        "version": row.revision.version,
        "substitute_slack_id": row.substitute,
        "replaces_slack_id": replaced.filter(|user| *user != row.substitute),
        "requested_by": row.requested_by,
        "approved_by": row.approved_by,
        "decision_reason": row.decision_reason,
        "status": row.status,
        "previous_status": was,
        "reason": row.reason,
        "start_date": row.start_date,
        "end_date": row.end_date,
        "starts_at": clock.starts_at(row.start_date),
        "ends_at": clock.ends_at(row.end_date),
    }))
}

/// Who is on call on `day` but for overrides.
fn scheduled(tx: &impl Reader, team: &Team, day: NaiveDate) -> Result<Option<UserId>> {
    let rows = store::schedules::list_of_team(tx, team.id, day, day)?;
    let coverage = Coverage::new(&rows, []);
    Ok(coverage.row_on(day).map(|row| row.user.clone()))
}
