//! Teams on the wire: the rotation config lies flat on the team.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::nullable;
use crate::domain::team::{Interval, Team};

/// A team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Team)]
pub struct TeamView {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its unique short name for paths.
    pub slug: String,
    /// What it does.
    pub description: Option<String>,
    /// Slack user group that holds its members.
    pub slack_group_id: Option<String>,
    /// Slack user group that is set to whoever is on call; teams may share one.
    pub slack_oncall_group_id: Option<String>,
    /// Slack channel for messages about its handoffs.
    pub slack_channel_id: Option<String>,
    /// IANA zone of its on-call days.
    pub timezone: String,
    /// Whether overrides wait for approval.
    pub overrides_require_approval: bool,
    /// False once deleted.
    pub is_active: bool,
    /// Whether it rotates by itself.
    pub rotation_enabled: bool,
    /// `round_robin`, `custom`, `weighted` or `plugin:<name>`.
    pub rotation_type: String,
    /// Length of a period.
    pub rotation_interval: Interval,
    /// The on-call day from which periods count.
    pub rotation_start_date: Option<NaiveDate>,
    /// The order of a custom rotation: Slack user ids.
    pub rotation_order: Vec<String>,
    /// First day of weekly and biweekly periods, 0 = Monday … 6 = Sunday.
    #[schema(minimum = 0, maximum = 6)]
    pub handoff_day: Option<u8>,
    /// Local time of handoffs, `HH:MM`.
    pub handoff_time: String,
    /// Settings of a plugin strategy.
    #[schema(value_type = Object)]
    pub plugin_config: Value,
    /// What keeps it from working as configured: a rotation plugin that is not in service.
    #[serde(default)]
    pub problems: Vec<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Increases by one with each change.
    pub version: u64,
}

impl TeamView {
    /// A team as it is configured; `require_approval` is the config's default.
    pub fn new(team: &Team, require_approval: bool) -> Self {
        let rotation = &team.rotation;
        Self {
            id: team.id.uuid(),
            name: team.name.clone(),
            slug: team.slug.clone(),
            description: team.description.clone(),
            slack_group_id: team.slack_group_id.clone(),
            slack_oncall_group_id: team.slack_oncall_group_id.clone(),
            slack_channel_id: team.slack_channel_id.clone(),
            timezone: team.timezone.clone(),
            overrides_require_approval: team.overrides_require_approval.unwrap_or(require_approval),
            is_active: team.is_active,
            rotation_enabled: rotation.enabled,
            rotation_type: rotation.kind.to_string(),
            rotation_interval: rotation.interval,
            rotation_start_date: rotation.start_date,
            rotation_order: rotation.order.iter().map(ToString::to_string).collect(),
            handoff_day: rotation.handoff_day,
            handoff_time: rotation.handoff_time.to_string(),
            plugin_config: rotation.plugin_config.0.clone(),
            problems: Vec::new(),
            created_at: team.revision.created_at,
            updated_at: team.revision.updated_at,
            version: team.revision.version,
        }
    }
}

/// A change of a team. Absent fields stay as they are; null clears those that can be empty,
/// and leaves the others as they are. To create a team, `name` is required.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TeamInput {
    /// 1–100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// `[a-z0-9-]{1,100}`; made from the name where absent.
    pub slug: Option<String>,
    /// At most 2000 characters.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub description: Option<Option<String>>,
    /// A Slack user group id.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub slack_group_id: Option<Option<String>>,
    /// A Slack user group id; oncalld sets its members, so that it has to be another group than
    /// one that holds a team's members.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub slack_oncall_group_id: Option<Option<String>>,
    /// A Slack channel id.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub slack_channel_id: Option<Option<String>>,
    /// IANA zone name; default `UTC`.
    pub timezone: Option<String>,
    /// Whether overrides wait for approval; null: as in the config file.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<bool>)]
    pub overrides_require_approval: Option<Option<bool>>,
    /// False deletes, true restores.
    pub is_active: Option<bool>,
    /// Whether it rotates by itself.
    pub rotation_enabled: Option<bool>,
    /// `round_robin`, `custom`, `weighted` or `plugin:<name>`.
    pub rotation_type: Option<String>,
    /// `daily`, `weekly` or `biweekly`.
    pub rotation_interval: Option<String>,
    /// The on-call day from which periods count; default: when the rotation is switched on.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<NaiveDate>)]
    pub rotation_start_date: Option<Option<NaiveDate>>,
    /// The order of a custom rotation: Slack user ids.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<Vec<String>>)]
    pub rotation_order: Option<Option<Vec<String>>>,
    /// First day of weekly and biweekly periods, 0 = Monday … 6 = Sunday.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 6)]
    pub handoff_day: Option<Option<i64>>,
    /// Local time of handoffs, `HH:MM`; default `00:00`.
    pub handoff_time: Option<String>,
    /// Settings of a plugin strategy.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<Object>)]
    pub plugin_config: Option<Option<Value>>,
    /// The version that this change is based on; another one is a conflict.
    pub version: Option<u64>,
}

/// A change of a team's rotation; absent fields stay as they are.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RotationInput {
    /// Whether it rotates by itself.
    pub rotation_enabled: Option<bool>,
    /// `round_robin`, `custom`, `weighted` or `plugin:<name>`.
    pub rotation_type: Option<String>,
    /// `daily`, `weekly` or `biweekly`.
    pub rotation_interval: Option<String>,
    /// The on-call day from which periods count; default: when the rotation is switched on.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<NaiveDate>)]
    pub rotation_start_date: Option<Option<NaiveDate>>,
    /// The order of a custom rotation: Slack user ids.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<Vec<String>>)]
    pub rotation_order: Option<Option<Vec<String>>>,
    /// First day of weekly and biweekly periods, 0 = Monday … 6 = Sunday.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 6)]
    pub handoff_day: Option<Option<i64>>,
    /// Local time of handoffs, `HH:MM`.
    pub handoff_time: Option<String>,
    /// IANA zone name.
    pub timezone: Option<String>,
    /// Settings of a plugin strategy.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<Object>)]
    pub plugin_config: Option<Option<Value>>,
    /// The version that this change is based on; another one is a conflict.
    pub version: Option<u64>,
}

impl From<RotationInput> for TeamInput {
    fn from(input: RotationInput) -> Self {
        Self {
            rotation_enabled: input.rotation_enabled,
            rotation_type: input.rotation_type,
            rotation_interval: input.rotation_interval,
            rotation_start_date: input.rotation_start_date,
            rotation_order: input.rotation_order,
            handoff_day: input.handoff_day,
            handoff_time: input.handoff_time,
            timezone: input.timezone,
            plugin_config: input.plugin_config,
            version: input.version,
            ..Self::default()
        }
    }
}
