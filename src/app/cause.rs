//! Why somebody else may be on call after a write: what the rows alone don't say, for whoever
//! tells of it.

use chrono::NaiveDate;

use crate::domain::ids::UserId;

/// What brought a team to where it stands after a write; nothing but time where both are missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cause {
    /// A change of its rows.
    pub change: Option<Change>,
    /// A handoff.
    pub begun: Option<Begun>,
}

/// A change of rows, with a reason for those whom it concerns.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// Who was on call before it.
    pub before: Option<UserId>,
    /// What was said of it.
    pub reason: Option<String>,
}

/// A period that has begun.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    /// Its first on-call day.
    pub first_day: NaiveDate,
    /// Whether there was nobody to pick.
    pub is_skipped: bool,
    /// Who was on call on the day before it.
    pub previous: Option<UserId>,
}
