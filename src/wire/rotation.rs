//! Rotation on the wire: shifts, their explanations, and the fairness report.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::ids::UserId;
use crate::domain::oncall_day::OnCallClock;
use crate::rotation::coverage::Source;
use crate::rotation::explanation::Explanation;

/// How far to plan.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlanRequest {
    /// Weeks ahead: 1 to 52, default 4.
    #[schema(minimum = 1, maximum = 52)]
    pub weeks: Option<i64>,
}

/// The auto shifts that stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanView {
    /// From the running period on, by start.
    pub items: Vec<ShiftView>,
}

/// An auto shift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Shift)]
pub struct ShiftView {
    /// Position in the answer, from 1.
    pub week_number: usize,
    /// First on-call day.
    pub start_date: NaiveDate,
    /// Last on-call day.
    pub end_date: NaiveDate,
    /// Start instant.
    pub starts_at: DateTime<Utc>,
    /// End instant, not included.
    pub ends_at: DateTime<Utc>,
    /// Who is on call.
    pub engineer_slack_id: String,
    /// Why.
    pub explanation: Option<ExplanationView>,
}

impl ShiftView {
    /// A shift as the API shows it; `clock` is its team's. The position is set later.
    pub fn new(
        engineer: &str,
        (start_date, end_date): (NaiveDate, NaiveDate),
        clock: &OnCallClock,
        explanation: Option<&Explanation>,
    ) -> Self {
        Self {
            week_number: 0,
            start_date,
            end_date,
            starts_at: clock.starts_at(start_date),
            ends_at: clock.ends_at(end_date),
            engineer_slack_id: engineer.to_owned(),
            explanation: explanation.map(ExplanationView::from),
        }
    }
}

/// Why a shift fell to whom. Shares and credit are in periods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Explanation)]
pub struct ExplanationView {
    /// The rotation type that picked.
    pub strategy: String,
    /// In a sentence.
    pub reason: String,
    /// Number of the period since the rotation's start, from 1.
    pub period_number: i64,
    /// The period's first on-call day.
    pub period_start_date: NaiveDate,
    /// The period's last on-call day.
    pub period_end_date: NaiveDate,
    /// Those who could be picked, in ring order, as they stood before the period.
    pub candidates: Vec<CandidateView>,
    /// Those who could not.
    pub passed_over: Vec<PassedOverView>,
    /// True where nobody could be picked and who was on call stays on.
    pub hold: bool,
    /// What the configured strategy said where it failed and another stepped in.
    pub strategy_error: Option<String>,
}

/// A candidate, as they stood before the pick.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Candidate)]
pub struct CandidateView {
    /// The person.
    pub slack_user_id: String,
    /// Their weight.
    pub weight: f64,
    /// Weight ÷ sum of the candidates' weights.
    pub target: f64,
    /// Periods served since the rotation's start.
    pub served: f64,
    /// Periods earned less periods served.
    pub credit: f64,
    /// Target less the share of the periods that they served.
    pub gap: f64,
    /// Their last day on call.
    pub last_served_date: Option<NaiveDate>,
}

/// Somebody who was not a candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = PassedOver)]
pub struct PassedOverView {
    /// The person.
    pub slack_user_id: String,
    /// `ineligible`, `time_off`, `left_slack_group`, `deactivated`, `bot`, `not_yet_joined`,
    /// `not_in_order` or `not_a_member`.
    pub reason: String,
    /// The reason in words.
    pub detail: String,
}

impl From<&Explanation> for ExplanationView {
    fn from(explanation: &Explanation) -> Self {
        let candidates = explanation.candidates.iter().map(|standing| CandidateView {
            slack_user_id: standing.user.to_string(),
            weight: standing.weight,
            target: rounded(standing.target),
            served: rounded(standing.served),
            credit: rounded(standing.credit),
            gap: rounded(standing.gap),
            last_served_date: standing.last_served,
        });
        let passed_over = explanation.passed_over.iter().map(|passed| PassedOverView {
            slack_user_id: passed.user.to_string(),
            reason: passed.reason.code().to_owned(),
            detail: passed.reason.to_string(),
        });
        Self {
            strategy: explanation.strategy.clone(),
            reason: explanation.reason.clone(),
            period_number: explanation.period_number,
            period_start_date: explanation.period_start,
            period_end_date: explanation.period_end,
            candidates: candidates.collect(),
            passed_over: passed_over.collect(),
            hold: explanation.is_hold,
            strategy_error: explanation.strategy_error.clone(),
        }
    }
}

