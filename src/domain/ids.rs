//! Newtype ids: a `TeamId` can't be handed where a `ServiceId` is wanted.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::{NoContext, Timestamp, Uuid};

macro_rules! entity_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh UUIDv7 whose time part is `now`, so that ids sort by creation.
            pub fn new(now: DateTime<Utc>) -> Self {
                Self(uuid_at(now))
            }

            /// The id of an imported row, kept as it was.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The plain UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )+};
}

entity_ids! {
    /// Id of a team.
    TeamId,
    /// Id of a team membership.
    MembershipId,
    /// Id of a stretch of time off.
    TimeOffId,
    /// Id of a service.
    ServiceId,
    /// Id of an on-call schedule row.
    ScheduleId,
    /// Id of an on-call override.
    OverrideId,
    /// Id of an audit entry.
    AuditId,
    /// Id of an access token (not its secret).
    TokenId,
    /// Id of a notification in the outbox.
    NotificationId,
}

fn uuid_at(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(
        NoContext,
        seconds,
        now.timestamp_subsec_nanos(),
    ))
}

/// A person: a Slack user id, `U…` or `W…`, 2–20 of `[A-Z0-9]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(String);

/// What a [`UserId`] must look like, for messages.
pub const USER_ID_FORM: &str =
    "a Slack user id: U or W, then capital letters and digits, 2 to 20 characters in all";

impl UserId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a Slack user id.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not {USER_ID_FORM}")]
pub struct NotAUserId(String);

impl FromStr for UserId {
    type Err = NotAUserId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let well_formed = (2..=20).contains(&text.len())
            && text.starts_with(['U', 'W'])
            && text
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAUserId(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_ids_are_slack_ids() {
        for good in ["U1", "W012ABC", "U0123456789ABCDEFGHI"] {
            assert_eq!(good.parse::<UserId>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "U",
            "X123",
            "u123",
            "U12-3",
            "U0123456789ABCDEFGHIJ",
            "Ü12",
        ] {
            assert!(bad.parse::<UserId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_sort_by_creation() {
        let early = TeamId::new(DateTime::from_timestamp(1_000, 0).unwrap());
        let late = TeamId::new(DateTime::from_timestamp(1_001, 0).unwrap());
        assert!(early < late);
    }
}
