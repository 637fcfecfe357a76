//! Why a shift fell to whom: kept with each auto shift, shown by preview.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::ids::UserId;

/// Why the rotation picked somebody for a period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The rotation type that picked.
    pub strategy: String,
    /// The period's number, from 1.
    pub period_number: i64,
    /// The period's first day.
    #[serde(with = "crate::domain::compact::date")]
    pub period_start: NaiveDate,
    /// The period's last day.
    #[serde(with = "crate::domain::compact::date")]
    pub period_end: NaiveDate,
    /// The one who was picked.
    pub picked: UserId,
    /// In a sentence.
    pub reason: String,
    /// Those who could be picked, in ring order, as they stood before the period.
    pub candidates: Vec<Standing>,
    /// Those who could not.
    pub passed_over: Vec<PassedOver>,
    /// True where nobody could be picked and the last one stays on.
    pub is_hold: bool,
    /// What the configured strategy said where it failed and another stepped in.
    pub strategy_error: Option<String>,
}

/// How a candidate stood before a pick. Shares and credit are in periods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The candidate.
    pub user: UserId,
    /// Since when they count.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub joined_at: DateTime<Utc>,
    /// Their weight.
    pub weight: f64,
    /// Weight ÷ sum of the candidates' weights.
    pub target: f64,
    /// Periods served since the rotation's start.
    pub served: f64,
    /// Periods earned less periods served.
    pub credit: f64,
    /// Target less the share of all periods that they served.
    pub gap: f64,
    /// Their last day on call.
    #[serde(with = "crate::domain::compact::date_option")]
    pub last_served: Option<NaiveDate>,
}

/// Somebody who was not a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOver {
    /// The person.
    pub user: UserId,
    /// Why.
    pub reason: PassedOverReason,
}

/// Why somebody was not a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PassedOverReason {
    /// Marked as not eligible.
    Ineligible,
    /// Time off touches the period.
    TimeOff {
        /// First day off.
        #[serde(with = "crate::domain::compact::date")]
        start_date: NaiveDate,
        /// Last day off.
        #[serde(with = "crate::domain::compact::date")]
        end_date: NaiveDate,
    },
    /// No longer in the team's Slack group.
    LeftSlackGroup,
    /// Joins only after the period begins.
    NotYetJoined {
        /// The day on which they join.
        #[serde(with = "crate::domain::compact::date")]
        joined_date: NaiveDate,
    },
    /// Not named in `rotation_order`.
    NotInOrder,
    /// Named in `rotation_order`, but not a member.
    NotAMember,
    /// A Slack account that nobody can use any more.
    Deactivated,
    /// A program's Slack account.
    Bot,
}

impl PassedOverReason {
    /// A short fixed name, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ineligible => "ineligible",
            Self::TimeOff { .. } => "time_off",
            Self::LeftSlackGroup => "left_slack_group",
            Self::NotYetJoined { .. } => "not_yet_joined",
            Self::NotInOrder => "not_in_order",
            Self::NotAMember => "not_a_member",
            Self::Deactivated => "deactivated",
            Self::Bot => "bot",
        }
    }
}

impl std::fmt::Display for PassedOverReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ineligible => f.write_str("marked as not eligible for on-call"),
            Self::TimeOff {
                start_date,
                end_date,
            } => {
                write!(f, "time off from {start_date} to {end_date}")
            }
            Self::LeftSlackGroup => f.write_str("has left the team's Slack group"),
            Self::NotYetJoined { joined_date } => write!(f, "joins on {joined_date}"),
            Self::NotInOrder => f.write_str("not in the custom order"),
            Self::NotAMember => f.write_str("in the custom order, but not a member"),
            Self::Deactivated => f.write_str("their Slack account is deactivated"),
            Self::Bot => f.write_str("a bot"),
        }
    }
}
