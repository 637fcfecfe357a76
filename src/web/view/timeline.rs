//! Shifts over days, as a table: a column a day, a cell with `colspan` a shift. It needs no
//! inline style, reads as a table, and prints as one.

use chrono::{Datelike, NaiveDate, Weekday};

use super::people::{People, Person};
use super::time::days;
use crate::domain::oncall_day::{add_days, next_day, previous_day};
use crate::rotation::coverage::Source;

/// A timeline.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// What a row is.
    pub corner: &'static str,
    /// Its days.
    pub days: Vec<Day>,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// The head of a day's column.
#[derive(Clone, Debug)]
pub struct Day {
    /// `Mo 23`
    pub short: String,
    /// `Mon 23 Nov`
    pub long: String,
    /// Whether it is a Saturday or a Sunday.
    pub is_weekend: bool,
    /// Whether it is today.
    pub is_today: bool,
}

/// A row: a team, or a layer of one.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is of.
    pub label: String,
    /// Where that has its page.
    pub href: Option<String>,
    /// Its cells; their spans sum up to the days.
    pub cells: Vec<Cell>,
}

/// A run of days in a row.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Days that it covers.
    pub span: usize,
    /// What stands there.
    pub shift: Option<Shift>,
}

/// What stands in a cell.
#[derive(Clone, Debug)]
pub struct Shift {
    /// Who; nobody in a gap.
    pub person: Option<Person>,
    /// Class and badge: `auto`, `manual`, `override`, `none`, `pending`, `time-off`.
    pub kind: &'static str,
    /// In a sentence, for hover, focus and tap.
    pub title: String,
    /// Where there is more of it.
    pub href: String,
}

/// A run of days to be placed in a row.
#[derive(Clone, Debug)]
pub struct Span {
    /// First day.
    pub start: NaiveDate,
    /// Last day.
    pub end: NaiveDate,
    /// What stands there.
    pub shift: Shift,
}

impl Timeline {
    /// One without rows, of `count` days from `first` on.
    pub fn new(corner: &'static str, first: NaiveDate, count: usize, today: NaiveDate) -> Self {
        let days = first.iter_days().take(count).map(|date| Day {
            short: format!("{} {}", short_weekday(date.weekday()), date.day()),
            long: super::time::day(date, today),
            is_weekend: matches!(date.weekday(), Weekday::Sat | Weekday::Sun),
            is_today: date == today,
        });
        Self {
            corner,
            days: days.collect(),
            rows: Vec::new(),
        }
    }
}

impl Row {
    /// Places runs of days, in order, in the `count` days from `first` on. What lies outside is
    /// cut off, what overlaps gives way to what came before; days of none are left empty.
    pub fn new(
        label: impl Into<String>,
        href: Option<String>,
        (first, count): (NaiveDate, usize),
        spans: impl IntoIterator<Item = Span>,
    ) -> Self {
        let last = add_days(first, i64::try_from(count).unwrap_or(i64::MAX) - 1);
        let length = |start: NaiveDate, end: NaiveDate| {
            usize::try_from((end - start).num_days() + 1).unwrap_or(0)
        };
        let mut cells = Vec::new();
        let mut free_from = first;
        for span in spans {
            let (start, end) = (span.start.max(free_from), span.end.min(last));
            if start > end {
                continue;
            }
            if free_from < start {
                let span = length(free_from, previous_day(start));
                cells.push(Cell { span, shift: None });
            }
            cells.push(Cell {
                span: length(start, end),
                shift: Some(span.shift),
            });
            free_from = next_day(end);
        }
        if free_from <= last {
            let span = length(free_from, last);
            cells.push(Cell { span, shift: None });
        }
        Self {
            label: label.into(),
            href,
            cells,
        }
    }
}

impl Shift {
    /// Somebody on call.
    pub fn on_call(
        people: &People,
        user: &str,
        source: Source,
        (start, end): (NaiveDate, NaiveDate),
        today: NaiveDate,
        href: String,
    ) -> Self {
        let person = people.get(user);
        let how = match source {
            Source::Override => "by an override",
            Source::Manual => "set by hand",
            Source::Auto | Source::None => "by the rotation",
        };
        let title = format!("{}, {}, {how}", person.name, days(start, end, today));
        Self {
            person: Some(person),
            kind: source.as_str(),
            title,
            href,
        }
    }

    /// Nobody.
    pub fn gap((start, end): (NaiveDate, NaiveDate), today: NaiveDate, href: String) -> Self {
        Self {
            person: None,
            kind: "none",
            title: format!("Nobody is on call, {}", days(start, end, today)),
            href,
        }
    }
}

const fn short_weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "Mo",
        Weekday::Tue => "Tu",
        Weekday::Wed => "We",
        Weekday::Thu => "Th",
        Weekday::Fri => "Fr",
        Weekday::Sat => "Sa",
        Weekday::Sun => "Su",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn spans(of: &[(&str, &str)]) -> Vec<usize> {
        let first = date("2026-11-23");
        let span = |&(start, end): &(&str, &str)| Span {
            start: date(start),
            end: date(end),
            shift: Shift::gap((first, first), first, String::new()),
        };
        let row = Row::new("", None, (first, 14), of.iter().map(span));
        row.cells.iter().map(|cell| cell.span).collect()
    }

    #[test]
    fn the_cells_of_a_row_fill_its_days() {
        assert_eq!(spans(&[]), [14]);
        assert_eq!(spans(&[("2026-11-20", "2026-12-20")]), [14]);
        let weeks = [
            ("2026-11-24", "2026-11-24"),
            ("2026-11-25", "2026-11-29"),
            ("2026-12-06", "2026-12-09"),
        ];
        assert_eq!(spans(&weeks), [1, 1, 5, 6, 1]);
        let outside = [("2026-10-01", "2026-10-02"), ("2026-12-07", "2026-12-08")];
        assert_eq!(spans(&outside), [14]);
        let overlapping = [("2026-11-23", "2026-11-29"), ("2026-11-27", "2026-12-01")];
        assert_eq!(spans(&overlapping), [7, 2, 5]);
    }
}
