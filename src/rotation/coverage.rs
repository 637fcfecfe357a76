//! Who is on call on a day: an approved override, else a manual row, else an auto row,
//! else nobody.

use std::collections::BTreeMap;
use std::ops::Bound;

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use crate::domain::ids::UserId;
use crate::domain::oncall_day::{add_days, next_day, previous_day};
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::domain::text_enum::text_enum;

text_enum! {
    /// What puts a person on call.
    Source {
        /// An approved override.
        Override = "override",
        /// A schedule row made by a person.
        Manual = "manual",
        /// A schedule row made by the rotation.
        Auto = "auto",
        /// Nothing: nobody is on call.
        None = "none",
    }
}

/// A person over a run of days; both ends included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// Who.
    pub user: UserId,
    /// By what.
    pub source: Source,
    /// Id of the schedule or override; nil for a row that is only planned. No part of what a
    /// strategy is asked: a plan that is published asks the same as the one that published it.
    #[serde(skip)]
    pub id: Uuid,
    /// First day.
    pub start: NaiveDate,
    /// Last day.
    pub end: NaiveDate,
}

/// The rows of one team, by source. Rows of one source don't overlap each other.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    overrides: BTreeMap<NaiveDate, Stretch>,
    manual: BTreeMap<NaiveDate, Stretch>,
    auto: BTreeMap<NaiveDate, Stretch>,
}

