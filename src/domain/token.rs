//! Access tokens and what they allow.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::{TokenId, UserId};
use super::text_enum::text_enum;

/// An access token. The secret itself is shown once and never kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// Name that the audit log shows.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// The person who acts with it, if bound to one.
    pub slack_user_id: Option<UserId>,
    /// SHA-256 of the secret.
    pub secret_hash: [u8; 32],
    /// From when on it is refused.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was made.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub created_at: DateTime<Utc>,
}

impl Token {
    /// Whether it may still be used.
    pub fn is_valid_at(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|expiry| now < expiry)
    }
}

text_enum! {
    /// What a token allows; each role includes those before it.
    Role {
        /// Reads.
        Viewer = "viewer",
        /// Manages members, schedules, overrides, services.
        Editor = "editor",
        /// Everything.
        Admin = "admin",
    }
}
