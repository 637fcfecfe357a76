//! Days as people type them: `24 Dec`, `tomorrow`, `next monday..wednesday`.
//!
//! What has no year is meant to come: the first such day from today on, and for the end of a
//! range the first from its start on. `next monday` is the Monday of the next calendar week.

use chrono::{Datelike, NaiveDate, Weekday};

use self::scanner::{Scanner, month_name};
use super::oncall_day::add_days;

mod scanner;

/// What can be typed, for messages.
pub const DATE_FORMS: &str = "`2026-12-24`, `24 Dec`, `tomorrow`, `monday` or `next monday`; \
                              or a range such as `24 Dec..27 Dec`";

/// Why a text was not read as days, and what to type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotADate(String);

/// The days at the beginning of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days<'t> {
    /// The first.
    pub start: NaiveDate,
    /// The last; not before the first.
    pub end: NaiveDate,
    /// What follows them, without the spaces and punctuation between.
    pub rest: &'t str,
}

/// Reads a day or a range of days at the beginning of a text.
///
/// # Errors
/// It doesn't begin with one; there is no such day; the range is empty; what was typed may
/// mean two days.
pub fn take(text: &str, today: NaiveDate) -> Result<Days<'_>, NotADate> {
    let mut scanner = Scanner(text.trim());
    let _ = scanner.attempt(|s| matches!(s.word()?.as_str(), "on" | "from").then_some(()));
    scanner.spaces();
    let start = scanner.required(today)?;
    let end = scanner.end_of_range(today)?;
    let (start, end) = resolve(&start, end.as_ref(), today)?;
    if end < start {
        let message = format!("the range is empty: its end, {end}, is before its start, {start}");
        return Err(NotADate(message));
    }
    let is_between = |c: char| c.is_whitespace() || ",:;-–—".contains(c);
    let rest = scanner.0.trim_start_matches(is_between);
    Ok(Days { start, end, rest })
}

/// A day as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Typed {
    /// With its year, or counted from today.
    Exact(NaiveDate),
    /// `24 Dec`
    InYear { day: u32, month: u32 },
    /// `24`, in a range whose other end names the month.
    InMonth(u32),
    /// `monday`
    Weekday(Weekday),
}

fn resolve(
    start: &Typed,
    end: Option<&Typed>,
    today: NaiveDate,
) -> Result<(NaiveDate, NaiveDate), NotADate> {
    match (start, end) {
        (Typed::InMonth(day), None | Some(Typed::InMonth(_) | Typed::Weekday(_))) => {
            let message = format!("{day} of which month? Type `{day} Dec`");
            Err(NotADate(message))
        }
        (_, None) => {
            let day = first_from(today, start)?;
            Ok((day, day))
        }
        // The end says which month, or which year, is meant.
        (Typed::InMonth(_), Some(end)) | (Typed::InYear { .. }, Some(end @ Typed::Exact(_))) => {
            let end = first_from(today, end)?;
            Ok((last_until(end, start)?, end))
        }
        (_, Some(end)) => {
            let start = first_from(today, start)?;
            Ok((start, first_from(start, end)?))
        }
    }
}

/// The first such day on `from` or later.
fn first_from(from: NaiveDate, typed: &Typed) -> Result<NaiveDate, NotADate> {
    match *typed {
        Typed::Exact(day) => Ok(day),
        Typed::Weekday(weekday) => Ok(add_days(
            from,
            i64::from(weekday.days_since(from.weekday())),
        )),
        Typed::InMonth(day) => {
            let mut days = from.iter_days().take(62);
            let found = days.find(|date| date.day() == day);
            found.ok_or_else(|| NotADate(format!("there is no {day}. after {from}")))
        }
        Typed::InYear { day, month } => {
            let in_year = |year| NaiveDate::from_ymd_opt(year, month, day);
            let this_year = in_year(from.year()).filter(|date| *date >= from);
            let next_year = from.year().saturating_add(1);
            this_year.or_else(|| in_year(next_year)).ok_or_else(|| {
                let name = month_name(month);
                let message =
                    format!("there is no {day} {name} until the end of {next_year}: type the year");
                NotADate(message)
            })
        }
    }
}

/// The last such day on `until` or earlier.
fn last_until(until: NaiveDate, typed: &Typed) -> Result<NaiveDate, NotADate> {
    let found = match *typed {
        Typed::InYear { day, month } => {
            let in_year = |year| NaiveDate::from_ymd_opt(year, month, day);
            let this_year = in_year(until.year()).filter(|date| *date <= until);
            this_year.or_else(|| in_year(until.year().saturating_sub(1)))
        }
        Typed::InMonth(day) => {
            let mut days = (0..62).map(|distance| add_days(until, -distance));
            days.find(|date| date.day() == day)
        }
        Typed::Exact(_) | Typed::Weekday(_) => return first_from(until, typed),
    };
    found.ok_or_else(|| {
        NotADate(format!(
            "there is no such day before {until}: type the year"
        ))
    })
}

#[cfg(test)]
mod tests;
