//! What a team's rotation would come to, and how it came to what it is: for the pages.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::rotation::{FairnessView, PlanView};

/// What a change of a team's rotation would bring, compared with what comes without it.
#[derive(Clone, Debug)]
pub struct RotationReview {
    /// What it changes in the team: `{"field": {"old": …, "new": …}}`.
    pub changes: Value,
    /// First on-call day that is compared: today.
    pub from: NaiveDate,
    /// Last on-call day that is compared.
    pub to: NaiveDate,
    /// Days that come to somebody else, by start.
    pub moves: Vec<MovedDays>,
    /// These days without the change: who serves how much of them.
    pub before: FairnessView,
    /// These days with it.
    pub after: FairnessView,
    /// The auto shifts that would stand.
    pub plan: PlanView,
    /// What the strategy said where it failed; another one picked instead.
    pub failure: Option<String>,
}

/// A run of days that comes from one to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovedDays {
    /// First on-call day.
    pub start_date: NaiveDate,
    /// Last on-call day.
    pub end_date: NaiveDate,
    /// Who is on call then without the change.
    pub before: Option<String>,
    /// Who would be.
    pub after: Option<String>,
}

/// How the credit of a report came about.
#[derive(Clone, Debug, Default)]
pub struct CreditTrend {
    /// Last days of the periods that count.
    pub period_ends: Vec<NaiveDate>,
    /// By user id: the credit at the end of each of them, in periods.
    pub credit: BTreeMap<String, Vec<f64>>,
}
