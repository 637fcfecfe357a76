//! The domain: ids, entities, and the arithmetic of on-call days. Pure: no clock, no I/O
//! (but for the zone rules, read once), no knowledge of HTTP or of the store.
//!
//! The entities derive serde, since the store writes them as they are; their field order
//! is the disk format, guarded by golden bytes in `tests/golden`.

pub mod audit;
pub mod compact;
pub mod hex;
pub mod human_date;
pub mod ids;
pub mod invalid;
pub mod json;
pub mod matching;
pub mod member;
pub mod notification;
pub mod oncall_day;
pub mod one_line;
pub mod profile;
pub mod roster;
pub mod schedule;
pub mod seal;
pub mod service;
pub mod session;
pub mod shift_override;
pub mod suggest;
pub mod team;
pub mod text_enum;
pub mod time_off;
pub mod token;
pub mod zone;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What every entity carries about its own life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// When the entity was made.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub updated_at: DateTime<Utc>,
    /// 1 at first, one more at each change.
    pub version: u64,
}

impl Revision {
    /// The first revision.
    pub fn first(now: DateTime<Utc>) -> Self {
        Self {
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// The revision after a change at `now`.
    #[must_use]
    pub fn next(&self, now: DateTime<Utc>) -> Self {
        Self {
            created_at: self.created_at,
            updated_at: now,
            version: self.version + 1,
        }
    }
}
