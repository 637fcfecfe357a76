//! Days as people type them: `24 Dec`, `tomorrow`, `next monday..friday`.
//!
//! A day without a year is the first such day from today on, and at the end of a range the first
//! from its start on. `next monday` is the Monday of the next calendar week.

use chrono::{Datelike, Month, NaiveDate, Weekday};

use super::oncall_day::add_days;

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
/// The text doesn't begin with one; there is no such day; the range is empty.
pub fn take(text: &str, today: NaiveDate) -> Result<Days<'_>, NotADate> {
    let (first, rest) = required_day(text, today)?;
    let (last, rest) = end_of_range(rest, today)?.unwrap_or((first, rest));
    let start = match (first, last) {
        // In `24 Dec..27 Dec 2027` the year applies to both.
        (Typed::Yearless { day, month }, Typed::Exact(end)) => nearest(end, -1, month, day)?,
        _ => first.first_from(today)?,
    };
    let end = last.first_from(start)?;
    if end < start {
        let message = format!("the range is empty: its end, {end}, is before its start, {start}");
        return Err(NotADate(message));
    }
    let is_between = |c: char| c.is_whitespace() || ",:;-–—".contains(c);
    let rest = rest.trim().trim_start_matches(is_between);
    Ok(Days { start, end, rest })
}

/// A day as it was typed.
#[derive(Clone, Copy)]
enum Typed {
    /// With its year, or counted from today.
    Exact(NaiveDate),
    /// `24 Dec`
    Yearless { day: u32, month: Month },
    /// `monday`
    Weekday(Weekday),
}

impl Typed {
    /// The first such day on `from` or later.
    fn first_from(self, from: NaiveDate) -> Result<NaiveDate, NotADate> {
        match self {
            Self::Exact(day) => Ok(day),
            Self::Weekday(weekday) => {
                let ahead = weekday.days_since(from.weekday());
                Ok(add_days(from, i64::from(ahead)))
            }
            Self::Yearless { day, month } => nearest(from, 1, month, day),
        }
    }
}

/// The nearest such day of a month, after `from` by a `step` of 1, before it by -1.
fn nearest(from: NaiveDate, step: i32, month: Month, day: u32) -> Result<NaiveDate, NotADate> {
    // Two leap days are eight years apart at most.
    let mut dates = (0..=8).filter_map(|years| date(from.year() + years * step, month, day));
    let found = dates.find(|date| (*date - from).num_days() * i64::from(step) >= 0);
    found.ok_or_else(|| no_such_day(&format!("{day} {}", month.name())))
}

fn date(year: i32, month: Month, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month.number_from_month(), day)
}

fn no_such_day(typed: &str) -> NotADate {
    NotADate(format!("there is no such day as `{typed}`"))
}

/// What was read, and the text after it.
type Read<'t, T> = (T, &'t str);

/// The letters and digits at the beginning of a text, in lower case.
fn word(text: &str) -> Read<'_, String> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_alphanumeric());
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    (word.to_lowercase(), rest)
}

fn required_day(text: &str, today: NaiveDate) -> Result<Read<'_, Typed>, NotADate> {
    day(text, today)?.ok_or_else(|| {
        let word = text.split_whitespace().next().unwrap_or_default();
        let word: String = word.chars().take(40).collect();
        NotADate(if word.is_empty() {
            format!("a date is missing: type {DATE_FORMS}")
        } else {
            format!("`{word}` is not a date: type {DATE_FORMS}")
        })
    })
}

/// After two dots a day has to follow; a dash or a `to` may also begin a reason.
fn end_of_range(text: &str, today: NaiveDate) -> Result<Option<Read<'_, Typed>>, NotADate> {
    let text = text.trim_start();
    if text.starts_with("..") || text.starts_with('…') {
        return required_day(text.trim_start_matches(['.', '…']), today).map(Some);
    }
    if let Some(rest) = text.strip_prefix(['-', '–', '—']) {
        return day(rest, today);
    }
    match word(text) {
        (to, rest) if to == "to" || to == "until" => day(rest, today),
        _ => Ok(None),
    }
}

/// A day, if the text begins with one.
fn day(text: &str, today: NaiveDate) -> Result<Option<Read<'_, Typed>>, NotADate> {
    if let Some(read) = iso_date(text.trim_start())? {
        return Ok(Some(read));
    }
    let (first, after_first) = word(text);
    let (second, after_second) = word(after_first);
    let in_days = |days: u32| Typed::Exact(add_days(today, days.into()));
    let weekday = |word: &str| word.parse::<Weekday>().ok();
    let read = match first.as_str() {
        "today" => Some((in_days(0), after_first)),
        "tomorrow" => Some((in_days(1), after_first)),
        "next" => weekday(&second).map(|weekday| {
            let monday = 7 - today.weekday().num_days_from_monday();
            let ahead = monday + weekday.num_days_from_monday();
            (in_days(ahead), after_second)
        }),
        _ => match weekday(&first) {
            Some(weekday) => Some((Typed::Weekday(weekday), after_first)),
            None => month_and_day(&first, &second)
                .map(|(month, day)| with_year(month, day, after_second))
                .transpose()?,
        },
    };
    Ok(read)
}

/// `2026-12-24`
fn iso_date(text: &str) -> Result<Option<Read<'_, Typed>>, NotADate> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '-');
    let (typed, rest) = text.split_at(end.unwrap_or(text.len()));
    let is_iso = typed.len() == 10
        && typed.char_indices().all(|(at, c)| match at {
            4 | 7 => c == '-',
            _ => c.is_ascii_digit(),
        });
    if !is_iso {
        return Ok(None);
    }
    let date = typed.parse().map_err(|_| no_such_day(typed))?;
    Ok(Some((Typed::Exact(date), rest)))
}

/// `24 Dec` or `Dec 24`
fn month_and_day(first: &str, second: &str) -> Option<(Month, u32)> {
    let number = |word: &str| word.parse().ok().filter(|_| word.len() <= 2);
    let month = |word: &str| word.parse().ok();
    let day_first = number(first).zip(month(second));
    let month_first = month(first).zip(number(second));
    month_first.or(day_first.map(|(day, month)| (month, day)))
}

/// A day of a month, with the year if the rest begins with one.
fn with_year(month: Month, day: u32, rest: &str) -> Result<Read<'_, Typed>, NotADate> {
    const LEAP_YEAR: i32 = 2000;
    let (year, after_year) = word(rest.trim_start_matches(','));
    let year = year.parse().ok().filter(|year| (1970..2200).contains(year));
    if date(year.unwrap_or(LEAP_YEAR), month, day).is_none() {
        let year = year.map(|year| format!(" {year}")).unwrap_or_default();
        return Err(no_such_day(&format!("{day} {}{year}", month.name())));
    }
    Ok(match year.and_then(|year| date(year, month, day)) {
        Some(date) => (Typed::Exact(date), after_year),
        None => (Typed::Yearless { day, month }, rest),
    })
}

#[cfg(test)]
mod tests;
