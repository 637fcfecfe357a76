//! Tokens on the wire.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::TeamId;
use crate::domain::token::{Role, Scope, Token};

/// An access token, without its secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenView {
    /// Its id.
    pub id: Uuid,
    /// Name that the audit log shows.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// The person it acts for.
    pub slack_user_id: Option<String>,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// Which part of what its role allows it is limited to.
    pub scope: Scope,
    /// The only team that it concerns, if it is limited to one.
    pub team_id: Option<Uuid>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to ten minutes.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The secret; only in the answer that creates the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl From<&Token> for TokenView {
    fn from(token: &Token) -> Self {
        Self {
            id: token.id.uuid(),
            name: token.name.clone(),
            role: token.role,
            slack_user_id: token.slack_user_id.as_ref().map(ToString::to_string),
            expires_at: token.expires_at,
            scope: token.scope,
            team_id: token.team_id.map(TeamId::uuid),
            created_at: token.created_at,
            last_used_at: token.used_at,
            token: None,
        }
    }
}

/// A token to create.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// 1–100 characters.
    pub name: String,
    /// `viewer`, `editor` or `admin`.
    pub role: String,
    /// The person it acts for.
    #[serde(default)]
    pub slack_user_id: Option<String>,
    /// When it expires; default after as many days as `auth.token_days` of the config says.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
    /// That it never expires; not with `expires_at`.
    #[serde(default)]
    pub never_expires: bool,
    /// `all` (the default) or `feeds`: calendar feeds and nothing else, for the role `viewer`. Such a
    /// token can be given in a feed's address. Bound to a person, it opens that person's feed alone.
    #[serde(default)]
    pub scope: Option<String>,
    /// Id or slug of the only team that it concerns: with `all` that team's resources and lookups of
    /// it or its services, with `feeds` its feed. Not for the role `admin`.
    #[serde(default)]
    pub team: Option<String>,
}
