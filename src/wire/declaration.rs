//! Teams, their members and services as a file declares them, and what came of applying it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::review::MovedDays;
use crate::domain::member::TeamRole;
use crate::domain::service::Tier;
use crate::domain::team::Interval;
use crate::domain::text_enum::text_enum;

/// Teams, their members and services as a file declares them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Declaration {
    /// Teams by slug.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub teams: BTreeMap<String, DeclaredTeam>,
    /// Services by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, DeclaredService>,
}

/// A team. Settings that are left out take their defaults; `rotation` and `members` that are left out
/// stay as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredTeam {
    /// 1–100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// What it does, at most 2000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// IANA zone of its on-call days; default `UTC`.
    #[serde(default = "utc")]
    pub timezone: String,
    /// Slack user group that holds its members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack_group_id: Option<String>,
    /// Slack user group that is set to whoever is on call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack_oncall_group_id: Option<String>,
    /// Slack channel for messages about its handoffs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack_channel_id: Option<String>,
    /// Whether overrides wait for approval; default: as in the daemon's config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides_require_approval: Option<bool>,
    /// How it rotates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<DeclaredRotation>,
    /// Its members by Slack user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<BTreeMap<String, DeclaredMember>>,
}

/// How a team rotates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeclaredRotation {
    /// Whether it rotates by itself; default false.
    pub enabled: bool,
    /// `round_robin` (default), `custom`, `weighted` or `plugin:<name>`.
    #[serde(rename = "type")]
    #[schema(pattern = "^(round_robin|custom|weighted|plugin:[a-z0-9_-]{1,64})$")]
    pub kind: String,
    /// Length of a period; default `weekly`.
    pub interval: Interval,
    /// The on-call day from which periods count. Left out, it stays as it is; a rotation that is
    /// switched on for the first time starts today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<NaiveDate>,
    /// The order of a custom rotation: Slack user ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    /// First day of weekly and biweekly periods; default: the start's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handoff_day: Option<Weekday>,
    /// Local time of handoffs, `HH:MM`; default `00:00`.
    pub handoff_time: String,
    /// Settings of a plugin strategy.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub plugin_config: Map<String, Value>,
}

impl Default for DeclaredRotation {
    fn default() -> Self {
        Self {
            enabled: false,
            kind: "round_robin".to_owned(),
            interval: Interval::Weekly,
            start_date: None,
            order: Vec::new(),
            handoff_day: None,
            handoff_time: "00:00".to_owned(),
            plugin_config: Map::new(),
        }
    }
}

/// A member of a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeclaredMember {
    /// What they may decide; default `member`.
    pub role: TeamRole,
    /// Whether the rotation may pick them; default true.
    pub eligible: bool,
    /// Their share of the shifts relative to the others': above 0, at most 1000; default 1.
    #[schema(exclusive_minimum = 0, maximum = 1000)]
    pub weight: f64,
    /// When they joined, which decides the place in a round-robin. Left out, it stays as it is; a new
    /// member joins now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<DateTime<Utc>>,
}

impl Default for DeclaredMember {
    fn default() -> Self {
        Self {
            role: TeamRole::Member,
            eligible: true,
            weight: 1.0,
            joined_at: None,
        }
    }
}

/// A service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredService {
    /// Slug of the team that is on call for it.
    pub team: String,
    /// How much depends on it; default `standard`.
    #[serde(default = "standard")]
    pub tier: Tier,
    /// Such as `production`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// An http or https address, or an ssh one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_url: Option<String>,
    /// Slack user id of whoever answers for it outside incidents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What it is built with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tech_stack: Vec<String>,
    /// Free-form: runbook, dashboard…
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
}

text_enum! {
    /// A day of the week.
    Weekday {
        /// 0 in the API.
        Monday = "monday",
        /// 1 in the API.
        Tuesday = "tuesday",
        /// 2 in the API.
        Wednesday = "wednesday",
        /// 3 in the API.
        Thursday = "thursday",
        /// 4 in the API.
        Friday = "friday",
        /// 5 in the API.
        Saturday = "saturday",
        /// 6 in the API.
        Sunday = "sunday",
    }
}

fn utc() -> String {
    "UTC".to_owned()
}

const fn standard() -> Tier {
    Tier::Standard
}

/// A declaration that is to be applied.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApplyInput {
    /// What is to be there.
    pub declaration: Declaration,
    /// Whether teams, services and, where a team declares its members, members that are not declared are
    /// removed. Otherwise they stay.
    pub prune: bool,
    /// Whether to show what would be done, and do nothing.
    pub dry_run: bool,
    /// The `basis` of a plan: anything in it that has changed since is a conflict, and nothing is done.
    pub basis: Option<BTreeMap<String, u64>>,
}

/// What applying a declaration did, or would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Applied)]
pub struct ApplyView {
    /// Whether it was done; false for a dry run.
    pub applied: bool,
    /// What is added, changed and removed.
    pub changes: Vec<DeclaredChange>,
    /// What is there, is not declared, and stays.
    pub undeclared: Vec<String>,
    /// Whose on-call days move, by team, as far as shifts are published.
    pub moves: Vec<TeamMoves>,
    /// The version of everything the plan is based on, as it was before; 0 for what wasn't there.
    pub basis: BTreeMap<String, u64>,
}

text_enum! {
    /// What is done to something that is declared.
    ChangeKind {
        /// It is new.
        Create = "create",
        /// It was deleted, and is there again.
        Restore = "restore",
        /// It is there and becomes another.
        Update = "update",
        /// It is removed; a team or service can be restored.
        Remove = "remove",
    }
}

/// One thing that is added, changed or removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeclaredChange {
    /// What is done.
    pub action: ChangeKind,
    /// Where the declaration has it: `teams.payments`, `teams.payments.members.U1`, `services.checkout`.
    pub path: String,
    /// What becomes of its settings, by their names; of those that come or go: their values.
    pub fields: BTreeMap<String, FieldChange>,
}

/// What becomes of a setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// Its value before; null where it has none.
    pub old: Value,
    /// Its value after.
    pub new: Value,
}

/// Days of a team that come to somebody else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TeamMoves {
    /// The team's slug.
    pub team: String,
    /// The days, by start.
    pub days: Vec<MovedDays>,
}
