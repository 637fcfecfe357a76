//! Services, each owned by a team.

use serde::{Deserialize, Serialize};

use super::Revision;
use super::ids::{ServiceId, TeamId, UserId};
use super::json::Json;
use super::text_enum::text_enum;

/// Something that runs and that a team answers for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Unique among the active ones, whatever the case; 1–100 characters.
    pub name: String,
    /// The team that is on call for it.
    pub team_id: TeamId,
    /// Where its source is.
    pub repository_url: Option<String>,
    /// Such as `production`.
    pub environment: Option<String>,
    /// How much depends on it.
    pub tier: Tier,
    /// The person who answers for it outside incidents.
    pub owner: Option<UserId>,
    /// What it is built with.
    pub tech_stack: Vec<String>,
    /// Free-form object: runbook, dashboard…
    pub metadata: Json,
    /// False once deleted.
    pub is_active: bool,
    /// Its revision.
    pub revision: Revision,
}

impl Service {
    /// The name as the unique index sees it.
    pub fn name_key(name: &str) -> String {
        name.to_lowercase()
    }
}

text_enum! {
    /// How much depends on a service.
    Tier {
        /// The business stops without it.
        Critical = "critical",
        /// The default.
        Standard = "standard",
        /// It can wait.
        Low = "low",
    }
}
