//! Every team at a glance, and what needs a decision.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::Page;
use super::oncall::OnCall;
use super::shift_override::OverrideView;
use super::team::TeamView;
use crate::rotation::coverage::{Source, Stretch};

/// Every team at a glance.
#[derive(Clone, Debug)]
pub struct Overview {
    /// What needs a decision, in all teams; the most pressing first.
    pub attention: Vec<Attention>,
    /// The teams that were asked for.
    pub teams: Page<TeamOverview>,
    /// The handoff that comes next, of all active teams.
    pub next_handoff: Option<NextHandoff>,
    /// How many teams are active.
    pub active_teams: usize,
}

/// The handoff that comes next.
#[derive(Clone, Debug)]
pub struct NextHandoff {
    /// When.
    pub at: DateTime<Utc>,
    /// Name of the team.
    pub team_name: String,
    /// Its slug.
    pub team_slug: String,
    /// Its zone.
    pub timezone: String,
}

/// A team at a glance.
#[derive(Clone, Debug)]
pub struct TeamOverview {
    /// The team.
    pub team: TeamView,
    /// Who is on call now.
    pub on_call: OnCall,
    /// The instant of its next handoff, where it rotates.
    pub next_handoff_at: Option<DateTime<Utc>>,
    /// Names of its active services, the first five.
    pub services: Vec<String>,
    /// Who is on call over the days that were asked for.
    pub stretches: Vec<StretchView>,
    /// Runs of these days, within what is published, that nobody covers.
    pub gaps: Vec<(NaiveDate, NaiveDate)>,
}

/// A run of days with one person on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StretchView {
    /// Who.
    pub user: String,
    /// What puts them on call.
    pub source: Source,
    /// Id of the row.
    pub id: Uuid,
    /// First day.
    pub start_date: NaiveDate,
    /// Last day.
    pub end_date: NaiveDate,
}

impl From<&Stretch> for StretchView {
    fn from(stretch: &Stretch) -> Self {
        Self {
            user: stretch.user.to_string(),
            source: stretch.source,
            id: stretch.id,
            start_date: stretch.start,
            end_date: stretch.end,
        }
    }
}

/// Something that needs a decision.
#[derive(Clone, Debug)]
pub struct Attention {
    /// Name of the team.
    pub team_name: String,
    /// Its slug.
    pub team_slug: String,
    /// Its on-call day.
    pub today: NaiveDate,
    /// What it is.
    pub matter: Matter,
}

/// What needs a decision.
#[derive(Clone, Debug)]
pub enum Matter {
    /// A handoff that was due some time ago and has not been done.
    OverdueHandoff {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// Days that nobody covers.
    Gap {
        /// First day.
        start_date: NaiveDate,
        /// Last day.
        end_date: NaiveDate,
    },
    /// An override that waits for a lead.
    PendingOverride(Box<OverrideView>),
    /// A rotation plugin that is not in service.
    Plugin(String),
}
