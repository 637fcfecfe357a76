//! Reads days letter by letter, without saying yet which year or month is meant.

use chrono::{Datelike, NaiveDate, Weekday};

use super::{DATE_FORMS, NotADate, Typed};
use crate::domain::oncall_day::add_days;

/// What is left to read.
pub(super) struct Scanner<'t>(pub(super) &'t str);

impl<'t> Scanner<'t> {
    pub(super) fn spaces(&mut self) {
        self.0 = self.0.trim_start();
    }

    fn eat(&mut self, text: &str) -> bool {
        let rest = self.0.strip_prefix(text);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn run(&mut self, belongs: impl Fn(char) -> bool) -> Option<&'t str> {
        let length = self.0.find(|c| !belongs(c)).unwrap_or(self.0.len());
        let (run, rest) = self.0.split_at(length);
        self.0 = rest;
        (!run.is_empty()).then_some(run)
    }

    /// A run of letters, in lower case.
    pub(super) fn word(&mut self) -> Option<String> {
        self.run(char::is_alphabetic).map(str::to_lowercase)
    }

    /// A number of as many digits as `lengths` allows.
    fn number(&mut self, lengths: std::ops::RangeInclusive<usize>) -> Option<u32> {
        let digits = self.run(|c| c.is_ascii_digit())?;
        let fits = lengths.contains(&digits.len());
        digits.parse().ok().filter(|_| fits)
    }

    /// Reads on if `f` finds something, else stays.
    pub(super) fn attempt<T>(&mut self, f: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.0;
        let found = f(self);
        if found.is_none() {
            self.0 = before;
        }
        found
    }

    /// A day that has to stand here.
    pub(super) fn required(&mut self, today: NaiveDate) -> Result<Typed, NotADate> {
        let here = self.0;
        self.day(today)?.ok_or_else(|| {
            let word = here.split_whitespace().next();
            let word: String = word.unwrap_or_default().chars().take(40).collect();
            NotADate(if word.is_empty() {
                format!("a date is missing: type {DATE_FORMS}")
            } else {
                format!("`{word}` is not a date: type {DATE_FORMS}")
            })
        })
    }

    /// The end of a range, if a separator and a day follow. After two dots a day has to; after
    /// a word or a hyphen, which may also begin a reason, a whole one may.
    pub(super) fn end_of_range(&mut self, today: NaiveDate) -> Result<Option<Typed>, NotADate> {
        let before = self.0;
        self.spaces();
        if self.0.starts_with("..") || self.0.starts_with('…') {
            let _ = self.run(|c| matches!(c, '.' | '…'));
            self.spaces();
            return self.required(today).map(Some);
        }
        let to = |word: String| matches!(word.as_str(), "to" | "until" | "till" | "through");
        let separated = ["-", "–", "—"].iter().any(|dash| self.eat(dash))
            || self
                .attempt(|s| s.word().filter(|word| to(word.clone())))
                .is_some();
        if separated {
            self.spaces();
            match self.day(today)? {
                Some(Typed::InMonth(_)) | None => {}
                whole => return Ok(whole),
            }
        }
        self.0 = before;
        Ok(None)
    }

    /// A day, if one stands here.
    fn day(&mut self, today: NaiveDate) -> Result<Option<Typed>, NotADate> {
        let before = self.0;
        let typed = if before.starts_with(|c: char| c.is_ascii_digit()) {
            self.numbered()?
        } else {
            self.worded(today)?
        };
        let ends = !self.0.starts_with(|c: char| c.is_alphanumeric());
        let typed = typed.filter(|_| ends);
        if typed.is_none() {
            self.0 = before;
        }
        Ok(typed)
    }

    /// `2026-12-24`, `24.12.`, `24/12`, `24 Dec`, `24th of December 2026`, `24`
    fn numbered(&mut self) -> Result<Option<Typed>, NotADate> {
        let before = self.0;
        if let Some(year) = self.attempt(|s| s.number(4..=4)) {
            let sign = ["-", "/", "."].into_iter().find(|sign| self.eat(sign));
            let Some(sign) = sign else { return Ok(None) };
            let month = self.number(1..=2);
            let day = month
                .filter(|_| self.eat(sign))
                .and_then(|_| self.number(1..=2));
            return self.exact(before, year, month, day);
        }
        let Some(day) = self.number(1..=2) else {
            return Ok(None);
        };
        if let Some(second) = self.attempt(|s| s.eat("/").then(|| s.number(1..=2))?) {
            let year = self.attempt(|s| s.eat("/").then(|| s.number(4..=4))?);
            return self.slashed(before, day, second, year);
        }
        if let Some(month) = self.attempt(|s| s.eat(".").then(|| s.number(1..=2))?) {
            let year = self.attempt(|s| s.eat(".").then(|| s.number(4..=4))?);
            self.full_stop();
            return self.dated(before, day, month, year);
        }
        self.ordinal();
        let month = self.attempt(|s| {
            s.spaces();
            let word = s.word()?;
            if word != "of" {
                return month(&word);
            }
            s.spaces();
            month(&s.word()?)
        });
        let Some(month) = month else {
            check_day(before, day, 1)?;
            return Ok(Some(Typed::InMonth(day)));
        };
        self.full_stop();
        let year = self.year();
        self.dated(before, day, month, year)
    }