/// Nine decimal places: what lies beyond is noise of the sums. Never `-0`.
fn rounded(share: f64) -> f64 {
    (share * 1e9).round() / 1e9 + 0.0
}

/// The range of a fairness report.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FairnessRange {
    /// First on-call day; default: a year before `to`, or the team's first day if that is later.
    pub from: Option<NaiveDate>,
    /// Last on-call day; default: today.
    pub to: Option<NaiveDate>,
}

/// How fairly the shifts are shared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Fairness)]
pub struct FairnessView {
    /// First on-call day of the report.
    pub from: NaiveDate,
    /// Last on-call day of the report.
    pub to: NaiveDate,
    /// Days that somebody covered.
    pub covered_days: u32,
    /// Everybody who owed or served.
    pub members: Vec<MemberFairnessView>,
    /// Runs of days that nobody covers.
    pub gaps: Vec<GapView>,
    /// Shifts during time off.
    pub conflicts: Vec<ConflictView>,
}

/// What one person served and owed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = MemberFairness)]
pub struct MemberFairnessView {
    /// The person.
    pub slack_user_id: String,
    /// Their name; the id where no name is known.
    pub display_name: String,
    /// Days on call.
    pub days_served: u32,
    /// Of these, by approved override.
    pub override_days: u32,
    /// Of these, by manual schedule.
    pub manual_days: u32,
    /// Of these, by the rotation.
    pub auto_days: u32,
    /// Of these, Saturdays and Sundays.
    pub weekend_days: u32,
    /// Share of the periods that they owed.
    pub target_share: f64,
    /// Share of the covered days that they served.
    pub actual_share: f64,
    /// Periods earned less periods served.
    pub credit: f64,
}

/// Days that nobody covers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Gap)]
pub struct GapView {
    /// First on-call day.
    pub start_date: NaiveDate,
    /// Last on-call day.
    pub end_date: NaiveDate,
}

/// A shift that somebody's time off touches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Conflict)]
pub struct ConflictView {
    /// The person.
    pub slack_user_id: String,
    /// What puts them on call.
    pub source: Source,
    /// First on-call day of the shift.
    pub start_date: NaiveDate,
    /// Last on-call day of the shift.
    pub end_date: NaiveDate,
    /// First day off.
    pub time_off_start_date: NaiveDate,
    /// Last day off.
    pub time_off_end_date: NaiveDate,
}

impl FairnessView {
    /// The report as the API shows it, with the names that are known.
    pub fn new(
        (from, to): (NaiveDate, NaiveDate),
        report: &crate::rotation::fairness::Fairness,
        names: &BTreeMap<UserId, String>,
    ) -> Self {
        let members = report.members.iter().map(|(user, of)| MemberFairnessView {
            slack_user_id: user.to_string(),
            display_name: names.get(user).cloned().unwrap_or_else(|| user.to_string()),
            days_served: of.days,
            override_days: of.override_days,
            manual_days: of.manual_days,
            auto_days: of.auto_days,
            weekend_days: of.weekend_days,
            target_share: rounded(of.target_share),
            actual_share: rounded(of.actual_share),
            credit: rounded(of.credit),
        });
        let gap = |&(start_date, end_date): &(NaiveDate, NaiveDate)| GapView {
            start_date,
            end_date,
        };
        let conflicts = report
            .conflicts
            .iter()
            .map(|(stretch, absence)| ConflictView {
                slack_user_id: stretch.user.to_string(),
                source: stretch.source,
                start_date: stretch.start,
                end_date: stretch.end,
                time_off_start_date: absence.start,
                time_off_end_date: absence.end,
            });
        Self {
            from,
            to,
            covered_days: report.covered_days,
            members: members.collect(),
            gaps: report.gaps.iter().map(gap).collect(),
            conflicts: conflicts.collect(),
        }
    }
}
