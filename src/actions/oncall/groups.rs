//! Whom the Slack groups of who is on call should hold.

use std::collections::{BTreeMap, BTreeSet};

use crate::actions::oncall::who;
use crate::app::{App, Result};
use crate::domain::ids::UserId;
use crate::store;

/// A Slack group that is to hold whoever is on call for its teams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnCallGroup {
    /// Who is on call now for any of the teams.
    pub users: BTreeSet<UserId>,
    /// The slugs of the teams that name it.
    pub teams: Vec<String>,
}

/// All of them, by group id.
pub fn list(app: &App) -> Result<BTreeMap<String, OnCallGroup>> {
    let now = app.now();
    app.read(|tx| {
        let mut groups: BTreeMap<String, OnCallGroup> = BTreeMap::new();
        for team in store::teams::list(tx)? {
            if let Some(id) = team
                .slack_oncall_group_id
                .as_ref()
                .filter(|_| team.is_active)
            {
                let group = groups.entry(id.clone()).or_default();
                group
                    .users
                    .extend(who(tx, &team, team.clock().day_at(now))?);
                group.teams.push(team.slug);
            }
        }
        Ok(groups)
    })
}
