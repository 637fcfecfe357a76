//! Access tokens and what they allow.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::ids::{TeamId, TokenId, UserId};
use super::text_enum::text_enum;

/// Use is written down at most this often: a request is not to cost a durable write.
pub const USE_NOTED_EVERY: TimeDelta = TimeDelta::minutes(10);

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
    /// Which part of that it is limited to.
    pub scope: Scope,
    /// The only team that it concerns, if it is limited to one.
    pub team_id: Option<TeamId>,
    /// When it was last used, to [`USE_NOTED_EVERY`].
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub used_at: Option<DateTime<Utc>>,
}

impl Token {
    /// Whether it may still be used.
    pub fn is_valid_at(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|expiry| now < expiry)
    }

    /// Whether it opens everything that its role allows.
    pub fn is_unlimited(&self) -> bool {
        self.scope == Scope::All && self.team_id.is_none()
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

text_enum! {
    /// Which part of what its role allows a token is limited to.
    Scope {
        /// All of it.
        All = "all",
        /// Calendar feeds, and nothing else.
        Feeds = "feeds",
    }
}
