//! One person's time on call, over all teams, and what follows for what they may do.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::actions::oncall::{coverage_of, on_call};
use crate::actions::people::{find, roster};
use crate::app::{App, Result};
use crate::domain::ids::UserId;
use crate::domain::oncall_day::add_days;
use crate::domain::team::Team;
use crate::domain::token::Role;
use crate::store::{self, Reader};
use crate::wire::oncall::{Moment, OnCall};

/// The stretches in which a person is on call for an active team within the next `days`, as
/// things stand, the running ones too, by start.
pub fn upcoming(app: &App, user: &UserId, days: i64) -> Result<Vec<OnCall>> {
    let now = app.now();
    app.read(|tx| {
        let (from, to) = (now.date_naive(), add_days(now.date_naive(), days));
        // A team's on-call day may still be yesterday's date, or be tomorrow's already.
        let (first, last) = (add_days(from, -1), add_days(to, 1));
        let mut shifts = Vec::new();
        for team in active_teams(tx, user, first, last)? {
            let today = team.clock().day_at(now);
            let until = add_days(today, days);
            for stretch in coverage_of(tx, &team, today, until)?.stretches(today, until) {
                if stretch.user == *user {
                    let date = Some(stretch.start);
                    let moment = Moment { at: None, date };
                    shifts.push(on_call(tx, &team, None, &moment, now)?);
                }
            }
        }
        shifts.sort_by_key(|shift| (shift.starts_at, shift.team_id));
        Ok(shifts)
    })
}

/// The active teams for which a person may be on call between two dates, by a row or an override.
pub(super) fn active_teams(
    tx: &impl Reader,
    user: &UserId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Team>> {
    let rows = store::schedules::list_of_user(tx, user, from, to)?;
    let overrides = store::overrides::list_of_user(tx, user, from, to)?;
    let ids: BTreeSet<_> = rows
        .iter()
        .map(|row| row.team_id)
        .chain(overrides.iter().map(|row| row.team_id))
        .collect();
    let mut teams = Vec::new();
    for id in ids {
        teams.push(find::team_by_id(tx, id)?);
    }
    teams.retain(|team| team.is_active);
    Ok(teams)
}

/// The role of a person whom Slack vouches for: an editor where they belong to a team or lead
/// one, else a viewer. Who is an admin, the config says.
pub fn role_of(app: &App, user: &UserId) -> Result<Role> {
    app.read(|tx| {
        for id in roster::teams_of(tx, user)? {
            let team = find::team_by_id(tx, id)?;
            if team.is_active && roster::belongs(tx, app.settings(), &team, user)? {
                return Ok(Role::Editor);
            }
        }
        Ok(Role::Viewer)
    })
}
