//! Sessions: browsers in which somebody has signed in with a token.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::ids::TokenId;

/// A session ends when nothing was asked in it for so long.
const IDLE: TimeDelta = TimeDelta::hours(12);
/// A session ends this long after signing in, however busy.
const LONGEST: TimeDelta = TimeDelta::days(14);
/// Use is written down at most this often: a page is not to cost a durable write.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(10);

/// A browser in which somebody has signed in. It may do what its token may, as long as that is
/// valid. The cookie's secret is never kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The token that was shown.
    pub token: TokenId,
    /// When that was.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub created_at: DateTime<Utc>,
    /// When it was last used, to ten minutes.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub used_at: DateTime<Utc>,
}

impl Session {
    /// One that begins.
    pub const fn new(token: TokenId, now: DateTime<Utc>) -> Self {
        Self {
            token,
            created_at: now,
            used_at: now,
        }
    }

    /// Whether it may still be used: 12 hours after the last use, 14 days after signing in.
    pub fn is_valid_at(&self, now: DateTime<Utc>) -> bool {
        now < self.used_at + IDLE && now < self.created_at + LONGEST
    }

    /// Whether its use is to be written down.
    pub fn is_to_be_noted_at(&self, now: DateTime<Utc>) -> bool {
        now >= self.used_at + NOTED_EVERY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_idle_or_old() {
        let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let id = TokenId::from_uuid(uuid::Uuid::nil());
        let mut session = Session::new(id, start);
        assert!(session.is_valid_at(start + TimeDelta::hours(11)));
        assert!(!session.is_valid_at(start + TimeDelta::hours(12)));
        for day in 1..14 {
            session.used_at = start + TimeDelta::days(day);
            assert!(session.is_valid_at(session.used_at));
        }
        session.used_at = start + TimeDelta::days(14) - TimeDelta::minutes(1);
        assert!(!session.is_valid_at(start + TimeDelta::days(14)));
    }
}
