//! Whom the Slack groups of who is on call should hold.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::app::App;
use super::error::Result;
use super::oncall::around;
use crate::domain::ids::UserId;
use crate::store;

/// A Slack group that is to hold whoever is on call for its teams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnCallGroup {
    /// Who is on call now for any of the teams.
    pub users: BTreeSet<UserId>,
    /// The slugs of the teams that name it.
    pub teams: Vec<String>,
    /// The next instant at which somebody else may be on call without any change of rows.
    pub until: DateTime<Utc>,
}

/// All of them, by group id.
///
/// # Errors
/// The store failed.
pub fn list(app: &App) -> Result<BTreeMap<String, OnCallGroup>> {
    let now = app.now();
    app.read(|tx| {
        let mut groups: BTreeMap<String, OnCallGroup> = BTreeMap::new();
        for team in store::teams::list(tx)? {
            let Some(id) = team
                .slack_oncall_group_id
                .as_ref()
                .filter(|_| team.is_active)
            else {
                continue;
            };
            let clock = team.clock();
            let today = clock.day_at(now);
            let (on_call, next) = around(tx, &team, today)?;
            let until = match (&on_call, &next) {
                (Some(stretch), _) => clock.ends_at(stretch.end),
                (None, Some(next)) => clock.starts_at(next.start),
                (None, None) => clock.ends_at(today),
            };
            let group = groups.entry(id.clone()).or_insert_with(|| OnCallGroup {
                until,
                ..OnCallGroup::default()
            });
            group.until = group.until.min(until);
            group.users.extend(on_call.map(|stretch| stretch.user));
            group.teams.push(team.slug);
        }
        Ok(groups)
    })
}
