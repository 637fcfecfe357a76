//! The parts of the config that actions go by.

use std::sync::Arc;

use super::plugins::{NoPlugins, Plugins};
use crate::domain::ids::UserId;
use crate::domain::notification::Event;
use crate::domain::team::Team;
use crate::rotation::plan::OnFailure;

/// The parts of the config that actions go by, and what it makes available to them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Weeks that auto schedules are kept ahead.
    pub lookahead_weeks: u32,
    /// What to do where a strategy fails.
    pub on_failure: OnFailure,
    /// Whether overrides wait for a lead, unless the team says otherwise.
    pub require_approval: bool,
    /// Whether Slack is configured, so that the Slack groups of teams are their member lists.
    pub members_from_slack: bool,
    /// Who is told of what goes wrong in oncalld itself.
    pub admins: Vec<UserId>,
    /// Where notifications go.
    pub sinks: Vec<Route>,
    /// Hours before a shift at which its engineer is reminded; 0 for no reminders.
    pub reminder_hours: u32,
    /// Days after which a token expires, unless it's told otherwise.
    pub token_days: u32,
    /// The plugins.
    pub plugins: Arc<dyn Plugins>,
}

/// A way for notifications out of the house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Name of the sink: `slack`, `webhook:<endpoint>`, `plugin:<name>`.
    pub sink: String,
    /// What goes this way; where there is no list, everything but checkpoints of the audit log, which
    /// are asked for by name.
    pub events: Option<Vec<Event>>,
}

impl Route {
    /// Everything, through a sink.
    pub fn all_to(sink: impl Into<String>) -> Self {
        let sink = sink.into();
        Self { sink, events: None }
    }

    /// Whether an event goes this way.
    pub fn takes(&self, event: Event) -> bool {
        match &self.events {
            Some(events) => events.contains(&event),
            None => event != Event::AuditCheckpoint,
        }
    }

    /// Whether recipients are Slack's, so that who has no channel there can't be told.
    pub fn is_slack(&self) -> bool {
        self.sink == "slack"
    }
}

impl Settings {
    /// Whether a change of who is on call in a team takes a lead's consent.
    pub fn requires_approval(&self, team: &Team) -> bool {
        team.overrides_require_approval
            .unwrap_or(self.require_approval)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lookahead_weeks: 4,
            on_failure: OnFailure::RoundRobin,
            require_approval: false,
            members_from_slack: false,
            admins: Vec::new(),
            sinks: vec![Route::all_to("slack")],
            reminder_hours: 24,
            token_days: 365,
            plugins: Arc::new(NoPlugins),
        }
    }
}
