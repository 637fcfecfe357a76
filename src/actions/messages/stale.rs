//! Which notifications have become untrue or useless before they could be sent: after hours
//! without Slack, people want to know about the present, not a flood about the past.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::Value;

use crate::actions::oncall::{gaps_within, who};
use crate::app::Result;
use crate::domain::ids::TeamId;
use crate::domain::notification::{Event, Notification};
use crate::domain::shift_override::OverrideStatus;
use crate::store::{self, Reader};

/// Whatever it tells, after this long it is no news.
const OLD: TimeDelta = TimeDelta::days(7);

/// Why a notification is not to be sent any more; none where it still is.
pub(crate) fn why(
    tx: &impl Reader,
    row: &Notification,
    now: DateTime<Utc>,
) -> Result<Option<String>> {
    let passed = |field: &str| instant(&row.payload.0, field).is_some_and(|at| at <= now);
    let said = |text: &str| Ok(Some(text.to_owned()));
    if row.created_at + OLD <= now {
        return said("it is more than 7 days old");
    }
    match row.event {
        Event::Handoff | Event::ShiftStarted | Event::ShiftEnded if passed("ends_at") => {
            said("the shift it announces is over")
        }
        Event::HandoffMoved if passed("handoff_at") => said("the handoff is over"),
        Event::ShiftReminder if passed("starts_at") => said("the shift has begun"),
        Event::ShiftReminder if !is_still_theirs(tx, row)? => said("the shift is no longer theirs"),
        Event::CoverageGap if passed("ends_at") => said("the days are over"),
        Event::CoverageGap if !is_still_open(tx, row)? => said("the gap has been filled"),
        Event::OverrideRequested if passed("ends_at") => said("its days are over"),
        Event::OverrideRequested => undecided(tx, row),
        _ => Ok(None),
    }
}

fn instant(payload: &Value, field: &str) -> Option<DateTime<Utc>> {
    payload.get(field)?.as_str()?.parse().ok()
}

fn date(payload: &Value, field: &str) -> Option<NaiveDate> {
    payload.get(field)?.as_str()?.parse().ok()
}

fn is_still_theirs(tx: &impl Reader, row: &Notification) -> Result<bool> {
    let (Some(team), Some(start)) = (row.team_id, date(&row.payload.0, "start_date")) else {
        return Ok(true);
    };
    let Some(team) = store::teams::find(tx, team)? else {
        return Ok(false);
    };
    let on_call = who(tx, &team, start)?;
    Ok(team.is_active && on_call.is_some_and(|user| user.as_str() == row.recipient))
}

fn is_still_open(tx: &impl Reader, row: &Notification) -> Result<bool> {
    let days = (
        date(&row.payload.0, "start_date"),
        date(&row.payload.0, "end_date"),
    );
    let (Some(team), (Some(from), Some(to))) = (row.team_id, days) else {
        return Ok(true);
    };
    let Some(team) = find_active(tx, team)? else {
        return Ok(false);
    };
    Ok(!gaps_within(tx, &team, from, to)?.is_empty())
}

fn find_active(tx: &impl Reader, team: TeamId) -> Result<Option<crate::domain::team::Team>> {
    Ok(store::teams::find(tx, team)?.filter(|team| team.is_active))
}

fn undecided(tx: &impl Reader, row: &Notification) -> Result<Option<String>> {
    let Some(about) = row.override_id() else {
        return Ok(None);
    };
    let row = store::overrides::find(tx, about)?;
    Ok(match row.map(|row| row.status) {
        Some(OverrideStatus::Pending) => None,
        Some(status) => Some(format!("the override is already {status}")),
        None => Some("the override is gone".to_owned()),
    })
}
