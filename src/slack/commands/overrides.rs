//! Asking for an override by the slash command, and taking it back.

use chrono::NaiveDate;
use serde_json::json;

use super::parse::{Substitute, Wish};
use super::reply::{Reply, with_mentions};
use super::{Person, resolve};
use crate::actions::oncall;
use crate::actions::overrides::{self, news};
use crate::app::{ActionError, Result};
use crate::domain::human_date::{self, Days};
use crate::domain::notification::Event;
use crate::domain::shift_override::OverrideStatus;
use crate::wire::Paging;
use crate::wire::oncall::OnCallQuery;
use crate::wire::shift_override::{Decision, NewOverride, OverrideFilter, OverrideView};
use crate::wire::team::TeamView;
use crate::wording::CANCEL;
use crate::wording::blocks::{Button, Style};

impl Person<'_> {
    /// Puts a substitute on call, or asks the leads to.
    pub(super) fn ask_for_cover(&self, wish: &Wish) -> Result<Reply> {
        let app = &self.deps.app;
        let team = resolve::team(app, &wish.team)?;
        let Days { start, end, rest } = self.days(&team, &wish.days_and_reason)?;
        let substitute = match &wish.substitute {
            Substitute::Me => &self.user,
            Substitute::User(user) => user,
        };
        let input = NewOverride {
            substitute_slack_id: substitute.to_string(),
            start_date: start,
            end_date: Some(end),
            reason: Some(rest.to_owned()),
            requested_by: None,
        };
        let made = overrides::request(app, &self.ctx, &team.slug, &input)?;
        let waits = made.status == OverrideStatus::Pending;
        let (done, event) = if waits {
            let done = "Requested. A lead of the team or an admin decides, and you will be told.";
            (done, Event::OverrideRequested)
        } else {
            ("Done.", Event::OverrideDecided)
        };
        let id = made.id.to_string();
        let facts = news::describe(app, &team.slug, &id)?;
        let reply = Reply::of(done.to_owned()).and(self.in_passing(event, &facts));
        let warnings = made.warnings.iter().flatten();
        let reply = warnings.fold(reply, |reply, warning| {
            reply.and(format!("Note: {}.", with_mentions(warning)))
        });
        Ok(reply.with_button(Button {
            label: if waits { "Take it back" } else { "Cancel it" }.to_owned(),
            action_id: CANCEL,
            // Whatever has become of it by then: it's to be cancelled.
            value: json!({"team": team.id, "override": id}).to_string(),
            style: Style::Plain,
        }))
    }

    /// Takes the override back that there is on these days.
    pub(super) fn cancel(&self, team: &str, days: &str) -> Result<Reply> {
        let app = &self.deps.app;
        let team = resolve::team(app, team)?;
        let Days { start, end, .. } = self.days(&team, days)?;
        let filter = OverrideFilter {
            from: Some(start),
            to: Some(end),
            status: None,
        };
        let found = overrides::list(app, &team.slug, &filter, &Paging::default())?;
        let found: Vec<_> = found
            .items
            .iter()
            .filter(|row| row.status.holds_days())
            .collect();
        let row = match found.as_slice() {
            [row] => row,
            [] => return Err(none_to_cancel(&team, start, end)),
            several => return Err(which_to_cancel(several)),
        };
        let decision = Decision {
            status: OverrideStatus::Cancelled.to_string(),
            approved_by: None,
            reason: None,
            version: Some(row.version),
        };
        let id = row.id.to_string();
        overrides::decide(app, &self.ctx, &team.slug, &id, &decision)?;
        let facts = news::describe(app, &team.slug, &id)?;
        let told = self.in_passing(Event::OverrideDecided, &facts);
        Ok(Reply::of("Done.".to_owned()).and(told))
    }

    /// Days as they were typed, from the team's on-call day on.
    fn days<'t>(&self, team: &TeamView, typed: &'t str) -> Result<Days<'t>> {
        let query = OnCallQuery {
            team: Some(team.id.to_string()),
            ..OnCallQuery::default()
        };
        let today = oncall::answer(&self.deps.app, &query)?.date;
        human_date::take(typed, today).map_err(|error| ActionError::invalid("days", error))
    }
}

fn none_to_cancel(team: &TeamView, start: NaiveDate, end: NaiveDate) -> ActionError {
    let days = if start == end {
        format!("on {start}")
    } else {
        format!("from {start} to {end}")
    };
    ActionError::NotFound(format!(
        "team `{}` has no override {days} that could be cancelled",
        team.slug
    ))
}

fn which_to_cancel(several: &[&OverrideView]) -> ActionError {
    let days = several.iter().map(|row| format!("`{}`", row.start_date));
    ActionError::conflict(format!(
        "there are {} overrides on these days; type the first day of the one you mean: {}",
        several.len(),
        days.collect::<Vec<_>>().join(", ")
    ))
}
