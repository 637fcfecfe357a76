//! Services on the wire.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ActiveFilter, nullable};
use crate::domain::service::{Service, Tier};

/// A service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Service)]
pub struct ServiceView {
    /// Its id.
    pub id: Uuid,
    /// Its name, unique among the active ones.
    pub name: String,
    /// The team that is on call for it.
    pub team_id: Uuid,
    /// Address of its source repository.
    pub repository_url: Option<String>,
    /// Such as `production`.
    pub environment: Option<String>,
    /// How critical it is.
    pub tier: Tier,
    /// Its owner, outside incidents.
    pub owner_slack_id: Option<String>,
    /// What it is built with.
    pub tech_stack: Vec<String>,
    /// Free-form: runbook, dashboard…
    #[schema(value_type = Object)]
    pub metadata: Value,
    /// False once deleted.
    pub is_active: bool,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Increases by one with each change.
    pub version: u64,
}

impl From<&Service> for ServiceView {
    fn from(service: &Service) -> Self {
        Self {
            id: service.id.uuid(),
            name: service.name.clone(),
            team_id: service.team_id.uuid(),
            repository_url: service.repository_url.clone(),
            environment: service.environment.clone(),
            tier: service.tier,
            owner_slack_id: service.owner.as_ref().map(ToString::to_string),
            tech_stack: service.tech_stack.clone(),
            metadata: service.metadata.0.clone(),
            is_active: service.is_active,
            created_at: service.revision.created_at,
            updated_at: service.revision.updated_at,
            version: service.revision.version,
        }
    }
}

/// A change of a service; absent fields stay as they are. To create one, `name` and `team_id`
/// are required.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceInput {
    /// 1–100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// Id or slug of the team that is on call for it.
    pub team_id: Option<String>,
    /// An http or https address, or an ssh one.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub repository_url: Option<Option<String>>,
    /// Such as `production`.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub environment: Option<Option<String>>,
    /// `critical`, `standard` (default) or `low`.
    pub tier: Option<String>,
    /// A Slack user id.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub owner_slack_id: Option<Option<String>>,
    /// What it is built with.
    pub tech_stack: Option<Vec<String>>,
    /// A JSON object.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Value>,
    /// False deletes, true restores.
    pub is_active: Option<bool>,
    /// The version that this change is based on; another one is a conflict.
    pub version: Option<u64>,
}

/// Which services to list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ServiceFilter {
    /// Id or slug of the team.
    pub team: Option<String>,
    /// `critical`, `standard` or `low`.
    pub tier: Option<String>,
    /// Exactly this environment.
    pub environment: Option<String>,
    /// `true` (default), `false` or `all`.
    pub is_active: Option<ActiveFilter>,
    /// Part of the name, whatever the case.
    pub q: Option<String>,
}
