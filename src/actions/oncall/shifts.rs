//! One person's time on call, over all teams, and what follows for what they may do.

use crate::actions::oncall::{coverage_of, on_call};
use crate::actions::people::{find, roster};
use crate::app::{App, Result};
use crate::domain::ids::UserId;
use crate::domain::oncall_day::add_days;
use crate::domain::token::Role;
use crate::store;
use crate::wire::oncall::{Moment, OnCall};

/// The stretches in which a person is on call for an active team within the next `days`, as
/// things stand, the running ones too, by start.
pub fn upcoming(app: &App, user: &UserId, days: i64) -> Result<Vec<OnCall>> {
    let now = app.now();
    app.read(|tx| {
        let (from, to) = (now.date_naive(), add_days(now.date_naive(), days));
        // A team's on-call day may still be yesterday's date, or be tomorrow's already.
        let (first, last) = (add_days(from, -1), add_days(to, 1));
        let rows = store::schedules::list_of_user(tx, user, first, last)?;
        let overrides = store::overrides::list_of_user(tx, user, first, last)?;
        let mut teams: Vec<_> = rows.iter().map(|row| row.team_id).collect();
        teams.extend(overrides.iter().map(|row| row.team_id));
        teams.sort_unstable();
        teams.dedup();
        let mut shifts = Vec::new();
        for id in teams {
            let team = find::team_by_id(tx, id)?;
            if !team.is_active {
                continue;
            }
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
