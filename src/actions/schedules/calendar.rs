//! Calendar feeds (RFC 5545): a team's shifts, or a person's in all their teams.
//!
//! Events are timed and in UTC, so that no calendar needs to know a zone. An event's UID
//! comes from its team and first day, not from the person: a change of person is a new
//! version of the same event.

use chrono::{DateTime, Utc};
use icalendar::{Calendar, Component, Event, EventLike, Property};

use crate::actions::people::{find, names};
use crate::actions::rotation::snapshot::TeamSnapshot;
use crate::app::{App, Result};
use crate::domain::ids::UserId;
use crate::domain::oncall_day::END_OF_TIME;
use crate::domain::oncall_day::add_days;
use crate::domain::one_line::cleaned;
use crate::domain::shift_override::Override;
use crate::domain::team::Team;
use crate::rotation::coverage::{Source, Stretch};
use crate::store::{self, Reader};

/// Days of the past that a feed shows.
const PAST_DAYS: i64 = 92;
/// Days of the future that a feed shows.
const FUTURE_DAYS: i64 = 400;

/// A team's shifts, whoever has them.
///
/// # Errors
/// The team is not there.
pub fn of_team(app: &App, team: &str) -> Result<String> {
    app.read(|tx| {
        let team = find::active_team(tx, team)?;
        let mut calendar = calendar(&format!("On call: {}", cleaned(&team.name)));
        add_shifts(app, tx, &mut calendar, &team, None)?;
        Ok(calendar.done().to_string())
    })
}

/// A person's shifts in all teams.
///
/// # Errors
/// The user id is malformed.
pub fn of_user(app: &App, user: &str) -> Result<String> {
    let now = app.now();
    let user = find::user(user)?;
    app.read(|tx| {
        let today = now.date_naive();
        let (from, to) = (add_days(today, -PAST_DAYS), add_days(today, FUTURE_DAYS));
        let rows = store::schedules::list_of_user(tx, &user, from, to)?;
        let overrides = store::overrides::list_of_user(tx, &user, from, to)?;
        let teams: std::collections::BTreeSet<_> = rows
            .iter()
            .map(|r| r.team_id)
            .chain(overrides.iter().map(|r| r.team_id))
            .collect();
        let mut calendar = calendar(&format!("On call: {}", names::shown(tx, &user)?));
        for id in teams {
            let team = find::team_by_id(tx, id)?;
            if team.is_active {
                add_shifts(app, tx, &mut calendar, &team, Some(&user))?;
            }
        }
        Ok(calendar.done().to_string())
    })
}

fn calendar(name: &str) -> Calendar {
    let mut calendar = Calendar::empty();
    calendar
        .append_property(Property::new("VERSION", "2.0"))
        .append_property(Property::new("PRODID", "-//oncalld//on-call calendar//EN"))
        .append_property(Property::new("CALSCALE", "GREGORIAN"))
        .append_property(Property::new("REFRESH-INTERVAL;VALUE=DURATION", "PT1H"))
        .name(name);
    calendar
}

fn add_shifts(
    app: &App,
    tx: &impl Reader,
    calendar: &mut Calendar,
    team: &Team,
    only: Option<&UserId>,
) -> Result<()> {
    let now = app.now();
    let from = add_days(now.date_naive(), -PAST_DAYS);
    let (rows_from, counted_from) = (add_days(from, -31), END_OF_TIME);
    let settings = app.settings();
    let snapshot = TeamSnapshot::since(tx, settings, team, now, rows_from, counted_from)?;
    let all = store::overrides::list_of_team(tx, team.id, add_days(from, -31), END_OF_TIME)?;
    let until = add_days(snapshot.today, FUTURE_DAYS);
    let coverage = snapshot.coverage();
    // The oldest event begins where its stretch does: its UID comes from there.
    let from = coverage
        .stretch_on(from)
        .map_or(from, |stretch| stretch.start);
    for stretch in coverage.stretches(from, until) {
        if only.is_none_or(|user| *user == stretch.user) {
            let changed_at = changed_at(&snapshot, &all, &stretch);
            let name = names::shown(tx, &stretch.user)?;
            calendar.push(event(&snapshot, &stretch, &name, changed_at));
        }
    }
    Ok(())
}

/// When an event last changed: by its row, by an override that touches it and may have been
/// cancelled since, or by the team's handoff time or zone.
fn changed_at(snapshot: &TeamSnapshot, all: &[Override], stretch: &Stretch) -> DateTime<Utc> {
    let rows = snapshot
        .schedules
        .iter()
        .filter(|row| row.id.uuid() == stretch.id);
    let rows = rows.map(|row| row.revision.updated_at);
    let touches = |row: &&Override| row.start_date <= stretch.end && stretch.start <= row.end_date;
    let overrides = all
        .iter()
        .filter(touches)
        .map(|row| row.revision.updated_at);
    rows.chain(overrides)
        .max()
        .max(Some(snapshot.team.revision.updated_at))
        .unwrap_or_default()
}

fn event(
    snapshot: &TeamSnapshot,
    stretch: &Stretch,
    name: &str,
    changed_at: DateTime<Utc>,
) -> Event {
    let team = &snapshot.team;
    // Older names may hold line breaks, which would end the property.
    let (name, called) = (cleaned(name), cleaned(&team.name));
    let how = match stretch.source {
        Source::Override => "by override",
        Source::Manual => "by manual schedule",
        Source::Auto | Source::None => "by rotation",
    };
    // Rises with each change, and fits what calendars take for a number.
    let sequence = u32::try_from(changed_at.timestamp() / 60).unwrap_or(0);
    let stamp = changed_at.format("%Y%m%dT%H%M%SZ").to_string();
    Event::new()
        .uid(&format!("{}-{}@oncalld", team.id, stretch.start))
        .summary(&format!("On call: {name} ({called})"))
        .description(&format!("{name} is on call for {called} {how}."))
        .starts(snapshot.clock.starts_at(stretch.start))
        .ends(snapshot.clock.ends_at(stretch.end))
        .sequence(sequence)
        .append_property(Property::new("DTSTAMP", stamp))
        .append_property(Property::new(
            "LAST-MODIFIED",
            changed_at.format("%Y%m%dT%H%M%SZ").to_string(),
        ))
        .append_property(Property::new("TRANSP", "TRANSPARENT"))
        .done()
}
