//! A team's days, layer by layer: what calendars, timelines and requests for cover show.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::actions::people::{find, roster};
use crate::app::{App, Result};
use crate::domain::invalid::Invalid;
use crate::domain::oncall_day::END_OF_TIME;
use crate::domain::schedule::Schedule;
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::domain::team::Team;
use crate::rotation::coverage::Coverage;
use crate::store::{self, Reader};
use crate::wire::layers::Layers;
use crate::wire::overview::StretchView;
use crate::wire::schedule::ScheduleView;
use crate::wire::shift_override::OverrideView;
use crate::wire::time_off::TimeOffView;

/// The days of a team, deleted or not, from `first` to `last`.
///
/// # Errors
/// The team is not there; the range is invalid.
pub fn layers(app: &App, team: &str, first: NaiveDate, last: NaiveDate) -> Result<Layers> {
    let mut invalid = Invalid::default();
    invalid.check_range(first, last);
    invalid.into_result(())?;
    app.read(|tx| {
        let team = find::team(tx, team)?;
        let clock = team.clock();
        let schedules = store::schedules::list_of_team(tx, team.id, first, END_OF_TIME)?;
        let mut overrides = store::overrides::list_of_team(tx, team.id, first, END_OF_TIME)?;
        overrides.retain(|row| row.status.holds_days());
        let coverage = Coverage::new(&schedules, &overrides);
        let stretches = coverage.stretches(first, last);
        let gaps = match expected(tx, &team, &schedules, &overrides)? {
            Some((from, to)) if from.max(first) <= to.min(last) => {
                coverage.gaps(from.max(first), to.min(last))
            }
            _ => Vec::new(),
        };
        let (members, _) = roster::members_of(tx, app.settings(), &team)?;
        let mut time_off = BTreeMap::new();
        for member in members {
            let mut rows = store::time_off::list_of(tx, &member.user, first)?;
            rows.retain(|row| row.start_date <= last);
            rows.sort_by_key(|row| (row.start_date, row.id));
            if !rows.is_empty() {
                let views = rows.iter().map(TimeOffView::from).collect();
                time_off.insert(member.user.to_string(), views);
            }
        }
        let mut schedules: Vec<_> = schedules
            .iter()
            .filter(|row| row.start_date <= last)
            .map(|row| ScheduleView::new(row, &clock, None))
            .collect();
        schedules.sort_by_key(|row| (row.start_date, row.origin, row.id));
        let mut overrides: Vec<_> = overrides
            .iter()
            .filter(|row| row.start_date <= last)
            .map(|row| OverrideView::new(row, &clock))
            .collect();
        overrides.sort_by_key(|row| (row.start_date, row.id));
        Ok(Layers {
            first,
            last,
            stretches: stretches.iter().map(StretchView::from).collect(),
            gaps,
            schedules,
            overrides,
            time_off,
        })
    })
}

/// The days on which somebody is expected to be on call: from the first that any row covers to the
/// last that is published. Given are the rows from the asked-for days on.
fn expected(
    tx: &impl Reader,
    team: &Team,
    schedules: &[Schedule],
    overrides: &[Override],
) -> Result<Option<(NaiveDate, NaiveDate)>> {
    let Some(first) = store::schedules::first_day(tx, team.id)? else {
        return Ok(None);
    };
    let state = store::rotation::state(tx, team.id)?;
    let published = state.published_until.filter(|_| team.rotates());
    let approved = overrides
        .iter()
        .filter(|row| row.status == OverrideStatus::Approved);
    let rows = schedules.iter().map(|row| row.end_date);
    let last = rows
        .chain(approved.map(|row| row.end_date))
        .chain(published)
        .max();
    Ok(last.map(|last| (first, last)))
}
