//! Collects everything that is wrong with an input, field by field.

use std::fmt::Display;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde_json::Value;

use super::one_line;
use super::zone::Zone;

/// The most that one free-form field may hold.
const MAX_JSON_BYTES: usize = 65_536;
/// Objects and lists within each other that one free-form field may hold.
const MAX_JSON_DEPTH: u32 = 32;

/// One field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the field as the client wrote it.
    pub field: String,
    /// What was found and what was expected.
    pub message: String,
}

/// The input breaks these rules; never empty when returned as an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", summary(.0))]
pub struct Invalid(pub Vec<FieldError>);

fn summary(errors: &[FieldError]) -> String {
    let parts: Vec<_> = errors
        .iter()
        .map(|e| format!("{}: {}", e.field, e.message))
        .collect();
    parts.join("; ")
}

impl Invalid {
    /// A single complaint.
    pub fn one(field: &str, message: impl Display) -> Self {
        let mut invalid = Self::default();
        invalid.add(field, message);
        invalid
    }

    /// Notes a complaint.
    pub fn add(&mut self, field: &str, message: impl Display) {
        self.0.push(FieldError {
            field: field.to_owned(),
            message: message.to_string(),
        });
    }

    /// Notes a complaint unless `ok`.
    pub fn check(&mut self, ok: bool, field: &str, message: impl Display) {
        if !ok {
            self.add(field, message);
        }
    }

    /// Parses a text; where it is not well formed, notes why.
    pub fn parse<T: FromStr>(&mut self, field: &str, text: &str) -> Option<T>
    where
        T::Err: Display,
    {
        text.parse().map_err(|error| self.add(field, error)).ok()
    }

    /// Checks that a text has `min` to `max` characters and no control characters other
    /// than line breaks and tabs.
    pub fn check_text(&mut self, field: &str, text: &str, min: usize, max: usize) {
        self.check_length(field, text, min, max);
        let clean = !text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
        self.check(clean, field, "contains control characters");
    }

    /// Checks a text of one line, such as a name: its length in characters, and what is in it.
    pub fn check_line(&mut self, field: &str, text: &str, min: usize, max: usize) {
        self.check_length(field, text, min, max);
        self.check_one_line(field, text);
    }

    fn check_length(&mut self, field: &str, text: &str, min: usize, max: usize) {
        let count = text.chars().count();
        let length_ok = (min..=max).contains(&count) && (min == 0 || !text.trim().is_empty());
        let message = format!("has {count} characters, expected {min} to {max}");
        self.check(length_ok, field, message);
    }

    /// Checks that a text is one line without anything hidden.
    pub fn check_one_line(&mut self, field: &str, text: &str) {
        if let Some(hidden) = one_line::hidden_in(text) {
            let code = u32::from(hidden);
            let message = format!(
                "holds U+{code:04X}, expected one line without control characters, and nothing \
                 invisible or that changes the direction of text"
            );
            self.add(field, message);
        }
    }

    /// A complaint unless the text has the form of the id of a Slack group or channel.
    pub fn check_slack_id(&mut self, field: &str, id: &str) {
        let mut bytes = id.bytes();
        let is_id = id.len() <= 30 && bytes.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let message = format!("`{id:.60}` is not a Slack id: capital letters and digits");
        self.check(is_id, field, message);
    }

    /// Checks that free-form JSON is an object of a size and depth that can be kept. What is
    /// deeper could be written, but not be read again once it lies within an audit entry.
    pub fn check_object(&mut self, field: &str, value: &Value) {
        self.check(value.is_object(), field, "is not a JSON object");
        let size_ok = value.to_string().len() <= MAX_JSON_BYTES;
        self.check(size_ok, field, "is over 64 KiB");
        let message = format!("is nested more than {MAX_JSON_DEPTH} deep");
        self.check(is_shallow(value, MAX_JSON_DEPTH), field, message);
    }

    /// Checks that a text names a time zone that the rules know.
    pub fn check_timezone(&mut self, field: &str, timezone: &str) {
        if Zone::find(timezone).is_none() {
            let hint = match Zone::nearest(timezone) {
                Some(zone) => format!("; did you mean `{zone}`?"),
                None => ", expected a name such as Europe/Berlin".to_owned(),
            };
            let message = format!("`{timezone}` is not an IANA time zone{hint}");
            self.add(field, message);
        }
    }

    /// Checks that a date lies within the years that oncalld reckons with.
    pub fn check_date(&mut self, field: &str, date: NaiveDate) {
        let ok = (1970..=2199).contains(&date.year());
        self.check(
            ok,
            field,
            format!("`{date}` is outside the years 1970 to 2199"),
        );
    }

    /// Refuses a filter whose end lies before its beginning.
    ///
    /// # Errors
    /// A complaint about `to`.
    pub fn ordered(from: NaiveDate, to: NaiveDate) -> Result<(), Self> {
        let mut invalid = Self::default();
        invalid.check(from <= to, "to", format!("`{to}` is before from, `{from}`"));
        invalid.into_result(())
    }

    /// Checks both ends of a range of dates, and their order. At most ten years long.
    pub fn check_range(&mut self, start: NaiveDate, end: NaiveDate) {
        self.check_date("start_date", start);
        self.check_date("end_date", end);
        self.check(
            end >= start,
            "end_date",
            format!("`{end}` is before start_date `{start}`"),
        );
        let days = (end - start).num_days();
        self.check(
            days <= 3660,
            "end_date",
            format!("{days} days after the start; at most 3660"),
        );
    }

    /// `value` if nothing was noted, else the complaints.
    ///
    /// # Errors
    /// Everything noted so far.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

fn is_shallow(value: &Value, depth: u32) -> bool {
    let within = |value: &Value| depth > 0 && is_shallow(value, depth - 1);
    match value {
        Value::Array(items) => items.iter().all(within),
        Value::Object(fields) => fields.values().all(within),
        _ => true,
    }
}
