//! Twelve months as a strip: a drawing of when somebody is away. Beside it stands the same as text.

use chrono::{Datelike, Months, NaiveDate};

use crate::domain::oncall_day::add_days;

/// Days that a bar covers at least, so that it can be seen.
const THINNEST: i64 = 2;

/// Twelve months from the beginning of today's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Year {
    /// First day.
    pub first: NaiveDate,
    /// Last day.
    pub last: NaiveDate,
}

/// Runs of days in a year, to be drawn; a unit is a day.
#[derive(Clone, Debug)]
pub struct Strip {
    /// Days of the year.
    pub days: i64,
    /// Every other month, to tell them apart.
    pub bands: Vec<Bar>,
    /// The runs.
    pub bars: Vec<Bar>,
    /// All of it in words.
    pub label: String,
}

/// A run of days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Days of the year before it.
    pub x: i64,
    /// Its days.
    pub width: i64,
    /// In words.
    pub title: String,
}

impl Year {
    /// The year that begins with the month of `today`.
    pub fn around(today: NaiveDate) -> Self {
        let first = today.with_day(1).unwrap_or(today);
        let last = add_days(
            first.checked_add_months(Months::new(12)).unwrap_or(first),
            -1,
        );
        Self { first, last }
    }

    /// First days of its months.
    fn months(self) -> impl Iterator<Item = NaiveDate> {
        (0..12).filter_map(move |month| self.first.checked_add_months(Months::new(month)))
    }

    /// What its months are called, such as `Nov`.
    pub fn month_names(self) -> Vec<String> {
        self.months()
            .map(|month| month.format("%b").to_string())
            .collect()
    }

    /// Draws runs of days, each with what it is in words; what lies outside is cut off.
    pub fn strip(self, runs: &[(NaiveDate, NaiveDate, String)]) -> Strip {
        let x = |day: NaiveDate| (day - self.first).num_days();
        let days = x(self.last) + 1;
        let bar = |start: NaiveDate, end: NaiveDate, title: &str| {
            let (start, end) = (start.max(self.first), end.min(self.last));
            let width = x(end) - x(start) + 1;
            (width > 0).then(|| Bar {
                x: x(start).min(days - THINNEST),
                width: width.max(THINNEST),
                title: title.to_owned(),
            })
        };
        let even = self.months().step_by(2);
        let bands = even.filter_map(|month| {
            let next = month.checked_add_months(Months::new(1))?;
            bar(month, add_days(next, -1), "")
        });
        let bars = runs
            .iter()
            .filter_map(|(start, end, title)| bar(*start, *end, title));
        let titles = runs.iter().map(|(_, _, title)| title.as_str());
        Strip {
            days,
            bands: bands.collect(),
            bars: bars.collect(),
            label: titles.collect::<Vec<_>>().join("; "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_year_begins_with_this_month_and_draws_what_lies_in_it() {
        let year = Year::around(date("2026-11-26"));
        assert_eq!(
            (year.first, year.last),
            (date("2026-11-01"), date("2027-10-31"))
        );
        assert_eq!(
            year.month_names().concat(),
            "NovDecJanFebMarAprMayJunJulAugSepOct"
        );
        let run = |start, end| (date(start), date(end), String::new());
        let runs = [
            run("2026-10-20", "2026-11-03"),
            run("2026-12-01", "2026-12-10"),
            run("2027-10-31", "2027-10-31"),
            run("2028-01-01", "2028-01-09"),
        ];
        let strip = year.strip(&runs);
        let bars: Vec<_> = strip.bars.iter().map(|bar| (bar.x, bar.width)).collect();
        assert_eq!(strip.days, 365);
        assert_eq!(bars, [(0, 3), (30, 10), (363, 2)]);
        assert_eq!(strip.bands.len(), 6);
    }
}