impl Coverage {
    /// The coverage by these rows.
    pub fn new<'a>(
        schedules: impl IntoIterator<Item = &'a Schedule>,
        overrides: impl IntoIterator<Item = &'a Override>,
    ) -> Self {
        let mut coverage = Self::default();
        for row in schedules {
            coverage.add_schedule(row);
        }
        for row in overrides {
            coverage.add_override(row);
        }
        coverage
    }

    /// Adds an override, which counts once approved.
    pub fn add_override(&mut self, row: &Override) {
        if row.status == OverrideStatus::Approved {
            self.add(Stretch {
                user: row.substitute.clone(),
                source: Source::Override,
                id: row.id.uuid(),
                start: row.start_date,
                end: row.end_date,
            });
        }
    }

    /// Adds a schedule row.
    pub fn add_schedule(&mut self, row: &Schedule) {
        self.add(Stretch {
            user: row.engineer.clone(),
            source: match row.origin {
                Origin::Auto => Source::Auto,
                Origin::Manual => Source::Manual,
            },
            id: row.id.uuid(),
            start: row.start_date,
            end: row.end_date,
        });
    }

    /// Adds a stretch; one of source `none` is nothing.
    pub fn add(&mut self, stretch: Stretch) {
        let layer = match stretch.source {
            Source::Override => &mut self.overrides,
            Source::Manual => &mut self.manual,
            Source::Auto => &mut self.auto,
            Source::None => return,
        };
        layer.insert(stretch.start, stretch);
    }

    /// The row in force on `day`, as it stands, whatever covers its other days.
    pub fn row_on(&self, day: NaiveDate) -> Option<&Stretch> {
        self.layers()
            .into_iter()
            .find_map(|layer| covering(layer, day))
    }

    /// The rows by source, those that go before the others first.
    fn layers(&self) -> [&BTreeMap<NaiveDate, Stretch>; 3] {
        [&self.overrides, &self.manual, &self.auto]
    }

    /// Whether a manual row covers `day`.
    pub fn is_manual(&self, day: NaiveDate) -> bool {
        covering(&self.manual, day).is_some()
    }

    /// The run of days around `day` for which the row in force on it is in force.
    pub fn stretch_on(&self, day: NaiveDate) -> Option<Stretch> {
        let (mut start, mut end) = (NaiveDate::MIN, NaiveDate::MAX);
        for layer in self.layers() {
            // What lies nearest on either side cuts what is in force by this layer or a later one.
            if let Some(after) = first_after(layer, day) {
                end = end.min(previous_day(after.start));
            }
            match last_by(layer, day) {
                Some(row) if day <= row.end => {
                    let (start, end) = (start.max(row.start), end.min(row.end));
                    let row = row.clone();
                    return Some(Stretch { start, end, ..row });
                }
                Some(before) => start = start.max(next_day(before.end)),
                None => {}
            }
        }
        None
    }

    /// The first stretch that begins after `day`, over a gap if there is one.
    pub fn next_after(&self, day: NaiveDate) -> Option<Stretch> {
        let tomorrow = next_day(day);
        self.stretch_on(tomorrow).or_else(|| {
            let layers = self.layers().into_iter();
            let rows = layers.filter_map(|layer| first_after(layer, tomorrow));
            self.stretch_on(rows.map(|row| row.start).min()?)
        })
    }

    /// The stretches that touch `from..=to`, in order, clipped to it.
    pub fn stretches(&self, from: NaiveDate, to: NaiveDate) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        let mut next = self.stretch_on(from).or_else(|| self.next_after(from));
        while let Some(stretch) = next {
            if stretch.start > to {
                break;
            }
            next = self.next_after(stretch.end);
            let (start, end) = (stretch.start.max(from), stretch.end.min(to));
            stretches.push(Stretch {
                start,
                end,
                ..stretch
            });
        }
        stretches
    }

    /// The runs of days within `from..=to` that nobody covers.
    pub fn gaps(&self, from: NaiveDate, to: NaiveDate) -> Vec<(NaiveDate, NaiveDate)> {
        let mut gaps = Vec::new();
        let mut free_from = from;
        for stretch in self.stretches(from, to) {
            if free_from < stretch.start {
                gaps.push((free_from, previous_day(stretch.start)));
            }
            free_from = next_day(stretch.end);
        }
        if free_from <= to {
            gaps.push((free_from, to));
        }
        gaps
    }

    /// The runs of days within `from..=to` without a manual row: what an auto shift may take.
    pub fn free_of_manual(&self, from: NaiveDate, to: NaiveDate) -> Vec<(NaiveDate, NaiveDate)> {
        let mut runs = Vec::new();
        let mut free_from = from;
        // The manual row that begins last before `from` may reach into it.
        let first = self
            .manual
            .range(..=from)
            .next_back()
            .map_or(from, |(start, _)| *start);
        for row in self.manual.range(first..).map(|(_, row)| row) {
            if row.start > to || free_from > to {
                break;
            }
            if free_from < row.start {
                runs.push((free_from, previous_day(row.start)));
            }
            free_from = free_from.max(add_days(row.end, 1));
        }
        if free_from <= to {
            runs.push((free_from, to));
        }
        runs
    }

    /// The last day before `day` on which each person was on call, looking back over all rows.
    pub fn last_days_before(&self, day: NaiveDate) -> BTreeMap<UserId, NaiveDate> {
        let first = self
            .layers()
            .into_iter()
            .filter_map(|l| l.keys().next().copied())
            .min();
        let Some(first) = first.filter(|first| *first < day) else {
            return BTreeMap::new();
        };
        let stretches = self.stretches(first, previous_day(day));
        stretches
            .into_iter()
            .map(|stretch| (stretch.user, stretch.end))
            .collect()
    }
}

fn covering(layer: &BTreeMap<NaiveDate, Stretch>, day: NaiveDate) -> Option<&Stretch> {
    last_by(layer, day).filter(|row| day <= row.end)
}

/// The last row of a layer that begins on `day` or before.
fn last_by(layer: &BTreeMap<NaiveDate, Stretch>, day: NaiveDate) -> Option<&Stretch> {
    layer.range(..=day).next_back().map(|(_, row)| row)
}

/// The first row of a layer that begins after `day`.
fn first_after(layer: &BTreeMap<NaiveDate, Stretch>, day: NaiveDate) -> Option<&Stretch> {
    let after = (Bound::Excluded(day), Bound::Unbounded);
    layer.range(after).next().map(|(_, row)| row)
}

#[cfg(test)]
#[path = "coverage_tests.rs"]
mod tests;