    /// `today`, `tomorrow`, `monday`, `next monday`, `Dec 24`, `December 24th, 2026`
    fn worded(&mut self, today: NaiveDate) -> Result<Option<Typed>, NotADate> {
        let before = self.0;
        let Some(word) = self.word() else {
            return Ok(None);
        };
        let named_weekday = |s: &mut Self| {
            s.attempt(|s| {
                s.spaces();
                weekday(&s.word()?)
            })
        };
        Ok(match word.as_str() {
            "today" => Some(Typed::Exact(today)),
            "tomorrow" => Some(Typed::Exact(add_days(today, 1))),
            "this" => named_weekday(self).map(Typed::Weekday),
            "next" => named_weekday(self).map(|weekday| {
                let to_monday = 7 - i64::from(today.weekday().num_days_from_monday());
                let day = i64::from(weekday.num_days_from_monday());
                Typed::Exact(add_days(today, to_monday + day))
            }),
            word => match (weekday(word), month(word)) {
                (Some(weekday), _) => Some(Typed::Weekday(weekday)),
                (_, Some(month)) => {
                    self.full_stop();
                    self.spaces();
                    let Some(day) = self.number(1..=2) else {
                        return Ok(None);
                    };
                    self.ordinal();
                    let year = self.year();
                    return self.dated(before, day, month, year);
                }
                (None, None) => None,
            },
        })
    }

    fn year(&mut self) -> Option<u32> {
        self.attempt(|s| {
            let _ = s.eat(",");
            s.spaces();
            s.number(4..=4).filter(|year| (1970..2200).contains(year))
        })
    }

    /// `st`, `nd`, `rd`, `th`, or a full stop.
    fn ordinal(&mut self) {
        let suffix = |word: &String| matches!(word.as_str(), "st" | "nd" | "rd" | "th");
        if self.attempt(|s| s.word().filter(suffix)).is_none() {
            self.full_stop();
        }
    }

    /// A full stop that isn't one of the dots of a range.
    fn full_stop(&mut self) {
        if !self.0.starts_with("..") {
            let _ = self.eat(".");
        }
    }

    /// What was read since `before`.
    fn read_since(&self, before: &'t str) -> &'t str {
        before.strip_suffix(self.0).unwrap_or(before).trim_end()
    }

    fn dated(
        &self,
        before: &'t str,
        day: u32,
        month: u32,
        year: Option<u32>,
    ) -> Result<Option<Typed>, NotADate> {
        if let Some(year) = year {
            return self.exact(before, year, Some(month), Some(day));
        }
        check_day(self.read_since(before), day, month)?;
        Ok(Some(Typed::InYear { day, month }))
    }

    fn exact(
        &self,
        before: &'t str,
        year: u32,
        month: Option<u32>,
        day: Option<u32>,
    ) -> Result<Option<Typed>, NotADate> {
        let (Some(month), Some(day), Ok(year)) = (month, day, i32::try_from(year)) else {
            return Ok(None);
        };
        let date = NaiveDate::from_ymd_opt(year, month, day);
        let date = date.ok_or_else(|| no_such_day(self.read_since(before)))?;
        Ok(Some(Typed::Exact(date)))
    }

    /// Americans write the month first, the others the day.
    fn slashed(
        &self,
        before: &'t str,
        first: u32,
        second: u32,
        year: Option<u32>,
    ) -> Result<Option<Typed>, NotADate> {
        let typed = self.read_since(before);
        if first != second && (1..=12).contains(&first) && (1..=12).contains(&second) {
            let message = format!(
                "`{typed}` is {first} {} to some and {second} {} to others: type the month's name",
                month_name(second),
                month_name(first)
            );
            return Err(NotADate(message));
        }
        let (day, month) = if second > 12 {
            (second, first)
        } else {
            (first, second)
        };
        self.dated(before, day, month, year)
    }
}

fn no_such_day(typed: &str) -> NotADate {
    NotADate(format!("there is no such day as `{typed}`"))
}

/// Refuses what is no day in any year.
fn check_day(typed: &str, day: u32, month: u32) -> Result<(), NotADate> {
    const LEAP_YEAR: i32 = 2000;
    let exists = NaiveDate::from_ymd_opt(LEAP_YEAR, month, day).is_some();
    if exists {
        Ok(())
    } else {
        Err(no_such_day(typed))
    }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The month of a name, or of its first three letters.
fn month(word: &str) -> Option<u32> {
    let word = if word == "sept" { "sep" } else { word };
    let is_meant = |name: &&str| *name == word || name.get(..3) == Some(word);
    let index = MONTHS.iter().position(is_meant)?;
    u32::try_from(index + 1).ok()
}

/// `Dec`
pub(super) fn month_name(month: u32) -> String {
    let date = NaiveDate::from_ymd_opt(2000, month, 1);
    date.map_or_else(String::new, |date| date.format("%b").to_string())
}

fn weekday(word: &str) -> Option<Weekday> {
    match word {
        "mon" | "monday" => Some(Weekday::Mon),
        "tue" | "tues" | "tuesday" => Some(Weekday::Tue),
        "wed" | "wednesday" => Some(Weekday::Wed),
        "thu" | "thur" | "thurs" | "thursday" => Some(Weekday::Thu),
        "fri" | "friday" => Some(Weekday::Fri),
        "sat" | "saturday" => Some(Weekday::Sat),
        "sun" | "sunday" => Some(Weekday::Sun),
        _ => None,
    }
}
