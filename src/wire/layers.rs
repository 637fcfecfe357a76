//! A team's days, layer by layer: who is on call, and what makes it so.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::overview::StretchView;
use super::schedule::ScheduleView;
use super::shift_override::OverrideView;
use super::time_off::TimeOffView;
use crate::domain::schedule::Origin;

/// A team's days over a range, layer by layer.
#[derive(Clone, Debug)]
pub struct Layers {
    /// First day of the range.
    pub first: NaiveDate,
    /// Last day of the range.
    pub last: NaiveDate,
    /// Who is on call, by start; cut to the range.
    pub stretches: Vec<StretchView>,
    /// Runs of days that nobody covers, by start: none before the team first had somebody on call,
    /// nor after the last day that is published.
    pub gaps: Vec<(NaiveDate, NaiveDate)>,
    /// Schedule rows that touch the range, by start.
    pub schedules: Vec<ScheduleView>,
    /// Overrides that touch the range and hold their days, pending or approved, by start.
    pub overrides: Vec<OverrideView>,
    /// The members' time off that touches the range, by user id and start.
    pub time_off: BTreeMap<String, Vec<TimeOffView>>,
}

impl Layers {
    /// Schedule rows of one origin.
    pub fn schedules_of(&self, origin: Origin) -> impl Iterator<Item = &ScheduleView> {
        self.schedules
            .iter()
            .filter(move |row| row.origin == origin)
    }

    /// Everybody who is named.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        let on_call = self.stretches.iter().map(|it| it.user.as_str());
        let schedules = self.schedules.iter();
        let overrides = self.overrides.iter();
        on_call
            .chain(schedules.map(|row| row.engineer_slack_id.as_str()))
            .chain(overrides.map(|row| row.substitute_slack_id.as_str()))
            .chain(self.time_off.keys().map(String::as_str))
    }
}
