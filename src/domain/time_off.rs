//! Days on which a person is not to be picked, in any team.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Revision;
use super::ids::{TimeOffId, UserId};

/// A stretch of days off; both ends included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeOff {
    /// Its id.
    pub id: TimeOffId,
    /// The person.
    pub user: UserId,
    /// First day off.
    #[serde(with = "crate::domain::compact::date")]
    pub start_date: NaiveDate,
    /// Last day off.
    #[serde(with = "crate::domain::compact::date")]
    pub end_date: NaiveDate,
    /// Why, if told.
    pub reason: Option<String>,
    /// Its revision.
    pub revision: Revision,
}
