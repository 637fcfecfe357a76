//! Tokens on the wire.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::token::{Role, Token};

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
    /// When it was created.
    pub created_at: DateTime<Utc>,
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
            created_at: token.created_at,
            token: None,
        }
    }
}

/// A token to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// 1–100 characters.
    pub name: String,
    /// `viewer`, `editor` or `admin`.
    pub role: String,
    /// The person it acts for.
    #[serde(default)]
    pub slack_user_id: Option<String>,
    /// When it expires; default never.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}
